/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools, ours and others'. */
#ifndef BENCH_MEMPOOL_H
#define BENCH_MEMPOOL_H

#include "bench.h"

/* bench_case.flags. A thread gets bench_case.keep objects in bursts, then puts them in bursts. */
enum {
	POOL_NOCACHE = 1, /* past all caches */
	POOL_TOUCH = 2,   /* writes to what it got; the pool is larger than the CPU's caches */
	POOL_QUEUES = 4,  /* gets like an RX queue and puts like a TX queue */
	POOL_N = 8192,
	POOL_N_TOUCH = 32768,
	POOL_OBJ = 128,
	POOL_OBJ_TOUCH = 2240,
	POOL_KEEP_MAX = 1024,
};

/* DPDK's, with the caches that it has for each lcore. */
extern const struct bench_impl bench_dpdk;
int bench_dpdk_init(void);

/* The work of a thread, with calls of the form get(objs, n) and put(objs, n). */
#define POOL_STEP(get, put)                                                  \
	do {                                                                 \
		void *objs[POOL_KEEP_MAX];                                   \
		const bool touch = (t->run->bench->flags & POOL_TOUCH) != 0; \
		const unsigned bulk = t->bulk, keep = t->keep;               \
		uint64_t moved = 0;                                          \
                                                                             \
		for (unsigned i = 0; i < BENCH_BATCH; i++) {                 \
			unsigned n = 0;                                      \
                                                                             \
			while (n < keep && get(objs + n, bulk))              \
				n += bulk;                                   \
			for (unsigned k = 0; touch && k < n; k++)            \
				*(volatile uint64_t *)objs[k] = k;           \
			for (unsigned k = 0; k < n; k += bulk)               \
				put(objs + k, bulk);                         \
			moved += n;                                          \
		}                                                            \
		return moved;                                                \
	} while (0)

#endif
