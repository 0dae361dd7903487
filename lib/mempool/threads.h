/* SPDX-License-Identifier: BSD-3-Clause */
/* The threads' own caches of a pool. */
#ifndef THREADS_H
#define THREADS_H

#include "plx_mempool.h"

/* -ENOMEM */
int plx_mempool_threads_init(struct plx_mempool *mp);
/* Flushes and frees the caches that threads still have. */
void plx_mempool_threads_fini(struct plx_mempool *mp);

#endif
