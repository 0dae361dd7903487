/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: statistics (10.2.7): counted in 32 bits, stuck at the top, cleared by reads. */
#include "fake_82574_priv.h"

static bool wide(uint32_t off)
{
	return off == R_GORCL || off == R_GOTCL || off == R_TORL || off == R_TOTL;
}

void m574_count(struct fake_82574 *m, uint32_t off, uint32_t n)
{
	uint64_t v = m574_get(m, off);

	if (wide(off))
		v |= (uint64_t)m574_get(m, off + 4) << 32;
	v += n;
	if (wide(off))
		m574_set(m, off + 4, (uint32_t)(v >> 32));
	else if (v > UINT32_MAX)
		v = UINT32_MAX;
	m574_set(m, off, (uint32_t)v);
}

static uint32_t size_class(uint32_t wire)
{
	static const uint32_t top[] = {64, 127, 255, 511, 1023};
	uint32_t i = 0;

	while (i < PLX_ARRAY_SIZE(top) && wire > top[i])
		i++;
	return 4 * i;
}

void m574_count_frame(struct fake_82574 *m, bool rx, const uint8_t *frame, uint32_t len)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t wire = len + 4; /* from destination to FCS */

	m574_count(m, rx ? R_GPRC : R_GPTC, 1);
	m574_count(m, rx ? R_GORCL : R_GOTCL, wire);
	m574_count(m, (rx ? R_PRC64 : R_PTC64) + size_class(wire), 1);
	if (!rx) {
		m574_count(m, R_TPT, 1);
		m574_count(m, R_TOTL, wire);
	}
	if (memcmp(frame, all, 6) == 0)
		m574_count(m, rx ? R_BPRC : R_BPTC, 1);
	else if ((frame[0] & 1) != 0)
		m574_count(m, rx ? R_MPRC : R_MPTC, 1);
}

uint32_t m574_stat_read(struct fake_82574 *m, uint32_t off)
{
	uint32_t v = m574_get(m, off);

	if (wide(off)) /* low first; the high half's read clears both */
		return v;
	m574_set(m, off, 0);
	if (wide(off - 4))
		m574_set(m, off - 4, 0);
	return v;
}
