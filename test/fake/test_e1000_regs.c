/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's table of registers against the models', which were written apart: each row of a generation is
 * a register of its model, and can be read and written as the row says.
 */
#include <stdio.h>

#include "e1000_regs.h"
#include "e1000_rig.h"

enum access { RO, RW, WO, RC, SE };

static const struct {
	const char *name;
	uint32_t offset, in;
	enum access access;
} rows[] = {
#define X(name, offset, access, in, section, text) {#name, offset, E1000_IN_##in, access},
	E1000_REGS(X)
#undef X
#define X(name, offset, bytes, in, text) {#name, offset, E1000_IN_##in, RC},
		E1000_STATS(X)
#undef X
};

TEST(e1000_regs, rows_are_registers_of_the_model)
{
	static struct rig r;
	struct plx_win w;
	unsigned n = 0;

	rig_begin(&r, 0);
	rig_up(&r);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_pci_win(r.f->dev, 0, 0, E1000_BAR_LEN, &w), 0);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		char text[300];

		if (!(rows[i].in & E1000_IN_82574))
			continue;
		n++;
		(void)plx_rd32(&w, rows[i].offset);
		snprintf(text, sizeof(text), "%s %s", rows[i].name, fake_82574_violation(r.m, 0));
		if (rows[i].access == WO)
			CHECK_HAS(text, "can only be written");
		else
			CHECK_EQ(fake_82574_violations(r.m), 0);
		fake_82574_forgive(r.m);
		if (rows[i].access != RO)
			continue;
		plx_wr32(&w, rows[i].offset, 0);
		snprintf(text, sizeof(text), "%s %s", rows[i].name, fake_82574_violation(r.m, 0));
		CHECK_HAS(text, "can only be read");
		fake_82574_forgive(r.m);
	}
	CHECK(n > 100); /* of them were looked at */
	plx_pci_win_close(&w);
	rig_end(&r);
}
