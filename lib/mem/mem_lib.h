/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What transports, drivers and the libraries above need of the context and of memory.
 */
#ifndef MEM_LIB_H
#define MEM_LIB_H

#include <pthread.h>

#include "plx_mem.h"
#include "plx_stats.h"

PLX_BEGIN_DECLS

/* ---- what is open in a context ---- */

/*
 * An object that plx_ctx_close() closes if the program did not, the newest first. Embedded in the
 * object; close is called without any lock, may close other children, and ends in
 * plx_ctx_child_del(), as does the object's own close call. Any thread.
 */
struct plx_ctx_child {
	struct plx_ctx_child *prev, *next;
	void (*close)(struct plx_ctx_child *child);
	bool closes_first; /* a port: before the pools, whenever they were made; set before adding */
};
/* Has close(child) called at plx_ctx_close(), and (del) no longer. */
PLX_API
void plx_ctx_child_add(struct plx_ctx *ctx, struct plx_ctx_child *child,
	void (*close)(struct plx_ctx_child *child));
PLX_API
void plx_ctx_child_del(struct plx_ctx *ctx, struct plx_ctx_child *child);

/*
 * One pointer a library keeps in the context. The key is the address of something of the
 * library's own. free_fn(data) runs at the end of plx_ctx_close(), when devices and arenas are gone,
 * the newest slot first; NULL: nothing runs. Any thread.
 */

/* The pointer, or NULL. */
PLX_API
void *plx_ctx_slot(struct plx_ctx *ctx, const void *key);
/*
 * -EEXIST: the key has one already (another thread was faster: free yours, take that one); -ENOMEM.
 * data = NULL takes the pointer out without calling its free_fn.
 */
PLX_API
int plx_ctx_slot_set(struct plx_ctx *ctx, const void *key, void *data, void (*free_fn)(void *data));

/*
 * A list of what a program adds to the context for as long as it is open, under a key as above. Any
 * thread, also several at once: what is in it stays.
 */
struct plx_ctx_item {
	struct plx_ctx_item *next; /* older ones */
	const void *item;
};
/* -EEXIST: same(other, item) holds for one that is there; -ENOMEM. */
PLX_API
int plx_ctx_item_add(struct plx_ctx *ctx, const void *key, const void *item,
	bool (*same)(const void *a, const void *b));
/* The newest, or NULL. */
PLX_API
const struct plx_ctx_item *plx_ctx_items(struct plx_ctx *ctx, const void *key);

/*
 * As plx_ctx_slot_set(), for what the first that asks makes: returns what the slot has now, which is
 * another thread's, and data gone through free_fn, where that was faster. NULL, with data gone as
 * well: -ENOMEM, and the message.
 */
PLX_API
void *plx_ctx_slot_offer(
	struct plx_ctx *ctx, const void *key, void *data, void (*free_fn)(void *data));

/* The counters, never NULL; the watchdog's limit (0: off); the node of memory without a device. */
PLX_API
struct plx_stats *plx_ctx_stats(struct plx_ctx *ctx);
PLX_API
uint64_t plx_ctx_stall_ns(const struct plx_ctx *ctx);
PLX_API
int plx_ctx_node(const struct plx_ctx *ctx);

/* ---- control work ---- */

/*
 * A piece of control work: fn runs in plx_ctx_poll() when period_ns have passed since its last run
 * (0: no timer) or when fd is readable (-1: none), hung up or in error. One at a time within a
 * context, and each at most once in a call of plx_ctx_poll(): what becomes due meanwhile keeps
 * plx_ctx_fd() readable for the next one. The first run is period_ns after plx_work_add(). fn may
 * change period_ns, may add, delete and kick work, its own too, and may free the work it deleted.
 * Zero the struct before its first use.
 */
struct plx_work {
	void (*fn)(struct plx_work *work, uint64_t now_ns);
	uint64_t period_ns;
	int fd;
	/* the context's own */
	struct plx_work *prev, *next;
	uint64_t due_ns, pass;
	bool linked, ready;
};
/* -EEXIST: it is added already, or fd is watched by another work; else epoll_ctl(2)'s. Any thread. */
PLX_API
int plx_work_add(struct plx_ctx *ctx, struct plx_work *work);
/*
 * Returns when fn is not running and will not run again (at once, from within fn): do not hold a
 * lock over it that fn takes. Close fd after it. Of work that is not added: nothing. Any thread.
 */
PLX_API
void plx_work_del(struct plx_ctx *ctx, struct plx_work *work);
/* Makes it due now, also while it runs. Never waits for fn. Any thread. */
PLX_API
void plx_work_kick(struct plx_ctx *ctx, struct plx_work *work);

/* ---- memory sources ---- */

struct plx_mem_req {
	uint64_t len;       /* bytes, a multiple of 4 KiB */
	enum plx_huge huge; /* AUTO: ordinary pages; 2 MiB ones have been asked for before */
	int node;           /* -1: any */
	uint32_t flags;     /* PLX_SHARE, PLX_DMA_TO_DEVICE */
	const char *name;   /* shown in /proc/PID/maps where the source can */
};

/*
 * Where extents come from. get() fills fd, offset, len (>= req->len), page and flags of *ext for
 * the I/O address that the caller has reserved in ext->iova, and maps nothing: lib/mem maps, binds
 * to the node, populates. round() says, before an I/O address is reserved, what length and page
 * size get() would give. A source whose memory the device sees at fixed places says so with a
 * window of I/O addresses. The default source makes a memfd for each extent.
 *
 * get() sets plx_errmsg(); after -ENOMEM less may be asked for, or smaller pages. put() takes back
 * what get() gave. All are called with the context's memory locked, and call nothing of lib/mem
 * that takes memory of the same context.
 */
struct plx_mem_source;
struct plx_mem_source_ops {
	const char *name;
	int (*round)(struct plx_mem_source *src, const struct plx_mem_req *req, uint64_t *len,
		uint64_t *page);
	int (*get)(
		struct plx_mem_source *src, const struct plx_mem_req *req, struct plx_extent *ext);
	void (*put)(struct plx_mem_source *src, struct plx_extent *ext);
};
struct plx_mem_source {
	const struct plx_mem_source_ops *ops;
	uint64_t iova_first, iova_last; /* window; 0, 0: anywhere */
};

/*
 * Makes the context take its memory from src from now on. -EBUSY, with the remedy, when the
 * context already has arenas or another transport's source; 0 when src is already its source. src
 * must outlive the context's arenas: a transport keeps it in a slot.
 */
PLX_API
int plx_ctx_set_source(struct plx_ctx *ctx, struct plx_mem_source *src);
/*
 * Takes src out of the context again, which then has its default source. -EBUSY: there are arenas, which
 * may be of it. Nothing happens when it is not the context's.
 */
PLX_API
int plx_ctx_unset_source(struct plx_ctx *ctx, struct plx_mem_source *src);
/* The source it takes memory from. */
PLX_API
struct plx_mem_source *plx_ctx_source(struct plx_ctx *ctx);

/* ---- IOMMU domains ---- */

struct plx_range {
	uint64_t first, last; /* both inclusive */
};

/*
 * An I/O address space: one for the context's devices behind one transport, or, private, for one
 * IOMMU group. map() makes the extent reachable at ext->iova, write-protected from the device if
 * ext->flags has PLX_DMA_TO_DEVICE; it sets plx_errmsg(), before which the domain's name is put.
 * ext->fd is -1 for registered memory without a file: -ENOTSUP where map() needs one. unmap() of what
 * was mapped cannot fail in a way anyone could mend. Both are called with the context's memory
 * locked, and call nothing of lib/mem that takes memory of the same context.
 */
struct plx_domain;
struct plx_domain_ops {
	const char *name;
	int (*map)(struct plx_domain *dom, const struct plx_extent *ext);
	void (*unmap)(struct plx_domain *dom, const struct plx_extent *ext);
};
struct plx_domain {
	const struct plx_domain_ops *ops;
	const char *name;                  /* for messages: "qemu:/run/q.sock" */
	bool is_private;                   /* only arenas named with plx_domain_map() */
	const struct plx_range *apertures; /* where it can map; NULL: everywhere */
	size_t n_apertures;
	/* lib/mem's own */
	struct plx_ctx *ctx;
	struct plx_domain *next;
	struct plx_arena *device; /* device memory, made on demand */
};

/*
 * Adds a domain to the context and, unless it is private, maps every data arena there is.
 * On failure nothing is mapped: -ENOSPC when an arena lies outside the apertures, -EEXIST when it is
 * in the context, or map()'s error. dom must live until plx_domain_del().
 */
PLX_API
int plx_domain_add(struct plx_ctx *ctx, struct plx_domain *dom);
/*
 * Says where dom, in a context or not, can map from now on: another device may have joined it. The
 * array stays the caller's; the one before may be freed afterwards. What is mapped stays mapped.
 */
PLX_API
void plx_domain_set_apertures(struct plx_domain *dom, const struct plx_range *apertures, size_t n);
/*
 * Unmaps all and takes it out of the context. Device memory of it should have been freed: what is
 * left is logged and freed. Nothing happens to a domain that is in no context.
 */
PLX_API
void plx_domain_del(struct plx_domain *dom);
/*
 * Maps one arena into a private domain (and all that it will grow). Idempotent; an arena of data is
 * in other domains anyway. -EXDEV: the arena is of another context; -EINVAL: it is device memory;
 * -ENOMEM, -ENOSPC, or map()'s error.
 */
PLX_API
int plx_domain_map(struct plx_domain *dom, struct plx_arena *arena);
/* Is all of this arena mapped in dom? */
PLX_API
bool plx_domain_has(const struct plx_domain *dom, const struct plx_arena *arena);

/*
 * Device memory: zeroed, len bytes, aligned (a power of two up to 2 MiB), mapped in this domain
 * alone. -EINVAL, -ENOMEM, -ENOSPC. The first extent is 64 KiB, or one huge page; none is given
 * back before plx_domain_del(). plx_dma_free() clears *dma; a cleared one is fine, and a wrong one
 * is logged and not freed.
 */
PLX_API
int plx_dma_alloc(struct plx_domain *dom, size_t len, size_t align, struct plx_dma *out);
PLX_API
void plx_dma_free(struct plx_domain *dom, struct plx_dma *dma);

PLX_END_DECLS

#endif
