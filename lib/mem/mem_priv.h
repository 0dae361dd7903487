/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside lib/mem.
 *
 * Locks, in the order in which they are taken: ctx->mem (arenas, extents, domains, registrations,
 * the source; held over calls of a source's and a domain's operations), then the I/O address
 * allocator's own. ctx->lock (children, slots) and ctx->work.lock are taken alone.
 */
#ifndef MEM_PRIV_H
#define MEM_PRIV_H

#include "mem_lib.h"

enum { MEM_KIB = 1024, MEM_MIB = 1024 * 1024, MEM_2M = 2 * MEM_MIB };
#define MEM_1G (UINT64_C(1) << 30)

/* ---- I/O addresses (iova.c) ---- */

struct iova_ask {
	uint64_t len;   /* bytes */
	uint64_t align; /* power of two */
	uint64_t phase; /* the address is this modulo align */
	uint64_t first; /* the lowest it may be; 0: 4 GiB */
	/*
	 * Moves *at up to the next address where [*at, *at + len) may lie, or returns false with
	 * *why saying who does not allow it. NULL: anywhere.
	 */
	bool (*fit)(const void *arg, uint64_t len, uint64_t *at, const char **why);
	const void *arg;
	const char *vfio_dir; /* /sys/bus/pci/drivers/vfio-pci, or a test's */
};
#define IOVA_FIRST (UINT64_C(1) << 32)
#define IOVA_GAP   (UINT64_C(64) * MEM_KIB)

int plx_iova_get(const struct iova_ask *ask, uint64_t *iova);
void plx_iova_put(uint64_t iova);
size_t plx_iova_count(void);

/* The next address from *at on where len bytes meet none of the n ranges. */
void plx_iova_avoid(const struct plx_range *r, size_t n, uint64_t len, uint64_t *at);
/* The same, inside one of the ranges (NULL: everywhere). False: there is none. */
bool plx_iova_inside(const struct plx_range *r, size_t n, uint64_t len, uint64_t *at);

/* Reserved regions of the devices bound to vfio-pci (reserved.c). Caller frees *out. */
int plx_iova_reserved(const char *vfio_dir, struct plx_range **out, size_t *n);

/* ---- pages (pages.c) ---- */

uint64_t plx_page_base(void);
/* The largest huge page size for 2M or 1G, 0: the kernel has none. */
uint64_t plx_page_huge(enum plx_huge huge);
/* Prefers a node (-1: none) for memory not yet touched. */
void plx_page_bind(void *va, size_t len, int node);
/* Makes all of it present and writable, or -ENOMEM. fd, off: the file behind it, or -1. */
int plx_page_populate(void *va, size_t len, uint64_t page, int fd, uint64_t off);
/* What plx_page_populate() does on kernels before 5.14. */
int plx_page_touch(void *va, size_t len, uint64_t page, int fd, uint64_t off);
/* Sets the message: asked, page size, free, remedy. Returns -ENOMEM. */
int plx_page_none(uint64_t len, uint64_t page);
/* "64 KiB". Returns buf. */
struct size_text {
	char s[32];
};
const char *plx_size_text(struct size_text *buf, uint64_t n);
/* Maps len bytes of fd (-1: nothing, address space alone) at an address that is phase modulo align. */
int plx_page_map(size_t len, uint64_t align, uint64_t phase, int fd, uint64_t off, void **va);

/* ---- extents (extent.c) ---- */

/* A piece of an extent, in order of its place; kept apart from memory that a device can write. */
struct mem_block {
	struct mem_block *prev, *next;
	uint64_t off, len;
	uint64_t used; /* bytes asked for; 0: free */
};

struct mem_extent {
	struct mem_extent *next;
	struct plx_extent e;
	struct plx_mem_source *src;
	uint64_t align; /* VA and I/O address are multiples of it */
	struct mem_block *blocks;
	/* how far it is made */
	bool has_iova, has_file, has_va, mapped;
};

struct plx_arena {
	struct plx_arena *prev, *next; /* in ctx */
	struct plx_ctx *ctx;
	char name[48];
	uint32_t flags;
	int node;
	uint64_t min;            /* bytes of the first extent */
	struct plx_domain *only; /* device memory: of this domain */
	struct mem_extent *first, *last;
	struct plx_domain **private_in; /* private domains that it is mapped in */
	size_t n_private_in;
};

/* All with ctx->mem held. */
int plx_extent_new(struct plx_arena *arena, uint64_t len, uint64_t align, struct mem_extent **out);
void plx_extent_free(struct plx_arena *arena, struct mem_extent *x);

/* ---- arenas (arena.c), with ctx->mem held ---- */

int plx_arena_new(struct plx_ctx *ctx, const struct plx_arena_opts *opts, struct plx_domain *only,
	struct plx_arena **out);
void plx_arena_delete(struct plx_arena *arena);
int plx_arena_cut(struct plx_arena *arena, size_t len, size_t align, struct plx_dma *out);
void plx_arena_uncut(struct plx_arena *arena, struct plx_dma *dma);
uint64_t plx_arena_used(const struct plx_arena *arena);

/* ---- domains (domain.c), with ctx->mem held ---- */

/* Is this arena (NULL: registered memory) to be mapped in dom? */
bool plx_domain_wants(const struct plx_domain *dom, const struct plx_arena *arena);
/* Maps an extent of an arena (or registered memory, NULL) in all domains that want it, or in none. */
int plx_domains_map(struct plx_ctx *ctx, const struct plx_arena *arena, const struct plx_extent *e);
void plx_domains_unmap(
	struct plx_ctx *ctx, const struct plx_arena *arena, const struct plx_extent *e);
/* iova_ask's fit for memory of this arena (NULL: registered memory). */
struct domain_fit {
	const struct plx_ctx *ctx;
	const struct plx_arena *arena;
	const struct plx_mem_source *src; /* NULL: none */
};
bool plx_domains_fit(const void *arg, uint64_t len, uint64_t *at, const char **why);

/* ---- registered memory (memreg.c) ---- */

struct plx_memreg {
	struct plx_memreg *prev, *next;
	struct plx_ctx *ctx;
	struct plx_extent e;
	uint32_t held;
};
void plx_memreg_delete(struct plx_memreg *reg);

/* ---- control work (work.c) ---- */

struct work_state {
	pthread_mutex_t lock;
	pthread_cond_t idle; /* a piece of work has returned */
	struct plx_work *head, *tail;
	struct plx_work *cursor; /* the next one that this pass looks at */
	struct plx_work *running;
	pthread_t runner; /* valid while polling */
	bool polling;
	bool deleted; /* running was deleted since it was called */
	uint64_t pass;
	uint64_t armed_ns; /* what the timer is set to, 0: not set */
	int epoll, timer, event;
	pthread_t thread;
	bool has_thread, stop, ready;
};
int plx_work_open(struct plx_ctx *ctx);
int plx_work_thread(struct plx_ctx *ctx);
void plx_work_stop(struct plx_ctx *ctx);
void plx_work_close(struct plx_ctx *ctx);

/* ---- the context (ctx.c, child.c) ---- */

struct ctx_slot {
	struct ctx_slot *next;
	const void *key;
	void *data;
	void (*free_fn)(void *data);
};

struct plx_ctx {
	struct plx_log log;
	enum plx_huge huge;
	enum plx_isa isa;
	int node;
	uint64_t stall_ns;
	const char *vfio_dir;
	struct plx_stats *stats;

	pthread_mutex_t lock;
	struct plx_ctx_child *children; /* the last one added; prev leads to older ones */
	struct ctx_slot *slots;         /* the newest first */

	pthread_mutex_t mem;
	struct plx_mem_source memfd;
	struct plx_mem_source *source; /* &memfd, unless a transport brought its own */
	struct plx_domain *domains;
	struct plx_arena *arenas;
	struct plx_memreg *memregs;

	struct work_state work;
};

void plx_ctx_children_close(struct plx_ctx *ctx);
void plx_ctx_slots_free(struct plx_ctx *ctx);

/* The default source (source_memfd.c). */
extern const struct plx_mem_source_ops plx_source_memfd;

#endif
