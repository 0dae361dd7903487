/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums of layer 4 in packets, against sums byte by byte. */
#include "net_test.h"

/* What the headers of f should have as checksum, dst being IPv6's final destination. */
static uint16_t expected(const struct frame *f, const struct plx_pkt_hdrs *h, const uint8_t *dst)
{
	const uint8_t *ip = f->b + h->l3_off;
	struct naive s = {0, 0};
	uint8_t tail[8] = {0}, l4[2048];

	plx_store_be32(tail, h->l4_bytes);
	tail[7] = h->proto;
	if (h->version == 6) {
		naive_add(&s, ip + 8, 16);
		naive_add(&s, dst != NULL ? dst : ip + 24, 16);
	} else if (h->proto != PLX_IP_ICMP) {
		naive_add(&s, ip + 12, 8);
	}
	if (h->version == 6 || h->proto != PLX_IP_ICMP)
		naive_add(&s, tail, 8);
	memcpy(l4, f->b + h->l4_off, h->l4_bytes);
	memset(l4 + plx_l4_cksum_off(h) - h->l4_off, 0, 2);
	naive_add(&s, l4, h->l4_bytes);
	return naive_end(&s);
}

/*
 * Computes the checksum of f over all ways to cut it in two, with any value in the field; then checks
 * the packet with it, and with one bit changed.
 */
static void check(struct frame *f, uint16_t want)
{
	struct plx_pkt_info i;
	uint32_t at;

	plx_pkt_parse_mem(f->b, f->len, &i);
	at = plx_l4_cksum_off(&i.hdr);
	CHECK(at != 0);
	for (uint32_t cut = 0; cut <= f->len; cut += cut < 100 ? 1 : 37) {
		struct plx_mbuf *m;
		plx_be16 got;

		plx_store_be16(f->b + at, (uint16_t)(cut * 0x6789u));
		m = packet(f->b, f->len, cut, f->len, NULL);
		CHECK_EQ(plx_l4_cksum_mbuf(m, &i.hdr, &got), 0);
		CHECK_EQ(plx_be16_get(got), want);
		CHECK_EQ(plx_mbuf_write(m, at, &got, 2), 0);
		CHECK_EQ(plx_l4_cksum_check(m, &i.hdr), 1);
		got.v ^= 0x100;
		CHECK_EQ(plx_mbuf_write(m, at, &got, 2), 0);
		CHECK_EQ(plx_l4_cksum_check(m, &i.hdr),
			got.v == 0 && i.hdr.proto == PLX_IP_UDP ? 1 : 0);
		packet_free(m);
	}
}

/* A packet of that kind with payload bytes behind its header. */
static void build(struct frame *f, int version, uint8_t proto, uint32_t payload, uint64_t *state)
{
	uint32_t hdr = proto == PLX_IP_TCP ? 20 : 8;

	f->len = 0;
	put_eth(f, version == 4 ? PLX_ETHER_IPV4 : PLX_ETHER_IPV6);
	if (version == 4)
		put_ipv4(f, proto, 0, hdr + payload);
	else
		put_ipv6(f, proto, hdr + payload);
	if (proto == PLX_IP_TCP)
		put_tcp(f, 0);
	else if (proto == PLX_IP_UDP)
		put_udp(f, 53, payload);
	else
		put(f, proto == PLX_IP_ICMP ? "\x08\0\0\0\0\1\0\2" : "\x80\0\0\0\0\1\0\2", 8);
	rnd_fill(state, f->b + f->len, payload);
	f->len += payload;
}

TEST(cksum_l4, tcp_udp_icmp)
{
	static const uint8_t protos[][2] = {{4, PLX_IP_TCP}, {4, PLX_IP_UDP}, {4, PLX_IP_ICMP},
		{6, PLX_IP_TCP}, {6, PLX_IP_UDP}, {6, PLX_IP_ICMPV6}};
	uint64_t state = 1;

	for (size_t n = 0; n < PLX_ARRAY_SIZE(protos); n++) {
		for (uint32_t payload = 0; payload < 700; payload += 1 + payload / 3) {
			struct frame f;
			struct plx_pkt_info i;

			build(&f, protos[n][0], protos[n][1], payload, &state);
			plx_pkt_parse_mem(f.b, f.len, &i);
			check(&f, expected(&f, &i.hdr, NULL));
			/* padding of the frame does not count */
			put(&f, "\x11\x22\x33", 3);
			check(&f, expected(&f, &i.hdr, NULL));
		}
	}
}

/* A UDP checksum that comes out as 0 is sent as 0xffff; none is right over IPv4, wrong over IPv6. */
TEST(cksum_l4, udp_zero)
{
	uint64_t state = 2;

	for (int version = 4; version <= 6; version += 2) {
		struct frame f;
		struct plx_pkt_info i;
		struct plx_mbuf *m;
		uint16_t sum;

		build(&f, version, PLX_IP_UDP, 10, &state);
		plx_pkt_parse_mem(f.b, f.len, &i);
		plx_store_be16(f.b + f.len - 10, 0);
		sum = expected(&f, &i.hdr, NULL);
		plx_store_be16(f.b + f.len - 10, sum); /* now all words add up to 0xffff */
		CHECK_EQ(expected(&f, &i.hdr, NULL), 0);
		check(&f, 0xffff);

		plx_store_be16(f.b + plx_l4_cksum_off(&i.hdr), 0);
		m = packet_whole(f.b, f.len);
		CHECK_EQ(plx_l4_cksum_check(m, &i.hdr), version == 4);
		packet_free(m);
	}
}

/* An echo reply of zeros: the one sum that is really 0. Receivers want 0xffff in it. */
TEST(cksum_l4, icmp_all_zero)
{
	struct frame f = {.len = 0};

	put_eth(&f, PLX_ETHER_IPV4);
	put_ipv4(&f, PLX_IP_ICMP, 0, 12);
	put_zero(&f, 12);
	check(&f, 0xffff);
}

/* A sum of TCP that comes out as 0 stays 0. */
TEST(cksum_l4, tcp_zero)
{
	uint64_t state = 3;
	struct frame f;
	struct plx_pkt_info i;

	build(&f, 4, PLX_IP_TCP, 10, &state);
	plx_pkt_parse_mem(f.b, f.len, &i);
	plx_store_be16(f.b + f.len - 10, 0);
	plx_store_be16(f.b + f.len - 10, expected(&f, &i.hdr, NULL));
	check(&f, 0);
}

static const uint8_t final_dst[16] = {0xfd, 0x55, 0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

/* A UDP packet with a routing header of 8 * (1 + more) bytes; *rh is where it is. */
static struct plx_pkt_info routed(
	struct frame *f, uint8_t type, uint8_t left, uint8_t more, uint8_t **rh)
{
	struct plx_pkt_info i;

	f->len = 0;
	put_eth(f, PLX_ETHER_IPV6);
	put_ipv6(f, PLX_IP_ROUTING, 8u + 8u * more + 12);
	*rh = put_ext(f, PLX_IP_UDP, more);
	(*rh)[2] = type;
	(*rh)[3] = left;
	put_udp(f, 53, 4);
	put(f, "abcd", 4);
	plx_pkt_parse_mem(f->b, f->len, &i);
	return i;
}

TEST(cksum_l4, routing_headers)
{
	struct plx_pkt_info i;
	struct frame f;
	uint8_t *rh, dst[16];

	i = routed(&f, 0, 2, 4, &rh); /* type 0: the last of two */
	memcpy(rh + 8 + 16, final_dst, 16);
	check(&f, expected(&f, &i.hdr, final_dst));
	i = routed(&f, 0, 0, 4, &rh); /* nothing left: the header's own */
	memcpy(rh + 8 + 16, final_dst, 16);
	CHECK_EQ(i.hdr.routing, 0);
	check(&f, expected(&f, &i.hdr, NULL));
	i = routed(&f, 2, 1, 2, &rh); /* mobility: the only one */
	memcpy(rh + 8, final_dst, 16);
	check(&f, expected(&f, &i.hdr, final_dst));
	i = routed(&f, 4, 1, 6, &rh); /* segments: in reverse, and a TLV behind the list */
	rh[4] = 1;
	memcpy(rh + 8, final_dst, 16);
	check(&f, expected(&f, &i.hdr, final_dst));

	/* RPL: two addresses, the first without 8 bytes, the last without 5, then 5 of padding */
	i = routed(&f, 3, 2, 3, &rh);
	rh[4] = 0x85;
	rh[5] = 0x50;
	memcpy(rh + 8 + 8, final_dst + 5, 11);
	memcpy(dst, f.b + 14 + 24, 5);
	memcpy(dst + 5, final_dst + 5, 11);
	check(&f, expected(&f, &i.hdr, dst));
}

TEST(cksum_l4, routing_headers_that_lie)
{
	static const struct {
		uint8_t type, more, data0, data1;
	} rows[] = {
		{0, 1, 0, 0}, /* no address at all */
		{2, 0, 0, 0}, {4, 1, 0, 0}, {3, 0, 0x00, 0x00},
		{3, 1, 0x0f, 0xf0}, /* padding longer than the rest */
		{253, 2, 0, 0},     /* for experiments */
	};

	for (size_t n = 0; n < PLX_ARRAY_SIZE(rows); n++) {
		struct frame f;
		uint8_t *rh;
		struct plx_pkt_info i = routed(&f, rows[n].type, 1, rows[n].more, &rh);
		struct plx_mbuf *m;
		plx_be16 sum;

		rh[4] = rows[n].data0;
		rh[5] = rows[n].data1;
		f.b[plx_l4_cksum_off(&i.hdr)] = 1; /* 0 would be wrong in itself */
		m = packet(f.b, f.len, 60, 1, NULL);
		CHECK(i.hdr.routing != 0);
		CHECK_EQ(plx_l4_cksum_mbuf(m, &i.hdr, &sum), -EINVAL);
		CHECK_HAS(plx_errmsg(), "without a final destination");
		CHECK_EQ(plx_l4_cksum_check(m, &i.hdr), -EINVAL);
		packet_free(m);
	}
}

/* What has no checksum that could be computed. */
TEST(cksum_l4, refusals)
{
	uint64_t state = 4;
	struct plx_pkt_info i;
	struct plx_mbuf *m;
	struct frame f;
	plx_be16 sum = {7};
	plx_le32 crc;
	uint32_t part;

	build(&f, 4, PLX_IP_UDP, 10, &state);
	m = packet_whole(f.b, f.len - 1);
	plx_pkt_parse(m, &i);
	CHECK_EQ(plx_l4_cksum_mbuf(m, &i.hdr, &sum), -EINVAL);
	CHECK_HAS(plx_errmsg(), "ends before");
	CHECK_EQ(plx_l4_cksum_check(m, &i.hdr), -EINVAL);
	CHECK_EQ(plx_sctp_cksum_mbuf(m, &i.hdr, &crc), -EINVAL);
	packet_free(m);

	plx_store_be16(f.b + 20, PLX_IPV4_MF);
	m = packet_whole(f.b, f.len);
	plx_pkt_parse(m, &i);
	CHECK_EQ(plx_l4_cksum_off(&i.hdr), 0);
	CHECK_EQ(plx_l4_cksum_mbuf(m, &i.hdr, &sum), -EINVAL);
	CHECK_HAS(plx_errmsg(), "a fragment");
	packet_free(m);

	f.len = 0;
	put_eth(&f, PLX_ETHER_ARP);
	put_zero(&f, 46);
	m = packet_whole(f.b, f.len);
	plx_pkt_parse(m, &i);
	CHECK_EQ(plx_l4_cksum_mbuf(m, &i.hdr, &sum), -EINVAL);
	CHECK_EQ(plx_l4_phdr_sum_mbuf(m, &i.hdr, 8, &part), -EINVAL);
	CHECK_EQ(plx_l3_cksum_check(m, &i.hdr), 0);
	CHECK_EQ(sum.v, 7);
	/* headers of some other packet: nothing is read that is not there */
	i.hdr.version = 6;
	i.hdr.l3_off = 50;
	CHECK_EQ(plx_l4_phdr_sum_mbuf(m, &i.hdr, 8, &part), -EINVAL);
	i.hdr.version = 4;
	CHECK_EQ(plx_l4_phdr_sum_mbuf(m, &i.hdr, 8, &part), -EINVAL);
	packet_free(m);
}

/* The field of a packet whose checksum the device computes: the pseudo header's sum. */
TEST(cksum_l4, pseudo_header)
{
	uint64_t state = 5;
	struct plx_pkt_info i;
	struct plx_mbuf *m;
	struct frame f;
	uint32_t sum;

	for (int version = 4; version <= 6; version += 2) {
		for (uint32_t cut = 20; cut < 60; cut++) {
			plx_be16 field;

			build(&f, version, PLX_IP_TCP, 11, &state);
			plx_pkt_parse_mem(f.b, f.len, &i);
			plx_store_be16(f.b + plx_l4_cksum_off(&i.hdr), 0);
			m = packet(f.b, f.len, cut, f.len, NULL);
			CHECK_EQ(plx_l4_phdr_sum_mbuf(m, &i.hdr, i.hdr.l4_bytes, &sum), 0);
			field = plx_cksum_fold(sum);
			CHECK_EQ(plx_mbuf_write(m, plx_l4_cksum_off(&i.hdr), &field, 2), 0);
			/* what a device does: sum from layer 4 on, and the complement */
			CHECK_EQ(plx_be16_get(plx_cksum_mbuf(m, i.hdr.l4_off, i.hdr.l4_bytes)),
				expected(&f, &i.hdr, NULL));
			packet_free(m);
		}
	}
	CHECK_EQ(plx_ipv4_phdr_sum_fn((const struct plx_ipv4_hdr *)f.b, 6, 20),
		plx_ipv4_phdr_sum((const struct plx_ipv4_hdr *)f.b, 6, 20));
}

TEST(cksum_l4, ipv4_header)
{
	uint64_t state = 6;

	for (uint32_t opts = 0; opts <= 40; opts += 4) {
		for (uint32_t cut = 14; cut < 76; cut++) {
			struct plx_pkt_info i;
			struct plx_mbuf *m;
			struct frame f = {.len = 0};

			put_eth(&f, PLX_ETHER_IPV4);
			put_ipv4(&f, 253, opts, 10);
			put_zero(&f, 10);
			m = packet(f.b, f.len, cut, f.len, NULL);
			plx_pkt_parse(m, &i);
			CHECK_EQ(plx_l3_cksum_check(m, &i.hdr), 1);
			packet_free(m);
			f.b[14 + 1 + rnd(&state, 9)] ^= 1;
			m = packet(f.b, f.len, cut, f.len, NULL);
			CHECK_EQ(plx_l3_cksum_check(m, &i.hdr), 0);
			packet_free(m);
		}
	}
}

TEST(cksum_l4, sctp)
{
	uint64_t state = 7;

	for (uint32_t len = 12; len < 300; len += 1 + len / 7) {
		struct frame f = {.len = 0};
		struct plx_pkt_info i;
		uint32_t want;

		put_eth(&f, PLX_ETHER_IPV6);
		put_ipv6(&f, PLX_IP_SCTP, len);
		rnd_fill(&state, f.b + f.len, len);
		f.len += len;
		memset(f.b + 54 + 8, 0, 4);
		want = ~plx_crc32c(UINT32_MAX, f.b + 54, len);
		plx_pkt_parse_mem(f.b, f.len, &i);
		for (uint32_t cut = 50; cut < f.len; cut++) {
			struct plx_mbuf *m = packet(f.b, f.len, cut, 50, NULL);
			plx_le32 crc, bad;
			plx_be16 sum;

			CHECK_EQ(plx_sctp_cksum_mbuf(m, &i.hdr, &crc), 0);
			CHECK_EQ(plx_le32_get(crc), want);
			CHECK_EQ(plx_mbuf_write(m, 54 + 8, &crc, 4), 0);
			CHECK_EQ(plx_sctp_cksum_mbuf(m, &i.hdr, &bad), 0);
			CHECK_EQ(bad.v, crc.v);
			CHECK_EQ(plx_l4_cksum_check(m, &i.hdr), 1);
			bad.v ^= 0x8000;
			CHECK_EQ(plx_mbuf_write(m, 54 + 8, &bad, 4), 0);
			CHECK_EQ(plx_l4_cksum_check(m, &i.hdr), 0);
			CHECK_EQ(plx_l4_cksum_mbuf(m, &i.hdr, &sum), -EINVAL);
			packet_free(m);
		}
	}
}
