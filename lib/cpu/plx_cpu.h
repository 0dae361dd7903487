/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUs, NUMA nodes and instruction sets.
 *
 * CPU and node numbers are the kernel's. All of it works on a machine without NUMA and in a sandbox
 * where the kernel refuses the NUMA calls: there is one node then, 0. Any thread may call anything.
 */
#ifndef PLX_CPU_H
#define PLX_CPU_H

#include "plx_base.h"

PLX_BEGIN_DECLS

/* CPU numbers are below this. */
#define PLX_CPU_MAX 8192

/* CPUs that are online, at least 1. Not all of them may be open to this process. */
PLX_API
int plx_cpu_count(void);

/* The NUMA node of a CPU; 0 without NUMA. -EINVAL: there is no such CPU (it may be offline). */
PLX_API
int plx_cpu_node(int cpu);

/* Nodes have numbers below this; at least 1. A node may have no CPU, or no memory. */
PLX_API
int plx_node_count(void);

/* The node of the CPU that the caller runs on at this moment; 0 without NUMA. */
PLX_API
int plx_cpu_current_node(void);

/*
 * The CPUs that the calling thread may run on, ascending, into out[max]; *n is how many there are.
 * -ENOSPC: more than max.
 */
PLX_API
int plx_cpu_allowed(uint16_t *out, size_t max, size_t *n);

/*
 * Pins the calling thread to a CPU. -EINVAL: there is no such CPU or it is not open to this process;
 * the message lists those that are. It stays where it was then.
 */
PLX_API
int plx_cpu_pin(int cpu);

/*
 * A list of CPUs, "0,2-5", in the order given into out[max]; *n is how many there are.
 * -EINVAL: text is no such list, or has a CPU twice, or one that is not below PLX_CPU_MAX; -ENOSPC:
 * more than max. Whether the CPUs exist is not looked at.
 */
PLX_API
int plx_cpu_parse_list(const char *text, uint16_t *out, size_t max, size_t *n);

/* Instruction sets that code is written for, in ascending order. */
enum plx_isa {
	PLX_ISA_AUTO,   /* as a limit: the best there is */
	PLX_ISA_SCALAR, /* what every CPU of the architecture has */
	PLX_ISA_AVX2,
	PLX_ISA_AVX512, /* F, BW, VL and DQ */
};

/* The best one that both CPU and operating system support; never PLX_ISA_AUTO. */
PLX_API
enum plx_isa plx_isa_best(void);

/* The best one that is not above limit; never PLX_ISA_AUTO. */
PLX_API
enum plx_isa plx_isa_limit(enum plx_isa limit);

/* "auto", "scalar", "avx2", "avx512"; "?" for another value. */
PLX_API
const char *plx_isa_name(enum plx_isa isa);

/* The same names, ending with NULL: for PLX_OPT_ENUM. */
PLX_API
extern const char *const plx_isa_names[];

/* The set of a name into *out. -EINVAL: text is none; the message lists them. */
PLX_API
int plx_isa_parse(const char *text, enum plx_isa *out);

PLX_END_DECLS

#endif
