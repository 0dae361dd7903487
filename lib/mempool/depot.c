/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The depot: a stack of full chunks, a stack of empty ones, and up to two chunks' worth of loose
 * objects under a lock.
 *
 * There are as many chunks as the pool's objects fill. A chunk that is not on the stack of empty ones
 * stands for a chunk's worth of objects, its own or those that its owner is about to put into it or has
 * just taken out of it: so whoever has that many objects in hand finds an empty chunk.
 *
 * A stack's top holds the index of a chunk and a count of changes, so that a compare-and-swap fails
 * if anything happened since top was read, even if the same chunk is on top again. next and depth of a
 * chunk may be read by a thread that comes too late, whose compare-and-swap then fails: chunks are
 * never freed, and whatever next was ever set to is the index of one.
 */
#include "depot.h"

enum { CHUNK = PLX_MEMPOOL_CHUNK, LOOSE_MAX = 2 * CHUNK };

#define TOP_INDEX  UINT64_C(0xffffff)
#define TOP_CHANGE (TOP_INDEX + 1)

PLX_STATIC_ASSERT(PLX_MEMPOOL_MAX / PLX_MEMPOOL_CHUNK < TOP_INDEX, "a top holds any index");
PLX_STATIC_ASSERT(sizeof(struct plx_mempool_chunk) % (size_t)(2 * PLX_CACHE_LINE) != 0,
	"an odd number of lines spreads the chunks over the sets of a cache");

/* Chunks in a row, linked by next. */
struct chunks {
	uint32_t first, last; /* index + 1 */
	unsigned n;
};

static struct plx_mempool_chunk *chunk_at(const struct plx_mempool *mp, uint64_t top)
{
	return &mp->chunks[(top & TOP_INDEX) - 1];
}

static struct chunks pop(struct plx_mempool *mp, uint64_t *top, unsigned max)
{
	uint64_t old = __atomic_load_n(top, __ATOMIC_ACQUIRE);
	/* Acquire: next of the chunks on the stack. */
	struct chunks c;
	uint64_t rest;

	do {
		c.first = (uint32_t)(old & TOP_INDEX);
		c.last = 0;
		rest = c.first;
		for (c.n = 0; c.n < max && rest != 0; c.n++) {
			c.last = (uint32_t)rest;
			rest = PLX_READ_ONCE(chunk_at(mp, rest)->next);
		}
		if (c.n == 0)
			return c;
	} while (!__atomic_compare_exchange_n(top, &old, ((old & ~TOP_INDEX) + TOP_CHANGE) | rest,
		true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
	/* Acquire: the pointers in the chunks, from push(). */
	return c;
}

static void push(struct plx_mempool *mp, uint64_t *top, const struct chunks *c)
{
	uint64_t old = __atomic_load_n(top, __ATOMIC_ACQUIRE);
	/* Acquire: depth of the chunk on top. */
	uint32_t depth;

	do {
		uint64_t at = c->first;

		depth = (old & TOP_INDEX) == 0 ? 0 : PLX_READ_ONCE(chunk_at(mp, old)->depth);
		for (unsigned i = 0; i < c->n; i++) {
			PLX_WRITE_ONCE(chunk_at(mp, at)->depth, depth + c->n - i);
			at = PLX_READ_ONCE(chunk_at(mp, at)->next);
		}
		PLX_WRITE_ONCE(chunk_at(mp, c->last)->next, (uint32_t)(old & TOP_INDEX));
	} while (!__atomic_compare_exchange_n(top, &old,
		((old & ~TOP_INDEX) + TOP_CHANGE) | c->first, true, __ATOMIC_RELEASE,
		__ATOMIC_ACQUIRE));
	/* Release: next, depth and the pointers, to pop(). */
}

static void lock(struct plx_mempool *mp)
{
	if (__atomic_exchange_n(&mp->lock, 1, __ATOMIC_ACQUIRE) != 0)
		/* Acquire: the loose objects, from unlock(). */
		plx_ring_take_slow(&mp->lock);
}

static void unlock(struct plx_mempool *mp)
{
	__atomic_store_n(&mp->lock, 0, __ATOMIC_RELEASE);
	/* Release: the loose objects, to lock(). */
}

unsigned plx_depot_get_chunks(struct plx_mempool *mp, void **objs, unsigned max)
{
	struct chunks c = pop(mp, &mp->full, max);
	uint64_t at = c.first;

	if (c.n == 0)
		return 0;
	for (unsigned i = 0; i < c.n; i++) {
		const struct plx_mempool_chunk *chunk = chunk_at(mp, at);

		at = PLX_READ_ONCE(chunk->next);
		plx_ptrs_copy(objs + i * CHUNK, chunk->objs, CHUNK);
	}
	push(mp, &mp->empty, &c);
	return c.n * CHUNK;
}

/*
 * Returns how many of the objects, whole chunks, found room: all, unless an object was put twice some
 * time ago.
 */
static unsigned put_chunks(struct plx_mempool *mp, void *const *objs, unsigned n)
{
	unsigned put = 0;

	while (n - put >= CHUNK) {
		struct chunks c = pop(mp, &mp->empty, (n - put) / CHUNK);
		uint64_t at = c.first;

		if (c.n == 0)
			break;
		for (unsigned i = 0; i < c.n; i++, put += CHUNK) {
			struct plx_mempool_chunk *chunk = chunk_at(mp, at);

			at = PLX_READ_ONCE(chunk->next);
			plx_ptrs_copy(chunk->objs, objs + put, CHUNK);
		}
		push(mp, &mp->full, &c);
	}
	return put;
}

/* n <= LOOSE_MAX */
static bool get_loose(struct plx_mempool *mp, void **objs, unsigned n)
{
	bool enough;

	lock(mp);
	while (mp->n_loose < n) {
		unsigned more = plx_depot_get_chunks(mp, &mp->loose[mp->n_loose], 1);

		if (more == 0)
			break;
		PLX_WRITE_ONCE(mp->n_loose, mp->n_loose + more);
	}
	enough = mp->n_loose >= n;
	if (enough) {
		PLX_WRITE_ONCE(mp->n_loose, mp->n_loose - n);
		plx_ptrs_copy(objs, &mp->loose[mp->n_loose], n);
	}
	unlock(mp);
	return enough;
}

/* n < CHUNK */
static void put_loose(struct plx_mempool *mp, void *const *objs, unsigned n)
{
	lock(mp);
	if (mp->n_loose + n > LOOSE_MAX)
		PLX_WRITE_ONCE(mp->n_loose,
			mp->n_loose - put_chunks(mp, &mp->loose[mp->n_loose - CHUNK], CHUNK));
	if (mp->n_loose + n <= PLX_ARRAY_SIZE(mp->loose)) {
		plx_ptrs_copy(&mp->loose[mp->n_loose], objs, n);
		PLX_WRITE_ONCE(mp->n_loose, mp->n_loose + n);
	}
	unlock(mp);
}

bool plx_depot_get(struct plx_mempool *mp, void **objs, unsigned n)
{
	unsigned got = 0, more;

	do {
		more = n - got < CHUNK ? 0
				       : plx_depot_get_chunks(mp, objs + got, (n - got) / CHUNK);
		got += more;
	} while (more != 0);
	if (got == n || (n - got <= LOOSE_MAX && get_loose(mp, objs + got, n - got)))
		return true;
	if (got != 0)
		plx_depot_put(mp, objs, got);
	return false;
}

void plx_depot_put(struct plx_mempool *mp, void *const *objs, unsigned n)
{
	unsigned put = n < CHUNK ? 0 : put_chunks(mp, objs, n);

	/* More than CHUNK is left only when objects were put twice: then these are lost. */
	if (n - put != 0 && n - put < CHUNK)
		put_loose(mp, objs + put, n - put);
}

void plx_depot_init(struct plx_mempool *mp)
{
	uint32_t at = mp->n;
	void *objs[CHUNK];

	mp->full = mp->empty = mp->lock = 0;
	mp->n_loose = 0;
	for (uint32_t i = mp->n_chunks; i != 0; i--) {
		const struct chunks c = {i, i, 1};

		push(mp, &mp->empty, &c);
	}
	/* The first objects of the pool come out first. */
	while (at != 0) {
		uint32_t k = at % CHUNK == 0 ? CHUNK : at % CHUNK;

		at -= k;
		for (uint32_t i = 0; i < k; i++)
			objs[i] = plx_mempool_obj(mp, at + i);
		plx_depot_put(mp, objs, k);
	}
}

uint32_t plx_mempool_avail(const struct plx_mempool *mp)
{
	uint64_t top = __atomic_load_n(&mp->full, __ATOMIC_ACQUIRE);
	/* Acquire: depth of the chunk on top. */
	uint32_t n = (top & TOP_INDEX) == 0 ? 0 : PLX_READ_ONCE(chunk_at(mp, top)->depth) * CHUNK;

	n += PLX_READ_ONCE(mp->n_loose);
	return n < mp->n ? n : mp->n;
}
