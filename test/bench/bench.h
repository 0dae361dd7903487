/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Comparing implementations of one thing: threads that do the same work for a while, alternating
 * between the implementations, and the medians of five rounds with their ratio to the first.
 */
#ifndef BENCH_H
#define BENCH_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	BENCH_THREADS = 16,
	BENCH_ROUNDS = 5,
	BENCH_IMPLS = 4,
	BENCH_BATCH = 64, /* steps between two looks at the clock */
};

/* What all threads of one run share. */
struct bench_run {
	const struct bench_case *bench;
	void *obj; /* what make() returned */
	uint64_t end_ns;
	pthread_barrier_t start;
	unsigned cpus;
};

/* One thread of a run. */
struct bench_thread {
	struct bench_run *run;
	unsigned index;
	unsigned bulk;
	unsigned keep;    /* objects a mempool thread holds at a time */
	void *own;        /* the implementation's own */
	uint64_t objects; /* moved */
	uint64_t ns;
	uint64_t idle_ns; /* of its CPU time, waiting for another thread: it does not count */
	pthread_t id;
};

/*
 * One implementation. step() does BENCH_BATCH rounds of work and returns how many objects it moved;
 * begin and end, if any, run in the thread before and after all steps.
 */
struct bench_impl {
	const char *name;
	void *(*make)(const struct bench_case *bench);
	void (*drop)(void *obj);
	void (*begin)(struct bench_thread *t);
	void (*end)(struct bench_thread *t);
	uint64_t (*step)(struct bench_thread *t);
};

struct bench_case {
	const char *name;
	unsigned threads, bulk, keep, flags;
};

static inline uint64_t bench_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Up to one thread a core: each on its own; more: the kernel places them. */
static inline void bench_place(const struct bench_thread *t)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned cpu = 0; cpu < t->run->cpus; cpu++)
		if (t->run->bench->threads > t->run->cpus || cpu == t->index)
			CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

struct bench_start {
	struct bench_thread *t;
	const struct bench_impl *impl;
};

static inline void *bench_main(void *arg)
{
	struct bench_start *s = (struct bench_start *)arg;
	struct bench_thread *t = s->t;
	uint64_t begin;

	bench_place(t);
	if (s->impl->begin != NULL)
		s->impl->begin(t);
	s->impl->step(t);
	pthread_barrier_wait(&t->run->start);
	t->idle_ns = 0;
	begin = bench_ns(CLOCK_THREAD_CPUTIME_ID);
	do {
		t->objects += s->impl->step(t);
	} while (bench_ns(CLOCK_MONOTONIC) < t->run->end_ns);
	t->ns = bench_ns(CLOCK_THREAD_CPUTIME_ID) - begin - t->idle_ns;
	if (s->impl->end != NULL)
		s->impl->end(t);
	return NULL;
}

/* Nanoseconds of all threads' cores for one object moved. */
static inline double bench_once(
	const struct bench_case *bench, const struct bench_impl *impl, uint64_t ms, bool cpu)
{
	struct bench_run run = {.bench = bench};
	struct bench_thread threads[BENCH_THREADS];
	struct bench_start starts[BENCH_THREADS];
	uint64_t objects = 0, begin, ns = 0;

	memset(threads, 0, sizeof(threads));
	run.obj = impl->make(bench);
	if (run.obj == NULL)
		return 0;
	run.cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	pthread_barrier_init(&run.start, NULL, bench->threads + 1);
	for (unsigned i = 0; i < bench->threads; i++) {
		threads[i].run = &run;
		threads[i].index = i;
		threads[i].bulk = bench->bulk;
		threads[i].keep = bench->keep;
		starts[i].t = &threads[i];
		starts[i].impl = impl;
		pthread_create(&threads[i].id, NULL, bench_main, &starts[i]);
	}
	begin = bench_ns(CLOCK_MONOTONIC);
	run.end_ns = begin + ms * 1000000u;
	pthread_barrier_wait(&run.start);
	for (unsigned i = 0; i < bench->threads; i++) {
		pthread_join(threads[i].id, NULL);
		objects += threads[i].objects;
		ns += threads[i].ns;
	}
	if (!cpu)
		ns = bench_ns(CLOCK_MONOTONIC) - begin;
	pthread_barrier_destroy(&run.start);
	impl->drop(run.obj);
	return objects == 0 ? 0 : (double)ns / (double)objects;
}

static inline int bench_cmp(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/*
 * Runs all cases with all implementations. Arguments:
 * ms=N, how long one measurement takes; wall, for the time that passes instead of the threads' CPU
 * time (which other programs on the machine disturb less); a part of a case's name.
 */
static inline int bench_all(const struct bench_case *cases, unsigned n_cases,
	const struct bench_impl *const *impls, unsigned n_impls, int argc, char **argv)
{
	const char *only = "";
	bool cpu = true;
	uint64_t ms = 60;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "ms=", 3) == 0)
			ms = strtoull(argv[i] + 3, NULL, 10);
		else if (strcmp(argv[i], "wall") == 0)
			cpu = false;
		else
			only = argv[i];
	}
	printf("ns of %s an object, medians of %d rounds of %llu ms, alternating",
		cpu ? "CPU time" : "wall time", BENCH_ROUNDS, (unsigned long long)ms);
	printf("; in brackets: times as fast as the first\n%-34s", "");
	for (unsigned k = 0; k < n_impls; k++)
		printf(" %18s", impls[k]->name);
	printf("\n");
	for (unsigned i = 0; i < n_cases; i++) {
		double r[BENCH_IMPLS][BENCH_ROUNDS];

		if (strstr(cases[i].name, only) == NULL)
			continue;
		for (unsigned j = 0; j < BENCH_ROUNDS; j++)
			for (unsigned k = 0; k < n_impls; k++)
				r[k][j] = bench_once(&cases[i], impls[k], ms, cpu);
		printf("%-34s", cases[i].name);
		for (unsigned k = 0; k < n_impls; k++) {
			qsort(r[k], BENCH_ROUNDS, sizeof(r[k][0]), bench_cmp);
			printf(" %9.3f (%6.2f)", r[k][BENCH_ROUNDS / 2],
				r[k][BENCH_ROUNDS / 2] > 0
					? r[0][BENCH_ROUNDS / 2] / r[k][BENCH_ROUNDS / 2]
					: 0.0);
		}
		printf("\n");
		fflush(stdout);
	}
	return 0;
}

#endif
