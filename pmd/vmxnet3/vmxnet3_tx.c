/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmitting.
 *
 * A packet that is one segment in its own room, held by nobody else, from the pool that the queue's
 * cache is bound to, with nothing asked of the device, is plain: one slot, and freeing it is putting
 * its pointer into the cache. That was checked when it was sent and cannot change while the ring is
 * its only owner. All others go through vmxnet3_tx_send(), and are freed one by one.
 *
 * Each packet asks to be reported (the device would be free to report none otherwise, and QEMU's model
 * reports all the same): its completions come in order, so that one that has come 32 places ahead
 * tells of all before it.
 */
#define PLX_LOG_TAG "vmxnet3"
#include "vmxnet3_burst.h"

/* ---- what is done ---- */

/* Plain packets of k slots from at, which do not wrap. */
static void free_plain(struct vmxnet3_txq *q, uint32_t at, uint32_t k)
{
	while (k != 0) {
		const uint32_t run = PLX_MIN(k, (uint32_t)VMXNET3_CHUNK);
		void **to = plx_mempool_cache_put_zc(q->h.cache, run);

		if (plx_likely(to != NULL))
			plx_ptrs_copy(to, (void *const *)&q->sw[at], run);
		at += run;
		k -= run;
	}
}

/* Any packets of k slots from at, which do not wrap. @return how many they were. */
static uint32_t free_any(struct vmxnet3_txq *q, uint32_t at, uint32_t k)
{
	uint32_t total = 0;

	for (; k != 0; k--, at++) {
		if (q->sw[at] == NULL)
			continue;
		plx_mbuf_free_bulk_c(q->h.cache, &q->sw[at], 1);
		total++;
	}
	return total;
}

/* The slots have no owner but us: they keep the round in which the device had them, and no address. */
static void disown(struct vmxnet3_desc *d, uint32_t k, uint64_t gen)
{
	for (; k >= 4; k -= 4, d += 4) {
		vmxnet3_desc_store(d, VMXNET3_NO_ADDR, gen);
		vmxnet3_desc_store(d + 1, VMXNET3_NO_ADDR, gen);
		vmxnet3_desc_store(d + 2, VMXNET3_NO_ADDR, gen);
		vmxnet3_desc_store(d + 3, VMXNET3_NO_ADDR, gen);
	}
	for (; k != 0; k--)
		vmxnet3_desc_store(d++, VMXNET3_NO_ADDR, gen);
}

static uint32_t free_run(struct vmxnet3_txq *q, uint32_t k)
{
	const uint32_t at = q->head;
	const struct plx_mempool *pool = q->h.cache->pool;
	uint32_t done = k;

	if (plx_likely(q->unplain == 0))
		free_plain(q, at, k);
	else
		done = free_any(q, at, k);
	/* slots below tail are of its round, those above of the one before */
	disown(q->ring + at, k, at < q->tail ? q->gen : q->gen ^ VMXNET3_TX_GEN);
	PLX_WRITE_ONCE(q->head, vmxnet3_wrap(at + k, q->h.n_desc));
	PLX_WRITE_ONCE(q->used, (uint16_t)(q->used - k));
	q->unplain = (uint16_t)(q->unplain > k ? q->unplain - k : 0);
	if (plx_unlikely(q->h.cache->pool != pool))
		q->unplain = q->used; /* what was plain for the other pool is not for this one */
	return done;
}

uint32_t vmxnet3_tx_free(struct vmxnet3_txq *q, uint16_t k)
{
	const uint32_t run = PLX_MIN((uint32_t)k, (uint32_t)q->h.n_desc - q->head);
	uint32_t done = free_run(q, run);

	if (plx_unlikely(run < k))
		done += free_run(q, k - run);
	return done;
}

static inline bool is_news(const struct vmxnet3_txq *q, uint32_t i, uint64_t gen)
{
	return ((plx_le64_read_once(&q->comp[i].q[1]) ^ gen) & VMXNET3_C_GEN) == 0;
}

/*
 * Looks at completions from at on. @return the last that has come, n_desc if none has. A device
 * that goes on writing must not keep us: as many as there are slots in use at most.
 */
static uint32_t newest(struct vmxnet3_txq *q)
{
	const uint32_t n = q->h.n_desc;
	uint32_t at = q->at, last = n, left = q->used;
	uint64_t gen = q->comp_gen;

	while (left != 0) {
		uint32_t step = VMXNET3_CHUNK;

		if (left < step || at + step > n || !is_news(q, at + step - 1, gen))
			step = 1;
		if (step == 1 && !is_news(q, at, gen))
			break;
		last = at + step - 1;
		at += step;
		left -= step;
		if (at == n) {
			at = 0;
			gen ^= VMXNET3_C_GEN;
		}
	}
	PLX_WRITE_ONCE(q->at, (uint16_t)at);
	PLX_WRITE_ONCE(q->comp_gen, gen);
	return last;
}

PLX_NOINLINE static uint32_t fail(struct vmxnet3_txq *q, uint32_t slot)
{
	plx_logf(vmxnet3_priv(q->h.port)->hw.log, PLX_LOG_ERR,
		"%s: TX queue %u: the device reports slot %u, which ends no packet that it has; "
		"reset the port",
		plx_port_name(q->h.port), q->h.index, slot);
	plx_txq_set_failed(&q->h, EIO);
	return 0;
}

uint32_t vmxnet3_tx_done(struct vmxnet3_txq *q)
{
	const uint32_t n = q->h.n_desc, last = newest(q);
	uint32_t slot, k, done;

	if (last == n)
		return 0;
	plx_io_rmb(); /* the generation, then the other half */
	slot = VMXNET3_TXC_SLOT(plx_le64_read_once(&q->comp[last].q[0]));
	if (plx_unlikely(slot >= n))
		return fail(q, slot);
	k = vmxnet3_wrap(slot + n - q->head, n) + 1u;
	if (plx_unlikely(k > q->used || q->sw[slot] == NULL))
		return fail(q, slot);
	done = vmxnet3_tx_free(q, (uint16_t)k);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_DONE], done);
	return done;
}

uint32_t vmxnet3_tx_reclaim(struct plx_txq *h)
{
	return vmxnet3_tx_done((struct vmxnet3_txq *)h);
}

/* ---- whatever comes ---- */

/* What is to be sent of a packet, which may have segments without data. */
struct shape {
	uint32_t len;   /* bytes of all segments */
	uint32_t segs;  /* that are not empty */
	uint32_t slots; /* that they need */
};

static struct shape shape_of(const struct plx_mbuf *m)
{
	struct shape s = {0};

	for (uint32_t left = VMXNET3_MAX_SEGS * 2; m != NULL; m = m->next) {
		if (left-- == 0) {
			s.segs = VMXNET3_MAX_SEGS + 1;
			break;
		}
		if (m->data_len == 0)
			continue;
		s.len += m->data_len;
		s.segs++;
		s.slots += (m->data_len + VMXNET3_TX_BUF_MAX - 1) / VMXNET3_TX_BUF_MAX;
	}
	return s;
}

static bool sendable(
	const struct vmxnet3_txq *q, const struct plx_mbuf *m, const struct shape *s, uint64_t *q1)
{
	const uint32_t max = m->flags & PLX_TX_TSO ? PLX_PKT_LEN_MAX : PLX_READ_ONCE(q->h.max_pkt);

	return s->len >= VMXNET3_MIN_FRAME && s->len <= max && s->segs <= VMXNET3_MAX_SEGS &&
	       s->slots < q->h.n_desc && vmxnet3_tx_asks(m, s->len, q1);
}

/* Taken, but not to be sent: counts as both. */
static void refuse(struct vmxnet3_txq *q, struct plx_mbuf *m)
{
	const struct plx_mempool *pool = q->h.cache->pool;

	plx_mbuf_free_bulk_c(q->h.cache, &m, 1);
	if (q->h.cache->pool != pool)
		q->unplain = q->used;
	plx_ctr_add(&q->h.ctr[PLX_TXQ_ERRORS], 1);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_DONE], 1);
}

/*
 * Fills slots with a packet; what it asks for is said in the first. That is handed over when all are
 * filled, and with it the others, which the device does not look at before.
 */
static void put(struct vmxnet3_txq *q, struct plx_mbuf *m, const struct shape *s, uint64_t asks)
{
	struct vmxnet3_desc *const first = &q->ring[q->tail];
	uint64_t first_q1 = 0;
	uint32_t left = s->slots;

	for (struct plx_mbuf *seg = m; left != 0; seg = seg->next) {
		for (uint32_t off = 0; off < seg->data_len;) {
			const uint32_t len = PLX_MIN(seg->data_len - off, VMXNET3_TX_BUF_MAX);
			struct vmxnet3_desc *d = &q->ring[q->tail];
			uint64_t q1 = VMXNET3_TX_LEN(len) | q->gen;

			if (--left == 0)
				q1 |= VMXNET3_TX_PLAIN;
			q->sw[q->tail] = left == 0 ? m : NULL;
			if (d == first) {
				first_q1 = q1 | asks;
				q1 ^= VMXNET3_TX_GEN;
			}
			vmxnet3_desc_store(d, plx_mbuf_iova(seg) + off, q1);
			off += len;
			vmxnet3_tx_advance(q, 1);
		}
	}
	plx_io_wmb(); /* all slots, then the first one's generation */
	plx_le64_write_once(&first->q[1], first_q1);
	q->unplain = q->used;
}

bool vmxnet3_tx_send(struct vmxnet3_txq *q, struct plx_mbuf *m, uint64_t *bytes)
{
	const struct shape s = shape_of(m);
	uint64_t asks;

	if (!sendable(q, m, &s, &asks)) {
		*bytes += s.len;
		refuse(q, m);
		return true;
	}
	if (s.slots > (uint32_t)q->h.n_desc - 1 - q->used)
		return false;
	put(q, m, &s, asks);
	*bytes += s.len;
	return true;
}

/* ---- packets in one slot ---- */

/* Fills slots as vmxnet3_tx_plain() does; with offloads if they are to be looked at. */
static PLX_ALWAYS_INLINE uint32_t fill(struct vmxnet3_txq *q, uint32_t at,
	struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes, bool offloads)
{
	const uint64_t mask = offloads ? UINT32_MAX : VMXNET3_SHAPE_MASK;
	const uint32_t max =
		PLX_MIN(PLX_READ_ONCE(q->h.max_pkt), VMXNET3_TX_BUF_MAX - 1) - VMXNET3_MIN_FRAME;
	const struct plx_mempool *pool = q->h.cache->pool;
	const uint64_t plain = VMXNET3_TX_PLAIN | q->gen;
	struct vmxnet3_desc *to = q->ring + at;
	struct plx_mbuf **sw = q->sw + at;
	uint64_t sum = 0, asks = 0;
	uint32_t i;

	for (i = 0; i < k; i++, to++) {
		struct plx_mbuf *m = pkts[i];
		const uint64_t shape = plx_load_le64((const char *)m + 20);
		/* data_off below, refcnt above */
		const uint32_t off = plx_load_le32((const char *)m + 16) - 0x10000;
		const uint32_t len = m->data_len;

		if ((shape & mask) != VMXNET3_SHAPE_PLAIN || off > 0xffff || &m->pool->mp != pool ||
			len - VMXNET3_MIN_FRAME > max)
			break;
		if (offloads && plx_unlikely(!vmxnet3_tx_asks(m, len, &asks)))
			break;
		sw[i] = m;
		vmxnet3_desc_store(to, m->buf_iova + off, len | plain | asks);
		sum += len;
	}
	*bytes += sum;
	return i;
}

uint32_t vmxnet3_tx_plain(struct vmxnet3_txq *q, uint32_t off, struct plx_mbuf *const *pkts,
	uint32_t k, uint64_t *bytes)
{
	return fill(q, q->tail + off, pkts, k, bytes, false);
}

static PLX_ALWAYS_INLINE uint32_t plain(
	struct vmxnet3_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return fill(q, q->tail, pkts, k, bytes, false);
}

static PLX_ALWAYS_INLINE uint32_t with_offloads(
	struct vmxnet3_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return fill(q, q->tail, pkts, k, bytes, true);
}

uint16_t vmxnet3_tx_offload(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct vmxnet3_txq *q = (struct vmxnet3_txq *)h;

	vmxnet3_tx_begin(q, n);
	return vmxnet3_tx_burst(q, pkts, n, 0, 0, with_offloads);
}

/* What is left of a burst. */
PLX_NOINLINE static uint16_t rest(
	struct vmxnet3_txq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t sent, uint64_t bytes)
{
	return vmxnet3_tx_burst(q, pkts, n, sent, bytes, plain);
}

/* One at a time, which is cheaper while there are fewer than four. */
static uint16_t few(struct vmxnet3_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	const uint32_t slots = q->h.n_desc - 1u;
	uint64_t bytes = 0;
	uint16_t sent = 0;

	while (sent < n && q->used < slots &&
		fill(q, q->tail, pkts + sent, 1, &bytes, false) == 1) {
		vmxnet3_tx_advance(q, 1);
		sent++;
	}
	if (plx_unlikely(sent < n))
		return rest(q, pkts, n, sent, bytes);
	if (sent != 0)
		vmxnet3_tx_end(q, sent, bytes);
	return sent;
}

uint16_t vmxnet3_tx(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct vmxnet3_txq *q = (struct vmxnet3_txq *)h;

	vmxnet3_tx_begin(q, n);
	return n < 4 ? few(q, pkts, n) : rest(q, pkts, n, 0, 0);
}
