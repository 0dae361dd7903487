/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 82576: PCIe, two ports with a firmware between them, queues that are enabled one by one, advanced
 * descriptors, RSS. Sections are those of the "Intel 82576 Gigabit Ethernet Controller Datasheet".
 *
 * It has 16 queues each way. Of these 8 are used: with a vector for each RX queue and one for the rest they
 * fit into the 10 vectors of QEMU's model (the part has 25), and both ways into the table of vectors without
 * sharing an entry.
 */
#define PLX_LOG_TAG "e1000"
#include "e1000_82576.h"

#define MS UINT64_C(1000000)

enum { QUEUES = 8, RING_STEP = 0x40, RX_RINGS = 0xc000, TX_RINGS = 0xe000 };
/* Buffers are counted in KiB, as far as a frame is long. */
enum { MAX_ROOM_KB = 16 };

/* ---- 4.3, 4.5.3: reset ---- */

/* Waits for a bit by which the device says that it has read its NVM; one that never comes is none. */
static void nvm_wait(struct e1000_hw *hw, uint32_t reg, uint32_t bit, uint64_t limit_ns)
{
	if (hw->no_nvm_done)
		return;
	if (plx_win_wait(&hw->win, reg, bit, bit, limit_ns, "the NVM to be read after a reset") !=
		-ETIMEDOUT)
		return;
	hw->no_nvm_done = true;
	plx_logf(
		hw->log, PLX_LOG_INFO, "%s: %s; used without", plx_pci_name(hw->pci), plx_errmsg());
}

static uint32_t port_of(const struct e1000_hw *hw)
{
	return E1000_STATUS_LAN(e1000_rd(hw, E1000_STATUS)) & 1;
}

/* QEMU's model reports neither that the NVM was read nor that the firmware has set up the PHY. */
static int reset_wait(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_EIMC, UINT32_MAX);
	nvm_wait(hw, E1000_EEC, E1000_EEC_AUTO_RD, 20 * MS);
	nvm_wait(hw, E1000_EEMNGCTL, E1000_EEMNGCTL_CFG_DONE << port_of(hw), 100 * MS);
	return 0;
}

/* ---- 4.6: what both ports and the firmware share ---- */

/*
 * SWSM guards SW_FW_SYNC: SMBI is between programs and taken by reading it as 0, SWESMBI between them and
 * the firmware and taken when it stays 1. Held for microseconds; who was killed meanwhile holds SMBI for
 * good, so it is taken after a time.
 */
static bool sync_lock(struct e1000_hw *hw)
{
	int err = plx_win_wait(
		&hw->win, E1000_SWSM, E1000_SWSM_SMBI, 0, 10 * MS, "SWSM.SMBI to be free");

	if (err < 0 && err != -ETIMEDOUT)
		return false;
	for (unsigned us = 0; us < 10000; us += 50) {
		e1000_wr(hw, E1000_SWSM, e1000_rd(hw, E1000_SWSM) | E1000_SWSM_SWESMBI);
		if (e1000_rd(hw, E1000_SWSM) & E1000_SWSM_SWESMBI)
			return true;
		plx_pci_delay(hw->pci, 50000);
	}
	e1000_wr(hw, E1000_SWSM, 0);
	return false;
}

static void sync_unlock(struct e1000_hw *hw)
{
	e1000_wr(
		hw, E1000_SWSM, e1000_rd(hw, E1000_SWSM) & ~(E1000_SWSM_SMBI | E1000_SWSM_SWESMBI));
}

/* Takes the PHY if it is free. take: also from a program that has it. */
static bool phy_try(struct e1000_hw *hw, bool take)
{
	const uint32_t sw = E1000_SYNC_PHY << port_of(hw), fw = sw << E1000_SYNC_FW;
	uint32_t v;
	bool ok;

	if (!sync_lock(hw))
		return false;
	v = e1000_rd(hw, E1000_SW_FW_SYNC);
	ok = !(v & fw) && (take || !(v & sw));
	if (ok)
		e1000_wr(hw, E1000_SW_FW_SYNC, v | sw);
	sync_unlock(hw);
	return ok;
}

/* A program that was killed may have left the PHY taken; a firmware that has it for good is in trouble. */
static void mdio_take(struct e1000_hw *hw)
{
	if (hw->no_mdio_own)
		return;
	for (unsigned ms = 0; ms < 50; ms++) {
		if (phy_try(hw, false))
			return;
		if (plx_pci_gone(hw->pci))
			return;
		plx_pci_delay(hw->pci, MS);
	}
	if (phy_try(hw, true)) {
		plx_logf(hw->log, PLX_LOG_WARN,
			"%s: the PHY was left taken (SW_FW_SYNC) by a program: taken over",
			plx_pci_name(hw->pci));
		return;
	}
	hw->no_mdio_own = true;
	plx_logf(hw->log, PLX_LOG_WARN,
		"%s: the firmware does not give the PHY (SW_FW_SYNC 0x%08x); used without",
		plx_pci_name(hw->pci), e1000_rd(hw, E1000_SW_FW_SYNC));
}

static void mdio_give(struct e1000_hw *hw)
{
	if (hw->no_mdio_own || !sync_lock(hw))
		return;
	e1000_wr(hw, E1000_SW_FW_SYNC,
		e1000_rd(hw, E1000_SW_FW_SYNC) & ~(E1000_SYNC_PHY << port_of(hw)));
	sync_unlock(hw);
}

/* 8.10.7, 8.12.10: after a reset queue 0 is on, whose ring must not be set up then. */
static int queue_off(const struct plx_win *queue, uint32_t dctl)
{
	plx_wr32(queue, dctl, 0);
	return plx_win_wait(
		queue, dctl, E1000_DCTL_ENABLE, 0, 10 * MS, "RXDCTL or TXDCTL.ENABLE to clear");
}

/* ---- 4.5.9: receiving ---- */

/* 8.10.2: SRRCTL counts KiB; with 0 there RCTL has the size, for rooms below one. */
static uint32_t buf_len(uint32_t room, uint32_t *rctl)
{
	if (room < 1024)
		return e1000_buf_len_pow2(room, rctl);
	*rctl = 0;
	return PLX_MIN(room / 1024, (uint32_t)MAX_ROOM_KB) * 1024;
}

/* What CTRL.RST leaves as it was (8.3.1) is written again: the packet buffer, the tables of filters. */
static void rx_unit(struct e1000_hw *hw, bool cksum, bool rss)
{
	const uint32_t rxcsum = cksum ? E1000_RXCSUM_IPOFL | E1000_RXCSUM_TUOFL : 0;

	/* 7.1.11.5: the hash takes the place of packet checksum and IP id */
	e1000_wr(hw, E1000_RXCSUM, rss ? rxcsum | E1000_RXCSUM_PCSD : rxcsum);
	e1000_wr(hw, E1000_RFCTL, E1000_RFCTL_NFSW_DIS | E1000_RFCTL_NFSR_DIS);
	e1000_wr(hw, E1000_RXPBS, E1000_RXPBS_KB);
	for (unsigned i = 0; i < E1000_N_UTA; i++)
		e1000_wr(hw, E1000_UTA(i), 0);
}

static void rx_max(struct e1000_hw *hw, uint32_t frame)
{
	e1000_wr(hw, E1000_RLPML, frame + 4);
}

/* 7.1.4.3: a queue that runs dry loses its own packets, where it must not hold up others. */
static int rx_ring(
	const struct plx_win *queue, uint64_t iova, uint32_t n_desc, uint32_t len, bool drop)
{
	int err = queue_off(queue, E1000_RXDCTL);

	if (err < 0)
		return err;
	e1000_rx_ring_regs(queue, iova, n_desc);
	plx_wr32(queue, E1000_SRRCTL,
		E1000_SRRCTL_KB(len) | E1000_SRRCTL_ADV_ONE | (drop ? E1000_SRRCTL_DROP : 0));
	/* fetch 8 at a time, write back each */
	plx_wr32(queue, E1000_RXDCTL,
		E1000_DCTL_PTHRESH(8) | E1000_DCTL_HTHRESH(8) | E1000_DCTL_WTHRESH(1) |
			E1000_DCTL_ENABLE);
	return plx_win_wait(queue, E1000_RXDCTL, E1000_DCTL_ENABLE, E1000_DCTL_ENABLE, 10 * MS,
		"RXDCTL.ENABLE: an RX queue to come on");
}

/* 8.10.9; 12 bits */
static uint32_t rx_dropped(const struct plx_win *queue)
{
	const uint32_t v = plx_rd32(queue, E1000_RQDPC);

	return v == UINT32_MAX ? 0 : v & 0xfff;
}

/* ---- 4.5.10: transmitting ---- */

static void tx_unit(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_TXPBS, E1000_TXPBS_KB);
	e1000_wr(hw, E1000_TIPG, E1000_TIPG_VALUE(8, 4, 6));
}

static int tx_ring(const struct plx_win *queue, uint64_t iova, uint32_t n_desc)
{
	int err = queue_off(queue, E1000_TXDCTL);

	if (err < 0)
		return err;
	e1000_tx_ring_regs(queue, iova, n_desc);
	plx_wr32(queue, E1000_TXDCTL,
		E1000_DCTL_PTHRESH(8) | E1000_DCTL_HTHRESH(1) | E1000_DCTL_WTHRESH(1) |
			E1000_DCTL_ENABLE);
	return plx_win_wait(queue, E1000_TXDCTL, E1000_DCTL_ENABLE, E1000_DCTL_ENABLE, 10 * MS,
		"TXDCTL.ENABLE: a TX queue to come on");
}

/* What has a default that fits (back-off) stays. */
static void tx_on(struct e1000_hw *hw)
{
	const uint32_t v = e1000_rd(hw, E1000_TCTL) & ~E1000_TCTL_CT(0xff);

	e1000_wr(hw, E1000_TCTL, v | E1000_TCTL_EN | E1000_TCTL_PSP | E1000_TCTL_CT(0xf));
}

/* ---- 7.3, 8.8: interrupts ---- */

static uint32_t rx_bit(uint32_t queue, uint32_t vector)
{
	return PLX_BIT(vector);
}

/*
 * What fires is masked until armed again (EIAM), and its cause stays until then: QEMU's model, which does not
 * mask, fires at a cause that is new alone.
 */
static void route(struct e1000_hw *hw, uint32_t queues, uint32_t n)
{
	uint32_t rx = 0;

	e1000_wr(hw, E1000_GPIE,
		E1000_GPIE_NSICR | E1000_GPIE_MSIX | E1000_GPIE_EIAME | E1000_GPIE_PBA);
	for (uint32_t i = 0; i < queues; i++) {
		e1000_wr(hw, E1000_IVAR_EXT0 + 4 * i, E1000_IVAR_EXT(i % (n - 1)));
		rx |= rx_bit(i, i % (n - 1));
	}
	e1000_wr(hw, E1000_IVAR_MISC, E1000_IVAR_EXT(n - 1) << E1000_IVAR_EXT_OTHER);
	e1000_wr(hw, E1000_EIAC_EXT, 0);
	e1000_wr(hw, E1000_EIAM, rx);
}

static void arm_other(struct e1000_hw *hw, uint32_t vector)
{
	e1000_wr(hw, E1000_ICR, E1000_ICR_LSC);
	e1000_wr(hw, E1000_EICR, PLX_BIT(vector));
	e1000_wr(hw, E1000_IMS, E1000_ICR_LSC);
	e1000_wr(hw, E1000_EIMS, PLX_BIT(vector));
}

static const struct e1000_irq_gen irq = {
	.cause = E1000_EICR,
	.set = E1000_EIMS,
	.clear = E1000_EIMC,
	.eitr = E1000_EITR_EXT0,
	.rx_bit = rx_bit,
	.route = route,
	.arm_other = arm_other,
};

/* ---- bursts ---- */

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH)
		return e1000_82576_rx_hash;
	/* those that leave nothing to say of a packet in one descriptor */
	if (port->conf.rx_offloads & ~(uint32_t)PLX_RX_OFFLOAD_SCATTER)
		return e1000_82576_rx_offload;
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? e1000_rx_avx2 : e1000_rx_plain;
}

static plx_tx_fn tx_select(struct plx_port *port, const struct plx_txq *q)
{
	if (port->conf.tx_offloads & ~(uint32_t)PLX_TX_OFFLOAD_MULTI_SEG)
		return e1000_82576_tx_offload;
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? e1000_82576_tx_avx2 : e1000_82576_tx;
}

const struct e1000_gen e1000_gen_82576 = {
	.in = E1000_IN_82576,
	.bar_len = E1000_BAR_LEN,
	.queues = QUEUES,
	.max_desc = E1000_MAX_DESC,
	.rx_offloads = PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP | PLX_RX_OFFLOAD_SCATTER |
		       PLX_RX_OFFLOAD_RSS_HASH,
	.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM |
		       PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG |
		       PLX_TX_OFFLOAD_TSO,
	.rx_ring_at = RX_RINGS,
	.tx_ring_at = TX_RINGS,
	.ring_step = RING_STEP,
	.rss_fields = PLX_RSS_IPV4 | PLX_RSS_IPV4_TCP | PLX_RSS_IPV4_UDP | PLX_RSS_IPV6 |
		      PLX_RSS_IPV6_TCP | PLX_RSS_IPV6_UDP,
	.mrqc_rss = E1000_MRQC_RSS_82576,
	/* without extension headers both say the same; QEMU's model looks at the first alone */
	.mrqc_tcp_ipv6 = E1000_MRQC_TCP_IPV6 | E1000_MRQC_TCP_IPV6_ONLY,
	.rx_fifo_kb = 64,
	.nvm_words = e1000_eec_words,
	.eerd_addr_shift = 2,
	.eerd_done = PLX_BIT(1),
	.irq = &irq,
	.itr = E1000_EITR_EXT0,
	.itr_shift = 2,
	.itr_unit_ns = 1000,
	.itr_max = 0x1fff,
	.bus_quiesce = e1000_bus_quiesce,
	.reset_wait = reset_wait,
	.mdio_take = mdio_take,
	.mdio_give = mdio_give,
	.buf_len = buf_len,
	.rx_unit = rx_unit,
	.rx_max = rx_max,
	.rx_ring = rx_ring,
	.rx_dropped = rx_dropped,
	.tx_unit = tx_unit,
	.tx_ring = tx_ring,
	.tx_on = tx_on,
	.rx_advanced = true,
	.rx_table = e1000_82576_rx_table,
	.rx_select = rx_select,
	.tx_select = tx_select,
};
