/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Toeplitz by carry-less multiplication.
 *
 * Bit j of the hash, counted from its top, is the exclusive or over i of x[i] & k[i + j], x being the
 * input's bits and k the key's. Take 4 bytes of input as polynomial X with x[i] at 2^(31 - i), and
 * the 63 bits of key that they meet as K with k[m] at 2^m: in the product X * K, the coefficient of
 * 2^(31 + j) is just that. It lies at the same place for each 4 bytes, so products are added, and
 * bits 31 to 62 of the sum are the hash with its bits in reverse.
 */
#include "net_priv.h"

#if NET_X86
#include <immintrin.h>

#define CLMUL NET_TARGET("pclmul,ssse3")

bool net_toeplitz_have_clmul(void)
{
	return NET_CPU_HAS("pclmul") && NET_CPU_HAS("ssse3");
}

/* Reverses the 32 bits of each element. */
CLMUL static inline __m128i reverse(__m128i v)
{
	/* a half byte's bits reversed: as the lower half, and as the upper one */
	const __m128i low = _mm_setr_epi8(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
	const __m128i high = _mm_slli_epi16(low, 4), mask = _mm_set1_epi8(0xf);
	const __m128i swap = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
	__m128i a = _mm_shuffle_epi8(high, _mm_and_si128(v, mask));
	__m128i b = _mm_shuffle_epi8(low, _mm_and_si128(_mm_srli_epi16(v, 4), mask));

	return _mm_shuffle_epi8(_mm_or_si128(a, b), swap);
}

/* The sum of products; bits 31 to 62 count. */
CLMUL static PLX_ALWAYS_INLINE __m128i multiply(
	const uint64_t *window, const uint8_t *p, unsigned words)
{
	/* two words in network order to the lower halves of two elements */
	const __m128i spread =
		_mm_setr_epi8(3, 2, 1, 0, -1, -1, -1, -1, 7, 6, 5, 4, -1, -1, -1, -1);
	__m128i sum = _mm_setzero_si128(), x, k;

	for (; words >= 2; words -= 2, p += 8, window += 2) {
		x = _mm_shuffle_epi8(_mm_loadl_epi64((const __m128i *)p), spread);
		k = _mm_loadu_si128((const __m128i *)window);
		sum = _mm_xor_si128(sum, _mm_clmulepi64_si128(x, k, 0x00));
		sum = _mm_xor_si128(sum, _mm_clmulepi64_si128(x, k, 0x11));
	}
	if (words != 0) {
		x = _mm_cvtsi32_si128((int)plx_load_be32(p));
		k = _mm_loadl_epi64((const __m128i *)window);
		sum = _mm_xor_si128(sum, _mm_clmulepi64_si128(x, k, 0x00));
	}
	return _mm_srli_epi64(sum, 31);
}

CLMUL uint32_t net_toeplitz_clmul(const struct plx_toeplitz *t, const uint8_t *data, unsigned words)
{
	/* IPv6 with ports, without the loop */
	__m128i sum = words == 9 ? multiply(t->window, data, 9) : multiply(t->window, data, words);

	return (uint32_t)_mm_cvtsi128_si32(reverse(sum));
}

CLMUL static inline __m128i product(const struct plx_toeplitz *t, unsigned i, uint32_t word)
{
	return _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)word),
		_mm_loadl_epi64((const __m128i *)&t->window[i]), 0x00);
}

CLMUL uint32_t net_toeplitz_clmul2(const struct plx_toeplitz *t, uint32_t a, uint32_t b)
{
	__m128i sum = _mm_xor_si128(product(t, 0, a), product(t, 1, b));

	return (uint32_t)_mm_cvtsi128_si32(reverse(_mm_srli_epi64(sum, 31)));
}

CLMUL uint32_t net_toeplitz_clmul3(const struct plx_toeplitz *t, uint32_t a, uint32_t b, uint32_t c)
{
	__m128i sum = _mm_xor_si128(product(t, 0, a), product(t, 1, b));

	sum = _mm_xor_si128(sum, product(t, 2, c));
	return (uint32_t)_mm_cvtsi128_si32(reverse(_mm_srli_epi64(sum, 31)));
}

/* Four at a time: their multiplications overlap, and one reversal does for all. */
CLMUL static PLX_ALWAYS_INLINE void bulk(const struct plx_toeplitz *t, const uint8_t *data,
	size_t stride, unsigned words, uint32_t *hash, unsigned n)
{
	const uint64_t *w = t->window;

	for (; n >= 4; n -= 4, hash += 4, data += 4 * stride) {
		__m128i a = multiply(w, data, words), b = multiply(w, data + stride, words);
		__m128i c = multiply(w, data + 2 * stride, words);
		__m128i d = multiply(w, data + 3 * stride, words);

		a = _mm_unpacklo_epi64(_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
		_mm_storeu_si128((__m128i *)hash, reverse(a));
	}
	for (; n > 0; n--, data += stride)
		*hash++ = net_toeplitz_clmul(t, data, words);
}

CLMUL void net_toeplitz_clmul_bulk(const struct plx_toeplitz *t, const uint8_t *data, size_t stride,
	unsigned words, uint32_t *hash, unsigned n)
{
	if (words == 3)
		bulk(t, data, stride, 3, hash, n);
	else if (words == 9)
		bulk(t, data, stride, 9, hash, n);
	else
		bulk(t, data, stride, words, hash, n);
}

#else

bool net_toeplitz_have_clmul(void)
{
	return false;
}
#endif
