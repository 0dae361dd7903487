/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "cpu.h"
#include "plx_log.h"
#include "unit.h"

TEST(cpu_list, order_is_kept)
{
	uint16_t out[8];
	size_t n;

	CHECK_EQ(plx_cpu_parse_list("0,2-5", out, 8, &n), 0);
	CHECK_EQ(n, 5);
	CHECK(out[0] == 0 && out[1] == 2 && out[2] == 3 && out[3] == 4 && out[4] == 5);
	CHECK_EQ(plx_cpu_parse_list("7-7,3,0001", out, 3, &n), 0);
	CHECK_EQ(n, 3);
	CHECK(out[0] == 7 && out[1] == 3 && out[2] == 1);
	CHECK_EQ(plx_cpu_parse_list("8191", out, 1, &n), 0);
	CHECK_EQ(out[0], 8191);
}

TEST(cpu_list, not_a_list)
{
	static const char *const bad[] = {"", ",", "1,", ",1", "1,,2", "a", "1a", "-1", "1-",
		"1-2-3", "5-2", "1 ,2", " 1", "0x1", "1;2", "+1"};
	uint16_t out[8];
	char want[128];
	size_t n;

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
		n = 9;
		CHECK_EQ(plx_cpu_parse_list(bad[i], out, 8, &n), -EINVAL);
		CHECK_EQ(n, 0);
		snprintf(want, sizeof(want),
			"CPU list '%s': it is written like 0,2-5 (numbers and ascending ranges)",
			bad[i]);
		CHECK_STR(plx_errmsg(), want);
	}
}

TEST(cpu_list, number_too_large)
{
	uint16_t out[8];
	size_t n;

	CHECK_EQ(plx_cpu_parse_list("8192", out, 8, &n), -EINVAL);
	CHECK_STR(plx_errmsg(), "CPU list '8192': CPU numbers go up to 8191");
	CHECK_EQ(plx_cpu_parse_list("0-99999999999999999999", out, 8, &n), -EINVAL);
	CHECK_STR(plx_errmsg(), "CPU list '0-99999999999999999999': CPU numbers go up to 8191");
	CHECK_EQ(n, 0);
}

TEST(cpu_list, twice)
{
	uint16_t out[8];
	size_t n;

	CHECK_EQ(plx_cpu_parse_list("1-3,2", out, 8, &n), -EINVAL);
	CHECK_STR(plx_errmsg(), "CPU list '1-3,2': CPU 2 is in it twice");
}

TEST(cpu_list, too_many)
{
	uint16_t out[4] = {9, 9, 9, 9};
	size_t n;

	CHECK_EQ(plx_cpu_parse_list("0-3", out, 3, &n), -ENOSPC);
	CHECK_STR(plx_errmsg(), "CPU list '0-3': more than 3 CPUs");
	CHECK_EQ(out[3], 9);
	CHECK_EQ(n, 0);
	CHECK_EQ(plx_cpu_parse_list("0", out, 0, &n), -ENOSPC);
	CHECK_EQ(plx_cpu_parse_list("0-8191", out, 4, &n), -ENOSPC);
}

TEST(cpu_list, printed)
{
	static const unsigned cpus[] = {0, 2, 3, 4, 7, 8191};
	struct cpus c = {{0}};
	char buf[64];

	plx_cpus_print(&c, buf, sizeof(buf));
	CHECK_STR(buf, "");
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(cpus); i++)
		cpus_add(&c, cpus[i]);
	plx_cpus_print(&c, buf, sizeof(buf));
	CHECK_STR(buf, "0,2-4,7,8191");
	memset(&c, 0xff, sizeof(c));
	plx_cpus_print(&c, buf, sizeof(buf));
	CHECK_STR(buf, "0-8191");
}

TEST(cpu_list, printed_as_far_as_it_fits)
{
	struct cpus c = {{0}};
	char buf[16];

	for (unsigned i = 0; i < 40; i += 2)
		cpus_add(&c, i);
	memset(buf, 'x', sizeof(buf));
	plx_cpus_print(&c, buf, 12);
	CHECK_STR(buf, "0,2,4,6...");
	CHECK(buf[12] == 'x');
}
