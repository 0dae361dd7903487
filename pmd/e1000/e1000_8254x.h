/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the 8254x generation share. */
#ifndef E1000_8254X_H
#define E1000_8254X_H

#include "e1000.h"

/* e1000_8254x_rx.c */
uint16_t e1000_8254x_rx(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
uint16_t e1000_8254x_rx_offload(struct plx_rxq *h, struct plx_mbuf **pkts, uint16_t n);
void e1000_8254x_rx_table(struct e1000_rx_table *t);

#endif
