/* SPDX-License-Identifier: BSD-3-Clause */
/* How long it takes to get and put objects of a pool, beside DPDK's where it is installed. */
#include "plx_mempool.h"

#include "bench_mempool.h"

static struct plx_ctx *ctx;

struct own {
	struct plx_mempool_cache *rx, *tx;
};

static void *make(const struct bench_case *bench)
{
	const bool touch = (bench->flags & POOL_TOUCH) != 0;
	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;
	struct plx_mempool *mp = NULL;

	opts.n = touch ? POOL_N_TOUCH : POOL_N;
	opts.obj_size = touch ? POOL_OBJ_TOUCH : POOL_OBJ;
	if (plx_mempool_create(ctx, &opts, &mp) < 0)
		fprintf(stderr, "%s\n", plx_errmsg());
	return mp;
}

static void drop(void *obj)
{
	plx_mempool_destroy((struct plx_mempool *)obj);
}

static void begin(struct bench_thread *t)
{
	struct own *own = (struct own *)calloc(1, sizeof(*own));

	if (own == NULL || plx_mempool_cache_create(ctx, 512, -1, &own->rx) < 0 ||
		plx_mempool_cache_create(ctx, 512, -1, &own->tx) < 0) {
		fprintf(stderr, "%s\n", plx_errmsg());
		exit(1);
	}
	plx_mempool_cache_bind(own->rx, (struct plx_mempool *)t->run->obj);
	plx_mempool_cache_bind(own->tx, (struct plx_mempool *)t->run->obj);
	t->own = own;
}

static void end(struct bench_thread *t)
{
	struct own *own = (struct own *)t->own;

	plx_mempool_cache_free(own->rx);
	plx_mempool_cache_free(own->tx);
	free(own);
}

#define GET(objs, n)         plx_mempool_get_bulk(rx, objs, n)
#define PUT(objs, n)         plx_mempool_put_bulk(tx, objs, n)
#define GET_NOCACHE(objs, n) plx_mempool_get_bulk_nocache(mp, objs, n)
#define PUT_NOCACHE(objs, n) plx_mempool_put_bulk_nocache(mp, objs, n)

static uint64_t step_cache(
	struct bench_thread *t, struct plx_mempool_cache *rx, struct plx_mempool_cache *tx)
{
	POOL_STEP(GET, PUT);
}

static uint64_t step_nocache(struct bench_thread *t, struct plx_mempool *mp)
{
	POOL_STEP(GET_NOCACHE, PUT_NOCACHE);
}

static uint64_t step(struct bench_thread *t)
{
	const struct own *own = (const struct own *)t->own;

	if (t->run->bench->flags & POOL_NOCACHE)
		return step_nocache(t, (struct plx_mempool *)t->run->obj);
	return step_cache(t, own->rx, (t->run->bench->flags & POOL_QUEUES) ? own->tx : own->rx);
}

static const struct bench_impl pollux = {"Pollux", make, drop, begin, end, step};

static const struct bench_case cases[] = {
	{"cache, 1 thread, keeps 32", 1, 32, 32, 0},
	{"cache, 1 thread, keeps 128", 1, 32, 128, 0},
	{"cache, 1 thread, keeps 1024", 1, 32, 1024, 0},
	{"cache, 2 threads, keep 128", 2, 32, 128, 0},
	{"cache, 2 threads, keep 1024", 2, 32, 1024, 0},
	{"cache, 4 threads, keep 128", 4, 32, 128, 0},
	{"cache, 4 threads, keep 1024", 4, 32, 1024, 0},
	{"RX to TX cache, 1 thread, keeps 32", 1, 32, 32, POOL_QUEUES},
	{"RX to TX cache, 2 threads, keep 32", 2, 32, 32, POOL_QUEUES},
	{"RX to TX cache, touching", 1, 32, 32, POOL_QUEUES | POOL_TOUCH},
	{"no cache, 1 thread, keeps 32", 1, 32, 32, POOL_NOCACHE},
	{"no cache, 1 thread, keeps 128", 1, 32, 128, POOL_NOCACHE},
	{"no cache, 2 threads, keep 128", 2, 32, 128, POOL_NOCACHE},
	{"no cache, 4 threads, keep 128", 4, 32, 128, POOL_NOCACHE},
	{"no cache, 1 thread, keeps 128, touching", 1, 32, 128, POOL_NOCACHE | POOL_TOUCH},
	{"cache, 1 thread, keeps 1024, touching", 1, 32, 1024, POOL_TOUCH},
};

int main(int argc, char **argv)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
#ifdef BENCH_DPDK
	const struct bench_impl *const impls[] = {&bench_dpdk, &pollux};

	if (bench_dpdk_init() < 0)
		return 1;
#else
	const struct bench_impl *const impls[] = {&pollux};
#endif
	int err;

	/* DPDK runs without huge pages here. */
	opts.huge = PLX_HUGE_NONE;
	if (plx_ctx_open(&opts, &ctx) < 0) {
		fprintf(stderr, "%s\n", plx_errmsg());
		return 1;
	}
	err = bench_all(cases, sizeof(cases) / sizeof(cases[0]), impls,
		sizeof(impls) / sizeof(impls[0]), argc, argv);
	plx_ctx_close(ctx);
	return err;
}
