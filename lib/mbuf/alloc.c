/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking mbufs from their pools and giving them back. */
#include "mbuf_ref.h"
#include "plx_log.h"
#include "plx_mbuf.h"

/*
 * A run of at least so many plain packets of another pool makes a cache change over: a flush and a
 * refill cost about as much as this many visits to the depot.
 */
#define RUN_TO_BIND 8u

int plx_mbuf_alloc_bulk(struct plx_mbuf_pool *pool, struct plx_mbuf **m, unsigned n)
{
	struct plx_mempool_cache *cache = plx_mempool_thread_cache(&pool->mp);
	unsigned got;

	if (n == 0)
		return 0;
	got = cache != NULL ? plx_mempool_get_bulk(cache, (void **)m, n)
			    : plx_mempool_get_bulk_nocache(&pool->mp, (void **)m, n);
	if (plx_unlikely(got == 0))
		return plx_err(ENOMEM,
			"mbuf pool %s: %u asked for, %u of its %u are in the depot, the others in use "
			"or in caches; make it as large as plx_mbuf_pool_need() says",
			pool->mp.name, n, plx_mbuf_pool_avail(pool), plx_mempool_size(&pool->mp));
	for (unsigned i = 0; i < n; i++)
		plx_mbuf_reset(m[i]);
	return 0;
}

struct plx_mbuf *plx_mbuf_alloc(struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *m;

	return plx_mbuf_alloc_bulk(pool, &m, 1) == 0 ? m : NULL;
}

/* Puts plain packets of one pool where they belong; cache may be NULL or another pool's. */
static void put(struct plx_mempool_cache *cache, struct plx_mbuf_pool *pool, struct plx_mbuf **m,
	unsigned n)
{
	if (plx_likely(cache != NULL && cache->pool == &pool->mp))
		plx_mempool_put_bulk(cache, (void **)m, n);
	else
		plx_mempool_put_bulk_nocache(&pool->mp, (void **)m, n);
}

static void release(struct plx_mempool_cache *cache, struct plx_mbuf *m);

/*
 * The registration first: when free_fn runs, all have let go of it, and it may be unregistered there.
 */
static void put_ext(struct plx_mbuf_ext *ext)
{
	if (ext->reg != NULL)
		plx_memreg_release(ext->reg);
	if (mbuf_ref_put32(&ext->refcnt))
		ext->free_fn(ext);
}

/* Gives up the memory that is not the mbuf's own, and goes back to its own. */
static void detach(struct plx_mempool_cache *cache, struct plx_mbuf *m)
{
	if (m->kind == PLX_MBUF_INDIRECT)
		release(cache, m->direct); /* which is never indirect itself */
	else
		put_ext(m->ext);
	m->buf = m->own_buf;
	m->buf_iova = m->own_iova;
	m->ext = NULL;
	m->ext_room = 0;
}

/* Gives up one reference to one segment. */
static void release(struct plx_mempool_cache *cache, struct plx_mbuf *m)
{
	if (!mbuf_ref_put(&m->refcnt))
		return;
	if (m->kind != PLX_MBUF_OWN)
		detach(cache, m);
	m->next = NULL;
	m->rearm = m->pool->rearm;
	put(cache, m->pool, &m, 1);
}

void plx_mbuf_free_slow(struct plx_mempool_cache *cache, struct plx_mbuf *m)
{
	while (m != NULL) {
		struct plx_mbuf *next = m->next; /* before another owner's release clears it */

		release(cache, m);
		m = next;
	}
}

void plx_mbuf_free(struct plx_mbuf *m)
{
	struct plx_mempool_cache *cache;

	if (m == NULL)
		return;
	cache = plx_mempool_thread_cache(&m->pool->mp);
	if (plx_likely(plx_mbuf_is_plain(m, m->pool)))
		put(cache, m->pool, &m, 1);
	else
		plx_mbuf_free_slow(cache, m);
}

/* How many of the n packets, from the first, are plain and of this pool. */
static unsigned plain_run(struct plx_mbuf *const *m, unsigned n, const struct plx_mbuf_pool *pool)
{
	unsigned run = 0;

	while (run < n && plx_mbuf_is_plain(m[run], pool))
		run++;
	return run;
}

void plx_mbuf_free_bulk(struct plx_mbuf **m, unsigned n)
{
	while (n > 0) {
		struct plx_mbuf_pool *pool = m[0]->pool;
		struct plx_mempool_cache *cache = plx_mempool_thread_cache(&pool->mp);
		unsigned run = plain_run(m, n, pool);

		if (run > 0)
			put(cache, pool, m, run);
		else
			plx_mbuf_free_slow(cache, m[run++]);
		m += run;
		n -= run;
	}
}

/* The same for any packets, through one cache. */
static PLX_NOINLINE void free_mixed(
	struct plx_mempool_cache *cache, struct plx_mbuf **m, unsigned n)
{
	while (n > 0) {
		struct plx_mbuf_pool *pool = m[0]->pool;
		unsigned run = plain_run(m, n, pool);

		if (cache->pool != &pool->mp && (run >= RUN_TO_BIND || cache->n == 0))
			plx_mempool_cache_bind(cache, &pool->mp);
		if (run > 0)
			put(cache, pool, m, run);
		else
			plx_mbuf_free_slow(cache, m[run++]);
		m += run;
		n -= run;
	}
}

void plx_mbuf_free_bulk_c(struct plx_mempool_cache *cache, struct plx_mbuf **m, unsigned n)
{
	const struct plx_mbuf_pool *pool = (const struct plx_mbuf_pool *)cache->pool;
	uint64_t rearm, odd_pool = 0, odd_rearm = 0;

	if (plx_unlikely(pool == NULL)) {
		free_mixed(cache, m, n);
		return;
	}
	/* plx_mbuf_is_plain() of all, without a branch a packet. */
	rearm = pool->rearm;
	for (unsigned i = 0; i < n; i++) {
		odd_rearm |= plx_mbuf_rearm_(m[i]) ^ rearm;
		odd_pool |= (uintptr_t)m[i]->pool ^ (uintptr_t)pool;
	}
	if (plx_likely(((odd_rearm & PLX_MBUF_PLAIN_) | odd_pool) == 0))
		plx_mempool_put_bulk(cache, (void **)m, n);
	else
		free_mixed(cache, m, n);
}
