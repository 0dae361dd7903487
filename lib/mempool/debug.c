/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Debug builds: who has an object. One byte each, changed by atomic exchange, so that two threads that
 * put the same object are caught too. Without the bytes (another build) nothing is checked.
 */
#define PLX_LOG_TAG "mempool"
#include "plx_mempool.h"

enum { OBJ_IN, OBJ_OUT };

static uint32_t obj_index(const struct plx_mempool *mp, const void *obj)
{
	return (uint32_t)((size_t)((const char *)obj - mp->objs) / mp->stride);
}

static void report(const struct plx_mempool *mp, const void *obj)
{
	if (plx_mempool_owns(mp, obj))
		plx_err(EINVAL, "pool %s: object %u (%p) was put twice; the second time is ignored",
			mp->name, obj_index(mp, obj), obj);
	else
		plx_err(EINVAL,
			"pool %s: %p was put and is not one of its %u objects; it is ignored",
			mp->name, obj, mp->n);
	plx_logf(plx_ctx_log(mp->ctx), PLX_LOG_ERR, "%s", plx_errmsg());
}

void plx_mempool_debug_get(struct plx_mempool *mp, void *const *objs, unsigned n)
{
	if (mp->state == NULL)
		return;
	for (unsigned i = 0; i < n; i++)
		__atomic_store_n(&mp->state[obj_index(mp, objs[i])], OBJ_OUT, __ATOMIC_RELAXED);
}

unsigned plx_mempool_debug_put(struct plx_mempool *mp, void **objs, unsigned n)
{
	unsigned k = 0;

	if (mp->state == NULL)
		return n;
	for (unsigned i = 0; i < n; i++) {
		if (plx_mempool_owns(mp, objs[i]) &&
			__atomic_exchange_n(&mp->state[obj_index(mp, objs[i])], OBJ_IN,
				__ATOMIC_RELAXED) == OBJ_OUT)
			objs[k++] = objs[i];
		else
			report(mp, objs[i]);
	}
	return k;
}
