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
 * An object that plx_ctx_close() closes if the program did not. Embedded in the object; close is
 * called without any lock and must end in plx_ctx_child_del().
 */
struct plx_ctx_child {
	struct plx_ctx_child *prev, *next;
	void (*close)(struct plx_ctx_child *child);
};
PLX_API
void plx_ctx_child_add(struct plx_ctx *ctx, struct plx_ctx_child *child,
	void (*close)(struct plx_ctx_child *child));
PLX_API
void plx_ctx_child_del(struct plx_ctx *ctx, struct plx_ctx_child *child);

/*
 * One pointer a library keeps in the context. The key is the address of something of the
 * library's own. free_fn(data) runs at the end of plx_ctx_close().
 */
PLX_API
void *plx_ctx_slot(struct plx_ctx *ctx, const void *key);
PLX_API
int plx_ctx_slot_set(struct plx_ctx *ctx, const void *key, void *data, void (*free_fn)(void *data));

PLX_API
struct plx_stats *plx_ctx_stats(struct plx_ctx *ctx);
PLX_API
uint64_t plx_ctx_stall_ns(const struct plx_ctx *ctx);
PLX_API
int plx_ctx_node(const struct plx_ctx *ctx);

/* ---- control work ---- */

/*
 * A piece of control work: fn runs in plx_ctx_poll() when period_ns have passed since its last run
 * (0: no timer) or when fd is readable (-1: none). One at a time within a context. fn may add and
 * delete work, its own too. plx_work_del() returns when fn is not running (or at once, from
 * within fn); do not hold a lock over it that fn takes.
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
PLX_API
int plx_work_add(struct plx_ctx *ctx, struct plx_work *work);
PLX_API
void plx_work_del(struct plx_ctx *ctx, struct plx_work *work);
/* Makes it due now. Any thread. */
PLX_API
void plx_work_kick(struct plx_ctx *ctx, struct plx_work *work);

/* ---- memory sources ---- */

struct plx_mem_req {
	uint64_t len; /* bytes, a multiple of 4 KiB */
	enum plx_huge huge;
	int node;         /* -1: any */
	uint32_t flags;   /* PLX_SHARE, PLX_DMA_TO_DEVICE */
	const char *name; /* shown in /proc/PID/maps where the source can */
};

/*
 * Where extents come from. get() fills fd, offset, len (>= req->len), page and flags of *ext for
 * the I/O address that the caller has reserved in ext->iova, and maps nothing: lib/mem maps, binds
 * to the node, populates. round() says, before an I/O address is reserved, what length and page
 * size get() would give. A source whose memory the device sees at fixed places says so with a
 * window of I/O addresses. The default source makes a memfd for each extent.
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
 * context already has arenas; 0 when src is already its source. src must outlive the context's
 * arenas: a transport keeps it in a slot.
 */
PLX_API
int plx_ctx_set_source(struct plx_ctx *ctx, struct plx_mem_source *src);
PLX_API
struct plx_mem_source *plx_ctx_source(struct plx_ctx *ctx);

/* ---- IOMMU domains ---- */

struct plx_range {
	uint64_t first, last; /* both inclusive */
};

/*
 * An I/O address space: one for the context's devices behind one transport, or, private, for one
 * IOMMU group. map() makes the extent reachable at ext->iova, write-protected from the device if
 * ext->flags has PLX_DMA_TO_DEVICE; it sets plx_errmsg(). unmap() of what was mapped cannot fail
 * in a way anyone could mend.
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
 * On failure nothing is mapped: -ENOSPC when an arena lies outside the apertures, or map()'s error.
 */
PLX_API
int plx_domain_add(struct plx_ctx *ctx, struct plx_domain *dom);
/* Unmaps all and takes it out of the context. Device memory of it must have been freed. */
PLX_API
void plx_domain_del(struct plx_domain *dom);
/* Maps one arena into a private domain (and all that it will grow). Idempotent. */
PLX_API
int plx_domain_map(struct plx_domain *dom, struct plx_arena *arena);
/* Is all of this arena mapped in dom? */
PLX_API
bool plx_domain_has(const struct plx_domain *dom, const struct plx_arena *arena);

/*
 * Device memory: zeroed, len bytes, aligned, mapped in this domain alone.
 * -EINVAL, -ENOMEM, -ENOSPC.
 */
PLX_API
int plx_dma_alloc(struct plx_domain *dom, size_t len, size_t align, struct plx_dma *out);
PLX_API
void plx_dma_free(struct plx_domain *dom, struct plx_dma *dma);

PLX_END_DECLS

#endif
