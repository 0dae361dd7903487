/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: registers, their table, reset (4.2, 10.2). */
#include "fake_82574_priv.h"

enum { RD = M574_RD, WR = M574_WR, CLR = M574_CLR, RING = M574_RING, RW = M574_RW };
enum { QUEUE_STEP = 0x100 };

/* 10.2.1: every register that software has business with. */
static const struct m574_reg table[] = {
	{R_CTRL, 1, 4, RW, "CTRL"},
	{R_STATUS, 1, 4, RD, "STATUS"},
	{R_EEC, 1, 4, RW, "EEC"},
	{R_EERD, 1, 4, RW, "EERD"},
	{R_CTRL_EXT, 1, 4, RW, "CTRL_EXT"},
	{0x001c, 1, 4, RW, "FLA"},
	{R_MDIC, 1, 4, RW, "MDIC"},
	{0x0028, 1, 4, RW, "FCAL"},
	{0x002c, 1, 4, RW, "FCAH"},
	{0x0030, 1, 4, RW, "FCT"},
	{R_VET, 1, 4, RW, "VET"},
	{R_ICR, 1, 4, RW, "ICR"},
	{R_ITR, 1, 4, RW, "ITR"},
	{R_ICS, 1, 4, WR, "ICS"},
	{R_IMS, 1, 4, RW, "IMS"},
	{R_IMC, 1, 4, WR, "IMC"},
	{R_EIAC, 1, 4, RW, "EIAC"},
	{R_IAM, 1, 4, RW, "IAM"},
	{R_IVAR, 1, 4, RW, "IVAR"},
	{R_EITR, 5, 4, RW, "EITR"},
	{R_RCTL, 1, 4, RW, "RCTL"},
	{0x0170, 1, 4, RW, "FCTTV"},
	{R_TCTL, 1, 4, RW, "TCTL"},
	{0x0410, 1, 4, RW, "TIPG"},
	{0x0458, 1, 4, RW, "AIT"},
	{0x0e00, 1, 4, RW, "LEDCTL"},
	{0x0f00, 1, 4, RW, "EXTCNF_CTRL"},
	{0x0f08, 1, 4, RW, "EXTCNF_SIZE"},
	{R_PBA, 1, 4, RW, "PBA"},
	{0x1008, 1, 4, RW, "PBS"},
	{0x1010, 1, 4, RW, "EEMNGCTL"},
	{0x2008, 1, 4, RW, "ERT"},
	{0x2160, 1, 4, RW, "FCRTL"},
	{0x2168, 1, 4, RW, "FCRTH"},
	{0x2170, 1, 4, RW, "PSRCTL"},
	{R_RXRING + BAL, 2, 4, RW | RING, "RDBA0"},
	{R_RXRING + LEN, 1, 4, RW | RING, "RDLEN0"},
	{R_RXRING + HEAD, 1, 4, RW | RING, "RDH0"},
	{R_RXRING + TAIL, 1, 4, RW | RING, "RDT0"},
	{R_RDTR, 1, 4, RW, "RDTR"},
	{R_RXDCTL, 1, 4, RW, "RXDCTL0"},
	{0x282c, 1, 4, RW, "RADV"},
	{R_RXRING + QUEUE_STEP, 3, 4, RW | RING, "RDBA1, RDLEN1"},
	{R_RXRING + QUEUE_STEP + HEAD, 2, 8, RW | RING, "RDH1, RDT1"},
	{0x2928, 1, 4, RW, "RXDCTL1"},
	{0x2c00, 1, 4, RW, "RSRPD"},
	{0x2c08, 1, 4, RW, "RAID"},
	{R_TXRING + BAL, 2, 4, RW | RING, "TDBA0"},
	{R_TXRING + LEN, 1, 4, RW | RING, "TDLEN0"},
	{R_TXRING + HEAD, 1, 4, RW | RING, "TDH0"},
	{R_TXRING + TAIL, 1, 4, RW | RING, "TDT0"},
	{R_TIDV, 1, 4, RW, "TIDV"},
	{R_TXDCTL, 1, 4, RW, "TXDCTL0"},
	{0x382c, 1, 4, RW, "TADV"},
	{R_TARC0, 1, 4, RW, "TARC0"},
	{R_TXRING + QUEUE_STEP, 3, 4, RW | RING, "TDBA1, TDLEN1"},
	{R_TXRING + QUEUE_STEP + HEAD, 2, 8, RW | RING, "TDH1, TDT1"},
	{0x3928, 1, 4, RW, "TXDCTL1"},
	{R_TARC0 + QUEUE_STEP, 1, 4, RW, "TARC1"},
	/* 10.2.7: counters, cleared by a read */
	{0x4000, 9, 4, RD | CLR, "errors and collisions"},
	{0x4028, 1, 4, RD | CLR, "COLC"},
	{0x4030, 5, 4, RD | CLR, "DC to RLEC"},
	{0x4048, 15, 4, RD | CLR, "XONRXC to GPTC"},
	{0x4088, 4, 4, RD | CLR, "GORC, GOTC"},
	{0x40a0, 24, 4, RD | CLR, "RNBC to TSCTFC"},
	{R_IAC, 10, 4, RD | CLR, "IAC to ICRXOC"},
	{R_RXCSUM, 1, 4, RW, "RXCSUM"},
	{R_RFCTL, 1, 4, RW, "RFCTL"},
	{R_MTA, 128, 4, RW, "MTA"},
	{R_RAL, 32, 4, RW, "RAL, RAH"},
	{R_VFTA, 128, 4, RW, "VFTA"},
	{0x5800, 1, 4, RW, "WUC"},
	{0x5808, 1, 4, RW, "WUFC"},
	{0x5810, 1, 4, RW, "WUS"},
	{R_MRQC, 1, 4, RW, "MRQC"},
	{0x5820, 1, 4, RW, "MANC"},
	{0x5838, 1, 4, RW, "IPAV"},
	{0x5860, 1, 4, RW, "MANC2H"},
	{0x5b00, 1, 4, RW, "GCR"},
	{0x5b08, 1, 4, RW, "FUNCTAG"},
	{0x5b10, 4, 4, RW, "GSCL"},
	{0x5b30, 1, 4, RD, "FACTPS"},
	{0x5b50, 1, 4, RW, "SWSM"},
	{0x5b54, 1, 4, RD, "FWSM"},
	{0x5b58, 1, 4, RW, "SWSM2"},
	{0x5b5c, 1, 4, RW, "SW_FW_SYNC"},
	{0x5b64, 1, 4, RW, "GCR2"},
	{R_RETA, 32, 4, RW, "RETA"},
	{R_RSSRK, 10, 4, RW, "RSSRK"},
	{0x5f40, 1, 4, RW, "FCRTV"},
	{0xb600, 16, 4, RW, "time sync"},
};

static const struct m574_reg *find(const struct fake_82574 *m, uint64_t off)
{
	uint8_t i = m->known[off / 4];

	return i != 0 ? &m->gen->regs[i - 1] : NULL;
}

/* Power-up. What the datasheet leaves undefined after it is rubbish here: MTA, VFTA (4.6.5), RETA and
 * RSSRK (10.2.5). */
void m574_regs_init(struct fake_82574 *m)
{
	const struct m574_reg *t = m->gen->regs;

	for (uint32_t i = 0; i < m->gen->n_regs; i++)
		for (uint32_t j = 0; j < t[i].n; j++)
			m->known[(t[i].off + j * t[i].stride) / 4] = (uint8_t)(i + 1);
	for (uint32_t i = 0; i < 128; i++) {
		m574_set(m, R_MTA + 4 * i, 0x9e3779b9u * (i + 1));
		m574_set(m, R_VFTA + 4 * i, 0x85ebca6bu * (i + 3));
	}
	for (uint32_t off = R_RETA; off < R_RSSRK + 40; off += 4)
		m574_set(m, off, 0xc2b2ae35u * (off + 1));
	m574_regs_reset(m);
	m->gen->reset(m, true);
}

/* What CTRL.RST does: all but the tables that 4.6.5 has software fill (10.2.2.1). */
void m574_regs_reset(struct fake_82574 *m)
{
	for (uint32_t off = 0; off < BAR_LEN; off += 4) {
		bool kept = (off >= R_MTA && off < R_RAL) || (off >= R_VFTA && off < 0x5800) ||
			    (off >= R_RETA && off < R_RSSRK + 40) ||
			    (m->gen->kept != NULL && m->gen->kept(off));

		if (!kept && !(m->opts.mapped && off == R_CTRL))
			m574_set(m, off, 0);
	}
	m574_set(m, R_CTRL, (m574_get(m, R_CTRL) & CTRL_RST) | CTRL_FD);
	m574_set(m, R_STATUS, STATUS_GIO_ON | STATUS_FD | STATUS_SPEED_1000);
	m574_set(m, R_EEC, 1u << 8); /* NVM present; auto read not done */
	m574_set(m, R_VET, 0x8100);
	m574_queue_free(&m->fifo);
	for (uint32_t i = 0; i < QUEUES; i++)
		m->txq[i].len = m->txq[i].descs = 0;
	m->gen->reset(m, false);
	m->context.valid = false;
	m->irq_pending = 0;
	memset(m->fired_at, 0, sizeof(m->fired_at));
	m->hung_rx = m->hung_tx = false;
	m->link = false;
	m->mdic_end = m->eerd_end = m->gio_end = 0;
	/* the NVM is read again and with it the PHY set up: 4.2, 6.0 */
	m->link_at = m574_now(m) + m->opts.link_ns;
}

/* 10.1: memory-mapped registers are accessed as 32 bits. */
static const struct m574_reg *check(
	struct fake_82574 *m, uint64_t off, unsigned width, const char *what)
{
	const struct m574_reg *r;

	m574_sync(m);
	if (width != 4) {
		m574_violation(m, "10.1: %s of %u bytes at 0x%05x", what, width, (unsigned)off);
		return NULL;
	}
	if (m->reset_end != 0) {
		m574_violation(
			m, "10.2.2.1: %s of 0x%05x within 1 us of CTRL.RST", what, (unsigned)off);
		return NULL;
	}
	r = find(m, off);
	if (r == NULL)
		m574_violation(
			m, "10.2.1: %s of 0x%05x, where no register is", what, (unsigned)off);
	return r;
}

uint64_t m574_reg_read(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width)
{
	struct fake_82574 *m = f->model;
	const struct m574_reg *r;
	uint32_t v;

	if (bar != 0)
		return 0;
	r = check(m, off, width, "read");
	if (r == NULL)
		return m->reset_end != 0 ? UINT64_MAX : 0;
	if ((r->access & RD) == 0) {
		m574_violation(m, "10.2.1: read of %s, which can only be written", r->name);
		return 0;
	}
	if (m->gen->read != NULL && m->gen->read(m, (uint32_t)off, &v))
		return v;
	if ((r->access & CLR) != 0)
		return m574_stat_read(m, (uint32_t)off);
	if (off == R_ICR)
		return m574_icr_read(m);
	return m574_get(m, (uint32_t)off);
}

static void start_reset(struct fake_82574 *m)
{
	/* 3.1.3.10: master disable comes first, so that no request is cut off */
	if (fake_master(m->pci) && (m574_get(m, R_STATUS) & STATUS_GIO_ON) != 0)
		m574_violation(m, "3.1.3.10: CTRL.RST of a bus master; set CTRL.GIO Master "
				  "Disable, wait for STATUS bit 19");
	m574_regs_reset(m);
	m574_set(m, R_CTRL, m574_get(m, R_CTRL) | CTRL_RST);
	m->reset_end = m574_now(m) + m->opts.reset_ns;
	m->nvm_end = m574_now(m) + m->opts.nvm_ns;
}

static void write_ctrl(struct fake_82574 *m, uint32_t v)
{
	uint32_t old = m574_get(m, R_CTRL);

	if ((v & CTRL_RST) != 0) {
		start_reset(m);
		return;
	}
	if ((v & (CTRL_FRCSPD | CTRL_FRCDPX)) != 0 && (v & 3u << 8) == 2u << 8)
		m574_violation(m, "10.2.2.1: CTRL forces 1000 Mbit/s, which must be negotiated");
	if (((v ^ old) & CTRL_VME) != 0 && (m574_get(m, R_RCTL) & RCTL_EN) != 0 &&
		m->fifo.first != NULL)
		m574_violation(m, "7.5.2: CTRL.VME changed with packets in the FIFO");
	if ((v & CTRL_PHY_RST) != 0 && (old & CTRL_PHY_RST) == 0)
		m574_phy_reset(m);
	if (((v ^ old) & CTRL_GIO_DIS) != 0)
		m->gio_end = m574_now(m) + 10000;
	m574_set(m, R_CTRL, v);
}

/* RCTL: the rings and the descriptor format must be ready when EN comes on (4.6.5). */
static void write_rctl(struct fake_82574 *m, uint32_t v)
{
	uint32_t old = m574_get(m, R_RCTL), bsize = v >> 16 & 3;

	if ((v & RCTL_BSEX) != 0 && bsize == 0)
		m574_violation(m, "10.2.5.1: RCTL.BSIZE 00b with BSEX is reserved");
	if ((v & m->gen->rctl_reserved) != 0)
		m574_violation(m, "10.2.5.1: reserved bits of RCTL: 0x%08x", v);
	if ((v & (3u << 10)) != 0)
		m574_violation(m, "10.2.5.1: RCTL.DTYP: packet split is not modelled");
	if ((v & (3u << 6)) != 0)
		m574_violation(m, "10.2.5.1: RCTL.LBM: loopback is not modelled");
	if ((old & v & RCTL_EN) != 0 && ((old ^ v) & (RCTL_BSEX | 3u << 16)) != 0)
		m574_violation(m, "10.2.5.1: RCTL.BSIZE changed while the receiver is on");
	m574_set(m, R_RCTL, v);
	if ((v & RCTL_EN) != 0 && (old & RCTL_EN) == 0) {
		m->gen->receiver_on(m);
		if (m->nvm_end != 0)
			m574_violation(m, "4.6.2: receiver on before EEC.AUTO_RD");
	}
	if ((v & RCTL_EN) == 0)
		m574_queue_free(&m->fifo);
}

static void write_tctl(struct fake_82574 *m, uint32_t v)
{
	uint32_t old = m574_get(m, R_TCTL);

	if ((v & m->gen->tctl_reserved) != 0)
		m574_violation(m, "10.2.6.1: reserved bits of TCTL: 0x%08x", v);
	m574_set(m, R_TCTL, v);
	if ((v & TCTL_EN) != 0 && (old & TCTL_EN) == 0) {
		for (uint32_t q = 0; q < m->gen->queues; q++)
			if ((q == 0 && !m->gen->one_by_one) ||
				m574_get(m, m574_tx_block(m, q) + LEN) != 0)
				m574_ring_check(m, m574_tx_block(m, q), "TX");
		if ((m574_get(m, 0x0410) & 0x3ff) == 0)
			m574_violation(m, "4.6.6: transmitter on with TIPG 0");
	}
	for (uint32_t q = 0; q < QUEUES; q++)
		if ((v & TCTL_EN) == 0 && m->txq[q].descs != 0)
			m574_violation(m, "7.2.10: transmitter off inside a packet: EOP missing");
}

static void write_other(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	switch (off) {
	case R_ICR: /* 10.2.4.1: a 1 clears */
		m574_set(m, R_ICR, m574_get(m, R_ICR) & ~v);
		return;
	case R_ICS:
		m574_cause(m, v);
		return;
	case R_IMS:
		m574_set(m, R_IMS, m574_get(m, R_IMS) | v);
		m574_cause(m, 0);
		return;
	case R_IMC:
		m574_set(m, R_IMS, m574_get(m, R_IMS) & ~v);
		return;
	case R_RDTR:
	case R_TIDV:
		v &= 0xffff; /* FPD clears itself */
		break;
	case R_PBA: /* 10.2.2: TXA is what RXA leaves of 40 KB */
		if ((v & 0xffff) == 0 || (v & 0xffff) >= 40)
			m574_violation(m, "10.2.2: PBA.RXA %u of 40", v & 0xffff);
		v = (v & 0x3f) | (40 - (v & 0x3f)) << 16;
		break;
	case R_RFCTL:
		if (((v ^ m574_get(m, off)) & RFCTL_EXSTEN) != 0 &&
			(m574_get(m, R_RCTL) & RCTL_EN) != 0)
			m574_violation(m, "10.2.5: RFCTL.EXSTEN changed while the receiver is on");
		break;
	case R_RXCSUM:
		m574_set(m, off, v);
		if ((m574_get(m, R_RCTL) & RCTL_EN) != 0)
			m574_rss_check(m);
		return;
	case R_EEC:
		v = (v & ~(3u << 8)) | (m574_get(m, R_EEC) & 3u << 8);
		break;
	}
	m574_set(m, off, v);
}

void m574_reg_write(struct fake_pci *f, uint32_t bar, uint64_t off64, unsigned width, uint64_t v64)
{
	struct fake_82574 *m = f->model;
	uint32_t off = (uint32_t)off64, v = (uint32_t)v64;
	const struct m574_reg *r;

	if (bar != 0)
		return;
	r = check(m, off, width, "write");
	if (r == NULL)
		return;
	if ((r->access & WR) == 0)
		m574_violation(m, "10.2.1: write to %s, which can only be read", r->name);
	else if (m->gen->write != NULL && m->gen->write(m, off, v))
		; /* done */
	else if ((r->access & RING) != 0)
		m574_ring_write(m, off, v);
	else if (off == R_MRQC || (off >= R_RETA && off < R_RSSRK + 40))
		m574_rss_write(m, off, v);
	else if (off == R_CTRL)
		write_ctrl(m, v);
	else if (off == R_RCTL)
		write_rctl(m, v);
	else if (off == R_TCTL)
		write_tctl(m, v);
	else if (off == R_MDIC || off == R_EERD) {
		uint64_t busy = off == R_MDIC ? m->mdic_end : m->eerd_end;

		if (busy != 0)
			m574_violation(m, "10.2.2: %s written before it was ready", r->name);
		if (off == R_MDIC && m->gen->mdic != NULL)
			m->gen->mdic(m);
		m574_set(m, off, v);
		if (off == R_MDIC)
			m->mdic_end = m574_now(m) + m->opts.mdic_ns;
		else if ((v & 1) != 0)
			m->eerd_end = m574_now(m) + 20000;
	} else {
		write_other(m, off, v);
	}
	m574_sync(m);
}

/* ---- the 82574L ---- */

static void reset_82574(struct fake_82574 *m, bool power)
{
	m574_set(m, R_PBA, 0x00140014);
	for (uint32_t i = 0; i < m->gen->queues; i++)
		m574_set(m, R_TARC0 + i * QUEUE_STEP, 0x403); /* 10.2.6: enabled, count 3 */
}

static bool queue_on(const struct fake_82574 *m, uint32_t block)
{
	return block < R_TXRING || (m574_get(m, block + R_TARC0 - R_TXRING) & TARC_ENABLE) != 0;
}

static void receiver_on(struct fake_82574 *m)
{
	m574_ring_check(m, R_RXRING, "RX");
	if (m574_get(m, R_RXRING + QUEUE_STEP + LEN) != 0)
		m574_ring_check(m, R_RXRING + QUEUE_STEP, "RX");
	m574_rss_check(m);
}

static uint32_t rx_limit(const struct fake_82574 *m)
{
	return FRAME_MAX;
}

static uint32_t rx_fifo(const struct fake_82574 *m)
{
	return (m574_get(m, R_PBA) & 0xffff) * 1024;
}

static uint32_t tx_fifo(const struct fake_82574 *m)
{
	return (m574_get(m, R_PBA) >> 16) * 1024;
}

const struct m574_gen m574_gen_82574 = {
	.device = 0x10d3,
	.vectors = 5,
	.queues = 2,
	.rx_rings = R_RXRING,
	.tx_rings = R_TXRING,
	.step = QUEUE_STEP,
	.regs = table,
	.n_regs = PLX_ARRAY_SIZE(table),
	.rctl_reserved = 1u << 0 | 1u << 21 | 1u << 24 | 1u << 31,
	.tctl_reserved = 1u << 0 | 1u << 2,
	.reset = reset_82574,
	.queue_on = queue_on,
	.receiver_on = receiver_on,
	.rx_limit = rx_limit,
	.rx_fifo = rx_fifo,
	.tx_fifo = tx_fifo,
	.buffer = m574_rx_buffer,
	.rss = m574_rss,
	.rx_desc = m574_rx_desc,
	.tx_desc = m574_tx_desc,
	.queue_cause = m574_queue_cause,
};
