/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RX bursts. The kernel takes frames from the fill ring, which has empty mbufs' rooms, and gives them
 * back filled in the RX ring. A room leaves the rings only when another takes its place: with the pool
 * empty the packet is dropped and its room goes back at once.
 */
#include "af_xdp.h"

#include <errno.h>
#include <sys/socket.h>

#include "plx_cksum.h"

#define BATCH 64u

uint32_t axdp_fill(struct axdp_rxq *rxq, uint32_t n)
{
	struct axdp_umem *u = rxq->umem;
	uint64_t *ring = rxq->fill.desc;
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct plx_mbuf *m;

		if (plx_mempool_get_bulk(rxq->q.cache, (void **)&m, 1) == 0)
			break;
		ring[rxq->fill.head++ & rxq->fill.mask] = axdp_offset(u, m);
		u->state[axdp_index(u, axdp_offset(u, m))] = rxq->mine;
	}
	/* release: descriptors, then the index */
	__atomic_store_n(rxq->fill.producer, rxq->fill.head, __ATOMIC_RELEASE);
	return i;
}

/* Asks the kernel to look: at a fill ring that ran empty, or (busy polling) at the NIC. */
static PLX_NOINLINE void wake(const struct axdp_rxq *rxq)
{
	(void)recvfrom(rxq->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static PLX_ALWAYS_INLINE bool wants_waking(const struct axdp_rxq *rxq)
{
	return rxq->busy_poll ||
	       (rxq->need_wakeup && (PLX_READ_ONCE(*rxq->fill.flags) & XDP_RING_NEED_WAKEUP));
}

/* The mbuf that the kernel means, with the packet in it; NULL: it means none that it has. */
static PLX_ALWAYS_INLINE struct plx_mbuf *take(struct axdp_rxq *rxq, const struct xdp_desc *d)
{
	struct axdp_umem *u = rxq->umem;
	const uint64_t addr = PLX_READ_ONCE(d->addr);
	const uint32_t len = PLX_READ_ONCE(d->len);
	const uint32_t off = (uint32_t)(addr >> AXDP_OFFSET_SHIFT);
	const uint32_t i = axdp_index(u, addr & AXDP_ADDR_MASK);
	struct plx_mbuf *m;

	if (plx_unlikely(i >= u->n || u->state[i] != rxq->mine))
		return NULL;
	if (plx_unlikely(off > u->chunk || len > u->chunk - off))
		return NULL;
	m = axdp_mbuf(u, i);
	u->state[i] = AXDP_FREE;
	plx_rx_fields(m, u->pool, len);
	m->data_off = (uint16_t)off;
	return m;
}

/* Empty mbufs into the fill ring; the kernel has n fewer than it may. */
static PLX_ALWAYS_INLINE void give(struct axdp_rxq *rxq, struct plx_mbuf *const *m, uint32_t n)
{
	struct axdp_umem *u = rxq->umem;
	uint64_t *ring = rxq->fill.desc;

	for (uint32_t i = 0; i < n; i++) {
		const uint64_t offset = axdp_offset(u, m[i]);

		ring[rxq->fill.head++ & rxq->fill.mask] = offset;
		u->state[axdp_index(u, offset)] = rxq->mine;
	}
	/* release: descriptors, then the index */
	__atomic_store_n(rxq->fill.producer, rxq->fill.head, __ATOMIC_RELEASE);
}

/* Mbufs in exchange for n packets: as many as the pool has. */
static uint32_t exchange(struct axdp_rxq *rxq, struct plx_mbuf **fresh, uint32_t n)
{
	uint32_t got = plx_mempool_get_bulk(rxq->q.cache, (void **)fresh, n);

	while (plx_unlikely(got < n) &&
		plx_mempool_get_bulk(rxq->q.cache, (void **)&fresh[got], 1) == 1)
		got++;
	return got;
}

/*
 * A kernel does not compute checksums within a machine: from a veth come packets with the pseudo header's
 * sum in the field, and AF_XDP does not tell which. A field that is just that is computed anew, which
 * leaves one as it was that was right.
 */
static PLX_NOINLINE void complete(struct plx_mbuf *m)
{
	struct plx_pkt_info info;
	uint32_t at, sum;
	plx_be16 field;

	plx_pkt_parse(m, &info);
	if (info.hdr.proto != PLX_IP_TCP && info.hdr.proto != PLX_IP_UDP)
		return;
	at = plx_l4_cksum_off(&info.hdr);
	if (at == 0 || plx_l4_phdr_sum_mbuf(m, &info.hdr, info.hdr.l4_bytes, &sum) < 0)
		return;
	memcpy(&field, plx_mbuf_data(m) + at, sizeof(field));
	if (field.v == plx_cksum_fold(sum).v && plx_l4_cksum_mbuf(m, &info.hdr, &field) == 0)
		memcpy(plx_mbuf_data(m) + at, &field, sizeof(field));
}

/* Up to BATCH packets. */
static uint16_t receive(struct axdp_rxq *rxq, struct plx_mbuf **pkts, uint32_t n)
{
	const struct xdp_desc *ring = rxq->rx.desc;
	const uint32_t max = PLX_READ_ONCE(rxq->q.max_pkt);
	struct plx_mbuf *back[BATCH]; /* for the fill ring */
	uint32_t errors = 0, fresh, n_back, i;
	uint64_t bytes = 0;
	uint16_t got = 0;

	fresh = n_back = exchange(rxq, back, n);
	for (i = 0; i < n; i++) {
		struct plx_mbuf *m = take(rxq, &ring[(rxq->rx.head + i) & rxq->rx.mask]);

		if (plx_unlikely(m == NULL)) {
			errors++; /* whatever it meant, no room came back for it */
			continue;
		}
		if (plx_unlikely(m->pkt_len < 14 || m->pkt_len > max || fresh == 0)) {
			if (m->pkt_len < 14 || m->pkt_len > max)
				errors++;
			back[n_back++] = m;
			continue;
		}
		if (rxq->sums)
			complete(m);
		fresh--;
		bytes += m->pkt_len;
		pkts[got++] = m;
	}
	rxq->rx.head += n;
	/* release: descriptors were read before the kernel may write them again */
	__atomic_store_n(rxq->rx.consumer, rxq->rx.head, __ATOMIC_RELEASE);
	/* as many as left it: what was dropped, and fresh ones for what was not; the rest goes home */
	if (plx_unlikely(fresh > 0))
		plx_mempool_put_bulk(rxq->q.cache, (void *const *)&back[0], fresh);
	give(rxq, back + fresh, n_back - fresh);
	if (plx_unlikely(n - errors > got))
		plx_ctr_add(&rxq->q.ctr[PLX_RXQ_NOMBUF], n - errors - got);
	if (plx_unlikely(errors > 0))
		plx_ctr_add(&rxq->q.ctr[PLX_RXQ_ERRORS], errors);
	if (got > 0) {
		plx_ctr_add(&rxq->q.ctr[PLX_RXQ_PACKETS], got);
		plx_ctr_add(&rxq->q.ctr[PLX_RXQ_BYTES], bytes);
	}
	return got;
}

uint16_t axdp_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct axdp_rxq *rxq = plx_container_of(q, struct axdp_rxq, q);
	uint32_t there;
	uint16_t got = 0;

	if (plx_unlikely(rxq->busy_poll))
		wake(rxq);
	if (plx_unlikely(rxq->lacking > 0))
		rxq->lacking -= axdp_fill(rxq, PLX_MIN(rxq->lacking, BATCH));
	/* acquire: the index, then descriptors and packets */
	there = __atomic_load_n(rxq->rx.producer, __ATOMIC_ACQUIRE) - rxq->rx.head;
	there = PLX_MIN(there, rxq->rx.mask + 1);
	there = PLX_MIN(there, n);
	while (there > 0) {
		const uint32_t k = PLX_MIN(there, BATCH / 2);

		got = (uint16_t)(got + receive(rxq, pkts + got, k));
		there -= k;
	}
	if (plx_unlikely(wants_waking(rxq)) && !rxq->busy_poll)
		wake(rxq);
	if (got > 0)
		plx_ctr_add(&q->ctr[PLX_RXQ_BURSTS], 1);
	return got;
}
