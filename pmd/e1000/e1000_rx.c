/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving, in C that suits every CPU.
 *
 * A buffer leaves the ring only when another takes its place: a packet for which the pool has none is
 * dropped and its buffer armed again. So the ring is always as full as it ever was, and a burst of k
 * packets arms k slots; those armed lag the head by one slot, the one without a buffer.
 *
 * Packets in one descriptor, without an error, are taken many at a time: plain ones, of which there
 * is nothing to say, by e1000_rx_plain() and e1000_rx_avx2(), and with flags by e1000_rx_offload(), or
 * with an RSS hash as well by e1000_rx_hash(). At
 * the first that is not so the rest of a burst is left to e1000_rx_rest(), one at a time.
 *
 * A descriptor's status and length are one quadword and loaded once.
 */
#include "e1000_rx.h"

static inline uint64_t stat_len(const struct e1000_rxq *q, uint32_t i)
{
	const uint64_t v = e1000_rx_load(&q->ring[i]);

	return q->legacy ? e1000_rx_extended(v) : v;
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
static void finish(const struct e1000_rxq *q, struct plx_mbuf *m, uint32_t slot, uint64_t sl)
{
	const uint64_t q0 = plx_le64_read_once(&q->ring[slot].wb.mrq_hash);
	const uint32_t st = (uint32_t)sl;

	if (q->advanced)
		*(e1000_u64 *)&m->flags = e1000_rx_meaning_adv(q->table, q0, st & ~E1000_RXS_VP);
	else
		*(e1000_u64 *)&m->flags = e1000_rx_meaning(q->table, st & ~E1000_RXS_VP);
	if (q->hash && E1000_RX_HASHED(q0)) {
		m->flags |= PLX_RX_RSS_HASH;
		m->rss_hash = (uint32_t)(q0 >> 32);
	}
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
	plx_rx_fields(m, q->h.pool, len);
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
	const uint32_t st = (uint32_t)sl, len = e1000_rx_len(sl);
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
	finish(q, m, slot, sl);
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
		plx_io_rmb(); /* DD, then the data and the other half */
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

/* ---- packets in one descriptor ---- */

void e1000_rx_table_make(struct e1000_rx_table *t)
{
	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t st = E1000_RX_LOW_STATUS(i), flags = e1000_rx_cksum_flags(st);

		if (st & E1000_RXS_VP)
			flags |= PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED;
		t->low[i] = flags | (uint64_t)e1000_rx_ptype_l4(st) << 32;
	}
	for (uint32_t i = 0; i < 16; i++)
		t->type[i] = (uint64_t)e1000_rx_ptype_l3(i << 16) << 32;
}

uint32_t e1000_rx_take(struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return e1000_rx_take_with(q, pkts, k, bytes, e1000_rx_load, E1000_RXS_PLAIN_MASK, NULL, 0);
}

/* A stripped tag that nobody asked to be stripped is left to e1000_rx_rest(). */
static PLX_ALWAYS_INLINE uint32_t take_more(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes, unsigned more)
{
	const uint32_t mask = PLX_READ_ONCE(q->strip) ? E1000_RXS_PLAIN_MASK & ~E1000_RXS_VP
						      : E1000_RXS_PLAIN_MASK;

	return e1000_rx_take_with(q, pkts, k, bytes, e1000_rx_load, mask, q->table, more);
}

static PLX_ALWAYS_INLINE uint32_t take_offload(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take_more(q, pkts, k, bytes, 0);
}

static PLX_ALWAYS_INLINE uint32_t take_hash(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take_more(q, pkts, k, bytes, E1000_RX_HASH);
}

PLX_NOINLINE uint16_t e1000_rx_few(struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_few_with(q, pkts, n, e1000_rx_load, E1000_RXS_PLAIN_MASK);
}

uint16_t e1000_rx_plain(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;

	if (e1000_rx_are_few(q, n, e1000_rx_load))
		return e1000_rx_few(q, pkts, n);
	return e1000_rx_burst(q, pkts, n, e1000_rx_take, e1000_rx_arm_run, e1000_rx_load);
}

uint16_t e1000_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst(
		(struct e1000_rxq *)h, pkts, n, take_offload, e1000_rx_arm_run, e1000_rx_load);
}

uint16_t e1000_rx_hash(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst(
		(struct e1000_rxq *)h, pkts, n, take_hash, e1000_rx_arm_run, e1000_rx_load);
}
