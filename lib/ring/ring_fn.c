/* SPDX-License-Identifier: BSD-3-Clause */
/* The inline calls of plx_ring.h as functions, for other languages. */
#include "plx_ring.h"

unsigned plx_ring_sp_enqueue_fn(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_sp_enqueue(r, objs, n);
}

unsigned plx_ring_sp_enqueue_bulk_fn(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_sp_enqueue_bulk(r, objs, n);
}

unsigned plx_ring_mp_enqueue_fn(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_mp_enqueue(r, objs, n);
}

unsigned plx_ring_mp_enqueue_bulk_fn(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_mp_enqueue_bulk(r, objs, n);
}

unsigned plx_ring_sc_dequeue_fn(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_sc_dequeue(r, objs, n);
}

unsigned plx_ring_sc_dequeue_bulk_fn(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_sc_dequeue_bulk(r, objs, n);
}

unsigned plx_ring_mc_dequeue_fn(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_mc_dequeue(r, objs, n);
}

unsigned plx_ring_mc_dequeue_bulk_fn(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_mc_dequeue_bulk(r, objs, n);
}

unsigned plx_ring_enqueue_fn(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_enqueue(r, objs, n);
}

unsigned plx_ring_enqueue_bulk_fn(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_enqueue_bulk(r, objs, n);
}

unsigned plx_ring_dequeue_fn(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_dequeue(r, objs, n);
}

unsigned plx_ring_dequeue_bulk_fn(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_dequeue_bulk(r, objs, n);
}

unsigned plx_ring_sp_fit_fn(struct plx_ring *r, unsigned n, uint32_t *slot)
{
	return plx_ring_sp_fit(r, n, slot);
}

unsigned plx_ring_sc_fit_fn(struct plx_ring *r, unsigned n, uint32_t *slot)
{
	return plx_ring_sc_fit(r, n, slot);
}

void plx_ring_sp_put_fn(struct plx_ring *r, void *const *objs, unsigned n)
{
	plx_ring_sp_put(r, objs, n);
}

void plx_ring_sc_get_fn(struct plx_ring *r, void **objs, unsigned n)
{
	plx_ring_sc_get(r, objs, n);
}

uint32_t plx_ring_slots_fn(const struct plx_ring *r)
{
	return plx_ring_slots(r);
}

unsigned plx_ring_capacity_fn(const struct plx_ring *r)
{
	return plx_ring_capacity(r);
}

unsigned plx_ring_count_fn(const struct plx_ring *r)
{
	return plx_ring_count(r);
}

unsigned plx_ring_free_count_fn(const struct plx_ring *r)
{
	return plx_ring_free_count(r);
}
