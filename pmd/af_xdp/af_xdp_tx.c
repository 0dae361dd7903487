/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TX bursts. A packet of one segment whose room lies in the UMEM is sent out of it; any other is
 * copied into an mbuf that does. The kernel sends when it is asked by sendto(2), unless it says that it
 * looks by itself (need_wakeup with a zero-copy driver).
 */
#include "af_xdp.h"

#include <errno.h>
#include <sys/socket.h>

#define BATCH 64u

/* A call sends so many packets at least in copy mode, if it can send any. */
#define PER_CALL 16u

void axdp_kick(struct axdp_txq *txq)
{
	uint32_t calls = (txq->tx.mask + 1) / PER_CALL + 1;
	bool left;

	/* before the calls: what another thread finds left after them is not overwritten */
	PLX_WRITE_ONCE(txq->pending, 0);
	/* in copy mode a call sends a few packets; EAGAIN says that there are more */
	do
		left = sendto(txq->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0;
	while (left && (errno == EAGAIN || errno == EINTR) && --calls > 0 &&
		PLX_READ_ONCE(*txq->tx.consumer) != PLX_READ_ONCE(*txq->tx.producer));
	/* whatever it was (ENOBUFS, EBUSY, ENETDOWN), the descriptors are still there */
	if (left && PLX_READ_ONCE(*txq->tx.consumer) != PLX_READ_ONCE(*txq->tx.producer))
		PLX_WRITE_ONCE(txq->pending, 1);
}

/* Frees what the kernel has sent: packets. */
static uint32_t reap(struct axdp_txq *txq)
{
	struct axdp_umem *u = txq->umem;
	const uint64_t *ring = txq->comp.desc;
	struct plx_mbuf *done[BATCH];
	/* acquire: the index, then the addresses */
	uint32_t there = __atomic_load_n(txq->comp.producer, __ATOMIC_ACQUIRE) - txq->comp.head;
	uint32_t total = 0, n = 0;

	there = PLX_MIN(there, txq->comp.mask + 1);
	for (uint32_t k = 0; k < there; k++) {
		const uint64_t addr =
			PLX_READ_ONCE(ring[(txq->comp.head + k) & txq->comp.mask]) & AXDP_ADDR_MASK;
		const uint32_t i = axdp_index(u, addr);

		/* one that the kernel does not have: nothing to free */
		if (plx_unlikely(i >= u->n || u->state[i] != txq->mine))
			continue;
		u->state[i] = AXDP_FREE;
		done[n++] = axdp_mbuf(u, i);
		if (n == BATCH) {
			plx_mbuf_free_bulk_c(txq->q.cache, done, n);
			total += n;
			n = 0;
		}
	}
	if (n > 0)
		plx_mbuf_free_bulk_c(txq->q.cache, done, n);
	total += n;
	txq->comp.head += there;
	/* release: addresses were read before the kernel may write them again */
	__atomic_store_n(txq->comp.consumer, txq->comp.head, __ATOMIC_RELEASE);
	txq->out -= total;
	if (total > 0)
		plx_ctr_add(&txq->q.ctr[PLX_TXQ_DONE], total);
	return total;
}

/* A copy of m in the UMEM, and m is free: NULL when the pool is empty. */
static PLX_NOINLINE struct plx_mbuf *copy(struct axdp_txq *txq, struct plx_mbuf *m)
{
	struct plx_mempool *mp = &txq->umem->pool->mp;
	struct plx_mbuf *c;

	if (plx_mempool_get_bulk_nocache(mp, (void **)&c, 1) == 0)
		return NULL;
	plx_mbuf_reset(c);
	c->data_off = 0;
	c->pkt_len = m->pkt_len;
	c->data_len = (uint16_t)m->pkt_len;
	if (plx_mbuf_read(m, 0, plx_mbuf_data(c), m->pkt_len) < 0) {
		plx_mempool_put_bulk_nocache(mp, (void *const *)&c, 1);
		return NULL;
	}
	return c;
}

/* Segments that add up, and no more than a frame takes. */
static bool sendable(const struct axdp_txq *txq, const struct plx_mbuf *m)
{
	uint32_t total = 0;

	for (const struct plx_mbuf *s = m; s != NULL; s = s->next)
		total += s->data_len;
	return total == m->pkt_len && total >= 14 && total <= PLX_READ_ONCE(txq->q.max_pkt) &&
	       total <= txq->umem->chunk;
}

/* What became of the packets of a burst that were not sent out of their own rooms. */
struct aside {
	struct plx_mbuf *free[BATCH]; /* copied, or never to be sent */
	uint32_t n, errors;
};

/* The mbuf to send for m; NULL with *stop: not now, without: never. */
static PLX_NOINLINE struct plx_mbuf *odd(
	struct axdp_txq *txq, struct plx_mbuf *m, struct aside *a, bool *stop)
{
	struct plx_mbuf *c = NULL;

	if (!sendable(txq, m)) {
		a->errors++;
		a->free[a->n++] = m;
		return NULL;
	}
	c = copy(txq, m);
	if (c == NULL)
		*stop = true;
	else
		a->free[a->n++] = m;
	return c;
}

/* Up to BATCH packets into the ring: how many were taken. */
static uint32_t put(struct axdp_txq *txq, struct plx_mbuf **pkts, uint32_t n)
{
	struct axdp_umem *u = txq->umem;
	const uint32_t max = PLX_MIN(PLX_READ_ONCE(txq->q.max_pkt), u->chunk);
	struct xdp_desc *ring = txq->tx.desc;
	struct aside a;
	uint64_t bytes = 0;
	uint32_t head = txq->tx.head, i;

	a.n = a.errors = 0;
	for (i = 0; i < n; i++) {
		struct plx_mbuf *m = pkts[i];
		const uint32_t len = m->pkt_len;
		struct xdp_desc *d;
		uint64_t offset;

		if (plx_unlikely(!plx_mbuf_is_plain(m, u->pool) || m->data_len != len || len < 14 ||
				 len > max || m->data_off + len > u->chunk)) {
			bool stop = false;

			m = odd(txq, m, &a, &stop);
			if (stop)
				break;
			bytes += len;
			if (m == NULL)
				continue;
		} else {
			bytes += len;
		}
		offset = axdp_offset(u, m);
		u->state[axdp_index(u, offset)] = txq->mine;
		d = &ring[head++ & txq->tx.mask];
		d->addr = offset | (uint64_t)m->data_off << AXDP_OFFSET_SHIFT;
		d->len = len;
		d->options = 0;
	}
	txq->out += head - txq->tx.head;
	txq->tx.head = head;
	/* release: descriptors and packets, then the index */
	__atomic_store_n(txq->tx.producer, head, __ATOMIC_RELEASE);
	if (plx_unlikely(a.n > 0))
		plx_mbuf_free_bulk_c(txq->q.cache, a.free, a.n);
	if (plx_unlikely(a.errors > 0)) {
		plx_ctr_add(&txq->q.ctr[PLX_TXQ_ERRORS], a.errors);
		plx_ctr_add(&txq->q.ctr[PLX_TXQ_DONE], a.errors);
	}
	if (i > 0) {
		plx_ctr_add(&txq->q.ctr[PLX_TXQ_PACKETS], i);
		plx_ctr_add(&txq->q.ctr[PLX_TXQ_BYTES], bytes);
	}
	return i;
}

static PLX_ALWAYS_INLINE bool wants_waking(const struct axdp_txq *txq)
{
	return !txq->need_wakeup || (PLX_READ_ONCE(*txq->tx.flags) & XDP_RING_NEED_WAKEUP);
}

uint16_t axdp_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct axdp_txq *txq = plx_container_of(q, struct axdp_txq, q);
	uint32_t taken = 0, room;

	reap(txq);
	room = q->n_desc - txq->out;
	n = (uint16_t)PLX_MIN(n, room);
	while (taken < n) {
		const uint32_t want = PLX_MIN(n - taken, BATCH);
		const uint32_t k = put(txq, pkts + taken, want);

		taken += k;
		if (k < want)
			break;
	}
	/* what waits in the ring is asked for even when nothing could be added */
	if (txq->out > 0 && (taken > 0 || room == 0 || PLX_READ_ONCE(txq->pending)) &&
		wants_waking(txq))
		axdp_kick(txq);
	if (taken > 0)
		plx_ctr_add(&q->ctr[PLX_TXQ_BURSTS], 1);
	return (uint16_t)taken;
}

uint32_t axdp_tx_reclaim(struct plx_txq *q)
{
	struct axdp_txq *txq = plx_container_of(q, struct axdp_txq, q);

	if (PLX_READ_ONCE(txq->pending))
		axdp_kick(txq);
	return reap(txq);
}
