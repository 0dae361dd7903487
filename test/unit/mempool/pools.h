/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools and caches for the tests. */
#ifndef POOLS_H
#define POOLS_H

#include "plx_mempool.h"

#include "unit.h"

/* A context whose log ends up in lines, the last one. */
struct logged {
	unsigned lines;
	char last[512];
};

static inline void logged_line(
	void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	struct logged *l = arg;

	(void)level;
	(void)tag;
	l->lines++;
	snprintf(l->last, sizeof(l->last), "%s", text);
}

static inline struct plx_ctx *ctx_open(struct logged *l)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_ctx *ctx = NULL;

	if (l != NULL) {
		memset(l, 0, sizeof(*l));
		opts.log_fn = logged_line;
		opts.log_arg = l;
	}
	CHECK_EQ(plx_ctx_open(&opts, &ctx), 0);
	return ctx;
}

static inline struct plx_mempool *pool_new(struct plx_ctx *ctx, uint32_t n)
{
	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;
	struct plx_mempool *mp = NULL;

	opts.name = "p";
	opts.n = n;
	opts.obj_size = 64;
	CHECK_EQ(plx_mempool_create(ctx, &opts, &mp), 0);
	CHECK_EQ(plx_mempool_avail(mp), n);
	return mp;
}

static inline struct plx_mempool_cache *cache_new(
	struct plx_ctx *ctx, struct plx_mempool *mp, uint32_t size)
{
	struct plx_mempool_cache *c = NULL;

	CHECK_EQ(plx_mempool_cache_create(ctx, size, -1, &c), 0);
	plx_mempool_cache_bind(c, mp);
	return c;
}

static inline uint32_t obj_index(const struct plx_mempool *mp, const void *obj)
{
	return (uint32_t)((size_t)((const char *)obj - (const char *)plx_mempool_obj(mp, 0)) /
			  mp->stride);
}

#endif
