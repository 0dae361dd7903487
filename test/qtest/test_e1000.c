/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver e1000 against QEMU's model of the 82574L: bring-up, traffic, stop, reset, removal. */
#include <pthread.h>
#include <time.h>

#include "e1000_lab.h"

static const struct setup usual = {0};

TEST(e1000, opens_and_tells_about_itself)
{
	struct lab l;
	struct plx_port_info info;
	struct plx_xstat x[128];
	struct plx_link link;
	size_t n;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.a, "slot=2", &usual);
	CHECK_OK(plx_port_info(l.a.port, &info));
	CHECK_STR(info.driver, "e1000");
	CHECK_EQ(memcmp(info.mac.b, "\x52\x54\x00\x00\x00\x0a", 6), 0);
	CHECK_OK(plx_port_link(l.a.port, true, &link));
	CHECK(link.up && link.full_duplex && link.autoneg);
	CHECK_EQ(link.speed_mbps, 1000);
	CHECK_OK(plx_port_regs(l.a.port, x, PLX_ARRAY_SIZE(x), &n));
	CHECK(n > 30 && n <= PLX_ARRAY_SIZE(x));
	CHECK_STR(x[0].name, "CTRL");
	CHECK(x[0].value & 1 << 6);
	CHECK_OK(plx_port_xstats(l.a.port, x, PLX_ARRAY_SIZE(x), &n));
	CHECK(n > 40 && n <= PLX_ARRAY_SIZE(x));
	CHECK_OK(plx_port_xstats(l.a.port, NULL, 0, &n));
	CHECK(n > 40);
	lab_stop(&l);
}

/* TX before autonegotiation is over would be lost: the link must not be called up till then. */
TEST(e1000, what_is_sent_once_the_link_is_up_arrives)
{
	struct lab l;
	uint8_t f[100];
	struct plx_mbuf *m, *got;
	struct plx_mac to, from;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &usual);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	frame_make(f, sizeof(f), &to, &from, 1);
	m = packet(&l.a, f, sizeof(f), 2048);
	send_all(&l.a, &m, 1);
	CHECK_EQ(receive(&l.b, &got, 1, 2000), 1);
	check_packet(got, f, sizeof(f));
	lab_stop(&l);
}

enum { BURST = 32, ROUNDS = 40 };

/*
 * Bursts of changing size and frames of changing length, one way. Never more at a time than the ring
 * holds: QEMU's hub keeps what does not fit in two places, from which it may come in another order.
 */
static void traffic(struct end *from, struct end *to, uint32_t *seed, size_t max, size_t seg)
{
	const uint32_t fit = to->rx->n_desc / 2u * 2048 / (uint32_t)PLX_MAX(max, (size_t)2048);
	const uint32_t most = PLX_MIN(fit, (uint32_t)BURST);
	static uint8_t f[BURST][10000];
	const struct plx_mac mf = end_mac(from), mt = end_mac(to);
	struct plx_mbuf *pkts[BURST];

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint16_t n = (uint16_t)(1 + *seed % most);
		size_t len[BURST];

		for (uint16_t i = 0; i < n; i++) {
			len[i] = 60 + (*seed * 7919u) % (max - 59);
			frame_make(f[i], len[i], &mt, &mf, ++*seed);
			pkts[i] = packet(from, f[i], len[i], seg);
		}
		send_all(from, pkts, n);
		CHECK_EQ(receive(to, pkts, n, 2000), n);
		for (uint16_t i = 0; i < n; i++)
			check_packet(pkts[i], f[i], len[i]);
	}
}

static void both_ways_isa(const struct setup *s, size_t max, size_t seg, enum plx_isa isa)
{
	struct lab l;
	uint32_t seed = 1;
	struct plx_port_stats sa, sb;

	lab_start_isa(&l, isa);
	lab_pair(&l, s);
	traffic(&l.a, &l.b, &seed, max, seg);
	traffic(&l.b, &l.a, &seed, max, seg);
	CHECK_OK(plx_port_stats(l.a.port, &sa));
	CHECK_OK(plx_port_stats(l.b.port, &sb));
	CHECK(sa.tx_packets > ROUNDS);
	CHECK_EQ(sa.tx_packets, sb.rx_packets);
	CHECK_EQ(sa.tx_bytes, sb.rx_bytes);
	CHECK_EQ(sb.tx_packets, sa.rx_packets);
	CHECK_EQ(sa.rx_errors + sa.rx_missed + sa.rx_nombuf + sa.tx_errors, 0);
	CHECK_OK(plx_port_stop(l.a.port));
	CHECK_OK(plx_port_stop(l.b.port));
	CHECK_OK(plx_port_stats(l.a.port, &sa));
	CHECK_EQ(sa.tx_done, sa.tx_packets);
	end_check_empty(&l.a);
	end_check_empty(&l.b);
	lab_stop(&l);
}

static void both_ways(const struct setup *s, size_t max, size_t seg)
{
	both_ways_isa(s, max, seg, PLX_ISA_AUTO);
}

TEST(e1000, traffic_both_ways)
{
	NEEDS_QEMU();
	both_ways(&usual, 1518, 2048);
}

TEST(e1000, traffic_without_vector_instructions)
{
	NEEDS_QEMU();
	both_ways_isa(&usual, 1518, 2048, PLX_ISA_SCALAR);
}

TEST(e1000, traffic_with_offloads_that_nothing_needs)
{
	const struct setup s = {.rx_offloads = PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP};

	NEEDS_QEMU();
	both_ways(&s, 1518, 2048);
}

TEST(e1000, small_rings)
{
	const struct setup s = {.n_desc = 32, .n_tx_desc = 32};

	NEEDS_QEMU();
	both_ways(&s, 200, 2048);
}

TEST(e1000, rings_of_no_power_of_two)
{
	const struct setup s = {.n_desc = 104, .n_tx_desc = 72};

	NEEDS_QEMU();
	both_ways(&s, 1518, 2048);
}

TEST(e1000, chains_are_sent)
{
	const struct setup s = {
		.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG, .n_tx_desc = 64, .n_mbufs = 2000};

	NEEDS_QEMU();
	both_ways(&s, 1518, 150);
}

TEST(e1000, jumbo_frames_are_scattered)
{
	const struct setup s = {.mtu = 9000,
		.rx_offloads = PLX_RX_OFFLOAD_SCATTER,
		.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG,
		.n_mbufs = 2000};

	NEEDS_QEMU();
	both_ways(&s, 9018, 2048);
}

TEST(e1000, jumbo_frames_in_one_room)
{
	const struct setup s = {.mtu = 9000, .room = 128 + 10240, .n_mbufs = 800};

	NEEDS_QEMU();
	both_ways(&s, 9018, 10240);
}

TEST(e1000, rooms_too_small_for_the_mtu_are_refused)
{
	struct lab l;
	struct setup s = {.mtu = 1500, .room = 128 + 1536};

	NEEDS_QEMU();
	lab_start(&l);
	/* the device can use 1024 bytes of a room of 1536 */
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_port_conf pc = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rc = PLX_RXQ_CONF_INIT;
	char text[512];

	snprintf(text, sizeof(text), "qemu:%s,slot=2,ram=%s", l.r.qtest, l.r.ram);
	CHECK_OK(plx_port_open(l.ctx, text, &l.a.port));
	po.room = s.room;
	CHECK_OK(plx_mbuf_pool_create(l.ctx, &po, &l.a.pool));
	pc.n_txq = 0;
	CHECK_OK(plx_port_configure(l.a.port, &pc));
	rc.pool = l.a.pool;
	CHECK_OK(plx_rxq_setup(l.a.port, 0, &rc, NULL));
	CHECK_EQ(plx_port_start(l.a.port), -EINVAL);
	CHECK_HAS(plx_errmsg(), "1518");
	lab_stop(&l);
}

/* ---- what is not well-formed ---- */

TEST(e1000, frames_shorter_than_sixty_are_padded)
{
	struct lab l;
	uint8_t f[64] = {0};

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &usual);
	for (size_t len = 14; len < 60; len++) {
		const struct plx_mac to = end_mac(&l.b), from = end_mac(&l.a);
		struct plx_mbuf *m;

		frame_make(f, len, &to, &from, 3);
		m = packet(&l.a, f, len, 2048);
		send_all(&l.a, &m, 1);
		CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
		CHECK_EQ(m->pkt_len, 60);
		CHECK_EQ(memcmp(plx_mbuf_data(m), f, len), 0);
		plx_mbuf_free(m);
	}
	lab_stop(&l);
}

TEST(e1000, packets_that_cannot_be_sent_are_taken_and_counted)
{
	const struct setup s = {.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG};
	struct lab l;
	uint8_t f[2000];
	struct plx_mbuf *pkts[8];
	struct plx_port_stats st;
	struct plx_mac to, from;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &s);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	frame_make(f, sizeof(f), &to, &from, 9);
	pkts[0] = packet(&l.a, f, 13, 2048);   /* no Ethernet header */
	pkts[1] = packet(&l.a, f, 1519, 2048); /* longer than the MTU allows */
	pkts[2] = packet(&l.a, f, 100, 2048);
	pkts[3] = packet(&l.a, f, 400, 9);  /* 45 segments */
	pkts[4] = plx_mbuf_alloc(l.a.pool); /* nothing at all */
	pkts[5] = packet(&l.a, f, 200, 100);
	pkts[5]->nsegs++;
	pkts[5]->next->next = plx_mbuf_alloc(l.a.pool); /* an empty segment, which does no harm */
	pkts[6] = packet(&l.a, f, 300, 2048);
	pkts[6]->flags |= PLX_TX_TSO; /* not there */
	pkts[7] = packet(&l.a, f, 300, 2048);
	send_all(&l.a, pkts, 8);
	CHECK_EQ(receive(&l.b, pkts, 3, 2000), 3);
	check_packet(pkts[0], f, 100);
	check_packet(pkts[1], f, 200);
	check_packet(pkts[2], f, 300);
	plx_tx_reclaim(l.a.tx);
	CHECK_OK(plx_port_stats(l.a.port, &st));
	CHECK_EQ(st.tx_packets, 8);
	CHECK_EQ(st.tx_errors, 5);
	CHECK_EQ(st.tx_done, 8);
	CHECK_OK(plx_port_stop(l.a.port));
	CHECK_OK(plx_port_stop(l.b.port));
	end_check_empty(&l.a);
	end_check_empty(&l.b);
	lab_stop(&l);
}

/* Mbufs that others hold, of another pool, or cloned: freed as they must be. */
TEST(e1000, packets_that_are_not_plain_return_to_their_pools)
{
	struct lab l;
	uint8_t f[300];
	struct plx_mbuf *pkts[64], *held[64];
	struct plx_mac to, from;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &usual);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	frame_make(f, sizeof(f), &to, &from, 9);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 64; i++) {
			pkts[i] = packet(i % 5 == 0 ? &l.b : &l.a, f, sizeof(f), 2048);
			held[i] = NULL;
			if (i % 3 == 0) {
				plx_mbuf_hold(pkts[i]);
				held[i] = pkts[i];
			} else if (i % 7 == 0) {
				held[i] = pkts[i];
				pkts[i] = plx_mbuf_clone(held[i], l.a.pool);
				CHECK(pkts[i] != NULL);
			}
		}
		send_all(&l.a, pkts, 64);
		CHECK_EQ(receive(&l.b, pkts, 64, 2000), 64);
		for (unsigned i = 0; i < 64; i++) {
			check_packet(pkts[i], f, sizeof(f));
			plx_mbuf_free(held[i]);
		}
	}
	CHECK_OK(plx_port_stop(l.a.port));
	CHECK_OK(plx_port_stop(l.b.port));
	end_check_empty(&l.a);
	end_check_empty(&l.b);
	lab_stop(&l);
}

/* The pool runs dry: packets are dropped and counted, the ring keeps its buffers, then all is well. */
TEST(e1000, an_empty_pool_drops_and_recovers)
{
	const struct setup s = {.n_desc = 64, .n_tx_desc = 64, .n_mbufs = 200};
	struct lab l;
	static struct plx_mbuf *pkts[400], *got[400];
	uint8_t f[60];
	uint16_t n = 0;
	struct plx_port_stats st;
	struct plx_mac to, from;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.a, "slot=2", &usual);
	end_start(&l, &l.b, "slot=3", &s);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	frame_make(f, sizeof(f), &to, &from, 5);
	for (unsigned round = 0; round < 16; round++) {
		for (unsigned i = 0; i < 25; i++)
			pkts[i] = packet(&l.a, f, sizeof(f), 2048);
		send_all(&l.a, pkts, 25);
		n = (uint16_t)(n + receive(&l.b, got + n, 25, 20));
	}
	/* on a busy machine the last of them are under way still */
	for (unsigned more = 0; more < 100; more++) {
		CHECK_OK(plx_port_stats(l.b.port, &st));
		if (st.rx_packets + st.rx_nombuf >= 400)
			break;
		n = (uint16_t)(n + receive(&l.b, got + n, 25, 20));
	}
	CHECK(n > 64 && n <= 200 - 63);
	CHECK_EQ(st.rx_packets, n);
	CHECK_EQ(st.rx_packets + st.rx_nombuf, 400);
	plx_mbuf_free_bulk(got, n);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&l.b.pool->mp));
	for (unsigned i = 0; i < 25; i++)
		pkts[i] = packet(&l.a, f, sizeof(f), 2048);
	send_all(&l.a, pkts, 25);
	CHECK_EQ(receive(&l.b, got, 25, 2000), 25);
	for (unsigned i = 0; i < 25; i++)
		check_packet(got[i], f, sizeof(f));
	CHECK_OK(plx_port_stop(l.b.port));
	end_check_empty(&l.b);
	lab_stop(&l);
}

/* Fewer mbufs than descriptors: what there is, is used, and the ring fills up when there are more. */
TEST(e1000, a_pool_smaller_than_the_ring)
{
	const struct setup s = {.n_desc = 256, .n_tx_desc = 32, .n_mbufs = 40};
	struct lab l;
	struct plx_mbuf *pkts[64];
	uint8_t f[60];
	struct plx_mac to, from;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.a, "slot=2", &usual);
	end_start(&l, &l.b, "slot=3", &s);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	frame_make(f, sizeof(f), &to, &from, 5);
	for (unsigned round = 0; round < 100; round++) {
		uint16_t got;

		for (unsigned i = 0; i < 10; i++)
			pkts[i] = packet(&l.a, f, sizeof(f), 2048);
		send_all(&l.a, pkts, 10);
		got = receive(&l.b, pkts, 10, 5);
		for (unsigned i = 0; i < got; i++)
			check_packet(pkts[i], f, sizeof(f));
		plx_mempool_cache_flush(plx_mempool_thread_cache(&l.b.pool->mp));
	}
	CHECK_OK(plx_port_stop(l.b.port));
	end_check_empty(&l.b);
	lab_stop(&l);
}

/* ---- stop, reset, link, removal ---- */

TEST(e1000, stop_start_and_reset_keep_the_port)
{
	struct lab l;
	uint32_t seed = 100;
	struct plx_mac mac = {{0x02, 0, 0, 0, 0, 0x77}};

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &usual);
	CHECK_OK(plx_port_set_mac(l.b.port, &mac));
	for (unsigned i = 0; i < 6; i++) {
		uint8_t f[60];
		struct plx_mac to = end_mac(&l.b), from = end_mac(&l.a);
		struct plx_mbuf *pkts[20];

		CHECK_EQ(memcmp(to.b, mac.b, 6), 0);
		frame_make(f, sizeof(f), &to, &from, seed++);
		for (unsigned k = 0; k < 20; k++)
			pkts[k] = packet(&l.a, f, sizeof(f), 2048);
		send_all(&l.a, pkts, 20);
		CHECK_EQ(receive(&l.b, pkts, 7, 2000), 7);
		for (unsigned k = 0; k < 7; k++)
			check_packet(pkts[k], f, sizeof(f));
		/* with packets in the ring */
		if (i % 2 == 0) {
			CHECK_OK(plx_port_reset(l.b.port));
			CHECK_OK(plx_port_reset(l.a.port));
		} else {
			CHECK_OK(plx_port_stop(l.b.port));
			CHECK_OK(plx_port_stop(l.a.port));
			end_check_empty(&l.a);
			end_check_empty(&l.b);
			CHECK_EQ(plx_rx_burst(l.b.rx, pkts, 20), 0);
			CHECK_OK(plx_port_start(l.b.port));
			CHECK_OK(plx_port_start(l.a.port));
		}
		CHECK_OK(plx_port_link_wait(l.a.port, 3000 * MS));
		CHECK_OK(plx_port_link_wait(l.b.port, 3000 * MS));
	}
	lab_stop(&l);
}

/* A thread that sends from a and receives on b, until told to end. */
struct poller {
	struct lab *l;
	uint8_t frame[60];
	uint64_t sent, got;
	bool end;
};

static void *poll_ports(void *arg)
{
	struct poller *p = arg;
	struct plx_mbuf *pkts[8];

	while (!__atomic_load_n(&p->end, __ATOMIC_ACQUIRE)) {
		uint16_t n = 0, k;

		while (n < 8 && (pkts[n] = plx_mbuf_alloc(p->l->a.pool)) != NULL) {
			memcpy(plx_mbuf_append(pkts[n], 60), p->frame, 60);
			n++;
		}
		k = plx_tx_burst(p->l->a.tx, pkts, n);
		p->sent += k;
		plx_mbuf_free_bulk(pkts + k, (unsigned)(n - k));
		k = plx_rx_burst(p->l->b.rx, pkts, 8);
		p->got += k;
		plx_mbuf_free_bulk(pkts, k);
		plx_tx_reclaim(p->l->a.tx);
	}
	return NULL;
}

TEST(e1000, stop_and_reset_under_a_polling_thread)
{
	struct lab l;
	static struct poller p;
	struct plx_mac to, from;
	struct plx_port_stats st;
	pthread_t thread;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &usual);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	p = (struct poller){.l = &l};
	frame_make(p.frame, sizeof(p.frame), &to, &from, 3);
	CHECK_EQ(pthread_create(&thread, NULL, poll_ports, &p), 0);
	for (unsigned i = 0; i < unit_rounds(12); i++) {
		struct end *e = i & 1 ? &l.a : &l.b;
		const struct timespec nap = {0, 20000000};

		nanosleep(&nap, NULL);
		plx_ctx_poll(l.ctx);
		CHECK_OK(plx_port_set_promisc(e->port, i & 2));
		if (i % 3 == 0) {
			CHECK_OK(plx_port_reset(e->port));
		} else {
			CHECK_OK(plx_port_stop(e->port));
			CHECK_OK(plx_port_start(e->port));
		}
		CHECK_OK(plx_port_link_wait(e->port, 3000 * MS));
	}
	__atomic_store_n(&p.end, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	CHECK_OK(plx_port_stop(l.a.port));
	CHECK_OK(plx_port_stop(l.b.port));
	CHECK_OK(plx_port_stats(l.a.port, &st));
	CHECK_EQ(st.tx_packets, p.sent);
	CHECK_EQ(st.tx_done, p.sent);
	CHECK_OK(plx_port_stats(l.b.port, &st));
	CHECK_EQ(st.rx_packets, p.got);
	CHECK(p.got > 0);
	end_check_empty(&l.a);
	end_check_empty(&l.b);
	lab_stop(&l);
}

TEST(e1000, no_link_takes_nothing)
{
	struct lab l;
	uint8_t f[60];
	struct plx_mac to, from;
	struct plx_mbuf *m;
	struct plx_link link;
	struct plx_port_stats st;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &usual);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	frame_make(f, sizeof(f), &to, &from, 5);
	CHECK_OK(qemu_run_link(&l.r, "da", false));
	CHECK_OK(plx_port_link(l.a.port, true, &link));
	CHECK(!link.up);
	m = packet(&l.a, f, sizeof(f), 2048);
	CHECK_EQ(plx_tx_burst(l.a.tx, &m, 1), 0);
	CHECK_OK(plx_port_stats(l.a.port, &st));
	CHECK_EQ(st.tx_nolink, 1);
	CHECK_OK(qemu_run_link(&l.r, "da", true));
	CHECK_OK(plx_port_link_wait(l.a.port, 3000 * MS));
	send_all(&l.a, &m, 1);
	CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
	check_packet(m, f, sizeof(f));
	lab_stop(&l);
}

TEST(e1000, a_device_that_is_pulled_out_is_gone)
{
	struct lab l;
	struct plx_mbuf *pkts[8];
	uint8_t f[60] = {0};

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.c, "port=0x1c,slot=0", &usual);
	for (unsigned i = 0; i < 8; i++)
		pkts[i] = packet(&l.c, f, sizeof(f), 2048);
	send_all(&l.c, pkts, 8);
	CHECK_OK(qemu_run_pull(&l.r));
	for (unsigned i = 0; i < 500 && plx_rxq_state(l.c.rx, NULL) != PLX_QUEUE_GONE; i++) {
		const struct timespec nap = {0, 2000000};

		plx_ctx_poll(l.ctx);
		nanosleep(&nap, NULL);
	}
	CHECK_EQ(plx_rxq_state(l.c.rx, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_txq_state(l.c.tx, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_rx_burst(l.c.rx, pkts, 8), 0);
	CHECK_EQ(plx_port_reset(l.c.port), -ENODEV);
	CHECK_OK(plx_port_stop(l.c.port));
	end_check_empty(&l.c);
	lab_stop(&l);
}

/* Opened and closed again and again, also while it runs. */
TEST(e1000, opens_a_hundred_times)
{
	struct lab l;

	NEEDS_QEMU();
	lab_start(&l);
	for (unsigned i = 0; i < unit_rounds(20); i++) {
		end_start(&l, &l.a, "slot=2", &usual);
		CHECK_OK(plx_port_close(l.a.port));
		l.a.port = NULL;
		end_check_empty(&l.a);
		plx_mbuf_pool_destroy(l.a.pool);
		l.a.pool = NULL;
	}
	lab_stop(&l);
}
