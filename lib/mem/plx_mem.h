/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The context, and memory that devices may reach.
 *
 * A context is the only root object: it owns memory, IOMMU domains, the log sink and every device
 * opened in it. A process may have any number of them; they share nothing but the allocator of
 * I/O addresses, which keeps their ranges disjoint, so that a buffer handed to another context's
 * device faults in the IOMMU instead of leaking.
 *
 * Memory has three classes, by who may touch it:
 *
 *   private   headers, rings of pointers, queue structs: this process alone. plx_priv_alloc().
 *   device    descriptor rings and the like: one IOMMU domain. plx_dma_alloc() (mem_lib.h).
 *   data      packet and I/O data rooms: all devices of the context. plx_arena_create().
 *
 * An arena is a growing set of extents. An extent is one piece of a file (fd, offset, length), one
 * mapping of it in this process and one I/O address, which it keeps for life: the same in every
 * domain, congruent with the virtual address modulo the page size. I/O addresses start at 4 GiB
 * and are handed out compactly, with an unmapped gap after each extent.
 *
 * Threads: calls on one context may come from any thread, one at a time for each object, unless
 * a comment says otherwise. None of them belongs on a burst path.
 */
#ifndef PLX_MEM_H
#define PLX_MEM_H

#include "plx_base.h"
#include "plx_cpu.h"
#include "plx_log.h"

PLX_BEGIN_DECLS

struct plx_ctx;
struct plx_arena;
struct plx_memreg;

/** Page sizes for arenas and private memory. */
enum plx_huge {
	PLX_HUGE_AUTO, /**< the largest that works: 2 MiB, transparent, 4 KiB (1 GiB only if asked) */
	PLX_HUGE_1G,   /**< 1 GiB pages or -ENOMEM */
	PLX_HUGE_2M,   /**< 2 MiB pages or -ENOMEM */
	PLX_HUGE_NONE, /**< the system's base pages */
};

/** What plx_ctx_open() takes; start from PLX_CTX_OPTS_INIT. */
struct plx_ctx_opts {
	size_t size;                  /**< sizeof(struct plx_ctx_opts) */
	enum plx_huge huge;           /**< page size of all memory of the context */
	enum plx_isa isa;             /**< the best instruction set that burst functions may use */
	int node;                     /**< NUMA node of memory without a device; -1: the caller's */
	enum plx_log_level log_level; /**< messages above it are not made */
	plx_log_fn log_fn;            /**< NULL: lines on standard error */
	void *log_arg;                /**< first argument of log_fn */
	const char *stats_path;       /**< file for counters (plx_stats.h); NULL: in memory */
	uint64_t stall_ns;            /**< watchdog limit of queues in ns; 0: off */
	bool control_thread;          /**< a thread of the context calls plx_ctx_poll() */
};

#define PLX_CTX_OPTS_INIT                                                                        \
	{                                                                                        \
		.size = sizeof(struct plx_ctx_opts), .huge = PLX_HUGE_AUTO, .isa = PLX_ISA_AUTO, \
		.node = -1, .log_level = PLX_LOG_WARN, .log_fn = NULL, .log_arg = NULL,          \
		.stats_path = NULL, .stall_ns = 2000000000u, .control_thread = false             \
	}

/**
 * Opens a context.
 *
 * @param opts NULL for the defaults.
 * @param ctx  out: the context; untouched on failure.
 * @return 0, or
 *   -EINVAL (an option out of range), -ENOMEM, -EMFILE, or what opening the counters' file gave.
 * Any thread.
 */
PLX_API
int plx_ctx_open(const struct plx_ctx_opts *opts, struct plx_ctx **ctx);

/**
 * Closes a context and all that is still open in it: ports, pools, arenas, in reverse order of
 * their opening. No thread may be inside a call on any of them; not from control work. NULL is
 * allowed.
 */
PLX_API
void plx_ctx_close(struct plx_ctx *ctx);

/**
 * Does the control work that is due: link changes, the watchdog, driver timers, protocol messages.
 * Returns the number of pieces of work done. Never blocks. Call it from one thread at a time, a
 * few times a second at least, or when plx_ctx_fd() is readable. With control_thread the context
 * does so itself and this call returns -EBUSY. From within control work it returns 0.
 */
PLX_API
int plx_ctx_poll(struct plx_ctx *ctx);

/** A descriptor that polls readable when plx_ctx_poll() has work. Owned by the context. */
PLX_API
int plx_ctx_fd(const struct plx_ctx *ctx);

/** The context's log, for programs that want one sink for all. */
PLX_API
struct plx_log *plx_ctx_log(struct plx_ctx *ctx);

/** The best instruction set that may be used here: the context's option, or less if the CPU has less. */
PLX_API
enum plx_isa plx_ctx_isa(const struct plx_ctx *ctx);

/* ---- arenas ---- */

/** Flags of an arena. */
enum {
	PLX_SHARE = 1u << 0,         /**< may be sent to peers that are no devices (vhost-user) */
	PLX_DMA_TO_DEVICE = 1u << 1, /**< devices may read it and not write it */
};

struct plx_arena_opts {
	size_t size;      /**< sizeof(struct plx_arena_opts) */
	const char *name; /**< for messages; copied */
	uint32_t flags;   /**< PLX_SHARE | PLX_DMA_TO_DEVICE */
	int node;         /**< NUMA node; -1: the context's */
	size_t reserve;   /**< bytes to have from the start; 0: grows when first used */
};

#define PLX_ARENA_OPTS_INIT                                                                     \
	{                                                                                       \
		.size = sizeof(struct plx_arena_opts), .name = "arena", .flags = 0, .node = -1, \
		.reserve = 0                                                                    \
	}

/** A piece of memory that devices can reach. */
struct plx_dma {
	void *va;
	uint64_t iova;
	size_t len;
};

/**
 * Makes an arena of data memory and maps it for all devices of the context.
 * @return 0, -EINVAL, -ENOMEM (what was asked, what there is, how to get more),
 *   -ENOSPC (no I/O addresses that every device of the context can use).
 */
PLX_API
int plx_arena_create(
	struct plx_ctx *ctx, const struct plx_arena_opts *opts, struct plx_arena **arena);

/** Unmaps it from every device and frees it. Nothing of it may be in use. NULL is allowed. */
PLX_API
void plx_arena_destroy(struct plx_arena *arena);

/**
 * Cuts len bytes out of the arena, zeroed, contiguous in both address spaces, growing it by an
 * extent (at least doubling) if need be.
 * @param len bytes; pieces take whole cache lines, so that two never share one.
 * @param align a power of two up to 2 MiB, or up to the page size if that is larger; of both the
 *   virtual and the I/O address.
 * @return 0, -EINVAL (len is 0 or absurd, align), -ENOMEM, -ENOSPC; *out is untouched then. When
 *   there is no room to double, the extent is made as large as needed and no larger.
 */
PLX_API
int plx_arena_alloc(struct plx_arena *arena, size_t len, size_t align, struct plx_dma *out);

/**
 * Gives back what plx_arena_alloc() gave, and clears *dma. What is not in use with this address and
 * length is logged and not freed. A cleared *dma is fine.
 */
PLX_API
void plx_arena_free(struct plx_arena *arena, struct plx_dma *dma);

/** What an arena consists of. */
struct plx_extent {
	void *va;        /**< this process's mapping */
	uint64_t iova;   /**< I/O address, the same in every domain */
	uint64_t len;    /**< bytes */
	uint64_t page;   /**< page size the mapping is made of */
	int fd;          /**< the file behind it, -1 for registered memory without one */
	uint64_t offset; /**< in that file */
	uint32_t flags;  /**< PLX_SHARE, PLX_DMA_TO_DEVICE */
};

/** Fills up to max extents, the oldest first; returns how many there are. */
PLX_API
size_t plx_arena_extents(const struct plx_arena *arena, struct plx_extent *out, size_t max);

/** The context it belongs to, and its flags. */
PLX_API
struct plx_ctx *plx_arena_ctx(const struct plx_arena *arena);
PLX_API
uint32_t plx_arena_flags(const struct plx_arena *arena);

/* ---- the program's own memory ---- */

/**
 * Lets the devices of the context reach the program's own memory without a copy.
 *
 * @param va  page aligned; len a multiple of the page size. It must stay mapped as it is until it
 *   is unregistered. Private domains do not get it.
 * @param fd  the file behind it and offset there, or -1: then only devices behind VFIO can use it,
 *   and those of vfio-user servers that ask for memory by message. The registration keeps a
 *   descriptor of its own.
 * @param out the registration; its I/O address is plx_memreg_iova().
 * @return 0, -EINVAL, -EEXIST (overlaps a registration or an arena), -ENOTSUP (a device of the context needs
 *   an fd), -ENOMEM, -ENOSPC.
 */
PLX_API
int plx_mem_register(struct plx_ctx *ctx, void *va, size_t len, int fd, uint64_t offset,
	uint32_t flags, struct plx_memreg **out);

/**
 * Ends it; devices do not reach the memory afterwards.
 * @return 0, or -EBUSY while it is held: by plx_memreg_hold(), or by an mbuf with an external buffer in it
 *   (plx_mbuf_attach_ext()) that is not free yet. Those that a TX queue was done with are freed by
 *   plx_tx_reclaim(). Nothing has changed then; call it again.
 */
PLX_API
int plx_mem_unregister(struct plx_memreg *reg);

/** I/O address of the registration's first byte. */
PLX_API
uint64_t plx_memreg_iova(const struct plx_memreg *reg);

/** Holds and releases a registration for I/O in flight; as often as wanted. Any thread. */
PLX_API
void plx_memreg_hold(struct plx_memreg *reg);
PLX_API
void plx_memreg_release(struct plx_memreg *reg);

/* ---- private memory ---- */

/**
 * Zeroed memory of this process alone, cache-line aligned, on huge pages where it is large and
 * they can be had, bound to a node (-1: the context's). Never mapped for a device.
 * NULL with plx_errmsg() set when there is none. From 256 KiB on it is all present at once, a
 * mapping of its own; below, it comes from the C library's heap, and node is not looked at.
 */
PLX_API
void *plx_priv_alloc(struct plx_ctx *ctx, size_t len, int node);
/** Frees what plx_priv_alloc() gave; len is the one that was asked for there. NULL is allowed. */
PLX_API
void plx_priv_free(struct plx_ctx *ctx, void *p, size_t len);

PLX_END_DECLS

#endif
