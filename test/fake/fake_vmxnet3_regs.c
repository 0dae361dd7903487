/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 model: registers and commands. */
#include "fake_vmxnet3_priv.h"

/* ---- commands ---- */

/* Commands that read the shared area want one, and DMA. */
static bool has_area(struct fake_vmxnet3 *m, uint32_t cmd)
{
	if (m->shared == 0)
		vx_violation(m, "command 0x%x without a shared area", cmd);
	else if (!fake_master(m->pci))
		vx_violation(m, "command 0x%x while bus mastering is off", cmd);
	else
		return true;
	return false;
}

static bool is_on(struct fake_vmxnet3 *m, uint32_t cmd)
{
	if (!m->active)
		vx_violation(m, "command 0x%x while the device is off", cmd);
	return m->active && has_area(m, cmd);
}

static void update(struct fake_vmxnet3 *m, uint32_t cmd)
{
	if (!is_on(m, cmd))
		return;
	switch (cmd & 0xffff) {
	case SET_RX_MODE:
		vx_read_mode(m);
		break;
	case SET_MAC_FILTERS:
		vx_read_groups(m);
		break;
	case SET_VLAN_FILTERS:
		vx_read_vlans(m);
		break;
	case SET_RSSIDT:
		vx_read_rss(m);
		break;
	case SET_IML:
		vx_read_levels(m);
		break;
	default:
		vx_read_features(m);
		break;
	}
}

static void set(struct fake_vmxnet3 *m, uint32_t cmd)
{
	m->answer = 0;
	switch (cmd & 0xffff) {
	case SET_ACTIVATE:
		if (m->active)
			vx_violation(m, "ACTIVATE_DEV of a device that is active");
		else if (has_area(m, cmd) && cmd != m->refuse)
			vx_activate(m);
		m->answer = !m->active;
		break;
	case SET_QUIESCE:
		m->active = false;
		break;
	case SET_RESET:
		vx_off(m);
		break;
	case SET_RX_MODE:
	case SET_MAC_FILTERS:
	case SET_VLAN_FILTERS:
	case SET_RSSIDT:
	case SET_IML:
	case SET_FEATURE:
		update(m, cmd);
		break;
	default:
		vx_violation(m, "unknown command 0x%x", cmd);
		break;
	}
}

static void get(struct fake_vmxnet3 *m, uint32_t cmd)
{
	m->answer = 0;
	switch (cmd & 0xffff) {
	case GET_QUEUE_STATUS:
		if (is_on(m, cmd))
			vx_write_status(m);
		break;
	case GET_STATS:
		if (is_on(m, cmd))
			vx_write_stats(m);
		break;
	case GET_LINK:
		m->answer = m->cable ? 10000u << 16 | 1 : 0;
		break;
	case GET_PERM_MAC_LO:
		m->answer = plx_load_le32(m->opts.mac);
		break;
	case GET_PERM_MAC_HI:
		m->answer = plx_load_le16(m->opts.mac + 4);
		break;
	default:
		vx_violation(m, "unknown command 0x%x", cmd);
		break;
	}
}

static void command(struct fake_vmxnet3 *m, uint32_t cmd)
{
	if (cmd >> 16 == CMD_SET)
		set(m, cmd);
	else if (cmd >> 16 == CMD_GET)
		get(m, cmd);
	else
		vx_violation(m, "unknown command 0x%x", cmd);
	if (cmd == m->refuse)
		m->answer = 1;
	m->last_cmd = cmd;
}

/* ---- BAR 1 ---- */

/* One of the revisions that are offered, and not while it runs. */
static void agree(
	struct fake_vmxnet3 *m, uint32_t v, uint32_t offered, uint32_t *is, const char *what)
{
	if (m->active)
		vx_violation(m, "%s written while the device is active", what);
	if (v == 0 || (v & (v - 1)) != 0 || (v & offered) == 0)
		vx_violation(m, "%s 0x%x of 0x%x", what, v, offered);
	*is = v;
}

static void set_mac(struct fake_vmxnet3 *m, uint32_t hi)
{
	if (hi >> 16 != 0)
		vx_violation(m, "MACH 0x%x", hi);
	plx_store_le32(m->mac, m->macl);
	plx_store_le16(m->mac + 4, (uint16_t)hi);
}

static void write1(struct fake_vmxnet3 *m, uint64_t off, uint32_t v)
{
	switch (off) {
	case R_VRRS:
		agree(m, v, m->opts.revs, &m->rev, "VRRS");
		break;
	case R_UVRS:
		agree(m, v, m->opts.upts, &m->upt, "UVRS");
		break;
	case R_DSAL:
		if ((v & 63) != 0)
			vx_violation(m, "a shared area at 0x%x, not on 64 bytes", v);
		if (m->active && v != 0)
			vx_violation(m, "DSAL written while the device is active");
		m->active = m->active && v != 0;
		m->dsal = v;
		m->shared = 0;
		break;
	case R_DSAH:
		m->shared = m->dsal | (uint64_t)v << 32;
		break;
	case R_CMD:
		command(m, v);
		break;
	case R_MACL:
		m->macl = v;
		break;
	case R_MACH:
		set_mac(m, v);
		break;
	case R_ECR:
		vx_ack(m, v);
		break;
	default:
		vx_violation(m, "BAR 1: write to 0x%x", (unsigned)off);
		break;
	}
}

/* QEMU's model complains of the others; so it knows of none. */
static bool has_answer(uint32_t cmd)
{
	const uint32_t what = cmd & 0xffff;

	return cmd >> 16 == CMD_SET ? what <= SET_RESET : cmd >> 16 == CMD_GET && what != GET_STATS;
}

static uint32_t read1(struct fake_vmxnet3 *m, uint64_t off)
{
	switch (off) {
	case R_VRRS:
		return m->opts.revs;
	case R_UVRS:
		return m->opts.upts;
	case R_CMD:
		if (!has_answer(m->last_cmd))
			vx_violation(m, "the answer to command 0x%x, which has none", m->last_cmd);
		return m->answer;
	case R_MACL:
		return plx_load_le32(m->mac);
	case R_MACH:
		return plx_load_le16(m->mac + 4);
	case R_ICR:
		return vx_cause(m);
	default:
		vx_violation(m, "BAR 1: read of 0x%x", (unsigned)off);
		return 0;
	}
}

/* ---- BAR 0 ---- */

static bool in(uint64_t off, uint64_t first, uint32_t n)
{
	return off >= first && off < first + 8 * (uint64_t)n;
}

static void tx_doorbell(struct fake_vmxnet3 *m, uint32_t i, uint32_t v)
{
	const struct vx_ring *r = &m->txq[i].ring[0];

	if (i >= m->n_txq || v >= r->n) {
		vx_violation(m, "TXPROD%u %u of a ring of %u", i, v, i < m->n_txq ? r->n : 0);
		return;
	}
	vx_tx(m, i);
	if (r->next != v && !m->stall_tx && m->cable && !m->txq[i].stopped && m->active)
		vx_violation(
			m, "TXPROD%u is %u, and slots up to %u are the device's", i, v, r->next);
}

static void rx_doorbell(struct fake_vmxnet3 *m, uint32_t i, uint32_t ring, uint32_t v)
{
	struct vx_ring *r = &m->rxq[i].ring[ring];

	if (i >= m->n_rxq || v >= r->n)
		vx_violation(m, "RXPROD%s%u %u of a ring of %u", ring == 0 ? "" : "2 ", i, v,
			i < m->n_rxq ? r->n : 0);
	else
		r->told = v;
}

static void write0(struct fake_vmxnet3 *m, uint64_t off, uint32_t v)
{
	const uint32_t i = (uint32_t)(off & 0xff) / 8;

	if ((off & 7) != 0) {
		vx_violation(m, "BAR 0: write to 0x%x", (unsigned)off);
	} else if (in(off, R_IMR, INTRS)) {
		if (v > 1)
			vx_violation(m, "IMR%u 0x%x", i, v);
		vx_mask(m, i, v != 0);
	} else if (!in(off, R_TXPROD, QUEUES) && !in(off, R_RXPROD, QUEUES) &&
		   !in(off, R_RXPROD2, QUEUES)) {
		vx_violation(m, "BAR 0: write to 0x%x", (unsigned)off);
	} else if (!m->active) {
		vx_violation(m, "doorbell 0x%x of a device that is off", (unsigned)off);
	} else if (off < R_RXPROD) {
		tx_doorbell(m, i, v);
	} else {
		rx_doorbell(m, i, off < R_RXPROD2 ? 0 : 1, v);
	}
}

/* ---- both ---- */

uint64_t vx_reg_read(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width)
{
	struct fake_vmxnet3 *m = f->model;

	if (width != 4)
		vx_violation(m, "BAR %u: read of %u bytes at 0x%x", bar, width, (unsigned)off);
	if (bar == 1)
		return read1(m, off);
	if (bar == 0 && in(off, R_IMR, INTRS) && (off & 7) == 0)
		return m->intr[off / 8].masked;
	vx_violation(m, "BAR %u: read of 0x%x", bar, (unsigned)off);
	return 0;
}

void vx_reg_write(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width, uint64_t v)
{
	struct fake_vmxnet3 *m = f->model;

	if (width != 4)
		vx_violation(m, "BAR %u: write of %u bytes at 0x%x", bar, width, (unsigned)off);
	if (bar == 1)
		write1(m, off, (uint32_t)v);
	else if (bar == 0)
		write0(m, off, (uint32_t)v);
	else
		vx_violation(m, "BAR %u: write to 0x%x", bar, (unsigned)off);
}
