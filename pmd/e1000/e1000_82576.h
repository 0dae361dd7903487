/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the 82576 share: advanced TX descriptors (82576 datasheet, 7.2.2). */
#ifndef E1000_82576_H
#define E1000_82576_H

#include "e1000_tx.h"

/*
 * Advanced TX descriptors: type in 23:20, command in 31:24 of the second quadword, EOP, IFCS, RS, DEXT and
 * VLE where others have them. The upper half of data has DD in 0, a context's number in 6:4, checksums to
 * insert in 13:8, as extended ones have them, and the packet's length from 14 on.
 */
#define E1000_TXA_CONTEXT (UINT64_C(2) << 20 | E1000_TXC_DEXT)
#define E1000_TXA_DATA    (UINT64_C(3) << 20 | E1000_TXC_DEXT | E1000_TXC_IFCS)
#define E1000_TXA_TSE     (UINT64_C(1) << 31)
#define E1000_TXA_IXSM    ((uint64_t)E1000_TXO_IXSM << 32)
#define E1000_TXA_TXSM    ((uint64_t)E1000_TXO_TXSM << 32)
#define E1000_TXA_PAYLEN  46u /* bit */
/* A context: lengths and tag below; above: */
#define E1000_TXA_MACLEN  9u  /* bit of the first quadword; the IP header's is 0 */
#define E1000_TXA_VLAN    16u /* bit of the first quadword */
#define E1000_TXA_IPV4    (UINT64_C(1) << 10)
#define E1000_TXA_TCP     (UINT64_C(1) << 11)
#define E1000_TXA_L4LEN   40u /* bits of the second */
#define E1000_TXA_MSS     48u

/* e1000_82576_rx.c */
void e1000_82576_rx_table(struct e1000_rx_table *t);
uint16_t e1000_82576_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_82576_rx_hash(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);

/* e1000_82576_tx.c */
uint16_t e1000_82576_tx(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_82576_tx_offload(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);
uint32_t e1000_82576_tx_plain(
	struct e1000_txq *q, struct plx_mbuf *const *pkts, uint32_t k, uint64_t *bytes);
bool e1000_82576_tx_send(struct e1000_txq *q, struct plx_mbuf *m, uint64_t *bytes);

/* e1000_tx_avx2.c */
uint16_t e1000_82576_tx_avx2(struct plx_txq *h, struct plx_mbuf **pkts, uint16_t n);

static const struct e1000_tx_kind e1000_tx_82576 = {
	.plain = E1000_TXA_DATA | E1000_TXC_EOP,
	.paylen = E1000_TXA_PAYLEN,
	.fill = e1000_82576_tx_plain,
	.send = e1000_82576_tx_send,
};

#endif
