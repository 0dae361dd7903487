/* SPDX-License-Identifier: BSD-3-Clause */
/* The threads' own caches: made when asked for, gone with the thread or the pool. */
#include <pthread.h>

#include "pools.h"

TEST(mempool_own, is_the_same_each_time)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool *a = pool_new(ctx, 1000), *b = pool_new(ctx, 1000);
	struct plx_mempool_cache *ca = plx_mempool_thread_cache(a), *cb;
	void *obj;

	CHECK(ca != NULL);
	cb = plx_mempool_thread_cache(b);
	CHECK(cb != NULL && cb != ca);
	CHECK(plx_mempool_thread_cache(a) == ca);
	CHECK(plx_mempool_thread_cache(b) == cb);
	CHECK_EQ(plx_mempool_get_bulk(ca, &obj, 1), 1);
	CHECK(plx_mempool_owns(a, obj));
	plx_mempool_put_bulk(ca, &obj, 1);
	CHECK(ca->n > 0);
	plx_mempool_destroy(a);
	CHECK(plx_mempool_thread_cache(b) == cb);
	plx_mempool_destroy(b);
	CHECK_EQ(l.lines, 0);
	plx_ctx_close(ctx);
}

TEST(mempool_own, many_pools_after_each_other)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);

	for (unsigned i = 0; i < 1000; i++) {
		struct plx_mempool *mp = pool_new(ctx, 100);
		struct plx_mempool_cache *c = plx_mempool_thread_cache(mp);
		void *obj;

		CHECK(c != NULL);
		CHECK(c->pool == mp);
		CHECK_EQ(plx_mempool_get_bulk(c, &obj, 1), 1);
		plx_mempool_put_bulk(c, &obj, 1);
		plx_mempool_destroy(mp);
	}
	CHECK_EQ(l.lines, 0);
	plx_ctx_close(ctx);
}

struct thread {
	struct plx_mempool *mp;
	struct plx_mempool_cache *c;
	pthread_barrier_t *barrier;
	unsigned got;
	pthread_t id;
};

static void *use(void *arg)
{
	struct thread *t = arg;
	void *objs[10];

	t->c = plx_mempool_thread_cache(t->mp);
	if (t->c != NULL) {
		t->got = plx_mempool_get_bulk(t->c, objs, 10);
		plx_mempool_put_bulk(t->c, objs, t->got);
	}
	if (t->barrier != NULL) {
		pthread_barrier_wait(t->barrier);
		/* Here the pool is destroyed. */
		pthread_barrier_wait(t->barrier);
	}
	return NULL;
}

TEST(mempool_own, thread_ends_first)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 3000);
	struct thread t[4];

	memset(t, 0, sizeof(t));
	for (unsigned i = 0; i < 4; i++) {
		t[i].mp = mp;
		CHECK_EQ(pthread_create(&t[i].id, NULL, use, &t[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i].id, NULL), 0);
		CHECK_EQ(t[i].got, 10);
	}
	CHECK_EQ(plx_mempool_avail(mp), 3000);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_own, pool_ends_first)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool *mp = pool_new(ctx, 3000);
	pthread_barrier_t barrier;
	struct thread t[4];

	memset(t, 0, sizeof(t));
	pthread_barrier_init(&barrier, NULL, 5);
	for (unsigned i = 0; i < 4; i++) {
		t[i].mp = mp;
		t[i].barrier = &barrier;
		CHECK_EQ(pthread_create(&t[i].id, NULL, use, &t[i]), 0);
	}
	pthread_barrier_wait(&barrier);
	CHECK(plx_mempool_avail(mp) < 3000);
	plx_mempool_destroy(mp);
	CHECK_EQ(l.lines, 0);
	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(t[i].id, NULL), 0);
		CHECK_EQ(t[i].got, 10);
	}
	pthread_barrier_destroy(&barrier);
	plx_ctx_close(ctx);
}

/* Threads end while the pool does: whoever is first frees the caches. */
TEST(mempool_own, both_end_at_once)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);

	for (unsigned round = 0; round < 50; round++) {
		struct plx_mempool *mp = pool_new(ctx, 3000);
		pthread_barrier_t barrier;
		struct thread t[4];

		memset(t, 0, sizeof(t));
		pthread_barrier_init(&barrier, NULL, 5);
		for (unsigned i = 0; i < 4; i++) {
			t[i].mp = mp;
			t[i].barrier = &barrier;
			CHECK_EQ(pthread_create(&t[i].id, NULL, use, &t[i]), 0);
		}
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		plx_mempool_destroy(mp);
		for (unsigned i = 0; i < 4; i++)
			CHECK_EQ(pthread_join(t[i].id, NULL), 0);
		pthread_barrier_destroy(&barrier);
	}
	CHECK_EQ(l.lines, 0);
	plx_ctx_close(ctx);
}
