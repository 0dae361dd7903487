/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several threads, more than there are cores, with caches and without: no object is with two threads at a
 * time, and all are there at the end.
 */
#include <pthread.h>
#include <sched.h>

#include "plx_ring.h"
#include "pools.h"

enum { THREADS = 6, BURST = 70, HOLD = 200 };

struct object {
	uint32_t
		owner; /* index of the thread + 1, 0: none; not atomic, for ThreadSanitizer to watch */
};

struct worker {
	struct plx_ctx *ctx;
	struct plx_mempool *mp;
	struct plx_ring *ring; /* where objects change hands */
	unsigned index, errors, rounds, none;
	pthread_t id;
};

static unsigned random_below(unsigned *seed, unsigned n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static void own(struct worker *w, void *const *objs, unsigned n, uint32_t before, uint32_t after)
{
	for (unsigned i = 0; i < n; i++) {
		struct object *o = objs[i];

		w->errors += o->owner != before;
		o->owner = after;
	}
}

/* Keeps up to HOLD objects, gets and puts some in different ways, and passes some on. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct plx_mempool_cache *c = NULL;
	unsigned n = 0, seed = w->index + 1, k;
	const uint32_t me = w->index + 1;
	void *objs[HOLD + BURST];

	if (plx_mempool_cache_create(w->ctx, 64, -1, &c) < 0) {
		w->errors++;
		return NULL;
	}
	plx_mempool_cache_bind(c, w->mp);
	for (unsigned i = 0; i < w->rounds; i++) {
		const unsigned way = random_below(&seed, 6);

		k = random_below(&seed, BURST);
		if (n < HOLD && way < 2) {
			k = way == 0 ? plx_mempool_get_bulk(c, objs + n, k)
				     : plx_mempool_get_bulk_nocache(w->mp, objs + n, k);
			own(w, objs + n, k, 0, me);
			n += k;
			w->none += k == 0;
		} else if (way < 4) {
			k = PLX_MIN(n, k);
			n -= k;
			own(w, objs + n, k, me, 0);
			if (way == 2)
				plx_mempool_put_bulk(c, objs + n, k);
			else
				plx_mempool_put_bulk_nocache(w->mp, objs + n, k);
		} else if (way == 4) {
			k = PLX_MIN(n, k);
			own(w, objs + n - k, k, me, UINT32_MAX);
			k = plx_ring_mp_enqueue_bulk(w->ring, objs + n - k, k);
			if (k != 0)
				n -= k;
			else
				for (unsigned j = 0; j < n; j++)
					((struct object *)objs[j])->owner = me;
		} else if (n < HOLD) {
			k = plx_ring_mc_dequeue(w->ring, objs + n, k);
			own(w, objs + n, k, UINT32_MAX, me);
			n += k;
		}
	}
	own(w, objs, n, me, 0);
	plx_mempool_put_bulk(c, objs, n);
	plx_mempool_cache_free(c);
	return NULL;
}

static void run(uint32_t n_objects)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, n_objects);
	struct plx_ring *ring = NULL;
	struct worker w[THREADS];
	void *objs[BURST];
	unsigned k;

	memset(w, 0, sizeof(w));
	CHECK_EQ(plx_ring_create(ctx, NULL, &ring), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		w[i].ctx = ctx;
		w[i].mp = mp;
		w[i].ring = ring;
		w[i].index = i;
		w[i].rounds = unit_rounds(10000);
		CHECK_EQ(pthread_create(&w[i].id, NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_join(w[i].id, NULL), 0);
		CHECK_EQ(w[i].errors, 0);
	}
	while ((k = plx_ring_mc_dequeue(ring, objs, BURST)) != 0)
		plx_mempool_put_bulk_nocache(mp, objs, k);
	CHECK_EQ(plx_mempool_avail(mp), n_objects);
	plx_ring_free(ring);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_threads, plenty)
{
	run(8000);
}

TEST(mempool_threads, scarce)
{
	run(500);
}

struct last {
	struct plx_mempool *mp;
	unsigned rounds, failed;
	pthread_t id;
};

/* Gets and puts one object; there are as many objects as threads. */
static void *one(void *arg)
{
	struct last *l = arg;
	void *obj;

	for (unsigned i = 0; i < l->rounds; i++) {
		if (plx_mempool_get_bulk_nocache(l->mp, &obj, 1) != 1)
			l->failed++;
		else
			plx_mempool_put_bulk_nocache(l->mp, &obj, 1);
	}
	return NULL;
}

/* An object for each thread is enough: none is out of sight while another thread is in a call. */
TEST(mempool_threads, enough_is_enough)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, THREADS);
	struct last l[THREADS];

	memset(l, 0, sizeof(l));
	for (unsigned i = 0; i < THREADS; i++) {
		l[i].mp = mp;
		l[i].rounds = unit_rounds(20000);
		CHECK_EQ(pthread_create(&l[i].id, NULL, one, &l[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_join(l[i].id, NULL), 0);
		CHECK_EQ(l[i].failed, 0);
	}
	CHECK_EQ(plx_mempool_avail(mp), THREADS);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}
