/* SPDX-License-Identifier: BSD-3-Clause */
/* Caches: making them, and what they do when they run empty or full. */
#define PLX_LOG_TAG "mempool"
#include "depot.h"

enum { CHUNK = PLX_MEMPOOL_CHUNK };

PLX_STATIC_ASSERT(
	sizeof(struct plx_mempool_cache) == (size_t)PLX_CACHE_LINE, "the pointers begin at a line");

static unsigned chunks_up(unsigned n)
{
	return (n + CHUNK - 1) / CHUNK;
}

int plx_mempool_cache_create(
	struct plx_ctx *ctx, uint32_t size, int node, struct plx_mempool_cache **out)
{
	struct plx_mempool_cache *c;
	size_t bytes;

	if (size == 0)
		size = PLX_MEMPOOL_CACHE_DEFAULT;
	if (size < CHUNK || size > PLX_MEMPOOL_CACHE_MAX)
		return plx_err(EINVAL, "cache of %u objects: it must be %d to %d, or 0 for %d",
			size, CHUNK, PLX_MEMPOOL_CACHE_MAX, PLX_MEMPOOL_CACHE_DEFAULT);
	/* Filling goes by whole chunks, up to one past size. */
	bytes = sizeof(*c) + (size + CHUNK) * sizeof(c->objs[0]);
	c = plx_priv_alloc(ctx, bytes, node);
	if (c == NULL)
		return plx_err_prefix(-ENOMEM, "cache of %u objects, %zu bytes", size, bytes);
	c->size = size;
	c->bytes = bytes;
	c->ctx = ctx;
	*out = c;
	return 0;
}

void plx_mempool_cache_flush(struct plx_mempool_cache *c)
{
	if (c->pool == NULL)
		return;
	plx_mempool_look_(c);
	plx_depot_put(c->pool, c->objs, c->n);
	c->n = c->checked = 0;
}

void plx_mempool_cache_bind(struct plx_mempool_cache *c, struct plx_mempool *mp)
{
	plx_mempool_cache_flush(c);
	c->pool = mp;
	c->limit = mp == NULL ? 0 : c->size;
}

void plx_mempool_cache_free(struct plx_mempool_cache *c)
{
	if (c == NULL)
		return;
	plx_mempool_cache_flush(c);
	plx_priv_free(c->ctx, c, c->bytes);
}

bool plx_mempool_cache_fill(struct plx_mempool_cache *c, unsigned n)
{
	unsigned want, most;
	bool enough = true;

	if (c->pool == NULL || n > c->size)
		return false;
	if (n <= c->n)
		return true;
	want = chunks_up(n - c->n + c->size / 2);
	/* There is room for so much, and when n have left, size is not exceeded. */
	most = (c->size + PLX_MIN(n, (unsigned)CHUNK) - c->n) / CHUNK;
	c->n += plx_depot_get_chunks(c->pool, &c->objs[c->n], PLX_MIN(want, most));
	if (c->n < n) {
		enough = plx_depot_get(c->pool, &c->objs[c->n], n - c->n);
		if (enough)
			c->n = n;
	}
	c->checked = c->n;
	return enough;
}

bool plx_mempool_cache_room(struct plx_mempool_cache *c, unsigned n)
{
	unsigned out;

	if (n > c->limit)
		return false;
	/* A sum: plx_mempool_cache_fill() leaves more than the limit, if what it was for is not taken. */
	if (c->n + n <= c->limit)
		return true;
	/* What was put longest ago leaves. */
	out = c->n + n - c->limit;
	out = PLX_MIN(c->n, chunks_up(out + c->size / 2) * CHUNK);
	plx_depot_put(c->pool, c->objs, out);
	c->n -= out;
	memmove(c->objs, c->objs + out, c->n * sizeof(c->objs[0]));
	c->checked = c->n;
	return true;
}

unsigned plx_mempool_get_slow(struct plx_mempool_cache *c, void **objs, unsigned n)
{
	const unsigned have = c->n;

	if (plx_mempool_cache_fill(c, n)) {
		c->n -= n;
		plx_ptrs_copy(objs, &c->objs[c->n], n);
	} else if (n > c->size && c->pool != NULL &&
		   plx_depot_get(c->pool, objs + have, n - have)) {
		plx_ptrs_copy(objs, c->objs, have);
		c->n = 0;
	} else {
		return 0;
	}
	plx_mempool_gave_(c, objs, n);
	return n;
}

void plx_mempool_put_slow(struct plx_mempool_cache *c, void *const *objs, unsigned n)
{
	if (c->pool == NULL) {
		plx_err(EINVAL, "%u objects put into a cache that is bound to no pool are lost", n);
		plx_logf(plx_ctx_log(c->ctx), PLX_LOG_ERR, "%s", plx_errmsg());
	} else if (plx_mempool_cache_room(c, n)) {
		plx_ptrs_copy(&c->objs[c->n], objs, n);
		c->n += n;
		plx_mempool_look_(c);
	} else {
		plx_mempool_put_bulk_nocache(c->pool, objs, n);
	}
}

unsigned plx_mempool_get_bulk_nocache(struct plx_mempool *mp, void **objs, unsigned n)
{
	if (!plx_depot_get(mp, objs, n))
		return 0;
#ifdef PLX_POOL_DEBUG
	plx_mempool_debug_get(mp, objs, n);
#endif
#ifdef PLX_MEMPOOL_ASAN_
	for (unsigned i = 0; i < n; i++)
		ASAN_UNPOISON_MEMORY_REGION(objs[i], mp->obj_size);
#endif
	return n;
}

void plx_mempool_put_bulk_nocache(struct plx_mempool *mp, void *const *objs, unsigned n)
{
#ifdef PLX_MEMPOOL_CHECKED_
	void *good[CHUNK];
	unsigned k;

	for (; n != 0; n -= k, objs += k) {
		unsigned left;

		k = PLX_MIN(n, (unsigned)CHUNK);
		plx_ptrs_copy(good, objs, k);
		left = plx_mempool_debug_put(mp, good, k);
#ifdef PLX_MEMPOOL_ASAN_
		for (unsigned i = 0; i < left; i++)
			ASAN_POISON_MEMORY_REGION(good[i], mp->obj_size);
#endif
		plx_depot_put(mp, good, left);
	}
#else
	plx_depot_put(mp, objs, n);
#endif
}
