/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The threads' own caches.
 *
 * A thread has a list of what it has caches of; a pool has a list of the caches that threads made of
 * it. Both hold the struct plx_mempool_threads between them, which is freed with its last holder. The
 * pool's end frees the caches and marks it (pool = NULL), the thread's end frees those of pools that
 * are not marked: whichever comes first, under its lock, does the work.
 *
 * The end of a thread is noticed by __cxa_thread_atexit_impl(), which C++ uses for thread_local
 * objects: it needs no process-wide key, runs in the main thread too, and keeps the library loaded
 * until it has run.
 */
#include <pthread.h>
#include <stdlib.h>

#include "threads.h"

struct plx_mempool_threads {
	pthread_mutex_t lock;
	struct plx_mempool *pool;         /* NULL: it has ended */
	struct plx_mempool_cache *caches; /* linked by next */
	unsigned holders;
};

/* One pool that this thread has a cache of. */
struct held {
	struct held *next;
	struct plx_mempool_threads *threads;
	struct plx_mempool_cache *cache; /* freed when threads->pool is NULL */
};

static _Thread_local struct held *held_first;
static _Thread_local bool held_registered;

extern int __cxa_thread_atexit_impl(void (*fn)(void *arg), void *arg, void *dso);
extern void *__dso_handle __attribute__((visibility("hidden")));

static void let_go(struct plx_mempool_threads *t)
{
	if (__atomic_sub_fetch(&t->holders, 1, __ATOMIC_ACQ_REL) != 0)
		/* Release: what we did with it; acquire: what the others did, before it is freed. */
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* Frees the cache unless the pool's end did, and h. */
static void held_drop(struct held *h)
{
	struct plx_mempool_threads *t = h->threads;

	pthread_mutex_lock(&t->lock);
	if (t->pool != NULL) {
		struct plx_mempool_cache **at = &t->caches;

		while (*at != h->cache)
			at = &(*at)->next;
		*at = h->cache->next;
		plx_mempool_cache_free(h->cache);
	}
	pthread_mutex_unlock(&t->lock);
	let_go(t);
	free(h);
}

static void thread_end(void *arg)
{
	(void)arg;
	while (held_first != NULL) {
		struct held *h = held_first;

		held_first = h->next;
		held_drop(h);
	}
	/* A destructor that runs after this one may use pools again. */
	held_registered = false;
}

/* Forgets what this thread held of pools that have ended. */
static void held_prune(void)
{
	struct held **at = &held_first;

	while (*at != NULL) {
		struct held *h = *at;
		bool ended;

		pthread_mutex_lock(&h->threads->lock);
		ended = h->threads->pool == NULL;
		pthread_mutex_unlock(&h->threads->lock);
		if (ended) {
			*at = h->next;
			held_drop(h);
		} else {
			at = &h->next;
		}
	}
}

static struct plx_mempool_cache *held_make(struct plx_mempool *mp)
{
	struct plx_mempool_threads *t = mp->threads;
	struct held *h;

	held_prune();
	if (!held_registered && __cxa_thread_atexit_impl(thread_end, NULL, &__dso_handle) != 0)
		goto no_memory;
	held_registered = true;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		goto no_memory;
	if (plx_mempool_cache_create(mp->ctx, 0, -1, &h->cache) < 0) {
		free(h);
		return NULL;
	}
	plx_mempool_cache_bind(h->cache, mp);
	h->threads = t;
	pthread_mutex_lock(&t->lock);
	__atomic_add_fetch(&t->holders, 1, __ATOMIC_RELAXED);
	h->cache->next = t->caches;
	t->caches = h->cache;
	pthread_mutex_unlock(&t->lock);
	h->next = held_first;
	held_first = h;
	return h->cache;

no_memory:
	plx_err(ENOMEM, "pool %s: no memory for this thread's cache", mp->name);
	return NULL;
}

struct plx_mempool_cache *plx_mempool_thread_cache(struct plx_mempool *mp)
{
	for (const struct held *h = held_first; h != NULL; h = h->next)
		if (h->threads == mp->threads)
			return h->cache;
	return held_make(mp);
}

int plx_mempool_threads_init(struct plx_mempool *mp)
{
	struct plx_mempool_threads *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return plx_err(ENOMEM, "pool %s: no memory for its list of caches", mp->name);
	pthread_mutex_init(&t->lock, NULL);
	t->pool = mp;
	t->holders = 1;
	mp->threads = t;
	return 0;
}

void plx_mempool_threads_fini(struct plx_mempool *mp)
{
	struct plx_mempool_threads *t = mp->threads;

	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	while (t->caches != NULL) {
		struct plx_mempool_cache *c = t->caches;

		t->caches = c->next;
		plx_mempool_cache_free(c);
	}
	t->pool = NULL;
	pthread_mutex_unlock(&t->lock);
	let_go(t);
	mp->threads = NULL;
}
