/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device is not trusted: completions that say what cannot be fail their queue, and when all that it
 * can reach is overwritten at random under traffic, nothing happens but bad packets, counted errors and
 * failed queues.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "vmxnet3_rig.h"

/* ---- one lie at a time ---- */

struct lie {
	const char *what;
	uint64_t q0, q1; /* bits of the next completion that are the other way round */
};

static void back_to_work(struct rig *r)
{
	CHECK_EQ(plx_port_reset(r->port), 0);
	CHECK_EQ(plx_rxq_state(r->rxq, NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(plx_txq_state(r->txq, NULL), PLX_QUEUE_RUNNING);
	rig_traffic(r, 70);
}

/* Bursts of n packets, of which the second has the lie; what was before it comes. */
static void rx_lie(const struct lie *lie, uint16_t n, uint32_t offloads)
{
	static struct rig r;
	struct plx_mbuf *pkts[32];
	struct plx_port_stats s;
	uint8_t frame[200];
	uint16_t got = 0;
	int err = 0;

	rig_begin(&r, 0);
	r.conf.rx_offloads = offloads;
	rig_up(&r);
	rig_traffic(&r, 10);
	for (uint16_t i = 0; i < n; i++) {
		if (i == 1)
			fake_vmxnet3_spoil(r.m, true, lie->q0, lie->q1);
		rig_frame(frame, i, 200);
		fake_vmxnet3_rx(r.m, frame, 200);
	}
	for (unsigned i = 0; i < 5; i++)
		got = (uint16_t)(got + plx_rx_burst(r.rxq, pkts + got, (uint16_t)(32 - got)));
	CHECK_STR(plx_rxq_state(r.rxq, &err) == PLX_QUEUE_FAILED ? "" : lie->what, "");
	CHECK_EQ(err, EIO);
	CHECK_EQ(got, 1);
	plx_mbuf_free_bulk(pkts, got);
	back_to_work(&r);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets, 10 + 1 + 70);
	rig_end_clean(&r);
}

TEST(vmxnet3_hostile, rx_completions_that_cannot_be)
{
	static const struct lie lies[] = {
		{"a slot that is armed no more", 0x800 | 0x1f, 0},
		{"a slot beyond the ring", 0xf40, 0},
		{"a queue that is none", UINT64_C(5) << 16, 0},
		{"the second ring, which is not there", UINT64_C(1) << 16, 0},
		{"a queue far away", UINT64_C(0x3ff) << 16, 0},
		{"a type that is none", 0, UINT64_C(0x70) << 56},
		{"more bytes than the buffer has", 0, 0x3f00},
	};

	for (unsigned isa = 0; isa < 2; isa++)
		for (size_t i = 0; i < PLX_ARRAY_SIZE(lies); i++) {
			rig_isa = isa == 0 ? PLX_ISA_SCALAR : PLX_ISA_AUTO;
			rx_lie(&lies[i], 2, 0);
			rx_lie(&lies[i], 20, 0);
			rx_lie(&lies[i], 20, PLX_RX_OFFLOAD_CKSUM);
			rx_lie(&lies[i], 20, PLX_RX_OFFLOAD_RSS_HASH);
		}
}

/* A generation that is not this round's is no news: nothing comes, and the watchdog's turn. */
TEST(vmxnet3_hostile, a_completion_of_another_round_is_none)
{
	static struct rig r;
	struct plx_mbuf *m;
	uint8_t frame[200];

	rig_begin(&r, 0);
	rig_up(&r);
	rig_traffic(&r, 100);
	fake_vmxnet3_spoil(r.m, true, 0, UINT64_C(1) << 63);
	rig_frame(frame, 1, 200);
	fake_vmxnet3_rx(r.m, frame, 200);
	CHECK_EQ(plx_rx_burst(r.rxq, &m, 1), 0);
	CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_RUNNING);
	back_to_work(&r);
	rig_end_clean(&r);
}

static void tx_lie(const struct lie *lie, uint16_t n)
{
	static struct rig r;
	struct plx_mbuf *pkts[32];
	struct plx_port_stats s;
	uint8_t frame[200];
	int err = 0;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_traffic(&r, 10);
	for (uint16_t i = 0; i < n; i++) {
		rig_frame(frame, i, 200);
		pkts[i] = rig_mbuf(&r, frame, 200);
	}
	for (uint16_t i = 0; i < n; i++) {
		if (i == n - 1)
			fake_vmxnet3_spoil(r.m, false, lie->q0, lie->q1);
		CHECK_EQ(plx_tx_burst(r.txq, pkts + i, 1), 1);
	}
	plx_tx_reclaim(r.txq);
	CHECK_STR(plx_txq_state(r.txq, &err) == PLX_QUEUE_FAILED ? "" : lie->what, "");
	CHECK_EQ(err, EIO);
	back_to_work(&r);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.tx_packets, 10u + n + 70u);
	CHECK_EQ(s.tx_done, s.tx_packets);
	rig_end_clean(&r);
}

TEST(vmxnet3_hostile, tx_completions_that_cannot_be)
{
	static const struct lie lies[] = {
		{"a slot that was not handed over", 0x20, 0},
		{"a slot beyond the ring", 0x400, 0},
		{"the last slot there could be", 0xfff, 0},
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(lies); i++) {
		tx_lie(&lies[i], 1);
		tx_lie(&lies[i], 20);
	}
}

/* A completion in the middle of a packet's slots. */
TEST(vmxnet3_hostile, a_tx_completion_inside_a_packet)
{
	static struct rig r;
	struct plx_mbuf *m;
	uint8_t frame[1000];

	rig_begin(&r, 0);
	r.room = PLX_MBUF_HEADROOM + 512;
	r.conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	r.conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	rig_up(&r);
	rig_frame(frame, 1, 1000);
	m = rig_mbuf(&r, frame, 1000); /* slots 0 and 1 */
	fake_vmxnet3_spoil(r.m, false, 1, 0);
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
	plx_tx_reclaim(r.txq);
	CHECK_EQ(plx_txq_state(r.txq, NULL), PLX_QUEUE_FAILED);
	back_to_work(&r);
	rig_end_clean(&r);
}

/* Starts and ends of packets in the wrong order cost packets, and no more. */
TEST(vmxnet3_hostile, packets_that_neither_start_nor_end)
{
	static const struct lie lies[] = {{"no start", 1u << 15, 0}, {"no end", 1u << 14, 0},
		{"neither", 3u << 14, 0}, {"an error", 0, 1u << 14}};

	for (unsigned scatter = 0; scatter < 2; scatter++)
		for (size_t i = 0; i < PLX_ARRAY_SIZE(lies); i++) {
			static struct rig r;
			uint8_t frame[200];

			rig_begin(&r, 0);
			r.conf.rx_offloads = scatter ? PLX_RX_OFFLOAD_SCATTER : 0;
			rig_up(&r);
			for (unsigned k = 0; k < 100; k++) {
				fake_vmxnet3_spoil(r.m, true, lies[i].q0, lies[i].q1);
				rig_frame(frame, k, 200);
				CHECK(rig_receive(&r, frame, 200) == NULL);
				plx_mbuf_free(rig_receive(&r, frame, 200));
				rig_check(&r, rig_receive(&r, frame, 200), frame, 200);
			}
			CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_RUNNING);
			rig_end_clean(&r);
		}
}

/* What is written to the rings while the device is off is not there when it is on. */
TEST(vmxnet3_hostile, rings_overwritten_while_stopped)
{
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	for (unsigned round = 0; round < 10; round++) {
		struct {
			uint64_t iova;
			uint32_t len;
		} rings[6];

		for (unsigned i = 0; i < 6; i++)
			rings[i].len = fake_vmxnet3_ring(r.m, i / 3 != 0, 0,
				(enum fake_vmxnet3_ring)(i % 3), &rings[i].iova);
		CHECK_EQ(plx_port_stop(r.port), 0);
		for (unsigned i = 0; i < 6; i++) {
			void *p = fake_dma_ptr(r.f, rings[i].iova, rings[i].len, true);

			if (rings[i].len != 0 && p != NULL)
				memset(p, 0xff, rings[i].len);
		}
		CHECK_EQ(plx_port_start(r.port), 0);
		rig_traffic(&r, 100);
	}
	rig_end_clean(&r);
}

/* ---- noise ---- */

struct noise {
	struct rig *r;
	pthread_t thread;
	bool stop;
	uint64_t random;
};

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Some words anywhere. */
__attribute__((no_sanitize("thread"))) static void scribble(
	struct rig *r, uint64_t *x, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		const struct plx_extent *e = &r->f->extents[next(x) % r->f->n_extents];
		const uint64_t at = next(x) % (e->len / 8), v = next(x);

		if ((e->flags & PLX_DMA_TO_DEVICE) == 0)
			*(volatile uint64_t *)((uint8_t *)e->va + 8 * at) = v;
	}
}

/* The rings are a small part of it: hits them in particular, with what is nearly right. */
__attribute__((no_sanitize("thread"))) static void scribble_rings(
	struct rig *r, uint64_t *x, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		uint64_t iova, v = next(x);
		const uint32_t len =
			fake_vmxnet3_ring(r->m, next(x) % 2, (uint32_t)(next(x) % r->conf.n_rxq),
				(enum fake_vmxnet3_ring)(next(x) % 3), &iova);
		volatile uint64_t *p = len != 0 ? fake_dma_ptr(r->f, iova, len, true) : NULL;

		if (p == NULL)
			continue;
		if (next(x) % 4 != 0) /* a bit: of a slot's number, a length, a round */
			p[next(x) % (len / 8)] ^= UINT64_C(1) << v % 64;
		else
			p[next(x) % (len / 8)] = v;
	}
}

/* Whatever came: it is a packet by all rules, and its bytes can be read. */
static void take(struct rig *r, struct plx_rxq *q, unsigned *sum)
{
	struct plx_mbuf *pkts[32];
	const uint16_t n = plx_rx_burst(q, pkts, 32);

	for (uint16_t i = 0; i < n; i++) {
		CHECK_STR(plx_mbuf_check(pkts[i]) == 0 ? "" : plx_errmsg(), "");
		for (struct plx_mbuf *m = pkts[i]; m != NULL; m = m->next)
			for (uint32_t j = 0; j < m->data_len; j += 61)
				*sum += plx_mbuf_data(m)[j];
		plx_mbuf_free(pkts[i]);
	}
	r->freed += n;
}

static void give(struct rig *r)
{
	struct plx_mbuf *pkts[8];
	uint8_t frame[1500];
	uint16_t n = 0, sent;

	for (uint32_t i = 0; i < 8; i++) {
		const uint32_t len = 60 + i * 190;

		rig_ipv4(frame, false, i, len);
		fake_vmxnet3_rx(r->m, frame, len);
	}
	while (n < 8 && (pkts[n] = plx_mbuf_alloc(r->pool)) != NULL)
		memset(plx_mbuf_append(pkts[n++], 100), 2, 100);
	sent = plx_tx_burst(r->txqs[r->conf.n_txq - 1], pkts, n);
	plx_mbuf_free_bulk(pkts + sent, (unsigned)(n - sent));
}

static void after(struct rig *r)
{
	struct plx_port_stats s;

	CHECK_EQ(plx_port_stop(r->port), 0);
	CHECK_EQ(plx_port_stats(r->port, &s), 0);
	CHECK_EQ(s.tx_packets, s.tx_done);
	CHECK_EQ(s.rx_packets, r->freed);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
	/* Each buffer's header is in private memory: all are back, and as they should be. */
	CHECK_EQ(plx_port_reset(r->port), 0);
	CHECK_EQ(plx_port_start(r->port), 0);
	rig_traffic(r, 50);
}

static void *noise_loop(void *arg)
{
	struct noise *n = arg;

	while (!__atomic_load_n(&n->stop, __ATOMIC_ACQUIRE)) {
		scribble(n->r, &n->random, 8);
		scribble_rings(n->r, &n->random, 1);
		sched_yield();
	}
	return NULL;
}

static void noise_with(bool scatter, bool threaded, uint16_t queues)
{
	static struct rig r;
	struct noise n = {.r = &r, .random = 42};
	const unsigned rounds = PLX_MIN(unit_rounds(3000), 30000u);
	unsigned sum = 0, failed = 0;

	rig_begin(&r, 0);
	if (scatter) { /* longer frames take two or three rooms */
		r.room = PLX_MBUF_HEADROOM + 512;
		r.conf.rx_offloads =
			PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_LRO;
	}
	r.conf.n_rxq = r.conf.n_txq = queues;
	if (queues > 1)
		r.conf.rx_offloads |= PLX_RX_OFFLOAD_RSS_HASH;
	rig_up(&r);
	if (threaded)
		CHECK_EQ(pthread_create(&n.thread, NULL, noise_loop, &n), 0);
	for (unsigned i = 0; i < rounds; i++) {
		give(&r);
		if (!threaded) {
			scribble(&r, &n.random, 64);
			scribble_rings(&r, &n.random, 1 + i % 4);
		}
		for (uint16_t q = 0; q < queues; q++) {
			take(&r, r.rxqs[q], &sum);
			plx_tx_reclaim(r.txqs[q]);
			failed += plx_rxq_state(r.rxqs[q], NULL) == PLX_QUEUE_FAILED;
		}
		if (i % 100 == 0)
			plx_ctx_poll(r.ctx);
		/* garbage has hung the device, or a queue failed; at times its answers, too */
		if (i % 4 == 3 && plx_port_reset(r.port) < 0)
			CHECK(plx_errmsg()[0] != '\0');
	}
	__atomic_store_n(&n.stop, true, __ATOMIC_RELEASE);
	if (threaded)
		pthread_join(n.thread, NULL);
	after(&r);
	rig_end(&r);
	printf("# %u rounds: %llu packets taken, RX queues failed %u times\n", rounds,
		(unsigned long long)r.freed, failed);
	/* how much the other thread writes between two bursts is the scheduler's business */
	CHECK(r.freed > (threaded ? 0 : rounds / 10));
	CHECK(failed > 0 || threaded);
}

TEST(vmxnet3_hostile, memory_overwritten_between_bursts)
{
	noise_with(false, false, 1);
	noise_with(true, false, 1);
	noise_with(true, false, 2);
}

TEST(vmxnet3_hostile, memory_overwritten_by_another_thread)
{
	noise_with(false, true, 1);
	noise_with(true, true, 2);
}

TEST(vmxnet3_hostile, the_same_without_vectors)
{
	rig_isa = PLX_ISA_SCALAR;
	noise_with(false, false, 1);
	noise_with(true, true, 1);
	rig_isa = PLX_ISA_AUTO;
}
