/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum against a sum byte by byte. */
#include "net_test.h"

#define MIB (1u << 20)

TEST(cksum, rfc1071_example)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	CHECK_EQ(plx_be16_get(plx_cksum_fold(plx_cksum_add(0, data, 8))), 0xddf2);
	CHECK_EQ(plx_be16_get(plx_cksum(data, 8)), 0x220d);
	CHECK_EQ(plx_be16_get(plx_cksum(data, 7)), (uint16_t)~0xdcfb);
	CHECK_EQ(plx_cksum(data, 0).v, 0xffff);
}

/* Every length up to 700, and every alignment within a vector. */
TEST(cksum, lengths_and_alignments)
{
	uint64_t state = 1;
	uint8_t data[64 + 700];

	rnd_fill(&state, data, sizeof(data));
	for (uint32_t len = 0; len <= 700; len++) {
		for (uint32_t at = 0; at < 64; at += len < 80 ? 1 : 13)
			CHECK_EQ(plx_be16_get(plx_cksum(data + at, len)),
				naive_cksum(data + at, len));
	}
}

/* Nothing is read behind the end, whatever the length: the memory ends there. */
TEST(cksum, reads_what_it_is_given)
{
	uint64_t state = 2;

	for (uint32_t len = 1; len < 600; len++) {
		uint8_t *p = malloc(len);

		CHECK(p != NULL);
		rnd_fill(&state, p, len);
		CHECK_EQ(plx_be16_get(plx_cksum(p, len)), naive_cksum(p, len));
		free(p);
	}
}

/* The largest and the smallest sums, and more than one piece of each kind. */
TEST(cksum, long_data)
{
	uint64_t state = 3;
	uint8_t *p = malloc(MIB);

	CHECK(p != NULL);
	for (int byte = 0; byte < 3; byte++) {
		if (byte == 0)
			rnd_fill(&state, p, MIB);
		else
			memset(p, byte == 1 ? 0xff : 0x7f, MIB);
		for (uint32_t len = 131000; len < 131200; len += 7)
			CHECK_EQ(plx_be16_get(plx_cksum(p + 1, len)), naive_cksum(p + 1, len));
		for (uint32_t i = 0; i < 8; i++) {
			uint32_t len = MIB - 16 - rnd(&state, 1000);

			CHECK_EQ(plx_be16_get(plx_cksum(p + i, len)), naive_cksum(p + i, len));
		}
	}
	memset(p, 0, MIB);
	CHECK_EQ(plx_cksum_add(0, p, MIB), 0);
	free(p);
}

TEST(cksum, sums_add_up)
{
	uint64_t state = 4;
	uint8_t data[1000];

	rnd_fill(&state, data, sizeof(data));
	for (int i = 0; i < 1000; i++) {
		uint32_t len = rnd(&state, 1000), cut = rnd(&state, len / 2 + 1) * 2, sum;

		sum = plx_cksum_add(0, data, cut);
		CHECK(sum < 1u << 17);
		CHECK_EQ(plx_be16_get(plx_cksum_finish(plx_cksum_add(sum, data + cut, len - cut))),
			naive_cksum(data, len));
		sum += plx_cksum_add(0, data + cut, len - cut);
		CHECK_EQ(plx_be16_get(plx_cksum_finish(sum)), naive_cksum(data, len));
	}
	/* whatever was there before */
	CHECK(plx_cksum_add(UINT32_MAX, data, 1000) < 1u << 17);
	CHECK_EQ(plx_cksum_fold(plx_cksum_add(UINT32_MAX, data, 1000)).v,
		plx_cksum_fold(plx_cksum_add(0, data, 1000)).v); /* it is 0 modulo 65535 */
}

TEST(cksum, fold_and_finish)
{
	CHECK_EQ(plx_cksum_fold(0).v, 0);
	CHECK_EQ(plx_cksum_fold(0xffff).v, 0xffff);
	CHECK_EQ(plx_cksum_fold(0x10000).v, 1);
	CHECK_EQ(plx_cksum_fold(0x1ffff).v, 1);
	CHECK_EQ(plx_cksum_fold(UINT32_MAX).v, 0xffff);
	CHECK_EQ(plx_cksum_fold_fn(0x12345678).v, 0x68ac);
	CHECK_EQ(plx_cksum_finish_fn(0x12345678).v, 0x9753);
	CHECK_EQ(plx_cksum_udp(0x12345678).v, 0x9753);
	CHECK_EQ(plx_cksum_udp(0xffff).v, 0xffff);
	CHECK_EQ(plx_cksum_udp_fn(0x1fffe).v, 0xffff);
	CHECK_EQ(plx_cksum_udp_nonzero((plx_be16){0}).v, 0xffff);
	CHECK_EQ(plx_cksum_udp_nonzero_fn((plx_be16){7}).v, 7);
}

/* Parts of packets whose segments are cut anywhere, also at odd bytes, also empty ones. */
TEST(cksum, chains)
{
	uint64_t state = 5;
	uint8_t data[1500];

	for (int i = 0; i < 2000; i++) {
		uint32_t len = 1 + rnd(&state, i % 4 == 0 ? 1500 : 100), off = rnd(&state, len),
			 part = rnd(&state, len - off + 1);
		struct plx_mbuf *m;

		rnd_fill(&state, data, len);
		m = packet(data, len, rnd(&state, len + 1), 1 + rnd(&state, 300), &state);
		CHECK_EQ(plx_be16_get(plx_cksum_mbuf(m, off, part)), naive_cksum(data + off, part));
		/* what is behind the end counts as zero */
		CHECK_EQ(plx_be16_get(plx_cksum_mbuf(m, off, UINT32_MAX)),
			naive_cksum(data + off, len - off));
		CHECK_EQ(plx_cksum_add_mbuf(5, m, len, 100), 5);
		packet_free(m);
	}
}

/* As many one-byte segments of 0xff as a packet can have: the sum is the largest there is. */
TEST(cksum, many_segments)
{
	static uint8_t data[65535];
	struct plx_mbuf *m;

	memset(data, 0xff, sizeof(data));
	m = packet(data, sizeof(data), 1, 1, NULL);
	CHECK_EQ(plx_be16_get(plx_cksum_mbuf(m, 0, 65535)), naive_cksum(data, 65535));
	packet_free(m);
}

TEST(cksum, update_is_a_new_sum)
{
	uint64_t state = 6;
	uint8_t data[60], was[60];

	for (int i = 0; i < 20000; i++) {
		uint32_t len = 40 + 2 * rnd(&state, 11), at, size;
		plx_be16 old, b16[2];
		plx_be32 b32[2];

		rnd_fill(&state, data, len);
		if (i % 8 == 0)
			memset(data + 2, i % 16 == 0 ? 0 : 0xff, len - 2);
		data[0] |= 1; /* never all zero: a version, a length, a protocol */
		memcpy(was, data, len);
		old = plx_cksum(data, len);
		size = i % 3 == 0 ? 2 : i % 3 == 1 ? 4 : 16;
		at = 2 + 2 * rnd(&state, (len - 2 - size) / 2 + 1);
		if (i % 5 == 0)
			memset(data + at, i % 2 == 0 ? 0 : 0xff, size);
		else
			rnd_fill(&state, data + at, size);
		memcpy(&b16[0], was + at, 2);
		memcpy(&b16[1], data + at, 2);
		memcpy(&b32[0], was + at, PLX_MIN(size, 4u));
		memcpy(&b32[1], data + at, PLX_MIN(size, 4u));
		if (size == 2)
			old = plx_cksum_update16(old, b16[0], b16[1]);
		else if (size == 4)
			old = plx_cksum_update32(old, b32[0], b32[1]);
		else
			old = plx_cksum_update(old, was + at, data + at, size);
		CHECK_EQ(plx_be16_get(old), naive_cksum(data, len));
	}
}

/* RFC 1624, 4: where an equation with the wrong kind of zero gives 0xffff. */
TEST(cksum, rfc1624_example)
{
	plx_be16 c = plx_be16_make(0xdd2f), was = plx_be16_make(0x5555);

	CHECK_EQ(plx_be16_get(plx_cksum_update16(c, was, plx_be16_make(0x3285))), 0x0000);
	CHECK_EQ(plx_be16_get(plx_cksum_update16_fn(c, was, plx_be16_make(0x3285))), 0x0000);
	CHECK_EQ(plx_be16_get(plx_cksum_update32_fn(
			 c, plx_be32_make(0x00005555), plx_be32_make(0x00003285))),
		0x0000);
}

TEST(cksum, ipv4_header)
{
	static const uint8_t known[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40,
		0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	struct plx_ipv4_hdr h;
	uint64_t state = 7;
	uint8_t data[60];

	memcpy(&h, known, sizeof(h));
	CHECK_EQ(plx_be16_get(plx_ipv4_cksum(&h)), 0xb861);
	CHECK_EQ(plx_cksum(&h, sizeof(h)).v, 0);
	h.cksum = plx_be16_make(0x1234);
	CHECK_EQ(plx_be16_get(plx_ipv4_cksum_fn(&h)), 0xb861);
	for (int i = 0; i < 1000; i++) {
		uint32_t words = 5 + rnd(&state, 11);
		uint16_t have;

		rnd_fill(&state, data, 4 * words);
		data[0] = (uint8_t)(0x40 | words);
		have = plx_be16_get(plx_ipv4_cksum((const struct plx_ipv4_hdr *)data));
		memset(data + 10, 0, 2);
		CHECK_EQ(have, naive_cksum(data, 4 * words));
	}
}

/* CRC32c: the vectors of RFC 3720, B.4, and the usual check value. */
TEST(cksum, crc32c_vectors)
{
	uint8_t up[32], down[32], same[32] = {0};

	for (unsigned i = 0; i < 32; i++) {
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)(31 - i);
	}
	CHECK_EQ(~plx_crc32c(UINT32_MAX, same, 32), 0x8a9136aau);
	CHECK_EQ(~plx_crc32c(UINT32_MAX, up, 32), 0x46dd794eu);
	CHECK_EQ(~plx_crc32c(UINT32_MAX, down, 32), 0x113fdb5cu);
	memset(same, 0xff, 32);
	CHECK_EQ(~plx_crc32c(UINT32_MAX, same, 32), 0x62a8ab43u);
	CHECK_EQ(~plx_crc32c(UINT32_MAX, "123456789", 9), 0xe3069283u);
	CHECK_EQ(plx_crc32c(77, up, 0), 77);
}

TEST(cksum, crc32c_bit_by_bit)
{
	uint64_t state = 8;
	uint8_t data[200];

	rnd_fill(&state, data, sizeof(data));
	for (uint32_t len = 0; len < 180; len++) {
		const uint8_t *p = data + len % 9;
		uint32_t crc = 0x1234567, cut = rnd(&state, len + 1);

		for (uint32_t i = 0; i < len; i++) {
			crc ^= p[i];
			for (int bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
		}
		CHECK_EQ(plx_crc32c(0x1234567, p, len), crc);
		CHECK_EQ(plx_crc32c(plx_crc32c(0x1234567, p, cut), p + cut, len - cut), crc);
	}
}
