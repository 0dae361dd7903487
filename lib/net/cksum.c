/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Internet checksum of bytes in one piece and of packets.
 *
 * One's complement addition is addition modulo 65535, so 16-bit words may be added in any grouping
 * and as parts of wider words (RFC 1071, 2): up to 15 bytes are added as 64-bit halves, more in
 * vectors of 16 bytes, which x86-64 and arm64 always have, and 256 and more with AVX2.
 */
#include "net_priv.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

/* Up to 128 KiB less one vector: sums of so many words fit 32 bits. */
#define PIECE 131056

#if defined(__SSE2__)
/*
 * n bytes, a multiple of 16, at most PIECE. The multiplication by 1 that adds neighbours takes signed
 * words: 32768 is subtracted from each (its top bit is flipped) and added again at the end.
 */
static inline uint64_t sum_vectors(const uint8_t *p, size_t n)
{
	const __m128i bias = _mm_set1_epi16(INT16_MIN), one = _mm_set1_epi16(1);
	const uint8_t *end = p + n;
	__m128i a = _mm_setzero_si128(), b = a, v;

	for (; end - p >= 32; p += 32) {
		v = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p), bias);
		a = _mm_add_epi32(a, _mm_madd_epi16(v, one));
		v = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(p + 16)), bias);
		b = _mm_add_epi32(b, _mm_madd_epi16(v, one));
	}
	if (p != end) {
		v = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p), bias);
		a = _mm_add_epi32(a, _mm_madd_epi16(v, one));
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

	for (; end - p >= 32; p += 32) {
		a = vpadalq_u16(a, vreinterpretq_u16_u8(vld1q_u8(p)));
		b = vpadalq_u16(b, vreinterpretq_u16_u8(vld1q_u8(p + 16)));
	}
	if (p != end)
		a = vpadalq_u16(a, vreinterpretq_u16_u8(vld1q_u8(p)));
	return vaddlvq_u32(a) + vaddlvq_u32(b);
}
#else
static inline uint64_t sum_vectors(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	for (const uint8_t *end = p + n; p != end; p += 4) {
		uint32_t x;

		memcpy(&x, p, sizeof(x));
		sum += x;
	}
	return sum;
}
#endif

/* Less than 16 bytes. */
static inline uint64_t sum_tail(const uint8_t *p, size_t n)
{
	uint64_t sum = 0, x8;
	uint32_t x4;
	uint16_t x2 = 0;

	if (n & 8) {
		memcpy(&x8, p, 8);
		sum = (x8 & 0xffffffff) + (x8 >> 32);
		p += 8;
	}
	if (n & 4) {
		memcpy(&x4, p, 4);
		sum += x4;
		p += 4;
	}
	if (n & 2) {
		memcpy(&x2, p, 2);
		sum += x2;
		p += 2;
	}
	if (n & 1) {
		x2 = 0;
		memcpy(&x2, p, 1); /* the first byte of a word, whatever the order */
		sum += x2;
	}
	return sum;
}

uint32_t plx_cksum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;
	uint64_t s = sum;

	for (;;) {
		size_t n = plx_likely(len <= PIECE) ? len : PIECE;

#if NET_X86
		if (n >= NET_AVX2_MIN && NET_CPU_HAS("avx2")) {
			n &= ~(size_t)31;
			s += net_sum_avx2(p, n);
		} else
#endif
		{
			n &= ~(size_t)15;
			s += sum_vectors(p, n);
		}
		p += n;
		len -= n;
		if (plx_likely(len < 32))
			break;
		s = plx_cksum_narrow_(s);
	}
	if (len >= 16) {
		s += sum_vectors(p, 16);
		p += 16;
		len -= 16;
	}
	return plx_cksum_narrow_(s + sum_tail(p, len));
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
