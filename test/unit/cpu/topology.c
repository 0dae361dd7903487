/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>
#include "cpu.h"
#include "plx_log.h"
#include "unit.h"

TEST(cpu, count)
{
	CHECK(plx_cpu_count() >= 1);
	CHECK_EQ(plx_cpu_count(), sysconf(_SC_NPROCESSORS_ONLN));
}

TEST(cpu, nodes)
{
	int cpu = sched_getcpu(), nodes = plx_node_count();

	CHECK(nodes >= 1);
	CHECK(plx_cpu_current_node() >= 0 && plx_cpu_current_node() < nodes);
	if (cpu < 0)
		SKIP("the kernel does not tell which CPU this is");
	CHECK(plx_cpu_node(cpu) >= 0 && plx_cpu_node(cpu) < nodes);
}

TEST(cpu, no_such_cpu)
{
	CHECK_EQ(plx_cpu_node(-1), -EINVAL);
	CHECK_STR(plx_errmsg(), "CPU -1: there is no such CPU");
	CHECK_EQ(plx_cpu_node(PLX_CPU_MAX), -EINVAL);
	CHECK_STR(plx_errmsg(), "CPU 8192: there is no such CPU");
	if (access("/sys/devices/system/cpu/cpu0", F_OK) < 0)
		SKIP("no sysfs here");
	if (access("/sys/devices/system/cpu/cpu8191", F_OK) == 0)
		SKIP("this machine has a CPU 8191");
	CHECK_EQ(plx_cpu_node(8191), -EINVAL);
	CHECK_HAS(plx_errmsg(), "CPU 8191: there is no such CPU; there are ");
}

TEST(cpu, looking_up_a_node_leaves_the_message)
{
	plx_err(EIO, "kept");
	CHECK(plx_cpu_node(PLX_MAX(sched_getcpu(), 0)) >= 0);
	CHECK_STR(plx_errmsg(), "kept");
}

TEST(cpu, allowed)
{
	uint16_t cpus[PLX_CPU_MAX];
	size_t n, none;

	CHECK_EQ(plx_cpu_allowed(cpus, PLX_ARRAY_SIZE(cpus), &n), 0);
	CHECK(n >= 1 && n <= (size_t)sysconf(_SC_NPROCESSORS_CONF));
	for (size_t i = 1; i < n; i++)
		CHECK(cpus[i - 1] < cpus[i]);
	CHECK_EQ(plx_cpu_allowed(cpus, 0, &none), -ENOSPC);
	CHECK_STR(plx_errmsg(), "this thread may run on more than 0 CPUs");
}

/* Pins itself to each CPU it may run on; returns how often it then was on another. */
static void *pin_thread(void *arg)
{
	uint16_t cpus[PLX_CPU_MAX], now[2];
	size_t n = 0, n_now;
	uintptr_t bad = 0;

	bad += plx_cpu_allowed(cpus, PLX_ARRAY_SIZE(cpus), &n) != 0 || n == 0;
	for (size_t i = 0; i < n; i++) {
		bad += plx_cpu_pin(cpus[i]) != 0 || sched_getcpu() != cpus[i];
		bad += plx_cpu_allowed(now, 2, &n_now) != 0 || n_now != 1 || now[0] != cpus[i];
	}
	return (void *)bad;
}

TEST(cpu, pin_moves_the_calling_thread_alone)
{
	uint16_t before[PLX_CPU_MAX], after[PLX_CPU_MAX];
	size_t n_before, n_after;
	pthread_t t;
	void *bad;

	CHECK_EQ(plx_cpu_allowed(before, PLX_ARRAY_SIZE(before), &n_before), 0);
	CHECK_EQ(pthread_create(&t, NULL, pin_thread, NULL), 0);
	pthread_join(t, &bad);
	CHECK_EQ((uintptr_t)bad, 0);
	CHECK_EQ(plx_cpu_allowed(after, PLX_ARRAY_SIZE(after), &n_after), 0);
	CHECK_EQ(n_before, n_after);
	CHECK(memcmp(before, after, n_before * sizeof(before[0])) == 0);
}

/* Pinned to one CPU, asks for one that there is not: the message lists all, and it stays pinned. */
static void *pin_wrongly(void *arg)
{
	static const int wrong[] = {-1, PLX_CPU_MAX - 1, PLX_CPU_MAX};
	uint16_t cpus[PLX_CPU_MAX], now[2];
	size_t n, n_now;
	struct cpus all = {{0}};
	char list[128], want[256];
	uintptr_t bad = 0;

	bad += plx_cpu_allowed(cpus, PLX_ARRAY_SIZE(cpus), &n) != 0;
	for (size_t i = 0; i < n; i++)
		cpus_add(&all, cpus[i]);
	plx_cpus_print(&all, list, sizeof(list));
	bad += plx_cpu_pin(cpus[0]) != 0;
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(wrong); i++) {
		bad += plx_cpu_pin(wrong[i]) != -EINVAL;
		snprintf(want, sizeof(want),
			"CPU %d: cannot pin this thread to it; it may run on CPUs %s", wrong[i],
			list);
		bad += strcmp(plx_errmsg(), want) != 0;
		bad += plx_cpu_allowed(now, 2, &n_now) != 0 || n_now != 1 || now[0] != cpus[0];
	}
	return (void *)bad;
}

TEST(cpu, pin_to_no_cpu_lists_those_there_are)
{
	pthread_t t;
	void *bad;
	size_t n;
	uint16_t cpus[PLX_CPU_MAX];

	if (access("/sys/devices/system/cpu/cpu8191", F_OK) == 0)
		SKIP("this machine has a CPU 8191");
	CHECK_EQ(plx_cpu_allowed(cpus, PLX_ARRAY_SIZE(cpus), &n), 0);
	if ((long)n != sysconf(_SC_NPROCESSORS_CONF))
		SKIP("this thread is not allowed on all CPUs to begin with");
	CHECK_EQ(pthread_create(&t, NULL, pin_wrongly, NULL), 0);
	pthread_join(t, &bad);
	CHECK_EQ((uintptr_t)bad, 0);
}
