/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exact instruction counts, by single steps: the CPU's trap flag raises SIGTRAP at each instruction of a
 * region, and the handler notes where it is. The counts do not depend on the machine's load or
 * clock, and code for any instruction set that the CPU has can be counted. What the instructions
 * are (loads, stores, atomic) is for a disassembler to say: icount_print() gives it their addresses.
 * x86-64 only; one region at a time, in one thread.
 */
#ifndef ICOUNT_H
#define ICOUNT_H

#include <stdint.h>
#include <stdio.h>

enum { ICOUNT_SLOTS = 8192 };

struct icount {
	uint64_t regions;
	uint64_t instructions;
	/* a hash table of the instructions that ran: address, how often; address 0: free */
	uint64_t at[ICOUNT_SLOTS];
	uint64_t times[ICOUNT_SLOTS];
	unsigned used;
};

typedef void (*icount_fn)(void *arg);

/* Sets the handler of SIGTRAP. 0 or -errno. */
int icount_init(void);

/*
 * Calls fn(arg), a region: counted from fn's first instruction to its return, with all that it calls
 * and no instruction of its caller, and added to c. A repeated string instruction is one. fn makes
 * no system call.
 */
void icount_call(struct icount *c, icount_fn fn, void *arg);

/*
 * The instructions as JSON, [["FILE", ADDRESS IN IT, TIMES], ...]: addresses as objdump prints them.
 * -1: there were too many different ones, or one lies in no file.
 */
int icount_print(const struct icount *c, FILE *f);

#endif
