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
#include "e1000.h"

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

static void put(struct e1000_txq *q, uint64_t q0, uint64_t q1, struct plx_mbuf *m)
{
	const uint16_t at = q->tail;

	e1000_desc_store(&q->ring[at], q0, q1);
	q->sw[at] = m;
	q->last = at;
	q->last_q1 = q1;
	e1000_tx_advance(q, 1);
	q->unplain = q->used;
}

/* A packet as e1000_tx_send() sees it. */
struct shape {
	uint32_t len;          /* bytes of all segments */
	uint32_t segs;         /* that are not empty */
	struct plx_mbuf *tail; /* the last of them */
};

static struct shape shape_of(struct plx_mbuf *m)
{
	struct shape s = {0};

	for (uint32_t left = E1000_MAX_SEGS * 2; m != NULL; m = m->next) {
		if (left-- == 0) {
			s.segs = E1000_MAX_SEGS + 1;
			break;
		}
		if (m->data_len == 0)
			continue;
		s.len += m->data_len;
		s.segs++;
		s.tail = m;
	}
	return s;
}

/* The device pads from E1000_MIN_SEND on; below, zeros are written behind the data. */
static bool pad(const struct shape *s)
{
	const uint32_t more = E1000_MIN_SEND - s->len;

	if (s->tail->refcnt != 1 || s->tail->kind != PLX_MBUF_OWN ||
		plx_mbuf_tailroom(s->tail) < more)
		return false;
	memset(plx_mbuf_data(s->tail) + s->tail->data_len, 0, more);
	return true;
}

static bool sendable(const struct e1000_txq *q, const struct plx_mbuf *m, const struct shape *s)
{
	const uint32_t flags = m->flags & PLX_TX_OFFLOADS;
	const uint32_t max = PLX_READ_ONCE(q->h.max_pkt);

	if (s->len < E1000_MIN_FRAME || s->len > max || s->segs > E1000_MAX_SEGS ||
		s->segs + 2 > q->h.n_desc)
		return false;
	if (flags == 0)
		return true;
	if (flags & ~(uint32_t)(E1000_TX_CKSUMS | PLX_TX_VLAN))
		return false;
	if ((flags & PLX_TX_VLAN) && !q->vlan)
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

static void put_segments(struct e1000_txq *q, struct plx_mbuf *m, const struct shape *s)
{
	uint32_t cmd, opts, padding = s->len < E1000_MIN_SEND ? E1000_MIN_SEND - s->len : 0;

	e1000_tx_command(m, &cmd, &opts);
	for (struct plx_mbuf *seg = m;; seg = seg->next) {
		if (seg->data_len == 0)
			continue;
		if (seg == s->tail)
			break;
		put(q, plx_mbuf_iova(seg), e1000_tx_q1(cmd, seg->data_len, opts), NULL);
	}
	put(q, plx_mbuf_iova(s->tail),
		e1000_tx_q1(cmd | E1000_TXC_EOP, s->tail->data_len + padding, opts), m);
}

static void put_context(struct e1000_txq *q, const struct plx_mbuf *m, uint64_t key)
{
	uint32_t cmd, opts;
	uint64_t ctx[2];

	e1000_tx_context(m, ctx);
	put(q, ctx[0], ctx[1], NULL);
	e1000_tx_command(m, &cmd, &opts);
	/* 7.2.6: the device has one context, whichever queue it came from */
	q->ctx_key = q->alone ? key : 0;
	q->ctx_q1 = e1000_tx_q1((cmd & ~E1000_TXC_VLE) | E1000_TXC_EOP, 0, opts & 0xffff);
	q->ctx_headers = (uint16_t)(m->tx.l2_len + m->tx.l3_len);
}

bool e1000_tx_send(struct e1000_txq *q, struct plx_mbuf *m, uint64_t *bytes)
{
	const struct shape s = shape_of(m);
	uint64_t key = 0;

	if (!sendable(q, m, &s) || (s.len < E1000_MIN_SEND && !pad(&s))) {
		*bytes += s.len;
		refuse(q, m);
		return true;
	}
	if ((m->flags & E1000_TX_CKSUMS) && e1000_tx_key(m) != q->ctx_key)
		key = e1000_tx_key(m);
	if (s.segs + (key != 0) > (uint32_t)q->h.n_desc - 1 - q->used)
		return false;
	if (key != 0)
		put_context(q, m, key);
	put_segments(q, m, &s);
	*bytes += s.len;
	return true;
}

/* ---- plain packets ---- */

/*
 * The second quadword of the descriptor of a packet in one segment, without its length; 0: it needs
 * another context first, or is none of this.
 */
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
	return q1;
}

/* Fills slots as e1000_tx_plain() does; with offloads if they are to be looked at. */
static PLX_ALWAYS_INLINE uint32_t fill(struct e1000_txq *q, struct plx_mbuf *const *pkts,
	uint32_t k, uint64_t *bytes, bool offloads)
{
	const uint64_t mask = offloads ? UINT32_MAX : E1000_SHAPE_MASK;
	const uint32_t max = PLX_READ_ONCE(q->h.max_pkt) - E1000_MIN_SEND;
	const struct plx_mempool *pool = q->h.cache->pool;
	plx_le64 *to = q->ring[q->tail].q;
	struct plx_mbuf **sw = q->sw + q->tail;
	uint64_t sum = 0, q1 = E1000_TXC_PLAIN, last = 0;
	uint32_t i;

	for (i = 0; i < k; i++, to += 2) {
		struct plx_mbuf *m = pkts[i];
		const uint64_t shape = plx_load_le64((const char *)m + 20);
		/* data_off below, refcnt above */
		const uint32_t off = plx_load_le32((const char *)m + 16) - 0x10000;
		const uint32_t len = m->data_len;

		if ((shape & mask) != E1000_SHAPE_PLAIN || off > 0xffff || &m->pool->mp != pool ||
			len - E1000_MIN_SEND > max)
			break;
		if (offloads)
			q1 = offload_q1(q, m, (uint32_t)(shape >> 32) & PLX_TX_OFFLOADS, len);
		if (offloads && plx_unlikely(q1 == 0))
			break;
		sw[i] = m;
		last = len | q1;
		plx_le64_write_once(to, m->buf_iova + off);
		plx_le64_write_once(to + 1, last);
		sum += len;
	}
	*bytes += sum;
	if (i != 0)
		q->last_q1 = last;
	return i;
}

uint32_t e1000_tx_plain(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return fill(q, pkts, k, bytes, false);
}

static PLX_ALWAYS_INLINE uint32_t with_offloads(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return fill(q, pkts, k, bytes, true);
}

uint16_t e1000_tx_offload(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_txq *q = (struct e1000_txq *)h;

	e1000_tx_begin(q, n);
	return e1000_tx_burst(q, pkts, n, 0, 0, with_offloads);
}

/* What is left of a burst. */
PLX_NOINLINE static uint16_t rest(
	struct e1000_txq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t sent, uint64_t bytes)
{
	return e1000_tx_burst(q, pkts, n, sent, bytes, e1000_tx_plain);
}

/* One at a time, which is cheaper while there are fewer than four. */
static uint16_t few(struct e1000_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	const uint32_t slots = q->h.n_desc - 1u;
	uint64_t bytes = 0;
	uint16_t sent = 0;

	while (sent < n && q->used < slots && fill(q, pkts + sent, 1, &bytes, false) == 1) {
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

uint16_t e1000_tx(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_txq *q = (struct e1000_txq *)h;

	e1000_tx_begin(q, n);
	return n < 4 ? few(q, pkts, n) : rest(q, pkts, n, 0, 0);
}
