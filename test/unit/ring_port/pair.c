/* SPDX-License-Identifier: BSD-3-Clause */
/* What passes between two ends, and what happens when one of them is not there. */
#include "ends.h"

static void count_links(void *arg, struct plx_port *port, enum plx_port_event event)
{
	unsigned *n = arg;

	*n += event == PLX_PORT_LINK;
}

static void offer(const struct ends *e, const struct ends_end *end, unsigned n, unsigned taken)
{
	for (unsigned i = 0; i < n; i++) {
		struct plx_mbuf *m = ends_packet(e, 60, (uint8_t)i);

		if (i < taken) {
			CHECK_EQ(plx_tx_burst(end->txq, &m, 1), 1);
		} else {
			CHECK_EQ(plx_tx_burst(end->txq, &m, 1), 0);
			plx_mbuf_free(m);
		}
	}
}

static void expect(const struct ends_end *end, unsigned n)
{
	struct plx_mbuf *pkts[64];
	uint16_t got = plx_rx_burst(end->rxq, pkts, 64);

	CHECK_EQ(got, n);
	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(plx_mbuf_check(pkts[i]), 0);
		CHECK_EQ(*plx_mbuf_data(pkts[i]), i);
	}
	plx_mbuf_free_bulk(pkts, n);
}

TEST(ring_port, the_link_is_up_while_both_ends_are_started)
{
	const struct ends_opts o = ENDS_OPTS_INIT;
	unsigned links = 0;
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	ends_start(&e, &a, "ring:a");
	plx_port_on_event(a.port, count_links, &links);
	offer(&e, &a, 5, 0);
	CHECK_EQ(ends_stats(&a).tx_nolink, 5);
	ends_open(&e, &b, "ring:a", &o);
	CHECK(!ends_up(&a));
	CHECK_EQ(plx_port_start(b.port), 0);
	/* the start has kicked a's control work, which is due at once */
	CHECK(plx_ctx_poll(e.ctx) >= 0);
	CHECK_EQ(links, 1);
	offer(&e, &a, 5, 5);
	expect(&b, 5);
	CHECK_EQ(plx_port_stop(b.port), 0);
	/* before control work knows */
	offer(&e, &a, 3, 0);
	CHECK_EQ(ends_stats(&a).tx_nolink, 8);
	CHECK(plx_ctx_poll(e.ctx) >= 0);
	CHECK_EQ(links, 2);
	offer(&e, &a, 3, 0);
	CHECK_EQ(ends_stats(&a).tx_nolink, 11);
	CHECK_EQ(plx_port_start(b.port), 0);
	CHECK(ends_up(&a));
	offer(&e, &a, 4, 4);
	expect(&b, 4);
	ends_close(&e);
}

/* TX queues send to the RX queue of their number; where there is none, nothing goes. */
TEST(ring_port, numbers_of_queues_may_differ)
{
	struct ends_opts o = ENDS_OPTS_INIT;
	struct plx_mbuf *m;
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	o.n_txq = 3;
	o.n_rxq = 2;
	ends_open(&e, &a, "ring:a", &o);
	o.n_txq = 1;
	ends_open(&e, &b, "ring:a", &o);
	CHECK_EQ(plx_port_start(a.port), 0);
	CHECK_EQ(plx_port_start(b.port), 0);
	CHECK(ends_up(&a) && ends_up(&b));
	for (uint16_t i = 0; i < 3; i++) {
		m = ends_packet(&e, 60, (uint8_t)i);
		CHECK_EQ(plx_tx_burst(plx_port_txq(a.port, i), &m, 1), i < 2);
		if (i == 2)
			plx_mbuf_free(m);
	}
	CHECK_EQ(ends_stats(&a).tx_nolink, 1);
	for (uint16_t i = 0; i < 2; i++) {
		CHECK_EQ(plx_rx_burst(plx_port_rxq(b.port, i), &m, 1), 1);
		CHECK_EQ(*plx_mbuf_data(m), i);
		plx_mbuf_free(m);
	}
	CHECK_EQ(plx_rx_burst(plx_port_rxq(a.port, 1), &m, 1), 0);
	ends_close(&e);
}

TEST(ring_port, descriptors_of_the_rx_queue_are_what_fits)
{
	struct ends_opts o = ENDS_OPTS_INIT;
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	o.n_desc = 7;
	ends_open(&e, &b, "ring:a", &o);
	o.n_desc = 64;
	ends_open(&e, &a, "ring:a", &o);
	CHECK_EQ(plx_port_start(a.port), 0);
	CHECK_EQ(plx_port_start(b.port), 0);
	CHECK(ends_up(&a));
	offer(&e, &a, 10, 7);
	CHECK_EQ(ends_stats(&a).tx_nolink, 0);
	CHECK_EQ(ends_xstat(&b, "rx_waiting"), 7);
	expect(&b, 7);
	ends_close(&e);
}

/* What an end holds when it stops is freed and counted; nobody else is disturbed. */
TEST(ring_port, a_stop_frees_and_counts_what_waits)
{
	struct plx_port_stats s;
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	ends_pair(&e, &a, &b, "ring:a");
	offer(&e, &a, 40, 40);
	offer(&e, &b, 9, 9);
	CHECK_EQ(plx_port_stop(b.port), 0);
	CHECK_EQ(ends_avail(&e), MBUFS - 9);
	s = ends_stats(&b);
	CHECK_EQ(s.rx_missed, 40);
	CHECK_EQ(s.rx_packets, 0);
	CHECK_EQ(s.tx_done, 9);
	CHECK_EQ(ends_xstat(&b, "rx_freed_by_stop"), 40);
	expect(&a, 9);
	CHECK_EQ(plx_port_stats_reset(b.port), 0);
	CHECK_EQ(ends_stats(&b).rx_missed, 0);
	CHECK_EQ(plx_port_start(b.port), 0);
	expect(&b, 0);
	CHECK_EQ(plx_port_reset(a.port), 0);
	CHECK(ends_up(&a));
	offer(&e, &a, 2, 2);
	expect(&b, 2);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}

/* What was taken is the receiver's: also from a sender that is no more, and in order. */
TEST(ring_port, what_was_sent_outlives_the_sender)
{
	struct plx_mbuf *pkts[8];
	struct ends_end a, b, c;
	struct ends e;

	ends_ctx(&e);
	ends_pair(&e, &a, &b, "ring:a");
	offer(&e, &a, 3, 3);
	CHECK_EQ(plx_port_close(a.port), 0);
	CHECK(!ends_up(&b));
	ends_start(&e, &c, "ring:a");
	CHECK(ends_up(&c));
	offer(&e, &c, 2, 2);
	CHECK_EQ(plx_rx_burst(b.rxq, pkts, 8), 5);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(*plx_mbuf_data(pkts[i]), i % 3);
	plx_mbuf_free_bulk(pkts, 5);
	ends_close(&e);
}

TEST(ring_port, a_loop_receives_what_it_sends)
{
	struct ends_end a;
	struct ends e;

	ends_ctx(&e);
	ends_start(&e, &a, "ring:a,loop=1");
	CHECK(ends_up(&a));
	offer(&e, &a, 20, 20);
	expect(&a, 20);
	offer(&e, &a, 20, 20);
	CHECK_EQ(plx_port_stop(a.port), 0);
	CHECK_EQ(ends_stats(&a).rx_missed, 20);
	CHECK_EQ(ends_avail(&e), MBUFS);
	CHECK_EQ(plx_port_start(a.port), 0);
	CHECK(ends_up(&a));
	offer(&e, &a, 20, 20);
	expect(&a, 20);
	ends_close(&e);
}

TEST(ring_port, one_queue_starts_and_stops)
{
	struct ends_opts o = ENDS_OPTS_INIT;
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	ends_open(&e, &a, "ring:a", &o);
	o.deferred = true;
	ends_open(&e, &b, "ring:a", &o);
	CHECK_EQ(plx_port_start(a.port), 0);
	CHECK_EQ(plx_port_start(b.port), 0);
	CHECK(ends_up(&a));
	offer(&e, &a, 3, 0);
	CHECK_EQ(plx_rxq_start(b.rxq), 0);
	offer(&e, &a, 3, 3);
	expect(&b, 3);
	offer(&e, &a, 3, 3);
	CHECK_EQ(plx_rxq_stop(b.rxq), 0);
	CHECK_EQ(ends_stats(&b).rx_missed, 3);
	offer(&e, &a, 3, 0);
	CHECK_EQ(plx_txq_stop(a.txq), 0);
	CHECK_EQ(plx_rxq_start(b.rxq), 0);
	offer(&e, &a, 3, 0);
	CHECK_EQ(plx_txq_start(a.txq), 0);
	offer(&e, &a, 3, 3);
	expect(&b, 3);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}

TEST(ring_port, modes_that_change_nothing_are_accepted)
{
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	ends_pair(&e, &a, &b, "ring:a");
	CHECK_EQ(plx_port_set_promisc(a.port, false), 0);
	CHECK_EQ(plx_port_set_allmulti(a.port, true), 0);
	CHECK_EQ(plx_tx_reclaim(a.txq), 0);
	offer(&e, &b, 1, 1);
	expect(&a, 1);
	ends_close(&e);
}
