/* SPDX-License-Identifier: BSD-3-Clause */
/* How long it takes to pass pointers through a ring, beside DPDK's where it is installed. */
#include "plx_ring.h"

#include "bench_ring.h"

static struct plx_ctx *ctx;

static void *make(const struct bench_case *bench)
{
	struct plx_ring_opts opts = PLX_RING_OPTS_INIT;
	struct plx_ring *r = NULL;

	opts.capacity = RING_SIZE;
	opts.flags = (bench->flags & RING_ALONE) ? PLX_RING_SPSC : PLX_RING_MPMC;
	if (plx_ring_create(ctx, &opts, &r) < 0)
		fprintf(stderr, "%s\n", plx_errmsg());
	return r;
}

static void drop(void *obj)
{
	plx_ring_free((struct plx_ring *)obj);
}

static uint64_t step_alone(struct bench_thread *t)
{
	RING_STEP(plx_ring_sp_enqueue, plx_ring_sc_dequeue);
}

static uint64_t step_any(struct bench_thread *t)
{
	RING_STEP(plx_ring_mp_enqueue, plx_ring_mc_dequeue);
}

static uint64_t step(struct bench_thread *t)
{
	return (t->run->bench->flags & RING_ALONE) ? step_alone(t) : step_any(t);
}

static const struct bench_impl pollux = {"Pollux", make, drop, NULL, NULL, step};

static const struct bench_case cases[] = {
	{"SPSC, 1 thread, bursts of 1", 1, 1, 0, RING_ALONE},
	{"SPSC, 1 thread, bursts of 8", 1, 8, 0, RING_ALONE},
	{"SPSC, 1 thread, bursts of 32", 1, 32, 0, RING_ALONE},
	{"SPSC, 1 to 1 thread, bursts of 32", 2, 32, 0, RING_ALONE | RING_PIPE},
	{"MPMC, 1 thread, bursts of 1", 1, 1, 0, 0},
	{"MPMC, 1 thread, bursts of 8", 1, 8, 0, 0},
	{"MPMC, 1 thread, bursts of 32", 1, 32, 0, 0},
	{"MPMC, 1 to 1 thread, bursts of 32", 2, 32, 0, RING_PIPE},
	{"MPMC, 2 threads, bursts of 8", 2, 8, 0, 0},
	{"MPMC, 2 threads, bursts of 32", 2, 32, 0, 0},
	{"MPMC, 4 threads, bursts of 32", 4, 32, 0, 0},
	{"MPMC, 8 threads, bursts of 32", 8, 32, 0, 0},
};

int main(int argc, char **argv)
{
#ifdef BENCH_DPDK
	const struct bench_impl *const impls[] = {
		&bench_dpdk, &bench_dpdk_rts, &bench_dpdk_hts, &pollux};
#else
	const struct bench_impl *const impls[] = {&pollux};
#endif
	int err;

	if (plx_ctx_open(NULL, &ctx) < 0) {
		fprintf(stderr, "%s\n", plx_errmsg());
		return 1;
	}
	err = bench_all(cases, sizeof(cases) / sizeof(cases[0]), impls,
		sizeof(impls) / sizeof(impls[0]), argc, argv);
	plx_ctx_close(ctx);
	return err;
}
