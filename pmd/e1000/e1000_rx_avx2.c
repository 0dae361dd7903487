/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving plain packets with AVX2: four descriptors are checked at once, and all RX fields of an
 * mbuf are one store.
 */
#include "e1000.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* A descriptor in both halves of a register: loaded once, as it changes under us. */
AVX2 static PLX_ALWAYS_INLINE __m256i load(const union e1000_rx_desc *d)
{
	__m256i v;

	__asm__ volatile("vbroadcasti128 %1, %0" : "=x"(v) : "m"(*d));
	return v;
}

AVX2 static PLX_ALWAYS_INLINE __m128i low(__m256i v)
{
	return _mm256_castsi256_si128(v);
}

struct consts {
	__m256i fields; /* from a descriptor: 0, or the length, to the mbuf's bytes 16 to 47 */
	__m256i fresh;  /* what the others become: rearm */
	__m128i mask, plain, len, min, max;
};

AVX2 static PLX_ALWAYS_INLINE struct consts consts(const struct e1000_rxq *q)
{
	return (struct consts){
		/* pkt_len, data_len: bytes 12 and 13; flags, ptype, vlan, hash: 0 */
		.fields = _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
			-1, -1, 12, 13, -1, -1, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
		.fresh = _mm256_setr_epi64x((long long)q->h.pool->rearm, 0, 0, 0),
		.mask = _mm_set1_epi32((int)E1000_RXS_PLAIN_MASK),
		.plain = _mm_set1_epi32((int)E1000_RXS_PLAIN),
		.len = _mm_set1_epi32(0xffff),
		.min = _mm_set1_epi32(E1000_MIN_FRAME),
		.max = _mm_set1_epi32((int)e1000_rx_max(q)),
	};
}

/* Are all four plain? Their lengths. */
AVX2 static PLX_ALWAYS_INLINE bool plain4(
	const struct consts *c, __m256i d0, __m256i d1, __m256i d2, __m256i d3, __m128i *len)
{
	__m128i a = _mm_unpackhi_epi32(low(d0), low(d1)); /* status, status, length, length */
	__m128i b = _mm_unpackhi_epi32(low(d2), low(d3));
	__m128i st = _mm_and_si128(_mm_unpacklo_epi64(a, b), c->mask);
	__m128i over, bad, good;

	*len = _mm_and_si128(_mm_unpackhi_epi64(a, b), c->len);
	over = _mm_sub_epi32(*len, c->min);
	/* negative: below the minimum; all ones: above the maximum */
	bad = _mm_or_si128(over, _mm_cmpgt_epi32(over, c->max));
	good = _mm_andnot_si128(bad, _mm_cmpeq_epi32(st, c->plain));
	return _mm_movemask_ps(_mm_castsi128_ps(good)) == 0xf;
}

AVX2 static PLX_ALWAYS_INLINE void fill(const struct consts *c, struct plx_mbuf *m, __m256i d)
{
	__m256i v = _mm256_or_si256(_mm256_shuffle_epi8(d, c->fields), c->fresh);

	_mm256_storeu_si256((__m256i *)&m->rearm, v);
}

AVX2 static PLX_ALWAYS_INLINE uint32_t take4(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	const uint16_t from = q->head;
	const union e1000_rx_desc *ring = q->ring + from;
	struct plx_mbuf *const *sw = q->sw + from;
	struct plx_mbuf *const *const end = sw + (k & ~3u);
	const struct consts c = consts(q);
	__m128i sum = _mm_setzero_si128(), len;
	uint32_t took;

	for (; sw != end; ring += 4, sw += 4, pkts += 4) {
		__m256i d0 = load(ring), d1 = load(ring + 1);
		__m256i d2 = load(ring + 2), d3 = load(ring + 3);

		if (!plain4(&c, d0, d1, d2, d3, &len))
			break;
		fill(&c, sw[0], d0);
		fill(&c, sw[1], d1);
		fill(&c, sw[2], d2);
		fill(&c, sw[3], d3);
		_mm256_storeu_si256((__m256i *)pkts, _mm256_loadu_si256((const __m256i *)sw));
		sum = _mm_add_epi32(sum, len);
	}
	plx_io_rmb(); /* DD, then the data */
	/* 32 lengths of 16 bits: no lane overflows */
	sum = _mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum));
	*bytes += (uint32_t)_mm_cvtsi128_si32(sum) + (uint32_t)_mm_extract_epi32(sum, 1);
	took = (uint32_t)(sw - (q->sw + from));
	if (took < k) { /* fewer than four, or something is not plain: which? */
		q->head = (uint16_t)(from + took);
		took += e1000_rx_take(q, pkts, k - took, bytes);
		q->head = from;
	}
	return took;
}

AVX2 static PLX_ALWAYS_INLINE uint32_t take(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	/* setting up for four pays for four */
	if (k >= 4 && (e1000_rx_load(&q->ring[q->head + 3]) & E1000_RXS_DD))
		return take4(q, pkts, k, bytes);
	return e1000_rx_take(q, pkts, k, bytes);
}

/* A descriptor for a buffer: its address in the lower half, 0 in the upper. */
AVX2 static PLX_ALWAYS_INLINE void arm1(__m128i *d, const struct plx_mbuf *m)
{
#ifdef E1000_TSAN
	e1000_desc_store(d, m->buf_iova + PLX_MBUF_HEADROOM, 0);
#else
	const __m128i headroom = _mm_set_epi64x(0, PLX_MBUF_HEADROOM);

	_mm_store_si128(d, _mm_add_epi64(_mm_loadl_epi64((const __m128i *)&m->buf_iova), headroom));
#endif
}

/* As e1000_rx_arm_run(). */
AVX2 static PLX_ALWAYS_INLINE void arm(
	struct e1000_rxq *q, uint32_t at, void *const *new, uint32_t k)
{
	__m128i *d = (__m128i *)(q->ring + at);
	struct plx_mbuf **sw = q->sw + at;
	void *const *const end = new + (k & ~3u);

	for (; new != end; new += 4, sw += 4, d += 4) {
		_mm256_storeu_si256((__m256i *)sw, _mm256_loadu_si256((const __m256i *)new));
		arm1(d, new[0]);
		arm1(d + 1, new[1]);
		arm1(d + 2, new[2]);
		arm1(d + 3, new[3]);
	}
	if (k & 3)
		e1000_rx_arm_run(q, at + (k & ~3u), new, k & 3);
}

/* Apart, so that few packets do not pay for its stack. */
AVX2 PLX_NOINLINE static uint16_t many(struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst(q, pkts, n, take, arm, e1000_rx_load);
}

uint16_t e1000_rx_avx2(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;

	return e1000_rx_are_few(q, n, e1000_rx_load) ? e1000_rx_few(q, pkts, n) : many(q, pkts, n);
}

#else

uint16_t e1000_rx_avx2(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_plain(h, pkts, n);
}

#endif
