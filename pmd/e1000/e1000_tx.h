/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmitting: what the generations' bursts are made of. Templates get constants and inline functions, so
 * that a compiler leaves nothing of a generation's choice in a burst.
 */
#ifndef E1000_TX_H
#define E1000_TX_H

#include "e1000.h"

/* How a generation writes descriptors. */
struct e1000_tx_kind {
	uint64_t plain;     /* second quadword of a packet in one, without its length */
	uint32_t paylen;    /* the bit where it has the packet's length once more; 0: nowhere */
	e1000_fill_fn fill; /* plain packets in C */
	e1000_send_fn send; /* any packet */
};

static const struct e1000_tx_kind e1000_tx_82574 = {
	.plain = E1000_TXC_PLAIN,
	.fill = e1000_tx_plain,
	.send = e1000_tx_send,
};

/* Second quadword of a plain packet of len bytes. */
static PLX_ALWAYS_INLINE uint64_t e1000_tx_whole(const struct e1000_tx_kind *kind, uint64_t len)
{
	return kind->plain | len | (kind->paylen != 0 ? len << kind->paylen : 0);
}

/*
 * The second quadword of the descriptor of a packet of len bytes in one segment, with its length; 0: it needs
 * another context first, or is none of this.
 */
typedef uint64_t (*e1000_offload_fn)(
	const struct e1000_txq *q, const struct plx_mbuf *m, uint32_t flags, uint32_t len);

/* Fills slots as an e1000_fill_fn; packets with flags are plain, too, where there is offload. */
static PLX_ALWAYS_INLINE uint32_t e1000_tx_fill(struct e1000_txq *q, struct plx_mbuf *const *pkts,
	uint32_t k, uint64_t *bytes, const struct e1000_tx_kind *kind, e1000_offload_fn offload)
{
	const uint64_t mask = offload != NULL ? UINT32_MAX : E1000_SHAPE_MASK;
	const uint32_t max = PLX_READ_ONCE(q->h.max_pkt) - E1000_MIN_SEND;
	const struct plx_mempool *pool = q->h.cache->pool;
	plx_le64 *to = q->ring[q->tail].q;
	struct plx_mbuf **sw = q->sw + q->tail;
	uint64_t sum = 0, last = 0;
	uint32_t i;

	for (i = 0; i < k; i++, to += 2) {
		struct plx_mbuf *m = pkts[i];
		const uint64_t shape = plx_load_le64((const char *)m + 20);
		/* data_off below, refcnt above */
		const uint32_t off = plx_load_le32((const char *)m + 16) - 0x10000;
		const uint32_t len = m->data_len;
		uint64_t q1;

		if ((shape & mask) != E1000_SHAPE_PLAIN || off > 0xffff || &m->pool->mp != pool ||
			len - E1000_MIN_SEND > max)
			break;
		q1 = offload != NULL ? offload(q, m, (uint32_t)(shape >> 32) & PLX_TX_OFFLOADS, len)
				     : e1000_tx_whole(kind, len);
		if (offload != NULL && plx_unlikely(q1 == 0))
			break;
		sw[i] = m;
		last = q1;
		plx_le64_write_once(to, m->buf_iova + off);
		plx_le64_write_once(to + 1, last);
		sum += len;
	}
	*bytes += sum;
	if (i != 0)
		q->last_q1 = last;
	return i;
}

/* What is left of a burst of which so many packets, with so many bytes, are sent. */
typedef uint16_t (*e1000_rest_fn)(
	struct e1000_txq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t sent, uint64_t bytes);

/* A burst in C. Fewer than four packets go one at a time, which is cheaper for them. */
static PLX_ALWAYS_INLINE uint16_t e1000_tx_any(struct e1000_txq *q, struct plx_mbuf **pkts,
	uint16_t n, const struct e1000_tx_kind *kind, e1000_rest_fn rest)
{
	const uint32_t slots = q->h.n_desc - 1u;
	uint64_t bytes = 0;
	uint16_t sent = 0;

	e1000_tx_begin(q, n);
	if (n >= 4)
		return rest(q, pkts, n, 0, 0);
	while (sent < n && q->used < slots &&
		e1000_tx_fill(q, pkts + sent, 1, &bytes, kind, NULL) == 1) {
		q->last = q->tail;
		e1000_tx_advance(q, 1);
		sent++;
	}
	if (plx_unlikely(sent < n))
		return rest(q, pkts, n, sent, bytes);
	if (sent != 0)
		e1000_tx_end(q, sent, bytes);
	return sent;
}

/* ---- e1000_tx.c: a packet of any shape ---- */

/* As far as E1000_MAX_SEGS goes: segs is more where there are more. */
struct e1000_tx_shape {
	uint32_t len;          /* bytes of all segments */
	uint32_t segs;         /* that are not empty */
	uint32_t descs;        /* data descriptors for them */
	struct plx_mbuf *head; /* the first of them, */
	struct plx_mbuf *tail; /* and the last */
};

struct e1000_tx_shape e1000_tx_shape_of(struct plx_mbuf *m);

/* Log2 of the bytes that a data descriptor of a packet has at most: none is cut but those of TSO. */
static inline uint32_t e1000_tx_piece_log2(const struct plx_mbuf *m)
{
	return m->flags & PLX_TX_TSO ? e1000_tso_piece_log2(m) : 16;
}

/* What keeps a packet with PLX_TX_TSO from being sent, or NULL: its lengths, or the ring's. */
const char *e1000_tso_flaw(
	const struct plx_txq *h, const struct plx_mbuf *m, const struct e1000_tx_shape *s);
/* Bytes that are sent behind a packet as the device pads nothing so short. */
static inline uint32_t e1000_tx_padding(const struct e1000_tx_shape *s)
{
	return s->len < E1000_MIN_SEND ? E1000_MIN_SEND - s->len : 0;
}
/* Can it be sent? False: it is taken and counted as sent and in error. Pads it. */
bool e1000_tx_check(struct e1000_txq *q, struct plx_mbuf *m, const struct e1000_tx_shape *s);
/* Data descriptors of a packet that was checked; q1: the second quadword of each, without length and EOP. */
void e1000_tx_put_segments(
	struct e1000_txq *q, struct plx_mbuf *m, const struct e1000_tx_shape *s, uint64_t q1);
/* One descriptor; m: of which packet it is the last, or NULL. */
void e1000_tx_put(struct e1000_txq *q, uint64_t q0, uint64_t q1, struct plx_mbuf *m);

#endif
