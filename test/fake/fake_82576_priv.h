/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the 82576 share. Numbers in its comments and complaints are sections of the "Intel 82576
 * Gigabit Ethernet Controller Datasheet"; where the 82574L's model complains they are those of that one.
 */
#ifndef FAKE_82576_PRIV_H
#define FAKE_82576_PRIV_H

#include "fake_82574_priv.h"

enum {
	R6_EEMNGCTL = 0x1010,
	R6_GPIE = 0x1514,
	R6_EICS = 0x1520,
	R6_EIMS = 0x1524,
	R6_EIMC = 0x1528,
	R6_EIAC = 0x152c,
	R6_EIAM = 0x1530,
	R6_EICR = 0x1580,
	R6_EITR = 0x1680, /* of vector 0; the next 4 further */
	R6_IVAR = 0x1700, /* of queue 0 */
	R6_IVAR_MISC = 0x1740,
	R6_RXPBS = 0x2404,
	R6_TXPBS = 0x3404,
	R6_RLPML = 0x5004,
	R6_SW_FW_SYNC = 0x5b5c,
	R6_SWSM = 0x5b50,
	R6_UTA = 0xa000,
	R6_RXRINGS = 0xc000,
	R6_TXRINGS = 0xe000,
	R6_STEP = 0x40,
	/* from a ring's first register */
	R6_SRRCTL = 0x0c,
	R6_DCTL = 0x28,
	R6_RQDPC = 0x30,
};

enum { SWSM_SMBI = 1, SWSM_SWESMBI = 2 };
enum { SYNC_PHY0 = 1u << 1, SYNC_FW_PHY0 = 1u << 17 };
enum { DCTL_ENABLE = 1u << 25 };
enum { VECTORS_82576 = 25 };

/* fake_82576_rx.c */
void m576_rss(struct fake_82574 *m, struct m574_frame *fr);
void m576_rss_write(struct fake_82574 *m, uint32_t off, uint32_t v);
void m576_receiver_on(struct fake_82574 *m);
uint32_t m576_buffer(const struct fake_82574 *m, uint32_t queue);
bool m576_drops(struct fake_82574 *m, uint32_t queue);
void m576_rx_desc(const struct fake_82574 *m, uint8_t *d, const struct m574_packet *p,
	uint32_t piece, bool eop);

/* fake_82576_tx.c */
bool m576_tx_desc(struct fake_82574 *m, uint32_t queue, uint64_t q0, uint64_t q1);

/* fake_82576_irq.c */
void m576_irq_sync(struct fake_82574 *m);
void m576_queue_cause(struct fake_82574 *m, bool rx, uint32_t queue);
bool m576_irq_read(struct fake_82574 *m, uint32_t off, uint32_t *v);
bool m576_irq_write(struct fake_82574 *m, uint32_t off, uint32_t v);

#endif
