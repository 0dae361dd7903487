/* SPDX-License-Identifier: BSD-3-Clause */
/* Caches, each used by one thread. */
#include "pools.h"

TEST(mempool_cache, size_out_of_range_is_refused)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool_cache *c = NULL;

	CHECK_EQ(plx_mempool_cache_create(ctx, PLX_MEMPOOL_CACHE_MAX + 1, -1, &c), -EINVAL);
	CHECK_HAS(plx_errmsg(), "cache of 513 objects");
	CHECK_EQ(plx_mempool_cache_create(ctx, PLX_MEMPOOL_CHUNK - 1, -1, &c), -EINVAL);
	CHECK(c == NULL);
	CHECK_EQ(plx_mempool_cache_create(ctx, 0, -1, &c), 0);
	CHECK_EQ(c->size, PLX_MEMPOOL_CACHE_DEFAULT);
	CHECK_EQ((uintptr_t)c % 64, 0);
	plx_mempool_cache_free(c);
	plx_mempool_cache_free(NULL);
	plx_ctx_close(ctx);
}

TEST(mempool_cache, bound_to_nothing_gives_nothing)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool_cache *c = cache_new(ctx, NULL, 0);
	void *obj = &l;

	CHECK_EQ(plx_mempool_get_bulk(c, &obj, 1), 0);
	CHECK(plx_mempool_cache_get_zc(c, 1) == NULL);
	CHECK(plx_mempool_cache_put_zc(c, 1) == NULL);
	CHECK_EQ(l.lines, 0);
	plx_mempool_put_bulk(c, &obj, 1);
	CHECK_EQ(l.lines, 1);
	CHECK_HAS(l.last, "bound to no pool");
	plx_mempool_cache_flush(c);
	plx_mempool_cache_free(c);
	plx_ctx_close(ctx);
}

TEST(mempool_cache, last_put_is_first_got)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 1000);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 0);
	void *a[32], *b[32];

	CHECK_EQ(plx_mempool_get_bulk(c, a, 32), 32);
	plx_mempool_put_bulk(c, a, 32);
	CHECK_EQ(plx_mempool_get_bulk(c, b, 32), 32);
	CHECK(memcmp(a, b, sizeof(a)) == 0);
	plx_mempool_put_bulk(c, b, 32);
	plx_mempool_cache_free(c);
	CHECK_EQ(plx_mempool_avail(mp), 1000);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

/* A driver fills a cache for a burst of which less comes: what is put next finds room all the same. */
TEST(mempool_cache, filled_for_more_than_was_taken)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 1000);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 64);
	void *out[200], **to;

	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, out, 200), 200);
	plx_mempool_put_bulk(c, out, 31);
	CHECK(plx_mempool_cache_fill(c, 32));
	CHECK(c->n > c->size); /* this is the case */
	for (unsigned i = 31; i < 131; i++) {
		plx_mempool_put_bulk(c, &out[i], 1);
		CHECK(c->n <= c->size);
	}
	plx_mempool_cache_flush(c);
	plx_mempool_put_bulk(c, &out[131], 31);
	CHECK(plx_mempool_cache_fill(c, 32));
	CHECK(c->n > c->size);
	to = plx_mempool_cache_put_zc(c, 38);
	CHECK(to != NULL);
	memcpy(to, &out[162], 38 * sizeof(out[0]));
	CHECK(c->n <= c->size);
	plx_mempool_cache_free(c);
	CHECK_EQ(plx_mempool_avail(mp), 1000);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

/* The pool's formula counts on it: out of use, a cache keeps at most its size. */
TEST(mempool_cache, holds_at_most_its_size)
{
	static const uint32_t sizes[] = {32, 33, 63, 64, 100, 256, 512};
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 3000);
	void *objs[600];

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(sizes); i++) {
		struct plx_mempool_cache *c = cache_new(ctx, mp, sizes[i]);
		unsigned seed = 1;

		for (unsigned step = 0; step < 3000; step++) {
			unsigned n;

			seed = seed * 1664525 + 1013904223;
			n = (seed >> 8) % 600;
			CHECK_EQ(plx_mempool_get_bulk_fn(c, objs, n), n);
			CHECK(c->n <= c->size);
			for (unsigned at = 0, k; at < n; at += k) {
				seed = seed * 1664525 + 1013904223;
				k = PLX_MIN(n - at, 1 + (seed >> 8) % 300);
				plx_mempool_put_bulk_fn(c, objs + at, k);
				CHECK(c->n <= c->size);
			}
			CHECK_EQ(plx_mempool_avail(mp) + c->n, 3000);
		}
		plx_mempool_cache_free(c);
	}
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

/* A cache that fills up and runs empty in turn goes to the depot once for half its size. */
TEST(mempool_cache, goes_to_the_depot_seldom)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 4096);
	struct plx_mempool_cache *rx = cache_new(ctx, mp, 256), *tx = cache_new(ctx, mp, 256);
	unsigned moves = 0;
	uint32_t avail = plx_mempool_avail(mp);
	void *objs[32];

	for (unsigned i = 0; i < 1000; i++) {
		CHECK_EQ(plx_mempool_get_bulk(rx, objs, 32), 32);
		moves += avail != plx_mempool_avail(mp);
		avail = plx_mempool_avail(mp);
		plx_mempool_put_bulk(tx, objs, 32);
		moves += avail != plx_mempool_avail(mp);
		avail = plx_mempool_avail(mp);
	}
	/* 32 objects in and 32 out a round, at least 128 a move. */
	CHECK(moves <= 2 * 1000 / 4 + 2);
	plx_mempool_cache_free(rx);
	plx_mempool_cache_free(tx);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_cache, can_have_every_object)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 777);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 256);
	void *objs[778];

	CHECK_EQ(plx_mempool_get_bulk(c, objs, 778), 0);
	for (unsigned i = 0; i < 777; i++)
		CHECK_EQ(plx_mempool_get_bulk(c, objs + i, 1), 1);
	CHECK_EQ(plx_mempool_get_bulk(c, objs + 777, 1), 0);
	plx_mempool_put_bulk(c, objs, 777);
	CHECK_EQ(plx_mempool_get_bulk(c, objs, 777), 777);
	plx_mempool_put_bulk(c, objs, 400);
	plx_mempool_put_bulk(c, objs + 400, 377);
	plx_mempool_cache_flush(c);
	CHECK_EQ(plx_mempool_avail(mp), 777);
	plx_mempool_cache_free(c);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_cache, binding_elsewhere_flushes)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool *a = pool_new(ctx, 500), *b = pool_new(ctx, 500);
	struct plx_mempool_cache *c = cache_new(ctx, a, 0);
	void *obj;

	CHECK_EQ(plx_mempool_get_bulk(c, &obj, 1), 1);
	plx_mempool_put_bulk(c, &obj, 1);
	CHECK(plx_mempool_avail(a) < 500);
	plx_mempool_cache_bind(c, b);
	CHECK_EQ(plx_mempool_avail(a), 500);
	CHECK_EQ(plx_mempool_get_bulk(c, &obj, 1), 1);
	CHECK(plx_mempool_owns(b, obj));
	plx_mempool_put_bulk(c, &obj, 1);
	plx_mempool_cache_bind(c, NULL);
	CHECK_EQ(plx_mempool_avail(b), 500);
	plx_mempool_destroy(a);
	plx_mempool_destroy(b);
	plx_mempool_cache_free(c);
	CHECK_EQ(l.lines, 0);
	plx_ctx_close(ctx);
}

TEST(mempool_cache, zero_copy_moves_pointers_in_place)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 1000);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 64);
	void *objs[200], **zc;

	CHECK(plx_mempool_cache_get_zc_fn(c, 65) == NULL);
	CHECK(plx_mempool_cache_put_zc_fn(c, 65) == NULL);
	for (unsigned i = 0; i < 200; i += 40) {
		zc = plx_mempool_cache_get_zc_fn(c, 40);
		CHECK(zc != NULL);
		memcpy(objs + i, zc, 40 * sizeof(objs[0]));
	}
	CHECK_EQ(plx_mempool_avail(mp) + c->n, 800);
	for (unsigned i = 0; i < 200; i += 50) {
		zc = plx_mempool_cache_put_zc_fn(c, 50);
		CHECK(zc != NULL);
		memcpy(zc, objs + i, 50 * sizeof(objs[0]));
		CHECK(c->n <= c->size);
	}
	CHECK_EQ(plx_mempool_avail(mp) + c->n, 1000);
	zc = plx_mempool_cache_get_zc_fn(c, 50);
	CHECK(memcmp(zc, objs + 150, 50 * sizeof(objs[0])) == 0);
	memcpy(plx_mempool_cache_put_zc_fn(c, 50), objs + 150, 50 * sizeof(objs[0]));
	plx_mempool_cache_free(c);
	CHECK_EQ(plx_mempool_avail(mp), 1000);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_cache, zero_copy_of_an_empty_pool_takes_nothing)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 40);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 64);
	void **zc;

	CHECK(plx_mempool_cache_get_zc(c, 41) == NULL);
	zc = plx_mempool_cache_get_zc(c, 40);
	CHECK(zc != NULL);
	CHECK(plx_mempool_cache_get_zc(c, 1) == NULL);
	CHECK(plx_mempool_cache_put_zc(c, 40) == zc);
	plx_mempool_cache_free(c);
	CHECK_EQ(plx_mempool_avail(mp), 40);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}
