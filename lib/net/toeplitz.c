/* SPDX-License-Identifier: BSD-3-Clause */
/* The Toeplitz hash: keys, tables, and the choice between table and multiplication. */
#include "plx_log.h"
#include "net_priv.h"

/* Microsoft, "Verifying the RSS Hash Calculation". */
const uint8_t plx_toeplitz_key_default[PLX_TOEPLITZ_KEY_LEN] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b,
	0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae,
	0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b,
	0xbe, 0xac, 0x01, 0xfa};

/* The 32 bits of key that begin at bit i, i % 8 being the bit in a byte from its top. */
static uint32_t key_bits(const uint8_t *key, unsigned i)
{
	uint64_t five = (uint64_t)plx_load_be32(key + i / 8) << 8 | key[i / 8 + 4];

	return (uint32_t)(five >> (8 - i % 8));
}

/* The 63 bits of key that the 4 bytes of input from byte at meet, the first as bit 0. */
static uint64_t key_window(const uint8_t *key, unsigned at)
{
	uint64_t w = 0;

	for (unsigned m = 0; m < 63; m++)
		w |= (uint64_t)(key[at + m / 8] >> (7 - m % 8) & 1) << m;
	return w;
}

int plx_toeplitz_init(struct plx_toeplitz *t, const uint8_t *key, size_t len)
{
	/* the key, then zeros: what is read past its end */
	uint8_t k[PLX_TOEPLITZ_KEY_MAX + 4] = {0};

	if (len < PLX_TOEPLITZ_KEY_MIN || len > PLX_TOEPLITZ_KEY_MAX)
		return plx_err(EINVAL, "Toeplitz key of %zu bytes, must be %d to %d", len,
			PLX_TOEPLITZ_KEY_MIN, PLX_TOEPLITZ_KEY_MAX);
	memcpy(k, key, len);
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(t->window); i++)
		t->window[i] = key_window(k, 4 * i);
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(t->nibble); i++) {
		for (unsigned v = 0; v < 16; v++) {
			t->nibble[i][v] = 0;
			for (unsigned bit = 0; bit < 4; bit++)
				if (v & (8u >> bit))
					t->nibble[i][v] ^= key_bits(k, 4 * i + bit);
		}
	}
	t->max = (uint32_t)len - 4;
	t->clmul = net_toeplitz_have_clmul();
	return 0;
}

void plx_toeplitz_key_symmetric(uint8_t *key, size_t len, uint16_t seed)
{
	for (size_t i = 0; i < len; i++)
		key[i] = (uint8_t)(i % 2 == 0 ? seed >> 8 : seed);
}

/* The hash of bytes [from, len) of the input, which begins at p. */
static inline uint32_t by_table(
	const struct plx_toeplitz *t, const uint8_t *p, size_t from, size_t len)
{
	uint32_t hash = 0;

	for (size_t i = from; i < len; i++)
		hash ^= t->nibble[2 * i][p[i] >> 4] ^ t->nibble[2 * i + 1][p[i] & 0xf];
	return hash;
}

uint32_t plx_toeplitz_hash(const struct plx_toeplitz *t, const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;
	uint32_t hash = 0;
	size_t done = 0;

	len = PLX_MIN(len, (size_t)t->max);
#if NET_X86
	if (plx_likely(t->clmul)) {
		hash = net_toeplitz_clmul(t, p, (unsigned)(len / 4));
		done = len & ~(size_t)3;
	}
#endif
	return plx_likely(done == len) ? hash : hash ^ by_table(t, p, done, len);
}

/* A word of input at byte 4 * i, in the CPU's order. */
static inline uint32_t word(const struct plx_toeplitz *t, unsigned i, uint32_t v)
{
	uint32_t hash = 0;

	for (unsigned n = 0; n < 8; n++, v <<= 4)
		hash ^= t->nibble[8 * i + n][v >> 28];
	return hash;
}

uint32_t plx_toeplitz_ipv4(const struct plx_toeplitz *t, plx_be32 src, plx_be32 dst)
{
	uint32_t a = plx_be32_get(src), b = plx_be32_get(dst);

#if NET_X86
	if (plx_likely(t->clmul))
		return net_toeplitz_clmul2(t, a, b);
#endif
	return word(t, 0, a) ^ word(t, 1, b);
}

uint32_t plx_toeplitz_ipv4_l4(
	const struct plx_toeplitz *t, plx_be32 src, plx_be32 dst, plx_be16 sport, plx_be16 dport)
{
	uint32_t a = plx_be32_get(src), b = plx_be32_get(dst);
	uint32_t ports = (uint32_t)plx_be16_get(sport) << 16 | plx_be16_get(dport);

#if NET_X86
	if (plx_likely(t->clmul))
		return net_toeplitz_clmul3(t, a, b, ports);
#endif
	return word(t, 0, a) ^ word(t, 1, b) ^ word(t, 2, ports);
}

/* The tuple is put together in memory: its parts need not lie beside each other. */
uint32_t plx_toeplitz_ipv6(const struct plx_toeplitz *t, const uint8_t src[PLX_IPV6_ADDR_LEN],
	const uint8_t dst[PLX_IPV6_ADDR_LEN])
{
	uint8_t tuple[2 * PLX_IPV6_ADDR_LEN];

	memcpy(tuple, src, PLX_IPV6_ADDR_LEN);
	memcpy(tuple + PLX_IPV6_ADDR_LEN, dst, PLX_IPV6_ADDR_LEN);
	return plx_toeplitz_hash(t, tuple, sizeof(tuple));
}

uint32_t plx_toeplitz_ipv6_l4(const struct plx_toeplitz *t, const uint8_t src[PLX_IPV6_ADDR_LEN],
	const uint8_t dst[PLX_IPV6_ADDR_LEN], plx_be16 sport, plx_be16 dport)
{
	uint8_t tuple[PLX_TOEPLITZ_TUPLE_MAX];

	memcpy(tuple, src, PLX_IPV6_ADDR_LEN);
	memcpy(tuple + PLX_IPV6_ADDR_LEN, dst, PLX_IPV6_ADDR_LEN);
	memcpy(tuple + 32, &sport, 2);
	memcpy(tuple + 34, &dport, 2);
	return plx_toeplitz_hash(t, tuple, sizeof(tuple));
}

void plx_toeplitz_hash_bulk(const struct plx_toeplitz *t, const void *data, size_t stride,
	size_t len, uint32_t *hash, unsigned n)
{
	const uint8_t *p = (const uint8_t *)data;

	len = PLX_MIN(len, (size_t)t->max);
#if NET_X86
	if (plx_likely(t->clmul && len % 4 == 0)) {
		net_toeplitz_clmul_bulk(t, p, stride, (unsigned)(len / 4), hash, n);
		return;
	}
#endif
	for (unsigned i = 0; i < n; i++, p += stride)
		hash[i] = plx_toeplitz_hash(t, p, len);
}

unsigned plx_pkt_tuple(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, bool ports,
	uint8_t tuple[PLX_TOEPLITZ_TUPLE_MAX])
{
	uint8_t buf[2 * PLX_IPV6_ADDR_LEN];
	unsigned len = h->version == 4 ? 8 : 2 * PLX_IPV6_ADDR_LEN;
	uint32_t at = h->version == 4 ? (uint32_t)offsetof(struct plx_ipv4_hdr, src)
				      : (uint32_t)offsetof(struct plx_ipv6_hdr, src);
	const void *p = h->version != 0 ? net_peek(m, h->l3_off + at, len, buf) : NULL;

	if (p == NULL)
		return 0;
	memcpy(tuple, p, len);
	if (!ports || h->l4_len == 0 ||
		(h->proto != PLX_IP_TCP && h->proto != PLX_IP_UDP && h->proto != PLX_IP_SCTP))
		return len;
	p = net_peek(m, h->l4_off, 4, buf); /* in all three, the ports come first */
	if (p == NULL)
		return len;
	memcpy(tuple + len, p, 4);
	return len + 4;
}
