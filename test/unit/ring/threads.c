/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings used by several threads, more than there are cores: every pointer comes out once, and those of
 * one producer come to a consumer in order.
 */
#include <pthread.h>
#include <sched.h>

#include "plx_ring.h"

#include "unit.h"

enum { THREADS = 4, BURST = 40, IN_FLIGHT = 256 };

struct shared {
	struct plx_ring *r;
	unsigned producers, consumers;
	unsigned per_producer;
	bool alone;
	uint64_t taken; /* by all consumers */
};

struct worker {
	struct shared *s;
	unsigned index, errors;
	uint64_t sum, count;
	pthread_t id;
};

/* A pointer says who made it and when; 0 is none. */
static void *make(unsigned producer, unsigned seq)
{
	return (void *)(((uintptr_t)producer << 32 | seq) + 1);
}

static void *produce(void *arg)
{
	struct worker *w = arg;
	void *objs[BURST];
	unsigned seq = 0, seed = w->index + 1;

	while (seq < w->s->per_producer) {
		unsigned n, done;

		seed = seed * 1664525 + 1013904223;
		n = 1 + (seed >> 16) % BURST;
		n = PLX_MIN(n, w->s->per_producer - seq);
		for (unsigned i = 0; i < n; i++)
			objs[i] = make(w->index, seq + i);
		if (w->s->alone)
			done = plx_ring_sp_enqueue(w->s->r, objs, n);
		else if (seed >> 31)
			done = plx_ring_mp_enqueue(w->s->r, objs, n);
		else
			done = plx_ring_mp_enqueue_bulk(w->s->r, objs, n);
		if (done == 0)
			sched_yield();
		for (unsigned i = 0; i < done; i++)
			w->sum += (uintptr_t)objs[i];
		seq += done;
	}
	return NULL;
}

static void look(struct worker *w, void *const *objs, unsigned n, unsigned *next)
{
	for (unsigned i = 0; i < n; i++) {
		uintptr_t v = (uintptr_t)objs[i] - 1;
		unsigned producer = (unsigned)(v >> 32), seq = (unsigned)v;

		if (producer >= w->s->producers || seq < next[producer])
			w->errors++;
		else
			next[producer] = seq + 1;
		w->sum += (uintptr_t)objs[i];
	}
}

static void *consume(void *arg)
{
	struct worker *w = arg;
	const uint64_t all = (uint64_t)w->s->producers * w->s->per_producer;
	unsigned next[THREADS] = {0}, seed = w->index + 100;
	void *objs[BURST];

	while (__atomic_load_n(&w->s->taken, __ATOMIC_RELAXED) < all) {
		unsigned n, done;

		seed = seed * 1664525 + 1013904223;
		n = 1 + (seed >> 16) % BURST;
		if (w->s->alone)
			done = plx_ring_sc_dequeue(w->s->r, objs, n);
		else if (seed >> 31)
			done = plx_ring_mc_dequeue(w->s->r, objs, n);
		else
			done = plx_ring_mc_dequeue_bulk(w->s->r, objs, n);
		if (done == 0) {
			sched_yield();
			continue;
		}
		look(w, objs, done, next);
		w->count += done;
		__atomic_fetch_add(&w->s->taken, done, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void run(uint32_t flags, unsigned producers, unsigned consumers, uint32_t capacity)
{
	struct plx_ring_opts opts = PLX_RING_OPTS_INIT;
	struct shared s = {.producers = producers, .consumers = consumers};
	struct worker w[2 * THREADS];
	uint64_t in = 0, out = 0, count = 0;
	struct plx_ctx *ctx = NULL;

	memset(w, 0, sizeof(w));
	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	opts.capacity = capacity;
	opts.flags = flags;
	CHECK_EQ(plx_ring_create(ctx, &opts, &s.r), 0);
	s.alone = flags == PLX_RING_SPSC;
	s.per_producer = unit_rounds(20000);
	for (unsigned i = 0; i < producers + consumers; i++) {
		w[i].s = &s;
		w[i].index = i < producers ? i : i - producers;
		CHECK_EQ(pthread_create(&w[i].id, NULL, i < producers ? produce : consume, &w[i]),
			0);
	}
	for (unsigned i = 0; i < producers + consumers; i++) {
		CHECK_EQ(pthread_join(w[i].id, NULL), 0);
		CHECK_EQ(w[i].errors, 0);
		if (i < producers)
			in += w[i].sum;
		else
			out += w[i].sum;
		count += w[i].count;
	}
	CHECK_EQ(count, (uint64_t)producers * s.per_producer);
	CHECK_EQ(in, out);
	CHECK_EQ(plx_ring_count(s.r), 0);
	plx_ring_free(s.r);
	plx_ctx_close(ctx);
}

TEST(ring_threads, one_to_one)
{
	run(PLX_RING_SPSC, 1, 1, 128);
	run(PLX_RING_SPSC, 1, 1, 7);
}

TEST(ring_threads, many_to_many)
{
	run(PLX_RING_MPMC, THREADS, THREADS, IN_FLIGHT);
	run(PLX_RING_MPMC, THREADS, THREADS, BURST);
}

TEST(ring_threads, many_to_one)
{
	run(PLX_RING_SC, THREADS, 1, 100);
}

struct taker {
	struct plx_ring *r;
	unsigned got;
	bool began;
};

static void *take(void *arg)
{
	struct taker *t = arg;
	void *obj;

	__atomic_store_n(&t->began, true, __ATOMIC_RELEASE);
	t->got = plx_ring_mc_dequeue(t->r, &obj, 1);
	return NULL;
}

/* A thread that finds the consumers' end taken goes on when it is given back. */
TEST(ring_threads, waits_for_who_has_the_end)
{
	struct plx_ctx *ctx = NULL;
	struct taker t = {.got = 0};
	void *obj = &t;
	pthread_t id;

	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	CHECK_EQ(plx_ring_create(ctx, NULL, &t.r), 0);
	CHECK_EQ(plx_ring_mp_enqueue(t.r, &obj, 1), 1);
	__atomic_store_n(&t.r->cons.word, 1, __ATOMIC_RELEASE);
	CHECK_EQ(pthread_create(&id, NULL, take, &t), 0);
	while (!__atomic_load_n(&t.began, __ATOMIC_ACQUIRE))
		sched_yield();
	for (unsigned i = 0; i < 1000; i++)
		sched_yield();
	CHECK_EQ(__atomic_load_n(&t.r->cons.word, __ATOMIC_RELAXED), 1);
	__atomic_store_n(&t.r->cons.word, 0, __ATOMIC_RELEASE);
	CHECK_EQ(pthread_join(id, NULL), 0);
	CHECK_EQ(t.got, 1);
	plx_ring_free(t.r);
	plx_ctx_close(ctx);
}
