/* SPDX-License-Identifier: BSD-3-Clause */
/* The inline calls of plx_mempool.h as functions, for other languages. */
#include "plx_mempool.h"

void *plx_mempool_obj_fn(const struct plx_mempool *mp, uint32_t index)
{
	return plx_mempool_obj(mp, index);
}

unsigned plx_mempool_get_bulk_fn(struct plx_mempool_cache *c, void **objs, unsigned n)
{
	return plx_mempool_get_bulk(c, objs, n);
}

void plx_mempool_put_bulk_fn(struct plx_mempool_cache *c, void *const *objs, unsigned n)
{
	plx_mempool_put_bulk(c, objs, n);
}

void **plx_mempool_cache_get_zc_fn(struct plx_mempool_cache *c, unsigned n)
{
	return plx_mempool_cache_get_zc(c, n);
}

void **plx_mempool_cache_put_zc_fn(struct plx_mempool_cache *c, unsigned n)
{
	return plx_mempool_cache_put_zc(c, n);
}
