/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving with legacy descriptors (8254x manual, 3.2.3). Where nothing is to be said of a packet
 * but its length, swapping the halves of a quadword is all that makes one look like an extended
 * descriptor; with offloads, its fields are moved to where e1000_rx_meaning() looks for them.
 */
#include "e1000_8254x.h"
#include "e1000_rx.h"

static inline uint64_t load_plain(const union e1000_rx_desc *d)
{
	return e1000_rx_swapped(plx_le64_read_once(&d->q[1]));
}

static inline uint64_t load_all(const union e1000_rx_desc *d)
{
	return e1000_rx_extended(plx_le64_read_once(&d->q[1]));
}

static PLX_ALWAYS_INLINE uint32_t take(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	return e1000_rx_take_with(q, pkts, k, bytes, load_plain, E1000_RXL_PLAIN_MASK, NULL, 0);
}

/* A stripped tag that nobody asked to be stripped is left to e1000_rx_rest(). */
static PLX_ALWAYS_INLINE uint32_t take_offload(
	struct e1000_rxq *q, struct plx_mbuf **pkts, uint32_t k, uint64_t *bytes)
{
	const uint32_t mask = PLX_READ_ONCE(q->strip) ? E1000_RXS_PLAIN_MASK & ~E1000_RXS_VP
						      : E1000_RXS_PLAIN_MASK;

	return e1000_rx_take_with(q, pkts, k, bytes, load_all, mask, q->table, 0);
}

PLX_NOINLINE static uint16_t few(struct e1000_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_few_with(q, pkts, n, load_plain, E1000_RXL_PLAIN_MASK);
}

uint16_t e1000_8254x_rx(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;

	if (e1000_rx_are_few(q, n, load_plain))
		return few(q, pkts, n);
	return e1000_rx_burst(q, pkts, n, take, e1000_rx_arm_run, load_plain);
}

uint16_t e1000_8254x_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n)
{
	return e1000_rx_burst(
		(struct e1000_rxq *)h, pkts, n, take_offload, e1000_rx_arm_run, load_all);
}

/*
 * There is no packet type, and one bit for TCP and UDP: of a packet's kind is known that it is IPv4
 * when the checksum of such a header was checked.
 */
void e1000_8254x_rx_table(struct e1000_rx_table *t)
{
	for (uint32_t i = 0; i < PLX_ARRAY_SIZE(t->low); i++) {
		const uint32_t st = E1000_RX_LOW_STATUS(i);
		uint32_t flags = e1000_rx_cksum_flags(st & ~E1000_RXS_UDPCS);
		uint32_t ptype = PLX_PTYPE_L2_ETHER;

		if (st & E1000_RXS_VP)
			flags |= PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED;
		if ((st & E1000_RXS_IPCS) && !(st & E1000_RXS_IXSM))
			ptype |= PLX_PTYPE_L3_IPV4_EXT;
		t->low[i] = flags | (uint64_t)ptype << 32;
	}
	memset(t->type, 0, sizeof(t->type));
}
