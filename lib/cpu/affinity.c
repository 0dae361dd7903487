/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPUs a thread runs on, and lists of CPUs. */
#include <stdio.h>

#include "cpu.h"
#include "plx_log.h"

void plx_cpus_print(const struct cpus *c, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned first = 0; first < PLX_CPU_MAX; first++) {
		unsigned last = first;
		int n;

		if (!cpus_has(c, first))
			continue;
		while (last + 1 < PLX_CPU_MAX && cpus_has(c, last + 1))
			last++;
		n = snprintf(buf + len, size - len, first == last ? "%s%u" : "%s%u-%u",
			len == 0 ? "" : ",", first, last);
		if (n < 0 || (size_t)n + 4 > size - len) { /* leaves room for the dots */
			snprintf(buf + len, size - len, "...");
			return;
		}
		len += (size_t)n;
		first = last;
	}
}

static int get_affinity(struct cpus *c)
{
	memset(c, 0, sizeof(*c));
	if (sched_getaffinity(0, sizeof(*c), (cpu_set_t *)c) < 0)
		return plx_err(errno, "CPUs of this thread: sched_getaffinity: %m");
	return 0;
}

int plx_cpu_allowed(uint16_t *out, size_t max, size_t *n)
{
	struct cpus c;
	int err = get_affinity(&c);

	*n = 0;
	if (err < 0)
		return err;
	for (unsigned cpu = 0; cpu < PLX_CPU_MAX; cpu++) {
		if (!cpus_has(&c, cpu))
			continue;
		if (*n == max)
			return plx_err(ENOSPC, "this thread may run on more than %zu CPUs", max);
		out[(*n)++] = (uint16_t)cpu;
	}
	return 0;
}

/*
 * What the kernel would let this thread run on, whatever it is pinned to now. Nothing tells that
 * directly: a mask of all CPUs is cut to it. The mask of before is put back.
 */
static void possible(struct cpus *c)
{
	struct cpus before, all;

	memset(c, 0, sizeof(*c));
	if (get_affinity(&before) < 0)
		return;
	memset(&all, 0xff, sizeof(all));
	if (sched_setaffinity(0, sizeof(all), (const cpu_set_t *)&all) < 0) {
		*c = before;
		return;
	}
	get_affinity(c);
	sched_setaffinity(0, sizeof(before), (const cpu_set_t *)&before);
}

int plx_cpu_pin(int cpu)
{
	struct cpus c = {{0}};
	char list[128];
	int why;

	if (cpu >= 0 && cpu < PLX_CPU_MAX) {
		cpus_add(&c, (unsigned)cpu);
		if (sched_setaffinity(0, sizeof(c), (const cpu_set_t *)&c) == 0)
			return 0;
		why = errno;
		if (why != EINVAL)
			return plx_err(why, "CPU %d: cannot pin this thread to it: %s", cpu,
				strerrordesc_np(why));
	}
	possible(&c);
	plx_cpus_print(&c, list, sizeof(list));
	return plx_err(
		EINVAL, "CPU %d: cannot pin this thread to it; it may run on CPUs %s", cpu, list);
}

/* The number at *text, which must be below PLX_CPU_MAX; *text is moved past it. */
static int take_cpu(const char **text, unsigned *cpu)
{
	const char *p = *text;

	*cpu = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		*cpu = *cpu * 10 + (unsigned)(*p - '0');
		if (*cpu >= PLX_CPU_MAX)
			return -ERANGE;
	}
	if (p == *text)
		return -EINVAL;
	*text = p;
	return 0;
}

/* "2" or "2-5" at *text, which is moved past it. */
static int take_range(const char **text, unsigned *first, unsigned *last)
{
	int err = take_cpu(text, first);

	*last = *first;
	if (err < 0 || **text != '-')
		return err;
	(*text)++;
	err = take_cpu(text, last);
	if (err < 0)
		return err;
	return *last < *first ? -EINVAL : 0;
}

static int add_range(const char *text, unsigned first, unsigned last, struct cpus *seen,
	uint16_t *out, size_t max, size_t *n)
{
	for (unsigned cpu = first; cpu <= last; cpu++) {
		if (cpus_has(seen, cpu))
			return plx_err(
				EINVAL, "CPU list '%.80s': CPU %u is in it twice", text, cpu);
		if (*n == max)
			return plx_err(ENOSPC, "CPU list '%.80s': more than %zu CPUs", text, max);
		cpus_add(seen, cpu);
		out[(*n)++] = (uint16_t)cpu;
	}
	return 0;
}

int plx_cpu_parse_list(const char *text, uint16_t *out, size_t max, size_t *n)
{
	const char *p = text;
	struct cpus seen = {{0}};
	size_t found = 0;
	int err;

	*n = 0;
	for (;;) {
		unsigned first, last;

		err = take_range(&p, &first, &last);
		if (err == -ERANGE)
			return plx_err(EINVAL, "CPU list '%.80s': CPU numbers go up to %d", text,
				PLX_CPU_MAX - 1);
		if (err < 0 || (*p != ',' && *p != '\0'))
			return plx_err(EINVAL,
				"CPU list '%.80s': it is written like 0,2-5 (numbers and ascending "
				"ranges)",
				text);
		err = add_range(text, first, last, &seen, out, max, &found);
		if (err < 0)
			return err;
		if (*p++ == '\0')
			break;
	}
	*n = found;
	return 0;
}
