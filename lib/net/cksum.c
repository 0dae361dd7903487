/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum of bytes in one piece and of packets.
 *
 * One's complement addition is addition modulo 65535, so 16-bit words may be added in any grouping
 * and as parts of wider words (RFC 1071, 2): less than FEW bytes are added 8 at a time, more in
 * vectors of 16 bytes, which x86-64 and arm64 always have, and NET_AVX2_MIN and more with AVX2. What
 * is left behind whole vectors is read with the last vector that ends where the data ends, and what
 * was there before is masked out.
 */
#include "net_priv.h"

#if NET_X86
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

/* Below, no vector instructions. */
#define FEW 128

const uint8_t net_last_mask[64] PLX_ALIGNED(64) = {[32 ... 63] = 0xff};

#if NET_X86
/*
 * n bytes, an even number from 16 to NET_PIECE. The multiplication by 1 that adds neighbours takes
 * signed words: 32768 is subtracted from each (its top bit is flipped) and added again at the end.
 */
static inline uint64_t sum_vectors(const uint8_t *p, size_t n)
{
	const __m128i bias = _mm_set1_epi16(INT16_MIN), one = _mm_set1_epi16(1);
	const uint8_t *end = p + n;
	size_t rest = n % 16;
	__m128i a = _mm_setzero_si128(), b = a, v, mask;

	for (; end - p >= 32; p += 32) {
		v = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p), bias);
		a = _mm_add_epi32(a, _mm_madd_epi16(v, one));
		v = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(p + 16)), bias);
		b = _mm_add_epi32(b, _mm_madd_epi16(v, one));
	}
	if (end - p >= 16) {
		v = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p), bias);
		a = _mm_add_epi32(a, _mm_madd_epi16(v, one));
	}
	if (rest != 0) {
		mask = _mm_loadu_si128((const __m128i *)(net_last_mask + 16 + rest));
		v = _mm_and_si128(_mm_loadu_si128((const __m128i *)(end - 16)), mask);
		b = _mm_add_epi32(b, _mm_madd_epi16(_mm_xor_si128(v, bias), one));
		n += 16 - rest;
	}
	a = _mm_add_epi32(a, b);
	a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0x4e));
	a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0xb1));
	return (uint64_t)(_mm_cvtsi128_si32(a) + (int64_t)n / 2 * 32768);
}
#elif defined(__ARM_NEON) && defined(__aarch64__)
static inline uint64_t sum_vectors(const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	uint32x4_t a = vdupq_n_u32(0), b = a;
	uint8x16_t v;

	for (; end - p >= 32; p += 32) {
		a = vpadalq_u16(a, vreinterpretq_u16_u8(vld1q_u8(p)));
		b = vpadalq_u16(b, vreinterpretq_u16_u8(vld1q_u8(p + 16)));
	}
	if (end - p >= 16)
		a = vpadalq_u16(a, vreinterpretq_u16_u8(vld1q_u8(p)));
	if (n % 16 != 0) {
		v = vandq_u8(vld1q_u8(end - 16), vld1q_u8(net_last_mask + 16 + n % 16));
		b = vpadalq_u16(b, vreinterpretq_u16_u8(v));
	}
	return vaddlvq_u32(a) + vaddlvq_u32(b);
}
#else
static inline uint64_t sum_vectors(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;
	uint16_t x;

	for (const uint8_t *end = p + n; p != end; p += sizeof(x)) {
		memcpy(&x, p, sizeof(x));
		sum += x;
	}
	return sum;
}
#endif

/* Words of 8 bytes at p, added modulo 2^64 - 1, which is a multiple of 65535. */
static PLX_ALWAYS_INLINE uint64_t add_words(uint64_t sum, const uint8_t *p, unsigned words)
{
	uint64_t x;
#if NET_X86
	unsigned long long s = sum;
	unsigned char carry = 0;

	for (unsigned i = 0; i < words; i++) {
		memcpy(&x, p + (size_t)8 * i, sizeof(x));
		carry = _addcarry_u64(carry, s, x, &s);
	}
	return s + carry;
#else
	for (unsigned i = 0; i < words; i++) {
		memcpy(&x, p + (size_t)8 * i, sizeof(x));
		sum += x;
		sum += sum < x;
	}
	return sum;
#endif
}

/* Less than 8 bytes. */
static inline uint64_t sum_tiny(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;
	uint32_t x4;
	uint16_t x2;

	if (n & 4) {
		memcpy(&x4, p, 4);
		sum = x4;
		p += 4;
	}
	if (n & 2) {
		memcpy(&x2, p, 2);
		sum += x2;
		p += 2;
	}
	return n & 1 ? sum + net_odd_byte(p) : sum;
}

/* Some more, added to sum. */
static inline uint64_t sum_few(uint64_t sum, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	uint64_t x;

	for (; end - p >= 32; p += 32)
		sum = add_words(sum, p, 4);
	if (n & 16) {
		sum = add_words(sum, p, 2);
		p += 16;
	}
	if (n & 8)
		sum = add_words(sum, p, 1);
	if (n % 8 != 0) { /* the last 8 bytes without those that were added */
		memcpy(&x, end - 8, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		x >>= 64 - 8 * (n % 8);
#else
		x <<= 64 - 8 * (n % 8);
#endif
		sum += x;
		sum += sum < x;
	}
	return sum;
}

/* More than NET_PIECE: sums of so many words need more than 32 bits. */
static PLX_NOINLINE uint32_t add_pieces(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > NET_PIECE; p += NET_PIECE, len -= NET_PIECE)
		sum = plx_cksum_add(sum, p, NET_PIECE);
	return plx_cksum_add(sum, p, len);
}

uint32_t plx_cksum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;
	uint64_t s = sum;

	if (len < 8)
		return plx_cksum_narrow_(s + sum_tiny(p, len));
	if (len < FEW)
		return plx_cksum_narrow_(sum_few(s, p, len));
	if (plx_unlikely(len > NET_PIECE))
		return add_pieces(sum, p, len);
#if NET_X86
	if (len >= NET_AVX2_MIN && NET_CPU_HAS("avx2"))
		return net_cksum_add_avx2(sum, p, len);
#endif
	if (len % 2 != 0)
		s += net_odd_byte(p + --len);
	return plx_cksum_narrow_(s + sum_vectors(p, len));
}

plx_be16 plx_cksum(const void *p, size_t len)
{
	return plx_cksum_finish(plx_cksum_add(0, p, len));
}

uint32_t plx_cksum_add_mbuf(uint32_t sum, const struct plx_mbuf *m, uint32_t off, uint32_t len)
{
	uint64_t s = sum;
	bool odd = false;

	if (plx_likely((uint64_t)off + len <= m->data_len))
		return plx_cksum_add(sum, plx_mbuf_data(m) + off, len);
	for (; m != NULL && len > 0; m = m->next) {
		uint32_t part, x;

		if (off >= m->data_len) {
			off -= m->data_len;
			continue;
		}
		part = PLX_MIN(len, m->data_len - off);
		x = plx_cksum_add(0, plx_mbuf_data(m) + off, part);
		/* What begins at an odd byte was summed with the bytes of each word swapped. */
		s += odd ? __builtin_bswap16(plx_cksum_fold(x).v) : x;
		odd ^= part & 1;
		len -= part;
		off = 0;
	}
	return plx_cksum_narrow_(s);
}

plx_be16 plx_cksum_mbuf(const struct plx_mbuf *m, uint32_t off, uint32_t len)
{
	return plx_cksum_finish(plx_cksum_add_mbuf(0, m, off, len));
}

/* The sum of complements is the complement of the sum. */
plx_be16 plx_cksum_update(plx_be16 cksum, const void *was, const void *is, size_t len)
{
	uint32_t sum = (uint16_t)~cksum.v;

	sum += plx_cksum_finish(plx_cksum_add(0, was, len)).v;
	return plx_cksum_finish(plx_cksum_add(sum, is, len));
}
