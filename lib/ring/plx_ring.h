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
 * Why head and tail with a wait: a thread claims slots by moving head (one compare-and-swap for a
 * whole burst), fills or reads them, and publishes them by moving tail once those before it have. At
 * bursts of 32, alone, that is the cheapest by measurement: a second atomic instruction for a relaxed
 * tail cost a third more, a sequence number in each slot about three times as much
 * (test/bench/bench_ring.c has the figures). Its weakness is a thread that is preempted between
 * head and tail: those behind it cannot publish. Here they spin for about a microsecond, then yield,
 * then sleep for 50 us at a time, so that the preempted thread gets the core, whatever the priorities.
 * Indices have 64 bits and do not wrap in a machine's life: a sleeper cannot mistake an old head for a
 * new one.
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

/* One end. Indices count pointers since the ring was made. Two lines: CPUs fetch lines in pairs. */
struct plx_ring_end {
	uint64_t head;  /* claimed up to here */
	uint64_t tail;  /* published up to here: what the other end goes by */
	uint64_t other; /* of a lone thread here: the other end's tail when last looked at */
	uint64_t pad[13];
};

/*
 * Slots [cons.tail, prod.tail) hold pointers and belong to the consumers, all others to the
 * producers; within what belongs to an end, [tail, head) belongs to the threads that claimed it.
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

/** Waits until *tail is want: of mp_ and mc_, when a thread before the caller has not published. */
PLX_API
void plx_ring_wait(const uint64_t *tail, uint64_t want);

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

/*
 * Claims up to n (all: n or none) at an end that is full when head is span past the other end's
 * tail: span is the capacity for producers and 0 for consumers. *at is the first index claimed.
 */
static PLX_ALWAYS_INLINE unsigned plx_ring_claim_(struct plx_ring_end *end,
	const struct plx_ring_end *other, uint64_t span, unsigned n, bool all, uint64_t *at)
{
	uint64_t head = __atomic_load_n(&end->head, __ATOMIC_ACQUIRE), room;
	/* Acquire: the tail read below is not older than what whoever moved head went by, or room
	 * could come out negative. */
	unsigned k;

	do {
		room = span + __atomic_load_n(&other->tail, __ATOMIC_ACQUIRE) - head;
		/* Acquire: what the other end did to these slots is over, and seen here. */
		k = n;
		if (plx_unlikely(k > room))
			k = all ? 0 : (unsigned)room;
		if (plx_unlikely(k == 0))
			return 0;
	} while (!__atomic_compare_exchange_n(
		&end->head, &head, head + k, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	/* Release: pairs with the acquire of head, above. */
	*at = head;
	return k;
}

static PLX_ALWAYS_INLINE void plx_ring_publish_(struct plx_ring_end *end, uint64_t at, unsigned n)
{
	if (plx_unlikely(__atomic_load_n(&end->tail, __ATOMIC_ACQUIRE) != at))
		/* Acquire: our tail also publishes what those before us did. */
		plx_ring_wait(&end->tail, at);
	__atomic_store_n(&end->tail, at + n, __ATOMIC_RELEASE);
	/* Release: what we did to the slots comes before the other end takes them. */
}

/* Claims for a thread that is alone at its end: no atomic instruction, and the other end's line is
 * touched only when what it is known to have left is used up. */
static PLX_ALWAYS_INLINE unsigned plx_ring_claim_alone_(struct plx_ring_end *end,
	const struct plx_ring_end *other, uint64_t span, unsigned n, bool all, uint64_t *at)
{
	uint64_t head = PLX_READ_ONCE(end->tail);

	/* Not "room < n": other may be so old that room would be negative. */
	if (head + n > span + end->other) {
		uint64_t room;

		end->other = __atomic_load_n(&other->tail, __ATOMIC_ACQUIRE);
		/* Acquire: what the other end did to these slots is over, and seen here. */
		room = span + end->other - head;
		if (n > room)
			n = all ? 0 : (unsigned)room;
	}
	*at = head;
	return n;
}

static PLX_ALWAYS_INLINE void plx_ring_publish_alone_(
	struct plx_ring_end *end, uint64_t at, unsigned n)
{
	PLX_WRITE_ONCE(end->head, at + n);
	__atomic_store_n(&end->tail, at + n, __ATOMIC_RELEASE);
	/* Release: what we did to the slots comes before the other end takes them. */
}

static PLX_ALWAYS_INLINE unsigned plx_ring_enqueue_(
	struct plx_ring *r, void *const *objs, unsigned n, bool alone, bool all)
{
	uint64_t at;

	n = alone ? plx_ring_claim_alone_(&r->prod, &r->cons, r->capacity, n, all, &at)
		  : plx_ring_claim_(&r->prod, &r->cons, r->capacity, n, all, &at);
	if (plx_unlikely(n == 0))
		return 0;
	plx_ring_write_(r, at, objs, n);
	if (alone)
		plx_ring_publish_alone_(&r->prod, at, n);
	else
		plx_ring_publish_(&r->prod, at, n);
	return n;
}

static PLX_ALWAYS_INLINE unsigned plx_ring_dequeue_(
	struct plx_ring *r, void **objs, unsigned n, bool alone, bool all)
{
	uint64_t at;

	n = alone ? plx_ring_claim_alone_(&r->cons, &r->prod, 0, n, all, &at)
		  : plx_ring_claim_(&r->cons, &r->prod, 0, n, all, &at);
	if (plx_unlikely(n == 0))
		return 0;
	plx_ring_read_(r, at, objs, n);
	if (alone)
		plx_ring_publish_alone_(&r->cons, at, n);
	else
		plx_ring_publish_(&r->cons, at, n);
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

/** Pointers it can hold: as asked for. */
static inline unsigned plx_ring_capacity(const struct plx_ring *r)
{
	return (unsigned)r->capacity;
}

/** Pointers in it. Exact while nobody else uses it, else a value that was near the truth. */
static inline unsigned plx_ring_count(const struct plx_ring *r)
{
	uint64_t cons = __atomic_load_n(&r->cons.tail, __ATOMIC_ACQUIRE), n;
	/* Acquire: the producers' tail is read after it, so that the difference is not negative. */

	n = PLX_READ_ONCE(r->prod.tail) - cons;
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
unsigned plx_ring_capacity_fn(const struct plx_ring *r);
PLX_API
unsigned plx_ring_count_fn(const struct plx_ring *r);
PLX_API
unsigned plx_ring_free_count_fn(const struct plx_ring *r);

PLX_END_DECLS

#endif
