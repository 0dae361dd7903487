/* SPDX-License-Identifier: BSD-3-Clause */
/* Arenas: extents that double, and pieces cut out of them, first fit. */
#include <stdio.h>
#include <stdlib.h>

#define PLX_LOG_TAG "mem"
#include "mem_priv.h"

/* Pieces are whole cache lines, so that two never share one. */
#define UNIT    ((uint64_t)PLX_CACHE_LINE)
#define MAX_LEN (UINT64_C(1) << 46)

int plx_arena_new(struct plx_ctx *ctx, const struct plx_arena_opts *opts, struct plx_domain *only,
	struct plx_arena **out)
{
	struct plx_arena *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL)
		return plx_err(ENOMEM, "arena %s: no memory", opts->name);
	snprintf(a->name, sizeof(a->name), "%s", opts->name);
	a->ctx = ctx;
	a->flags = opts->flags;
	a->node = opts->node < 0 ? ctx->node : opts->node;
	a->only = only;
	if (opts->reserve > 0) {
		uint64_t len = plx_align_up(opts->reserve, plx_page_base());

		err = plx_extent_new(a, len, 1, &a->first);
		if (err < 0) {
			free(a);
			return err;
		}
		a->last = a->first;
	}
	a->next = ctx->arenas;
	if (ctx->arenas != NULL)
		ctx->arenas->prev = a;
	ctx->arenas = a;
	*out = a;
	return 0;
}

void plx_arena_delete(struct plx_arena *a)
{
	struct mem_extent *x = a->first, *next;

	for (; x != NULL; x = next) {
		next = x->next;
		plx_extent_free(a, x);
	}
	if (a->prev != NULL)
		a->prev->next = a->next;
	else
		a->ctx->arenas = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	free(a->private_in);
	free(a);
}

/* Splits b so that a new block after it starts at off. */
static int split(struct mem_block *b, uint64_t off)
{
	struct mem_block *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return plx_err(ENOMEM, "no memory for the list of an arena's pieces");
	n->off = off;
	n->len = b->off + b->len - off;
	n->prev = b;
	n->next = b->next;
	if (b->next != NULL)
		b->next->prev = n;
	b->next = n;
	b->len = off - b->off;
	return 0;
}

/* Joins b with the block after it. */
static void join(struct mem_block *b)
{
	struct mem_block *n = b->next;

	b->len += n->len;
	b->next = n->next;
	if (n->next != NULL)
		n->next->prev = b;
	free(n);
}

/* 1: cut, 0: no room, or -errno. */
static int cut_from(struct mem_extent *x, size_t len, size_t align, struct plx_dma *out)
{
	uint64_t size = plx_align_up(len, UNIT);

	if (x->align < align) /* VA and I/O address may differ modulo align */
		return 0;
	for (struct mem_block *b = x->blocks; b != NULL; b = b->next) {
		uint64_t at = plx_align_up(b->off, PLX_MAX((uint64_t)align, UNIT));

		if (b->used != 0 || at - b->off > b->len || b->len - (at - b->off) < size)
			continue;
		if (at > b->off) {
			if (split(b, at) < 0)
				return -ENOMEM;
			b = b->next;
		}
		if (b->len > size && split(b, b->off + size) < 0)
			return -ENOMEM;
		b->used = len;
		out->va = (char *)x->e.va + b->off;
		out->iova = x->e.iova + b->off;
		out->len = len;
		memset(out->va, 0, len);
		return 1;
	}
	return 0;
}

static int grow(struct plx_arena *a, uint64_t need, uint64_t align)
{
	uint64_t len = PLX_MAX(need, a->last == NULL ? a->min : a->last->e.len * 2);
	struct mem_extent *x;
	int err;

	err = plx_extent_new(a, len, align, &x);
	if (err == -ENOMEM && len > need) /* no room to double: what is needed, then */
		err = plx_extent_new(a, need, align, &x);
	if (err < 0)
		return err;
	if (a->last == NULL)
		a->first = x;
	else
		a->last->next = x;
	a->last = x;
	return 0;
}

int plx_arena_cut(struct plx_arena *a, size_t len, size_t align, struct plx_dma *out)
{
	int got = 0, err;

	if (len == 0 || len > MAX_LEN)
		return plx_err(EINVAL, "arena %s: %zu bytes are out of range", a->name, len);
	if (!plx_is_pow2_u64(align) ||
		align > PLX_MAX((uint64_t)MEM_2M, a->last == NULL ? 0 : a->last->e.page))
		return plx_err(EINVAL, "arena %s: alignment %zu is no power of two up to 2 MiB",
			a->name, align);
	for (struct mem_extent *x = a->first; x != NULL && got == 0; x = x->next)
		got = cut_from(x, len, align, out);
	if (got == 0) {
		err = grow(a, plx_align_up(len, plx_page_base()), align);
		if (err < 0)
			return err;
		got = cut_from(a->last, len, align, out);
	}
	return got < 0 ? got : 0;
}

static struct mem_block *find(struct plx_arena *a, const struct plx_dma *dma)
{
	for (struct mem_extent *x = a->first; x != NULL; x = x->next) {
		uint64_t off = dma->iova - x->e.iova;

		if (off >= x->e.len || (char *)dma->va != (char *)x->e.va + off)
			continue;
		for (struct mem_block *b = x->blocks; b != NULL; b = b->next)
			if (b->off == off && b->used != 0 && b->used == dma->len)
				return b;
	}
	return NULL;
}

void plx_arena_uncut(struct plx_arena *a, struct plx_dma *dma)
{
	struct mem_block *b = find(a, dma);

	if (b == NULL) {
		plx_logf(&a->ctx->log, PLX_LOG_ERR,
			"arena %s: %zu bytes at I/O address 0x%llx are given back that are not in use "
			"like this; ignored",
			a->name, dma->len, (unsigned long long)dma->iova);
		return;
	}
	b->used = 0;
	if (b->next != NULL && b->next->used == 0)
		join(b);
	if (b->prev != NULL && b->prev->used == 0)
		join(b->prev);
}

uint64_t plx_arena_used(const struct plx_arena *a)
{
	uint64_t n = 0;

	for (const struct mem_extent *x = a->first; x != NULL; x = x->next)
		for (const struct mem_block *b = x->blocks; b != NULL; b = b->next)
			n += b->used;
	return n;
}

int plx_arena_create(
	struct plx_ctx *ctx, const struct plx_arena_opts *opts, struct plx_arena **arena)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	int err;

	if (opts != NULL) {
		if (opts->size < sizeof(opts->size) || opts->size > sizeof(o))
			return plx_err(EINVAL,
				"arena: opts.size is %zu, not up to %zu: start from PLX_ARENA_OPTS_INIT",
				opts->size, sizeof(o));
		memcpy(&o, opts, opts->size);
	}
	if (o.name == NULL)
		o.name = "arena";
	if ((o.flags & ~(uint32_t)(PLX_SHARE | PLX_DMA_TO_DEVICE)) != 0)
		return plx_err(EINVAL, "arena %s: unknown flags 0x%x", o.name, o.flags);
	if (o.node < -1 || o.node >= plx_node_count())
		return plx_err(EINVAL, "arena %s: there is no NUMA node %d", o.name, o.node);
	if (o.reserve > MAX_LEN)
		return plx_err(EINVAL, "arena %s: %zu bytes are out of range", o.name, o.reserve);
	pthread_mutex_lock(&ctx->mem);
	err = plx_arena_new(ctx, &o, NULL, arena);
	pthread_mutex_unlock(&ctx->mem);
	return err;
}

void plx_arena_destroy(struct plx_arena *arena)
{
	struct plx_ctx *ctx;

	if (arena == NULL)
		return;
	ctx = arena->ctx;
	pthread_mutex_lock(&ctx->mem);
	plx_arena_delete(arena);
	pthread_mutex_unlock(&ctx->mem);
}

int plx_arena_alloc(struct plx_arena *arena, size_t len, size_t align, struct plx_dma *out)
{
	int err;

	pthread_mutex_lock(&arena->ctx->mem);
	err = plx_arena_cut(arena, len, align, out);
	pthread_mutex_unlock(&arena->ctx->mem);
	return err;
}

void plx_arena_free(struct plx_arena *arena, struct plx_dma *dma)
{
	if (dma->va == NULL)
		return;
	pthread_mutex_lock(&arena->ctx->mem);
	plx_arena_uncut(arena, dma);
	pthread_mutex_unlock(&arena->ctx->mem);
	*dma = (struct plx_dma){NULL, 0, 0};
}

size_t plx_arena_extents(const struct plx_arena *arena, struct plx_extent *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&arena->ctx->mem);
	for (const struct mem_extent *x = arena->first; x != NULL; x = x->next, n++)
		if (n < max)
			out[n] = x->e;
	pthread_mutex_unlock(&arena->ctx->mem);
	return n;
}

struct plx_ctx *plx_arena_ctx(const struct plx_arena *arena)
{
	return arena->ctx;
}

uint32_t plx_arena_flags(const struct plx_arena *arena)
{
	return arena->flags;
}
