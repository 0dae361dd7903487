/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to lib/cpu: sets of CPUs of the size that the kernel's may have. */
#ifndef PLX_CPU_PRIVATE_H
#define PLX_CPU_PRIVATE_H

#include <sched.h>
#include "plx_cpu.h"

/* A cpu_set_t ends at 1024 CPUs; the kernel's mask may have up to PLX_CPU_MAX. */
struct cpus {
	unsigned long bits[PLX_CPU_MAX / (8 * sizeof(unsigned long))];
};

static inline bool cpus_has(const struct cpus *c, unsigned cpu)
{
	return CPU_ISSET_S(cpu, sizeof(*c), (const cpu_set_t *)c) != 0;
}

static inline void cpus_add(struct cpus *c, unsigned cpu)
{
	CPU_SET_S(cpu, sizeof(*c), (cpu_set_t *)c);
}

/* Writes the set as a list, "0,2-5", into buf; one that is too long ends with "...". */
void plx_cpus_print(const struct cpus *c, char *buf, size_t size);

#endif
