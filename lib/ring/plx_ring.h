/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounded rings of pointers, first in, first out.
 *
 * One struct, two ways to use each of its ends: alone (sp_, sc_: no other thread is at that end at
 * the time) and together (mp_, mc_: any number of threads). plx_ring_enqueue() and
 * plx_ring_dequeue() choose by what the ring was made for. The ways may be mixed, one thread may
 * take the place of another if the program orders the two (a join, a lock, a message), and the two
 * ends never disturb each other.
 *
 *   ..._enqueue(), ..._dequeue()             as many of the n as fit or are there
 *   ..._enqueue_bulk(), ..._dequeue_bulk()   all n or none
 *
 * All return how many they moved. Every call here exists as a function plx_..._fn too, for other
 * languages. Only create and free may sleep or fail for another reason than full and empty.
 *
 * Why an end has one owner at a time: a thread at an end for any number of threads takes the end,
 * moves its burst and publishes the new index, which gives the end back: one compare-and-swap and one
 * store for a whole burst, and the other end's index is remembered, not fetched each time. Claiming
 * slots first and publishing in order (DPDK's default ring) lets two threads copy at once, but a thread
 * that is preempted while it waits for its turn stops all behind it: with 4 threads on 2 cores it came
 * out hundreds of times slower; two atomic instructions (its RTS ring) cost a third more when alone.
 * test/bench/bench_ring.c measures them. A thread that finds an end taken spins for about a
 * microsecond, then yields, then sleeps for 50 us at a time, so that a preempted owner gets the core,
 * whatever the priorities. Indices have 63 bits and do not wrap in a machine's life: a sleeper cannot
 * mistake an old one for a new one.
 */
#ifndef PLX_RING_H
#define PLX_RING_H

#include "plx_mem.h"

PLX_BEGIN_DECLS

/** Who uses a ring: what plx_ring_enqueue() and plx_ring_dequeue() go by. */
enum {
	PLX_RING_MPMC = 0,                     /**< any number of threads at both ends */
	PLX_RING_SP = 1u << 0,                 /**< one producer */
	PLX_RING_SC = 1u << 1,                 /**< one consumer */
	PLX_RING_SPSC = (1u << 0) | (1u << 1), /**< one of each */
};

/** Largest capacity of a ring. */
#define PLX_RING_CAPACITY_MAX (UINT32_C(1) << 30)

/** What plx_ring_create() takes; start from PLX_RING_OPTS_INIT. */
struct plx_ring_opts {
	size_t size; /**< sizeof(struct plx_ring_opts) */
	uint32_t
		capacity; /**< pointers it holds, 1 to PLX_RING_CAPACITY_MAX; exactly that many fit */
	uint32_t flags;   /**< PLX_RING_MPMC, _SP, _SC, _SPSC */
	int node;         /**< NUMA node; -1: the context's */
};

/* clang-format off */
#define PLX_RING_OPTS_INIT {sizeof(struct plx_ring_opts), 1024, PLX_RING_MPMC, -1}
/* clang-format on */

/* One end. Two lines: CPUs fetch lines in pairs. */
struct plx_ring_end {
	uint64_t word; /* pointers since the ring was made, times 2, plus 1: a thread has the end */
	uint64_t other; /* the other end's index when last looked at: who has the end uses it */
	uint64_t pad[14];
};

/*
 * Slots from the consumers' index up to the producers' hold pointers and belong to the thread that has
 * the consumers' end, all others to the thread that has the producers' end.
 */
struct plx_ring {
	uint64_t mask;     /* slots - 1, a power of two of slots */
	uint64_t capacity; /* of which so many are used */
	struct plx_ctx *ctx;
	size_t bytes; /* of this allocation */
	uint32_t flags;
	uint32_t pad[23];
	struct plx_ring_end prod;
	struct plx_ring_end cons;
	__extension__ void *slots[];
};

/**
 * Makes an empty ring in private memory: the next power of two of capacity, times 8 bytes.
 *
 * @param opts NULL for the defaults.
 * @param out  the ring; untouched on failure.
 * @return 0, -EINVAL (an option out of range), -ENOMEM.
 * Any thread.
 */
PLX_API
int plx_ring_create(struct plx_ctx *ctx, const struct plx_ring_opts *opts, struct plx_ring **out);

/** Frees a ring that nobody uses any more; what it holds is the program's. NULL is allowed. */
PLX_API
void plx_ring_free(struct plx_ring *r);

/** Takes an end that another thread has: waits for it. @return the end's word before. */
PLX_API
uint64_t plx_ring_take_slow(uint64_t *word);

/** Copies n pointers; the two do not overlap. */
static PLX_ALWAYS_INLINE void plx_ptrs_copy(void **dst, void *const *src, unsigned n)
{
	/* Blocks of fixed size become vector moves without a call. */
	for (; n >= 8; n -= 8, dst += 8, src += 8)
		__builtin_memcpy(dst, src, 8 * sizeof(*dst));
	if (n & 4) {
		__builtin_memcpy(dst, src, 4 * sizeof(*dst));
		dst += 4;
		src += 4;
	}
	for (n &= 3; n != 0; n--)
		*dst++ = *src++;
}

/* ---- inside ---- */

static PLX_ALWAYS_INLINE void plx_ring_write_(
	struct plx_ring *r, uint64_t at, void *const *objs, unsigned n)
{
	uint64_t i = at & r->mask, room = r->mask + 1 - i;

	if (plx_likely(n <= room)) {
		plx_ptrs_copy(&r->slots[i], objs, n);
	} else {
		plx_ptrs_copy(&r->slots[i], objs, (unsigned)room);
		plx_ptrs_copy(r->slots, objs + room, n - (unsigned)room);
	}
}

static PLX_ALWAYS_INLINE void plx_ring_read_(
	const struct plx_ring *r, uint64_t at, void **objs, unsigned n)
{
	uint64_t i = at & r->mask, room = r->mask + 1 - i;

	if (plx_likely(n <= room)) {
		plx_ptrs_copy(objs, &r->slots[i], n);
	} else {
		plx_ptrs_copy(objs, &r->slots[i], (unsigned)room);
		plx_ptrs_copy(objs + room, r->slots, n - (unsigned)room);
	}
}

/* Takes an end, whose word was word, for the caller. @return its index. */
static PLX_ALWAYS_INLINE uint64_t plx_ring_take_(struct plx_ring_end *end, uint64_t word)
{
	if (plx_unlikely(
		    (word & 1) != 0 || !__atomic_compare_exchange_n(&end->word, &word, word | 1,
					       false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		/* Acquire: what the thread before us at this end did is over, and seen here. */
		word = plx_ring_take_slow(&end->word);
	return word >> 1;
}

/* Gives an end back, at another index. */
static PLX_ALWAYS_INLINE void plx_ring_give_(struct plx_ring_end *end, uint64_t index)
{
	__atomic_store_n(&end->word, index << 1, __ATOMIC_RELEASE);
	/* Release: what we did to the slots comes before the other end, or the next here, has them. */
}

/*
 * Whether nothing can be moved at an end that is stuck when it is span ahead of the other: the capacity
 * for producers, 0 for consumers. Without taking it: threads that poll an empty ring do not disturb
 * each other. word is the end's, loaded with acquire, so that the other end's word, loaded here, is not
 * older. Then equality is the truth of that moment: an index can have been passed since only by going
 * past the other end.
 */
static PLX_ALWAYS_INLINE bool plx_ring_stuck_(const struct plx_ring_end *end,
	const struct plx_ring_end *other, uint64_t span, uint64_t word)
{
	if (plx_likely(span + PLX_READ_ONCE(end->other) != word >> 1))
		return false;
	return span + (PLX_READ_ONCE(other->word) >> 1) == word >> 1;
}

/* How many of n (all: n or none) can be moved at an end that the caller has. */
static PLX_ALWAYS_INLINE unsigned plx_ring_fit_(struct plx_ring_end *end,
	const struct plx_ring_end *other, uint64_t span, uint64_t index, unsigned n, bool all)
{
	uint64_t room = span + PLX_READ_ONCE(end->other) - index;

	if (n > room) {
		uint64_t o = __atomic_load_n(&other->word, __ATOMIC_ACQUIRE) >> 1;
		/* Acquire: what the other end did to these slots is over, and seen here. */

		PLX_WRITE_ONCE(end->other, o);
		room = span + o - index;
		if (n > room)
			n = all ? 0 : (unsigned)room;
	}
	return n;
}

static PLX_ALWAYS_INLINE unsigned plx_ring_enqueue_(
	struct plx_ring *r, void *const *objs, unsigned n, bool alone, bool all)
{
	uint64_t word, index;

	if (alone) {
		index = PLX_READ_ONCE(r->prod.word) >> 1;
	} else {
		word = __atomic_load_n(&r->prod.word, __ATOMIC_ACQUIRE);
		/* Acquire: see plx_ring_stuck_(). */
		if (plx_unlikely(plx_ring_stuck_(&r->prod, &r->cons, r->capacity, word)))
			return 0;
		index = plx_ring_take_(&r->prod, word);
	}
	n = plx_ring_fit_(&r->prod, &r->cons, r->capacity, index, n, all);
	plx_ring_write_(r, index, objs, n);
	plx_ring_give_(&r->prod, index + n);
	return n;
}

static PLX_ALWAYS_INLINE unsigned plx_ring_dequeue_(
	struct plx_ring *r, void **objs, unsigned n, bool alone, bool all)
{
	uint64_t word, index;

	if (alone) {
		index = PLX_READ_ONCE(r->cons.word) >> 1;
	} else {
		word = __atomic_load_n(&r->cons.word, __ATOMIC_ACQUIRE);
		/* Acquire: see plx_ring_stuck_(). */
		if (plx_unlikely(plx_ring_stuck_(&r->cons, &r->prod, 0, word)))
			return 0;
		index = plx_ring_take_(&r->cons, word);
	}
	n = plx_ring_fit_(&r->cons, &r->prod, 0, index, n, all);
	plx_ring_read_(r, index, objs, n);
	plx_ring_give_(&r->cons, index + n);
	return n;
}

/* ---- calls ---- */

/** Enqueues up to n, alone at this end. @return how many. */
static inline unsigned plx_ring_sp_enqueue(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_enqueue_(r, objs, n, true, false);
}

/** Enqueues n or none, alone at this end. @return n or 0. */
static inline unsigned plx_ring_sp_enqueue_bulk(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_enqueue_(r, objs, n, true, true);
}

/** Enqueues up to n; any thread. @return how many. */
static inline unsigned plx_ring_mp_enqueue(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_enqueue_(r, objs, n, false, false);
}

/** Enqueues n or none; any thread. @return n or 0. */
static inline unsigned plx_ring_mp_enqueue_bulk(struct plx_ring *r, void *const *objs, unsigned n)
{
	return plx_ring_enqueue_(r, objs, n, false, true);
}

/** Dequeues up to n, alone at this end. @return how many. */
static inline unsigned plx_ring_sc_dequeue(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_dequeue_(r, objs, n, true, false);
}

/** Dequeues n or none, alone at this end. @return n or 0. */
static inline unsigned plx_ring_sc_dequeue_bulk(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_dequeue_(r, objs, n, true, true);
}

/** Dequeues up to n; any thread. @return how many. */
static inline unsigned plx_ring_mc_dequeue(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_dequeue_(r, objs, n, false, false);
}

/** Dequeues n or none; any thread. @return n or 0. */
static inline unsigned plx_ring_mc_dequeue_bulk(struct plx_ring *r, void **objs, unsigned n)
{
	return plx_ring_dequeue_(r, objs, n, false, true);
}

/** Enqueues up to n, as the ring's flags say. @return how many. */
static inline unsigned plx_ring_enqueue(struct plx_ring *r, void *const *objs, unsigned n)
{
	if (r->flags & PLX_RING_SP)
		return plx_ring_sp_enqueue(r, objs, n);
	return plx_ring_mp_enqueue(r, objs, n);
}

/** Enqueues n or none, as the ring's flags say. @return n or 0. */
static inline unsigned plx_ring_enqueue_bulk(struct plx_ring *r, void *const *objs, unsigned n)
{
	if (r->flags & PLX_RING_SP)
		return plx_ring_sp_enqueue_bulk(r, objs, n);
	return plx_ring_mp_enqueue_bulk(r, objs, n);
}

/** Dequeues up to n, as the ring's flags say. @return how many. */
static inline unsigned plx_ring_dequeue(struct plx_ring *r, void **objs, unsigned n)
{
	if (r->flags & PLX_RING_SC)
		return plx_ring_sc_dequeue(r, objs, n);
	return plx_ring_mc_dequeue(r, objs, n);
}

/** Dequeues n or none, as the ring's flags say. @return n or 0. */
static inline unsigned plx_ring_dequeue_bulk(struct plx_ring *r, void **objs, unsigned n)
{
	if (r->flags & PLX_RING_SC)
		return plx_ring_sc_dequeue_bulk(r, objs, n);
	return plx_ring_mc_dequeue_bulk(r, objs, n);
}

/**
 * In two steps, for a thread that is alone at its end and keeps something of its own beside each pointer:
 * how many of n can be enqueued (sp_) or dequeued (sc_) now, and the number of the slot of the first one;
 * the next slots follow, and 0 comes after plx_ring_slots() - 1. Then so many, or fewer, are put or got.
 * What a producer wrote beside its slots before it puts, the consumer that finds the pointers there sees;
 * what a consumer reads there before it gets, nobody overwrites.
 */
static inline unsigned plx_ring_sp_fit(struct plx_ring *r, unsigned n, uint32_t *slot)
{
	uint64_t index = PLX_READ_ONCE(r->prod.word) >> 1;

	*slot = (uint32_t)(index & r->mask);
	return plx_ring_fit_(&r->prod, &r->cons, r->capacity, index, n, false);
}

static inline unsigned plx_ring_sc_fit(struct plx_ring *r, unsigned n, uint32_t *slot)
{
	uint64_t index = PLX_READ_ONCE(r->cons.word) >> 1;

	*slot = (uint32_t)(index & r->mask);
	return plx_ring_fit_(&r->cons, &r->prod, 0, index, n, false);
}

/** The second step: n is at most what plx_ring_sp_fit() or plx_ring_sc_fit() said last. */
static inline void plx_ring_sp_put(struct plx_ring *r, void *const *objs, unsigned n)
{
	uint64_t index = PLX_READ_ONCE(r->prod.word) >> 1;

	plx_ring_write_(r, index, objs, n);
	plx_ring_give_(&r->prod, index + n);
}

static inline void plx_ring_sc_get(struct plx_ring *r, void **objs, unsigned n)
{
	uint64_t index = PLX_READ_ONCE(r->cons.word) >> 1;

	plx_ring_read_(r, index, objs, n);
	plx_ring_give_(&r->cons, index + n);
}

/** Slots it has: the power of two from its capacity on. */
static inline uint32_t plx_ring_slots(const struct plx_ring *r)
{
	return (uint32_t)r->mask + 1;
}

/** Pointers it can hold: as asked for. */
static inline unsigned plx_ring_capacity(const struct plx_ring *r)
{
	return (unsigned)r->capacity;
}

/** Pointers in it. Exact while nobody else uses it, else a value that was near the truth. */
static inline unsigned plx_ring_count(const struct plx_ring *r)
{
	uint64_t cons = __atomic_load_n(&r->cons.word, __ATOMIC_ACQUIRE) >> 1, n;
	/* Acquire: the producers' index is read after it, so that the difference is not negative. */

	n = (PLX_READ_ONCE(r->prod.word) >> 1) - cons;
	return (unsigned)(n > r->capacity ? r->capacity : n);
}

/** Pointers that it has room for, exact as plx_ring_count() is. */
static inline unsigned plx_ring_free_count(const struct plx_ring *r)
{
	return (unsigned)r->capacity - plx_ring_count(r);
}

/* ---- the same as functions ---- */

PLX_API
unsigned plx_ring_sp_enqueue_fn(struct plx_ring *r, void *const *objs, unsigned n);
PLX_API
unsigned plx_ring_sp_enqueue_bulk_fn(struct plx_ring *r, void *const *objs, unsigned n);
PLX_API
unsigned plx_ring_mp_enqueue_fn(struct plx_ring *r, void *const *objs, unsigned n);
PLX_API
unsigned plx_ring_mp_enqueue_bulk_fn(struct plx_ring *r, void *const *objs, unsigned n);
PLX_API
unsigned plx_ring_sc_dequeue_fn(struct plx_ring *r, void **objs, unsigned n);
PLX_API
unsigned plx_ring_sc_dequeue_bulk_fn(struct plx_ring *r, void **objs, unsigned n);
PLX_API
unsigned plx_ring_mc_dequeue_fn(struct plx_ring *r, void **objs, unsigned n);
PLX_API
unsigned plx_ring_mc_dequeue_bulk_fn(struct plx_ring *r, void **objs, unsigned n);
PLX_API
unsigned plx_ring_enqueue_fn(struct plx_ring *r, void *const *objs, unsigned n);
PLX_API
unsigned plx_ring_enqueue_bulk_fn(struct plx_ring *r, void *const *objs, unsigned n);
PLX_API
unsigned plx_ring_dequeue_fn(struct plx_ring *r, void **objs, unsigned n);
PLX_API
unsigned plx_ring_dequeue_bulk_fn(struct plx_ring *r, void **objs, unsigned n);
PLX_API
unsigned plx_ring_sp_fit_fn(struct plx_ring *r, unsigned n, uint32_t *slot);
PLX_API
unsigned plx_ring_sc_fit_fn(struct plx_ring *r, unsigned n, uint32_t *slot);
PLX_API
void plx_ring_sp_put_fn(struct plx_ring *r, void *const *objs, unsigned n);
PLX_API
void plx_ring_sc_get_fn(struct plx_ring *r, void **objs, unsigned n);
PLX_API
uint32_t plx_ring_slots_fn(const struct plx_ring *r);
PLX_API
unsigned plx_ring_capacity_fn(const struct plx_ring *r);
PLX_API
unsigned plx_ring_count_fn(const struct plx_ring *r);
PLX_API
unsigned plx_ring_free_count_fn(const struct plx_ring *r);

PLX_END_DECLS

#endif
