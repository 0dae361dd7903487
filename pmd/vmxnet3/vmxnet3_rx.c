/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving, in C that suits every CPU.
 *
 * A buffer leaves its ring only when another takes its place: a packet for which the pool has none is
 * dropped and its buffer armed again. So the rings are always as full as they ever were.
 *
 * Plain packets lie in one buffer of ring 0, have no error, and are reported in the order of the
 * ring. They are taken many at a time: with nothing said of them by vmxnet3_rx_plain() and
 * vmxnet3_rx_avx2(), with flags by vmxnet3_rx_offload(), and with a hash as well by
 * vmxnet3_rx_hash(). At the first that is not plain the rest of a burst is left to
 * vmxnet3_rx_rest(), one completion at a time.
 *
 * A completion that names a slot the device does not own, a ring that is none, or more bytes than a
 * buffer has, is one of a device that cannot be trusted any further: the queue fails.
 */
#define PLX_LOG_TAG "vmxnet3"
#include "vmxnet3_burst.h"

typedef uint64_t uint64_alias __attribute__((may_alias));

void vmxnet3_rx_tell(struct vmxnet3_rxq *q)
{
	const struct plx_win *door = &q->priv->hw.door;

	plx_io_wmb(); /* the slots, then the doorbell */
	plx_wr32(door, VMXNET3_RXPROD(q->h.index), q->ring[0].tail);
	if (q->ring[1].n != 0)
		plx_wr32(door, VMXNET3_RXPROD2(q->h.index), q->ring[1].tail);
}

/* ---- what a completion says of a packet ---- */

/* PLX_RX_* and PLX_PTYPE_* for bits 54:48 of quadword 1, CNC and TS. */
static uint64_t meaning(uint32_t bits, bool cnc, bool ts)
{
	const uint64_t q1 = (uint64_t)bits << 48;
	uint32_t flags = ts ? PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED : 0;
	uint32_t type = PLX_PTYPE_L2_ETHER;
	const bool ip = (q1 & (VMXNET3_RXC_V4 | VMXNET3_RXC_V6)) != 0;
	const bool l4 = ip && !(q1 & VMXNET3_RXC_FRG) && (q1 & (VMXNET3_RXC_TCP | VMXNET3_RXC_UDP));

	if (q1 & VMXNET3_RXC_V4)
		type |= PLX_PTYPE_L3_IPV4_EXT;
	else if (q1 & VMXNET3_RXC_V6)
		type |= PLX_PTYPE_L3_IPV6_EXT;
	if (ip && (q1 & VMXNET3_RXC_FRG))
		type |= PLX_PTYPE_L4_FRAG;
	else if (l4)
		type |= q1 & VMXNET3_RXC_TCP ? PLX_PTYPE_L4_TCP : PLX_PTYPE_L4_UDP;
	if (!cnc && (q1 & VMXNET3_RXC_V4))
		flags |= q1 & VMXNET3_RXC_IPC ? PLX_RX_IP_CKSUM_GOOD : PLX_RX_IP_CKSUM_BAD;
	if (!cnc && l4)
		flags |= q1 & VMXNET3_RXC_TUC ? PLX_RX_L4_CKSUM_GOOD : PLX_RX_L4_CKSUM_BAD;
	return flags | (uint64_t)type << 32;
}

void vmxnet3_rx_table_make(uint64_t table[512])
{
	for (uint32_t i = 0; i < 512; i++)
		table[i] = meaning(i & 0x7f, (i & 0x80) != 0, (i & 0x100) != 0);
}

static inline uint64_t look_up(const uint64_t *table, uint64_t q0, uint64_t q1)
{
	return table[(q1 >> 48 & 0x7f) | (q0 & VMXNET3_RXC_CNC) >> 23 | (q1 & VMXNET3_RXC_TS) >> 7];
}

/* ---- whatever comes ---- */

/* The buffer of the slot at head, which was not delivered, is armed again. */
static void rearm(struct vmxnet3_rx_ring *r)
{
	void *m = r->sw[r->head];

	r->head = vmxnet3_wrap(r->head + 1u, r->n);
	vmxnet3_rx_arm(r, &m, 1);
}

/* Drops the packet of which head is the last slot seen. */
static void drop(struct vmxnet3_rxq *q, struct vmxnet3_rx_ring *r, bool eop, unsigned why)
{
	plx_ctr_add(&q->h.ctr[why], 1);
	if (q->first != NULL)
		plx_mbuf_free_slow(q->h.cache, q->first);
	q->first = NULL;
	q->skip = !eop;
	rearm(r);
}

PLX_NOINLINE static void fail(struct vmxnet3_rxq *q, uint64_t q0, uint64_t q1)
{
	plx_logf(q->priv->hw.log, PLX_LOG_ERR,
		"%s: RX queue %u: completion %u (0x%016llx 0x%016llx) is of no buffer that the device "
		"has; reset the port",
		plx_port_name(q->h.port), q->h.index, q->at, (unsigned long long)q0,
		(unsigned long long)q1);
	plx_rxq_set_failed(&q->h, EIO);
}

/*
 * The ring whose buffer a completion names, with head moved to that slot; buffers that the device
 * passed over are armed again. NULL: it has no such buffer, or says it wrote more than that holds.
 */
static struct vmxnet3_rx_ring *ring_of(struct vmxnet3_rxq *q, uint64_t q0, uint64_t q1)
{
	const uint32_t slot = VMXNET3_RXC_SLOT(q0), rq = VMXNET3_RXC_RQ_OF(q0);
	const uint32_t type = VMXNET3_C_TYPE(q1);
	struct vmxnet3_rx_ring *r = &q->ring[rq == q->rq[0] ? 0 : 1];
	uint32_t passed, armed;

	if ((rq != q->rq[0] && rq != q->rq[1]) || slot >= r->n ||
		VMXNET3_RXC_LEN(q1) > q->buf_len ||
		(type != 0 && type != VMXNET3_TYPE_RX && type != VMXNET3_TYPE_LRO))
		return NULL;
	passed = vmxnet3_wrap(slot + r->n - r->head, r->n);
	armed = vmxnet3_wrap(r->tail + (uint32_t)r->n - r->head, r->n);
	if (passed >= armed)
		return NULL;
	while (passed-- != 0)
		rearm(r);
	return r;
}

static void append(struct vmxnet3_rxq *q, struct plx_mbuf *m, uint32_t len)
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

/* The first segment gets what the first and the last completion say of the whole packet. */
static void finish(const struct vmxnet3_rxq *q, struct plx_mbuf *m, uint64_t q0, uint64_t q1)
{
	*(uint64_alias *)&m->flags = look_up(q->table, q0, q1);
	if (q1 & VMXNET3_RXC_TS)
		m->vlan = VMXNET3_RXC_TCI(q1);
	if (q->hash && (q->first_flags & PLX_RX_RSS_HASH)) {
		m->flags |= PLX_RX_RSS_HASH;
		m->rss_hash = q->first_hash;
	}
	/* revision 1 has no word for it */
	if (q->lro && ((q->first_flags & PLX_RX_LRO) || m->pkt_len > PLX_READ_ONCE(q->h.max_pkt)))
		m->flags |= PLX_RX_LRO;
}

/* What a packet's first completion says, to be kept for finish(). */
static void begin(struct vmxnet3_rxq *q, uint64_t q0, uint64_t q1)
{
	q->first_flags = 0;
	if (VMXNET3_C_TYPE(q1) == VMXNET3_TYPE_LRO) {
		q->first_flags = PLX_RX_LRO;
	} else if (VMXNET3_RXC_RSS(q0) != 0) {
		q->first_flags = PLX_RX_RSS_HASH;
		q->first_hash = (uint32_t)(q0 >> 32);
	}
}

/* May this buffer be a part of the packet that is coming in? */
static bool fits(const struct vmxnet3_rxq *q, uint64_t q0, uint64_t q1)
{
	const uint32_t len = VMXNET3_RXC_LEN(q1);
	const uint32_t before = q->first != NULL ? q->first->pkt_len : 0;
	const uint32_t max = q->lro ? PLX_PKT_LEN_MAX : PLX_READ_ONCE(q->h.max_pkt);
	const uint32_t segs = q->first != NULL ? q->first->nsegs : 0u;

	if ((q1 & VMXNET3_RXC_ERR) || !(q0 & VMXNET3_RXC_SOP) != (q->first != NULL))
		return false;
	if (before + len > max || segs >= VMXNET3_MAX_RX_SEGS)
		return false;
	if (!(q0 & VMXNET3_RXC_EOP))
		return q->scatter;
	return before + len >= VMXNET3_MIN_FRAME;
}

/* One completion; the packet if it was the last of one, else NULL. */
static struct plx_mbuf *one(struct vmxnet3_rxq *q, uint64_t q0, uint64_t q1)
{
	const bool eop = (q0 & VMXNET3_RXC_EOP) != 0, sop = (q0 & VMXNET3_RXC_SOP) != 0;
	struct vmxnet3_rx_ring *r = ring_of(q, q0, q1);
	struct plx_mbuf *m;
	void **new;

	if (plx_unlikely(r == NULL)) {
		fail(q, q0, q1);
		return NULL;
	}
	vmxnet3_rx_comp_advance(q, 1);
	if (plx_unlikely(q->skip && !sop)) {
		q->skip = !eop;
		rearm(r);
		return NULL;
	}
	q->skip = false;
	if (plx_unlikely(!fits(q, q0, q1))) {
		drop(q, r, eop, PLX_RXQ_ERRORS);
		return NULL;
	}
	if (sop)
		begin(q, q0, q1);
	if (VMXNET3_RXC_LEN(q1) == 0) { /* it is to be passed over, the packet goes on or ends */
		rearm(r);
	} else {
		new = plx_mempool_cache_get_zc(q->h.cache, 1);
		if (plx_unlikely(new == NULL)) {
			drop(q, r, eop, PLX_RXQ_NOMBUF);
			return NULL;
		}
		m = r->sw[r->head];
		r->head = vmxnet3_wrap(r->head + 1u, r->n);
		vmxnet3_rx_arm(r, new, 1);
		append(q, m, VMXNET3_RXC_LEN(q1));
	}
	if (!eop)
		return NULL;
	m = q->first;
	q->first = NULL;
	if (m != NULL)
		finish(q, m, q0, q1);
	return m;
}

/* Packets of any kind, until the burst is full or the device has no more. */
static uint16_t any(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t got, uint64_t *bytes)
{
	/* as many as the ring has at most: what is dropped must not keep us here */
	for (uint32_t left = q->n_comp; left != 0 && got < n; left--) {
		const uint64_t q1 = plx_le64_read_once(&q->comp[q->at].q[1]);
		struct plx_mbuf *m;
		uint64_t q0;

		if ((q1 ^ q->gen) & VMXNET3_C_GEN)
			break;
		plx_io_rmb(); /* the generation, then the other half and the data */
		q0 = plx_le64_read_once(&q->comp[q->at].q[0]);
		m = one(q, q0, q1);
		if (m != NULL) {
			pkts[got++] = m;
			*bytes += m->pkt_len;
		} else if (plx_rxq_state(&q->h, NULL) == PLX_QUEUE_FAILED) {
			break;
		}
	}
	q->middle = q->first != NULL || q->skip;
	return got;
}

uint16_t vmxnet3_rx_rest(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t got, uint64_t bytes)
{
	got = any(q, pkts, n, got, &bytes);
	if (plx_unlikely((q->ring[0].spare | q->ring[1].spare) != 0))
		vmxnet3_rxq_fill(q);
	vmxnet3_rx_disown(&q->ring[0]);
	if (q->ring[1].n != 0)
		vmxnet3_rx_disown(&q->ring[1]);
	if (plx_unlikely(PLX_READ_ONCE(*q->wants_prod) != 0))
		vmxnet3_rx_tell(q);
	return plx_rxq_count(&q->h, got, bytes, 0, 0);
}

/* ---- plain packets ---- */

/* All fields of a packet; flags, type and tag only where there is a table. */
static PLX_ALWAYS_INLINE void fill(struct plx_mbuf *m, uint64_t rearm, uint64_t q0, uint64_t q1,
	const uint64_t *table, bool hash)
{
	const uint64_t len = VMXNET3_RXC_LEN(q1);
	const uint64_t hashed = hash && VMXNET3_RXC_RSS(q0) != 0;

	m->rearm = rearm;
	m->hash_mark = hashed ? q0 >> 32 : 0;
	if (table != NULL) {
		const uint64_t tag = q1 & VMXNET3_RXC_TS ? q1 >> 16 & 0xffff : 0;

		*(uint64_alias *)&m->flags =
			look_up(table, q0, q1) | (hashed ? (uint64_t)PLX_RX_RSS_HASH : 0);
		*(uint64_alias *)&m->pkt_len = len | len << 32 | tag << 48;
	} else {
		*(uint64_alias *)&m->flags = 0;
		*(uint64_alias *)&m->pkt_len = len | len << 32;
	}
}

static PLX_ALWAYS_INLINE uint32_t take(struct vmxnet3_rxq *q, uint32_t off, struct plx_mbuf **pkts,
	uint32_t k, uint64_t *bytes, uint64_t mask1, const uint64_t *table, bool hash)
{
	const uint32_t max = vmxnet3_rx_max(q);
	const uint64_t rearm = q->h.pool->rearm, gen = q->gen;
	const uint32_t head = q->ring[0].head + off;
	const struct vmxnet3_desc *c = q->comp + q->at + off;
	struct plx_mbuf *const *sw = q->ring[0].sw + head;
	struct plx_mbuf *const *const start = sw, *const *const end = sw + k;
	uint64_t plain0 = q->plain0 + head, sum = 0;

	for (; sw != end; c++, plain0++) {
		const uint64_t q1 = plx_le64_read_once(&c->q[1]);
		const uint32_t len = VMXNET3_RXC_LEN(q1);
		struct plx_mbuf *m = *sw;
		uint64_t q0;

		if ((q1 & mask1) != gen)
			break;
		plx_io_rmb(); /* the generation, then the other half */
		q0 = plx_le64_read_once(&c->q[0]);
		if (plx_unlikely((q0 & VMXNET3_RXC_PLAIN0_MASK) != plain0 ||
				 len - VMXNET3_MIN_FRAME > max))
			break;
		sw++;
		*pkts++ = m;
		fill(m, rearm, q0, q1, table, hash);
		sum += len;
	}
	plx_io_rmb(); /* the generation, then the data */
	*bytes += sum;
	return (uint32_t)(sw - start);
}

uint32_t vmxnet3_rx_take(
	struct vmxnet3_rxq *q, uint32_t off, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take(q, off, pkts, k, bytes, VMXNET3_RXC_PLAIN1_MASK, NULL, false);
}

static PLX_ALWAYS_INLINE uint32_t take_plain(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return vmxnet3_rx_take(q, 0, pkts, k, bytes);
}

static PLX_ALWAYS_INLINE uint32_t take_offload(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take(
		q, 0, pkts, k, bytes, VMXNET3_RXC_PLAIN1_MASK & ~VMXNET3_RXC_TS, q->table, false);
}

static PLX_ALWAYS_INLINE uint32_t take_hash(
	struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take(
		q, 0, pkts, k, bytes, VMXNET3_RXC_PLAIN1_MASK & ~VMXNET3_RXC_TS, q->table, true);
}

PLX_NOINLINE uint16_t vmxnet3_rx_few(struct vmxnet3_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct vmxnet3_rx_ring *r = &q->ring[0];
	uint64_t bytes = 0;
	uint16_t got = 0;

	if (plx_unlikely((r->spare | q->ring[1].spare) != 0 || q->middle))
		return vmxnet3_rx_rest(q, pkts, n, 0, 0);
	while (got < n && vmxnet3_rx_news(q, q->at) && plx_likely(r->spare == 0)) {
		void **new;

		if (plx_unlikely((q->h.cache->n == 0 && !plx_mempool_cache_fill(q->h.cache, 1)) ||
				 vmxnet3_rx_take(q, 0, pkts + got, 1, &bytes) == 0))
			return vmxnet3_rx_rest(q, pkts, n, got, bytes);
		got++;
		new = plx_mempool_cache_get_zc(q->h.cache, 1);
		r->head = vmxnet3_wrap(r->head + 1u, r->n);
		vmxnet3_rx_comp_advance(q, 1);
		if (plx_likely(new != NULL))
			vmxnet3_rx_arm(r, new, 1);
		else
			r->spare++;
	}
	if (got != 0)
		vmxnet3_rx_end(q, got, bytes);
	return got;
}

uint16_t vmxnet3_rx_plain(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct vmxnet3_rxq *q = (struct vmxnet3_rxq *)h;

	if (vmxnet3_rx_are_few(q, n))
		return vmxnet3_rx_few(q, pkts, n);
	return vmxnet3_rx_burst(q, pkts, n, take_plain, vmxnet3_rx_arm_run);
}

uint16_t vmxnet3_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return vmxnet3_rx_burst((struct vmxnet3_rxq *)h, pkts, n, take_offload, vmxnet3_rx_arm_run);
}

uint16_t vmxnet3_rx_hash(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return vmxnet3_rx_burst((struct vmxnet3_rxq *)h, pkts, n, take_hash, vmxnet3_rx_arm_run);
}
