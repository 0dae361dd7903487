/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver e1000 against QEMU's model of the 82574L: checksums, VLAN tags, filters. */
#include "e1000_lab.h"
#include "tso_ref.h"

static void poke(uint8_t *f, size_t at)
{
	f[at] ^= 0x55;
}

TEST(e1000_offload, received_checksums)
{
	const struct setup s = {.rx_offloads = PLX_RX_OFFLOAD_CKSUM};
	static const struct {
		uint8_t proto;
		bool v6;
		size_t bad; /* offset of a byte to spoil, 0: none */
		uint32_t flags;
	} cases[] = {
		{17, false, 0, PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD},
		{6, false, 0, PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD},
		{17, false, 24, PLX_RX_IP_CKSUM_BAD | PLX_RX_L4_CKSUM_GOOD},
		{6, false, 60, PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_BAD},
		{17, true, 0, PLX_RX_L4_CKSUM_GOOD},
		{6, true, 80, PLX_RX_L4_CKSUM_BAD},
	};
	struct lab l;
	struct plx_mac to, from = {{2, 0, 0, 0, 0, 1}};

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.b, "slot=3", &s);
	to = end_mac(&l.b);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(cases); i++) {
		uint8_t f[400];
		size_t len =
			(cases[i].v6 ? ipv6_frame : ipv4_frame)(f, &to, &from, cases[i].proto, 100);
		struct plx_mbuf *m;

		if (cases[i].bad != 0)
			poke(f, cases[i].bad);
		wire_send(&l, f, len);
		CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
		CHECK_EQ(m->flags, cases[i].flags);
		CHECK_EQ(m->ptype & PLX_PTYPE_L3_MASK,
			cases[i].v6 ? PLX_PTYPE_L3_IPV6_EXT : PLX_PTYPE_L3_IPV4_EXT);
		CHECK_EQ(m->ptype & PLX_PTYPE_L4_MASK,
			cases[i].proto == 6 ? PLX_PTYPE_L4_TCP : PLX_PTYPE_L4_UDP);
		check_packet(m, f, len);
	}
	lab_stop(&l);
}

TEST(e1000_offload, without_the_offload_no_flags)
{
	struct lab l;
	uint8_t f[400];
	struct plx_mac to, from = {{2, 0, 0, 0, 0, 1}};
	const struct setup s = {0};
	struct plx_mbuf *m;
	size_t len;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.b, "slot=3", &s);
	to = end_mac(&l.b);
	len = ipv4_frame(f, &to, &from, 17, 100);
	wire_send(&l, f, len);
	CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
	CHECK_EQ(m->flags, 0);
	CHECK_EQ(m->ptype, 0);
	CHECK_EQ(m->vlan, 0);
	CHECK_EQ(m->hash_mark, 0);
	check_packet(m, f, len);
	lab_stop(&l);
}

TEST(e1000_offload, sent_checksums)
{
	const struct setup s = {.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM |
					       PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_MULTI_SEG};
	struct lab l;
	struct plx_mac to, from;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &s);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	for (unsigned i = 0; i < 24; i++) {
		const bool tcp = i & 1, v6 = i & 2, chain = i & 4;
		const size_t l3 = v6 ? 40 : 20;
		uint8_t f[600], spoiled[600];
		size_t len =
			(v6 ? ipv6_frame : ipv4_frame)(f, &to, &from, tcp ? 6 : 17, 200 + i * 3);
		struct plx_mbuf *m;

		memcpy(spoiled, f, len);
		poke(spoiled, 14 + l3 + (tcp ? 16 : 6));
		if (!v6)
			poke(spoiled, 14 + 10);
		m = packet(&l.a, spoiled, len, chain ? 100 : 2048);
		m->tx.l2_len = 14;
		m->tx.l3_len = l3 & 0x1ff;
		m->flags = (v6 ? PLX_TX_IPV6 : PLX_TX_IPV4 | PLX_TX_IP_CKSUM) |
			   (tcp ? PLX_TX_TCP_CKSUM : PLX_TX_UDP_CKSUM);
		CHECK_EQ(plx_tx_prepare(l.a.tx, &m, 1), 1);
		send_all(&l.a, &m, 1);
		CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
		check_packet(m, f, len);
	}
	lab_stop(&l);
}

/* Sends a packet for a to cut, and looks at what b gets. */
static void cut(struct lab *l, const struct tso_case *c)
{
	static uint8_t p[TSO_REF_MAX];
	const struct plx_mac to = end_mac(&l->b);
	const uint32_t len = tso_ref_make(p, c, to.b);
	struct plx_mbuf *m = packet(&l->a, p, len, 2048);

	m->flags =
		PLX_TX_TSO | (c->v6 ? PLX_TX_IPV6 : PLX_TX_IPV4) | (c->vlan >= 0 ? PLX_TX_VLAN : 0);
	m->vlan = (uint16_t)PLX_MAX(c->vlan, 0);
	m->tx = (struct plx_tx_offload){.l2_len = 14,
		.l3_len = c->v6 ? 40 : 20,
		.l4_len = (20 + c->options) & 0xff,
		.tso_segsz = c->mss & 0xffff};
	if (plx_tx_prepare(l->a.tx, &m, 1) != 1)
		UNIT_FAIL(plx_errmsg());
	send_all(&l->a, &m, 1);
	for (uint32_t i = 0; i < tso_ref_segments(c); i++) {
		uint8_t f[2048];

		CHECK_EQ(receive(&l->b, &m, 1, 2000), 1);
		CHECK_EQ(plx_mbuf_read(m, 0, f, m->pkt_len), 0);
		CHECK_STR(tso_ref_check(c, i, f, m->pkt_len), "");
		plx_mbuf_free(m);
	}
	CHECK_EQ(receive(&l->b, &m, 1, 20), 0);
}

TEST(e1000_offload, sent_segments)
{
	/* no FIN and PSH: the model clears them in the last segment, too; a part does not */
	static const struct tso_case cases[] = {
		{false, 0, 5000, 1460, -1, true},
		{true, 0, 5000, 1440, -1, true},
		{false, 12, 4344, 1448, -1, true},
		{true, 12, 1, 1000, -1, true},
		{false, 12, 10000, 1000, 0x6123, true},
		{true, 40, 20000, 536, 0xfff, true},
		{false, 0, 60000, 1460, -1, true},
	};
	const struct setup s = {
		.tx_offloads = PLX_TX_OFFLOAD_TSO | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG,
		.n_desc = 512};
	const char *why;
	struct lab l;

	NEEDS_QEMU();
	why = lab_start_newer(&l); /* older ones cut TCP into IP fragments */
	if (why != NULL)
		SKIP(why);
	lab_pair(&l, &s);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(cases); i++)
		cut(&l, &cases[i]);
	lab_stop(&l);
}

/* In a burst: runs of packets that share a context, tags, and packets that want nothing. */
TEST(e1000_offload, sent_checksums_in_bursts)
{
	enum { N = 48 };
	const struct setup s = {.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM |
					       PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_VLAN,
		.n_tx_desc = 128};
	static uint8_t f[N][300];
	struct plx_mbuf *pkts[N];
	size_t len[N];
	struct lab l;
	struct plx_mac to, from;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &s);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	for (unsigned round = 0; round < 6; round++) {
		for (unsigned i = 0; i < N; i++) {
			const bool tcp = (i / 5 + round) & 1, plain = i % 11 == 3;
			struct plx_mbuf *m;

			len[i] = ipv4_frame(f[i], &to, &from, tcp ? 6 : 17, 20 + i * 3);
			m = packet(&l.a, f[i], len[i], 2048);
			pkts[i] = m;
			if (plain)
				continue;
			plx_mbuf_data(m)[14 + 10] ^= 0x55;
			plx_mbuf_data(m)[14 + 20 + (tcp ? 16 : 6)] ^= 0x55;
			m->tx.l2_len = 14;
			m->tx.l3_len = 20;
			m->flags = PLX_TX_IPV4 | PLX_TX_IP_CKSUM |
				   (tcp ? PLX_TX_TCP_CKSUM : PLX_TX_UDP_CKSUM);
			if (i % 7 == 2) {
				m->flags |= PLX_TX_VLAN;
				m->vlan = (uint16_t)i;
				memmove(f[i] + 16, f[i] + 12, len[i] - 12);
				plx_store_be16(f[i] + 12, 0x8100);
				plx_store_be16(f[i] + 14, (uint16_t)i);
				len[i] += 4;
			}
		}
		CHECK_EQ(plx_tx_prepare(l.a.tx, pkts, N), N);
		send_all(&l.a, pkts, N);
		CHECK_EQ(receive(&l.b, pkts, N, 2000), N);
		for (unsigned i = 0; i < N; i++) {
			if (len[i] < 60) /* padded */
				plx_mbuf_free(pkts[i]);
			else
				check_packet(pkts[i], f[i], len[i]);
		}
	}
	CHECK_OK(plx_port_stop(l.a.port));
	CHECK_OK(plx_port_stop(l.b.port));
	end_check_empty(&l.a);
	end_check_empty(&l.b);
	lab_stop(&l);
}

TEST(e1000_offload, metadata_that_lies_is_refused)
{
	const struct setup s = {.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM};
	struct lab l;
	uint8_t f[400];
	struct plx_mac to, from;
	struct plx_mbuf *m;
	size_t len;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.a, "slot=2", &s);
	to = end_mac(&l.a);
	from = to;
	len = ipv4_frame(f, &to, &from, 17, 100);
	m = packet(&l.a, f, len, 2048);
	m->flags = PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_UDP_CKSUM;
	m->tx.l2_len = 14;
	m->tx.l3_len = 24;
	CHECK_EQ(plx_tx_prepare(l.a.tx, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "0x45");
	m->tx.l2_len = 18;
	m->tx.l3_len = 20;
	CHECK_EQ(plx_tx_prepare(l.a.tx, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "EtherType");
	m->tx.l2_len = 14;
	m->flags = PLX_TX_IPV6 | PLX_TX_UDP_CKSUM;
	CHECK_EQ(plx_tx_prepare(l.a.tx, &m, 1), 0);
	m->flags = PLX_TX_IPV4 | PLX_TX_UDP_CKSUM;
	CHECK_EQ(plx_tx_prepare(l.a.tx, &m, 1), 1);
	plx_mbuf_free(m);
	lab_stop(&l);
}

/* A frame with a tag in its data. */
static size_t tagged(uint8_t *f, size_t len, const struct plx_mac *to, uint16_t tci)
{
	const struct plx_mac from = {{2, 0, 0, 0, 0, 1}};

	frame_make(f, len, to, &from, 77);
	memmove(f + 16, f + 12, len - 12);
	plx_store_be16(f + 12, 0x8100);
	plx_store_be16(f + 14, tci);
	return len + 4;
}

TEST(e1000_offload, vlan_tags_are_stripped)
{
	const struct setup s = {.rx_offloads = PLX_RX_OFFLOAD_VLAN_STRIP};
	struct lab l;
	uint8_t f[400], plain[400];
	struct plx_mac to;
	const struct plx_mac from = {{2, 0, 0, 0, 0, 1}};
	struct plx_mbuf *m;
	size_t len;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.b, "slot=3", &s);
	to = end_mac(&l.b);
	frame_make(plain, 100, &to, &from, 77);
	len = tagged(f, 100, &to, 0x6123);
	wire_send(&l, f, len);
	CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
	CHECK_EQ(m->flags, PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED);
	CHECK_EQ(m->vlan, 0x6123);
	check_packet(m, plain, 100);
	/* off while it runs, and on again */
	CHECK_OK(plx_port_vlan_strip(l.b.port, false));
	wire_send(&l, f, len);
	CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
	CHECK_EQ(m->flags, 0);
	check_packet(m, f, len);
	CHECK_OK(plx_port_vlan_strip(l.b.port, true));
	wire_send(&l, f, len);
	CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
	CHECK_EQ(m->vlan, 0x6123);
	plx_mbuf_free(m);
	lab_stop(&l);
}

/* The device inserts only if it strips: who did not ask for stripping does not notice. */
TEST(e1000_offload, vlan_tags_are_inserted)
{
	const struct setup s = {.tx_offloads = PLX_TX_OFFLOAD_VLAN};
	struct lab l;
	uint8_t f[400], want[400];
	struct plx_mac to, from;
	struct plx_mbuf *m;
	size_t len;

	NEEDS_QEMU();
	lab_start(&l);
	lab_pair(&l, &s);
	to = end_mac(&l.b);
	from = end_mac(&l.a);
	frame_make(f, 100, &to, &from, 77);
	memcpy(want, f, 12);
	plx_store_be16(want + 12, 0x8100);
	plx_store_be16(want + 14, 0x0abc);
	memcpy(want + 16, f + 12, 88);
	m = packet(&l.a, f, 100, 2048);
	m->flags |= PLX_TX_VLAN;
	m->vlan = 0x0abc;
	send_all(&l.a, &m, 1);
	CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
	CHECK_EQ(m->flags, 0);
	check_packet(m, want, 104);
	len = tagged(f, 100, &to, 0x6123);
	wire_send(&l, f, len);
	CHECK_EQ(receive(&l.b, &m, 1, 2000), 1);
	CHECK_EQ(m->flags, 0);
	check_packet(m, f, len);
	lab_stop(&l);
}

static bool arrives(struct lab *l, const uint8_t *f, size_t len)
{
	uint8_t mark[60];
	const struct plx_mac bcast = {{255, 255, 255, 255, 255, 255}}, from = {{2, 0, 0, 0, 0, 1}};
	struct plx_mbuf *m;
	bool it;

	/* a broadcast behind it shows that it did not come */
	frame_make(mark, sizeof(mark), &bcast, &from, 1);
	wire_send(l, f, len);
	wire_send(l, mark, sizeof(mark));
	CHECK_EQ(receive(&l->b, &m, 1, 2000), 1);
	it = m->pkt_len != sizeof(mark) || memcmp(plx_mbuf_data(m), mark, sizeof(mark)) != 0;
	plx_mbuf_free(m);
	if (it) {
		CHECK_EQ(receive(&l->b, &m, 1, 2000), 1);
		check_packet(m, mark, sizeof(mark));
	}
	return it;
}

TEST(e1000_offload, vlan_filter)
{
	const struct setup s = {0};
	struct lab l;
	uint8_t f5[200], f6[200];
	struct plx_mac to;
	size_t len;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.b, "slot=3", &s);
	to = end_mac(&l.b);
	len = tagged(f5, 100, &to, 5);
	tagged(f6, 100, &to, 0x2006);
	CHECK(arrives(&l, f5, len));
	CHECK(arrives(&l, f6, len));
	CHECK_OK(plx_port_vlan_filter(l.b.port, 5, true));
	CHECK(arrives(&l, f5, len));
	CHECK(!arrives(&l, f6, len));
	CHECK_OK(plx_port_set_promisc(l.b.port, true));
	CHECK(arrives(&l, f6, len));
	CHECK_OK(plx_port_set_promisc(l.b.port, false));
	CHECK_OK(plx_port_vlan_filter(l.b.port, 6, true));
	CHECK_OK(plx_port_vlan_filter(l.b.port, 5, false));
	CHECK(!arrives(&l, f5, len));
	CHECK_OK(plx_port_reset(l.b.port));
	CHECK_OK(plx_port_link_wait(l.b.port, 3000 * MS));
	CHECK(arrives(&l, f6, len));
	CHECK(!arrives(&l, f5, len));
	CHECK_OK(plx_port_vlan_filter(l.b.port, 6, false));
	CHECK(arrives(&l, f5, len));
	lab_stop(&l);
}

TEST(e1000_offload, address_filters)
{
	const struct setup s = {0};
	const struct plx_mac from = {{2, 0, 0, 0, 0, 1}}, other = {{2, 0, 0, 0, 0, 9}};
	const struct plx_mac group[2] = {{{1, 0, 0x5e, 1, 2, 3}}, {{0x33, 0x33, 0, 0, 0, 7}}};
	struct lab l;
	uint8_t u[60], g0[60], g1[60];

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.b, "slot=3", &s);
	frame_make(u, sizeof(u), &other, &from, 1);
	frame_make(g0, sizeof(g0), &group[0], &from, 2);
	frame_make(g1, sizeof(g1), &group[1], &from, 3);
	CHECK(!arrives(&l, u, sizeof(u)));
	CHECK(!arrives(&l, g0, sizeof(g0)));
	CHECK_OK(plx_port_set_mcast(l.b.port, group, 1));
	CHECK(arrives(&l, g0, sizeof(g0)));
	CHECK(!arrives(&l, g1, sizeof(g1)));
	CHECK_OK(plx_port_set_allmulti(l.b.port, true));
	CHECK(arrives(&l, g1, sizeof(g1)));
	CHECK(!arrives(&l, u, sizeof(u)));
	CHECK_OK(plx_port_set_allmulti(l.b.port, false));
	CHECK(!arrives(&l, g1, sizeof(g1)));
	CHECK_OK(plx_port_set_promisc(l.b.port, true));
	CHECK(arrives(&l, u, sizeof(u)));
	CHECK(arrives(&l, g1, sizeof(g1)));
	CHECK_OK(plx_port_set_promisc(l.b.port, false));
	CHECK_OK(plx_port_set_mac(l.b.port, &other));
	CHECK(arrives(&l, u, sizeof(u)));
	CHECK_OK(plx_port_set_mcast(l.b.port, NULL, 0));
	CHECK(!arrives(&l, g0, sizeof(g0)));
	lab_stop(&l);
}

TEST(e1000_offload, mtu_while_it_runs)
{
	const struct setup s = {.rx_offloads = PLX_RX_OFFLOAD_SCATTER};
	const struct plx_mac from = {{2, 0, 0, 0, 0, 1}};
	static uint8_t f[9018];
	struct lab l;
	struct plx_mac to;

	NEEDS_QEMU();
	lab_start(&l);
	end_start(&l, &l.b, "slot=3", &s);
	to = end_mac(&l.b);
	frame_make(f, sizeof(f), &to, &from, 1);
	CHECK(!arrives(&l, f, 1600));
	CHECK_OK(plx_port_set_mtu(l.b.port, 2000));
	CHECK(arrives(&l, f, 2018));
	/* the device lets it pass, the driver does not */
	CHECK(!arrives(&l, f, 2019));
	CHECK(!arrives(&l, f, 9018));
	CHECK_OK(plx_port_set_mtu(l.b.port, 9000));
	CHECK(arrives(&l, f, 9018));
	lab_stop(&l);
}
