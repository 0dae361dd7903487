/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving with the 82576's advanced descriptors (7.1.5). Packets of which there is nothing to say are taken
 * by the 82574's bursts, as all that these look at lies where its descriptors have it.
 */
#include "e1000_82576.h"
#include "e1000_rx.h"

/* PLX_PTYPE_* for E1000_RXA_TYPE(). With both IPs, a tunnel, layer 4 is that of the inner one. */
static uint32_t ptype(uint32_t type)
{
	const bool v4 = (type & (E1000_RXA_IPV4 | E1000_RXA_IPV4_EXT)) != 0;
	const bool v6 = (type & (E1000_RXA_IPV6 | E1000_RXA_IPV6_EXT)) != 0;
	uint32_t l3 = v4 ? PLX_PTYPE_L3_IPV4_EXT : v6 ? PLX_PTYPE_L3_IPV6_EXT : 0, l4 = 0;

	if (v4 != v6 && (type & E1000_RXA_TCP))
		l4 = PLX_PTYPE_L4_TCP;
	else if (v4 != v6 && (type & E1000_RXA_UDP))
		l4 = PLX_PTYPE_L4_UDP;
	else if (v4 != v6 && (type & E1000_RXA_SCTP))
		l4 = PLX_PTYPE_L4_SCTP;
	return PLX_PTYPE_L2_ETHER | l3 | l4;
}

/* The status bits of checksums and tags are those of extended descriptors. */
void e1000_82576_rx_table(struct e1000_rx_table *t)
{
	for (uint32_t i = 0; i < PLX_ARRAY_SIZE(t->low); i++) {
		const uint32_t st = (i & 0xff) | (i >> 8) << 29;
		const uint32_t tag = st & E1000_RXS_VP ? PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED : 0;

		t->low[i] = e1000_rx_cksum_flags(st) | tag;
	}
	for (uint32_t i = 0; i < PLX_ARRAY_SIZE(t->type); i++)
		t->type[i] = (uint64_t)ptype(i) << 32;
}

/* A stripped tag that nobody asked to be stripped is left to e1000_rx_rest(). */
static PLX_ALWAYS_INLINE uint32_t take_more(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes, unsigned more)
{
	const uint32_t mask = PLX_READ_ONCE(q->strip) ? E1000_RXS_PLAIN_MASK & ~E1000_RXS_VP
						      : E1000_RXS_PLAIN_MASK;

	return e1000_rx_take_with(q, pkts, k, bytes, e1000_rx_load, mask, q->table, more);
}

static PLX_ALWAYS_INLINE uint32_t take_offload(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take_more(q, pkts, k, bytes, E1000_RX_TYPE);
}

static PLX_ALWAYS_INLINE uint32_t take_hash(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return take_more(q, pkts, k, bytes, E1000_RX_TYPE | E1000_RX_HASH);
}

uint16_t e1000_82576_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst(
		(struct e1000_rxq *)h, pkts, n, take_offload, e1000_rx_arm_run, e1000_rx_load);
}

uint16_t e1000_82576_rx_hash(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst(
		(struct e1000_rxq *)h, pkts, n, take_hash, e1000_rx_arm_run, e1000_rx_load);
}
