/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum with AVX2. */
#include "net_priv.h"

#if NET_X86
#include <immintrin.h>

/* Words of a vector, each less 32768, added in pairs: see sum_vectors() of cksum.c. */
#define PAIRS(v) _mm256_madd_epi16(_mm256_xor_si256(v, bias), one)
#define LOAD(at) _mm256_loadu_si256((const __m256i *)(at))

NET_TARGET("avx2") uint32_t net_cksum_add_avx2(uint32_t sum, const uint8_t *p, size_t len)
{
	const __m256i bias = _mm256_set1_epi16(INT16_MIN), one = _mm256_set1_epi16(1);
	const uint64_t odd = len % 2 != 0 ? net_odd_byte(p + len - 1) : 0;
	const uint8_t *end = p + (len & ~(size_t)1);
	const size_t words = ((len & ~(size_t)1) + 31) / 32 * 16, rest = (size_t)(end - p) % 32;
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
	__m128i x;

	for (; end - p >= 128; p += 128) {
		a = _mm256_add_epi32(a, PAIRS(LOAD(p)));
		b = _mm256_add_epi32(b, PAIRS(LOAD(p + 32)));
		c = _mm256_add_epi32(c, PAIRS(LOAD(p + 64)));
		d = _mm256_add_epi32(d, PAIRS(LOAD(p + 96)));
	}
	if (end - p >= 64) {
		a = _mm256_add_epi32(a, PAIRS(LOAD(p)));
		b = _mm256_add_epi32(b, PAIRS(LOAD(p + 32)));
		p += 64;
	}
	if (end - p >= 32)
		c = _mm256_add_epi32(c, PAIRS(LOAD(p)));
	if (rest != 0)
		d = _mm256_add_epi32(
			d, PAIRS(_mm256_and_si256(LOAD(end - 32), LOAD(net_last_mask + rest))));
	a = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
	x = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1));
	return plx_cksum_narrow_(
		sum + odd + (uint64_t)(_mm_cvtsi128_si32(x) + (int64_t)words * 32768));
}
#endif
