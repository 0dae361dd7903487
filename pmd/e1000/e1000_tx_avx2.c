/* SPDX-License-Identifier: BSD-3-Clause */
/* Transmitting plain packets with AVX2: four mbufs are checked, and four descriptors made, at once. */
#include "e1000_82576.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Bytes 8 to 39 of an mbuf: I/O address; rearm; flags, ptype; pkt_len, data_len, vlan. */
PLX_STATIC_ASSERT(
	offsetof(struct plx_mbuf, buf_iova) == 8 && offsetof(struct plx_mbuf, rearm) == 16 &&
		offsetof(struct plx_mbuf, flags) == 24 && offsetof(struct plx_mbuf, data_len) == 36,
	"what is loaded at once");

AVX2 static PLX_ALWAYS_INLINE __m256i fields(const struct plx_mbuf *m)
{
	return _mm256_loadu_si256((const __m256i *)&m->buf_iova);
}

AVX2 static PLX_ALWAYS_INLINE uint64_t sum_of(__m256i v)
{
	__m128i s = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(s, _mm_unpackhi_epi64(s, s)));
}

/* Two descriptors, as e1000_desc_store() stores one. */
AVX2 static PLX_ALWAYS_INLINE void store_two(__m256i *to, __m256i v)
{
#ifdef E1000_TSAN
	e1000_desc_store(
		to, (uint64_t)_mm256_extract_epi64(v, 0), (uint64_t)_mm256_extract_epi64(v, 1));
	e1000_desc_store((__m128i *)to + 1, (uint64_t)_mm256_extract_epi64(v, 2),
		(uint64_t)_mm256_extract_epi64(v, 3));
#else
	_mm256_storeu_si256(to, v);
#endif
}

AVX2 static PLX_ALWAYS_INLINE uint32_t plain4(struct e1000_txq *q, struct plx_mbuf *const *pkts,
	uint32_t k, uint64_t *bytes, const struct e1000_tx_kind *kind)
{
	const struct plx_mempool *pool = q->h.cache->pool;
	const __m256i low16 = _mm256_set1_epi64x(0xffff);
	const __m256i owned = _mm256_set1_epi64x(0x10001); /* refcnt, nsegs 1; kind 0 */
	const __m256i asks = _mm256_set1_epi64x((int64_t)(uint32_t)PLX_TX_OFFLOADS);
	const __m256i cmd = _mm256_set1_epi64x((int64_t)kind->plain);
	const __m256i min = _mm256_set1_epi64x(E1000_MIN_SEND);
	const __m256i max = _mm256_set1_epi64x(PLX_READ_ONCE(q->h.max_pkt));
	__m256i *to = (__m256i *)(q->ring + q->tail);
	struct plx_mbuf **sw = q->sw + q->tail;
	struct plx_mbuf *const *const start = pkts;
	struct plx_mbuf *const *const end = pkts + (k & ~3u);
	__m256i sum = _mm256_setzero_si256();
	const uint16_t tail = q->tail;
	uint32_t did;

	for (; pkts != end; pkts += 4, sw += 4, to += 2) {
		const struct plx_mbuf *a = pkts[0], *b = pkts[1], *c = pkts[2], *d = pkts[3];
		const __m256i va = fields(a), vb = fields(b), vc = fields(c), vd = fields(d);
		/* addresses, flags of a and b, c and d; rearms, lengths */
		const __m256i ab = _mm256_unpacklo_epi64(va, vb);
		const __m256i cd = _mm256_unpacklo_epi64(vc, vd);
		const __m256i rl_ab = _mm256_unpackhi_epi64(va, vb);
		const __m256i rl_cd = _mm256_unpackhi_epi64(vc, vd);
		const __m256i iova = _mm256_permute2x128_si256(ab, cd, 0x20);
		const __m256i flags = _mm256_permute2x128_si256(ab, cd, 0x31);
		const __m256i rearm = _mm256_permute2x128_si256(rl_ab, rl_cd, 0x20);
		const __m256i lens = _mm256_permute2x128_si256(rl_ab, rl_cd, 0x31);
		const __m256i len = _mm256_and_si256(_mm256_srli_epi64(lens, 32), low16);
		__m256i bad = _mm256_xor_si256(_mm256_srli_epi64(rearm, 16), owned);
		__m256i q0, q1, ac, bd;

		bad = _mm256_or_si256(bad, _mm256_and_si256(flags, asks));
		bad = _mm256_or_si256(bad, _mm256_cmpgt_epi64(len, max));
		bad = _mm256_or_si256(bad, _mm256_cmpgt_epi64(min, len));
		if (!_mm256_testz_si256(bad, bad) || &a->pool->mp != pool || &b->pool->mp != pool ||
			&c->pool->mp != pool || &d->pool->mp != pool)
			break;
		q0 = _mm256_add_epi64(iova, _mm256_and_si256(rearm, low16));
		q1 = _mm256_or_si256(len, cmd);
		if (kind->paylen != 0)
			q1 = _mm256_or_si256(q1, _mm256_slli_epi64(len, (int)kind->paylen));
		sum = _mm256_add_epi64(sum, len);
		/* back to descriptors: a and c, b and d */
		ac = _mm256_unpacklo_epi64(q0, q1);
		bd = _mm256_unpackhi_epi64(q0, q1);
		store_two(to, _mm256_permute2x128_si256(ac, bd, 0x20));
		store_two(to + 1, _mm256_permute2x128_si256(ac, bd, 0x31));
		_mm256_storeu_si256((__m256i *)sw, _mm256_loadu_si256((const __m256i *)pkts));
	}
	*bytes += sum_of(sum);
	did = (uint32_t)(pkts - start);
	if (did != 0)
		q->last_q1 = e1000_tx_whole(kind, pkts[-1]->data_len);
	if (did < k) { /* fewer than four, or something is not plain: which? */
		q->tail = (uint16_t)(tail + did);
		did += kind->fill(q, pkts, k - did, bytes);
		q->tail = tail;
	}
	return did;
}

AVX2 static PLX_ALWAYS_INLINE uint32_t plain(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return k >= 4 ? plain4(q, pkts, k, bytes, &e1000_tx_82574)
		      : e1000_tx_plain(q, pkts, k, bytes);
}

/* Apart, so that few packets do not pay for its stack. */
AVX2 PLX_NOINLINE static uint16_t many(struct e1000_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	e1000_tx_begin(q, n);
	return e1000_tx_burst(q, pkts, n, 0, 0, plain, e1000_tx_send);
}

uint16_t e1000_tx_avx2(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return n < 4 ? e1000_tx(h, pkts, n) : many((struct e1000_txq *)h, pkts, n);
}

/* ---- advanced descriptors ---- */

AVX2 static PLX_ALWAYS_INLINE uint32_t plain_82576(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return k >= 4 ? plain4(q, pkts, k, bytes, &e1000_tx_82576)
		      : e1000_82576_tx_plain(q, pkts, k, bytes);
}

AVX2 PLX_NOINLINE static uint16_t many_82576(
	struct e1000_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	e1000_tx_begin(q, n);
	return e1000_tx_burst(q, pkts, n, 0, 0, plain_82576, e1000_82576_tx_send);
}

uint16_t e1000_82576_tx_avx2(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return n < 4 ? e1000_82576_tx(h, pkts, n) : many_82576((struct e1000_txq *)h, pkts, n);
}

#else

uint16_t e1000_tx_avx2(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_tx(h, pkts, n);
}

uint16_t e1000_82576_tx_avx2(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_82576_tx(h, pkts, n);
}

#endif
