/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pools of objects of one size, and caches of them.
 *
 * A pool is made with all its objects, in private memory, and never grows. An object is out (the
 * program's, between get and put), in a cache, or in the pool's depot. Caches are explicit objects
 * with one user at a time: each RX and TX queue owns one, a thread that owns no queue uses
 * plx_mempool_thread_cache(). Getting and putting through a cache is a copy of pointers; only when it
 * runs empty or full are objects moved from and to the depot, half a cache at a time.
 *
 *	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;
 *	opts.name = "flows"; opts.n = 10000; opts.obj_size = sizeof(struct flow);
 *	plx_mempool_create(ctx, &opts, &mp);
 *	plx_mempool_cache_create(ctx, 0, -1, &cache);
 *	plx_mempool_cache_bind(cache, mp);
 *	if (plx_mempool_get_bulk(cache, objs, 32) == 32) ...
 *
 * What is in caches other threads cannot get: a pool must have more objects than are out at a time
 * by the sizes of all its caches.
 *
 * The depot is a stack of chunks of PLX_MEMPOOL_CHUNK pointers that threads take and give without a
 * lock: one compare-and-swap takes several, and a thread that is preempted there holds nobody up. It
 * is last in, first out, across threads too: what one queue frees is what the next one gets while it
 * is still in the CPU's caches, however large the pool is; a ring would walk through the whole
 * pool. What does not fill a chunk is under a lock whose waiters spin shortly and then leave the
 * core; only calls without a cache and a depot that is nearly empty go there.
 *
 * Debug builds (PLX_POOL_DEBUG: -Dpool_debug=on or buildtype=debug, and then part of the
 * flags of pollux.pc) know the state of each object: one that is put twice, or that is not of
 * the pool, is reported and not taken. Under AddressSanitizer objects that are not out are poisoned.
 * Program and library must be built alike in both respects.
 */
#ifndef PLX_MEMPOOL_H
#define PLX_MEMPOOL_H

#include "plx_mem.h"
#include "plx_ring.h"

#if defined(__SANITIZE_ADDRESS__)
#define PLX_MEMPOOL_ASAN_ 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLX_MEMPOOL_ASAN_ 1
#endif
#endif
#ifdef PLX_MEMPOOL_ASAN_
#include <sanitizer/asan_interface.h>
#endif
#if defined(PLX_MEMPOOL_ASAN_) || defined(PLX_POOL_DEBUG)
#define PLX_MEMPOOL_CHECKED_ 1
#endif

PLX_BEGIN_DECLS

/** Pointers in a chunk of the depot: what moves at a time between it and the caches. */
#define PLX_MEMPOOL_CHUNK         32
/** Pointers a cache holds by default and at most. */
#define PLX_MEMPOOL_CACHE_DEFAULT 256
#define PLX_MEMPOOL_CACHE_MAX     512
/** Most objects of a pool. */
#define PLX_MEMPOOL_MAX           (UINT32_C(1) << 28)
/** Bytes of a pool's name, with its NUL; a longer one is cut. */
#define PLX_MEMPOOL_NAME_SIZE     32

/** Called once for each object, in order of index, when a pool is made. */
typedef void (*plx_mempool_obj_init)(void *arg, void *obj, uint32_t index);

/** What plx_mempool_create() takes; start from PLX_MEMPOOL_OPTS_INIT. */
struct plx_mempool_opts {
	size_t size;               /**< sizeof(struct plx_mempool_opts) */
	const char *name;          /**< for messages; copied */
	uint32_t n;                /**< objects, 1 to PLX_MEMPOOL_MAX */
	size_t obj_size;           /**< bytes of an object, at least 1 */
	size_t align;              /**< of objects: a power of two; less than 64 counts as 64 */
	int node;                  /**< NUMA node; -1: the context's */
	plx_mempool_obj_init init; /**< NULL: objects start zeroed */
	void *arg;                 /**< first argument of init */
};

#define PLX_MEMPOOL_OPTS_INIT                                                                 \
	{                                                                                     \
		sizeof(struct plx_mempool_opts), "pool", 0, 0, PLX_CACHE_LINE, -1, NULL, NULL \
	}

struct plx_mempool_chunk;
struct plx_mempool_threads;

/*
 * A pool. Visible so that it can be embedded: the fields are the library's own.
 *
 * A chunk belongs to the thread that popped it until that thread pushes it; those on the stack
 * full hold PLX_MEMPOOL_CHUNK objects each, those on the stack empty none. loose[0, n_loose)
 * belongs to the holder of the lock.
 */
struct plx_mempool {
	/* Written once. */
	char *objs;    /* the first object */
	size_t stride; /* bytes from one to the next */
	size_t obj_size;
	uint32_t n;
	uint32_t n_chunks;
	struct plx_mempool_chunk *chunks;
	uint8_t *state; /* of each object, in debug builds; else NULL */
	struct plx_mempool_threads *threads;
	struct plx_ctx *ctx;
	void *objs_mem, *depot_mem;
	size_t objs_bytes, depot_bytes;
	char name[PLX_MEMPOOL_NAME_SIZE];
	/* Tops of the stacks: index of a chunk + 1 below, a count of changes above. */
	PLX_CACHE_ALIGNED uint64_t full;
	PLX_CACHE_ALIGNED uint64_t empty;
	PLX_CACHE_ALIGNED uint64_t lock; /* a ring end's word: plx_ring_take_slow() */
	uint32_t n_loose;
	void *loose[3 * PLX_MEMPOOL_CHUNK];
};

/**
 * Objects that one thread at a time uses: objs[0, n) are the cache's. Aligned to a cache line. The
 * fields are for the inlines below.
 */
struct plx_mempool_cache {
	struct plx_mempool *pool; /**< NULL: bound to none */
	uint32_t n;               /**< objects in it */
	uint32_t limit;           /**< holds so many: size, or 0 when bound to none */
	uint32_t size;            /**< as made */
	uint32_t checked;         /**< of debug builds: objs[0, checked) are known to be good */
	size_t bytes;             /**< of this allocation */
	struct plx_ctx *ctx;
	struct plx_mempool_cache *next; /**< of threads' own caches */
	void *pad[2];
	__extension__ void *objs[];
};

/* ---- pools ---- */

/**
 * Makes a pool with all its objects. Objects are packed at align; where that would put all of them
 * at the same place in a 4 KiB page, and so in the same set of the L1 cache, they are one align
 * farther apart. It is closed with the context if not before.
 *
 * @param out the pool; untouched on failure.
 * @return 0, -EINVAL (an option out of range), -EOVERFLOW (more bytes than can be counted), -ENOMEM;
 *   the message has the arithmetic.
 * Any thread.
 */
PLX_API
int plx_mempool_create(
	struct plx_ctx *ctx, const struct plx_mempool_opts *opts, struct plx_mempool **out);

/**
 * Frees a pool. No thread may be inside a call on it, and its caches must have been freed or bound
 * elsewhere before, except threads' own ones. Objects still out become invalid: how many there
 * were is a warning in the log. NULL is allowed.
 */
PLX_API
void plx_mempool_destroy(struct plx_mempool *mp);

/** The same for a pool that is part of another object; mp's content before is ignored. */
PLX_API
int plx_mempool_init(
	struct plx_mempool *mp, struct plx_ctx *ctx, const struct plx_mempool_opts *opts);

/** Ends what plx_mempool_init() began. A zeroed pool, or one whose init failed, is allowed. */
PLX_API
void plx_mempool_fini(struct plx_mempool *mp);

/** Objects in the depot now, caches not counted. Exact while nobody else uses it. Any thread. */
PLX_API
uint32_t plx_mempool_avail(const struct plx_mempool *mp);

/** Objects that the pool was made with. */
PLX_API
uint32_t plx_mempool_size(const struct plx_mempool *mp);

/** The context it was made in. */
PLX_API
struct plx_ctx *plx_mempool_ctx(const struct plx_mempool *mp);

/** Whether obj is the address of an object of this pool, out or not. */
PLX_API
bool plx_mempool_owns(const struct plx_mempool *mp, const void *obj);

/** Object number index of the pool, as given to the init function; index < plx_mempool_size(). */
static inline void *plx_mempool_obj(const struct plx_mempool *mp, uint32_t index)
{
	return mp->objs + mp->stride * index;
}

/**
 * Gets n objects, all or none, past all caches. @return n or 0. Any thread.
 */
PLX_API
unsigned plx_mempool_get_bulk_nocache(struct plx_mempool *mp, void **objs, unsigned n);

/** Puts n objects of the pool past all caches. Any thread. */
PLX_API
void plx_mempool_put_bulk_nocache(struct plx_mempool *mp, void *const *objs, unsigned n);

/* ---- caches ---- */

/**
 * Makes a cache, bound to no pool.
 *
 * @param size pointers it holds: 0 for PLX_MEMPOOL_CACHE_DEFAULT, else PLX_MEMPOOL_CHUNK to
 *             PLX_MEMPOOL_CACHE_MAX.
 * @param node NUMA node; -1: the context's.
 * @return 0, -EINVAL, -ENOMEM.
 * Any thread.
 */
PLX_API
int plx_mempool_cache_create(
	struct plx_ctx *ctx, uint32_t size, int node, struct plx_mempool_cache **out);

/** Binds a cache to a pool (NULL: to none), after giving what it holds back to its former one. */
PLX_API
void plx_mempool_cache_bind(struct plx_mempool_cache *c, struct plx_mempool *mp);

/** Gives all that a cache holds back to its pool. */
PLX_API
void plx_mempool_cache_flush(struct plx_mempool_cache *c);

/** Flushes and frees a cache. NULL is allowed. */
PLX_API
void plx_mempool_cache_free(struct plx_mempool_cache *c);

/**
 * The calling thread's own cache of this pool, of the default size: made when first asked for, freed
 * when the thread ends or the pool does, whichever is first. Finding it costs a few nanoseconds:
 * queues own caches instead. After fork() the child has copies of the pool and of the forking
 * thread's cache; what other threads' caches held is lost to it.
 * @return NULL if there is no memory for it.
 */
PLX_API
struct plx_mempool_cache *plx_mempool_thread_cache(struct plx_mempool *mp);

/* ---- inside ---- */

/* What the inlines do when the cache has too few or too much. Same contracts. */
PLX_API
unsigned plx_mempool_get_slow(struct plx_mempool_cache *c, void **objs, unsigned n);
PLX_API
void plx_mempool_put_slow(struct plx_mempool_cache *c, void *const *objs, unsigned n);
PLX_API
bool plx_mempool_cache_fill(struct plx_mempool_cache *c, unsigned n);
PLX_API
bool plx_mempool_cache_room(struct plx_mempool_cache *c, unsigned n);

/*
 * Debug builds: notes n objects as out; notes n objects as not out, reporting and leaving out of
 * objs those that are not of the pool or not out, and returns how many are left.
 */
PLX_API
void plx_mempool_debug_get(struct plx_mempool *mp, void *const *objs, unsigned n);
PLX_API
unsigned plx_mempool_debug_put(struct plx_mempool *mp, void **objs, unsigned n);

/* Notes n objects that the cache just gave away as out. */
static inline void plx_mempool_gave_(struct plx_mempool_cache *c, void *const *objs, unsigned n)
{
#ifdef PLX_MEMPOOL_CHECKED_
	c->checked = c->n;
#ifdef PLX_POOL_DEBUG
	plx_mempool_debug_get(c->pool, objs, n);
#endif
#ifdef PLX_MEMPOOL_ASAN_
	for (unsigned i = 0; i < n; i++)
		ASAN_UNPOISON_MEMORY_REGION(objs[i], c->pool->obj_size);
#endif
#else
	(void)c;
	(void)objs;
	(void)n;
#endif
}

/*
 * Takes a look at the objects that came into the cache since the last look. That of a zero-copy put
 * is at the cache's next use, when the pointers have been written.
 */
static inline void plx_mempool_look_(struct plx_mempool_cache *c)
{
#ifdef PLX_MEMPOOL_CHECKED_
	if (c->n > c->checked) {
#ifdef PLX_POOL_DEBUG
		c->n = c->checked +
		       plx_mempool_debug_put(c->pool, &c->objs[c->checked], c->n - c->checked);
#endif
#ifdef PLX_MEMPOOL_ASAN_
		for (; c->checked < c->n; c->checked++)
			ASAN_POISON_MEMORY_REGION(c->objs[c->checked], c->pool->obj_size);
#endif
		c->checked = c->n;
	}
#else
	(void)c;
#endif
}

/* ---- through a cache ---- */

/**
 * Gets n objects, all or none; their content is what it was when they were put.
 * @return n, or 0: fewer are in cache and depot together.
 * The thread that uses the cache.
 */
static inline unsigned plx_mempool_get_bulk(struct plx_mempool_cache *c, void **objs, unsigned n)
{
	plx_mempool_look_(c);
	if (plx_unlikely(n > c->n))
		return plx_mempool_get_slow(c, objs, n);
	c->n -= n;
	plx_ptrs_copy(objs, &c->objs[c->n], n);
	plx_mempool_gave_(c, objs, n);
	return n;
}

/** Puts n objects of the cache's pool. Does not fail. The thread that uses the cache. */
static inline void plx_mempool_put_bulk(struct plx_mempool_cache *c, void *const *objs, unsigned n)
{
	plx_mempool_look_(c);
	if (plx_unlikely(c->n + n > c->limit)) {
		plx_mempool_put_slow(c, objs, n);
		return;
	}
	plx_ptrs_copy(&c->objs[c->n], objs, n);
	c->n += n;
	plx_mempool_look_(c);
}

/**
 * Gets n objects without a copy.
 * @param n up to the cache's size.
 * @return the n pointers, which are valid until the cache's next use; NULL: there are fewer, none
 *   was taken.
 * The thread that uses the cache.
 */
static inline void **plx_mempool_cache_get_zc(struct plx_mempool_cache *c, unsigned n)
{
	plx_mempool_look_(c);
	if (plx_unlikely(n > c->n) && !plx_mempool_cache_fill(c, n))
		return NULL;
	c->n -= n;
	plx_mempool_gave_(c, &c->objs[c->n], n);
	return &c->objs[c->n];
}

/**
 * Puts n objects without a copy.
 * @param n up to the cache's size.
 * @return where the caller must write the n pointers before the cache's next use. NULL: n is more
 *   than the cache's size, or it is bound to no pool.
 * The thread that uses the cache.
 */
static inline void **plx_mempool_cache_put_zc(struct plx_mempool_cache *c, unsigned n)
{
	plx_mempool_look_(c);
	if (plx_unlikely(c->n + n > c->limit) && !plx_mempool_cache_room(c, n))
		return NULL;
	c->n += n;
	return &c->objs[c->n - n];
}

/* ---- the same as functions ---- */

PLX_API
void *plx_mempool_obj_fn(const struct plx_mempool *mp, uint32_t index);
PLX_API
unsigned plx_mempool_get_bulk_fn(struct plx_mempool_cache *c, void **objs, unsigned n);
PLX_API
void plx_mempool_put_bulk_fn(struct plx_mempool_cache *c, void *const *objs, unsigned n);
PLX_API
void **plx_mempool_cache_get_zc_fn(struct plx_mempool_cache *c, unsigned n);
PLX_API
void **plx_mempool_cache_put_zc_fn(struct plx_mempool_cache *c, unsigned n);

PLX_END_DECLS

#endif
