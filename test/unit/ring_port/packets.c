/* SPDX-License-Identifier: BSD-3-Clause */
/* What a receiver gets of packets of every kind. */
#include "ends.h"

/* Sends one and returns what came out, NULL: nothing. */
static struct plx_mbuf *pass(struct ends_end *a, struct ends_end *b, struct plx_mbuf *m)
{
	CHECK_EQ(plx_tx_burst(a->txq, &m, 1), 1);
	if (plx_rx_burst(b->rxq, &m, 1) == 0)
		return NULL;
	CHECK_EQ(plx_mbuf_check(m), 0);
	CHECK_EQ(m->refcnt, 1);
	CHECK_EQ(m->kind, PLX_MBUF_OWN);
	CHECK_EQ(m->flags, 0);
	CHECK_EQ(m->ptype, 0);
	CHECK_EQ(m->vlan, 0);
	CHECK_EQ(m->hash_mark, 0);
	return m;
}

static void open_both(
	struct ends *e, struct ends_end *a, struct ends_end *b, uint32_t mtu, bool scatter)
{
	struct ends_opts o = ENDS_OPTS_INIT;

	ends_ctx(e);
	o.mtu = mtu;
	o.scatter = scatter;
	ends_open(e, a, "ring:a", &o);
	ends_open(e, b, "ring:a", &o);
	CHECK_EQ(plx_port_start(a->port), 0);
	CHECK_EQ(plx_port_start(b->port), 0);
	CHECK(ends_up(a) && ends_up(b));
}

TEST(ring_port, a_plain_packet_passes_as_it_is)
{
	struct ends_end a, b;
	struct plx_mbuf *m, *got;
	struct ends e;

	open_both(&e, &a, &b, 1500, false);
	for (unsigned i = 0; i < 5; i++) {
		m = ends_packet(&e, 100, 7);
		/* each alone must be found */
		m->flags = i == 0 ? (uint32_t)(PLX_TX_VLAN | PLX_RX_RSS_HASH) : 0;
		m->ptype = i == 1;
		m->vlan = i == 2;
		m->rss_hash = i == 3;
		m->mark = i == 4;
		CHECK(plx_mbuf_prepend(m, 4) != NULL);
		got = pass(&a, &b, m);
		CHECK(got == m);
		CHECK_EQ(got->pkt_len, 104);
		CHECK_EQ(got->data_off, PLX_MBUF_HEADROOM - 4);
		plx_mbuf_free(got);
	}
	CHECK_EQ(ends_xstat(&b, "rx_copied"), 0);
	ends_close(&e);
}

/* Those that stay with the caller keep what it wrote. */
TEST(ring_port, packets_that_are_not_taken_are_not_touched)
{
	struct ends_opts o = ENDS_OPTS_INIT;
	struct plx_mbuf *pkts[12];
	struct ends_end a, b;
	struct ends e;

	ends_ctx(&e);
	o.n_desc = 8;
	ends_open(&e, &a, "ring:a", &o);
	ends_open(&e, &b, "ring:a", &o);
	CHECK_EQ(plx_port_start(a.port), 0);
	CHECK_EQ(plx_port_start(b.port), 0);
	CHECK(ends_up(&a));
	for (unsigned i = 0; i < 12; i++) {
		pkts[i] = ends_packet(&e, 60, 1);
		pkts[i]->flags = PLX_RX_MARK;
		pkts[i]->mark = i;
	}
	CHECK_EQ(plx_tx_burst(a.txq, pkts, 12), 8);
	for (unsigned i = 8; i < 12; i++) {
		CHECK_EQ(pkts[i]->flags, PLX_RX_MARK);
		CHECK_EQ(pkts[i]->mark, i);
	}
	plx_mbuf_free_bulk(&pkts[8], 4);
	ends_close(&e);
}

/* A receiver writes to what it gets: what has another owner is copied. */
TEST(ring_port, a_shared_packet_is_copied)
{
	struct ends_end a, b;
	struct plx_mbuf *m, *got;
	struct ends e;

	open_both(&e, &a, &b, 1500, false);
	m = ends_packet(&e, 100, 7);
	m->flags = PLX_RX_MARK;
	m->mark = 5;
	plx_mbuf_hold(m);
	got = pass(&a, &b, m);
	CHECK(got != NULL && got != m);
	CHECK_EQ(got->pkt_len, 100);
	memset(plx_mbuf_data(got), 0, 100);
	CHECK_EQ(*plx_mbuf_data(m), 7);
	CHECK_EQ(m->refcnt, 1);
	CHECK_EQ(m->mark, 5);
	plx_mbuf_free(got);
	/* a clone of it as well */
	got = pass(&a, &b, plx_mbuf_clone(m, e.pool));
	CHECK(got != NULL);
	CHECK_EQ(plx_mbuf_data(got)[99], 7);
	plx_mbuf_free(got);
	plx_mbuf_free(m);
	CHECK_EQ(ends_xstat(&b, "rx_copied"), 2);
	CHECK_EQ(plx_port_stop(b.port), 0);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}

static void ext_free(struct plx_mbuf_ext *ext)
{
	*(bool *)ext->arg = true;
}

TEST(ring_port, memory_of_the_program_is_copied)
{
	static uint8_t memory[64];
	bool freed = false;
	struct plx_mbuf_ext ext = {.free_fn = ext_free, .arg = &freed, .refcnt = 1};
	struct ends_end a, b;
	struct plx_mbuf *m, *got;
	struct ends e;

	open_both(&e, &a, &b, 1500, false);
	memset(memory, 9, sizeof(memory));
	m = plx_mbuf_alloc(e.pool);
	CHECK(m != NULL);
	plx_mbuf_attach_ext(m, memory, 0, sizeof(memory), &ext);
	m->data_len = 64;
	m->pkt_len = 64;
	got = pass(&a, &b, m);
	CHECK(got != NULL);
	CHECK(freed);
	CHECK_EQ(plx_mbuf_data(got)[63], 9);
	plx_mbuf_free(got);
	ends_close(&e);
}

TEST(ring_port, chains_come_as_the_receiver_may_have_them)
{
	struct ends_end a, b;
	struct plx_mbuf *m, *got;
	struct ends e;

	/* with scatter as they are */
	open_both(&e, &a, &b, 9000, true);
	m = ends_packet(&e, 5000, 3);
	m->flags = PLX_TX_TCP_CKSUM;
	got = pass(&a, &b, m);
	CHECK(got == m);
	CHECK_EQ(got->nsegs, 3);
	/* with a segment that is somebody else's, as a copy */
	plx_mbuf_hold(got);
	m = pass(&a, &b, got);
	CHECK(m != NULL && m != got);
	CHECK_EQ(m->nsegs, 3);
	CHECK_EQ(m->pkt_len, 5000);
	CHECK_EQ(plx_mbuf_last(m)->data_len, 904);
	CHECK_EQ(*plx_mbuf_data(plx_mbuf_last(m)), 3);
	plx_mbuf_free(got);
	plx_mbuf_free(m);
	ends_close(&e);
	/* without, in one piece */
	open_both(&e, &a, &b, 1500, false);
	m = ends_packet(&e, 700, 1);
	CHECK_EQ(plx_mbuf_chain(m, ends_packet(&e, 600, 2)), 0);
	got = pass(&a, &b, m);
	CHECK(got != NULL);
	CHECK_EQ(got->nsegs, 1);
	CHECK_EQ(got->pkt_len, 1300);
	CHECK_EQ(plx_mbuf_data(got)[699], 1);
	CHECK_EQ(plx_mbuf_data(got)[700], 2);
	plx_mbuf_free(got);
	ends_close(&e);
}

/* One that is too long for the sender is the sender's error, one for the receiver the receiver's. */
TEST(ring_port, the_mtu_limits_both_ends)
{
	struct ends_end a, b;
	struct plx_mbuf *pkts[3];
	struct ends e;

	open_both(&e, &a, &b, 1500, false);
	CHECK(pass(&a, &b, ends_packet(&e, 1519, 0)) == NULL);
	CHECK_EQ(ends_stats(&a).tx_errors, 1);
	CHECK_EQ(ends_stats(&a).tx_done, 1);
	CHECK_EQ(plx_port_set_mtu(b.port, 1000), 0);
	for (unsigned i = 0; i < 3; i++)
		pkts[i] = ends_packet(&e, i == 1 ? 1500 : 1000, (uint8_t)i);
	CHECK_EQ(plx_tx_burst(a.txq, pkts, 3), 3);
	CHECK_EQ(plx_rx_burst(b.rxq, pkts, 3), 2);
	CHECK_EQ(*plx_mbuf_data(pkts[0]), 0);
	CHECK_EQ(*plx_mbuf_data(pkts[1]), 2);
	plx_mbuf_free_bulk(pkts, 2);
	CHECK_EQ(ends_stats(&b).rx_errors, 1);
	CHECK_EQ(ends_stats(&b).rx_bytes, 2000);
	CHECK_EQ(plx_port_set_mtu(a.port, 900), 0);
	CHECK(pass(&a, &b, ends_packet(&e, 1000, 0)) == NULL);
	CHECK_EQ(ends_stats(&a).tx_errors, 2);
	CHECK_EQ(plx_port_set_mtu(a.port, 5000), -EINVAL);
	CHECK_HAS(plx_errmsg(), "a data room of RX queue 0 holds 2048");
	CHECK_EQ(plx_port_set_mtu(a.port, 1500), 0);
	CHECK_EQ(plx_port_set_mtu(b.port, 1500), 0);
	pkts[0] = pass(&a, &b, ends_packet(&e, 1518, 4));
	CHECK(pkts[0] != NULL);
	plx_mbuf_free(pkts[0]);
	CHECK_EQ(plx_port_stop(b.port), 0);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}

/* A copy needs an mbuf: without one the packet is dropped and counted, and goes home. */
TEST(ring_port, a_copy_without_mbufs_is_counted)
{
	struct plx_mbuf *held[MBUFS], *m;
	struct ends_end a, b;
	unsigned n = 0;
	struct ends e;

	open_both(&e, &a, &b, 1500, false);
	m = ends_packet(&e, 100, 7);
	plx_mbuf_hold(m);
	while ((held[n] = plx_mbuf_alloc(e.pool)) != NULL)
		n++;
	CHECK(pass(&a, &b, m) == NULL);
	CHECK_EQ(ends_stats(&b).rx_nombuf, 1);
	CHECK_EQ(m->refcnt, 1);
	plx_mbuf_free(m);
	plx_mbuf_free_bulk(held, n);
	CHECK_EQ(plx_port_stop(b.port), 0);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}

/* More odd packets in a burst than are handled at a time, plain ones between them. */
TEST(ring_port, bursts_of_odd_packets_keep_their_order)
{
	struct plx_mbuf *out[200], *in[200];
	struct ends_end a, b;
	struct ends e;

	open_both(&e, &a, &b, 1500, false);
	for (unsigned i = 0; i < 200; i++) {
		out[i] = ends_packet(&e, 60 + i, (uint8_t)i);
		if (i % 3 == 0)
			plx_mbuf_hold(out[i]);
	}
	memcpy(in, out, sizeof(in));
	CHECK_EQ(plx_tx_burst(a.txq, in, 200), 200);
	CHECK_EQ(plx_rx_burst(b.rxq, in, 200), 200);
	for (unsigned i = 0; i < 200; i++) {
		CHECK_EQ(in[i]->pkt_len, 60 + i);
		CHECK_EQ(*plx_mbuf_data(in[i]), i);
		CHECK_EQ(in[i] == out[i], i % 3 != 0);
		if (i % 3 == 0)
			plx_mbuf_free(out[i]);
	}
	plx_mbuf_free_bulk(in, 200);
	CHECK_EQ(ends_xstat(&b, "rx_copied"), 67);
	CHECK_EQ(plx_port_stop(b.port), 0);
	CHECK_EQ(ends_avail(&e), MBUFS);
	ends_close(&e);
}
