/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's mempool for bench_mempool.c, on the EAL without huge pages. */
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include "bench_mempool.h"

static char arg_name[] = "bench", arg_huge[] = "--no-huge", arg_pci[] = "--no-pci",
	    arg_conf[] = "--no-shconf", arg_tel[] = "--no-telemetry", arg_cores[] = "-l",
	    arg_core[] = "0", arg_mem[] = "-m", arg_mib[] = "512", arg_log[] = "--log-level=3";

int bench_dpdk_init(void)
{
	char *argv[] = {arg_name, arg_huge, arg_pci, arg_conf, arg_tel, arg_cores, arg_core,
		arg_mem, arg_mib, arg_log, NULL};

	return rte_eal_init(10, argv);
}

static void *make(const struct bench_case *bench)
{
	const bool touch = (bench->flags & POOL_TOUCH) != 0;

	return rte_mempool_create("bench", touch ? POOL_N_TOUCH : POOL_N,
		touch ? POOL_OBJ_TOUCH : POOL_OBJ,
		(bench->flags & POOL_NOCACHE) ? 0 : RTE_MEMPOOL_CACHE_MAX_SIZE, 0, NULL, NULL, NULL,
		NULL, SOCKET_ID_ANY, 0);
}

static void drop(void *obj)
{
	rte_mempool_free(obj);
}

/* Only a thread with an lcore number has a cache. */
static void begin(struct bench_thread *t)
{
	(void)t;
	if (rte_thread_register() < 0)
		exit(1);
}

static void end(struct bench_thread *t)
{
	(void)t;
	rte_thread_unregister();
}

#define GET(objs, n) (rte_mempool_get_bulk(mp, objs, n) == 0)
#define PUT(objs, n) rte_mempool_put_bulk(mp, objs, n)

static uint64_t step(struct bench_thread *t)
{
	struct rte_mempool *mp = t->run->obj;

	POOL_STEP(GET, PUT);
}

const struct bench_impl bench_dpdk = {"DPDK", make, drop, begin, end, step};
