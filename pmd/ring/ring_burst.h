/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of packets as most are, without the two loops over them, which each instruction set brings.
 *
 * TX makes a packet a received one, because its thread has the mbuf in its cache: metadata that the sender
 * left is cleared, and only where there is some, so that the line of an mbuf whose metadata nobody uses
 * stays in the caches of both cores.
 */
#ifndef RING_BURST_H
#define RING_BURST_H

#include "ring_pmd.h"

/** Words of the mbufs of a burst, or'ed, and the sum of their lengths. */
struct ring_seen {
	uint64_t rearm;
	uint64_t flags; /* and ptype */
	uint64_t lens;  /* pkt_len, data_len, vlan */
	uint64_t hash;  /* and mark */
	uint64_t sum;
};

/** Adds n packets to *s, and writes their lengths to lens. */
typedef void (*ring_look)(struct ring_seen *s, struct plx_mbuf **pkts, uint32_t n, uint16_t *lens);

/** Adds n lengths to *bytes. @return whether one of them is RING_ODD. */
typedef bool (*ring_add)(uint64_t *bytes, const uint16_t *lens, uint32_t n);

/*
 * Are all packets plain and without metadata, and none longer than max? It may say no when they are: all
 * lengths together have bits that make a longer one.
 */
static PLX_ALWAYS_INLINE bool ring_usual(const struct ring_seen *s, uint32_t max)
{
	return (((s->rearm ^ RING_PLAIN) & PLX_MBUF_PLAIN_) | s->flags | s->hash | s->lens >> 48 |
		       ((uint64_t)max - (uint32_t)s->lens) >> 63) == 0;
}

static PLX_ALWAYS_INLINE uint16_t ring_tx_burst(
	struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n, ring_look look)
{
	struct ring_txq *txq = (struct ring_txq *)q;
	struct plx_ring *ring = __atomic_load_n(&txq->ring, __ATOMIC_ACQUIRE);
	struct ring_seen seen = {0};
	uint32_t at;

	/* acquire: lens and max, and what the ring's owner did to it */
	if (plx_unlikely(ring == NULL)) {
		plx_ctr_add(&q->ctr[PLX_TXQ_NOLINK], n);
		return 0;
	}
	/* those that stay with the caller keep their metadata */
	n = (uint16_t)plx_ring_sp_fit(ring, n, &at);
	if (n == 0)
		return 0;
	/* slots that begin anew within the burst */
	if (plx_unlikely(plx_ring_slots(ring) - at < n))
		return ring_tx_any(txq, ring, pkts, n);
	look(&seen, pkts, n, &txq->lens[at]); /* which is another's while there is no ring */
	if (plx_unlikely(!ring_usual(&seen, PLX_READ_ONCE(txq->max))))
		return ring_tx_any(txq, ring, pkts, n);
	plx_ring_sp_put(ring, (void *const *)pkts, n);
	return plx_txq_count(q, n, seen.sum, 0); /* they are the other end's now */
}

static PLX_ALWAYS_INLINE uint16_t ring_rx_burst(
	struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n, ring_add add)
{
	struct ring_rxq *rxq = (struct ring_rxq *)q;
	struct plx_ring *ring = rxq->ring;
	const uint16_t *lens = rxq->lens;
	uint64_t bytes = 0;
	uint32_t at;

	n = (uint16_t)plx_ring_sc_fit(ring, n, &at);
	/* the next burst begins with the first slot */
	n = (uint16_t)PLX_MIN((uint32_t)n, plx_ring_slots(ring) - at);
	if (n == 0)
		return 0;
	if (plx_unlikely(add(&bytes, &lens[at], n)))
		return ring_rx_any(rxq, pkts, n);
	plx_ring_sc_get(ring, (void **)pkts, n);
	return plx_rxq_count(q, n, bytes, 0, 0);
}

#endif
