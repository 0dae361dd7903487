/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving, in C that suits every CPU.
 *
 * A buffer leaves the ring only when another takes its place: a packet for which the pool has none is
 * dropped and its buffer armed again. So the ring is always as full as it ever was, and a burst of k
 * packets arms k slots; those armed lag the head by one slot, the one without a buffer.
 *
 * Two bursts: one for packets about which there is nothing to say (one descriptor, no error, no
 * offload), which leaves the rest of a burst to the other at the first that is not so.
 *
 * A descriptor's status and length are one quadword and loaded once.
 */
#include "e1000.h"

static inline uint64_t stat_len(const struct e1000_rxq *q, uint32_t i)
{
	return plx_le64_read_once(&q->ring[i].wb.stat_len);
}

static inline uint32_t len_of(uint64_t sl)
{
	return (uint32_t)(sl >> 32) & 0xffff;
}

/* ---- whatever comes ---- */

/* The buffer of a slot that is not delivered is armed again. */
static void rearm(struct e1000_rxq *q, uint32_t slot)
{
	void *m = q->sw[slot];

	e1000_rx_arm(q, &m, 1);
}

/* Drops the packet of which this slot is the last seen. */
static void drop(struct e1000_rxq *q, uint32_t slot, bool eop, unsigned why)
{
	plx_ctr_add(&q->h.ctr[why], 1);
	if (q->first != NULL)
		plx_mbuf_free_slow(q->h.cache, q->first);
	q->first = NULL;
	q->skip = !eop;
	rearm(q, slot);
}

/* Puts a tag that the device stripped, because TX needs VLAN mode, back where it was. */
static void retag(struct plx_mbuf *m, uint16_t tag)
{
	uint8_t *p = plx_mbuf_prepend(m, 4);

	if (plx_unlikely(p == NULL)) /* not with PLX_MBUF_HEADROOM bytes before it */
		return;
	memmove(p, p + 4, 2 * PLX_ETH_ALEN);
	plx_store_be16(p + 12, 0x8100);
	plx_store_be16(p + 14, tag);
}

/* The first segment gets what the last descriptor says of the whole packet. */
static void finish(const struct e1000_rxq *q, struct plx_mbuf *m, uint64_t sl)
{
	uint32_t st = (uint32_t)sl;

	m->flags = e1000_rx_cksum_flags(st);
	m->ptype = e1000_rx_ptype(st);
	if (!(st & E1000_RXS_VP))
		return;
	if (PLX_READ_ONCE(q->strip)) {
		m->flags |= PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED;
		m->vlan = (uint16_t)(sl >> 48);
	} else {
		retag(m, (uint16_t)(sl >> 48));
	}
}

static void append(struct e1000_rxq *q, struct plx_mbuf *m, uint32_t len)
{
	m->rearm = q->h.pool->rearm;
	m->flags = 0;
	m->ptype = 0;
	m->pkt_len = len;
	m->data_len = (uint16_t)len;
	m->vlan = 0;
	m->hash_mark = 0;
	if (q->first == NULL) {
		q->first = m;
	} else {
		q->first->pkt_len += len;
		q->first->nsegs++;
		q->last->next = m;
	}
	q->last = m;
}

/* What is wrong with this descriptor: a counter, or 0. Lengths are those of the device: unchecked. */
static unsigned fault(const struct e1000_rxq *q, uint32_t st, uint32_t len)
{
	uint32_t before = q->first != NULL ? q->first->pkt_len : 0;
	uint32_t tag = (st & E1000_RXS_VP) && !PLX_READ_ONCE(q->strip) ? 4 : 0;

	if (len > q->buf_len || before + len + tag > PLX_READ_ONCE(q->h.max_pkt))
		return PLX_RXQ_ERRORS;
	if (!(st & E1000_RXS_EOP))
		return q->scatter && len != 0 ? 0 : PLX_RXQ_ERRORS;
	if ((st & E1000_RXS_BAD) || before + len < E1000_MIN_FRAME)
		return PLX_RXQ_ERRORS;
	return 0;
}

/* One finished descriptor; the packet if it was the last of one, else NULL. */
static struct plx_mbuf *one(struct e1000_rxq *q, uint32_t slot, uint64_t sl)
{
	const uint32_t st = (uint32_t)sl, len = len_of(sl);
	const bool eop = (st & E1000_RXS_EOP) != 0;
	struct plx_mbuf *m = q->sw[slot];
	unsigned why;
	void **new;

	if (plx_unlikely(q->skip)) {
		q->skip = !eop;
		rearm(q, slot);
		return NULL;
	}
	why = fault(q, st, len);
	if (plx_unlikely(why != 0)) {
		drop(q, slot, eop, why);
		return NULL;
	}
	new = plx_mempool_cache_get_zc(q->h.cache, 1);
	if (plx_unlikely(new == NULL)) {
		drop(q, slot, eop, PLX_RXQ_NOMBUF);
		return NULL;
	}
	e1000_rx_arm(q, new, 1);
	append(q, m, len);
	if (!eop)
		return NULL;
	m = q->first;
	q->first = NULL;
	finish(q, m, sl);
	return m;
}

/* Packets of any kind, until the burst is full or the device has no more. */
static uint16_t any(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t got, uint64_t *bytes)
{
	const uint32_t n_desc = q->h.n_desc;

	/* as many as the ring has at most: what is dropped must not keep us here */
	for (uint32_t left = n_desc; left != 0 && got < n && q->head != q->tail; left--) {
		const uint32_t slot = q->head;
		const uint64_t sl = stat_len(q, slot);
		struct plx_mbuf *m;

		if (!(sl & E1000_RXS_DD))
			break;
		plx_io_rmb(); /* DD, then the data */
		q->head = e1000_wrap(slot + 1, n_desc);
		m = one(q, slot, sl);
		if (m == NULL)
			continue;
		pkts[got++] = m;
		*bytes += m->pkt_len;
	}
	q->middle = q->first != NULL || q->skip;
	return got;
}

/*
 * Finished slots that were not armed again (one, while the pool gives buffers) lose what the device
 * wrote there.
 */
static void disown(struct e1000_rxq *q, uint32_t finished)
{
	const uint32_t n = q->h.n_desc;
	uint32_t gap = e1000_wrap(q->head + n - q->tail, n);

	gap = PLX_MIN(gap, finished);
	for (uint32_t i = e1000_wrap(q->head + n - gap, n); gap != 0; gap--) {
		e1000_desc_store(&q->ring[i], E1000_NO_ADDR, 0);
		i = e1000_wrap(i + 1, n);
	}
}

uint16_t e1000_rx_rest(struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t from,
	uint16_t got, uint64_t bytes)
{
	got = any(q, pkts, n, got, &bytes);
	if (plx_unlikely(q->spare != 0))
		e1000_rxq_fill(q);
	disown(q, e1000_wrap(q->head + q->h.n_desc - (uint32_t)from, q->h.n_desc));
	if (q->untold >= q->batch || (plx_unlikely(q->spare != 0) && q->untold != 0))
		e1000_rx_doorbell(q);
	if (got != 0)
		e1000_rx_count(q, got, bytes);
	return got;
}

uint16_t e1000_rx_general(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;

	return e1000_rx_rest(q, pkts, n, q->head, 0, 0);
}

/* ---- plain packets ---- */

uint32_t e1000_rx_take(struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	const uint32_t max = e1000_rx_max(q);
	const e1000_v2 fresh = {q->h.pool->rearm, 0};
	const uint32_t at = q->head;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < k; i++) {
		const uint64_t sl = stat_len(q, at + i);
		const uint64_t len = len_of(sl);
		struct plx_mbuf *m = q->sw[at + i];

		if (((uint32_t)sl & E1000_RXS_PLAIN_MASK) != E1000_RXS_PLAIN)
			break;
		if (plx_unlikely((uint32_t)len - E1000_MIN_FRAME > max))
			break;
		pkts[i] = m;
		*(e1000_v2 *)&m->rearm = fresh; /* and flags, ptype */
		*(e1000_v2 *)&m->pkt_len = (e1000_v2){len | len << 32, 0};
		sum += len;
	}
	plx_io_rmb(); /* DD, then the data */
	*bytes += sum;
	return i;
}

uint16_t e1000_rx_plain(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst((struct e1000_rxq *)h, pkts, n, e1000_rx_take, e1000_rx_arm_run);
}
