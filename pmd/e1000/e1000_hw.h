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

/* What differs between members of the family: a row for each PCI id that has a difference. */
struct e1000_model {
	const char *name;
	uint32_t max_frame; /* longest frame, without FCS */
};

struct e1000_hw {
	struct plx_pci_dev *pci;
	struct plx_log *log;
	const struct e1000_model *model;
	struct plx_win win;
	uint32_t ctrl;    /* CTRL as it was last written */
	bool no_mdio_own; /* the firmware does not share MDIO: not asked again */
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

/* In this window the ring registers of a queue are where queue 0 has them. */
static inline struct plx_win e1000_queue_win(const struct e1000_hw *hw, uint32_t queue)
{
	return plx_win_from(&hw->win, queue * E1000_QUEUE_STEP);
}

/* 4.6.1, 4.6.2: no interrupts, no DMA, reset, general configuration. Does not touch the PHY. */
int e1000_hw_reset(struct e1000_hw *hw);

/* Ends receiving and transmitting, and waits until the device has no bus request outstanding. */
void e1000_hw_quiesce(struct e1000_hw *hw);

/* 4.6.3.1: wakes the PHY, starts autonegotiation unless it is done. */
int e1000_phy_init(struct e1000_hw *hw);

/* The link as it is now: up only when autonegotiation, if the PHY does it, is complete. */
int e1000_hw_link(struct e1000_hw *hw, struct plx_link *link);

/* Station address 0 of the filter (RAL, RAH). Reading: -EINVAL when it is none. */
int e1000_mac_get(struct e1000_hw *hw, struct plx_mac *mac);
void e1000_mac_set(struct e1000_hw *hw, const struct plx_mac *mac);

/* The bit of a multicast address in the hash table: register bit / 32, bit bit % 32. */
uint32_t e1000_mcast_bit(const struct plx_mac *mac);
void e1000_mta_set(struct e1000_hw *hw, const uint32_t mta[E1000_N_MTA]);
void e1000_vfta_set(struct e1000_hw *hw, const uint32_t vfta[E1000_N_VFTA]);
void e1000_vlan_mode(struct e1000_hw *hw, bool on);

/* RCTL's buffer size for rooms of that many bytes, and in *len how many of them it uses. */
uint32_t e1000_rctl_bufsize(uint32_t room, uint32_t *len);

/* 4.6.5, 4.6.6: the unit, and each queue's ring, which is empty; not enabled yet. */
void e1000_rx_unit(struct e1000_hw *hw, bool cksum, bool rss);
void e1000_rx_ring(const struct plx_win *queue, uint64_t iova, uint32_t n_desc);
void e1000_tx_unit(struct e1000_hw *hw);
void e1000_tx_ring(const struct plx_win *queue, uint64_t iova, uint32_t n_desc);
void e1000_tx_enable(struct e1000_hw *hw);

#endif
