/* SPDX-License-Identifier: BSD-3-Clause */
/* How many CPUs and NUMA nodes there are, and which CPU is on which node. */
#include <dirent.h>
#include <numa.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plx_cpu.h"
#include "plx_log.h"
#include "plx_opt.h"

/* The rest of libnuma may be called only after this said yes: it says no in many sandboxes. */
static bool has_numa(void)
{
	return numa_available() >= 0;
}

int plx_cpu_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (int)n : 1;
}

int plx_node_count(void)
{
	int last = has_numa() ? numa_max_node() : 0;

	return last >= 0 ? last + 1 : 1;
}

/*
 * The node that sysfs has for a CPU: its directory has a link "nodeN" (kernel documentation,
 * ABI/stable/sysfs-devices-node). -1: none. numa_node_of_cpu() is not used: it ends the process when
 * memory runs out, and its cache is filled without a lock.
 */
static int node_of_directory(DIR *dir)
{
	const struct dirent *entry;
	uint64_t node;

	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, "node", 4) == 0 &&
			plx_parse_u64(entry->d_name + 4, &node) == 0 && node < INT32_MAX)
			return (int)node;
	return -1;
}

int plx_cpu_node(int cpu)
{
	char path[64];
	DIR *dir;
	int node = 0;

	if (cpu < 0 || cpu >= PLX_CPU_MAX)
		return plx_err(EINVAL, "CPU %d: there is no such CPU", cpu);
	if (access("/sys/devices/system/cpu", F_OK) < 0)
		return 0; /* no sysfs here: nothing is known */
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", cpu);
	dir = opendir(path);
	if (dir == NULL && errno == ENOENT)
		return plx_err(EINVAL, "CPU %d: there is no such CPU; there are %d online", cpu,
			plx_cpu_count());
	if (dir == NULL)
		return 0;
	if (has_numa())
		node = PLX_MAX(node_of_directory(dir), 0);
	closedir(dir);
	return node;
}

int plx_cpu_current_node(void)
{
	unsigned cpu, node;

	if (!has_numa() || getcpu(&cpu, &node) < 0)
		return 0;
	return (int)node;
}
