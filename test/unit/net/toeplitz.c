/* SPDX-License-Identifier: BSD-3-Clause */
/* The Toeplitz hash against its definition, bit by bit, and Microsoft's verification suite. */
#include "net_test.h"

/* "RSS Hashing Types": for each bit of the input from its top, the key's top 32 bits; then shift. */
static uint32_t reference(const uint8_t *key, size_t key_len, const uint8_t *in, size_t len)
{
	uint8_t k[PLX_TOEPLITZ_KEY_MAX + 1] = {0};
	uint32_t hash = 0;

	memcpy(k, key, key_len);
	for (size_t bit = 0; bit < 8 * len && bit / 8 + 4 < key_len; bit++) {
		if (in[bit / 8] & (0x80 >> bit % 8))
			hash ^= (uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 | (uint32_t)k[2] << 8 |
				k[3];
		for (size_t i = 0; i + 1 < sizeof(k); i++)
			k[i] = (uint8_t)(k[i] << 1 | k[i + 1] >> 7);
	}
	return hash;
}

static plx_be32 ip(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	return plx_be32_make(a << 24 | b << 16 | c << 8 | d);
}

/* As this CPU does it, and by the table. */
#define BOTH_WAYS(t) for (int way = 0; way < 2; way++, (t)->clmul = 0)

TEST(toeplitz, microsoft_ipv4)
{
	const struct {
		plx_be32 src, dst;
		uint16_t sport, dport;
		uint32_t plain, ports;
	} rows[] = {
		{ip(66, 9, 149, 187), ip(161, 142, 100, 80), 2794, 1766, 0x323e8fc2, 0x51ccc178},
		{ip(199, 92, 111, 2), ip(65, 69, 140, 83), 14230, 4739, 0xd718262a, 0xc626b0ea},
		{ip(24, 19, 198, 95), ip(12, 22, 207, 184), 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
		{ip(38, 27, 205, 30), ip(209, 142, 163, 6), 48228, 2217, 0x82989176, 0xafc7327f},
		{ip(153, 39, 163, 191), ip(202, 188, 127, 2), 44251, 1303, 0x5d1809c5, 0x10e828a2},
	};
	struct plx_toeplitz t;

	CHECK_EQ(plx_toeplitz_init(&t, plx_toeplitz_key_default, 40), 0);
	BOTH_WAYS(&t)
	{
		for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
			CHECK_EQ(plx_toeplitz_ipv4(&t, rows[i].src, rows[i].dst), rows[i].plain);
			CHECK_EQ(
				plx_toeplitz_ipv4_l4(&t, rows[i].src, rows[i].dst,
					plx_be16_make(rows[i].sport), plx_be16_make(rows[i].dport)),
				rows[i].ports);
		}
	}
}

TEST(toeplitz, microsoft_ipv6)
{
	static const struct {
		uint8_t src[16], dst[16];
		uint16_t sport, dport;
		uint32_t plain, ports;
	} rows[] = {
		{{0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, [15] = 7},
			{0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, [15] = 1}, 2794, 1766,
			0x2cc18cd5, 0x40207d3d},
		{{0x3f, 0xfe, 0x05, 0x01, 0x00, 0x08, 0, 0, 0x02, 0x60, 0x97, 0xff, 0xfe, 0x40,
			 0xef, 0xab},
			{0xff, 0x02, [15] = 1}, 14230, 4739, 0x0f0c461c, 0xdde51bbf},
		{{0x3f, 0xfe, 0x19, 0x00, 0x45, 0x45, 0x00, 0x03, 0x02, 0x00, 0xf8, 0xff, 0xfe,
			 0x21, 0x67, 0xcf},
			{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0x00, 0xf8, 0xff, 0xfe, 0x21, 0x67,
				0xcf},
			44251, 38024, 0x4b61e985, 0x02d1feef},
	};
	struct plx_toeplitz t;

	CHECK_EQ(plx_toeplitz_init(&t, plx_toeplitz_key_default, 40), 0);
	BOTH_WAYS(&t)
	{
		for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
			CHECK_EQ(plx_toeplitz_ipv6(&t, rows[i].src, rows[i].dst), rows[i].plain);
			CHECK_EQ(
				plx_toeplitz_ipv6_l4(&t, rows[i].src, rows[i].dst,
					plx_be16_make(rows[i].sport), plx_be16_make(rows[i].dport)),
				rows[i].ports);
		}
	}
}

/* Any key length, any input length (longer than the key covers, too), one by one and in bulk. */
TEST(toeplitz, bit_by_bit)
{
	uint64_t state = 1;
	uint8_t key[PLX_TOEPLITZ_KEY_MAX], in[9 * 64];
	struct plx_toeplitz t;

	for (size_t key_len = PLX_TOEPLITZ_KEY_MIN; key_len <= PLX_TOEPLITZ_KEY_MAX; key_len++) {
		rnd_fill(&state, key, key_len);
		rnd_fill(&state, in, sizeof(in));
		CHECK_EQ(plx_toeplitz_init(&t, key, key_len), 0);
		BOTH_WAYS(&t)
		{
			for (size_t len = 0; len <= 60; len++) {
				uint32_t hash[9], n = rnd(&state, 10);

				CHECK_EQ(plx_toeplitz_hash(&t, in + 3, len),
					reference(key, key_len, in + 3, len));
				plx_toeplitz_hash_bulk(&t, in, 63, len, hash, n);
				for (uint32_t i = 0; i < n; i++)
					CHECK_EQ(hash[i],
						reference(key, key_len, in + (size_t)63 * i, len));
			}
		}
	}
}

TEST(toeplitz, reads_what_it_is_given)
{
	uint64_t state = 2;
	struct plx_toeplitz t;

	CHECK_EQ(plx_toeplitz_init(&t, plx_toeplitz_key_default, 40), 0);
	for (size_t len = 1; len <= 60; len++) {
		uint8_t *in = malloc(len);

		CHECK(in != NULL);
		rnd_fill(&state, in, len);
		CHECK_EQ(plx_toeplitz_hash(&t, in, len),
			reference(plx_toeplitz_key_default, 40, in, len));
		free(in);
	}
}

TEST(toeplitz, key_lengths)
{
	struct plx_toeplitz t;
	uint8_t key[64] = {0};

	CHECK_EQ(plx_toeplitz_init(&t, key, PLX_TOEPLITZ_KEY_MIN - 1), -EINVAL);
	CHECK_HAS(plx_errmsg(), "15 bytes, must be 16 to 52");
	CHECK_EQ(plx_toeplitz_init(&t, key, PLX_TOEPLITZ_KEY_MAX + 1), -EINVAL);
	CHECK_EQ(plx_toeplitz_init(&t, key, PLX_TOEPLITZ_KEY_MAX), 0);
}

TEST(toeplitz, symmetric_key)
{
	uint64_t state = 3;
	uint8_t key[40], six[32], *a = six, *b = six + 16;
	struct plx_toeplitz t;

	plx_toeplitz_key_symmetric(key, sizeof(key), 0x6d5a);
	CHECK_EQ(key[0], 0x6d);
	CHECK_EQ(key[39], 0x5a);
	CHECK_EQ(plx_toeplitz_init(&t, key, sizeof(key)), 0);
	BOTH_WAYS(&t)
	{
		for (int i = 0; i < 500; i++) {
			plx_be32 src = {rnd(&state, UINT32_MAX)}, dst = {rnd(&state, UINT32_MAX)};
			plx_be16 sp = {(uint16_t)rnd(&state, 65536)},
				 dp = {(uint16_t)rnd(&state, 65536)};

			rnd_fill(&state, six, sizeof(six));
			CHECK_EQ(plx_toeplitz_ipv4(&t, src, dst), plx_toeplitz_ipv4(&t, dst, src));
			CHECK_EQ(plx_toeplitz_ipv4_l4(&t, src, dst, sp, dp),
				plx_toeplitz_ipv4_l4(&t, dst, src, dp, sp));
			CHECK_EQ(plx_toeplitz_ipv6(&t, a, b), plx_toeplitz_ipv6(&t, b, a));
			CHECK_EQ(plx_toeplitz_ipv6_l4(&t, a, b, sp, dp),
				plx_toeplitz_ipv6_l4(&t, b, a, dp, sp));
			/* and it still tells flows apart */
			CHECK(plx_toeplitz_ipv4(&t, src, dst) !=
				plx_toeplitz_ipv4(&t, (plx_be32){src.v ^ 1}, dst));
		}
	}
}

/* A packet of one kind and what its tuple must be, in one segment and cut at every byte. */
static void check_tuple(const struct frame *f, bool ports, const void *want, unsigned len)
{
	for (uint32_t cut = 0; cut <= f->len; cut++) {
		struct plx_mbuf *m = packet(f->b, f->len, cut, f->len, NULL);
		struct plx_pkt_info info;
		uint8_t tuple[PLX_TOEPLITZ_TUPLE_MAX];

		plx_pkt_parse(m, &info);
		CHECK_EQ(plx_pkt_tuple(m, &info.hdr, ports, tuple), len);
		CHECK(memcmp(tuple, want, len) == 0);
		packet_free(m);
	}
}

TEST(toeplitz, tuple_of_a_packet)
{
	static const uint8_t protos[] = {PLX_IP_TCP, PLX_IP_UDP, PLX_IP_SCTP, PLX_IP_ICMP};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(protos); i++) {
		bool has = protos[i] != PLX_IP_ICMP;
		uint8_t *l4, *l3;
		struct frame f = {.len = 0};

		put_eth(&f, PLX_ETHER_IPV4);
		l3 = (uint8_t *)put_ipv4(&f, protos[i], 8, 28);
		l4 = f.b + f.len;
		put_tcp(&f, 8); /* the ports are where the others have them */
		if (protos[i] == PLX_IP_UDP)
			plx_store_be16(l4 + 4, 28);
		uint8_t want[12];
		memcpy(want, l3 + 12, 8);
		memcpy(want + 8, l4, 4);
		check_tuple(&f, false, want, 8);
		check_tuple(&f, true, want, has ? 12 : 8);
		/* a fragment has no ports, the first one neither */
		plx_store_be16(l3 + 6, PLX_IPV4_MF);
		check_tuple(&f, true, want, 8);
	}
	struct frame f = {.len = 0};
	uint8_t want[36];

	put_eth(&f, PLX_ETHER_VLAN);
	put_tag(&f, PLX_ETHER_IPV6);
	memcpy(want, put_ipv6(&f, PLX_IP_DSTOPTS, 28)->src, 32);
	put_ext(&f, PLX_IP_TCP, 0);
	memcpy(want + 32, put_tcp(&f, 0), 4);
	check_tuple(&f, false, want, 32);
	check_tuple(&f, true, want, 36);
	f.b[12] = 0x12;
	check_tuple(&f, true, want, 0);
}
