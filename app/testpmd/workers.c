/* SPDX-License-Identifier: BSD-3-Clause */
/* The threads that forward. */
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "testpmd.h"

/* One pass in so many is measured in cycles: the clock costs as much as a packet. */
enum { MEASURE_EVERY = 16 };

static const struct plan *current(const struct testpmd *t)
{
	return __atomic_load_n(&t->plan, __ATOMIC_ACQUIRE);
}

static void pass(const struct plan *plan, const struct duty *duty)
{
	for (size_t i = 0; i < duty->n; i++)
		plan->mode->burst(duty->streams[i]);
}

static void measured_pass(const struct plan *plan, const struct duty *duty)
{
	uint64_t begin = plx_tsc();

	for (size_t i = 0; i < duty->n; i++) {
		struct stream *s = duty->streams[i];
		uint16_t n = plan->mode->burst(s);
		uint64_t end = plx_tsc();

		if (n != 0) {
			plx_stats_add(&s->busy_cycles, end - begin);
			plx_stats_add(&s->busy_packets, n);
		}
		begin = end;
	}
}

/* To the CPU of the plan, or to wherever the process may run. */
static void pin(struct worker *w, int cpu)
{
	cpu_set_t all;
	bool failed;

	if (cpu == w->cpu)
		return;
	w->cpu = cpu;
	if (cpu < 0) {
		__atomic_store_n(&w->failed, false, __ATOMIC_RELEASE);
		if (sched_getaffinity(getpid(), sizeof(all), &all) == 0)
			(void)sched_setaffinity(0, sizeof(all), &all);
		return;
	}
	failed = plx_cpu_pin(cpu) < 0;
	if (failed)
		complain("%s", plx_errmsg());
	__atomic_store_n(&w->failed, failed, __ATOMIC_RELEASE);
}

/* Sleeps while the plan has nothing for this worker; returns one that has, or that ends it. */
static const struct plan *next_plan(struct worker *w)
{
	struct testpmd *t = w->t;
	const struct plan *plan;

	for (;;) {
		plan = current(t);
		pin(w, plan->duties[w->index].cpu);
		/* release: what it did before is done when control sees the number */
		__atomic_store_n(&w->seen, plan->number, __ATOMIC_RELEASE);
		if (plan->duties[w->index].n != 0 || plan->quit)
			return plan;
		pthread_mutex_lock(&t->lock);
		while (current(t) == plan)
			pthread_cond_wait(&t->wake, &t->lock);
		pthread_mutex_unlock(&t->lock);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct plan *plan = next_plan(w);

	while (!plan->quit) {
		const struct duty *duty = &plan->duties[w->index];

		measured_pass(plan, duty);
		for (int i = 1; i < MEASURE_EVERY && current(w->t) == plan; i++)
			pass(plan, duty);
		if (current(w->t) != plan)
			plan = next_plan(w);
	}
	return NULL;
}

void workers_publish(struct testpmd *t, const struct plan *plan)
{
	const struct timespec nap = {0, 20000};

	pthread_mutex_lock(&t->lock);
	__atomic_store_n(&t->plan, plan, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&t->wake);
	pthread_mutex_unlock(&t->lock);
	for (uint16_t i = 0; i < t->n_workers; i++)
		while (__atomic_load_n(&t->workers[i].seen, __ATOMIC_ACQUIRE) != plan->number)
			nanosleep(&nap, NULL);
}

int workers_start(struct testpmd *t, uint16_t n)
{
	while (t->n_workers < n) {
		struct worker *w = &t->workers[t->n_workers];
		int err;

		w->t = t;
		w->index = t->n_workers;
		w->cpu = -1;
		err = pthread_create(&w->thread, NULL, work, w);
		if (err != 0) {
			complain("cannot start thread %u: %s", w->index, strerror(err));
			return -1;
		}
		t->n_workers++;
	}
	return 0;
}

void workers_end(struct testpmd *t)
{
	static const struct plan end = {.number = UINT64_MAX, .quit = true};
	const struct plan *old = t->plan;

	if (old == NULL)
		return;
	workers_publish(t, &end);
	for (uint16_t i = 0; i < t->n_workers; i++)
		pthread_join(t->workers[i].thread, NULL);
	t->n_workers = 0;
	free((void *)old);
	t->plan = NULL;
}

bool workers_failed(const struct testpmd *t)
{
	bool failed = false;

	for (uint16_t i = 0; i < t->n_workers; i++)
		failed |= __atomic_load_n(&t->workers[i].failed, __ATOMIC_ACQUIRE);
	return failed;
}
