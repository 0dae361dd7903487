/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings, ours and others'. */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include "bench.h"

/* bench_case.flags. Without PIPE each thread enqueues a burst, then dequeues one. */
enum {
	RING_ALONE = 1, /* one thread at each end, and no other */
	RING_PIPE = 2,  /* thread 0 enqueues, thread 1 dequeues */
	RING_SIZE = 1024,
	RING_BULK_MAX = 64,
};

/* DPDK's: the default ring, and its two other kinds. */
extern const struct bench_impl bench_dpdk, bench_dpdk_rts, bench_dpdk_hts;

/* The work of a thread, with calls of the form unsigned f(ring, objs, n). */
#define RING_STEP(enqueue, dequeue)                                        \
	do {                                                               \
		void *objs[RING_BULK_MAX];                                 \
		const bool pipe = (t->run->bench->flags & RING_PIPE) != 0; \
		const unsigned bulk = t->bulk;                             \
		uint64_t moved = 0;                                        \
                                                                           \
		memset(objs, 0, sizeof(objs));                             \
		if (pipe && t->index != 0) {                               \
			for (unsigned i = 0; i < BENCH_BATCH; i++)         \
				(void)dequeue(t->run->obj, objs, bulk);    \
		} else if (pipe) {                                         \
			for (unsigned i = 0; i < BENCH_BATCH; i++)         \
				moved += enqueue(t->run->obj, objs, bulk); \
		} else {                                                   \
			for (unsigned i = 0; i < BENCH_BATCH; i++) {       \
				moved += enqueue(t->run->obj, objs, bulk); \
				(void)dequeue(t->run->obj, objs, bulk);    \
			}                                                  \
		}                                                          \
		return moved;                                              \
	} while (0)

#endif
