/* SPDX-License-Identifier: BSD-3-Clause */
/* unit.h itself: what holds passes, a skip is no failure. */
#include "unit.h"

TEST(unit, checks_that_hold_pass)
{
	CHECK(1 + 1 == 2);
	CHECK_EQ(0xffu, 255);
	CHECK_STR("pollux", "pollux");
	CHECK_HAS("what, which device, why", "which device");
}

TEST(unit, rounds_come_from_the_environment)
{
	CHECK_EQ(setenv("UNIT_FACTOR", "12", 1), 0);
	CHECK_EQ(unit_rounds(3), 36);
	CHECK_EQ(unsetenv("UNIT_FACTOR"), 0);
	CHECK_EQ(unit_rounds(3), 3);
}
