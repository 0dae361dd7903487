/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: which frames it takes (7.1.1, 7.5.3). */
#include "fake_82574_priv.h"

static bool exact(const struct fake_82574 *m, const uint8_t *da)
{
	for (uint32_t i = 0; i < 16; i++) { /* 10.2.5: RAL, RAH.AV; ASEL 00b: destination */
		uint32_t lo = m574_get(m, R_RAL + 8 * i), hi = m574_get(m, R_RAL + 8 * i + 4);

		if ((hi >> 31) != 0 && plx_load_le32(da) == lo &&
			plx_load_le16(da + 4) == (hi & 0xffff))
			return true;
	}
	return false;
}

/* 12 bits of the address, chosen by RCTL.MO, index the 4096 bits of the MTA (10.2.5). */
static bool hashed(const struct fake_82574 *m, const uint8_t *da)
{
	static const uint8_t shift[4] = {4, 3, 2, 0};
	uint32_t mo = m574_get(m, R_RCTL) >> 12 & 3;
	uint32_t h = ((uint32_t)plx_load_le16(da + 4) >> shift[mo]) & 0xfff;

	return (m574_get(m, R_MTA + 4 * (h >> 5)) >> (h & 31) & 1) != 0;
}

static bool vlan_passes(struct fake_82574 *m, const uint8_t *frame, uint32_t len)
{
	uint32_t rctl = m574_get(m, R_RCTL), tci;

	if ((rctl & RCTL_VFE) == 0 || len < 18 ||
		plx_load_be16(frame + 12) != (m574_get(m, R_VET) & 0xffff))
		return true;
	tci = plx_load_be16(frame + 14);
	if ((rctl & RCTL_CFIEN) != 0 && (tci >> 12 & 1) != ((rctl & RCTL_CFI) != 0))
		return false;
	tci &= 0xfff;
	return (m574_get(m, R_VFTA + 4 * (tci >> 5)) >> (tci & 31) & 1) != 0;
}

bool m574_accepts(struct fake_82574 *m, const uint8_t *frame, uint32_t len)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t rctl = m574_get(m, R_RCTL);
	bool pass;

	if (plx_load_be16(frame + 12) == 0x8808 && (rctl & RCTL_PMCF) == 0)
		return false; /* MAC control frames end here */
	if (memcmp(frame, all, 6) == 0)
		pass = (rctl & (RCTL_BAM | RCTL_MPE)) != 0;
	else if ((frame[0] & 1) != 0)
		pass = (rctl & RCTL_MPE) != 0 || exact(m, frame) || hashed(m, frame);
	else
		pass = (rctl & RCTL_UPE) != 0 || exact(m, frame);
	return pass && vlan_passes(m, frame, len);
}
