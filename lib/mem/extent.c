/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making an extent: I/O address, file, mapping at a congruent address, node, pages, domains. All
 * with ctx->mem held.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "mem_priv.h"

/* Callable for an extent made to any point. */
void plx_extent_free(struct plx_arena *arena, struct mem_extent *x)
{
	struct mem_block *b = x->blocks, *next;

	if (x->mapped)
		plx_domains_unmap(arena->ctx, arena, &x->e);
	if (x->has_va)
		munmap(x->e.va, x->e.len);
	if (x->has_file)
		x->src->ops->put(x->src, &x->e);
	if (x->has_iova)
		plx_iova_put(x->e.iova);
	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(x);
}

static int reserve_iova(struct plx_arena *arena, struct mem_extent *x, uint64_t len)
{
	const struct domain_fit fit = {arena->ctx, arena, x->src};
	const struct iova_ask ask = {
		.len = len,
		.align = x->align,
		/* A source with a window knows what is below 4 GiB; never address 0. */
		.first = x->src->iova_last == 0 ? 0 : PLX_MAX(x->src->iova_first, x->align),
		.fit = plx_domains_fit,
		.arg = &fit,
		.vfio_dir = arena->ctx->vfio_dir,
	};
	int err = plx_iova_get(&ask, &x->e.iova);

	x->has_iova = err == 0;
	return err;
}

/* What a source says is checked: it may come from outside the tree. */
static int check_source(const struct mem_extent *x, uint64_t len, uint64_t page)
{
	if (x->e.len < len || !plx_is_pow2_u64(page) || x->e.len % page != 0 ||
		x->e.offset % page != 0 || x->e.iova % page != 0)
		return plx_err(EINVAL,
			"memory source %s: gave %llu bytes at %llu in pages of %llu, asked were %llu",
			x->src->ops->name, (unsigned long long)x->e.len,
			(unsigned long long)x->e.offset, (unsigned long long)page,
			(unsigned long long)len);
	return 0;
}

static int map_here(struct plx_arena *arena, struct mem_extent *x, enum plx_huge huge)
{
	bool thp = huge == PLX_HUGE_AUTO && x->e.page <= plx_page_base();
	int err;

	err = plx_page_map(x->e.len, x->align, x->e.iova, x->e.fd, x->e.offset, &x->e.va);
	if (err == -ENOMEM && x->e.page > plx_page_base())
		return plx_page_none(x->e.len, x->e.page);
	if (err < 0)
		return err;
	x->has_va = true;
	/* A child that inherited it could keep a device's memory alive, or write into it. */
	if (madvise(x->e.va, x->e.len, MADV_DONTFORK) < 0)
		return plx_err(errno, "MADV_DONTFORK: %s", strerror(errno));
	(void)madvise(x->e.va, x->e.len, MADV_DONTDUMP);
	if (thp && x->e.len >= MEM_2M)
		(void)madvise(x->e.va, x->e.len, MADV_HUGEPAGE);
	plx_page_bind(x->e.va, x->e.len, arena->node);
	return plx_page_populate(x->e.va, x->e.len, x->e.page, x->e.fd, x->e.offset);
}

static int make(struct plx_arena *arena, struct mem_extent *x, enum plx_huge huge, uint64_t want,
	uint64_t align)
{
	const struct plx_mem_req req = {
		.len = want,
		.huge = huge,
		.node = arena->node,
		.flags = arena->flags,
		.name = arena->name,
	};
	uint64_t len = 0, page = 0;
	int err;

	x->src = arena->ctx->source;
	err = x->src->ops->round(x->src, &req, &len, &page);
	if (err < 0)
		return err;
	/* Large ones take 2 MiB steps in both address spaces, for large pages in CPU and IOMMU. */
	x->align = PLX_MAX(align, len >= MEM_2M ? (uint64_t)MEM_2M : plx_page_base());
	x->align = PLX_MAX(x->align, page);
	err = reserve_iova(arena, x, len);
	if (err < 0)
		return err;
	x->e.fd = -1;
	err = x->src->ops->get(x->src, &req, &x->e);
	if (err < 0)
		return err;
	x->has_file = true;
	err = check_source(x, want, x->e.page);
	if (err == 0 && x->e.len > len)
		err = plx_err(
			EINVAL, "memory source %s: gave more than it said", x->src->ops->name);
	if (err == 0)
		err = map_here(arena, x, huge);
	if (err == 0)
		err = plx_domains_map(arena->ctx, arena, &x->e);
	x->mapped = err == 0;
	return err;
}

static int try(struct plx_arena *arena, enum plx_huge huge, uint64_t len, uint64_t align,
	struct mem_extent **out)
{
	struct mem_extent *x = calloc(1, sizeof(*x));
	int err;

	if (x == NULL)
		return plx_err(ENOMEM, "arena %s: no memory", arena->name);
	x->blocks = calloc(1, sizeof(*x->blocks));
	err = x->blocks == NULL ? plx_err(ENOMEM, "no memory") : make(arena, x, huge, len, align);
	if (err < 0) {
		plx_extent_free(arena, x);
		return plx_err_prefix(err, "arena %s", arena->name);
	}
	x->blocks->len = x->e.len;
	*out = x;
	return 0;
}

int plx_extent_new(struct plx_arena *arena, uint64_t len, uint64_t align, struct mem_extent **out)
{
	enum plx_huge huge = arena->ctx->huge;
	int err;

	if (huge == PLX_HUGE_AUTO) {
		err = try(arena, PLX_HUGE_2M, len, align, out);
		if (err != -ENOMEM)
			return err;
	}
	return try(arena, huge, len, align, out);
}
