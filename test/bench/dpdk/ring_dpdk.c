/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's ring for bench_ring.c. It needs no EAL: the memory is ours. */
#include <rte_ring.h>

#include "bench_ring.h"

static void *make(const struct bench_case *bench, unsigned flags)
{
	ssize_t bytes = rte_ring_get_memsize(2 * RING_SIZE);
	struct rte_ring *r = aligned_alloc(4096, ((size_t)bytes + 4095) & ~(size_t)4095);

	if (bench->flags & RING_ALONE)
		flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
	if (r == NULL || rte_ring_init(r, "bench", RING_SIZE, flags | RING_F_EXACT_SZ) != 0)
		return NULL;
	return r;
}

static void *make_default(const struct bench_case *bench)
{
	return make(bench, 0);
}

static void *make_rts(const struct bench_case *bench)
{
	return make(bench, RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ);
}

static void *make_hts(const struct bench_case *bench)
{
	return make(bench, RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ);
}

#define SP_ENQUEUE(r, objs, n)  rte_ring_sp_enqueue_burst(r, objs, n, NULL)
#define SC_DEQUEUE(r, objs, n)  rte_ring_sc_dequeue_burst(r, objs, n, NULL)
#define MP_ENQUEUE(r, objs, n)  rte_ring_mp_enqueue_burst(r, objs, n, NULL)
#define MC_DEQUEUE(r, objs, n)  rte_ring_mc_dequeue_burst(r, objs, n, NULL)
#define RTS_ENQUEUE(r, objs, n) rte_ring_mp_rts_enqueue_burst(r, objs, n, NULL)
#define RTS_DEQUEUE(r, objs, n) rte_ring_mc_rts_dequeue_burst(r, objs, n, NULL)
#define HTS_ENQUEUE(r, objs, n) rte_ring_mp_hts_enqueue_burst(r, objs, n, NULL)
#define HTS_DEQUEUE(r, objs, n) rte_ring_mc_hts_dequeue_burst(r, objs, n, NULL)

static uint64_t step_alone(struct bench_thread *t)
{
	RING_STEP(SP_ENQUEUE, SC_DEQUEUE);
}

static uint64_t step_any(struct bench_thread *t)
{
	RING_STEP(MP_ENQUEUE, MC_DEQUEUE);
}

static uint64_t step_rts_any(struct bench_thread *t)
{
	RING_STEP(RTS_ENQUEUE, RTS_DEQUEUE);
}

static uint64_t step_hts_any(struct bench_thread *t)
{
	RING_STEP(HTS_ENQUEUE, HTS_DEQUEUE);
}

static uint64_t step(struct bench_thread *t)
{
	return (t->run->bench->flags & RING_ALONE) ? step_alone(t) : step_any(t);
}

static uint64_t step_rts(struct bench_thread *t)
{
	return (t->run->bench->flags & RING_ALONE) ? step_alone(t) : step_rts_any(t);
}

static uint64_t step_hts(struct bench_thread *t)
{
	return (t->run->bench->flags & RING_ALONE) ? step_alone(t) : step_hts_any(t);
}

const struct bench_impl bench_dpdk = {"DPDK", make_default, free, NULL, NULL, step};
const struct bench_impl bench_dpdk_rts = {"DPDK RTS", make_rts, free, NULL, NULL, step_rts};
const struct bench_impl bench_dpdk_hts = {"DPDK HTS", make_hts, free, NULL, NULL, step_hts};
