/* SPDX-License-Identifier: BSD-3-Clause */
/* What is behind the caches of a pool. Any thread may call anything here. */
#ifndef DEPOT_H
#define DEPOT_H

#include "plx_mempool.h"

/* On its stack, next is the index + 1 of the chunk below (0: none) and depth counts from the bottom. */
struct plx_mempool_chunk {
	uint32_t next;
	uint32_t depth;
	PLX_CACHE_ALIGNED void *objs[PLX_MEMPOOL_CHUNK];
};

/* Makes the stacks of a new pool: all its objects in the depot. */
void plx_depot_init(struct plx_mempool *mp);

/* Takes up to so many chunks' objects; returns how many objects, a multiple of a chunk's. */
unsigned plx_depot_get_chunks(struct plx_mempool *mp, void **objs, unsigned chunks);

/* Takes n objects, all or none. */
bool plx_depot_get(struct plx_mempool *mp, void **objs, unsigned n);

/* Gives n objects back. */
void plx_depot_put(struct plx_mempool *mp, void *const *objs, unsigned n);

#endif
