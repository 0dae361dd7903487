/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts in plain C, and what they do with packets that are not as most are. */
#include "ring_burst.h"

/* ---- the usual ---- */

static PLX_ALWAYS_INLINE uint64_t word(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

PLX_STATIC_ASSERT(
	offsetof(struct plx_mbuf, ptype) == offsetof(struct plx_mbuf, flags) + 4 &&
		offsetof(struct plx_mbuf, data_len) == offsetof(struct plx_mbuf, pkt_len) + 4 &&
		offsetof(struct plx_mbuf, vlan) == offsetof(struct plx_mbuf, pkt_len) + 6,
	"words of struct ring_seen");

static PLX_ALWAYS_INLINE void look(
	struct ring_seen *s, struct plx_mbuf **pkts, uint32_t n, uint16_t *lens)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct plx_mbuf *m = pkts[i];

		s->rearm |= plx_mbuf_rearm_(m);
		s->flags |= word(&m->flags);
		s->lens |= word(&m->pkt_len);
		s->hash |= m->hash_mark;
		s->sum += m->pkt_len;
		lens[i] = (uint16_t)m->pkt_len;
	}
}

static PLX_ALWAYS_INLINE bool add(uint64_t *bytes, const uint16_t *lens, uint32_t n)
{
	bool odd = false;

	for (uint32_t i = 0; i < n; i++) {
		*bytes += lens[i];
		odd |= lens[i] == RING_ODD;
	}
	return odd;
}

uint16_t ring_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return ring_tx_burst(q, pkts, n, look);
}

uint16_t ring_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return ring_rx_burst(q, pkts, n, add);
}

/* ---- TX of all others ---- */

static bool is_plain(const struct plx_mbuf *m)
{
	return ((plx_mbuf_rearm_(m) ^ RING_PLAIN) & PLX_MBUF_PLAIN_) == 0;
}

static void clear_metadata(struct plx_mbuf *m)
{
	if ((m->flags | m->ptype | m->vlan | m->hash_mark) == 0)
		return;
	m->flags = 0;
	m->ptype = 0;
	m->vlan = 0;
	m->hash_mark = 0;
}

PLX_NOINLINE uint16_t ring_tx_any(
	struct ring_txq *txq, struct plx_ring *ring, struct plx_mbuf **pkts, uint16_t n)
{
	const uint32_t own_max = PLX_READ_ONCE(txq->q.max_pkt), max = PLX_READ_ONCE(txq->max);
	const uint32_t mask = plx_ring_slots(ring) - 1;
	uint64_t bytes = 0;
	uint32_t at, errors = 0;
	uint16_t k = 0;

	(void)plx_ring_sp_fit(ring, n, &at);
	for (uint16_t i = 0; i < n; i++) {
		struct plx_mbuf *m = pkts[i];
		const uint32_t len = m->pkt_len;

		bytes += len;
		if (len > PLX_MIN(own_max, PLX_PKT_LEN_MAX)) {
			plx_mbuf_free_slow(txq->q.cache, m);
			errors++;
			continue;
		}
		txq->lens[(at + k) & mask] = RING_ODD;
		if (is_plain(m) && len <= max) {
			clear_metadata(m);
			txq->lens[(at + k) & mask] = (uint16_t)len;
		}
		pkts[k++] = m; /* the caller's array is ours as far as we took its packets */
	}
	plx_ring_sp_put(ring, (void *const *)pkts, k);
	return plx_txq_count(&txq->q, n, bytes, errors);
}

/* ---- RX of all others ---- */

/* Is the receiver the only owner of all of it? */
static bool owned(const struct plx_mbuf *m)
{
	for (; m != NULL; m = m->next)
		if (__atomic_load_n(&m->refcnt, __ATOMIC_ACQUIRE) != 1 || m->kind != PLX_MBUF_OWN)
			/* acquire: what the owners before did is over */
			return false;
	return true;
}

/* A packet of the receiver's own with the bytes of m, or NULL: its pool has too few mbufs. */
static struct plx_mbuf *copy(struct ring_rxq *rxq, const struct plx_mbuf *m)
{
	struct plx_mbuf *head = NULL, **link = &head, *to;
	const uint32_t len = m->pkt_len;
	uint16_t nsegs = 0;

	for (uint32_t off = 0; off < len; off += to->data_len, nsegs++) {
		if (plx_mbuf_alloc_bulk_c(rxq->q.cache, &to, 1) == 0)
			goto fail;
		to->data_len = (uint16_t)PLX_MIN(len - off, rxq->seg_max);
		*link = to;
		link = &to->next;
		if (plx_mbuf_read(m, off, plx_mbuf_data(to), to->data_len) < 0)
			goto fail; /* shorter than pkt_len says: the sender broke a rule */
	}
	if (head != NULL) {
		head->nsegs = nsegs;
		head->pkt_len = len;
	}
	return head;
fail:
	if (head != NULL)
		plx_mbuf_free_slow(rxq->q.cache, head);
	return NULL;
}

/* What the receiver gets of m, which was marked odd; NULL and the counter for why: nothing. */
static struct plx_mbuf *receive_odd(
	struct ring_rxq *rxq, struct plx_mbuf *m, uint32_t *errors, uint32_t *nombuf)
{
	struct plx_mbuf *mine = NULL;

	if (m->pkt_len > PLX_READ_ONCE(rxq->q.max_pkt) || m->pkt_len == 0) {
		(*errors)++;
	} else if (owned(m) && (m->next == NULL || rxq->scatter)) {
		clear_metadata(m);
		return m;
	} else if (m->pkt_len > rxq->seg_max && !rxq->scatter) {
		(*errors)++;
	} else {
		mine = copy(rxq, m);
		if (mine == NULL)
			(*nombuf)++;
		else
			plx_ctr_add(&rxq->copied, 1);
	}
	plx_mbuf_free_slow(rxq->q.cache, m);
	return mine;
}

PLX_NOINLINE uint16_t ring_rx_any(struct ring_rxq *rxq, struct plx_mbuf **pkts, uint16_t n)
{
	struct plx_ring *ring = rxq->ring;
	uint32_t errors = 0, nombuf = 0;
	uint64_t bytes = 0;
	uint16_t got = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct plx_mbuf *m;
		uint32_t at;
		bool odd;

		(void)plx_ring_sc_fit(ring, 1, &at);
		odd = rxq->lens[at] == RING_ODD;
		plx_ring_sc_get(ring, (void **)&pkts[i], 1);
		m = pkts[i];
		if (odd)
			m = receive_odd(rxq, m, &errors, &nombuf);
		if (m == NULL)
			continue;
		bytes += m->pkt_len;
		pkts[got++] = m;
	}
	return plx_rxq_count(&rxq->q, got, bytes, nombuf, errors);
}

uint32_t ring_drain(struct plx_ring *ring)
{
	uint32_t n = 0;
	void *m;

	for (; plx_ring_sc_dequeue(ring, &m, 1) == 1; n++)
		plx_mbuf_free_slow(NULL, m);
	return n;
}
