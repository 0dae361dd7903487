/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RX of a capture: bursts.
 *
 * A file is patient. With the pool empty its next packet waits, here, and the next burst delivers
 * it: nothing is dropped and PLX_RXQ_NOMBUF stays 0. What can never be delivered (longer than
 * PLX_PKT_LEN_MAX, longer than a room without PLX_RX_OFFLOAD_SCATTER, more segments than the pool has
 * mbufs) is dropped, counted in PLX_RXQ_ERRORS and told once.
 */
#define PLX_LOG_TAG "pcap"
#include "pcap_pmd.h"

/* ---- one packet ---- */

/* All that RX writes of a first segment but its length. */
static PLX_ALWAYS_INLINE void head(
	struct plx_mbuf *m, const struct plx_mbuf_pool *pool, const struct capt_pkt *p)
{
	m->rearm = pool->rearm;
	m->flags = PLX_RX_TIMESTAMP;
	m->ptype = 0;
	m->pkt_len = p->caplen;
	m->vlan = 0;
	m->hash_mark = 0;
	m->timestamp = p->ts;
	if (plx_unlikely(p->len > p->caplen)) {
		m->flags = PLX_RX_TIMESTAMP | PLX_RX_WIRE_LEN;
		m->wire_len = p->len;
	}
}

bool capt_rx_build(struct capt_rxq *rxq, struct plx_mbuf *first, const struct capt_pkt *p)
{
	void *more[PLX_PKT_LEN_MAX / 64 + 1]; /* a room holds 64 bytes of data at least */
	const struct plx_mbuf_pool *pool = rxq->q.pool;
	uint32_t left = p->caplen, seg = PLX_MIN(left, rxq->seg_max);
	unsigned extra = left > seg ? (left - seg + rxq->seg_max - 1) / rxq->seg_max : 0;
	struct plx_mbuf *m = first;
	const uint8_t *data = p->data;

	if (extra > 0 && plx_mempool_get_bulk(rxq->q.cache, more, extra) == 0)
		return false;
	head(first, pool, p);
	first->nsegs = (uint16_t)(extra + 1);
	for (unsigned i = 0;; i++) {
		m->data_len = (uint16_t)seg;
		if (seg > 0)
			memcpy(plx_mbuf_data(m), data, seg);
		left -= seg;
		if (i == extra)
			break;
		data += seg;
		seg = PLX_MIN(left, rxq->seg_max);
		m->next = more[i];
		m = m->next;
		m->rearm = pool->rearm;
		m->flags = 0;
		m->ptype = 0;
		m->pkt_len = seg;
		m->vlan = 0;
		m->hash_mark = 0;
	}
	return true;
}

/* "once" is one line for the queue's life, whatever the capture is full of. */
static bool refuse(struct capt_rxq *rxq, bool *told, const struct capt_pkt *p, const char *why)
{
	if (!*told)
		plx_logf(rxq->cp->log, PLX_LOG_ERR,
			"%s: a packet of %u bytes is dropped, as all like it: %s (counted as RX errors)",
			plx_port_name(rxq->q.port), p->caplen, why);
	*told = true;
	return false;
}

bool capt_rx_fits(struct capt_rxq *rxq, const struct capt_pkt *p)
{
	struct capt_rx *rx = &rxq->cp->rx;

	if (p->caplen <= rxq->seg_max)
		return true;
	if (p->caplen > PLX_PKT_LEN_MAX)
		return refuse(rxq, &rx->long_told, p, "a port's packets have at most 65535");
	if (!rxq->scatter)
		return refuse(rxq, &rx->scatter_told, p,
			"it is longer than a data room; configure the port with "
			"PLX_RX_OFFLOAD_SCATTER, or the pool with larger rooms");
	if ((p->caplen + rxq->seg_max - 1) / rxq->seg_max > plx_mempool_size(&rxq->q.pool->mp))
		return refuse(rxq, &rx->pool_told, p,
			"it needs more mbufs than the pool has; make the pool larger");
	return true;
}

/* ---- passes ---- */

int capt_rx_rewind(struct capt_rx *rx)
{
	int err = 0;

	if (rx->store.base != NULL)
		rx->store.pos = 0;
	else
		err = capt_file_rewind(&rx->file);
	rx->have = false;
	rx->pass_empty = true;
	return err;
}

/* No more packets: another pass (1), the end (0) or a fault (-errno). A file without a packet that can
   be delivered ends, whatever loop says: a burst would look for one for ever. */
static PLX_NOINLINE int pass_over(struct capt_rxq *rxq, int got)
{
	struct capt_rx *rx = &rxq->cp->rx;

	if (got == 0) {
		if (rx->pass == rx->loop || rx->pass_empty) {
			rx->ended = true;
			return 0;
		}
		got = capt_rx_rewind(rx);
		if (got == 0) {
			capt_pace_pass(&rx->pace);
			rx->pass++;
			return 1;
		}
	}
	plx_logf(rxq->cp->log, PLX_LOG_ERR, "%s", plx_errmsg());
	plx_rxq_set_failed(&rxq->q, -got);
	return got;
}

/* ---- bursts ---- */

typedef int (*next_fn)(struct capt_rx *rx, struct capt_pkt *p);

static PLX_ALWAYS_INLINE int next_classic(struct capt_rx *rx, struct capt_pkt *p)
{
	return capt_file_next_classic(&rx->file, p);
}

static PLX_ALWAYS_INLINE int next_libpcap(struct capt_rx *rx, struct capt_pkt *p)
{
	return capt_file_next_libpcap(&rx->file, p);
}

static PLX_ALWAYS_INLINE int next_store(struct capt_rx *rx, struct capt_pkt *p)
{
	return capt_store_next(&rx->store, p);
}

/* Makes rx->pkt the next packet that can be delivered: 1, or 0 when there is none. */
static PLX_ALWAYS_INLINE int peek(struct capt_rxq *rxq, next_fn next)
{
	struct capt_rx *rx = &rxq->cp->rx;
	int got;

	while (!rx->have) {
		got = next(rx, &rx->pkt);
		if (plx_unlikely(got <= 0)) {
			if (pass_over(rxq, got) <= 0)
				return 0;
			continue;
		}
		if (rx->real)
			capt_pace_next(&rx->pace, rx->pkt.ts);
		if (plx_unlikely(rx->pkt.caplen > rxq->seg_max) && !capt_rx_fits(rxq, &rx->pkt)) {
			plx_ctr_add(&rxq->q.ctr[PLX_RXQ_ERRORS], 1);
			continue;
		}
		rx->pass_empty = false;
		rx->have = true;
	}
	return 1;
}

/* As many mbufs as there are, up to n. */
static uint16_t take(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	while (n > 0 && plx_mempool_get_bulk(q->cache, (void **)pkts, n) == 0)
		n /= 2;
	return n;
}

static PLX_ALWAYS_INLINE uint16_t burst(
	struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n, next_fn next)
{
	struct capt_rxq *rxq = plx_container_of(q, struct capt_rxq, q);
	struct capt_rx *rx = &rxq->cp->rx;
	uint64_t bytes = 0, now = rx->real ? capt_pace_now(&rx->pace) : 0;
	uint16_t got = 0, have;

	if (plx_unlikely(rx->ended)) {
		/* the program asks for more, so it has the rest */
		__atomic_store_n(&rx->drained, 1, __ATOMIC_RELEASE);
		return 0;
	}
	/* the end, a wait: found before mbufs are taken for nothing */
	if (n == 0 || !peek(rxq, next) || (rx->real && rx->pace.due_ns > now))
		return 0;
	have = take(q, pkts, n);
	while (got < have && peek(rxq, next)) {
		struct plx_mbuf *m = pkts[got];
		const struct capt_pkt *p = &rx->pkt;

		if (rx->real && rx->pace.due_ns > now)
			break;
		if (plx_likely(p->caplen <= rxq->seg_max)) {
			head(m, q->pool, p);
			m->data_len = (uint16_t)p->caplen;
			memcpy(plx_mbuf_data(m), p->data, p->caplen);
		} else if (!capt_rx_build(rxq, m, p)) {
			break;
		}
		rx->have = false;
		bytes += p->caplen;
		got++;
	}
	if (got < have)
		plx_mempool_put_bulk(q->cache, (void **)pkts + got, have - got);
	return plx_rxq_count(q, got, bytes, 0, 0);
}

static uint16_t rx_classic(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return burst(q, pkts, n, next_classic);
}

static uint16_t rx_libpcap(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return burst(q, pkts, n, next_libpcap);
}

static uint16_t rx_store(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return burst(q, pkts, n, next_store);
}

static uint16_t rx_nothing(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return 0;
}

plx_rx_fn capt_rx_select(const struct capt_port *cp)
{
	if (!cp->rx.open)
		return rx_nothing;
	if (cp->rx.store.base != NULL)
		return rx_store;
	return cp->rx.file.classic ? rx_classic : rx_libpcap;
}
