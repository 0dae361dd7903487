/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 82540EM and 82545EM: PCI and PCI-X, one queue each way, no RSS, legacy RX descriptors, one
 * interrupt. Sections are those of the "PCI/PCI-X Family of Gigabit Ethernet Controllers Software
 * Developer's Manual", revision 4.0. Transmitting is that of the 82574.
 *
 * QEMU's models of them (e1000, e1000-82545em) differ: CTRL.RST resets nothing, so that whatever
 * matters is written at start; nothing is received for a second after each write of RCTL; no checksum
 * of what is received is checked (IXSM); and some counters are not cleared by reading, MPC among them.
 */
#define PLX_LOG_TAG "e1000"
#include "e1000_8254x.h"

#define MS UINT64_C(1000000)

/*
 * No bit ends or reports bus requests, as PCIe has it: with both units off, what is under way gets
 * time to end.
 */
static void bus_quiesce(struct e1000_hw *hw)
{
	e1000_flush(hw);
	plx_pci_delay(hw->pci, 10 * MS);
}

/*
 * 13.4.16: RXA, in KiB, is a multiple of 8; transmitting has the rest of 64. A frame needs 80 bytes
 * more than its own length there (3.3.3), and two of 8 KiB keep the wire busy. Set here for any MTU, as
 * an MTU may be set while the units are on.
 */
#define RX_KB 40u

/*
 * The EEPROM is read again after a reset, about which no bit tells. Where a firmware answers ARP in
 * place of the host, the host would not see the requests (3.2): it no longer does.
 */
static int reset_wait(struct e1000_hw *hw)
{
	plx_pci_delay(hw->pci, 5 * MS);
	e1000_wr(hw, E1000_MANC, e1000_rd(hw, E1000_MANC) & ~E1000_MANC_ARP);
	e1000_wr(hw, E1000_PBA, RX_KB);
	return 0;
}

/* 13.4.3, 13.4.4: the Microwire EEPROM has 64 words, or 256 where EECD.SIZE says so. */
static uint32_t nvm_words(struct e1000_hw *hw)
{
	return e1000_rd(hw, E1000_EEC) & PLX_BIT(9) ? 256 : 64;
}

/* ---- 14.4, 14.5: units and rings ---- */

static void rx_unit(struct e1000_hw *hw, bool cksum, bool rss)
{
	e1000_wr(hw, E1000_RDTR, 0);
	e1000_wr(hw, E1000_RADV, 0);
	e1000_wr(hw, E1000_RXCSUM, cksum ? E1000_RXCSUM_IPOFL | E1000_RXCSUM_TUOFL : 0);
}

static int rx_ring(
	const struct plx_win *queue, uint64_t iova, uint32_t n_desc, uint32_t len, bool drop)
{
	/* 13.4.46: fetch 32 at a time, write back each */
	plx_wr32(queue, E1000_RXDCTL,
		E1000_DCTL_PTHRESH(32) | E1000_DCTL_HTHRESH(4) | E1000_DCTL_WTHRESH(1) |
			E1000_DCTL_GRAN);
	e1000_rx_ring_regs(queue, iova, n_desc);
	return 0;
}

/* 13.4.34 */
static void tx_unit(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_TIDV, 0);
	e1000_wr(hw, E1000_TADV, 0);
	e1000_wr(hw, E1000_TIPG, E1000_TIPG_VALUE(10, 8, 6));
}

static int tx_ring(const struct plx_win *queue, uint64_t iova, uint32_t n_desc)
{
	e1000_tx_ring_regs(queue, iova, n_desc);
	plx_wr32(queue, E1000_TXDCTL,
		E1000_DCTL_PTHRESH(31) | E1000_DCTL_HTHRESH(1) | E1000_DCTL_WTHRESH(1) |
			E1000_DCTL_GRAN);
	return 0;
}

/* 13.4.33 */
static void tx_on(struct e1000_hw *hw)
{
	e1000_wr(hw, E1000_TCTL,
		E1000_TCTL_EN | E1000_TCTL_PSP | E1000_TCTL_CT(0xf) | E1000_TCTL_COLD(0x40));
}

/* ---- bursts ---- */

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	/* those that leave nothing to say of a packet in one descriptor */
	return port->conf.rx_offloads & ~(uint32_t)PLX_RX_OFFLOAD_SCATTER ? e1000_8254x_rx_offload
									  : e1000_8254x_rx;
}

const struct e1000_gen e1000_gen_8254x = {
	.in = E1000_IN_8254X,
	.bar_len = E1000_BAR_LEN,
	.queues = 1,
	.max_desc = E1000_MAX_DESC,
	.rx_offloads = PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP | PLX_RX_OFFLOAD_SCATTER,
	.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM |
		       PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG,
	.rx_ring_at = E1000_RX_RING,
	.tx_ring_at = E1000_TX_RING,
	.rx_fifo_kb = RX_KB,
	.nvm_words = nvm_words,
	.eerd_addr_shift = 8,
	.eerd_done = PLX_BIT(4),
	.itr = E1000_ITR,
	.itr_unit_ns = 256,
	.itr_max = 0xffff,
	.rx_legacy = true,
	.stats_kept = true,
	.bus_quiesce = bus_quiesce,
	.reset_wait = reset_wait,
	.buf_len = e1000_buf_len_pow2,
	.rx_unit = rx_unit,
	.tx_unit = tx_unit,
	.rx_ring = rx_ring,
	.tx_ring = tx_ring,
	.tx_on = tx_on,
	.rx_table = e1000_8254x_rx_table,
	.rx_select = rx_select,
	.tx_select = e1000_82574_tx_select,
};
