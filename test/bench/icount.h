/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exact instruction counts, by single steps: a child runs the code, its parent steps it through
 * each region between icount_begin() and icount_end() and looks at every instruction on the way. The
 * counts do not depend on the machine's load or clock, and code for any instruction set that the
 * CPU has can be counted. x86-64 only.
 */
#ifndef ICOUNT_H
#define ICOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct icount {
	uint64_t instructions;
	uint64_t loads, stores; /* instructions that read or write memory, the stack included */
	uint64_t atomics;       /* with a lock prefix, or xchg with memory */
	uint64_t unknown;       /* that could not be decoded: not among loads and stores */
	uint64_t mmio_reads, mmio_writes;
	uint64_t regions;
};

/* In the child. Nothing happens until it is armed: what runs before is warm-up. */
extern volatile bool icount_armed;

static inline void icount_begin(void)
{
	if (icount_armed)
		__asm__ volatile("int3" ::: "memory");
}

static inline void icount_end(void)
{
	if (icount_armed)
		__asm__ volatile("int3" ::: "memory");
}

/* In the child: accesses to [mem, mem + len) are those of registers. */
void icount_mmio(const volatile void *mem, size_t len);

/*
 * Runs fn(arg) in a child, which opens what it needs itself (memory for devices is not inherited),
 * and adds up its regions. Returns 0, or -1 when the child failed or steps cannot be made here (why
 * on stderr).
 */
int icount_run(void (*fn)(void *arg), void *arg, struct icount *out);

#endif
