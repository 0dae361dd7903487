/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, freeing and waiting: what of a ring is not on the burst path. */
#include <sched.h>
#include <time.h>

#include "plx_ring.h"

PLX_STATIC_ASSERT(sizeof(struct plx_ring_end) == (size_t)(2 * PLX_CACHE_LINE),
	"an end fills a pair of lines");
PLX_STATIC_ASSERT(offsetof(struct plx_ring, prod) == (size_t)(2 * PLX_CACHE_LINE),
	"what is only read shares no pair of lines with what is written");
PLX_STATIC_ASSERT(offsetof(struct plx_ring, slots) % PLX_CACHE_LINE == 0, "slots begin at a line");

enum {
	WAIT_SPINS = 64,   /* about a microsecond: longer than a burst takes */
	WAIT_YIELDS = 200, /* then the other thread is of a lower priority, or in a debugger */
	WAIT_SLEEP_NS = 50000,
};

static int ring_opts(const struct plx_ring_opts *in, struct plx_ring_opts *out)
{
	static const struct plx_ring_opts defaults = PLX_RING_OPTS_INIT;
	const unsigned known = PLX_RING_SPSC;

	*out = defaults;
	if (in == NULL)
		return 0;
	/* Smaller: a program built against an older header. */
	if (in->size < sizeof(in->size) || in->size > sizeof(*out))
		return plx_err(EINVAL,
			"ring: opts.size is %zu, not up to %zu: start from PLX_RING_OPTS_INIT",
			in->size, sizeof(*out));
	memcpy(out, in, in->size);
	if (out->capacity == 0 || out->capacity > PLX_RING_CAPACITY_MAX)
		return plx_err(EINVAL, "ring: capacity %u: it must be 1 to %u", out->capacity,
			PLX_RING_CAPACITY_MAX);
	if ((out->flags & ~known) != 0)
		return plx_err(EINVAL, "ring: flags 0x%x: there are PLX_RING_SP and PLX_RING_SC",
			out->flags);
	return 0;
}

int plx_ring_create(struct plx_ctx *ctx, const struct plx_ring_opts *opts, struct plx_ring **out)
{
	struct plx_ring_opts o;
	struct plx_ring *r;
	uint64_t slots;
	size_t bytes;
	int err = ring_opts(opts, &o);

	if (err < 0)
		return err;
	slots = plx_roundup_pow2_u64(o.capacity);
	bytes = sizeof(*r) + (size_t)slots * sizeof(void *);
	r = plx_priv_alloc(ctx, bytes, o.node);
	if (r == NULL)
		return plx_err_prefix(-ENOMEM, "ring: %u pointers, %zu bytes", o.capacity, bytes);
	r->mask = slots - 1;
	r->capacity = o.capacity;
	r->flags = o.flags;
	r->ctx = ctx;
	r->bytes = bytes;
	*out = r;
	return 0;
}

void plx_ring_free(struct plx_ring *r)
{
	if (r != NULL)
		plx_priv_free(r->ctx, r, r->bytes);
}

PLX_NOINLINE uint64_t plx_ring_take_slow(uint64_t *word)
{
	const struct timespec nap = {0, WAIT_SLEEP_NS};

	for (unsigned i = 0;; i++) {
		uint64_t v = __atomic_load_n(word, __ATOMIC_RELAXED);

		if ((v & 1) == 0 && __atomic_compare_exchange_n(word, &v, v | 1, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			/* Acquire: see plx_ring_take_(). */
			return v;
		if (i < WAIT_SPINS)
			plx_pause();
		else if (i < WAIT_SPINS + WAIT_YIELDS)
			sched_yield();
		else
			nanosleep(&nap, NULL);
	}
}
