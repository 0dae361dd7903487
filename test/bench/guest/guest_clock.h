/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock of a guest whose time stamp counter advances by one with each instruction (QEMU's -icount shift=0). */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include <stdint.h>

/* Serialised, and the same instructions wherever it is used. */
static inline uint64_t guest_now(void)
{
	uint64_t t;

	__asm__ volatile("lfence; rdtsc; shl $32, %%rdx; or %%rdx, %%rax; lfence"
			 : "=a"(t)
			 :
			 : "rdx", "memory");
	return t;
}

/* What looking costs. */
static inline uint64_t guest_look(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 64; i++) {
		const uint64_t a = guest_now(), b = guest_now();

		least = b - a < least ? b - a : least;
	}
	return least;
}

#endif
