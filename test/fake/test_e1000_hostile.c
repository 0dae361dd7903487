/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device is not trusted: all that it can reach is overwritten at random under traffic. Nothing
 * happens but bad packets and counted errors.
 */
#include <pthread.h>

#include "e1000_rig.h"

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

/* Some words anywhere; near-valid values half of the time, so that they are not all refused. */
__attribute__((no_sanitize("thread"))) static void scribble(
	struct rig *r, uint64_t *x, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		struct plx_extent *e = &r->f->extents[next(x) % r->f->n_extents];
		uint64_t at = next(x) % (e->len / 8), v = next(x);

		if ((e->flags & PLX_DMA_TO_DEVICE) != 0)
			continue;
		if (next(x) % 2 == 0) /* done, perhaps end of packet, any length */
			v = (v & UINT64_C(0xffff0000ff000000)) | 1 | (v & 2) | (v & 0xffff) << 32;
		*(volatile uint64_t *)((uint8_t *)e->va + 8 * at) = v;
	}
}

/* The descriptor rings are a small part of it: hits them in particular. */
static void scribble_rings(struct rig *r, uint64_t *x, unsigned words)
{
	const uint32_t ring[4] = {fake_82574_rx_block(r->m, 0), fake_82574_tx_block(r->m, 0),
		fake_82574_rx_block(r->m, 1), fake_82574_tx_block(r->m, 1)};

	for (unsigned i = 0; i < words; i++) {
		uint32_t at = ring[next(x) % (2 * r->conf.n_rxq)],
			 len = fake_82574_peek(r->m, at + 8);
		uint64_t base = fake_82574_peek(r->m, at) | (uint64_t)fake_82574_peek(r->m, at + 4)
								    << 32;
		volatile uint64_t *p = fake_dma_ptr(r->f, base, len, true);
		uint64_t v = next(x);

		if (p == NULL || len < 128)
			continue;
		if (next(x) % 64 != 0) /* the half that says what came, or what is to be sent */
			p[(next(x) % (len / 16)) * 2 + 1] =
				(v & UINT64_C(0xffff0000ff000003)) | 1 | (v & 0xffff) << 32;
		else
			p[next(x) % (len / 8)] = v;
	}
}

/* Whatever came: it is a packet by all rules, and its bytes can be read. */
static void take(struct rig *r, struct plx_rxq *q, unsigned *sum)
{
	struct plx_mbuf *pkts[32];
	uint16_t n = plx_rx_burst(q, pkts, 32);

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
		uint32_t len = 60 + i * 190;

		if (r->conf.n_rxq > 1)
			rig_tcp(frame, i, len);
		else
			rig_frame(frame, i, len);
		fake_82574_rx(r->m, frame, len, 0);
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
	r->errors = s.rx_errors;
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
	/* Each buffer's header is in private memory: all are back, and as they should be. */
	CHECK_EQ(plx_port_reset(r->port), 0);
	CHECK_EQ(rig_start(r), 0);
	CHECK_EQ(rig_link(r), 0);
	rig_traffic(r, 50);
}

static void *noise_loop(void *arg)
{
	struct noise *n = arg;

	while (!__atomic_load_n(&n->stop, __ATOMIC_ACQUIRE)) {
		scribble(n->r, &n->random, 32);
		scribble_rings(n->r, &n->random, 8);
	}
	return NULL;
}

static void run_with(bool scatter, bool threaded, uint16_t queues)
{
	static struct rig r;
	struct noise n = {.r = &r, .random = 42};
	unsigned rounds = PLX_MIN(unit_rounds(3000), 30000u), sum = 0;

	rig_begin(&r, 0);
	if (scatter) /* longer frames take two or three rooms */
		r.room = PLX_MBUF_HEADROOM + 512;
	if (scatter)
		r.conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_CKSUM;
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
			scribble_rings(&r, &n.random, 1 + i % 16);
		}
		for (uint16_t q = 0; q < queues; q++) {
			take(&r, r.rxqs[q], &sum);
			plx_tx_reclaim(r.txqs[q]);
		}
		if (i % 100 == 0)
			plx_ctx_poll(r.ctx);
		if (i % 8 == 7) { /* garbage has hung the part, or a queue failed */
			CHECK_EQ(plx_port_reset(r.port), 0);
			CHECK_EQ(rig_start(&r), 0);
			CHECK_EQ(rig_link(&r), 0);
		}
	}
	__atomic_store_n(&n.stop, true, __ATOMIC_RELEASE);
	if (threaded)
		pthread_join(n.thread, NULL);
	after(&r);
	rig_end(&r);
	printf("# %u rounds: %llu packets taken, %llu refused\n", rounds,
		(unsigned long long)r.freed, (unsigned long long)r.errors);
	CHECK(r.freed > rounds / 10);
	CHECK(r.errors > 0);
}

static void run(bool scatter, bool threaded)
{
	run_with(scatter, threaded, 1);
}

TEST(e1000_hostile, memory_overwritten_with_two_queues_and_rss)
{
	run_with(false, false, 2);
	run_with(true, true, 2);
}

TEST(e1000_hostile, memory_overwritten_between_bursts)
{
	run(false, false);
	run(true, false);
}

TEST(e1000_hostile, memory_overwritten_by_another_thread)
{
	run(false, true);
	run(true, true);
}

TEST(e1000_hostile, the_same_without_vectors)
{
	rig_isa = PLX_ISA_SCALAR;
	run(false, false);
	run(true, false);
	run(false, true);
	run(true, true);
	rig_isa = PLX_ISA_AUTO;
}
