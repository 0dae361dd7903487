/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings used by one thread: what fits, what comes out, what is refused. */
#include "plx_ring.h"

#include "unit.h"

static struct plx_ctx *ctx_open(void)
{
	struct plx_ctx *ctx = NULL;

	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	return ctx;
}

static struct plx_ring *ring_new(struct plx_ctx *ctx, uint32_t capacity, uint32_t flags)
{
	struct plx_ring_opts opts = PLX_RING_OPTS_INIT;
	struct plx_ring *r = NULL;

	opts.capacity = capacity;
	opts.flags = flags;
	CHECK_EQ(plx_ring_create(ctx, &opts, &r), 0);
	return r;
}

/* Pointers that are never followed. */
static void *ptr(uintptr_t i)
{
	return (void *)(i + 1);
}

TEST(ring, options_out_of_range_are_refused)
{
	struct plx_ctx *ctx = ctx_open();
	struct plx_ring_opts opts = PLX_RING_OPTS_INIT;
	struct plx_ring *r = NULL;

	opts.capacity = 0;
	CHECK_EQ(plx_ring_create(ctx, &opts, &r), -EINVAL);
	CHECK_HAS(plx_errmsg(), "capacity 0");
	opts.capacity = PLX_RING_CAPACITY_MAX + 1;
	CHECK_EQ(plx_ring_create(ctx, &opts, &r), -EINVAL);
	CHECK_HAS(plx_errmsg(), "capacity 1073741825");
	opts.capacity = 1;
	opts.flags = 4;
	CHECK_EQ(plx_ring_create(ctx, &opts, &r), -EINVAL);
	CHECK_HAS(plx_errmsg(), "flags 0x4");
	opts.flags = 0;
	opts.size = 4;
	CHECK_EQ(plx_ring_create(ctx, &opts, &r), -EINVAL);
	CHECK_HAS(plx_errmsg(), "PLX_RING_OPTS_INIT");
	CHECK(r == NULL);
	CHECK_EQ(plx_ring_create(ctx, NULL, &r), 0);
	CHECK_EQ(plx_ring_capacity(r), 1024);
	plx_ring_free(r);
	plx_ring_free(NULL);
	plx_ctx_close(ctx);
}

TEST(ring, shorter_options_get_defaults_and_longer_ones_are_refused)
{
	struct plx_ctx *ctx = ctx_open();
	struct plx_ring_opts opts = {.size = offsetof(struct plx_ring_opts, flags),
		.capacity = 5,
		.flags = ~0u,
		.node = 99};
	struct plx_ring *r = NULL;

	CHECK_EQ(plx_ring_create(ctx, &opts, &r), 0);
	CHECK_EQ(plx_ring_capacity(r), 5);
	plx_ring_free(r);
	opts = (struct plx_ring_opts)PLX_RING_OPTS_INIT;
	opts.size = sizeof(opts) + 8;
	CHECK_EQ(plx_ring_create(ctx, &opts, &r), -EINVAL);
	CHECK_HAS(plx_errmsg(), "not up to");
	plx_ctx_close(ctx);
}

TEST(ring, holds_exactly_its_capacity)
{
	static const uint32_t capacities[] = {1, 2, 3, 31, 32, 33, 100, 1000};
	static const uint32_t flags[] = {PLX_RING_MPMC, PLX_RING_SPSC, PLX_RING_SP, PLX_RING_SC};
	struct plx_ctx *ctx = ctx_open();
	void *in[1001], *out[1001];

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(in); i++)
		in[i] = ptr(i);
	for (unsigned f = 0; f < PLX_ARRAY_SIZE(flags); f++)
		for (unsigned i = 0; i < PLX_ARRAY_SIZE(capacities); i++) {
			const unsigned n = capacities[i];
			struct plx_ring *r = ring_new(ctx, n, flags[f]);

			CHECK_EQ(plx_ring_capacity(r), n);
			CHECK_EQ(plx_ring_free_count(r), n);
			CHECK_EQ(plx_ring_dequeue(r, out, 1), 0);
			CHECK_EQ(plx_ring_enqueue(r, in, n + 1), n);
			CHECK_EQ(plx_ring_count(r), n);
			CHECK_EQ(plx_ring_free_count(r), 0);
			CHECK_EQ(plx_ring_enqueue(r, in, 1), 0);
			CHECK_EQ(plx_ring_dequeue(r, out, n + 1), n);
			CHECK(memcmp(in, out, n * sizeof(in[0])) == 0);
			CHECK_EQ(plx_ring_count(r), 0);
			plx_ring_free(r);
		}
	plx_ctx_close(ctx);
}

TEST(ring, bulk_is_all_or_none)
{
	static const uint32_t flags[] = {PLX_RING_MPMC, PLX_RING_SPSC};
	struct plx_ctx *ctx = ctx_open();
	void *in[10], *out[10] = {NULL};

	for (unsigned i = 0; i < 10; i++)
		in[i] = ptr(i);
	for (unsigned f = 0; f < PLX_ARRAY_SIZE(flags); f++) {
		struct plx_ring *r = ring_new(ctx, 10, flags[f]);

		CHECK_EQ(plx_ring_enqueue_bulk(r, in, 7), 7);
		CHECK_EQ(plx_ring_enqueue_bulk(r, in + 7, 4), 0);
		CHECK_EQ(plx_ring_count(r), 7);
		CHECK_EQ(plx_ring_enqueue_bulk(r, in + 7, 3), 3);
		CHECK_EQ(plx_ring_dequeue_bulk(r, out, 6), 6);
		CHECK_EQ(plx_ring_dequeue_bulk(r, out + 6, 5), 0);
		CHECK_EQ(plx_ring_count(r), 4);
		CHECK_EQ(plx_ring_dequeue_bulk(r, out + 6, 4), 4);
		CHECK(memcmp(in, out, sizeof(in)) == 0);
		CHECK_EQ(plx_ring_enqueue_bulk(r, in, 0), 0);
		CHECK_EQ(plx_ring_dequeue_bulk(r, out, 0), 0);
		plx_ring_free(r);
	}
	plx_ctx_close(ctx);
}

typedef unsigned (*enqueue_fn)(struct plx_ring *r, void *const *objs, unsigned n);
typedef unsigned (*dequeue_fn)(struct plx_ring *r, void **objs, unsigned n);

/* Even: up to n; odd: n or none. */
static const enqueue_fn enqueues[] = {plx_ring_sp_enqueue_fn, plx_ring_sp_enqueue_bulk_fn,
	plx_ring_mp_enqueue_fn, plx_ring_mp_enqueue_bulk_fn, plx_ring_enqueue_fn,
	plx_ring_enqueue_bulk_fn};
static const dequeue_fn dequeues[] = {plx_ring_sc_dequeue_fn, plx_ring_sc_dequeue_bulk_fn,
	plx_ring_mc_dequeue_fn, plx_ring_mc_dequeue_bulk_fn, plx_ring_dequeue_fn,
	plx_ring_dequeue_bulk_fn};

static unsigned expected(unsigned n, unsigned room, unsigned which)
{
	if (n <= room)
		return n;
	return which % 2 != 0 ? 0 : room;
}

/* All ways mixed at random, against two counters: first in, first out, nothing lost or doubled. */
static void walk(struct plx_ring *r, unsigned seed, unsigned steps)
{
	const unsigned capacity = plx_ring_capacity_fn(r);
	uintptr_t in = 0, out = 0;
	void *objs[80];

	while (steps-- != 0) {
		unsigned n, which, want;

		seed = seed * 1664525 + 1013904223;
		n = (seed >> 8) % 80;
		which = (seed >> 16) % 6;
		if ((seed >> 24) % 2 == 0) {
			for (unsigned i = 0; i < n; i++)
				objs[i] = ptr(in + i);
			want = expected(n, capacity - (unsigned)(in - out), which);
			CHECK_EQ(enqueues[which](r, objs, n), want);
			in += want;
		} else {
			want = expected(n, (unsigned)(in - out), which);
			CHECK_EQ(dequeues[which](r, objs, n), want);
			for (unsigned i = 0; i < want; i++)
				CHECK(objs[i] == ptr(out + i));
			out += want;
		}
		CHECK_EQ(plx_ring_count_fn(r), in - out);
		CHECK_EQ(plx_ring_free_count_fn(r), capacity - (in - out));
	}
	CHECK(in > capacity);
}

TEST(ring, any_mix_of_calls_is_a_fifo)
{
	static const uint32_t capacities[] = {1, 37, 64, 100, 500};
	struct plx_ctx *ctx = ctx_open();

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(capacities); i++) {
		struct plx_ring *r = ring_new(ctx, capacities[i], i % 4);

		walk(r, i + 1, 20000);
		plx_ring_free(r);
	}
	plx_ctx_close(ctx);
}

TEST(ring, indices_may_pass_32_bits)
{
	struct plx_ctx *ctx = ctx_open();
	struct plx_ring *r = ring_new(ctx, 100, PLX_RING_MPMC);
	const uint64_t start = (UINT64_C(1) << 32) - 1000;

	r->prod.word = r->cons.word = start << 1;
	r->prod.other = r->cons.other = start;
	walk(r, 1, 2000);
	CHECK(r->prod.word >> 1 > UINT64_C(1) << 32);
	plx_ring_free(r);
	plx_ctx_close(ctx);
}

/* What fits, and where, is known beforehand, and is the truth for a thread that is alone. */
TEST(ring, fit_says_how_many_and_where)
{
	struct plx_ctx *ctx = ctx_open();
	struct plx_ring *r = ring_new(ctx, 5, PLX_RING_SPSC);
	void *objs[8] = {0};
	uint32_t slot, at = 0;

	CHECK_EQ(plx_ring_slots(r), 8);
	CHECK_EQ(plx_ring_slots_fn(r), 8);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQ(plx_ring_sc_fit(r, 3, &slot), 0);
		CHECK_EQ(slot, at % 8);
		CHECK_EQ(plx_ring_sp_fit(r, 3, &slot), 3);
		CHECK_EQ(slot, at % 8);
		objs[0] = &objs[i % 8];
		plx_ring_sp_put(r, objs, 3);
		CHECK_EQ(plx_ring_sp_fit_fn(r, 8, &slot), 2);
		CHECK_EQ(slot, (at + 3) % 8);
		plx_ring_sp_put_fn(r, objs, 2);
		CHECK_EQ(plx_ring_sp_fit(r, 1, &slot), 0);
		CHECK_EQ(plx_ring_sc_fit_fn(r, 8, &slot), 5);
		CHECK_EQ(slot, at % 8);
		plx_ring_sc_get(r, objs, 1);
		CHECK(objs[0] == &objs[i % 8]);
		plx_ring_sc_get_fn(r, objs, 4);
		CHECK_EQ(plx_ring_count(r), 0);
		at += 5;
	}
	plx_ring_free(r);
	plx_ctx_close(ctx);
}
