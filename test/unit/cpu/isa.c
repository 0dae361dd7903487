/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include "plx_cpu.h"
#include "plx_log.h"
#include "unit.h"

TEST(isa, names)
{
	static const char *const names[] = {"auto", "scalar", "avx2", "avx512"};
	enum plx_isa isa;

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(names); i++) {
		CHECK_EQ(plx_isa_parse(names[i], &isa), 0);
		CHECK_EQ(isa, i);
		CHECK_STR(plx_isa_name(isa), names[i]);
		CHECK_STR(plx_isa_names[i], names[i]);
	}
	CHECK(plx_isa_names[4] == NULL);
	CHECK_STR(plx_isa_name((enum plx_isa)4), "?");
	CHECK_STR(plx_isa_name((enum plx_isa) - 1), "?");
}

TEST(isa, name_that_is_none)
{
	enum plx_isa isa = PLX_ISA_AVX2;

	CHECK_EQ(plx_isa_parse("sse", &isa), -EINVAL);
	CHECK_STR(plx_errmsg(),
		"instruction set 'sse' is none: it is one of auto, scalar, avx2, avx512");
	CHECK_EQ(plx_isa_parse("", &isa), -EINVAL);
	CHECK_EQ(plx_isa_parse("AVX2", &isa), -EINVAL);
	CHECK_EQ(isa, PLX_ISA_AVX2);
}

TEST(isa, limit)
{
	enum plx_isa best = plx_isa_best();

	CHECK(best >= PLX_ISA_SCALAR && best <= PLX_ISA_AVX512);
	CHECK_EQ(plx_isa_limit(PLX_ISA_AUTO), best);
	CHECK_EQ(plx_isa_limit(PLX_ISA_SCALAR), PLX_ISA_SCALAR);
	CHECK_EQ(plx_isa_limit(PLX_ISA_AVX512), best);
	CHECK_EQ(plx_isa_limit(PLX_ISA_AVX2), best < PLX_ISA_AVX2 ? best : PLX_ISA_AVX2);
}

static bool has_flag(const char *flags, const char *flag)
{
	char word[32];

	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(flags, word) != NULL;
}

/* The kernel's own list of what it lets programs use. */
TEST(isa, best_is_what_the_kernel_lists)
{
	enum plx_isa want = PLX_ISA_SCALAR;
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[8192] = "";

	if (f == NULL)
		SKIP("no /proc/cpuinfo");
	while (strncmp(line, "flags", 5) != 0 && fgets(line, sizeof(line), f) != NULL)
		;
	fclose(f);
	if (strncmp(line, "flags", 5) != 0)
		SKIP("/proc/cpuinfo has no flags");
	if (has_flag(line, "avx2"))
		want = PLX_ISA_AVX2;
	if (has_flag(line, "avx512f") && has_flag(line, "avx512bw") && has_flag(line, "avx512vl") &&
		has_flag(line, "avx512dq"))
		want = PLX_ISA_AVX512;
	if (plx_isa_best() < want)
		SKIP("an emulator hides a part of this CPU");
	CHECK_EQ(plx_isa_best(), want);
}
