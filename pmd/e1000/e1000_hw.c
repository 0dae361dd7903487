/* SPDX-License-Identifier: BSD-3-Clause */
#define PLX_LOG_TAG "e1000"
#include "e1000_hw.h"

#define MS UINT64_C(1000000)

/* ---- 4.6.1, 4.6.2: reset ---- */

void e1000_hw_quiesce(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_RCTL, 0);
	e1000_wr(hw, E1000_TCTL, E1000_TCTL_PSP);
	hw->ctrl = e1000_rd(hw, E1000_CTRL);
	if (hw->gen->bus_quiesce != NULL)
		hw->gen->bus_quiesce(hw);
}

/* No new requests; the status bit falls when none is outstanding any more. */
void e1000_bus_quiesce(struct e1000_hw *hw)
{
	hw->ctrl |= E1000_CTRL_GIO_MASTER_DISABLE;
	e1000_wr(hw, E1000_CTRL, hw->ctrl);
	if (plx_win_wait(&hw->win, E1000_STATUS, E1000_STATUS_MASTER_ENABLE, 0, 100 * MS,
		    "the end of bus requests") == -ETIMEDOUT)
		plx_logf(hw->log, PLX_LOG_WARN, "%s: %s; reset all the same", plx_pci_name(hw->pci),
			plx_errmsg());
}

static void mask_interrupts(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_IMC, UINT32_MAX);
	(void)e1000_rd(hw, E1000_ICR);
}

/* 4.6.2: link up by the PHY's result, speed and duplex not forced, no flow control, no VLAN mode. */
static void general_config(struct e1000_hw *hw)
{
	hw->ctrl = e1000_rd(hw, E1000_CTRL);
	hw->ctrl &= ~(E1000_CTRL_GIO_MASTER_DISABLE | E1000_CTRL_FRCSPD | E1000_CTRL_FRCDPX |
		      E1000_CTRL_RFCE | E1000_CTRL_TFCE | E1000_CTRL_VME | E1000_CTRL_RST);
	hw->ctrl |= E1000_CTRL_SLU | E1000_CTRL_FD;
	e1000_wr(hw, E1000_CTRL, hw->ctrl);
	e1000_wr(hw, E1000_FCAL, 0);
	e1000_wr(hw, E1000_FCAH, 0);
	e1000_wr(hw, E1000_FCT, 0);
	e1000_wr(hw, E1000_FCTTV, 0);
	e1000_wr(hw, E1000_VET, 0x8100);
}

int e1000_hw_reset(struct e1000_hw *hw)
{
	int err;

	mask_interrupts(hw);
	e1000_hw_quiesce(hw);
	e1000_wr(hw, E1000_CTRL, hw->ctrl | E1000_CTRL_RST);
	/* the device must not be accessed for a microsecond; the NVM takes longer to be read */
	plx_pci_delay(hw->pci, 10000);
	err = plx_win_wait(&hw->win, E1000_CTRL, E1000_CTRL_RST, 0, 100 * MS,
		"CTRL.RST to clear after a reset");
	if (err < 0)
		return err;
	err = hw->gen->reset_wait != NULL ? hw->gen->reset_wait(hw) : 0;
	if (err < 0)
		return err;
	if (plx_pci_gone(hw->pci))
		return plx_err(ENODEV, "%s: gone after a reset", plx_pci_name(hw->pci));
	mask_interrupts(hw); /* the reset may have left some enabled */
	general_config(hw);
	return 0;
}

/* ---- 4.6.3: PHY and link ---- */

static void mdio_take(struct e1000_hw *hw)
{
	if (hw->gen->mdio_take != NULL)
		hw->gen->mdio_take(hw);
}

static void mdio_give(struct e1000_hw *hw)
{
	if (hw->gen->mdio_give != NULL)
		hw->gen->mdio_give(hw);
}

/* One access through MDIC (10.2.2); op has E1000_MDIC_READ, or _WRITE and the data. */
static int mdic(struct e1000_hw *hw, unsigned reg, uint32_t op, uint32_t *v)
{
	int err;

	e1000_wr(hw, E1000_MDIC, op | E1000_MDIC_PHY | E1000_MDIC_REG(reg));
	err = plx_win_wait(&hw->win, E1000_MDIC, E1000_MDIC_READY, E1000_MDIC_READY, 10 * MS,
		"MDIC.R: the PHY to answer");
	if (err < 0)
		return err;
	*v = e1000_rd(hw, E1000_MDIC);
	if (*v == UINT32_MAX && plx_pci_gone(hw->pci))
		return plx_err(ENODEV, "%s: gone", plx_pci_name(hw->pci));
	if (*v & E1000_MDIC_ERROR)
		return plx_err(EIO, "%s: the PHY did not answer for its register %u (MDIC 0x%08x)",
			plx_pci_name(hw->pci), reg, *v);
	*v &= 0xffff;
	return 0;
}

static int phy_read(struct e1000_hw *hw, unsigned reg, uint32_t *v)
{
	return mdic(hw, reg, E1000_MDIC_READ, v);
}

static int phy_write(struct e1000_hw *hw, unsigned reg, uint32_t v)
{
	uint32_t ignored;

	return mdic(hw, reg, E1000_MDIC_WRITE | v, &ignored);
}

int e1000_phy_read(struct e1000_hw *hw, unsigned reg, uint32_t *v)
{
	int err;

	mdio_take(hw);
	err = phy_read(hw, reg, v);
	mdio_give(hw);
	return err;
}

/* Bits of mask of a register become v; *changed when they were not. */
static int phy_set(struct e1000_hw *hw, unsigned reg, uint32_t mask, uint32_t v, bool *changed)
{
	uint32_t now;
	int err = phy_read(hw, reg, &now);

	if (err < 0 || (now & mask) == v)
		return err;
	*changed = true;
	return phy_write(hw, reg, (now & ~mask) | v);
}

static int phy_start(struct e1000_hw *hw)
{
	bool changed = false;
	uint32_t bmcr, bmsr;
	int err = phy_read(hw, E1000_PHY_BMCR, &bmcr);

	if (err == 0)
		err = phy_read(hw, E1000_PHY_BMSR, &bmsr);
	if (err == 0)
		err = phy_set(hw, E1000_PHY_ADV, E1000_ADV_MASK, hw->adv, &changed);
	if (err == 0)
		err = phy_set(hw, E1000_PHY_GBCR, E1000_GBCR_HALF | E1000_GBCR_FULL, hw->adv_1000,
			&changed);
	if (err < 0)
		return err;
	if (!changed && (bmcr & E1000_BMCR_AN_ENABLE) && (bmsr & E1000_BMSR_AN_DONE) &&
		!(bmcr & (E1000_BMCR_POWER_DOWN | E1000_BMCR_ISOLATE)))
		return 0;
	bmcr &= ~(E1000_BMCR_POWER_DOWN | E1000_BMCR_ISOLATE);
	return phy_write(hw, E1000_PHY_BMCR, bmcr | E1000_BMCR_AN_ENABLE | E1000_BMCR_RESTART_AN);
}

int e1000_phy_init(struct e1000_hw *hw)
{
	int err;

	mdio_take(hw);
	err = phy_start(hw);
	mdio_give(hw);
	return err;
}

/*
 * STATUS.LU may be set before autonegotiation is through (QEMU's model sets it at power-up, and
 * drops what is sent till then): the PHY is asked as well.
 */
static int phy_link(struct e1000_hw *hw, struct plx_link *link)
{
	uint32_t bmsr, bmcr;
	int err = phy_read(hw, E1000_PHY_BMSR, &bmsr);

	/* the link bit stays 0 until it is read once the link was down (IEEE 802.3, 22.2.4.2.13) */
	if (err == 0 && !(bmsr & E1000_BMSR_LINK))
		err = phy_read(hw, E1000_PHY_BMSR, &bmsr);
	if (err < 0)
		return err;
	link->autoneg = true;
	if (!(bmsr & E1000_BMSR_AN_DONE)) {
		err = phy_read(hw, E1000_PHY_BMCR, &bmcr);
		if (err < 0)
			return err;
		link->autoneg = (bmcr & E1000_BMCR_AN_ENABLE) != 0;
	}
	link->up = (bmsr & E1000_BMSR_LINK) && ((bmsr & E1000_BMSR_AN_DONE) || !link->autoneg);
	return 0;
}

int e1000_hw_link(struct e1000_hw *hw, struct plx_link *link)
{
	static const uint32_t speeds[4] = {10, 100, 1000, 1000};
	uint32_t status = e1000_rd(hw, E1000_STATUS);
	int err;

	*link = (struct plx_link){.autoneg = true};
	if (status == UINT32_MAX)
		return plx_err(ENODEV, "%s: STATUS reads all ones: the device is gone",
			plx_pci_name(hw->pci));
	if (!(status & E1000_STATUS_LU))
		return 0;
	mdio_take(hw);
	err = phy_link(hw, link);
	mdio_give(hw);
	if (err < 0)
		return err;
	if (link->up) {
		link->full_duplex = (status & E1000_STATUS_FD) != 0;
		link->speed_mbps = speeds[E1000_STATUS_SPEED(status)];
	}
	return 0;
}

/* ---- 4.6.5: who may send to us ---- */

int e1000_mac_get(struct e1000_hw *hw, struct plx_mac *mac)
{
	uint32_t lo = e1000_rd(hw, E1000_RAL(0)), hi = e1000_rd(hw, E1000_RAH(0));

	plx_store_le32(&mac->b[0], lo);
	plx_store_le16(&mac->b[4], (uint16_t)hi);
	if (!(hi & E1000_RAH_AV) || (mac->b[0] & 1) || (lo == 0 && (hi & 0xffff) == 0))
		return plx_err(EINVAL,
			"%s: the NVM gave no valid MAC address (RAL 0x%08x, RAH 0x%08x)",
			plx_pci_name(hw->pci), lo, hi);
	return 0;
}

void e1000_rar_set(struct e1000_hw *hw, uint32_t i, const struct plx_mac *mac)
{
	e1000_wr(hw, E1000_RAL(i), mac != NULL ? plx_load_le32(&mac->b[0]) : 0);
	e1000_wr(hw, E1000_RAH(i), mac != NULL ? plx_load_le16(&mac->b[4]) | E1000_RAH_AV : 0);
}

void e1000_mac_set(struct e1000_hw *hw, const struct plx_mac *mac)
{
	e1000_rar_set(hw, 0, mac);
}

/* With RCTL.MO = 0 bits 47:36 of the address, in the order of the wire, are the hash (7.1.1.2). */
uint32_t e1000_mcast_bit(const struct plx_mac *mac)
{
	return (uint32_t)plx_load_le16(&mac->b[4]) >> 4;
}

void e1000_mta_set(struct e1000_hw *hw, const uint32_t mta[E1000_N_MTA])
{
	for (unsigned i = 0; i < E1000_N_MTA; i++)
		e1000_wr(hw, E1000_MTA(i), mta[i]);
}

void e1000_vfta_set(struct e1000_hw *hw, const uint32_t vfta[E1000_N_VFTA])
{
	for (unsigned i = 0; i < E1000_N_VFTA; i++)
		e1000_wr(hw, E1000_VFTA(i), vfta[i]);
}

/* 7.5: one bit for both directions. */
void e1000_vlan_mode(struct e1000_hw *hw, bool on)
{
	hw->ctrl = on ? hw->ctrl | E1000_CTRL_VME : hw->ctrl & ~E1000_CTRL_VME;
	e1000_wr(hw, E1000_CTRL, hw->ctrl);
}

/* ---- 4.6.5, 4.6.6: rings ---- */

uint32_t e1000_buf_len_pow2(uint32_t room, uint32_t *rctl)
{
	const unsigned log2 = plx_log2_u64(PLX_MIN(room, 16384u));

	if (log2 > 11) /* 16384, 8192, 4096: codes 1, 2, 3 */
		*rctl = E1000_RCTL_BSEX | E1000_RCTL_BSIZE(15 - log2);
	else /* 2048 to 256: codes 0 to 3 */
		*rctl = E1000_RCTL_BSIZE(11 - log2);
	return (uint32_t)1 << log2;
}

void e1000_rx_ring_regs(const struct plx_win *queue, uint64_t iova, uint32_t n_desc)
{
	plx_wr32(queue, E1000_RDBAL, (uint32_t)iova);
	plx_wr32(queue, E1000_RDBAH, (uint32_t)(iova >> 32));
	plx_wr32(queue, E1000_RDLEN, n_desc * 16);
	plx_wr32(queue, E1000_RDH, 0);
	plx_wr32(queue, E1000_RDT, 0);
}

void e1000_tx_ring_regs(const struct plx_win *queue, uint64_t iova, uint32_t n_desc)
{
	plx_wr32(queue, E1000_TDBAL, (uint32_t)iova);
	plx_wr32(queue, E1000_TDBAH, (uint32_t)(iova >> 32));
	plx_wr32(queue, E1000_TDLEN, n_desc * 16);
	plx_wr32(queue, E1000_TDH, 0);
	plx_wr32(queue, E1000_TDT, 0);
}
