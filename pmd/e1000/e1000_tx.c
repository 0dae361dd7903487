/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmitting.
 *
 * A packet that is one segment in its own room, held by nobody else, from the pool that the queue's
 * cache is bound to, with nothing asked of the device, is plain: one legacy descriptor, and freeing
 * it is putting its pointer into the cache. That was checked when it was sent and cannot change
 * while the ring is its only owner. All others go through e1000_tx_send(), and are freed one by one.
 *
 * The device reports (RS) the last descriptor of a burst, and one in 32 of a long one: finding out
 * what is done is one look at memory for a burst.
 */
#include "e1000_tx.h"

/* ---- what is done ---- */

/* Plain packets of k slots from at, which do not wrap. */
static void free_plain(struct e1000_txq *q, uint32_t at, uint32_t k)
{
	while (k != 0) {
		const uint32_t run = PLX_MIN(k, (uint32_t)E1000_CHUNK);
		void **to = plx_mempool_cache_put_zc(q->h.cache, run);

		if (plx_likely(to != NULL))
			plx_ptrs_copy(to, (void *const *)&q->sw[at], run);
		at += run;
		k -= run;
	}
}

/* Any packets of k slots from at, which do not wrap. @return how many they were. */
static uint32_t free_any(struct e1000_txq *q, uint32_t at, uint32_t k)
{
	struct plx_mbuf *pkts[E1000_CHUNK];
	uint32_t n = 0, total = 0;

	for (uint32_t i = 0; i < k; i++) {
		struct plx_mbuf *m = q->sw[at + i];

		if (m != NULL)
			pkts[n++] = m;
		if (n == E1000_CHUNK || (i + 1 == k && n != 0)) {
			plx_mbuf_free_bulk_c(q->h.cache, pkts, n);
			total += n;
			n = 0;
		}
	}
	return total;
}

static void disown(union e1000_tx_desc *d, uint32_t k)
{
	for (; k >= 4; k -= 4, d += 4) {
		e1000_desc_store(d, E1000_NO_ADDR, 0);
		e1000_desc_store(d + 1, E1000_NO_ADDR, 0);
		e1000_desc_store(d + 2, E1000_NO_ADDR, 0);
		e1000_desc_store(d + 3, E1000_NO_ADDR, 0);
	}
	for (; k != 0; k--)
		e1000_desc_store(d++, E1000_NO_ADDR, 0);
}

static uint32_t free_run(struct e1000_txq *q, uint32_t k)
{
	const uint32_t at = q->head;
	const struct plx_mempool *pool = q->h.cache->pool;
	uint32_t done = k;

	if (plx_likely(q->unplain == 0))
		free_plain(q, at, k);
	else
		done = free_any(q, at, k);
	disown(q->ring + at, k);
	q->head = e1000_wrap(at + k, q->h.n_desc);
	q->used = (uint16_t)(q->used - k);
	q->unplain = (uint16_t)(q->unplain > k ? q->unplain - k : 0);
	if (plx_unlikely(q->h.cache->pool != pool))
		q->unplain = q->used; /* what was plain for the other pool is not for this one */
	return done;
}

uint32_t e1000_tx_free(struct e1000_txq *q, uint16_t k)
{
	const uint32_t run = PLX_MIN((uint32_t)k, (uint32_t)q->h.n_desc - q->head);
	uint32_t done = free_run(q, run);

	if (plx_unlikely(run < k))
		done += free_run(q, k - run);
	return done;
}

uint32_t e1000_tx_done(struct e1000_txq *q)
{
	const uint32_t n = q->h.n_desc;
	uint32_t at = q->rs_head, slot = n, done;

	while (at != q->rs_tail) {
		const uint16_t next = q->rs[at];

		if (!(plx_le32_read_once(&q->ring[next].data.opts) & E1000_TXO_DD))
			break;
		slot = next;
		at = e1000_wrap(at + 1, n);
	}
	if (slot == n)
		return 0;
	PLX_WRITE_ONCE(q->rs_head, (uint16_t)at);
	done = e1000_tx_free(q, (uint16_t)(e1000_wrap(slot + n - q->head, n) + 1));
	plx_ctr_add(&q->h.ctr[PLX_TXQ_DONE], done);
	return done;
}

uint32_t e1000_tx_reclaim(struct plx_txq *h)
{
	return e1000_tx_done((struct e1000_txq *)h);
}

/* ---- any packet ---- */

void e1000_tx_put(struct e1000_txq *q, uint64_t q0, uint64_t q1, struct plx_mbuf *m)
{
	const uint16_t at = q->tail;

	e1000_desc_store(&q->ring[at], q0, q1);
	q->sw[at] = m;
	q->last = at;
	q->last_q1 = q1;
	e1000_tx_advance(q, 1);
	q->unplain = q->used;
}

struct e1000_tx_shape e1000_tx_shape_of(struct plx_mbuf *m)
{
	const uint32_t log2 = e1000_tx_piece_log2(m);
	struct e1000_tx_shape s = {0};

	for (uint32_t left = E1000_MAX_SEGS * 2; m != NULL; m = m->next) {
		if (left-- == 0) {
			s.segs = E1000_MAX_SEGS + 1;
			break;
		}
		if (m->data_len == 0)
			continue;
		s.len += m->data_len;
		s.segs++;
		s.descs += (m->data_len + (1u << log2) - 1) >> log2;
		if (s.head == NULL)
			s.head = m;
		s.tail = m;
	}
	return s;
}

const char *e1000_tso_flaw(
	const struct plx_txq *h, const struct plx_mbuf *m, const struct e1000_tx_shape *s)
{
	const uint32_t headers = e1000_tso_headers(m);

	if (m->tx.l2_len < E1000_MIN_FRAME || m->tx.l3_len < 20 || m->tx.l4_len < 20)
		return "header lengths";
	if (headers > E1000_TSO_HEADERS)
		return "headers of more than 240 bytes";
	if (headers >= s->len)
		return "no payload";
	if (headers > s->head->data_len)
		return "headers that are not all in the first segment";
	if (m->tx.tso_segsz < E1000_TSO_MIN_MSS)
		return "a tso_segsz below 64";
	if (headers + m->tx.tso_segsz > PLX_READ_ONCE(h->max_pkt))
		return "segments longer than the MTU";
	if (s->len > PLX_PKT_LEN_MAX)
		return "more than 65535 bytes";
	if (s->descs + 2 > h->n_desc)
		return "more descriptors than the ring has";
	return NULL;
}

/* The device pads from E1000_MIN_SEND on; below, zeros are written behind the data. */
static bool pad(const struct e1000_tx_shape *s)
{
	const uint32_t more = E1000_MIN_SEND - s->len;

	if (s->tail->refcnt != 1 || s->tail->kind != PLX_MBUF_OWN ||
		plx_mbuf_tailroom(s->tail) < more)
		return false;
	memset(plx_mbuf_data(s->tail) + s->tail->data_len, 0, more);
	return true;
}

static bool sendable(
	const struct e1000_txq *q, const struct plx_mbuf *m, const struct e1000_tx_shape *s)
{
	const uint32_t flags = m->flags & PLX_TX_OFFLOADS;
	const uint32_t max = PLX_READ_ONCE(q->h.max_pkt);

	if (s->len < E1000_MIN_FRAME || s->segs > E1000_MAX_SEGS || s->descs + 2 > q->h.n_desc)
		return false;
	if (flags == 0)
		return s->len <= max;
	if (flags & ~(uint32_t)(E1000_TX_CTX | PLX_TX_VLAN))
		return false;
	if ((flags & PLX_TX_VLAN) && !q->vlan)
		return false;
	if (flags & PLX_TX_TSO)
		return q->tso && e1000_tso_flaw(&q->h, m, s) == NULL;
	if (s->len > max)
		return false;
	/* the context's fields are of 8 bits */
	return !(flags & E1000_TX_CKSUMS) ||
	       (m->tx.l2_len >= E1000_MIN_FRAME && m->tx.l3_len >= 20 &&
		       m->tx.l2_len + m->tx.l3_len + 16u <= 0xff &&
		       (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len < s->len);
}

/* Taken, but not to be sent: counts as both. */
static void refuse(struct e1000_txq *q, struct plx_mbuf *m)
{
	const struct plx_mempool *pool = q->h.cache->pool;

	plx_mbuf_free_bulk_c(q->h.cache, &m, 1);
	if (q->h.cache->pool != pool)
		q->unplain = q->used;
	plx_ctr_add(&q->h.ctr[PLX_TXQ_ERRORS], 1);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_DONE], 1);
}

static PLX_ALWAYS_INLINE bool check(
	struct e1000_txq *q, struct plx_mbuf *m, const struct e1000_tx_shape *s)
{
	if (sendable(q, m, s) && (s->len >= E1000_MIN_SEND || pad(s)))
		return true;
	refuse(q, m);
	return false;
}

bool e1000_tx_check(struct e1000_txq *q, struct plx_mbuf *m, const struct e1000_tx_shape *s)
{
	return check(q, m, s);
}

static PLX_ALWAYS_INLINE void put_segments(
	struct e1000_txq *q, struct plx_mbuf *m, const struct e1000_tx_shape *s, uint64_t q1)
{
	const uint32_t piece = 1u << e1000_tx_piece_log2(m);
	const uint32_t padding = e1000_tx_padding(s);

	for (struct plx_mbuf *seg = m;; seg = seg->next) {
		uint64_t iova = plx_mbuf_iova(seg);
		uint32_t left = seg->data_len;

		for (; left > piece; left -= piece, iova += piece)
			e1000_tx_put(q, iova, q1 | piece, NULL);
		if (seg == s->tail) {
			e1000_tx_put(q, iova, q1 | E1000_TXC_EOP | (left + padding), m);
			break;
		}
		if (left != 0)
			e1000_tx_put(q, iova, q1 | left, NULL);
	}
}

void e1000_tx_put_segments(
	struct e1000_txq *q, struct plx_mbuf *m, const struct e1000_tx_shape *s, uint64_t q1)
{
	put_segments(q, m, s, q1);
}

static void put_context(struct e1000_txq *q, const struct plx_mbuf *m, uint32_t len, uint64_t key)
{
	uint32_t cmd, opts;
	uint64_t ctx[2];

	e1000_tx_context(m, len, ctx);
	e1000_tx_put(q, ctx[0], ctx[1], NULL);
	e1000_tx_command(m, &cmd, &opts);
	/* 7.2.6: the device has one context, whichever queue it came from */
	q->ctx_key = q->alone && !(m->flags & PLX_TX_TSO) ? key : 0;
	q->ctx_q1 = e1000_tx_q1((cmd & ~E1000_TXC_VLE) | E1000_TXC_EOP, 0, opts & 0xffff);
	q->ctx_headers = (uint16_t)(m->tx.l2_len + m->tx.l3_len);
}

bool e1000_tx_send(struct e1000_txq *q, struct plx_mbuf *m, uint64_t *bytes)
{
	const struct e1000_tx_shape s = e1000_tx_shape_of(m);
	uint32_t cmd, opts;
	uint64_t key = 0;

	if (!check(q, m, &s)) {
		*bytes += s.len;
		return true;
	}
	if ((m->flags & E1000_TX_CTX) && e1000_tx_key(m) != q->ctx_key)
		key = e1000_tx_key(m);
	if (s.descs + (key != 0) > (uint32_t)q->h.n_desc - 1 - q->used)
		return false;
	if (key != 0)
		put_context(q, m, s.len, key);
	e1000_tx_command(m, &cmd, &opts);
	put_segments(q, m, &s, e1000_tx_q1(cmd, 0, opts));
	*bytes += s.len;
	return true;
}

/* ---- plain packets ---- */

static PLX_ALWAYS_INLINE uint64_t offload_q1(
	const struct e1000_txq *q, const struct plx_mbuf *m, uint32_t flags, uint32_t len)
{
	uint64_t q1 = E1000_TXC_PLAIN;

	if (plx_unlikely(flags & ~(uint32_t)(E1000_TX_CKSUMS | PLX_TX_VLAN)))
		return 0;
	if (flags & E1000_TX_CKSUMS) {
		if (plx_unlikely(e1000_tx_key(m) != q->ctx_key || len <= q->ctx_headers))
			return 0;
		q1 = q->ctx_q1;
	}
	if (flags & PLX_TX_VLAN) {
		if (plx_unlikely(!q->vlan))
			return 0;
		q1 |= E1000_TXC_VLE | (uint64_t)m->vlan << 48;
	}
	return q1 | len;
}

uint32_t e1000_tx_plain(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return e1000_tx_fill(q, pkts, k, bytes, &e1000_tx_82574, NULL);
}

static PLX_ALWAYS_INLINE uint32_t with_offloads(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return e1000_tx_fill(q, pkts, k, bytes, &e1000_tx_82574, offload_q1);
}

uint16_t e1000_tx_offload(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_txq *q = (struct e1000_txq *)h;

	e1000_tx_begin(q, n);
	return e1000_tx_burst(q, pkts, n, 0, 0, with_offloads, e1000_tx_send);
}

/* What is left of a burst. */
PLX_NOINLINE static uint16_t rest(
	struct e1000_txq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t sent, uint64_t bytes)
{
	return e1000_tx_burst(q, pkts, n, sent, bytes, e1000_tx_plain, e1000_tx_send);
}

uint16_t e1000_tx(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_tx_any((struct e1000_txq *)h, pkts, n, &e1000_tx_82574, rest);
}
