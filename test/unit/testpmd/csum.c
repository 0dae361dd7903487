/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csum_packet(): what a port is asked for. No port here computes inner or outer checksums or cuts
 * TCP, so the test stands in for one: it does what flags and lengths say, in the plainest way.
 */
#include "csum.h"
#include "plx_cksum.h"
#include "plx_mem.h"
#include "unit.h"

#define RX_HALF 0xffffu

struct rig {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_mbuf *m;
};

static void rig_open(struct rig *r)
{
	struct plx_ctx_opts ctx = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts pool = PLX_MBUF_POOL_OPTS_INIT;

	memset(r, 0, sizeof(*r));
	ctx.huge = PLX_HUGE_NONE;
	pool.n = 64;
	CHECK_EQ(plx_ctx_open(&ctx, &r->ctx), 0);
	CHECK_EQ(plx_mbuf_pool_create(r->ctx, &pool, &r->pool), 0);
}

static void rig_close(struct rig *r)
{
	plx_mbuf_free(r->m);
	plx_mbuf_pool_destroy(r->pool);
	plx_ctx_close(r->ctx);
}

/* ---- packets ---- */

static uint8_t *add(struct rig *r, const void *bytes, size_t len)
{
	uint8_t *p = plx_mbuf_append(r->m, (uint16_t)len);

	CHECK(p != NULL);
	if (bytes != NULL)
		memcpy(p, bytes, len);
	else
		memset(p, 0x5a, len);
	return p;
}

static void begin(struct rig *r)
{
	plx_mbuf_free(r->m);
	r->m = plx_mbuf_alloc(r->pool);
	CHECK(r->m != NULL);
}

static void eth(struct rig *r, uint16_t type)
{
	struct plx_eth_hdr h = {.dst = {2, 0, 0, 0, 0, 1}, .src = {2, 0, 0, 0, 0, 2}};

	h.type = plx_be16_make(type);
	add(r, &h, sizeof(h));
}

static void ipv4(struct rig *r, uint8_t proto, size_t payload)
{
	struct plx_ipv4_hdr h = {.version_ihl = 0x45, .ttl = 9, .proto = proto};

	h.len = plx_be16_make((uint16_t)(sizeof(h) + payload));
	h.src = plx_be32_make(0xc0000201);
	h.dst = plx_be32_make(0xc6336407);
	h.cksum = plx_be16_make(0xdead);
	add(r, &h, sizeof(h));
}

static void ipv6(struct rig *r, uint8_t proto, size_t payload)
{
	struct plx_ipv6_hdr h = {.proto = proto, .hops = 9, .src = {0x20, 1}, .dst = {0x20, 2}};

	h.vtc_flow = plx_be32_make(6u << 28);
	h.len = plx_be16_make((uint16_t)payload);
	add(r, &h, sizeof(h));
}

static void udp(struct rig *r, uint16_t port, size_t payload, uint16_t cksum)
{
	struct plx_udp_hdr h = {.sport = plx_be16_make(1), .dport = plx_be16_make(port)};

	h.len = plx_be16_make((uint16_t)(sizeof(h) + payload));
	h.cksum = plx_be16_make(cksum);
	add(r, &h, sizeof(h));
	if (port != PLX_UDP_VXLAN)
		add(r, NULL, payload);
}

static void tcp(struct rig *r, size_t payload)
{
	struct plx_tcp_hdr h = {.data_off = 5 << 4, .flags = PLX_TCP_ACK};

	h.cksum = plx_be16_make(0xdead);
	add(r, &h, sizeof(h));
	add(r, NULL, payload);
}

static void vxlan(struct rig *r)
{
	struct plx_vxlan_hdr h = {.flags = PLX_VXLAN_I};

	add(r, &h, sizeof(h));
}

/* VXLAN over IPv4, and in it IPv4 and TCP with so much payload. */
static void tunnel(struct rig *r, size_t payload, uint16_t outer_cksum)
{
	const size_t inner = 14 + 20 + 20 + payload;

	begin(r);
	eth(r, PLX_ETHER_IPV4);
	ipv4(r, PLX_IP_UDP, 8 + 8 + inner);
	udp(r, PLX_UDP_VXLAN, 8 + inner, outer_cksum);
	vxlan(r);
	eth(r, PLX_ETHER_IPV4);
	ipv4(r, PLX_IP_TCP, 20 + payload);
	tcp(r, payload);
}

/* ---- the port ---- */

/* Sums from an offset to the packet's end, what is in the field included, and stores the complement. */
static void sum_to_end(struct plx_mbuf *m, uint32_t from, uint32_t field)
{
	plx_be16 v = plx_cksum_mbuf(m, from, m->pkt_len - from);

	CHECK_EQ(plx_mbuf_write(m, field, &v, sizeof(v)), 0);
}

static void port_ipv4(struct plx_mbuf *m, uint32_t off, uint32_t len)
{
	plx_be16 v = plx_cksum_mbuf(m, off, len);

	CHECK_EQ(plx_mbuf_write(m, off + 10, &v, sizeof(v)), 0);
}

static void port_sends(struct plx_mbuf *m)
{
	uint32_t l3 = m->tx.l2_len, outer = m->tx.outer_l2_len, l4;

	if (m->flags & PLX_TX_TUNNEL) {
		l3 += outer + (uint32_t)m->tx.outer_l3_len;
		if (m->flags & PLX_TX_OUTER_IP_CKSUM)
			port_ipv4(m, outer, m->tx.outer_l3_len);
	}
	l4 = l3 + (uint32_t)m->tx.l3_len;
	if (m->flags & PLX_TX_IP_CKSUM)
		port_ipv4(m, l3, m->tx.l3_len);
	if (m->flags & PLX_TX_TCP_CKSUM)
		sum_to_end(m, l4, l4 + 16);
	if (m->flags & PLX_TX_UDP_CKSUM)
		sum_to_end(m, l4, l4 + 6);
}

static void check_all_right(const struct plx_mbuf *m)
{
	struct plx_pkt_info info;

	plx_pkt_parse(m, &info);
	CHECK_EQ(plx_l3_cksum_check(m, &info.hdr), 1);
	CHECK_EQ(plx_l4_cksum_check(m, &info.hdr), 1);
	if (info.outer.version == 0)
		return;
	CHECK_EQ(plx_l3_cksum_check(m, &info.outer), 1);
	if (info.outer.proto == PLX_IP_UDP)
		CHECK_EQ(plx_l4_cksum_check(m, &info.outer), 1);
}

static const struct csum all_hw = {.hw = {true, true, true, true, true},
	.any_hw = true,
	.hw_tunnel = true,
	.parse_tunnel = true};

TEST(csum, asks_for_udp_and_tcp_of_both_versions)
{
	struct rig r;

	rig_open(&r);
	for (int i = 0; i < 4; i++) {
		const bool four = i & 1, is_tcp = i & 2;
		const size_t len = 101 + (is_tcp ? 20 : 8);
		uint32_t want = (four ? PLX_TX_IPV4 | PLX_TX_IP_CKSUM : PLX_TX_IPV6) |
				(is_tcp ? PLX_TX_TCP_CKSUM : PLX_TX_UDP_CKSUM);

		begin(&r);
		eth(&r, four ? PLX_ETHER_IPV4 : PLX_ETHER_IPV6);
		(four ? ipv4 : ipv6)(&r, is_tcp ? PLX_IP_TCP : PLX_IP_UDP, len);
		if (is_tcp)
			tcp(&r, 101);
		else
			udp(&r, 7, 101, 0xdead);
		r.m->flags |= PLX_RX_RSS_HASH;
		CHECK_EQ(csum_packet(&all_hw, r.m), CSUM_BAD_L4 | (four ? CSUM_BAD_IP : 0));
		CHECK_EQ(r.m->flags, want); /* the hash's place has the lengths */
		CHECK_EQ((unsigned)r.m->tx.l2_len, 14);
		CHECK_EQ((unsigned)r.m->tx.l3_len, four ? 20 : 40);
		port_sends(r.m);
		check_all_right(r.m);
		r.m->flags &= RX_HALF;
		CHECK_EQ(csum_packet(&all_hw, r.m), 0);
	}
	rig_close(&r);
}

TEST(csum, asks_for_what_the_port_has_alone)
{
	const struct csum ip_only = {.hw = {[CSUM_IP] = true}, .any_hw = true};
	struct rig r;

	rig_open(&r);
	begin(&r);
	eth(&r, PLX_ETHER_IPV4);
	ipv4(&r, PLX_IP_TCP, 20 + 33);
	tcp(&r, 33);
	CHECK_EQ(csum_packet(&ip_only, r.m), CSUM_BAD_IP | CSUM_BAD_L4);
	CHECK_EQ(r.m->flags, PLX_TX_IPV4 | PLX_TX_IP_CKSUM);
	port_sends(r.m);
	check_all_right(r.m);
	rig_close(&r);
}

TEST(csum, a_packet_with_padding_is_not_for_the_port)
{
	struct rig r;

	rig_open(&r);
	begin(&r);
	eth(&r, PLX_ETHER_IPV4);
	ipv4(&r, PLX_IP_UDP, 8 + 3);
	udp(&r, 7, 3, 0xdead);
	add(&r, NULL, 15);
	CHECK_EQ(csum_packet(&all_hw, r.m), CSUM_BAD_IP | CSUM_BAD_L4);
	CHECK_EQ(r.m->flags, 0);
	check_all_right(r.m);
	rig_close(&r);
}

TEST(csum, what_rx_says_is_believed)
{
	struct rig r;

	rig_open(&r);
	begin(&r);
	eth(&r, PLX_ETHER_IPV4);
	ipv4(&r, PLX_IP_TCP, 20 + 33);
	tcp(&r, 33);
	r.m->flags = PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD;
	CHECK_EQ(csum_packet(&all_hw, r.m), 0);
	r.m->flags = PLX_RX_IP_CKSUM_BAD | PLX_RX_L4_CKSUM_BAD;
	CHECK_EQ(csum_packet(&all_hw, r.m), CSUM_BAD_IP | CSUM_BAD_L4);
	port_sends(r.m);
	check_all_right(r.m);
	rig_close(&r);
}

TEST(csum, asks_inside_of_tunnels)
{
	const uint32_t want = PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_TCP_CKSUM | PLX_TX_TUNNEL |
			      PLX_TX_OUTER_IPV4 | PLX_TX_OUTER_IP_CKSUM;
	struct rig r;

	rig_open(&r);
	tunnel(&r, 77, 0);
	CHECK_EQ(csum_packet(&all_hw, r.m), CSUM_BAD_IP | CSUM_BAD_L4 | CSUM_BAD_OUTER_IP);
	CHECK_EQ(r.m->flags, want);
	CHECK_EQ((unsigned)r.m->tx.outer_l2_len, 14);
	CHECK_EQ((unsigned)r.m->tx.outer_l3_len, 20);
	CHECK_EQ((unsigned)r.m->tx.l2_len, 8 + 8 + 14);
	CHECK_EQ((unsigned)r.m->tx.l3_len, 20);
	port_sends(r.m);
	check_all_right(r.m);
	rig_close(&r);
}

TEST(csum, an_outer_udp_checksum_keeps_all_in_software)
{
	struct csum c = all_hw;
	struct rig r;

	rig_open(&r);
	tunnel(&r, 77, 0xdead);
	CHECK_EQ(csum_packet(&c, r.m),
		CSUM_BAD_IP | CSUM_BAD_L4 | CSUM_BAD_OUTER_IP | CSUM_BAD_OUTER_L4);
	CHECK_EQ(r.m->flags, 0);
	check_all_right(r.m);
	/* and so does a port that knows no tunnels */
	c.hw_tunnel = false;
	tunnel(&r, 77, 0);
	(void)csum_packet(&c, r.m);
	CHECK_EQ(r.m->flags, 0);
	check_all_right(r.m);
	rig_close(&r);
}

/* A port that knows no tunnels speaks of the outer headers. */
TEST(csum, what_rx_says_is_not_of_inner_headers)
{
	struct csum c = all_hw;
	struct rig r;

	rig_open(&r);
	for (int knows = 0; knows < 2; knows++) {
		c.hw_tunnel = knows != 0;
		tunnel(&r, 77, 0);
		(void)csum_packet(&c, r.m);
		port_sends(r.m);
		r.m->flags = PLX_RX_IP_CKSUM_BAD | PLX_RX_L4_CKSUM_BAD;
		CHECK_EQ(csum_packet(&c, r.m), 0);
	}
	rig_close(&r);
}

TEST(csum, tunnels_are_payload_unless_asked_for)
{
	struct csum c = all_hw;
	struct rig r;

	c.parse_tunnel = false;
	rig_open(&r);
	tunnel(&r, 77, 0xdead);
	CHECK_EQ(csum_packet(&c, r.m), CSUM_BAD_IP | CSUM_BAD_L4);
	CHECK_EQ(r.m->flags, PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_UDP_CKSUM);
	CHECK_EQ((unsigned)r.m->tx.l2_len, 14);
	port_sends(r.m);
	CHECK_EQ(plx_cksum_mbuf(r.m, 14, 20).v, 0);
	rig_close(&r);
}

/* For TSO the pseudo header is without a length (as for the port each segment has its own). */
TEST(csum, asks_for_segments_of_long_tcp_alone)
{
	struct csum c = all_hw;
	struct plx_ipv4_hdr *ip;
	struct plx_tcp_hdr *t;
	struct rig r;

	c.tso_segsz = 500;
	rig_open(&r);
	for (size_t payload = 500; payload <= 501; payload++) {
		begin(&r);
		eth(&r, PLX_ETHER_IPV4);
		ipv4(&r, PLX_IP_TCP, 20 + payload);
		tcp(&r, payload);
		(void)csum_packet(&c, r.m);
		CHECK_EQ(!!(r.m->flags & PLX_TX_TSO), payload == 501);
	}
	CHECK_EQ(r.m->flags, PLX_TX_TSO | PLX_TX_TCP_CKSUM | PLX_TX_IPV4 | PLX_TX_IP_CKSUM);
	CHECK_EQ((unsigned)r.m->tx.tso_segsz, 500);
	CHECK_EQ((unsigned)r.m->tx.l4_len, 20);
	ip = (struct plx_ipv4_hdr *)(plx_mbuf_data(r.m) + 14);
	t = (struct plx_tcp_hdr *)(ip + 1);
	CHECK_EQ(t->cksum.v, plx_cksum_fold(plx_ipv4_phdr_sum(ip, PLX_IP_TCP, 0)).v);
	CHECK_EQ(ip->cksum.v, 0);
	/* a tunnel has a size of its own */
	tunnel(&r, 900, 0);
	(void)csum_packet(&c, r.m);
	CHECK_EQ(r.m->flags & PLX_TX_TSO, 0);
	c.tunnel_tso_segsz = 700;
	tunnel(&r, 900, 0);
	(void)csum_packet(&c, r.m);
	CHECK_EQ(r.m->flags & (PLX_TX_TSO | PLX_TX_TUNNEL), PLX_TX_TSO | PLX_TX_TUNNEL);
	CHECK_EQ((unsigned)r.m->tx.tso_segsz, 700);
	rig_close(&r);
}

/* The short way for usual packets says the same as the parser, whatever one bit of a packet is. */
TEST(csum, finds_every_bit_that_is_wrong)
{
	const struct csum soft = {0};
	struct rig r;

	rig_open(&r);
	for (uint32_t bit = 34 * 8; bit < (34 + 20 + 33) * 8; bit++) {
		begin(&r);
		eth(&r, PLX_ETHER_IPV4);
		ipv4(&r, PLX_IP_TCP, 20 + 33);
		tcp(&r, 33);
		(void)csum_packet(&soft, r.m);
		CHECK_EQ(csum_packet(&soft, r.m), 0);
		plx_mbuf_data(r.m)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* with another header length than the header has it is no TCP */
		if (bit / 8 == 46 && plx_mbuf_data(r.m)[46] >> 4 < 5)
			continue;
		CHECK_EQ(csum_packet(&soft, r.m), CSUM_BAD_L4);
		CHECK_EQ(csum_packet(&soft, r.m), 0);
	}
	rig_close(&r);
}
