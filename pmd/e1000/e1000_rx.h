/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking packets in one descriptor: templates for each way to read a descriptor. What load() returns
 * of it is what extended ones have in stat_len: as far as mask and table look at it.
 */
#ifndef E1000_RX_H
#define E1000_RX_H

#include "e1000.h"

typedef uint64_t e1000_u64 __attribute__((may_alias));

static inline uint32_t e1000_rx_len(uint64_t sl)
{
	return (uint32_t)(sl >> 32) & 0xffff;
}

/* What a burst reports of the first quadword, which is then read, too: constants of the templates. */
enum {
	E1000_RX_HASH = 1, /* the hash */
	E1000_RX_TYPE = 2, /* the packet's type, which is in the second one of others */
};

/* All fields of a packet; flags, type and tag only where there is a table; more: E1000_RX_*. */
static PLX_ALWAYS_INLINE void e1000_rx_fields(struct plx_mbuf *m, uint64_t rearm, uint64_t q0,
	uint64_t sl, const struct e1000_rx_table *table, unsigned more)
{
	const uint64_t len = e1000_rx_len(sl);
	const uint64_t hashed = (more & E1000_RX_HASH) != 0 && E1000_RX_HASHED(q0);

	m->rearm = rearm;
	m->hash_mark = hashed ? q0 >> 32 : 0;
	if (table != NULL) {
		*(e1000_u64 *)&m->flags =
			(more & E1000_RX_TYPE ? e1000_rx_meaning_adv(table, q0, (uint32_t)sl)
					      : e1000_rx_meaning(table, (uint32_t)sl)) |
			(hashed ? (uint64_t)PLX_RX_RSS_HASH : 0);
		/* pkt_len; data_len and vlan lie as length and tag do in the descriptor */
		*(e1000_u64 *)&m->pkt_len = len | (sl & ~(uint64_t)UINT32_MAX);
	} else {
		*(e1000_u64 *)&m->flags = 0;
		*(e1000_u64 *)&m->pkt_len = len | len << 32;
	}
}

/*
 * Takes the packets of up to k slots from head, which do not wrap and are armed, until one has bits
 * of mask that are not those of a packet in one descriptor; adds their bytes.
 */
static PLX_ALWAYS_INLINE uint32_t e1000_rx_take_with(struct e1000_rxq *q, struct plx_mbuf **pkts,
	uint32_t k, uint64_t *bytes, e1000_load_fn load, uint32_t mask,
	const struct e1000_rx_table *table, unsigned more)
{
	const uint32_t max = e1000_rx_max(q);
	const uint64_t rearm = q->h.pool->rearm;
	const union e1000_rx_desc *d = q->ring + q->head;
	struct plx_mbuf *const *sw = q->sw + q->head, *const *const end = sw + k;
	struct plx_mbuf *const *const start = sw;
	uint64_t sum = 0;

	for (; sw != end; d++) {
		const uint64_t sl = load(d);
		const uint32_t len = e1000_rx_len(sl);
		struct plx_mbuf *m = *sw;

		if (((uint32_t)sl & mask) != E1000_RXS_PLAIN)
			break;
		if (plx_unlikely(len - E1000_MIN_FRAME > max))
			break;
		sw++;
		*pkts++ = m;
		if (more != 0)
			plx_io_rmb(); /* DD, then the other half */
		e1000_rx_fields(m, rearm, more != 0 ? plx_le64_read_once(&d->wb.mrq_hash) : 0, sl,
			table, more);
		sum += len;
	}
	plx_io_rmb(); /* DD, then the data */
	*bytes += sum;
	return (uint32_t)(sw - start);
}

/* Plain packets, one at a time; load and mask as above. */
static PLX_ALWAYS_INLINE uint16_t e1000_rx_few_with(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n, e1000_load_fn load, uint32_t mask)
{
	const uint32_t max = e1000_rx_max(q), n_desc = q->h.n_desc;
	const uint16_t from = q->head;
	uint64_t bytes = 0;
	uint16_t got = 0;

	if (plx_unlikely(q->spare != 0 || q->middle))
		return e1000_rx_rest(q, pkts, n, from, 0, 0);
	while (got < n) {
		const uint32_t slot = q->head, tail = q->tail;
		const uint64_t sl = load(&q->ring[slot]);
		struct plx_mbuf *m, *new;
		void **got_one;

		if (!(sl & E1000_RXS_DD))
			break;
		if (plx_unlikely(((uint32_t)sl & mask) != E1000_RXS_PLAIN ||
				 e1000_rx_len(sl) - E1000_MIN_FRAME > max))
			return e1000_rx_rest(q, pkts, n, from, got, bytes);
		got_one = plx_mempool_cache_get_zc(q->h.cache, 1);
		if (plx_unlikely(got_one == NULL))
			return e1000_rx_rest(q, pkts, n, from, got, bytes);
		m = q->sw[slot];
		new = *got_one;
		e1000_rx_fields(m, q->h.pool->rearm, 0, sl, NULL, 0);
		pkts[got++] = m;
		bytes += e1000_rx_len(sl);
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

#endif
