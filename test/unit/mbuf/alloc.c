/* SPDX-License-Identifier: BSD-3-Clause */
#include "mbuf_test.h"

TEST(mbuf_alloc, empty_and_back)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 64, 512);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	CHECK(m != NULL);
	CHECK(test_fresh(m));
	CHECK_EQ(plx_mbuf_headroom(m), PLX_MBUF_HEADROOM);
	CHECK_EQ(plx_mbuf_tailroom(m), 512 - PLX_MBUF_HEADROOM);
	CHECK_EQ(plx_mbuf_check(m), 0);
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 64);
	plx_ctx_close(ctx);
}

TEST(mbuf_alloc, free_null)
{
	plx_mbuf_free(NULL);
}

TEST(mbuf_alloc, none_asked_for)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 1, 512);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	CHECK_EQ(plx_mbuf_alloc_bulk(pool, NULL, 0), 0);
	plx_mbuf_free_bulk(NULL, 0);
	plx_mbuf_free(m);
	plx_ctx_close(ctx);
}

TEST(mbuf_alloc, fields_of_the_last_use_are_gone)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 1, 512);

	for (int i = 0; i < 2; i++) {
		struct plx_mbuf *m = plx_mbuf_alloc(pool);

		CHECK(test_fresh(m));
		m->data_off = 7;
		m->flags = PLX_RX_VLAN | PLX_TX_TSO;
		m->ptype = PLX_PTYPE_L4_TCP;
		m->pkt_len = m->data_len = 60;
		m->vlan = 5;
		m->rss_hash = m->mark = 9;
		plx_mbuf_free(m);
	}
	plx_ctx_close(ctx);
}

TEST(mbuf_alloc, empty_pool)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 100, 512);
	struct plx_mbuf *m[101];

	CHECK_EQ(plx_mbuf_alloc_bulk(pool, m, 100), 0);
	CHECK(plx_mbuf_alloc(pool) == NULL);
	CHECK_HAS(plx_errmsg(), "mbuf pool test: 1 asked for, 0 of its 100 are in the depot");
	CHECK_HAS(plx_errmsg(), "make it as large as plx_mbuf_pool_need() says");
	plx_mbuf_free_bulk(m, 100);
	CHECK_EQ(plx_mbuf_alloc_bulk(pool, m, 101), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "101 asked for");
	CHECK_EQ(test_avail(pool), 100);
	plx_ctx_close(ctx);
}

TEST(mbuf_alloc, chain_goes_back_whole)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *a = test_pool(ctx, 40, 512), *b = test_pool(ctx, 40, 256);
	struct plx_mbuf *m = plx_mbuf_alloc(a), *again[40];

	for (int i = 0; i < 9; i++)
		CHECK_EQ(plx_mbuf_chain(m, plx_mbuf_alloc(i % 2 ? a : b)), 0);
	CHECK_EQ(m->nsegs, 10);
	CHECK_EQ(plx_mbuf_check(m), 0);
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(a), 40);
	CHECK_EQ(test_avail(b), 40);
	CHECK_EQ(plx_mbuf_alloc_bulk(b, again, 40), 0);
	for (int i = 0; i < 40; i++)
		CHECK(test_fresh(again[i]));
	plx_mbuf_free_bulk(again, 40);
	plx_ctx_close(ctx);
}

TEST(mbuf_alloc, free_slow_without_a_cache)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 40, 512);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	CHECK_EQ(plx_mbuf_chain(m, plx_mbuf_alloc(pool)), 0);
	plx_mbuf_free_slow(NULL, m);
	plx_mbuf_free_slow(NULL, NULL);
	CHECK_EQ(test_avail(pool), 40);
	plx_ctx_close(ctx);
}

TEST(mbuf_alloc, free_bulk_of_all_sorts)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *a = test_pool(ctx, 200, 512), *b = test_pool(ctx, 200, 256);
	struct plx_mbuf *m[90];

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 90; i++) {
			m[i] = plx_mbuf_alloc(i % 7 < 3 ? a : b);
			if (i % 11 == round % 11)
				CHECK_EQ(plx_mbuf_chain(m[i], plx_mbuf_alloc(i % 2 ? a : b)), 0);
		}
		plx_mbuf_free_bulk(m, 90);
		CHECK_EQ(test_avail(a), 200);
		CHECK_EQ(test_avail(b), 200);
	}
	plx_ctx_close(ctx);
}

/* ---- caches of a queue ---- */

static struct plx_mempool_cache *test_cache(struct plx_ctx *ctx)
{
	struct plx_mempool_cache *c;

	CHECK_EQ(plx_mempool_cache_create(ctx, 64, -1, &c), 0);
	return c;
}

TEST(mbuf_cache, alloc_through_it)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 100, 512);
	struct plx_mempool_cache *c = test_cache(ctx);
	struct plx_mbuf *m[101];

	plx_mempool_cache_bind(c, &pool->mp);
	CHECK_EQ(plx_mbuf_alloc_bulk_c(c, m, 32), 32);
	for (int i = 0; i < 32; i++)
		CHECK(test_fresh(m[i]));
	CHECK_EQ(plx_mbuf_alloc_bulk_c(c, m + 32, 69), 0);
	CHECK_EQ(plx_mbuf_alloc_bulk_c(c, m + 32, 68), 68);
	plx_mbuf_free_bulk_c(c, m, 100);
	plx_mempool_cache_free(c);
	CHECK_EQ(plx_mbuf_pool_avail(pool), 100);
	plx_ctx_close(ctx);
}

TEST(mbuf_cache, unbound_is_bound_by_the_first_packet)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 100, 512);
	struct plx_mempool_cache *c = test_cache(ctx);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	plx_mbuf_free_bulk_c(c, NULL, 0);
	plx_mbuf_free_bulk_c(c, &m, 1);
	CHECK(c->pool == &pool->mp);
	CHECK_EQ(c->n, 1);
	plx_mempool_cache_free(c);
	CHECK_EQ(test_avail(pool), 100);
	plx_ctx_close(ctx);
}

TEST(mbuf_cache, changes_pool_for_a_run_and_not_for_a_packet)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *a = test_pool(ctx, 100, 512), *b = test_pool(ctx, 100, 512);
	struct plx_mempool_cache *c = test_cache(ctx);
	struct plx_mbuf *m[32];

	CHECK_EQ(plx_mbuf_alloc_bulk(a, m, 32), 0);
	plx_mbuf_free_bulk_c(c, m, 32);
	CHECK_EQ(plx_mbuf_alloc_bulk(b, m, 1), 0);
	plx_mbuf_free_bulk_c(c, m, 1);
	CHECK(c->pool == &a->mp);
	CHECK_EQ(c->n, 32);
	CHECK_EQ(plx_mbuf_alloc_bulk(b, m, 32), 0);
	plx_mbuf_free_bulk_c(c, m, 32);
	CHECK(c->pool == &b->mp);
	plx_mempool_cache_free(c);
	CHECK_EQ(test_avail(a), 100);
	CHECK_EQ(test_avail(b), 100);
	plx_ctx_close(ctx);
}

/* Makes *m, an mbuf of a, a packet that is not plain, and *held what is to be freed later. */
static void make_odd(int sort, struct plx_mbuf **m, struct plx_mbuf **held, struct plx_mbuf_pool *a,
	struct plx_mbuf_pool *b)
{
	*held = NULL;
	switch (sort) {
	case 0: /* a chain */
		CHECK_EQ(plx_mbuf_chain(*m, plx_mbuf_alloc(a)), 0);
		break;
	case 1: /* of another pool */
		plx_mbuf_free(*m);
		*m = plx_mbuf_alloc(b);
		break;
	case 2: /* with two owners */
		*held = *m;
		plx_mbuf_hold(*m);
		break;
	default: /* a clone */
		plx_mbuf_free(*m);
		*held = plx_mbuf_alloc(b);
		*m = plx_mbuf_clone(*held, a);
		break;
	}
}

TEST(mbuf_cache, one_odd_packet_in_a_burst)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *a = test_pool(ctx, 128, 512), *b = test_pool(ctx, 128, 512);
	struct plx_mempool_cache *c = test_cache(ctx);
	struct plx_mbuf *m[16], *held;

	for (int sort = 0; sort < 4; sort++)
		for (int at = 0; at < 16; at++) {
			plx_mempool_cache_bind(c, &a->mp);
			CHECK_EQ(plx_mbuf_alloc_bulk_c(c, m, 16), 16);
			for (int i = 0; i < 16; i++)
				m[i]->data_off = (uint16_t)(i * 3); /* plain all the same */
			make_odd(sort, &m[at], &held, a, b);
			plx_mbuf_free_bulk_c(c, m, 16);
			CHECK(c->pool == &a->mp);
			plx_mbuf_free(held);
			plx_mempool_cache_flush(c);
			CHECK_EQ(test_avail(a), 128);
			CHECK_EQ(test_avail(b), 128);
		}
	plx_mempool_cache_free(c);
	plx_ctx_close(ctx);
}

TEST(mbuf_cache, bursts_larger_than_the_cache)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 600, 512);
	struct plx_mempool_cache *c = test_cache(ctx);
	struct plx_mbuf *m[600];

	plx_mempool_cache_bind(c, &pool->mp);
	for (unsigned n = 1; n <= 600; n += 13) {
		CHECK_EQ(plx_mbuf_alloc_bulk_c(c, m, n), n);
		plx_mbuf_free_bulk_c(c, m, n);
	}
	plx_mempool_cache_free(c);
	CHECK_EQ(plx_mbuf_pool_avail(pool), 600);
	plx_ctx_close(ctx);
}
