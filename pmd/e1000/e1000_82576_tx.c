/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmitting with the 82576's advanced descriptors (7.2.2). A queue has contexts of its own: what a packet
 * with offloads needs stays in one until another packet needs something else. The tag to insert is a part of
 * it, the flag that it is to be inserted is the packet's.
 */
#include "e1000_82576.h"
#include "net_pmd.h"

/* Flags that a context depends on. */
#define CONTEXT_FLAGS (E1000_TX_CTX | PLX_TX_IPV4)

/* What a packet needs in a context; not 0. Lengths below, flags, and the tag above. */
static inline uint64_t key_of(const struct plx_mbuf *m, uint32_t flags)
{
	uint64_t lens = 0;

	if (flags & PLX_TX_TSO)
		lens = m->hash_mark & ((UINT64_C(1) << 40) - 1);
	else if (flags & E1000_TX_CKSUMS)
		lens = m->hash_mark & 0xffff;
	return lens | (uint64_t)((flags & CONTEXT_FLAGS) >> 17 | 1) << 40 |
	       (uint64_t)(flags & PLX_TX_VLAN ? m->vlan : 0) << 48;
}
PLX_STATIC_ASSERT((CONTEXT_FLAGS & PLX_BIT(17)) == 0 && CONTEXT_FLAGS >> 25 == 0,
	"flags are 8 bits of a key, of which one is always set");

/* ---- any packet ---- */

/* 7.2.2.2: the context, and what of it is in the data descriptors of packets that use it. */
static void put_context(struct e1000_txq *q, const struct plx_mbuf *m, uint64_t key)
{
	const bool tso = (m->flags & PLX_TX_TSO) != 0, lens = (m->flags & E1000_TX_CTX) != 0;
	const uint64_t l2 = lens ? m->tx.l2_len : E1000_MIN_FRAME, l3 = lens ? m->tx.l3_len : 0;
	uint64_t q0 = (uint64_t)(m->flags & PLX_TX_VLAN ? m->vlan : 0) << E1000_TXA_VLAN;
	uint64_t q1 = E1000_TXA_CONTEXT, data = E1000_TXA_DATA;

	q0 |= l2 << E1000_TXA_MACLEN | l3;
	if (m->flags & PLX_TX_IPV4)
		q1 |= E1000_TXA_IPV4;
	if (m->flags & (PLX_TX_TCP_CKSUM | PLX_TX_TSO))
		q1 |= E1000_TXA_TCP;
	if (tso)
		q1 |= (uint64_t)m->tx.l4_len << E1000_TXA_L4LEN | (uint64_t)m->tx.tso_segsz
									  << E1000_TXA_MSS;
	e1000_tx_put(q, q0, q1, NULL);
	if ((m->flags & PLX_TX_IP_CKSUM) || (tso && (m->flags & PLX_TX_IPV4)))
		data |= E1000_TXA_IXSM;
	if (m->flags & PLX_TX_L4_FLAGS)
		data |= E1000_TXA_TXSM;
	q->ctx_key = key;
	q->ctx_q1 = tso ? data | E1000_TXA_TSE : data;
	q->ctx_headers = (uint16_t)(tso ? l2 + l3 + m->tx.l4_len : lens ? l2 + l3 : 0);
}

/* What is said of the packet as a whole is in each of its descriptors. */
static uint64_t packet_q1(
	const struct e1000_txq *q, const struct plx_mbuf *m, const struct e1000_tx_shape *s)
{
	uint64_t len = s->len + e1000_tx_padding(s);
	uint64_t q1 = m->flags & PLX_TX_OFFLOADS ? q->ctx_q1 : E1000_TXA_DATA;

	if (m->flags & PLX_TX_TSO) /* 7.2.2.3: of the payload alone */
		len = s->len - (uint64_t)q->ctx_headers;
	if (m->flags & PLX_TX_VLAN)
		q1 |= E1000_TXC_VLE;
	return q1 | len << E1000_TXA_PAYLEN;
}

bool e1000_82576_tx_send(struct e1000_txq *q, struct plx_mbuf *m, uint64_t *bytes)
{
	const struct e1000_tx_shape s = e1000_tx_shape_of(m);
	const uint64_t key = key_of(m, m->flags);
	bool context;

	if (!e1000_tx_check(q, m, &s)) {
		*bytes += s.len;
		return true;
	}
	context = (m->flags & PLX_TX_OFFLOADS) != 0 && key != q->ctx_key;
	if (s.descs + context > (uint32_t)q->h.n_desc - 1 - q->used)
		return false;
	if (context)
		put_context(q, m, key);
	e1000_tx_put_segments(q, m, &s, packet_q1(q, m, &s));
	*bytes += s.len;
	return true;
}

/* ---- plain packets ---- */

/* Segmentation is left to e1000_82576_tx_send(). */
static PLX_ALWAYS_INLINE uint64_t offload_q1(
	const struct e1000_txq *q, const struct plx_mbuf *m, uint32_t flags, uint32_t len)
{
	uint64_t q1 = len | (uint64_t)len << E1000_TXA_PAYLEN | E1000_TXC_EOP;

	if (flags == 0)
		return q1 | E1000_TXA_DATA;
	if (plx_unlikely((flags & ~(uint32_t)(E1000_TX_CKSUMS | PLX_TX_VLAN)) ||
			 key_of(m, m->flags) != q->ctx_key || len <= q->ctx_headers))
		return 0;
	if (flags & PLX_TX_VLAN) {
		if (plx_unlikely(!q->vlan))
			return 0;
		q1 |= E1000_TXC_VLE;
	}
	return q1 | q->ctx_q1;
}

uint32_t e1000_82576_tx_plain(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return e1000_tx_fill(q, pkts, k, bytes, &e1000_tx_82576, NULL);
}

static PLX_ALWAYS_INLINE uint32_t with_offloads(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes)
{
	return e1000_tx_fill(q, pkts, k, bytes, &e1000_tx_82576, offload_q1);
}

uint16_t e1000_82576_tx_offload(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_txq *q = (struct e1000_txq *)h;

	e1000_tx_begin(q, n);
	return e1000_tx_burst(q, pkts, n, 0, 0, with_offloads, e1000_82576_tx_send);
}

PLX_NOINLINE static uint16_t rest(
	struct e1000_txq *q, struct plx_mbuf **pkts, uint16_t n, uint16_t sent, uint64_t bytes)
{
	return e1000_tx_burst(q, pkts, n, sent, bytes, e1000_82576_tx_plain, e1000_82576_tx_send);
}

uint16_t e1000_82576_tx(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_tx_any((struct e1000_txq *)h, pkts, n, &e1000_tx_82576, rest);
}
