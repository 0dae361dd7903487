/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum with AVX2. */
#include "net_priv.h"

#if NET_X86
#include <immintrin.h>

/* Words of a vector, each less 32768, added in pairs: see sum_vectors() of cksum.c. */
#define PAIRS(at) \
	_mm256_madd_epi16(_mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(at)), bias), one)

NET_TARGET("avx2") uint64_t net_sum_avx2(const uint8_t *p, size_t n)
{
	const __m256i bias = _mm256_set1_epi16(INT16_MIN), one = _mm256_set1_epi16(1);
	const uint8_t *end = p + n;
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
	__m128i x;

	for (; end - p >= 128; p += 128) {
		a = _mm256_add_epi32(a, PAIRS(p));
		b = _mm256_add_epi32(b, PAIRS(p + 32));
		c = _mm256_add_epi32(c, PAIRS(p + 64));
		d = _mm256_add_epi32(d, PAIRS(p + 96));
	}
	for (; p != end; p += 32)
		a = _mm256_add_epi32(a, PAIRS(p));
	a = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
	x = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1));
	return (uint64_t)(_mm_cvtsi128_si32(x) + (int64_t)n / 2 * 32768);
}
#endif
