/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving plain packets with AVX2: four completions are checked at once, and all RX fields of an
 * mbuf are one store.
 *
 * A completion is loaded at once: a CPU with AVX reads and writes 16 aligned bytes in one piece (Intel
 * SDM volume 3A, 9.1.1), so what comes with the generation bit is what the device wrote with it. The
 * same holds for the slots that are armed.
 */
#include "vmxnet3_burst.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* A completion in both halves of a register: loaded once, as it changes under us. */
AVX2 static PLX_ALWAYS_INLINE __m256i load(const struct vmxnet3_desc *d)
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
	__m256i fields; /* from a completion: 0, or the length, to the mbuf's bytes 16 to 47 */
	__m256i fresh;  /* what the others become: rearm */
	__m128i mask0, mask3, gen, min, range;
};

AVX2 static PLX_ALWAYS_INLINE struct consts consts(const struct vmxnet3_rxq *q)
{
	return (struct consts){
		/* pkt_len, data_len: bytes 8 and 9; flags, ptype, vlan, hash: 0 */
		.fields = _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
			-1, -1, 8, 9, -1, -1, 8, 9, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1),
		.fresh = _mm256_setr_epi64x((long long)q->h.pool->rearm, 0, 0, 0),
		.mask0 = _mm_set1_epi32((int)VMXNET3_RXC_PLAIN0_MASK),
		.mask3 = _mm_set1_epi32((int)(VMXNET3_RXC_PLAIN1_MASK >> 32)),
		.gen = _mm_set1_epi32((int)(q->gen >> 32)),
		.min = _mm_set1_epi32(VMXNET3_MIN_FRAME),
		.range = _mm_set1_epi32((int)vmxnet3_rx_max(q)),
	};
}

/* Are all four plain, in the slots that plain0 says? Their lengths. */
AVX2 static PLX_ALWAYS_INLINE bool plain4(const struct consts *c, __m128i plain0, __m256i d0,
	__m256i d1, __m256i d2, __m256i d3, __m128i *len)
{
	const __m128i lo01 = _mm_unpacklo_epi32(low(d0), low(d1)); /* words 0, 0, 1, 1 */
	const __m128i lo23 = _mm_unpacklo_epi32(low(d2), low(d3));
	const __m128i hi01 = _mm_unpackhi_epi32(low(d0), low(d1)); /* words 2, 2, 3, 3 */
	const __m128i hi23 = _mm_unpackhi_epi32(low(d2), low(d3));
	const __m128i w0 = _mm_and_si128(_mm_unpacklo_epi64(lo01, lo23), c->mask0);
	const __m128i w3 = _mm_and_si128(_mm_unpackhi_epi64(hi01, hi23), c->mask3);
	__m128i over, good;

	/* word 2 with an error, a stripped tag or the tag itself is too long for a length */
	*len = _mm_unpacklo_epi64(hi01, hi23);
	over = _mm_sub_epi32(*len, c->min);
	good = _mm_cmpeq_epi32(_mm_min_epu32(over, c->range), over);
	good = _mm_and_si128(good, _mm_cmpeq_epi32(w0, plain0));
	good = _mm_and_si128(good, _mm_cmpeq_epi32(w3, c->gen));
	return _mm_movemask_ps(_mm_castsi128_ps(good)) == 0xf;
}

AVX2 static PLX_ALWAYS_INLINE void fill(const struct consts *c, struct plx_mbuf *m, __m256i d)
{
	const __m256i v = _mm256_or_si256(_mm256_shuffle_epi8(d, c->fields), c->fresh);

	_mm256_storeu_si256((__m256i *)&m->rearm, v);
}

AVX2 static PLX_ALWAYS_INLINE uint32_t take4(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	const uint32_t head = q->ring[0].head;
	const struct vmxnet3_desc *d = q->comp + q->at;
	struct plx_mbuf *const *sw = q->ring[0].sw + head;
	struct plx_mbuf *const *const start = sw, *const *const end = sw + (k & ~3u);
	const struct consts c = consts(q);
	__m128i plain0 = _mm_add_epi32(
		_mm_set1_epi32((int)((uint32_t)q->plain0 + head)), _mm_setr_epi32(0, 1, 2, 3));
	__m128i sum = _mm_setzero_si128(), len;
	uint32_t took;

	for (; sw != end; d += 4, sw += 4, pkts += 4) {
		const __m256i d0 = load(d), d1 = load(d + 1), d2 = load(d + 2), d3 = load(d + 3);

		if (!plain4(&c, plain0, d0, d1, d2, d3, &len))
			break;
		plain0 = _mm_add_epi32(plain0, _mm_set1_epi32(4));
		fill(&c, sw[0], d0);
		fill(&c, sw[1], d1);
		fill(&c, sw[2], d2);
		fill(&c, sw[3], d3);
		_mm256_storeu_si256((__m256i *)pkts, _mm256_loadu_si256((const __m256i *)sw));
		sum = _mm_add_epi32(sum, len);
	}
	plx_io_rmb(); /* the generation, then the data */
	/* 32 lengths of 14 bits: no lane overflows */
	sum = _mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum));
	*bytes += (uint32_t)_mm_cvtsi128_si32(sum) + (uint32_t)_mm_extract_epi32(sum, 1);
	took = (uint32_t)(sw - start);
	if (took < k) /* fewer than four, or something is not plain: which? */
		took += vmxnet3_rx_take(q, took, pkts, k - took, bytes);
	return took;
}

AVX2 static PLX_ALWAYS_INLINE uint32_t take(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	/* setting up for four pays for four */
	if (k >= 4 && vmxnet3_rx_news(q, q->at + 3u))
		return take4(q, pkts, k, bytes);
	return vmxnet3_rx_take(q, 0, pkts, k, bytes);
}

AVX2 static PLX_ALWAYS_INLINE void arm1(
	struct vmxnet3_desc *d, const struct plx_mbuf *m, uint64_t q1)
{
#ifdef VMXNET3_TSAN
	vmxnet3_desc_store(d, m->buf_iova + PLX_MBUF_HEADROOM, q1);
#else
	const __m128i rest = _mm_set_epi64x((long long)q1, PLX_MBUF_HEADROOM);

	_mm_store_si128(
		(__m128i *)d, _mm_add_epi64(_mm_loadl_epi64((const __m128i *)&m->buf_iova), rest));
#endif
}

/* As vmxnet3_rx_arm_run(). */
AVX2 static PLX_ALWAYS_INLINE void arm(
	struct vmxnet3_rx_ring *r, uint32_t at, void *const *new, uint32_t k)
{
	struct vmxnet3_desc *d = r->d + at;
	struct plx_mbuf **sw = r->sw + at;
	void *const *const end = new + (k & ~3u);
	const uint64_t q1 = r->q1;

	for (; new != end; new += 4, sw += 4, d += 4) {
		_mm256_storeu_si256((__m256i *)sw, _mm256_loadu_si256((const __m256i *)new));
		arm1(d, new[0], q1);
		arm1(d + 1, new[1], q1);
		arm1(d + 2, new[2], q1);
		arm1(d + 3, new[3], q1);
	}
	if (k & 3)
		vmxnet3_rx_arm_run(r, at + (k & ~3u), new, k & 3);
}

/* Apart, so that few packets do not pay for its stack. */
AVX2 PLX_NOINLINE static uint16_t many(struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return vmxnet3_rx_burst(q, pkts, n, take, arm);
}

uint16_t vmxnet3_rx_avx2(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct vmxnet3_rxq *q = (struct vmxnet3_rxq *)h;

	return vmxnet3_rx_are_few(q, n) ? vmxnet3_rx_few(q, pkts, n) : many(q, pkts, n);
}

#else

uint16_t vmxnet3_rx_avx2(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return vmxnet3_rx_plain(h, pkts, n);
}

#endif
