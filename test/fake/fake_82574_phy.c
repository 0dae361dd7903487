/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: PHY behind MDIC, link, NVM (3.2, 3.3, 4.6.3, 6.0, 10.2.2). */
#include "fake_82574_priv.h"

/* IEEE 802.3, 22.2.4: registers 0 to 15; 17: the PHY's own status */
enum { BMCR = 0, BMSR = 1, ID1 = 2, ID2 = 3, ADV = 4, LPA = 5, CTRL1000 = 9, STAT1000 = 10 };

static bool phy_up(const struct fake_82574 *m)
{
	return m->cable && m->link_at != 0 && m574_now(m) >= m->link_at &&
	       (m->phy[BMCR] & 0x0800) == 0;
}

void m574_phy_reset(struct fake_82574 *m)
{
	memset(m->phy, 0, sizeof(m->phy));
	m->phy[BMCR] = 0x1140;
	m->phy[BMSR] = 0x7949;
	m->phy[ID1] = 0x0141;
	m->phy[ID2] = 0x0cb1;
	m->phy[ADV] = 0x0de1;
	m->phy[CTRL1000] = 0x0200;
	m->link_at = m574_now(m) + m->opts.link_ns;
	m574_set(m, R_STATUS, m574_get(m, R_STATUS) | STATUS_PHYRA);
}

static uint16_t phy_read(struct fake_82574 *m, uint32_t reg)
{
	bool up = phy_up(m);

	switch (reg) {
	case BMSR:
		return (uint16_t)(m->phy[BMSR] | (up ? 0x24 : 0));
	case LPA:
		return up ? 0xcde1 : 0;
	case STAT1000:
		return up ? 0x3800 : 0;
	case 17: /* 1000 Mbit/s, full duplex, resolved, link */
		return up ? 0xac00 : 0;
	default:
		return m->phy[reg];
	}
}

static void phy_write(struct fake_82574 *m, uint32_t reg, uint16_t v)
{
	if (reg == BMCR && (v & 0x8000) != 0) {
		m574_phy_reset(m);
		return;
	}
	if (reg == BMCR && (v & 0x0200) != 0) { /* restarts autonegotiation; clears itself */
		m->link_at = m574_now(m) + m->opts.link_ns;
		v = (uint16_t)(v & ~0x0200u);
	}
	if (reg != BMSR && reg != ID1 && reg != ID2)
		m->phy[reg] = v;
}

/* 10.2.2.7: the access that MDIC holds is over */
void m574_mdic(struct fake_82574 *m)
{
	uint32_t v = m574_get(m, R_MDIC), op = v >> 26 & 3, reg = v >> 16 & 31;

	v &= ~(1u << 30);
	if (m->phy_error || (v >> 21 & 31) != 1) {
		if (!m->phy_error)
			m574_violation(m, "10.2.2.7: MDIC.PHYADD %u; the PHY is 1", v >> 21 & 31);
		v |= 1u << 30; /* E */
	} else if (op == 2) {
		v = (v & 0xffff0000) | phy_read(m, reg);
	} else if (op == 1) {
		phy_write(m, reg, (uint16_t)v);
	} else {
		m574_violation(m, "10.2.2.7: MDIC.OP %u", op);
	}
	m574_set(m, R_MDIC, v | 1u << 28); /* R */
	if ((v & 1u << 29) != 0)
		m574_cause(m, 1u << 9); /* MDAC */
}

/* Link: the PHY's, seen by the MAC once software has set CTRL.SLU (4.6.3) */
void m574_link_sync(struct fake_82574 *m)
{
	bool up = phy_up(m) && (m574_get(m, R_CTRL) & CTRL_SLU) != 0 && m->reset_end == 0;
	uint32_t s = m574_get(m, R_STATUS);

	if (m->link == up)
		return;
	m->link = up;
	s = (s & ~(uint32_t)STATUS_LU) | (up ? STATUS_LU : 0);
	m574_set(m, R_STATUS, s | STATUS_FD | STATUS_SPEED_1000);
	m574_cause(m, ICR_LSC);
}

void fake_82574_cable(struct fake_82574 *m, bool in)
{
	fake_lock(m->pci);
	if (in && !m->cable)
		m->link_at = m574_now(m) + m->opts.link_ns;
	m->cable = in;
	m574_sync(m);
	fake_unlock(m->pci);
}

/* 6.0: words 0 to 2 are the address; word 0x3f makes the sum of the first 64 0xBABA */
void m574_nvm_init(struct fake_82574 *m)
{
	uint16_t sum = 0;

	for (uint32_t i = 0; i < 3; i++)
		m->nvm[i] = plx_load_le16(m->opts.mac + 2 * i);
	m->nvm[0x0d] = m->gen->device;
	m->nvm[0x0e] = 0x8086;
	for (uint32_t i = 0; i < 0x3f; i++)
		sum = (uint16_t)(sum + m->nvm[i]);
	m->nvm[0x3f] = (uint16_t)(0xbaba - sum);
}

/* The NVM has been read after a reset: 4.2, EEC.AUTO_RD */
void m574_nvm_load(struct fake_82574 *m)
{
	m574_set(m, R_RAL, plx_load_le32(m->opts.mac));
	m574_set(m, R_RAL + 4, plx_load_le16(m->opts.mac + 4) | 1u << 31);
	m574_set(m, R_EEC, m574_get(m, R_EEC) | 1u << 9);
}

/* 10.2.2.4: EERD: start, done, address, data */
void m574_eerd(struct fake_82574 *m)
{
	uint32_t v = m574_get(m, R_EERD), word = v >> 2 & 0x3fff;

	if (m->nvm_end != 0)
		m574_violation(m, "10.2.2.4: EERD used before EEC.AUTO_RD");
	v = (v & 0xfffc) | 2u;
	m574_set(m, R_EERD, v | (uint32_t)(word < 64 ? m->nvm[word] : 0xffff) << 16);
}
