/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device below its queues: reset, PHY and link, filters, receive and transmit units, in the
 * order of the 82574 datasheet, whose sections are named. Control threads only, under the port's
 * lock. Calls return 0 or -errno with plx_errmsg(): -ETIMEDOUT (names what did not come), -ENODEV
 * (the device is gone).
 */
#ifndef E1000_HW_H
#define E1000_HW_H

#include "e1000_regs.h"
#include "plx_ethdev.h"
#include "plx_pci.h"

struct e1000_hw;
struct e1000_rx_table;

/* Interrupts of a generation that has MSI-X. */
struct e1000_irq_gen {
	uint32_t cause, set,
		clear; /* registers of causes: 1 clears; of the mask: 1 sets, 1 clears */
	uint32_t eitr; /* of vector 0: the least time between two */
	uint32_t (*rx_bit)(uint32_t queue, uint32_t vector); /* in these */
	/* Which cause has which vector: queue i vector i % (n - 1), all others n - 1; RX masks itself. */
	void (*route)(struct e1000_hw *hw, uint32_t queues, uint32_t n);
	/* A link change fires from here on; those of before are forgotten. */
	void (*arm_other)(struct e1000_hw *hw, uint32_t vector);
};

/*
 * What a generation of the family has and does its own way: e1000_82574.c and the like. Operations
 * that are NULL have nothing to do. All else is the same, and in e1000_hw.c.
 */
struct e1000_gen {
	uint32_t in;      /* which registers it has: E1000_IN_* */
	uint32_t bar_len; /* of BAR 0 */
	uint16_t queues;  /* each way */
	uint16_t max_desc;
	uint32_t rx_offloads, tx_offloads;
	/* Registers of the rings of queue 0, and how far behind them are those of the next. */
	uint32_t rx_ring_at, tx_ring_at, ring_step;
	/*
	 * RSS: none without fields. MRQC with several queues, its bits for TCP over IPv6, and where a queue
	 * is in an entry of RETA.
	 */
	uint32_t rss_fields, mrqc_rss, mrqc_tcp_ipv6, reta_shift;
	bool rx_legacy, rx_advanced; /* RX descriptors are such ones */
	bool stats_kept;             /* reading may leave a counter as it is */

	/* Interrupts: NULL without MSI-X. Least time between two where there is one vector for all. */
	const struct e1000_irq_gen *irq;
	uint32_t itr, itr_shift, itr_unit_ns, itr_max;

	/* No bus requests from here on; returns when none is outstanding. */
	void (*bus_quiesce)(struct e1000_hw *hw);
	/* After CTRL.RST: waits until the device can be used. 0 or -errno. */
	int (*reset_wait)(struct e1000_hw *hw);
	/* The EEPROM, NULL: cannot be read. EERD: where the address is, and the bit that is set at the end. */
	uint32_t (*nvm_words)(struct e1000_hw *hw);
	uint32_t eerd_addr_shift, eerd_done;
	uint32_t rx_fifo_kb; /* as the packet buffer is split */
	/* The PHY's bus, where it is shared with the firmware. */
	void (*mdio_take)(struct e1000_hw *hw);
	void (*mdio_give)(struct e1000_hw *hw);

	/* How many bytes the device writes into a room of so many; what RCTL has to have for it. */
	uint32_t (*buf_len)(uint32_t room, uint32_t *rctl);
	void (*rx_unit)(struct e1000_hw *hw, bool cksum, bool rss);
	/* The longest frame to take, without FCS, where RCTL.LPE alone does not say it. */
	void (*rx_max)(struct e1000_hw *hw, uint32_t frame);
	void (*tx_unit)(struct e1000_hw *hw);
	/* An empty ring, not enabled yet unless the device enables rings one by one. 0 or -errno. */
	/* drop: a queue without descriptors loses its packets, if it can, and does not hold up others. */
	int (*rx_ring)(const struct plx_win *queue, uint64_t iova, uint32_t n_desc,
		uint32_t buf_len, bool drop);
	/* Packets that a queue lost so, since last asked. */
	uint32_t (*rx_dropped)(const struct plx_win *queue);
	int (*tx_ring)(const struct plx_win *queue, uint64_t iova, uint32_t n_desc);
	void (*tx_on)(struct e1000_hw *hw);

	/* What status bits of a received packet mean. */
	void (*rx_table)(struct e1000_rx_table *t);
	/* Bursts for a queue as it is configured. */
	plx_rx_fn (*rx_select)(struct plx_port *port, const struct plx_rxq *q);
	plx_tx_fn (*tx_select)(struct plx_port *port, const struct plx_txq *q);
};

extern const struct e1000_gen e1000_gen_8254x, e1000_gen_82574, e1000_gen_82576;

/* What differs between members of a generation: a row for each PCI id that has a difference. */
struct e1000_model {
	const char *name;
	const struct e1000_gen *gen;
	uint32_t max_frame; /* longest frame, without FCS */
};

struct e1000_hw {
	struct plx_pci_dev *pci;
	struct plx_log *log;
	const struct e1000_model *model;
	const struct e1000_gen *gen; /* the model's */
	struct plx_win win;
	uint32_t ctrl;          /* CTRL as it was last written */
	uint32_t adv, adv_1000; /* what the PHY offers: of E1000_ADV_MASK, and of its register 9 */
	bool no_mdio_own;       /* the firmware does not share MDIO: not asked again */
	bool no_nvm_done;       /* nothing tells that the NVM has been read: not waited for again */
};

static inline uint32_t e1000_rd(const struct e1000_hw *hw, uint32_t reg)
{
	return plx_rd32(&hw->win, reg);
}

static inline void e1000_wr(const struct e1000_hw *hw, uint32_t reg, uint32_t v)
{
	plx_wr32(&hw->win, reg, v);
}

/* What was written has arrived: a setting holds when its call returns. */
static inline void e1000_flush(const struct e1000_hw *hw)
{
	(void)e1000_rd(hw, E1000_STATUS);
}

/* In these windows the ring registers of a queue are where queue 0 of the 82574 has them. */
static inline struct plx_win e1000_rx_win(const struct e1000_hw *hw, uint32_t queue)
{
	return plx_win_from(
		&hw->win, hw->gen->rx_ring_at - E1000_RX_RING + queue * hw->gen->ring_step);
}

static inline struct plx_win e1000_tx_win(const struct e1000_hw *hw, uint32_t queue)
{
	return plx_win_from(
		&hw->win, hw->gen->tx_ring_at - E1000_TX_RING + queue * hw->gen->ring_step);
}

/* 4.6.1, 4.6.2: no interrupts, no DMA, reset, general configuration. Does not touch the PHY. */
int e1000_hw_reset(struct e1000_hw *hw);

/* Ends receiving and transmitting, and waits until the device has no bus request outstanding. */
void e1000_hw_quiesce(struct e1000_hw *hw);

/* nvm_words of PCIe devices. */
uint32_t e1000_eec_words(struct e1000_hw *hw);

/* A register of the PHY. -EIO: it does not answer. */
int e1000_phy_read(struct e1000_hw *hw, unsigned reg, uint32_t *v);

/* 4.6.3.1: wakes the PHY; starts autonegotiation unless it is done, with hw->adv and hw->adv_1000. */
int e1000_phy_init(struct e1000_hw *hw);

/* The link as it is now: up only when autonegotiation, if the PHY does it, is complete. */
int e1000_hw_link(struct e1000_hw *hw, struct plx_link *link);

/* Station address 0 of the filter (RAL, RAH). Reading: -EINVAL when it is none. */
int e1000_mac_get(struct e1000_hw *hw, struct plx_mac *mac);
void e1000_mac_set(struct e1000_hw *hw, const struct plx_mac *mac);
/* Address i of the filter, or none (NULL). */
void e1000_rar_set(struct e1000_hw *hw, uint32_t i, const struct plx_mac *mac);

/* The bit of a multicast address in the hash table: register bit / 32, bit bit % 32. */
uint32_t e1000_mcast_bit(const struct plx_mac *mac);
void e1000_mta_set(struct e1000_hw *hw, const uint32_t mta[E1000_N_MTA]);
void e1000_vfta_set(struct e1000_hw *hw, const uint32_t vfta[E1000_N_VFTA]);
void e1000_vlan_mode(struct e1000_hw *hw, bool on);

/* Part of a generation with PCIe (82574 datasheet, 3.1.3.10): no bus requests from here on. */
void e1000_bus_quiesce(struct e1000_hw *hw);
/* Part of a generation: RDBAL to RDT, or TDBAL to TDT, of an empty ring. */
void e1000_rx_ring_regs(const struct plx_win *queue, uint64_t iova, uint32_t n_desc);
void e1000_tx_ring_regs(const struct plx_win *queue, uint64_t iova, uint32_t n_desc);
/* And RCTL's buffer size: powers of two from 256 to 16384; *rctl gets its bits. */
uint32_t e1000_buf_len_pow2(uint32_t room, uint32_t *rctl);

#endif
