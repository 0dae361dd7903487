/* SPDX-License-Identifier: BSD-3-Clause */
/* The parser: tunnels. */
#include "net_test.h"

#define INNER(t) PLX_PTYPE_INNER(t)

/* Parsed in one piece, and cut at every byte: all must agree. */
static struct plx_pkt_info parse(const struct frame *f)
{
	struct plx_pkt_info want, got;

	plx_pkt_parse_mem(f->b, f->len, &want);
	for (uint32_t first = 0; first <= f->len; first++) {
		struct plx_mbuf *m = packet(f->b, f->len, first, f->len, NULL);

		plx_pkt_parse(m, &got);
		CHECK(memcmp(&got, &want, sizeof(got)) == 0);
		packet_free(m);
	}
	return want;
}

/* What is in the tunnels below: IPv4 and TCP with 4 bytes of payload. */
#define INSIDE 44u

static void put_inside(struct frame *f)
{
	put_ipv4(f, PLX_IP_TCP, 0, 24);
	put_tcp(f, 0);
	put_zero(f, 4);
}

/* Checks hdr as that, with l2 bytes before it. */
static void check_inside(const struct plx_pkt_info *i, unsigned l2)
{
	CHECK_EQ(i->hdr.l2_len, l2);
	CHECK_EQ(i->hdr.l3_off, i->outer.l4_off + l2);
	CHECK_EQ(i->hdr.l3_len, 20);
	CHECK_EQ(i->hdr.l4_off, i->hdr.l3_off + 20);
	CHECK_EQ(i->hdr.l4_len, 20);
	CHECK_EQ(i->hdr.l4_bytes, 24);
	CHECK_EQ(i->hdr.proto, PLX_IP_TCP);
	CHECK_EQ(i->hdr.flags, 0);
	CHECK_EQ(i->outer.flags, 0);
}

/* Outer Ethernet, IP of that version and UDP to port, with more bytes behind UDP. */
static void put_outer(struct frame *f, int version, uint16_t port, uint32_t more)
{
	f->len = 0;
	put_eth(f, version == 4 ? PLX_ETHER_IPV4 : PLX_ETHER_IPV6);
	if (version == 4)
		put_ipv4(f, PLX_IP_UDP, 0, 8 + more);
	else
		put_ipv6(f, PLX_IP_UDP, 8 + more);
	put_udp(f, port, more);
}

TEST(tunnel, vxlan)
{
	for (int version = 4; version <= 6; version += 2) {
		struct frame f;
		struct plx_pkt_info i;
		uint8_t *vx;

		put_outer(&f, version, PLX_UDP_VXLAN, 8 + 14 + 4 + INSIDE);
		vx = put(&f, "\x08\0\0\0\0\0\x2a\0", 8);
		put_eth(&f, PLX_ETHER_VLAN);
		put_tag(&f, PLX_ETHER_IPV4);
		put_inside(&f);
		put_zero(&f, 3); /* padding of the outer frame */
		i = parse(&f);
		CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L4_UDP | PLX_PTYPE_TUNNEL_VXLAN |
					  (version == 4 ? PLX_PTYPE_L3_IPV4 : PLX_PTYPE_L3_IPV6) |
					  INNER(PLX_PTYPE_L2_ETHER_VLAN | PLX_PTYPE_L3_IPV4 |
						  PLX_PTYPE_L4_TCP));
		check_inside(&i, 8 + 8 + 14 + 4);
		CHECK_EQ(i.hdr.tags, 1);
		CHECK_EQ(i.outer.l2_len, 14);
		CHECK_EQ(i.outer.l3_len, version == 4 ? 20 : 40);
		CHECK_EQ(i.outer.l4_len, 8);
		CHECK_EQ(i.outer.version, version);
		CHECK_EQ(i.outer.proto, PLX_IP_UDP);

		struct plx_tx_offload tx;
		CHECK_EQ(plx_pkt_tx_lens(&i, &tx), 0);
		CHECK_EQ(tx.l2_len, 34);
		CHECK_EQ(tx.outer_l2_len, 14);
		CHECK_EQ(tx.outer_l3_len, i.outer.l3_len);

		/* without the tunnel it is a UDP packet */
		struct plx_pkt_hdrs outer = i.outer;
		plx_pkt_info_untunnel(&i);
		CHECK_EQ(i.ptype & ~(uint32_t)PLX_PTYPE_L3_MASK,
			PLX_PTYPE_L2_ETHER | PLX_PTYPE_L4_UDP);
		CHECK(memcmp(&i.hdr, &outer, sizeof(outer)) == 0);
		CHECK_EQ(i.outer.l2_len, 0);
		plx_pkt_info_untunnel(&i); /* once is enough */
		CHECK_EQ(i.hdr.l4_len, 8);

		vx[0] = 0; /* no VNI: not VXLAN */
		i = parse(&f);
		CHECK_EQ(i.ptype & PLX_PTYPE_TUNNEL_MASK, 0);
		CHECK_EQ(i.hdr.l4_len, 8);
	}
}

TEST(tunnel, vxlan_gpe)
{
	static const struct {
		uint8_t flags, proto;
		bool tunnel, ether;
	} rows[] = {{0x08, 0, true, true}, {0x0c, 1, true, false}, {0x0c, 3, true, true},
		{0x0c, 0, false, false}, {0x0c, 4, false, false}, {0x04, 1, false, false}};

	for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
		struct plx_vxlan_hdr vx = {.flags = rows[n].flags, .proto = rows[n].proto};
		uint32_t more = 8 + INSIDE + (rows[n].ether ? 14 : 0);
		struct frame f;
		struct plx_pkt_info i;

		put_outer(&f, 4, PLX_UDP_VXLAN_GPE, more);
		put(&f, &vx, sizeof(vx));
		if (rows[n].ether)
			put_eth(&f, PLX_ETHER_IPV4);
		put_inside(&f);
		i = parse(&f);
		CHECK_EQ(i.ptype & PLX_PTYPE_TUNNEL_MASK,
			rows[n].tunnel ? PLX_PTYPE_TUNNEL_VXLAN_GPE : 0);
		if (rows[n].tunnel)
			check_inside(&i, 8 + 8 + (rows[n].ether ? 14 : 0));
	}
}

TEST(tunnel, geneve)
{
	for (unsigned words = 0; words < 64; words += 7) {
		struct plx_geneve_hdr g = {.ver_opt_len = (uint8_t)words,
			.proto = plx_be16_make(words % 2 ? PLX_ETHER_IPV4 : PLX_ETHER_TEB)};
		unsigned l2 = words % 2 ? 0 : 14;
		struct frame f;
		struct plx_pkt_info i;
		struct plx_tx_offload tx;

		put_outer(&f, 6, PLX_UDP_GENEVE, 8 + 4 * words + l2 + INSIDE);
		put(&f, &g, sizeof(g));
		put_zero(&f, 4 * words);
		if (l2)
			put_eth(&f, PLX_ETHER_IPV4);
		put_inside(&f);
		i = parse(&f);
		CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV6 | PLX_PTYPE_L4_UDP |
					  PLX_PTYPE_TUNNEL_GENEVE |
					  INNER((l2 ? PLX_PTYPE_L2_ETHER : 0) | PLX_PTYPE_L3_IPV4 |
						  PLX_PTYPE_L4_TCP));
		check_inside(&i, 8 + 8 + 4 * words + l2);
		CHECK_EQ(plx_pkt_tx_lens(&i, &tx), 16 + 4 * words + l2 > 127 ? -EOVERFLOW : 0);
		f.b[14 + 40 + 8] |= 0x40; /* version 1 */
		CHECK_EQ(parse(&f).ptype & PLX_PTYPE_TUNNEL_MASK, 0);
		f.b[14 + 40 + 8] = 0x3f; /* options longer than the packet */
		if (words < 50)
			CHECK_EQ(parse(&f).ptype & PLX_PTYPE_TUNNEL_MASK, 0);
	}
}

TEST(tunnel, gre)
{
	static const struct {
		uint16_t flags, proto;
		uint32_t tunnel;
	} rows[] = {
		{0, PLX_ETHER_IPV4, PLX_PTYPE_TUNNEL_GRE},
		{PLX_GRE_CKSUM, PLX_ETHER_IPV4, PLX_PTYPE_TUNNEL_GRE},
		{PLX_GRE_CKSUM | PLX_GRE_KEY | PLX_GRE_SEQ, PLX_ETHER_IPV4, PLX_PTYPE_TUNNEL_GRE},
		{PLX_GRE_SEQ, PLX_ETHER_TEB, PLX_PTYPE_TUNNEL_GRE},
		{PLX_GRE_KEY, PLX_ETHER_TEB, PLX_PTYPE_TUNNEL_NVGRE},
		{PLX_GRE_KEY, PLX_ETHER_IPV4, PLX_PTYPE_TUNNEL_GRE},
		{PLX_GRE_ROUTING, PLX_ETHER_IPV4, 0}, {1, PLX_ETHER_IPV4, 0}, /* PPTP */
	};

	for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
		unsigned extra = 4 * (unsigned)__builtin_popcount(rows[n].flags & 0xb000u);
		unsigned l2 = rows[n].proto == PLX_ETHER_TEB ? 14 : 0;
		struct frame f = {.len = 0};
		struct plx_pkt_info i;

		put_eth(&f, PLX_ETHER_IPV4);
		put_ipv4(&f, PLX_IP_GRE, 0, 4 + extra + l2 + INSIDE);
		put16(&f, rows[n].flags);
		put16(&f, rows[n].proto);
		put_zero(&f, extra);
		if (l2)
			put_eth(&f, PLX_ETHER_IPV4);
		put_inside(&f);
		i = parse(&f);
		CHECK_EQ(i.ptype & PLX_PTYPE_TUNNEL_MASK, rows[n].tunnel);
		if (rows[n].tunnel == 0) {
			CHECK_EQ(i.ptype & PLX_PTYPE_L4_MASK, PLX_PTYPE_L4_NONFRAG);
			continue;
		}
		CHECK_EQ(i.ptype & PLX_PTYPE_L4_MASK, 0);
		check_inside(&i, 4 + extra + l2);
		plx_pkt_info_untunnel(&i);
		CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4 | PLX_PTYPE_L4_NONFRAG);
	}
}

/* Four ways: either version in either; and a tunnel in the tunnel is payload. */
TEST(tunnel, ip_in_ip)
{
	for (int way = 0; way < 4; way++) {
		int out = way & 1 ? 6 : 4, in = way & 2 ? 6 : 4;
		uint8_t proto = in == 4 ? PLX_IP_IPIP : PLX_IP_IPV6;
		uint32_t inside = in == 4 ? 28 : 48;
		struct frame f = {.len = 0};
		struct plx_pkt_info i;

		put_eth(&f, out == 4 ? PLX_ETHER_IPV4 : PLX_ETHER_IPV6);
		if (out == 4)
			put_ipv4(&f, proto, 0, inside);
		else
			put_ipv6(&f, proto, inside);
		if (in == 4)
			put_ipv4(&f, PLX_IP_UDP, 0, 8);
		else
			put_ipv6(&f, PLX_IP_UDP, 8);
		put_udp(&f, PLX_UDP_VXLAN, 0);
		i = parse(&f);
		CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_TUNNEL_IP |
					  (out == 4 ? PLX_PTYPE_L3_IPV4 : PLX_PTYPE_L3_IPV6) |
					  INNER((in == 4 ? PLX_PTYPE_L3_IPV4 : PLX_PTYPE_L3_IPV6) |
						  PLX_PTYPE_L4_UDP));
		CHECK_EQ(i.hdr.l2_len, 0);
		CHECK_EQ(i.hdr.version, in);
		CHECK_EQ(i.hdr.l4_len, 8);
		CHECK_EQ(i.outer.version, out);
		CHECK_EQ(i.outer.l4_len, 0);
	}
}

/* Tunnels that end where the inside should be, and fragments of tunnels. */
TEST(tunnel, cut_off)
{
	struct frame f;
	struct plx_pkt_info i;
	uint32_t whole;

	put_outer(&f, 4, PLX_UDP_VXLAN, 8 + 14 + INSIDE);
	put(&f, "\x08\0\0\0\0\0\x2a\0", 8);
	put_eth(&f, PLX_ETHER_IPV4);
	put_inside(&f);
	whole = f.len;
	for (f.len = 0; f.len < whole; f.len++) {
		i = parse(&f);
		CHECK_EQ(i.ptype & PLX_PTYPE_TUNNEL_MASK,
			f.len >= 14 + 20 + 16 ? PLX_PTYPE_TUNNEL_VXLAN : 0);
		CHECK(f.len < 34 || ((i.hdr.flags | i.outer.flags) & PLX_PKT_SHORT));
		CHECK(f.len < 50 || i.hdr.flags & (PLX_PKT_BAD | PLX_PKT_SHORT));
	}
	/* the outer header says less than the inner one: the inside is short */
	plx_store_be16(f.b + 16, (uint16_t)(whole - 14 - 2));
	plx_store_be16(f.b + 14 + 20 + 4, (uint16_t)(whole - 34 - 2));
	i = parse(&f);
	CHECK_EQ(i.outer.flags, 0);
	CHECK_EQ(i.hdr.flags, PLX_PKT_SHORT);
	CHECK_EQ(i.hdr.l4_bytes, 22);
	f.b[20] = 0x20; /* more fragments */
	i = parse(&f);
	CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4 | PLX_PTYPE_L4_FRAG);
}
