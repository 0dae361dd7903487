/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 82574L: PCIe, a firmware to share the PHY's bus with, two queues each way, RSS, extended RX
 * descriptors. Sections are those of its datasheet.
 */
#define PLX_LOG_TAG "e1000"
#include "e1000.h"

#define MS UINT64_C(1000000)

static int reset_wait(struct e1000_hw *hw)
{
	if (plx_win_wait(&hw->win, E1000_EEC, E1000_EEC_AUTO_RD, E1000_EEC_AUTO_RD, 50 * MS,
		    "the NVM to be read after a reset") == -ETIMEDOUT)
		plx_logf(hw->log, PLX_LOG_WARN, "%s: %s", plx_pci_name(hw->pci), plx_errmsg());
	return 0;
}

/* Software and firmware share the PHY's bus; EXTCNF_CTRL says whose turn it is. */
static void mdio_take(struct e1000_hw *hw)
{
	if (hw->no_mdio_own)
		return;
	e1000_wr(hw, E1000_EXTCNF_CTRL, e1000_rd(hw, E1000_EXTCNF_CTRL) | E1000_EXTCNF_MDIO_OWN);
	if (plx_win_wait(&hw->win, E1000_EXTCNF_CTRL, E1000_EXTCNF_MDIO_OWN, E1000_EXTCNF_MDIO_OWN,
		    20 * MS, "MDIO from the firmware") != -ETIMEDOUT)
		return;
	hw->no_mdio_own = true;
	plx_logf(
		hw->log, PLX_LOG_WARN, "%s: %s; used without", plx_pci_name(hw->pci), plx_errmsg());
}

static void mdio_give(struct e1000_hw *hw)
{
	if (hw->no_mdio_own)
		return;
	e1000_wr(hw, E1000_EXTCNF_CTRL, e1000_rd(hw, E1000_EXTCNF_CTRL) & ~E1000_EXTCNF_MDIO_OWN);
}

/* FLXBUF counts KiB, and wins where no power of two fits as well (10.2.5). */
static uint32_t buf_len(uint32_t room, uint32_t *rctl)
{
	const uint32_t pow2 = e1000_buf_len_pow2(room, rctl), kb = PLX_MIN(room / 1024, 15u);

	if (kb * 1024 <= pow2)
		return pow2;
	*rctl = E1000_RCTL_FLXBUF(kb);
	return kb * 1024;
}

/* ---- 4.6.5, 4.6.6: units and rings ---- */

static void rx_unit(struct e1000_hw *hw, bool cksum, bool rss)
{
	uint32_t rxcsum = cksum ? E1000_RXCSUM_IPOFL | E1000_RXCSUM_TUOFL : 0;

	e1000_wr(hw, E1000_RDTR, 0);
	e1000_wr(hw, E1000_RADV, 0);
	/* 7.1.11: two queues want PCSD; nothing of the packet checksum is used otherwise */
	e1000_wr(hw, E1000_RXCSUM, rss ? rxcsum | E1000_RXCSUM_PCSD : rxcsum);
	e1000_wr(hw, E1000_RFCTL,
		E1000_RFCTL_EXSTEN | E1000_RFCTL_ISCSI_DIS | E1000_RFCTL_NFSW_DIS |
			E1000_RFCTL_NFSR_DIS | E1000_RFCTL_ACK_DIS);
}

static int rx_ring(
	const struct plx_win *queue, uint64_t iova, uint32_t n_desc, uint32_t len, bool drop)
{
	/* fetch 32 at a time, write back each */
	plx_wr32(queue, E1000_RXDCTL,
		E1000_DCTL_PTHRESH(32) | E1000_DCTL_HTHRESH(4) | E1000_DCTL_WTHRESH(1) |
			E1000_DCTL_GRAN);
	e1000_rx_ring_regs(queue, iova, n_desc);
	return 0;
}

static void tx_unit(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_TIDV, 0);
	e1000_wr(hw, E1000_TADV, 0);
	e1000_wr(hw, E1000_TIPG, E1000_TIPG_VALUE(8, 8, 6));
}

static int tx_ring(const struct plx_win *queue, uint64_t iova, uint32_t n_desc)
{
	e1000_tx_ring_regs(queue, iova, n_desc);
	plx_wr32(queue, E1000_TXDCTL,
		E1000_DCTL_PTHRESH(31) | E1000_DCTL_HTHRESH(1) | E1000_DCTL_WTHRESH(1) |
			E1000_TXDCTL_BIT22 | E1000_DCTL_GRAN);
	plx_wr32(queue, E1000_TARC0, plx_rd32(queue, E1000_TARC0) | E1000_TARC_ENABLE);
	return 0;
}

static void tx_on(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_TCTL,
		E1000_TCTL_EN | E1000_TCTL_PSP | E1000_TCTL_CT(0xf) | E1000_TCTL_COLD(0x3f) |
			E1000_TCTL_MULR | E1000_TCTL_RRTHRESH(1));
}

/* ---- 7.4, 10.2.4: interrupts ---- */

static uint32_t rx_bit(uint32_t queue, uint32_t vector)
{
	return E1000_ICR_RXQ0 << queue;
}

static void route(struct e1000_hw *hw, uint32_t queues, uint32_t n)
{
	const uint32_t ctrl_ext = e1000_rd(hw, E1000_CTRL_EXT);
	uint32_t ivar = E1000_IVAR_OTHER(n - 1), rx = 0;

	for (uint32_t i = 0; i < queues; i++) {
		ivar |= E1000_IVAR_RXQ(i, i % (n - 1));
		rx |= rx_bit(i, 0);
	}
	e1000_wr(hw, E1000_IVAR, ivar);
	/* what fires is cleared, and masked */
	e1000_wr(hw, E1000_EIAC, rx);
	e1000_wr(hw, E1000_IAM, rx);
	e1000_wr(hw, E1000_CTRL_EXT,
		(ctrl_ext & ~E1000_CTRL_EXT_IAME) | E1000_CTRL_EXT_EIAME | E1000_CTRL_EXT_PBA_CLR);
}

static void arm_other(struct e1000_hw *hw, uint32_t vector)
{
	e1000_wr(hw, E1000_ICR, E1000_ICR_OTHER | E1000_ICR_LSC);
	e1000_wr(hw, E1000_IMS, E1000_ICR_OTHER | E1000_ICR_LSC);
}

static const struct e1000_irq_gen irq = {
	.cause = E1000_ICR,
	.set = E1000_IMS,
	.clear = E1000_IMC,
	.eitr = E1000_EITR0,
	.rx_bit = rx_bit,
	.route = route,
	.arm_other = arm_other,
};

/* ---- bursts ---- */

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH)
		return e1000_rx_hash;
	/* those that leave nothing to say of a packet in one descriptor */
	if (port->conf.rx_offloads & ~(uint32_t)PLX_RX_OFFLOAD_SCATTER)
		return e1000_rx_offload;
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? e1000_rx_avx2 : e1000_rx_plain;
}

plx_tx_fn e1000_82574_tx_select(struct plx_port *port, const struct plx_txq *q)
{
	/* chains make no difference to the packets that are none */
	if (port->conf.tx_offloads & ~(uint32_t)PLX_TX_OFFLOAD_MULTI_SEG)
		return e1000_tx_offload;
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? e1000_tx_avx2 : e1000_tx;
}

const struct e1000_gen e1000_gen_82574 = {
	.in = E1000_IN_82574,
	.bar_len = E1000_BAR_LEN,
	.queues = E1000_QUEUES,
	.max_desc = E1000_MAX_DESC,
	.rx_offloads = PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP | PLX_RX_OFFLOAD_SCATTER |
		       PLX_RX_OFFLOAD_RSS_HASH,
	.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM |
		       PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG |
		       PLX_TX_OFFLOAD_TSO,
	.rx_ring_at = E1000_RX_RING,
	.tx_ring_at = E1000_TX_RING,
	.ring_step = 0x100,
	.rss_fields = PLX_RSS_IPV4 | PLX_RSS_IPV4_TCP | PLX_RSS_IPV6 | PLX_RSS_IPV6_TCP,
	.mrqc_rss = E1000_MRQC_RSS,
	.mrqc_tcp_ipv6 = E1000_MRQC_TCP_IPV6,
	.reta_shift = 7,
	.irq = &irq,
	.itr = E1000_ITR,
	.itr_unit_ns = 256,
	.itr_max = 0xffff,
	.bus_quiesce = e1000_bus_quiesce,
	.reset_wait = reset_wait,
	.rx_fifo_kb = 20,
	.nvm_words = e1000_eec_words,
	.eerd_addr_shift = 2,
	.eerd_done = PLX_BIT(1),
	.mdio_take = mdio_take,
	.mdio_give = mdio_give,
	.buf_len = buf_len,
	.rx_unit = rx_unit,
	.tx_unit = tx_unit,
	.rx_ring = rx_ring,
	.tx_ring = tx_ring,
	.tx_on = tx_on,
	.rx_table = e1000_rx_table_make,
	.rx_select = rx_select,
	.tx_select = e1000_82574_tx_select,
};
