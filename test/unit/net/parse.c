/* SPDX-License-Identifier: BSD-3-Clause */
/* The parser: packets of each kind, cut at every byte, cut off at every byte, and of random bytes. */
#include "net_test.h"

#define INNER(t) PLX_PTYPE_INNER(t)
#define UDP4     (PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4 | PLX_PTYPE_L4_UDP)
#define TCP4     (PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4 | PLX_PTYPE_L4_TCP)

static bool same(const struct plx_pkt_info *a, const struct plx_pkt_info *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/*
 * Parses f as one piece of memory, as one segment, cut in two at each byte and in segments of 1 byte:
 * all must agree.
 */
static struct plx_pkt_info parse(const struct frame *f)
{
	struct plx_pkt_info want, got;

	CHECK_EQ(plx_pkt_parse_mem(f->b, f->len, &want), want.ptype);
	for (uint32_t first = 0; first <= f->len; first++) {
		struct plx_mbuf *m = packet(f->b, f->len, first, f->len, NULL);

		memset(&got, 0xa5, sizeof(got));
		CHECK_EQ(plx_pkt_parse(m, &got), want.ptype);
		CHECK(same(&got, &want));
		packet_free(m);
	}
	struct plx_mbuf *m = packet(f->b, f->len, 0, 1, NULL);

	plx_pkt_parse(m, &got);
	CHECK(same(&got, &want));
	packet_free(m);
	return want;
}

TEST(parse, tcp_over_ipv4)
{
	struct frame f = {.len = 0};
	struct plx_pkt_info i;

	put_eth(&f, PLX_ETHER_IPV4);
	put_ipv4(&f, PLX_IP_TCP, 0, 32 + 10);
	put_tcp(&f, 12);
	put_zero(&f, 10);
	i = parse(&f);
	CHECK_EQ(i.ptype, TCP4);
	CHECK_EQ(i.hdr.l2_len, 14);
	CHECK_EQ(i.hdr.l3_len, 20);
	CHECK_EQ(i.hdr.l4_len, 32);
	CHECK_EQ(i.hdr.l3_off, 14);
	CHECK_EQ(i.hdr.l4_off, 34);
	CHECK_EQ(i.hdr.l4_bytes, 42);
	CHECK_EQ(i.hdr.ether_type, PLX_ETHER_IPV4);
	CHECK_EQ(i.hdr.version, 4);
	CHECK_EQ(i.hdr.proto, PLX_IP_TCP);
	CHECK_EQ(i.hdr.flags, 0);
	CHECK_EQ(i.hdr.tags, 0);
	CHECK_EQ(i.hdr.routing, 0);
	CHECK_EQ(i.outer.l2_len, 0);
}

TEST(parse, padding_is_no_payload)
{
	struct frame f = {.len = 0};
	struct plx_pkt_info i;

	put_eth(&f, PLX_ETHER_IPV4);
	put_ipv4(&f, PLX_IP_TCP, 0, 20);
	put_tcp(&f, 0);
	put_zero(&f, 6); /* Ethernet's */
	i = parse(&f);
	CHECK_EQ(i.hdr.l4_bytes, 20);
	CHECK_EQ(i.hdr.flags, 0);

	f.len = 0;
	put_eth(&f, PLX_ETHER_IPV4);
	put_ipv4(&f, PLX_IP_UDP, 0, 8 + 5 + 3);
	put_udp(&f, 7, 5);
	put_zero(&f, 5 + 3); /* between UDP's length and IP's */
	i = parse(&f);
	CHECK_EQ(i.ptype, UDP4);
	CHECK_EQ(i.hdr.l4_bytes, 13);
	CHECK_EQ(i.hdr.flags, 0);
}

TEST(parse, vlan_tags)
{
	static const uint16_t kinds[] = {PLX_ETHER_VLAN, PLX_ETHER_QINQ, PLX_ETHER_QINQ_OLD};

	for (uint32_t n = 0; n <= PLX_PKT_TAGS + 1; n++) {
		struct frame f = {.len = 0};
		struct plx_pkt_info i;

		put_eth(&f, n == 0 ? PLX_ETHER_IPV4 : kinds[n % 3]);
		for (uint32_t k = n; k > 0; k--)
			put_tag(&f, k == 1 ? PLX_ETHER_IPV4 : kinds[k % 3]);
		put_ipv4(&f, PLX_IP_UDP, 0, 8);
		put_udp(&f, 7, 0);
		i = parse(&f);
		if (n > PLX_PKT_TAGS) {
			CHECK_EQ(i.hdr.flags, PLX_PKT_BAD);
			CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER_QINQ);
			CHECK_EQ(i.hdr.version, 0);
			continue;
		}
		CHECK_EQ(i.hdr.l2_len, 14 + 4 * n);
		CHECK_EQ(i.hdr.tags, n);
		CHECK_EQ(i.ptype & PLX_PTYPE_L2_MASK, n == 0   ? PLX_PTYPE_L2_ETHER
						      : n == 1 ? PLX_PTYPE_L2_ETHER_VLAN
							       : PLX_PTYPE_L2_ETHER_QINQ);
		CHECK_EQ(i.ptype & ~(uint32_t)PLX_PTYPE_L2_MASK,
			PLX_PTYPE_L3_IPV4 | PLX_PTYPE_L4_UDP);
	}
}

TEST(parse, layer_2_kinds)
{
	static const struct {
		uint16_t type, seen;
		uint32_t ptype;
	} rows[] = {
		{PLX_ETHER_ARP, PLX_ETHER_ARP, PLX_PTYPE_L2_ETHER_ARP},
		{PLX_ETHER_LLDP, PLX_ETHER_LLDP, PLX_PTYPE_L2_ETHER_LLDP},
		{PLX_ETHER_PTP, PLX_ETHER_PTP, PLX_PTYPE_L2_ETHER_TIMESYNC},
		{PLX_ETHER_MPLS, PLX_ETHER_MPLS, PLX_PTYPE_L2_ETHER_MPLS},
		{PLX_ETHER_MPLS_MCAST, PLX_ETHER_MPLS_MCAST, PLX_PTYPE_L2_ETHER_MPLS},
		{0x88b5, 0x88b5, PLX_PTYPE_L2_ETHER},
		{100, 0, PLX_PTYPE_L2_ETHER}, /* a length: LLC follows */
		{0x5ff, 0, PLX_PTYPE_L2_ETHER},
		{0x600, 0x600, PLX_PTYPE_L2_ETHER},
	};

	for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
		struct frame f = {.len = 0};
		struct plx_pkt_info i;

		put_eth(&f, rows[n].type);
		put_zero(&f, 46);
		i = parse(&f);
		CHECK_EQ(i.ptype, rows[n].ptype);
		CHECK_EQ(i.hdr.ether_type, rows[n].seen);
		CHECK_EQ(i.hdr.l2_len, 14);
		CHECK_EQ(i.hdr.l3_off, 14);
		CHECK_EQ(i.hdr.l3_len, 0);
		CHECK_EQ(i.hdr.l4_off, 0);
		CHECK_EQ(i.hdr.flags, 0);
	}
}

TEST(parse, layer_4_kinds)
{
	static const struct {
		uint8_t version, proto, len, l4_len;
		uint32_t ptype;
	} rows[] = {
		{4, PLX_IP_ICMP, 8, 8, PLX_PTYPE_L4_ICMP},
		{6, PLX_IP_ICMPV6, 8, 8, PLX_PTYPE_L4_ICMP},
		{4, PLX_IP_SCTP, 12, 12, PLX_PTYPE_L4_SCTP},
		{6, PLX_IP_SCTP, 16, 12, PLX_PTYPE_L4_SCTP},
		{4, PLX_IP_ICMPV6, 8, 0, PLX_PTYPE_L4_NONFRAG},
		{6, PLX_IP_ICMP, 8, 0, PLX_PTYPE_L4_NONFRAG},
		{4, PLX_IP_IGMP, 8, 0, PLX_PTYPE_L4_NONFRAG},
		{4, PLX_IP_ESP, 40, 0, PLX_PTYPE_L4_NONFRAG},
		{6, PLX_IP_ESP, 40, 0, PLX_PTYPE_L4_NONFRAG},
		{6, PLX_IP_NONE, 0, 0, PLX_PTYPE_L4_NONFRAG},
		{4, 253, 0, 0, PLX_PTYPE_L4_NONFRAG},
	};

	for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
		struct frame f = {.len = 0};
		struct plx_pkt_info i;

		put_eth(&f, rows[n].version == 4 ? PLX_ETHER_IPV4 : PLX_ETHER_IPV6);
		if (rows[n].version == 4)
			put_ipv4(&f, rows[n].proto, 0, rows[n].len);
		else
			put_ipv6(&f, rows[n].proto, rows[n].len);
		put_zero(&f, rows[n].len);
		i = parse(&f);
		CHECK_EQ(i.ptype,
			PLX_PTYPE_L2_ETHER | rows[n].ptype |
				(rows[n].version == 4 ? PLX_PTYPE_L3_IPV4 : PLX_PTYPE_L3_IPV6));
		CHECK_EQ(i.hdr.proto, rows[n].proto);
		CHECK_EQ(i.hdr.l4_len, rows[n].l4_len);
		CHECK_EQ(i.hdr.l4_bytes, rows[n].len);
		CHECK_EQ(i.hdr.flags, 0);
		if (rows[n].l4_len == 0)
			continue;
		/* one byte too few in the packet, then in the IP header */
		f.len = i.hdr.l4_off + rows[n].l4_len - 1u;
		i = parse(&f);
		CHECK_EQ(i.hdr.flags, PLX_PKT_SHORT | PLX_PKT_BAD);
		CHECK_EQ(i.hdr.l4_len, 0);
		CHECK_EQ(i.ptype & PLX_PTYPE_L4_MASK, 0);
	}
}

TEST(parse, ipv4_options_and_fragments)
{
	for (uint32_t opts = 0; opts <= 40; opts += 4) {
		static const struct {
			uint16_t frag;
			uint8_t flags;
		} rows[] = {{0, 0}, {PLX_IPV4_DF, 0},
			{PLX_IPV4_MF, PLX_PKT_FRAG | PLX_PKT_FRAG_FIRST}, {1, PLX_PKT_FRAG},
			{PLX_IPV4_MF | 0x1fff, PLX_PKT_FRAG}};

		for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
			struct frame f = {.len = 0};
			struct plx_pkt_info i;
			bool frag = (rows[n].flags & PLX_PKT_FRAG) != 0;

			put_eth(&f, PLX_ETHER_IPV4);
			put_ipv4(&f, PLX_IP_UDP, opts, 8)->frag = plx_be16_make(rows[n].frag);
			put_udp(&f, 7, 0);
			i = parse(&f);
			CHECK_EQ(i.ptype,
				PLX_PTYPE_L2_ETHER |
					(opts ? PLX_PTYPE_L3_IPV4_EXT : PLX_PTYPE_L3_IPV4) |
					(frag ? PLX_PTYPE_L4_FRAG : PLX_PTYPE_L4_UDP));
			CHECK_EQ(i.hdr.flags, rows[n].flags | (opts ? PLX_PKT_OPTIONS : 0));
			CHECK_EQ(i.hdr.l3_len, 20 + opts);
			CHECK_EQ(i.hdr.l4_len, frag ? 0 : 8);
			CHECK_EQ(i.hdr.l4_bytes, 8);
			CHECK_EQ(i.hdr.proto, PLX_IP_UDP);
		}
	}
}

TEST(parse, ipv4_that_lies)
{
	static const struct {
		uint8_t at, byte; /* of the IPv4 header: what is written there */
		uint8_t flags;
	} rows[] = {
		{0, 0x44, PLX_PKT_BAD},     /* header of 16 bytes */
		{0, 0x55, PLX_PKT_BAD},     /* version 5 */
		{0, 0x4f, PLX_PKT_BAD},     /* header longer than the packet */
		{3, 19, PLX_PKT_BAD},       /* total length less than the header */
		{3, 20, PLX_PKT_BAD},       /* no room for UDP */
		{3, 27, PLX_PKT_BAD},       /* the same */
		{3, 255, PLX_PKT_SHORT},    /* more than there is */
		{20 + 5, 7, PLX_PKT_BAD},   /* UDP length less than its header */
		{20 + 5, 0, PLX_PKT_BAD},   /* and 0 */
		{20 + 5, 9, PLX_PKT_SHORT}, /* more than IP has */
	};

	for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
		struct frame f = {.len = 0};
		struct plx_pkt_info i;

		put_eth(&f, PLX_ETHER_IPV4);
		put_ipv4(&f, PLX_IP_UDP, 0, 8);
		put_udp(&f, 7, 0);
		f.b[14 + rows[n].at] = rows[n].byte;
		i = parse(&f);
		CHECK_EQ(i.hdr.flags, rows[n].flags);
		CHECK_EQ(i.hdr.l4_len, rows[n].flags & PLX_PKT_BAD ? 0 : 8);
	}
}

TEST(parse, tcp_that_lies)
{
	for (unsigned words = 0; words < 16; words++) {
		struct frame f = {.len = 0};
		struct plx_pkt_info i;
		bool good = words >= 5 && words <= 7;

		put_eth(&f, PLX_ETHER_IPV4);
		put_ipv4(&f, PLX_IP_TCP, 0, 28);
		put_tcp(&f, 8)->data_off = (uint8_t)(words << 4);
		i = parse(&f);
		CHECK_EQ(i.hdr.flags, good ? 0 : PLX_PKT_BAD);
		CHECK_EQ(i.hdr.l4_len, good ? 4 * words : 0);
		CHECK_EQ(i.hdr.l4_bytes, 28);
		CHECK_EQ(i.hdr.proto, PLX_IP_TCP);
	}
}

TEST(parse, ipv6_extension_headers)
{
	struct frame f = {.len = 0};
	struct plx_pkt_info i;
	uint8_t *at;

	put_eth(&f, PLX_ETHER_IPV6);
	put_ipv6(&f, PLX_IP_HOPOPTS, 8 + 24 + 16 + 24 + 8 + 8 + 8);
	put_ext(&f, PLX_IP_DSTOPTS, 0);
	put_ext(&f, PLX_IP_ROUTING, 2);
	at = put_ext(&f, PLX_IP_AH, 1);
	at[2] = 0;
	at[3] = 1; /* a segment left */
	at = put_ext(&f, PLX_IP_FRAGMENT, 2);
	at[1] = 4;                       /* AH counts in 4 bytes: 24 */
	put_ext(&f, PLX_IP_MOBILITY, 0); /* an atomic fragment: a whole datagram */
	put_ext(&f, PLX_IP_UDP, 0);
	put_udp(&f, 9, 0);
	i = parse(&f);
	CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV6_EXT | PLX_PTYPE_L4_UDP);
	CHECK_EQ(i.hdr.flags, PLX_PKT_OPTIONS);
	CHECK_EQ(i.hdr.l3_len, 40 + 8 + 24 + 16 + 24 + 8 + 8);
	CHECK_EQ(i.hdr.proto, PLX_IP_UDP);
	CHECK_EQ(i.hdr.l4_len, 8);
	CHECK_EQ(i.hdr.routing, 14 + 40 + 8 + 24);
}

TEST(parse, ipv6_fragments)
{
	static const struct {
		uint16_t frag;
		uint8_t flags;
	} rows[] = {{PLX_IPV6_MF, PLX_PKT_FRAG | PLX_PKT_FRAG_FIRST}, {8, PLX_PKT_FRAG},
		{0xfff8 | PLX_IPV6_MF, PLX_PKT_FRAG}, {6, 0}};

	for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
		struct frame f = {.len = 0};
		struct plx_pkt_info i;

		put_eth(&f, PLX_ETHER_IPV6);
		put_ipv6(&f, PLX_IP_FRAGMENT, 16);
		plx_store_be16(put_ext(&f, PLX_IP_UDP, 0) + 2, rows[n].frag);
		put_udp(&f, 9, 0);
		i = parse(&f);
		CHECK_EQ(i.hdr.flags, rows[n].flags | PLX_PKT_OPTIONS);
		CHECK_EQ(i.hdr.l3_len, 48);
		CHECK_EQ(i.hdr.l4_bytes, 8);
		CHECK_EQ(i.hdr.proto, PLX_IP_UDP);
		CHECK_EQ(i.hdr.l4_len, rows[n].flags ? 0 : 8);
		CHECK_EQ(i.ptype & PLX_PTYPE_L4_MASK,
			rows[n].flags ? PLX_PTYPE_L4_FRAG : PLX_PTYPE_L4_UDP);
	}
}

TEST(parse, ipv6_that_lies)
{
	struct frame f;
	struct plx_pkt_info i;

	/* more headers than anyone needs: bounded work */
	for (uint32_t n = PLX_PKT_EXTS - 1; n <= PLX_PKT_EXTS + 1; n++) {
		f.len = 0;
		put_eth(&f, PLX_ETHER_IPV6);
		put_ipv6(&f, PLX_IP_DSTOPTS, 8 * n + 8);
		for (uint32_t k = n; k > 0; k--)
			put_ext(&f, k == 1 ? PLX_IP_UDP : PLX_IP_DSTOPTS, 0);
		put_udp(&f, 9, 0);
		i = parse(&f);
		CHECK_EQ(i.hdr.flags & PLX_PKT_BAD, n > PLX_PKT_EXTS ? PLX_PKT_BAD : 0);
		CHECK_EQ(i.hdr.l3_len, n > PLX_PKT_EXTS ? 0 : 40 + 8 * n);
		CHECK_EQ(i.hdr.version, 6);
	}
	/* an extension header longer than the payload, and one longer than the packet */
	for (unsigned payload = 8; payload <= 2048; payload += 2040) {
		f.len = 0;
		put_eth(&f, PLX_ETHER_IPV6);
		put_ipv6(&f, PLX_IP_DSTOPTS, payload);
		put_ext(&f, PLX_IP_UDP, 0)[1] = 255;
		i = parse(&f);
		CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV6_EXT);
		CHECK_EQ(i.hdr.flags, PLX_PKT_BAD | PLX_PKT_OPTIONS);
		CHECK_EQ(i.hdr.proto, 0);
		CHECK_EQ(i.hdr.l4_off, 0);
	}
	/* a jumbogram is longer than any packet: payload length 0 leaves no room for its option */
	f.len = 0;
	put_eth(&f, PLX_ETHER_IPV6);
	put_ipv6(&f, PLX_IP_HOPOPTS, 0);
	put_ext(&f, PLX_IP_UDP, 0);
	put_udp(&f, 9, 0);
	CHECK_EQ(parse(&f).hdr.flags, PLX_PKT_BAD | PLX_PKT_OPTIONS);
	f.b[14] = 0x50; /* version 5 */
	i = parse(&f);
	CHECK_EQ(i.hdr.flags, PLX_PKT_BAD);
	CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER);
}

TEST(parse, no_ethernet_header)
{
	struct frame f = {.len = 0};
	struct plx_pkt_info i;

	put_eth(&f, PLX_ETHER_IPV4);
	for (f.len = 0; f.len < 14; f.len++) {
		i = parse(&f);
		CHECK_EQ(i.ptype, 0);
		CHECK_EQ(i.hdr.flags, PLX_PKT_BAD);
		CHECK_EQ(i.hdr.l2_len, 0);
	}
	i = parse(&f);
	CHECK_EQ(i.ptype, PLX_PTYPE_L2_ETHER);
	CHECK_EQ(i.hdr.flags, PLX_PKT_BAD);
	CHECK_EQ(i.hdr.l2_len, 14);
	CHECK_EQ(i.hdr.version, 0);
}

TEST(parse, offload_lengths)
{
	struct plx_tx_offload tx;
	struct frame f = {.len = 0};
	struct plx_pkt_info i;

	put_eth(&f, PLX_ETHER_VLAN);
	put_tag(&f, PLX_ETHER_IPV4);
	put_ipv4(&f, PLX_IP_TCP, 4, 24);
	put_tcp(&f, 4);
	plx_pkt_parse_mem(f.b, f.len, &i);
	memset(&tx, 0xff, sizeof(tx));
	CHECK_EQ(plx_pkt_tx_lens(&i, &tx), 0);
	CHECK_EQ(tx.l2_len, 18);
	CHECK_EQ(tx.l3_len, 24);
	CHECK_EQ(tx.l4_len, 24);
	CHECK_EQ(tx.tso_segsz, 0);
	CHECK_EQ(tx.outer_l2_len, 0);
	CHECK_EQ(tx.outer_l3_len, 0);

	f.len = 0;
	put_eth(&f, PLX_ETHER_IPV6);
	put_ipv6(&f, PLX_IP_DSTOPTS, 512 + 8);
	put_ext(&f, PLX_IP_UDP, 63);
	put_udp(&f, 9, 0);
	plx_pkt_parse_mem(f.b, f.len, &i);
	CHECK_EQ(i.hdr.l3_len, 552);
	CHECK_EQ(plx_pkt_tx_lens(&i, &tx), -EOVERFLOW);
	CHECK_HAS(plx_errmsg(), "headers of 14, 552 and 8 bytes");
}

/* Whatever the bytes: offsets and lengths lie in the packet and agree with each other. */
static void check_sane(const struct plx_pkt_hdrs *h, uint32_t start, uint32_t len)
{
	CHECK(h->l3_off <= len);
	CHECK(h->l3_off == 0 || h->l3_off == start + h->l2_len);
	CHECK(h->tags <= PLX_PKT_TAGS);
	CHECK(h->version == 0 || h->version == 4 || h->version == 6);
	if (h->l4_off == 0) {
		CHECK(h->l3_len == 0 && h->l4_len == 0 && h->l4_bytes == 0 && h->proto == 0);
		return;
	}
	CHECK(h->l4_off == h->l3_off + h->l3_len);
	CHECK(h->l4_off + h->l4_bytes <= len);
	CHECK(h->l4_len <= h->l4_bytes);
	CHECK(h->routing == 0 || (h->routing >= h->l3_off + 40 && h->routing + 8 <= h->l4_off));
	CHECK(!(h->flags & PLX_PKT_FRAG) || h->l4_len == 0);
}

/* A packet of random layers, some of them with a random byte changed. */
static void random_frame(struct frame *f, uint64_t *state)
{
	static const uint16_t types[] = {PLX_ETHER_IPV4, PLX_ETHER_IPV6, PLX_ETHER_VLAN,
		PLX_ETHER_QINQ, PLX_ETHER_ARP, PLX_ETHER_TEB};
	static const uint8_t protos[] = {PLX_IP_TCP, PLX_IP_UDP, PLX_IP_SCTP, PLX_IP_ICMP,
		PLX_IP_GRE, PLX_IP_IPIP, PLX_IP_IPV6, PLX_IP_HOPOPTS, PLX_IP_ROUTING,
		PLX_IP_FRAGMENT, PLX_IP_AH, PLX_IP_DSTOPTS, PLX_IP_ICMPV6};
	static const uint16_t ports[] = {PLX_UDP_VXLAN, PLX_UDP_VXLAN_GPE, PLX_UDP_GENEVE, 53};
	uint32_t len = rnd(state, 200);

	f->len = 0;
	rnd_fill(state, f->b, sizeof(f->b));
	/* what a parser looks at, where it may look: numbers that lead on, and short lengths */
	plx_store_be16(f->b + 12, types[rnd(state, PLX_ARRAY_SIZE(types))]);
	for (int i = 0; i < 12; i++) {
		uint8_t *at = f->b + 14 + 2 * rnd(state, 60);

		switch (rnd(state, 6)) {
		case 0:
			plx_store_be16(at, types[rnd(state, PLX_ARRAY_SIZE(types))]);
			break;
		case 1:
			plx_store_be16(at, ports[rnd(state, PLX_ARRAY_SIZE(ports))]);
			break;
		case 2:
			plx_store_be16(at, (uint16_t)rnd(state, 150));
			break;
		case 3:
			at[0] = rnd(state, 2) ? 0x45 : 0x60;
			break;
		default:
			at[rnd(state, 2)] = protos[rnd(state, PLX_ARRAY_SIZE(protos))];
			break;
		}
	}
	if (f->b[12] == 8 && f->b[13] == 0) {
		f->b[14] = (uint8_t)(0x45 + rnd(state, 4) / 3);
		plx_store_be16(f->b + 16, (uint16_t)(len + 20 - rnd(state, 40)));
		f->b[20] = rnd(state, 4) ? 0 : f->b[20];
		f->b[21] = 0;
		f->b[23] = protos[rnd(state, 7)];
	} else if (f->b[12] == 0x86) {
		f->b[14] = 0x60;
		plx_store_be16(f->b + 18, (uint16_t)(len - rnd(state, 20)));
		f->b[20] = protos[rnd(state, PLX_ARRAY_SIZE(protos))];
		f->b[55] = (uint8_t)rnd(state, 3);
	}
	f->len = len;
}

TEST(parse, random_bytes)
{
	uint64_t state = 11;
	unsigned tunnels = 0, layer4 = 0;

	for (unsigned n = 0; n < unit_rounds(60000); n++) {
		struct plx_pkt_info one, two;
		struct plx_mbuf *m;
		struct frame f;

		random_frame(&f, &state);
		m = packet(f.b, f.len, f.len, f.len, NULL);
		plx_pkt_parse(m, &one);
		packet_free(m);
		m = packet(f.b, f.len, rnd(&state, 80), 20, &state);
		plx_pkt_parse(m, &two);
		CHECK(same(&one, &two));
		if (one.ptype & PLX_PTYPE_TUNNEL_MASK) {
			check_sane(&one.outer, 0, f.len);
			check_sane(&one.hdr, one.outer.l4_off, f.len);
			CHECK(!(one.outer.flags & (PLX_PKT_FRAG | PLX_PKT_BAD)));
			tunnels++;
		} else {
			check_sane(&one.hdr, 0, f.len);
		}
		layer4 += one.hdr.l4_len != 0;
		packet_free(m);
	}
	CHECK(tunnels > 500 && layer4 > 2000); /* the bytes were not so random as to show nothing */
}

/* A chain longer than packets may be: what is behind 65535 bytes is not looked at. */
TEST(parse, chain_that_is_too_long)
{
	static uint8_t data[70000];
	struct frame f = {.len = 0};
	struct plx_pkt_info i;
	struct plx_mbuf *m;

	put_eth(&f, PLX_ETHER_IPV6);
	put_ipv6(&f, PLX_IP_SCTP, 65535);
	memcpy(data, f.b, f.len);
	m = packet(data, sizeof(data), 100, 35000, NULL);
	plx_pkt_parse(m, &i);
	CHECK_EQ(i.hdr.l4_off + i.hdr.l4_bytes, 65535);
	CHECK_EQ(i.hdr.flags, PLX_PKT_SHORT);
	packet_free(m);
	plx_pkt_parse_mem(data, sizeof(data), &i);
	CHECK_EQ(i.hdr.l4_off + i.hdr.l4_bytes, 65535);
}
