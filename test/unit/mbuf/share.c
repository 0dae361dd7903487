/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>

#include "mbuf_test.h"

/* A packet of two segments, with metadata. */
static struct plx_mbuf *sample(struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *m = plx_mbuf_alloc(pool), *seg = plx_mbuf_alloc(pool);

	memset(plx_mbuf_append(m, 50), 'a', 50);
	memset(plx_mbuf_append(seg, 30), 'b', 30);
	CHECK_EQ(plx_mbuf_chain(m, seg), 0);
	m->flags = PLX_RX_RSS_HASH | PLX_RX_MARK | PLX_RX_VLAN | PLX_RX_QINQ | PLX_RX_TIMESTAMP |
		   PLX_RX_WIRE_LEN;
	m->ptype = PLX_PTYPE_L3_IPV4;
	m->vlan = 7;
	m->rss_hash = 11;
	m->mark = 12;
	m->timestamp = 13;
	m->vlan_outer = 14;
	m->wire_len = 15;
	return m;
}

static bool same_metadata(const struct plx_mbuf *a, const struct plx_mbuf *b)
{
	return a->flags == b->flags && a->ptype == b->ptype && a->vlan == b->vlan &&
	       a->rss_hash == b->rss_hash && a->mark == b->mark && a->timestamp == b->timestamp &&
	       a->vlan_outer == b->vlan_outer && a->wire_len == b->wire_len &&
	       a->pkt_len == b->pkt_len;
}

TEST(mbuf_share, hold_takes_as_many_frees)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = sample(pool);

	plx_mbuf_hold(m);
	plx_mbuf_hold(m);
	CHECK_EQ(m->refcnt, 3);
	CHECK_EQ(m->next->refcnt, 3);
	plx_mbuf_free(m);
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 6);
	CHECK_EQ(plx_mbuf_check(m), 0);
	CHECK_EQ(m->pkt_len, 80);
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_share, hold_refuses_an_owner_too_many)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = sample(pool);

	m->next->refcnt = 65534;
	CHECK_EQ(plx_mbuf_hold(m), 0);
	CHECK_EQ(plx_mbuf_hold(m), -EOVERFLOW);
	CHECK_STR(plx_errmsg(), "mbuf hold: a segment has 65535 owners already");
	/* the segment before it has none more for it */
	CHECK_EQ(m->refcnt, 2);
	CHECK_EQ(m->next->refcnt, 65535);
	m->refcnt = m->next->refcnt = 1;
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_share, copy_is_of_its_own)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512), *small = test_pool(ctx, 8, 192);
	struct plx_mbuf *m = sample(pool), *one = plx_mbuf_copy(m, pool);
	struct plx_mbuf *two = plx_mbuf_copy(m, small);
	uint8_t b[80];

	CHECK(one != NULL && two != NULL);
	CHECK_EQ(one->nsegs, 1);
	CHECK_EQ(two->nsegs, 2);
	CHECK(same_metadata(m, one) && same_metadata(m, two));
	CHECK_EQ(plx_mbuf_headroom(one), PLX_MBUF_HEADROOM);
	memset(plx_mbuf_data(m), 'x', 50);
	plx_mbuf_free(m);
	CHECK_EQ(plx_mbuf_read(two, 0, b, 80), 0);
	CHECK(b[0] == 'a' && b[49] == 'a' && b[50] == 'b' && b[79] == 'b');
	plx_mbuf_free(one);
	plx_mbuf_free(two);
	CHECK_EQ(test_avail(pool), 8);
	CHECK_EQ(test_avail(small), 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_share, copy_without_room)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512), *none = test_pool(ctx, 8, 0);
	struct plx_mbuf *m = sample(pool);

	CHECK(plx_mbuf_copy(m, none) == NULL);
	CHECK_HAS(plx_errmsg(), "mbuf copy: pool test has no rooms");
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(none), 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_share, empty_pool_gives_nothing_and_keeps_nothing)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512), *one = test_pool(ctx, 1, 192);
	struct plx_mbuf *m = sample(pool), *last;

	CHECK(plx_mbuf_copy(m, one) == NULL);
	CHECK_HAS(plx_errmsg(), "1 asked for, 0 of its 1 are in the depot");
	CHECK(plx_mbuf_clone(m, one) == NULL);
	CHECK_EQ(test_avail(one), 1);
	last = plx_mbuf_alloc(one);
	CHECK(plx_mbuf_copy(m, one) == NULL);
	CHECK(plx_mbuf_clone(m, one) == NULL);
	plx_mbuf_free(last);
	CHECK_EQ(m->refcnt, 1);
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_share, clone_shares_the_rooms)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512), *none = test_pool(ctx, 8, 0);
	struct plx_mbuf *m = sample(pool), *a = plx_mbuf_clone(m, none), *again[8];
	struct plx_mbuf *b = plx_mbuf_clone(a, none);

	CHECK(a != NULL && b != NULL);
	CHECK(same_metadata(m, a) && same_metadata(m, b));
	CHECK(plx_mbuf_data(b) == plx_mbuf_data(m));
	CHECK(plx_mbuf_data(b->next) == plx_mbuf_data(m->next));
	CHECK_EQ(plx_mbuf_iova(b->next), plx_mbuf_iova(m->next));
	CHECK_EQ(plx_mbuf_tailroom(b), plx_mbuf_tailroom(m));
	CHECK(b->direct == m);
	CHECK_EQ(m->refcnt, 3);
	CHECK(!plx_mbuf_is_plain(m, pool) && !plx_mbuf_is_plain(a, none));
	plx_mbuf_free(m);
	plx_mbuf_free(a);
	CHECK_EQ(test_avail(pool), 6);
	CHECK_EQ(plx_mbuf_check(b), 0);
	CHECK_EQ(plx_mbuf_data(b->next)[29], 'b');
	plx_mbuf_free(b);
	CHECK_EQ(test_avail(pool), 8);
	CHECK_EQ(test_avail(none), 8);
	CHECK_EQ(plx_mbuf_alloc_bulk(none, again, 8), 0);
	for (int i = 0; i < 8; i++)
		CHECK(test_fresh(again[i]));
	plx_mbuf_free_bulk(again, 8);
	plx_ctx_close(ctx);
}

/* What every mbuf in a pool keeps to, without plx_mbuf_reset(). */
TEST(mbuf_share, mbufs_go_back_plain)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = sample(pool), *clone = plx_mbuf_clone(m, pool), *raw[8];

	plx_mbuf_hold(m);
	plx_mbuf_free(m);
	plx_mbuf_free(clone);
	plx_mbuf_free(m);
	CHECK_EQ(plx_mempool_get_bulk(plx_mempool_thread_cache(&pool->mp), (void **)raw, 8), 8);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(raw[i]->rearm, pool->rearm);
		CHECK(raw[i]->next == NULL && raw[i]->buf == raw[i]->own_buf);
	}
	plx_mbuf_free_bulk(raw, 8);
	plx_ctx_close(ctx);
}

TEST(mbuf_share, clone_of_what_has_too_many_owners)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *m = sample(pool);

	m->next->refcnt = 65535;
	CHECK(plx_mbuf_clone(m, pool) == NULL);
	CHECK_STR(plx_errmsg(), "mbuf clone: the room has 65535 owners already");
	m->next->refcnt = 1;
	CHECK_EQ(m->refcnt, 1);
	plx_mbuf_free(m);
	CHECK_EQ(test_avail(pool), 8);
	plx_ctx_close(ctx);
}

/* ---- external memory ---- */

static void count(struct plx_mbuf_ext *ext)
{
	__atomic_fetch_add((int *)ext->arg, 1, __ATOMIC_RELAXED);
}

TEST(mbuf_ext, released_with_the_last_mbuf)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512), *none = test_pool(ctx, 8, 0);
	struct plx_mbuf *a = plx_mbuf_alloc(pool), *b = plx_mbuf_alloc(none), *clone, *again[8];
	uint8_t memory[300] = {0};
	int freed = 0;
	struct plx_mbuf_ext ext = {.free_fn = count, .arg = &freed, .refcnt = 2};

	plx_mbuf_attach_ext(a, memory, 0x1000, 300, &ext);
	plx_mbuf_attach_ext(b, memory, 0x1000, 300, &ext);
	CHECK_EQ(plx_mbuf_room(a), 300);
	CHECK(plx_mbuf_append(a, 300) == memory);
	CHECK(plx_mbuf_append(b, 301) == NULL);
	CHECK_EQ(plx_mbuf_iova(a), 0x1000);
	CHECK_EQ(plx_mbuf_check(a), 0);
	clone = plx_mbuf_clone(a, none);
	CHECK_EQ(plx_mbuf_check(clone), 0);
	plx_mbuf_free(b);
	plx_mbuf_free(a);
	CHECK_EQ(freed, 0);
	plx_mbuf_free(clone);
	CHECK_EQ(freed, 1);
	CHECK_EQ(test_avail(pool), 8);
	CHECK_EQ(test_avail(none), 8);
	CHECK_EQ(plx_mbuf_alloc_bulk(pool, again, 8), 0);
	for (int i = 0; i < 8; i++)
		CHECK(test_fresh(again[i]));
	plx_mbuf_free_bulk(again, 8);
	plx_ctx_close(ctx);
}

static void unregister(struct plx_mbuf_ext *ext)
{
	*(int *)ext->arg = plx_mem_unregister(ext->reg);
}

/* Memory that a device may still read is not unregistered. */
TEST(mbuf_ext, holds_its_registration)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 8, 512);
	struct plx_mbuf *a = plx_mbuf_alloc(pool), *b = plx_mbuf_alloc(pool), *clone;
	uint8_t *memory = aligned_alloc(4096, 4096);
	int result = 1;
	struct plx_mbuf_ext ext = {.free_fn = unregister, .arg = &result, .refcnt = 2};

	CHECK_EQ(plx_mem_register(ctx, memory, 4096, -1, 0, 0, &ext.reg), 0);
	plx_mbuf_attach_ext(a, memory, plx_memreg_iova(ext.reg), 300, &ext);
	CHECK_EQ(plx_mem_unregister(ext.reg), -EBUSY);
	CHECK_HAS(plx_errmsg(), "held by 1 transfers or mbufs");
	plx_mbuf_attach_ext(b, memory, plx_memreg_iova(ext.reg), 300, &ext);
	CHECK_EQ(plx_mem_unregister(ext.reg), -EBUSY);
	CHECK_HAS(plx_errmsg(), "held by 2 transfers or mbufs");
	/* a clone keeps what it shares, and with it the registration */
	clone = plx_mbuf_clone(a, pool);
	plx_mbuf_free(a);
	plx_mbuf_free(b);
	CHECK_EQ(plx_mem_unregister(ext.reg), -EBUSY);
	CHECK_HAS(plx_errmsg(), "held by 1 transfers or mbufs");
	CHECK_EQ(result, 1);
	plx_mbuf_free(clone);
	CHECK_EQ(result, 0);
	CHECK_EQ(test_avail(pool), 8);
	plx_ctx_close(ctx);
	free(memory);
}

/* ---- threads ---- */

#define THREADS 4

struct worker {
	pthread_t thread;
	struct plx_mbuf_pool *pool;
	struct plx_mbuf **m;
	unsigned n;
	int bad;
};

/* Clones a packet that it has a reference to, and frees all, in changing order. */
static void *share_and_free(void *arg)
{
	struct worker *w = arg;
	uint8_t b[80];

	for (unsigned i = 0; i < w->n; i++) {
		struct plx_mbuf *a = plx_mbuf_clone(*w->m, w->pool);
		struct plx_mbuf *c = a == NULL ? NULL : plx_mbuf_clone(a, w->pool);

		if (c == NULL || plx_mbuf_read(c, 0, b, 80) != 0 || b[0] != 'a' || b[79] != 'b')
			w->bad++;
		plx_mbuf_hold(*w->m);
		plx_mbuf_free(i % 2 ? a : c);
		plx_mbuf_free(*w->m);
		plx_mbuf_free(i % 2 ? c : a);
	}
	plx_mbuf_free(*w->m);
	return NULL;
}

/* Frees n packets in bursts of 8 through a cache of its own. */
static void *free_in_bursts(void *arg)
{
	struct worker *w = arg;
	struct plx_mempool_cache *c;

	if (plx_mempool_cache_create(w->pool->ctx, 64, -1, &c) != 0) {
		w->bad++;
		return NULL;
	}
	for (unsigned i = 0; i < w->n; i += 8)
		plx_mbuf_free_bulk_c(c, &w->m[i], 8);
	plx_mempool_cache_free(c);
	return NULL;
}

static void run_workers(struct worker *w, int workers, void *(*fn)(void *))
{
	int bad = 0;

	for (int i = 0; i < workers; i++)
		CHECK_EQ(pthread_create(&w[i].thread, NULL, fn, &w[i]), 0);
	for (int i = 0; i < workers; i++) {
		pthread_join(w[i].thread, NULL);
		bad += w[i].bad;
	}
	CHECK_EQ(bad, 0);
}

TEST(mbuf_threads, owners_of_the_same_packet)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 4096, 192);

	for (unsigned round = 0; round < unit_rounds(20); round++) {
		struct plx_mbuf *m = sample(pool);
		struct worker w[THREADS];

		for (int i = 0; i < THREADS; i++) {
			w[i] = (struct worker){.pool = pool, .m = &m, .n = 50};
			if (i > 0)
				plx_mbuf_hold(m);
		}
		run_workers(w, THREADS, share_and_free);
		CHECK_EQ(test_avail(pool), 4096);
	}
	plx_ctx_close(ctx);
}

TEST(mbuf_threads, clones_of_external_memory)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 4096, 192);
	uint8_t memory[80];
	int freed = 0;

	memset(memory, 'a', 40);
	memset(memory + 40, 'b', 40);
	for (unsigned round = 0; round < unit_rounds(20); round++) {
		struct plx_mbuf_ext ext = {.free_fn = count, .arg = &freed, .refcnt = 1};
		struct plx_mbuf *m[THREADS] = {plx_mbuf_alloc(pool)};
		struct worker w[THREADS];

		plx_mbuf_attach_ext(m[0], memory, 0, sizeof(memory), &ext);
		plx_mbuf_append(m[0], 80);
		for (int i = 0; i < THREADS; i++) {
			if (i > 0)
				m[i] = plx_mbuf_clone(m[0], pool);
			w[i] = (struct worker){.pool = pool, .m = &m[i], .n = 50};
		}
		run_workers(w, THREADS, share_and_free);
		CHECK_EQ(freed, (int)round + 1);
		CHECK_EQ(test_avail(pool), 4096);
	}
	plx_ctx_close(ctx);
}

/* Whoever frees the last one unregisters the memory, and nobody is in its way. */
TEST(mbuf_threads, the_last_owner_unregisters)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 4096, 192);
	uint8_t *memory = aligned_alloc(4096, 4096);

	memset(memory, 'a', 40);
	memset(memory + 40, 'b', 40);
	for (unsigned round = 0; round < unit_rounds(20); round++) {
		int result = 1;
		struct plx_mbuf_ext ext = {
			.free_fn = unregister, .arg = &result, .refcnt = THREADS};
		struct plx_mbuf *m[THREADS];
		struct worker w[THREADS];

		CHECK_EQ(plx_mem_register(ctx, memory, 4096, -1, 0, 0, &ext.reg), 0);
		for (int i = 0; i < THREADS; i++) {
			m[i] = plx_mbuf_alloc(pool);
			plx_mbuf_attach_ext(m[i], memory, plx_memreg_iova(ext.reg), 80, &ext);
			plx_mbuf_append(m[i], 80);
			w[i] = (struct worker){.pool = pool, .m = &m[i], .n = 50};
		}
		run_workers(w, THREADS, share_and_free);
		CHECK_EQ(result, 0);
		CHECK_EQ(test_avail(pool), 4096);
	}
	plx_ctx_close(ctx);
	free(memory);
}

/* Each packet is shared until one of the two frees it; then it is plain for the other. */
TEST(mbuf_threads, two_caches_free_the_same_packets)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 512, 192);
	struct plx_mbuf *m[2][512];

	for (unsigned round = 0; round < unit_rounds(20); round++) {
		struct worker w[2];

		CHECK_EQ(plx_mbuf_alloc_bulk(pool, m[0], 512), 0);
		for (int i = 0; i < 512; i++)
			plx_mbuf_hold(m[0][i]);
		memcpy(m[1], m[0], sizeof(m[0]));
		for (int i = 0; i < 2; i++)
			w[i] = (struct worker){.pool = pool, .m = m[i], .n = 512};
		run_workers(w, 2, free_in_bursts);
		CHECK_EQ(test_avail(pool), 512);
	}
	plx_ctx_close(ctx);
}
