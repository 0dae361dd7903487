/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82576 model: registers, reset (4.3, 8.2), semaphores (4.6), queues that come on one by one (4.5.9). */
#include "fake_82576_priv.h"

enum { RD = M574_RD, WR = M574_WR, CLR = M574_CLR, RING = M574_RING, RW = M574_RW };
enum { ENABLE_NS = 10000 };

/* Registers of 16 queues, R6_STEP apart. */
#define RINGS(base, off, access, name)                        \
	{                                                     \
		(base) + (off), QUEUES, R6_STEP, access, name \
	}

/* 8.1.3 */
static const struct m574_reg table[] = {
	{R_CTRL, 1, 4, RW, "CTRL"},
	{R_STATUS, 1, 4, RD, "STATUS"},
	{R_EEC, 1, 4, RW, "EEC"},
	{R_EERD, 1, 4, RW, "EERD"},
	{R_CTRL_EXT, 1, 4, RW, "CTRL_EXT"},
	{R_MDIC, 1, 4, RW, "MDIC"},
	{0x0028, 3, 4, RW, "FCAL, FCAH, FCT"},
	{R_VET, 1, 4, RW, "VET"},
	{R_ICR, 1, 4, RW, "ICR"},
	{R_ICS, 1, 4, WR, "ICS"},
	{R_IMS, 1, 4, RW, "IMS"},
	{R_IMC, 1, 4, WR, "IMC"},
	{R_IAM, 1, 4, RW, "IAM"},
	{R_RCTL, 1, 4, RW, "RCTL"},
	{0x0170, 1, 4, RW, "FCTTV"},
	{R_TCTL, 2, 4, RW, "TCTL, TCTL_EXT"},
	{0x0410, 1, 4, RW, "TIPG"},
	{0x0e00, 1, 4, RW, "LEDCTL"},
	{R6_EEMNGCTL, 1, 4, RW, "EEMNGCTL"},
	{R6_GPIE, 1, 4, RW, "GPIE"},
	{R6_EICS, 1, 4, WR, "EICS"},
	{R6_EIMS, 1, 4, RW, "EIMS"},
	{R6_EIMC, 1, 4, WR, "EIMC"},
	{R6_EIAC, 1, 4, RW, "EIAC"},
	{R6_EIAM, 1, 4, RW, "EIAM"},
	{R6_EICR, 1, 4, RW, "EICR"},
	{R6_EITR, VECTORS_82576, 4, RW, "EITR"},
	{R6_IVAR, 8, 4, RW, "IVAR"},
	{R6_IVAR_MISC, 1, 4, RW, "IVAR_MISC"},
	{0x2160, 1, 4, RW, "FCRTL"},
	{0x2168, 1, 4, RW, "FCRTH"},
	{R6_RXPBS, 1, 4, RW, "RXPBS"},
	{0x2408, 1, 4, RW, "QDE"},
	{0x2460, 1, 4, RW, "FCRTV"},
	{R6_TXPBS, 1, 4, RW, "TXPBS"},
	{0x3590, 1, 4, RW, "DTXCTL"},
	{R_CRCERRS, 9, 4, RD | CLR, "errors and collisions"},
	{0x4028, 1, 4, RD | CLR, "COLC"},
	{0x4030, 2, 4, RD | CLR, "DC, TNCRS"},
	{0x403c, 2, 4, RD | CLR, "HTDPMC, RLEC"},
	{0x4048, 15, 4, RD | CLR, "XONRXC to GPTC"},
	{R_GORCL, 4, 4, RD | CLR, "GORC, GOTC"},
	{R_RNBC, 23, 4, RD | CLR, "RNBC to TSCTC"},
	{R_IAC, 2, 4, RD | CLR, "IAC, RPTHC"},
	{0x4118, 1, 4, RD | CLR, "HGPTC"},
	{0x4128, 5, 4, RD | CLR, "HGORC, HGOTC, LENERRS"},
	{R_RXCSUM, 1, 4, RW, "RXCSUM"},
	{R6_RLPML, 2, 4, RW, "RLPML, RFCTL"},
	{R_MTA, 128, 4, RW, "MTA"},
	{R_RAL, 32, 4, RW, "RAL, RAH"},
	{R_VFTA, 128, 4, RW, "VFTA"},
	{0x5800, 1, 4, RW, "WUC"},
	{0x5808, 1, 4, RW, "WUFC"},
	{0x5810, 1, 4, RW, "WUS"},
	{R_MRQC, 2, 4, RW, "MRQC, VT_CTL"},
	{0x5820, 1, 4, RW, "MANC"},
	{0x5b00, 1, 4, RW, "GCR"},
	{0x5b30, 1, 4, RD, "FACTPS"},
	{R6_SWSM, 2, 4, RW, "SWSM, FWSM"},
	{R6_SW_FW_SYNC, 1, 4, RW, "SW_FW_SYNC"},
	{R_RETA, 32, 4, RW, "RETA"},
	{R_RSSRK, 10, 4, RW, "RSSRK"},
	{R6_UTA, 128, 4, WR, "UTA"},
	RINGS(R6_RXRINGS, BAL, RW | RING, "RDBAL"),
	RINGS(R6_RXRINGS, BAH, RW | RING, "RDBAH"),
	RINGS(R6_RXRINGS, LEN, RW | RING, "RDLEN"),
	RINGS(R6_RXRINGS, R6_SRRCTL, RW, "SRRCTL"),
	RINGS(R6_RXRINGS, HEAD, RW | RING, "RDH"),
	RINGS(R6_RXRINGS, TAIL, RW | RING, "RDT"),
	RINGS(R6_RXRINGS, R6_DCTL, RW, "RXDCTL"),
	RINGS(R6_RXRINGS, R6_RQDPC, RD | CLR, "RQDPC"),
	RINGS(R6_TXRINGS, BAL, RW | RING, "TDBAL"),
	RINGS(R6_TXRINGS, BAH, RW | RING, "TDBAH"),
	RINGS(R6_TXRINGS, LEN, RW | RING, "TDLEN"),
	RINGS(R6_TXRINGS, HEAD, RW | RING, "TDH"),
	RINGS(R6_TXRINGS, TAIL, RW | RING, "TDT"),
	RINGS(R6_TXRINGS, R6_DCTL, RW, "TXDCTL"),
	RINGS(R6_TXRINGS, 0x38, RW, "TDWBAL"),
	RINGS(R6_TXRINGS, 0x3c, RW, "TDWBAH"),
};

/* 8.3.1, 8.3.3: the split of the packet buffer outlives CTRL.RST; UTA is software's to clear. */
static bool kept(uint32_t off)
{
	return off == R6_RXPBS || off == R6_TXPBS || (off >= R6_UTA && off < R6_UTA + 512) ||
	       off == R6_SW_FW_SYNC || off == R6_SWSM;
}

static void reset(struct fake_82574 *m, bool power)
{
	if (power) {
		m574_set(m, R6_RXPBS, 64);
		m574_set(m, R6_TXPBS, 40);
		for (uint32_t i = 0; i < 128; i++)
			m574_set(m, R6_UTA + 4 * i, 0x27d4eb2fu * (i + 5));
	}
	for (uint32_t i = 0; i < QUEUES; i++) {
		m574_set(m, m574_rx_block(m, i) + R6_DCTL, 1u << 16); /* 8.10.7: WTHRESH */
		m->s576.valid[i][0] = m->s576.valid[i][1] = false;
	}
	/* queue 0 is on */
	m574_set(m, R6_RXRINGS + R6_DCTL, DCTL_ENABLE | 1u << 16);
	m574_set(m, R6_TXRINGS + R6_DCTL, DCTL_ENABLE);
	memset(m->s576.enable_end, 0, sizeof(m->s576.enable_end));
	m574_set(m, R6_RLPML, 0x2600);
	m574_set(m, 0x0410, 8 | 4u << 10 | 6u << 20);
	m574_set(m, R_RXCSUM, 3u << 8);
}

/* ---- what takes time ---- */

/* The PHY is set up by the firmware once the NVM has been read: 8.4, CFG_DONE */
static void sync(struct fake_82574 *m)
{
	uint64_t now = m574_now(m);

	if (m->nvm_end == 0 && (m574_get(m, R_EEC) & 1u << 9) != 0)
		m574_set(m, R6_EEMNGCTL, m574_get(m, R6_EEMNGCTL) | 1u << 18);
	for (uint32_t i = 0; i < 2 * QUEUES; i++) {
		uint32_t block = i < QUEUES ? m574_rx_block(m, i) : m574_tx_block(m, i - QUEUES);

		if (m->s576.enable_end[i] == 0 || now < m->s576.enable_end[i])
			continue;
		m->s576.enable_end[i] = 0;
		m574_set(m, block + R6_DCTL, m574_get(m, block + R6_DCTL) ^ DCTL_ENABLE);
	}
}

/* ENABLE reads as written only when the queue obeys: 4.5.9 */
static void write_dctl(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	bool rx = off < R6_TXRINGS;
	uint32_t queue = (off - (rx ? R6_RXRINGS : R6_TXRINGS)) / R6_STEP;
	uint32_t old = m574_get(m, off);
	uint64_t *end = &m->s576.enable_end[rx ? queue : QUEUES + queue];

	if ((v & 0xf9e0e0e0) != 0)
		m574_violation(
			m, "8.10.7: reserved bits of %s: 0x%08x", rx ? "RXDCTL" : "TXDCTL", v);
	if (rx && (v & DCTL_ENABLE) != 0 && (v >> 16 & 31) != 1)
		m574_violation(m, "8.10.7: RXDCTL.WTHRESH %u", v >> 16 & 31);
	if (*end != 0)
		m574_violation(m, "4.5.9: a queue is enabled or disabled before it obeyed");
	if (((v ^ old) & DCTL_ENABLE) != 0) {
		*end = m574_now(m) + ENABLE_NS;
		if ((v & DCTL_ENABLE) != 0)
			m574_ring_check(m, off - R6_DCTL, rx ? "RX" : "TX");
		/* a queue that comes on begins anew */
		m574_set(m, off - R6_DCTL + HEAD, 0);
		m574_set(m, off - R6_DCTL + TAIL, 0);
	}
	m574_set(m, off, (v & ~(uint32_t)DCTL_ENABLE) | (old & DCTL_ENABLE));
}

static bool queue_on(const struct fake_82574 *m, uint32_t block)
{
	return (m574_get(m, block + R6_DCTL) & DCTL_ENABLE) != 0;
}

/* ---- 4.6: semaphores ---- */

static void mdic(struct fake_82574 *m)
{
	if ((m574_get(m, R6_SW_FW_SYNC) & SYNC_PHY0) == 0)
		m574_violation(m, "4.6: MDIC without the PHY's bit in SW_FW_SYNC");
}

static void write_sync(struct fake_82574 *m, uint32_t v)
{
	uint32_t old = m574_get(m, R6_SW_FW_SYNC);

	if ((m574_get(m, R6_SWSM) & SWSM_SWESMBI) == 0)
		m574_violation(m, "4.6: SW_FW_SYNC written without SWSM.SWESMBI");
	if ((v & ~old & SYNC_PHY0) != 0 && (old & SYNC_FW_PHY0) != 0)
		m574_violation(m, "4.6: the PHY is taken while the firmware has it");
	if (((v ^ old) & 0xffff0000) != 0)
		m574_violation(m, "4.6: SW_FW_SYNC: bits of the firmware: 0x%08x", v);
	m574_set(m, R6_SW_FW_SYNC, (old & 0xffff0000) | (v & 0xffff));
}

/* ---- registers ---- */

static bool read_reg(struct fake_82574 *m, uint32_t off, uint32_t *v)
{
	*v = m574_get(m, off);
	if (off == R6_SWSM) {
		m574_set(m, off, *v | SWSM_SMBI); /* taken by reading */
		return true;
	}
	if (off >= R6_RXRINGS && off < R6_TXRINGS && (off & (R6_STEP - 1)) == R6_RQDPC) {
		m574_set(m, off, 0);
		return true;
	}
	return m576_irq_read(m, off, v);
}

static void write_srrctl(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	if ((v >> 25 & 7) != 1)
		m574_violation(m, "8.10.2: SRRCTL.DESCTYPE %u is not modelled", v >> 25 & 7);
	if ((v & 0x7080c080) != 0)
		m574_violation(m, "8.10.2: reserved bits of SRRCTL: 0x%08x", v);
	if (queue_on(m, off - R6_SRRCTL))
		m574_violation(m, "8.10.2: SRRCTL of a queue that is on");
	m574_set(m, off, v);
}

static bool write_reg(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	uint32_t in_ring = off & (R6_STEP - 1);

	if (off >= R6_RXRINGS && off < R6_TXRINGS + QUEUES * R6_STEP) {
		if (in_ring == R6_DCTL)
			write_dctl(m, off, v);
		else if (in_ring == R6_SRRCTL && off < R6_TXRINGS)
			write_srrctl(m, off, v);
		else
			return false;
	} else if (off == R_MRQC || (off >= R_RETA && off < R_RSSRK + 40)) {
		m576_rss_write(m, off, v);
	} else if (off == R6_SW_FW_SYNC) {
		write_sync(m, v);
	} else if (off == R_RXCSUM) {
		m574_set(m, off, v);
		if ((m574_get(m, R_RCTL) & RCTL_EN) != 0)
			m576_receiver_on(m);
	} else if (off == R6_RLPML || off == R6_SWSM || off == R_RFCTL) {
		if (off == R6_RLPML && (v == 0 || v > 0x2600))
			m574_violation(m, "8.10.14: RLPML %u", v);
		m574_set(m, off, v);
	} else if (off == R6_RXPBS || off == R6_TXPBS) {
		if ((m574_get(m, R_RCTL) & RCTL_EN) != 0 || (m574_get(m, R_TCTL) & TCTL_EN) != 0)
			m574_violation(m, "8.3.1: the packet buffer is split while a unit is on");
		m574_set(m, off, v);
	} else {
		return m576_irq_write(m, off, v);
	}
	return true;
}

static uint32_t rx_limit(const struct fake_82574 *m)
{
	return m574_get(m, R6_RLPML);
}

static uint32_t rx_fifo(const struct fake_82574 *m)
{
	return m574_get(m, R6_RXPBS) * 1024;
}

static uint32_t tx_fifo(const struct fake_82574 *m)
{
	return m574_get(m, R6_TXPBS) * 1024;
}

const struct m574_gen m574_gen_82576 = {
	.device = 0x10c9,
	.vectors = VECTORS_82576,
	.queues = QUEUES,
	.rx_rings = R6_RXRINGS,
	.tx_rings = R6_TXRINGS,
	.step = R6_STEP,
	.regs = table,
	.n_regs = PLX_ARRAY_SIZE(table),
	.rctl_reserved = 1u << 0 | 3u << 8 | 1u << 14 | 3u << 24 | 0xf8000000,
	.tctl_reserved = 1u << 0 | 1u << 2,
	.reset = reset,
	.kept = kept,
	.read = read_reg,
	.write = write_reg,
	.mdic = mdic,
	.sync = sync,
	.one_by_one = true,
	.queue_on = queue_on,
	.receiver_on = m576_receiver_on,
	.rx_limit = rx_limit,
	.rx_fifo = rx_fifo,
	.tx_fifo = tx_fifo,
	.buffer = m576_buffer,
	.drops = m576_drops,
	.rss = m576_rss,
	.rx_desc = m576_rx_desc,
	.tx_desc = m576_tx_desc,
	.irq_sync = m576_irq_sync,
	.queue_cause = m576_queue_cause,
};
