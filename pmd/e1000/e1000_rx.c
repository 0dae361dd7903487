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
#include "e1000.h"

typedef uint64_t uint64_alias __attribute__((may_alias));

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
static void finish(const struct e1000_rxq *q, struct plx_mbuf *m, uint32_t slot, uint64_t sl)
{
	uint32_t st = (uint32_t)sl;

	*(uint64_alias *)&m->flags = e1000_rx_meaning(q->table, st & ~E1000_RXS_VP);
	if (q->hash) {
		const uint64_t q0 = plx_le64_read_once(&q->ring[slot].wb.mrq_hash);

		if (E1000_RX_HASHED(q0)) {
			m->flags |= PLX_RX_RSS_HASH;
			m->rss_hash = (uint32_t)(q0 >> 32);
		}
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
		uint32_t st = (i & 0xff) | (i >> 8) << 29, flags = e1000_rx_cksum_flags(st);

		if (st & E1000_RXS_VP)
			flags |= PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED;
		t->low[i] = flags | (uint64_t)e1000_rx_ptype_l4(st) << 32;
	}
	for (uint32_t i = 0; i < 16; i++)
		t->type[i] = (uint64_t)e1000_rx_ptype_l3(i << 16) << 32;
}

/* All fields of a packet; flags, type and tag only where there is a table; q0: 0 or with a hash. */
static PLX_ALWAYS_INLINE void fill(struct plx_mbuf *m, uint64_t rearm, uint64_t q0, uint64_t sl,
	const struct e1000_rx_table *table)
{
	const uint64_t len = len_of(sl);
	const uint64_t hashed = E1000_RX_HASHED(q0);

	m->rearm = rearm;
	m->hash_mark = hashed ? q0 >> 32 : 0;
	if (table != NULL) {
		*(uint64_alias *)&m->flags = e1000_rx_meaning(table, (uint32_t)sl) |
					     (hashed ? (uint64_t)PLX_RX_RSS_HASH : 0);
		/* pkt_len; data_len and vlan lie as length and tag do in the descriptor */
		*(uint64_alias *)&m->pkt_len = len | (sl & ~(uint64_t)UINT32_MAX);
	} else {
		*(uint64_alias *)&m->flags = 0;
		*(uint64_alias *)&m->pkt_len = len | len << 32;
	}
}

/*
 * Takes the packets of up to k slots from head, which do not wrap and are armed, until one has bits
 * of mask that are not those of a packet in one descriptor; adds their bytes.
 */
static PLX_ALWAYS_INLINE uint32_t take(struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k,
	uint64_t *bytes, uint32_t mask, const struct e1000_rx_table *table, bool hash)
{
	const uint32_t max = e1000_rx_max(q);
	const uint64_t rearm = q->h.pool->rearm;
	const union e1000_rx_desc *d = q->ring + q->head;
	struct plx_mbuf *const *sw = q->sw + q->head, *const *const end = sw + k;
	struct plx_mbuf *const *const start = sw;
	uint64_t sum = 0;

	for (; sw != end; d++) {
		const uint64_t sl = plx_le64_read_once(&d->wb.stat_len);
		const uint32_t len = len_of(sl);
		struct plx_mbuf *m = *sw;

		if (((uint32_t)sl & mask) != E1000_RXS_PLAIN)
			break;
		if (plx_unlikely(len - E1000_MIN_FRAME > max))
			break;
		sw++;
		*pkts++ = m;
		if (hash)
			plx_io_rmb(); /* DD, then the other half */
		fill(m, rearm, hash ? plx_le64_read_once(&d->wb.mrq_hash) : 0, sl, table);
		sum += len;
	}
	plx_io_rmb(); /* DD, then the data */
	*bytes += sum;
	return (uint32_t)(sw - start);
}

uint32_t e1000_rx_take(struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take(q, pkts, k, bytes, E1000_RXS_PLAIN_MASK, NULL, false);
}

/* A stripped tag that nobody asked to be stripped is left to e1000_rx_rest(). */
static PLX_ALWAYS_INLINE uint32_t take_more(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes, bool hash)
{
	const uint32_t mask = PLX_READ_ONCE(q->strip) ? E1000_RXS_PLAIN_MASK & ~E1000_RXS_VP
						      : E1000_RXS_PLAIN_MASK;

	return take(q, pkts, k, bytes, mask, q->table, hash);
}

static PLX_ALWAYS_INLINE uint32_t take_offload(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take_more(q, pkts, k, bytes, false);
}

static PLX_ALWAYS_INLINE uint32_t take_hash(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take_more(q, pkts, k, bytes, true);
}

PLX_NOINLINE uint16_t e1000_rx_few(struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	const uint32_t max = e1000_rx_max(q), n_desc = q->h.n_desc;
	const uint16_t from = q->head;
	uint64_t bytes = 0;
	uint16_t got = 0;

	if (plx_unlikely(q->spare != 0 || q->middle))
		return e1000_rx_rest(q, pkts, n, from, 0, 0);
	while (got < n) {
		const uint32_t slot = q->head, tail = q->tail;
		const uint64_t sl = stat_len(q, slot);
		struct plx_mbuf *m, *new;
		void **got_one;

		if (!(sl & E1000_RXS_DD))
			break;
		if (plx_unlikely(((uint32_t)sl & E1000_RXS_PLAIN_MASK) != E1000_RXS_PLAIN ||
				 len_of(sl) - E1000_MIN_FRAME > max))
			return e1000_rx_rest(q, pkts, n, from, got, bytes);
		got_one = plx_mempool_cache_get_zc(q->h.cache, 1);
		if (plx_unlikely(got_one == NULL))
			return e1000_rx_rest(q, pkts, n, from, got, bytes);
		m = q->sw[slot];
		new = *got_one;
		fill(m, q->h.pool->rearm, 0, sl, NULL);
		pkts[got++] = m;
		bytes += len_of(sl);
		q->head = e1000_wrap(slot + 1, n_desc);
		q->sw[tail] = new;
		e1000_desc_store(&q->ring[tail], new->buf_iova + PLX_MBUF_HEADROOM, 0);
		q->tail = e1000_wrap(tail + 1, n_desc);
		q->untold++;
	}
	plx_io_rmb(); /* DD, then the data */
	if (got != 0)
		e1000_rx_end(q, got, bytes);
	return got;
}

uint16_t e1000_rx_plain(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;

	if (e1000_rx_are_few(q, n))
		return e1000_rx_few(q, pkts, n);
	return e1000_rx_burst(q, pkts, n, e1000_rx_take, e1000_rx_arm_run);
}

uint16_t e1000_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst((struct e1000_rxq *)h, pkts, n, take_offload, e1000_rx_arm_run);
}

uint16_t e1000_rx_hash(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst((struct e1000_rxq *)h, pkts, n, take_hash, e1000_rx_arm_run);
}
