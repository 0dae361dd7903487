/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts with AVX2: all that TX looks at in an mbuf is one load, and sixteen lengths are another. */
#include "ring_burst.h"

/* ThreadSanitizer would take the load for a race with an owner that lets go: see plx_mbuf_rearm_(). */
#if defined(__x86_64__) && !defined(PLX_MBUF_TSAN_)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static PLX_ALWAYS_INLINE __m256i load(const void *p)
{
	return _mm256_loadu_si256(p);
}

/* pkt_len of four packets, in the upper half; the words of all four are added to *any. */
AVX2 static PLX_ALWAYS_INLINE __m256i look4(struct plx_mbuf **pkts, __m256i *any)
{
	__m256i a = load(&pkts[0]->rearm), b = load(&pkts[1]->rearm);
	__m256i c = load(&pkts[2]->rearm), d = load(&pkts[3]->rearm);

	*any = _mm256_or_si256(*any, _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d)));
	return _mm256_unpacklo_epi64(_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
}

AVX2 static PLX_ALWAYS_INLINE void look(
	struct ring_seen *s, struct plx_mbuf **pkts, uint32_t n, uint16_t *lens)
{
	__m256i any = load(s), sum = _mm256_setzero_si256();
	uint32_t words[8];

	for (; n >= 8; n -= 8, pkts += 8, lens += 8) {
		__m256i a = look4(pkts, &any), b = look4(pkts + 4, &any);

		sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
		_mm_storeu_si128((__m128i *)(void *)lens,
			_mm256_extracti128_si256(_mm256_packus_epi32(a, b), 1));
	}
	_mm256_storeu_si256((__m256i *)(void *)words, sum);
	s->sum += (uint64_t)words[4] + words[5] + words[6] + words[7];
	for (; n > 0; n--, pkts++) {
		any = _mm256_or_si256(any, load(&(*pkts)->rearm));
		s->sum += (*pkts)->pkt_len;
		*lens++ = (uint16_t)(*pkts)->pkt_len;
	}
	_mm256_storeu_si256((__m256i *)(void *)s, any);
}

/* 16 lengths at once: their sum in eight 32-bit words, and whether one of them is 0. */
AVX2 static PLX_ALWAYS_INLINE bool add(uint64_t *bytes, const uint16_t *lens, uint32_t n)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i sum = zero, odd = zero;
	bool any = false;
	uint64_t words[4];

	for (; n >= 16; n -= 16, lens += 16) {
		__m256i v = load(lens);

		odd = _mm256_or_si256(odd, _mm256_cmpeq_epi16(v, zero));
		/* sums of bytes, the lower and the upper one of each length */
		sum = _mm256_add_epi64(sum, _mm256_sad_epu8(_mm256_slli_epi16(v, 8), zero));
		sum = _mm256_add_epi64(
			sum, _mm256_slli_epi64(_mm256_sad_epu8(_mm256_srli_epi16(v, 8), zero), 8));
	}
	_mm256_storeu_si256((__m256i *)(void *)words, sum);
	*bytes += words[0] + words[1] + words[2] + words[3];
	for (; n > 0; n--, lens++) {
		*bytes += *lens;
		any |= *lens == RING_ODD;
	}
	return any | !_mm256_testz_si256(odd, odd);
}

AVX2 uint16_t ring_tx_avx2(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return ring_tx_burst(q, pkts, n, look);
}

AVX2 uint16_t ring_rx_avx2(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return ring_rx_burst(q, pkts, n, add);
}

#else

uint16_t ring_tx_avx2(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return ring_tx(q, pkts, n);
}

uint16_t ring_rx_avx2(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return ring_rx(q, pkts, n);
}

#endif
