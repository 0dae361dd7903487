/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of mbufs share. */
#ifndef MBUF_TEST_H
#define MBUF_TEST_H

#include "plx_log.h"
#include "plx_mbuf.h"
#include "unit.h"

static inline struct plx_ctx *test_ctx(void)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_ctx *ctx;

	o.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	return ctx;
}

static inline struct plx_mbuf_pool *test_pool(struct plx_ctx *ctx, uint32_t n, uint32_t room)
{
	struct plx_mbuf_pool_opts o = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf_pool *pool;

	o.name = "test";
	o.n = n;
	o.room = room;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &o, &pool), 0);
	return pool;
}

/* Gives this thread's cache back and counts what is in the depot. */
static inline uint32_t test_avail(struct plx_mbuf_pool *pool)
{
	plx_mempool_cache_flush(plx_mempool_thread_cache(&pool->mp));
	return plx_mbuf_pool_avail(pool);
}

/* Is m as it is in the pool, and empty? */
static inline bool test_fresh(const struct plx_mbuf *m)
{
	return plx_mbuf_is_plain(m, m->pool) && m->rearm == m->pool->rearm && m->next == NULL &&
	       m->buf == m->own_buf && m->buf_iova == m->own_iova && m->ext == NULL &&
	       m->flags == 0 && m->ptype == 0 && m->pkt_len == 0 && m->data_len == 0 &&
	       m->vlan == 0 && m->hash_mark == 0;
}

/* xorshift64: the same numbers in every run. */
static inline uint32_t test_random(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16) % below;
}

#endif
