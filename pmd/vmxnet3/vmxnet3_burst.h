/* SPDX-License-Identifier: BSD-3-Clause */
/* What the burst functions have in common. */
#ifndef VMXNET3_BURST_H
#define VMXNET3_BURST_H

#include "vmxnet3.h"

/* ---- RX ---- */

/* The completion i as it is now: news? Nothing else of it is looked at before. */
static inline bool vmxnet3_rx_news(const struct vmxnet3_rxq *q, uint32_t i)
{
	return ((plx_le64_read_once(&q->comp[i].q[1]) ^ q->gen) & VMXNET3_C_GEN) == 0;
}

/* Completions were taken: k, which do not go beyond the ring's end. */
static inline void vmxnet3_rx_comp_advance(struct vmxnet3_rxq *q, uint32_t k)
{
	uint32_t at = q->at + k;

	if (plx_unlikely(at == q->n_comp)) {
		at = 0;
		PLX_WRITE_ONCE(q->gen, q->gen ^ VMXNET3_C_GEN);
	}
	PLX_WRITE_ONCE(q->at, (uint16_t)at);
}

static inline void vmxnet3_rx_arm_run(
	struct vmxnet3_rx_ring *r, uint32_t at, void *const *new, uint32_t k)
{
	struct plx_mbuf *const *m = (struct plx_mbuf *const *)new;
	struct vmxnet3_desc *d = r->d + at;
	const uint64_t q1 = r->q1;

	plx_ptrs_copy((void **)&r->sw[at], new, k);
	for (; k >= 4; k -= 4, d += 4, m += 4) {
		vmxnet3_desc_store(d, m[0]->buf_iova + PLX_MBUF_HEADROOM, q1);
		vmxnet3_desc_store(d + 1, m[1]->buf_iova + PLX_MBUF_HEADROOM, q1);
		vmxnet3_desc_store(d + 2, m[2]->buf_iova + PLX_MBUF_HEADROOM, q1);
		vmxnet3_desc_store(d + 3, m[3]->buf_iova + PLX_MBUF_HEADROOM, q1);
	}
	for (; k != 0; k--)
		vmxnet3_desc_store(d++, (*m++)->buf_iova + PLX_MBUF_HEADROOM, q1);
}

typedef void (*vmxnet3_arm_fn)(
	struct vmxnet3_rx_ring *r, uint32_t at, void *const *new, uint32_t k);

/* Arms k slots from tail with the buffers that new holds: the device has them at once. */
static PLX_ALWAYS_INLINE void vmxnet3_rx_arm_with(
	struct vmxnet3_rx_ring *r, void *const *new, uint32_t k, vmxnet3_arm_fn arm)
{
	const uint32_t at = r->tail, run = PLX_MIN(k, (uint32_t)r->n - at);
	uint32_t to = at + k;

	arm(r, at, new, run);
	if (plx_unlikely(to >= r->n)) {
		r->q1 ^= VMXNET3_RX_GEN;
		to -= r->n;
		if (to != 0)
			vmxnet3_rx_arm_run(r, 0, new + run, to);
	}
	r->tail = (uint16_t)to;
}

static inline void vmxnet3_rx_arm(struct vmxnet3_rx_ring *r, void *const *new, uint32_t k)
{
	vmxnet3_rx_arm_with(r, new, k, vmxnet3_rx_arm_run);
}

/* The slot behind the armed ones has neither a buffer nor the device for owner. */
static inline void vmxnet3_rx_disown(struct vmxnet3_rx_ring *r)
{
	vmxnet3_desc_store(&r->d[r->tail], VMXNET3_NO_ADDR, r->q1 ^ VMXNET3_RX_GEN);
}

/*
 * For a queue whose ring 0 is full, at the start of a packet: how many completions may be looked at
 * in one go, up to want; neither they nor the slots from head wrap, and there are buffers to replace
 * theirs.
 */
static inline uint32_t vmxnet3_rx_run(struct vmxnet3_rxq *q, uint32_t want)
{
	uint32_t k = PLX_MIN(want, (uint32_t)VMXNET3_CHUNK);

	k = PLX_MIN(k, (uint32_t)q->ring[0].n - q->ring[0].head);
	k = PLX_MIN(k, (uint32_t)q->n_comp - q->at);
	if (plx_unlikely(q->h.cache->n < k) && !plx_mempool_cache_fill(q->h.cache, k))
		return 0;
	return k;
}

/* k packets from head were taken: other buffers in their places. */
static PLX_ALWAYS_INLINE void vmxnet3_rx_replace(
	struct vmxnet3_rxq *q, uint32_t k, vmxnet3_arm_fn arm)
{
	struct vmxnet3_rx_ring *r = &q->ring[0];
	void **new = plx_mempool_cache_get_zc(q->h.cache, k);

	r->head = vmxnet3_wrap(r->head + k, r->n);
	vmxnet3_rx_comp_advance(q, k);
	if (plx_likely(new != NULL))
		vmxnet3_rx_arm_with(r, new, k, arm);
	else /* a debug build found fault with what the cache holds */
		r->spare = (uint16_t)(r->spare + k);
}

/* Longest plain packet, less the shortest. */
static inline uint32_t vmxnet3_rx_max(const struct vmxnet3_rxq *q)
{
	return PLX_MIN(PLX_READ_ONCE(q->h.max_pkt), (uint32_t)q->buf_len) - VMXNET3_MIN_FRAME;
}

/* Tells a device that asked for it how far the rings are armed. */
PLX_NOINLINE void vmxnet3_rx_tell(struct vmxnet3_rxq *q);

/* The end of a burst that took packets. */
static inline void vmxnet3_rx_end(struct vmxnet3_rxq *q, uint16_t got, uint64_t bytes)
{
	uint64_t *ctr = q->h.ctr;

	vmxnet3_rx_disown(&q->ring[0]);
	if (plx_unlikely(PLX_READ_ONCE(*q->wants_prod) != 0))
		vmxnet3_rx_tell(q);
	plx_ctr_add(&ctr[PLX_RXQ_PACKETS], got);
	plx_ctr_add(&ctr[PLX_RXQ_BYTES], bytes);
	plx_ctr_add(&ctr[PLX_RXQ_BURSTS], 1);
}

/* Are there fewer than four packets to take, as far as one look tells? */
static inline bool vmxnet3_rx_are_few(const struct vmxnet3_rxq *q, uint16_t n)
{
	const uint32_t fourth = q->at + 3u;

	return n < 4 || (fourth < q->n_comp && !vmxnet3_rx_news(q, fourth));
}

/*
 * A burst for plain packets; arm is vmxnet3_rx_arm_run() or does the same. take(q, pkts, k, bytes)
 * takes those of up to k completions, which wrap in neither ring, until one is not plain, adds their
 * bytes and returns how many they were.
 */
static PLX_ALWAYS_INLINE uint16_t vmxnet3_rx_burst(struct vmxnet3_rxq *q, struct plx_mbuf **pkts,
	uint16_t n,
	uint32_t (*take)(
		struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes),
	vmxnet3_arm_fn arm)
{
	uint64_t bytes = 0;
	uint16_t got = 0;

	if (plx_unlikely((q->ring[0].spare | q->ring[1].spare) != 0 || q->middle))
		return vmxnet3_rx_rest(q, pkts, n, 0, 0);
	while (got < n) {
		const uint32_t k = vmxnet3_rx_run(q, n - (uint32_t)got);
		const uint32_t took = take(q, pkts + got, k, &bytes);

		if (took != 0)
			vmxnet3_rx_replace(q, took, arm);
		got = (uint16_t)(got + took);
		if (took < k || k == 0 || plx_unlikely(q->ring[0].spare != 0)) {
			if (vmxnet3_rx_news(q, q->at))
				return vmxnet3_rx_rest(q, pkts, n, got, bytes);
			break;
		}
	}
	if (got != 0)
		vmxnet3_rx_end(q, got, bytes);
	return got;
}

/* ---- TX ---- */

/* Bytes 20 to 27 of an mbuf: segments, kind, flags. One segment in its own room, no flag for TX. */
#define VMXNET3_SHAPE_MASK  ((uint64_t)PLX_TX_OFFLOADS << 32 | UINT32_MAX)
#define VMXNET3_SHAPE_PLAIN UINT64_C(1)
PLX_STATIC_ASSERT(offsetof(struct plx_mbuf, nsegs) == 20 && offsetof(struct plx_mbuf, kind) == 22 &&
			  offsetof(struct plx_mbuf, flags) == 24,
	"what VMXNET3_SHAPE_MASK covers");

/* k slots were filled, which do not go beyond the ring's end. */
static inline void vmxnet3_tx_advance(struct vmxnet3_txq *q, uint32_t k)
{
	uint32_t tail = q->tail + k;

	if (plx_unlikely(tail == q->h.n_desc)) {
		tail = 0;
		q->gen ^= VMXNET3_TX_GEN;
	}
	q->tail = (uint16_t)tail;
	PLX_WRITE_ONCE(q->used, (uint16_t)(q->used + k));
}

/* The end of a burst that took packets. */
static inline void vmxnet3_tx_end(struct vmxnet3_txq *q, uint16_t sent, uint64_t bytes)
{
	plx_io_wmb(); /* the slots, then the doorbell */
	plx_wr32(&q->win, 0, q->tail);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_PACKETS], sent);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_BYTES], bytes);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_BURSTS], 1);
}

/* Makes room for a burst of n if it can. */
static inline void vmxnet3_tx_begin(struct vmxnet3_txq *q, uint16_t n)
{
	if (q->used >= VMXNET3_TX_HOLD || q->used + (uint32_t)n > q->h.n_desc - 1u)
		vmxnet3_tx_done(q);
}

/*
 * A burst of which so many packets, with so many bytes, are sent. plain(q, pkts, k, bytes) fills the
 * slots from tail with up to k packets, which are free and do not wrap, until one is not plain, adds
 * their bytes and returns how many they were.
 */
static PLX_ALWAYS_INLINE uint16_t vmxnet3_tx_burst(struct vmxnet3_txq *q, struct plx_mbuf **pkts,
	uint16_t n, uint16_t sent, uint64_t bytes,
	uint32_t (*plain)(
		struct vmxnet3_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes))
{
	const uint32_t slots = q->h.n_desc - 1u;

	while (sent < n) {
		uint32_t k = PLX_MIN((uint32_t)n - sent, (uint32_t)VMXNET3_CHUNK), did;

		k = PLX_MIN(k, slots - q->used);
		k = PLX_MIN(k, (uint32_t)q->h.n_desc - q->tail);
		did = plain(q, pkts + sent, k, &bytes);
		if (did != 0) {
			sent = (uint16_t)(sent + did);
			vmxnet3_tx_advance(q, did);
		}
		if (plx_unlikely(did < k || k == 0)) {
			if (!vmxnet3_tx_send(q, pkts[sent], &bytes) &&
				(vmxnet3_tx_done(q) == 0 ||
					!vmxnet3_tx_send(q, pkts[sent], &bytes)))
				break;
			sent++;
		}
	}
	if (sent != 0)
		vmxnet3_tx_end(q, sent, bytes);
	return sent;
}

#endif
