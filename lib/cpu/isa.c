/* SPDX-License-Identifier: BSD-3-Clause */
/* Instruction sets. */
#include "plx_cpu.h"
#include "plx_log.h"

const char *const plx_isa_names[] = {"auto", "scalar", "avx2", "avx512", NULL};

#define N_NAMES (PLX_ARRAY_SIZE(plx_isa_names) - 1)

enum plx_isa plx_isa_best(void)
{
#if defined(__x86_64__) || defined(__i386__)
	/* The compiler's run-time library looks at XCR0 too: what the system does not save is off. */
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
		return PLX_ISA_AVX512;
	if (__builtin_cpu_supports("avx2"))
		return PLX_ISA_AVX2;
#endif
	return PLX_ISA_SCALAR;
}

enum plx_isa plx_isa_limit(enum plx_isa limit)
{
	enum plx_isa best = plx_isa_best();

	return limit == PLX_ISA_AUTO || limit > best ? best : limit;
}

const char *plx_isa_name(enum plx_isa isa)
{
	return (unsigned)isa < N_NAMES ? plx_isa_names[isa] : "?";
}

int plx_isa_parse(const char *text, enum plx_isa *out)
{
	for (unsigned i = 0; i < N_NAMES; i++) {
		if (strcmp(text, plx_isa_names[i]) == 0) {
			*out = (enum plx_isa)i;
			return 0;
		}
	}
	return plx_err(EINVAL,
		"instruction set '%.40s' is none: it is one of auto, scalar, avx2, avx512", text);
}
