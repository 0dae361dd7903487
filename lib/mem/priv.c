/* SPDX-License-Identifier: BSD-3-Clause */
/* Private memory: never mapped for a device. */
#include <stdlib.h>
#include <sys/mman.h>

#include "mem_priv.h"

/* From here on a mapping of its own, populated and bound to a node; below, the C library's heap. */
#define LARGE ((size_t)256 * MEM_KIB)

/* Bytes of the mapping: depends on len alone, so that plx_priv_free() computes the same. 0: too many. */
static size_t mapped_len(size_t len)
{
	return plx_align_up(len, len >= MEM_MIB ? (uint64_t)MEM_2M : plx_page_base());
}

static void *map_huge(size_t len)
{
	unsigned flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (21u << MAP_HUGE_SHIFT);
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, (int)flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void *map_plain(size_t len, bool thp)
{
	void *p;

	if (plx_page_map(
		    len, len % MEM_2M == 0 ? (uint64_t)MEM_2M : plx_page_base(), 0, -1, 0, &p) < 0)
		return NULL;
	/* New pages instead of an mprotect(): PROT_NONE memory with MAP_NORESERVE is not accounted. */
	if (mmap(p, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		MAP_FAILED) {
		(void)plx_page_none(len, plx_page_base());
		munmap(p, len);
		return NULL;
	}
	if (len >= MEM_2M)
		(void)madvise(p, len, thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return p;
}

static void *populated(void *p, size_t len, uint64_t page, int node)
{
	if (p == NULL)
		return NULL;
	plx_page_bind(p, len, node);
	if (plx_page_populate(p, len, page, -1, 0) == 0)
		return p;
	munmap(p, len);
	return NULL;
}

static void *alloc_large(struct plx_ctx *ctx, size_t len, int node)
{
	size_t room = mapped_len(len);
	void *p = NULL;

	if (room < len) {
		(void)plx_err(ENOMEM, "private memory: %zu bytes are more than there can be", len);
		return NULL;
	}
	if (ctx->huge != PLX_HUGE_NONE && room % MEM_2M == 0)
		p = populated(map_huge(room), room, MEM_2M, node);
	if (p == NULL)
		p = populated(
			map_plain(room, ctx->huge != PLX_HUGE_NONE), room, plx_page_base(), node);
	return p;
}

void *plx_priv_alloc(struct plx_ctx *ctx, size_t len, int node)
{
	size_t room = plx_align_up(len == 0 ? 1 : len, PLX_CACHE_LINE);
	void *p = NULL;

	if (node < -1 || node >= plx_node_count()) {
		(void)plx_err(EINVAL, "private memory: there is no NUMA node %d", node);
		return NULL;
	}
	if (len >= LARGE)
		return alloc_large(ctx, len, node < 0 ? ctx->node : node);
	if (posix_memalign(&p, PLX_CACHE_LINE, room) != 0) {
		(void)plx_err(ENOMEM, "private memory: no %zu bytes", len);
		return NULL;
	}
	memset(p, 0, room);
	return p;
}

void plx_priv_free(struct plx_ctx *ctx, void *p, size_t len)
{
	(void)ctx;
	if (p != NULL && len >= LARGE)
		munmap(p, mapped_len(len));
	else
		free(p);
}
