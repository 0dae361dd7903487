/* SPDX-License-Identifier: BSD-3-Clause */
/* What debug builds and AddressSanitizer add. */
#include "pools.h"

#ifdef PLX_POOL_DEBUG
#define NEED_DEBUG()
#else
#define NEED_DEBUG() SKIP("the build is not a debug build: -Dpool_debug=on")
#endif

#ifdef PLX_MEMPOOL_ASAN_
#define NEED_ASAN()
#define IS_POISONED(p) (__asan_address_is_poisoned(p) != 0)
#else
#define NEED_ASAN()    SKIP("the build has no AddressSanitizer: -Db_sanitize=address")
#define IS_POISONED(p) false
#endif

static void double_put_is_ignored(void)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool *mp = pool_new(ctx, 500);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 0);
	void *objs[3];

	CHECK_EQ(plx_mempool_get_bulk(c, objs, 2), 2);
	objs[2] = objs[0];
	plx_mempool_put_bulk(c, objs, 3);
	CHECK_EQ(l.lines, 1);
	CHECK_HAS(l.last, "pool p: object ");
	CHECK_HAS(l.last, "was put twice");
	CHECK_HAS(plx_errmsg(), "was put twice");
	CHECK_EQ(plx_mempool_avail(mp) + c->n, 500);
	plx_mempool_put_bulk_nocache(mp, objs, 1);
	CHECK_EQ(l.lines, 2);
	CHECK_EQ(plx_mempool_avail(mp) + c->n, 500);
	/* More than the cache holds at once. */
	for (unsigned i = 0; i < 300; i++)
		plx_mempool_put_bulk(c, objs, 1);
	CHECK_EQ(l.lines, 302);
	plx_mempool_cache_free(c);
	CHECK_EQ(plx_mempool_avail(mp), 500);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_checked, double_put_is_ignored)
{
	NEED_DEBUG();
	double_put_is_ignored();
}

static void foreign_objects_are_ignored(void)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool *mp = pool_new(ctx, 500), *other = pool_new(ctx, 500);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 0);
	void *objs[3];

	CHECK_EQ(plx_mempool_get_bulk_nocache(other, objs, 1), 1);
	CHECK_EQ(plx_mempool_get_bulk(c, objs + 1, 1), 1);
	objs[2] = (char *)objs[1] + 8;
	plx_mempool_put_bulk(c, objs, 3);
	CHECK_EQ(l.lines, 2);
	CHECK_HAS(l.last, "is not one of its 500 objects");
	CHECK_EQ(plx_mempool_avail(mp) + c->n, 500);
	plx_mempool_put_bulk_nocache(other, objs, 1);
	plx_mempool_cache_free(c);
	plx_mempool_destroy(mp);
	plx_mempool_destroy(other);
	CHECK_EQ(l.lines, 2);
	plx_ctx_close(ctx);
}

TEST(mempool_checked, foreign_objects_are_ignored)
{
	NEED_DEBUG();
	foreign_objects_are_ignored();
}

static void zero_copy_is_looked_at_later(void)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool *mp = pool_new(ctx, 500);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 0);
	void *objs[2], **zc;

	CHECK_EQ(plx_mempool_get_bulk(c, objs, 2), 2);
	zc = plx_mempool_cache_put_zc(c, 4);
	zc[0] = zc[1] = objs[0];
	zc[2] = &l;
	zc[3] = objs[1];
	CHECK_EQ(l.lines, 0);
	plx_mempool_cache_flush(c);
	CHECK_EQ(l.lines, 2);
	CHECK_EQ(plx_mempool_avail(mp), 500);
	plx_mempool_cache_free(c);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_checked, zero_copy_is_looked_at_later)
{
	NEED_DEBUG();
	zero_copy_is_looked_at_later();
}

static void objects_that_are_not_out_are_poisoned(void)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 500);
	struct plx_mempool_cache *c = cache_new(ctx, mp, 0);
	void *objs[2], **zc;

	for (uint32_t i = 0; i < 500; i++)
		CHECK(IS_POISONED(plx_mempool_obj(mp, i)));
	CHECK_EQ(plx_mempool_get_bulk(c, objs, 1), 1);
	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, objs + 1, 1), 1);
	CHECK(!IS_POISONED(objs[0]) && !IS_POISONED((char *)objs[0] + 63));
	CHECK(!IS_POISONED(objs[1]));
	plx_mempool_put_bulk(c, objs, 1);
	plx_mempool_put_bulk_nocache(mp, objs + 1, 1);
	CHECK(IS_POISONED(objs[0]) && IS_POISONED((char *)objs[0] + 63));
	CHECK(IS_POISONED(objs[1]));
	zc = plx_mempool_cache_get_zc(c, 1);
	objs[0] = zc[0];
	CHECK(!IS_POISONED(objs[0]));
	*plx_mempool_cache_put_zc(c, 1) = objs[0];
	plx_mempool_cache_flush(c);
	CHECK(IS_POISONED(objs[0]));
	plx_mempool_cache_free(c);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool_checked, objects_that_are_not_out_are_poisoned)
{
	NEED_ASAN();
	objects_that_are_not_out_are_poisoned();
}
