/* SPDX-License-Identifier: BSD-3-Clause */
/* IOMMU domains: which memory is mapped in which, all of it or none; and device memory. */
#include <stdio.h>
#include <stdlib.h>

#define PLX_LOG_TAG "mem"
#include "mem_priv.h"

#define DEVICE_FIRST ((uint64_t)64 * MEM_KIB) /* the rings of a few queues */

bool plx_domain_wants(const struct plx_domain *dom, const struct plx_arena *arena)
{
	if (arena != NULL && arena->only != NULL)
		return arena->only == dom;
	if (!dom->is_private)
		return true;
	for (size_t i = 0; arena != NULL && i < arena->n_private_in; i++)
		if (arena->private_in[i] == dom)
			return true;
	return false;
}

bool plx_domains_fit(const void *arg, uint64_t len, uint64_t *at, const char **why)
{
	const struct domain_fit *f = arg;
	const struct plx_range window = {
		f->src == NULL ? 0 : f->src->iova_first,
		f->src == NULL ? 0 : f->src->iova_last,
	};

	if (window.last != 0 && !plx_iova_inside(&window, 1, len, at)) {
		*why = f->src->ops->name;
		return false;
	}
	/*
	 * Private domains too, whether or not they are to have this memory: they may be told to
	 * later, and its address is for life.
	 */
	for (const struct plx_domain *d = f->ctx->domains; d != NULL; d = d->next) {
		if (f->arena != NULL && f->arena->only != NULL && f->arena->only != d)
			continue;
		if (!plx_iova_inside(d->apertures, d->n_apertures, len, at)) {
			*why = d->name;
			return false;
		}
	}
	return true;
}

static int map_one(struct plx_domain *dom, const struct plx_extent *e)
{
	uint64_t at = e->iova;
	int err;

	if (!plx_iova_inside(dom->apertures, dom->n_apertures, e->len, &at) || at != e->iova)
		return plx_err(ENOSPC,
			"%s: its IOMMU cannot map I/O addresses 0x%llx to 0x%llx, which memory of this "
			"context already has; open this device before making pools",
			dom->name, (unsigned long long)e->iova,
			(unsigned long long)(e->iova + e->len - 1));
	plx_err_clear(); /* a map() that forgets its message must not show an older one */
	err = dom->ops->map(dom, e);
	return err < 0 ? plx_err_prefix(err, "%s", dom->name) : 0;
}

/* Unmaps e from the domains before stop. */
static void unmap_before(struct plx_ctx *ctx, const struct plx_arena *arena,
	const struct plx_extent *e, const struct plx_domain *stop)
{
	for (struct plx_domain *d = ctx->domains; d != stop; d = d->next)
		if (plx_domain_wants(d, arena))
			d->ops->unmap(d, e);
}

int plx_domains_map(struct plx_ctx *ctx, const struct plx_arena *arena, const struct plx_extent *e)
{
	for (struct plx_domain *d = ctx->domains; d != NULL; d = d->next) {
		int err = plx_domain_wants(d, arena) ? map_one(d, e) : 0;

		if (err < 0) {
			unmap_before(ctx, arena, e, d);
			return err;
		}
	}
	return 0;
}

void plx_domains_unmap(
	struct plx_ctx *ctx, const struct plx_arena *arena, const struct plx_extent *e)
{
	unmap_before(ctx, arena, e, NULL);
}

/* Maps the extents of an arena in dom; unmaps those it did if one fails. */
static int map_arena(struct plx_domain *dom, const struct plx_arena *arena)
{
	for (const struct mem_extent *x = arena->first; x != NULL; x = x->next) {
		int err = map_one(dom, &x->e);

		if (err < 0) {
			for (const struct mem_extent *u = arena->first; u != x; u = u->next)
				dom->ops->unmap(dom, &u->e);
			return err;
		}
	}
	return 0;
}

static void unmap_arena(struct plx_domain *dom, const struct plx_arena *arena)
{
	for (const struct mem_extent *x = arena->first; x != NULL; x = x->next)
		dom->ops->unmap(dom, &x->e);
}

/* Unmaps all that dom wants, up to the arena or the registration given (NULL: all). */
static void unmap_all(struct plx_domain *dom, const struct plx_arena *arena_end,
	const struct plx_memreg *reg_end, bool regs)
{
	for (const struct plx_arena *a = dom->ctx->arenas; a != arena_end; a = a->next)
		if (plx_domain_wants(dom, a))
			unmap_arena(dom, a);
	if (!regs || !plx_domain_wants(dom, NULL))
		return;
	for (const struct plx_memreg *r = dom->ctx->memregs; r != reg_end; r = r->next)
		dom->ops->unmap(dom, &r->e);
}

static int map_all(struct plx_domain *dom)
{
	int err = 0;

	for (const struct plx_arena *a = dom->ctx->arenas; a != NULL; a = a->next) {
		if (plx_domain_wants(dom, a))
			err = map_arena(dom, a);
		if (err < 0) {
			unmap_all(dom, a, NULL, false);
			return err;
		}
	}
	if (!plx_domain_wants(dom, NULL))
		return 0;
	for (const struct plx_memreg *r = dom->ctx->memregs; r != NULL; r = r->next) {
		err = map_one(dom, &r->e);
		if (err < 0) {
			unmap_all(dom, NULL, r, true);
			return err;
		}
	}
	return 0;
}

int plx_domain_add(struct plx_ctx *ctx, struct plx_domain *dom)
{
	struct plx_domain **p;
	int err = 0;

	pthread_mutex_lock(&ctx->mem);
	for (p = &ctx->domains; *p != NULL; p = &(*p)->next)
		if (*p == dom)
			err = plx_err(EEXIST, "%s: is in this context already", dom->name);
	if (err == 0) {
		dom->ctx = ctx;
		dom->next = NULL;
		dom->device = NULL;
		err = map_all(dom);
		if (err == 0)
			*p = dom;
		else
			dom->ctx = NULL;
	}
	pthread_mutex_unlock(&ctx->mem);
	return err;
}

void plx_domain_set_apertures(struct plx_domain *dom, const struct plx_range *apertures, size_t n)
{
	struct plx_ctx *ctx = dom->ctx;

	if (ctx != NULL)
		pthread_mutex_lock(&ctx->mem);
	dom->apertures = apertures;
	dom->n_apertures = n;
	if (ctx != NULL)
		pthread_mutex_unlock(&ctx->mem);
}

static void forget_private(struct plx_arena *arena, const struct plx_domain *dom)
{
	for (size_t i = 0; i < arena->n_private_in; i++)
		if (arena->private_in[i] == dom)
			arena->private_in[i--] = arena->private_in[--arena->n_private_in];
}

static void delete_device_memory(struct plx_domain *dom)
{
	uint64_t used = plx_arena_used(dom->device);

	if (used != 0)
		plx_logf(&dom->ctx->log, PLX_LOG_ERR,
			"%s: leaves with %llu bytes of device memory in use", dom->name,
			(unsigned long long)used);
	plx_arena_delete(dom->device);
	dom->device = NULL;
}

void plx_domain_del(struct plx_domain *dom)
{
	struct plx_ctx *ctx = dom->ctx;
	struct plx_domain **p;

	if (ctx == NULL) /* was not added */
		return;
	pthread_mutex_lock(&ctx->mem);
	if (dom->device != NULL)
		delete_device_memory(dom);
	unmap_all(dom, NULL, NULL, true);
	for (struct plx_arena *a = ctx->arenas; a != NULL; a = a->next)
		forget_private(a, dom);
	for (p = &ctx->domains; *p != NULL; p = &(*p)->next)
		if (*p == dom) {
			*p = dom->next;
			break;
		}
	dom->ctx = NULL;
	dom->next = NULL;
	pthread_mutex_unlock(&ctx->mem);
}

static int name_private(struct plx_domain *dom, struct plx_arena *arena)
{
	struct plx_domain **list;
	int err;

	list = realloc(arena->private_in, (arena->n_private_in + 1) * sizeof(struct plx_domain *));
	if (list == NULL)
		return plx_err(ENOMEM, "%s: no memory", dom->name);
	arena->private_in = list;
	err = map_arena(dom, arena);
	if (err == 0)
		list[arena->n_private_in++] = dom;
	return err;
}

int plx_domain_map(struct plx_domain *dom, struct plx_arena *arena)
{
	int err = 0;

	if (dom->ctx != arena->ctx)
		return plx_err(
			EXDEV, "%s: arena %s belongs to another context", dom->name, arena->name);
	pthread_mutex_lock(&dom->ctx->mem);
	if (plx_domain_wants(dom, arena))
		err = 0;
	else if (arena->only != NULL)
		err = plx_err(EINVAL, "%s: arena %s is another domain's device memory", dom->name,
			arena->name);
	else
		err = name_private(dom, arena);
	pthread_mutex_unlock(&dom->ctx->mem);
	return err;
}

bool plx_domain_has(const struct plx_domain *dom, const struct plx_arena *arena)
{
	bool has;

	if (dom->ctx == NULL || dom->ctx != arena->ctx)
		return false;
	pthread_mutex_lock(&dom->ctx->mem);
	has = plx_domain_wants(dom, arena);
	pthread_mutex_unlock(&dom->ctx->mem);
	return has;
}

static int device_arena(struct plx_domain *dom)
{
	struct plx_arena_opts opts = PLX_ARENA_OPTS_INIT;
	char name[48];
	int err;

	if (dom->device != NULL)
		return 0;
	snprintf(name, sizeof(name), "device:%s", dom->name);
	opts.name = name;
	err = plx_arena_new(dom->ctx, &opts, dom, &dom->device);
	if (err == 0)
		dom->device->min = DEVICE_FIRST;
	return err;
}

int plx_dma_alloc(struct plx_domain *dom, size_t len, size_t align, struct plx_dma *out)
{
	int err;

	if (dom->ctx == NULL)
		return plx_err(EINVAL, "%s: is in no context", dom->name);
	pthread_mutex_lock(&dom->ctx->mem);
	err = device_arena(dom);
	if (err == 0)
		err = plx_arena_cut(dom->device, len, align, out);
	pthread_mutex_unlock(&dom->ctx->mem);
	return err;
}

void plx_dma_free(struct plx_domain *dom, struct plx_dma *dma)
{
	if (dma->va == NULL || dom->ctx == NULL)
		return;
	pthread_mutex_lock(&dom->ctx->mem);
	if (dom->device != NULL)
		plx_arena_uncut(dom->device, dma);
	pthread_mutex_unlock(&dom->ctx->mem);
	*dma = (struct plx_dma){NULL, 0, 0};
}

int plx_ctx_set_source(struct plx_ctx *ctx, struct plx_mem_source *src)
{
	int err = 0;

	pthread_mutex_lock(&ctx->mem);
	if (ctx->source == src)
		err = 0;
	else if (ctx->source != &ctx->memfd)
		err = plx_err(EBUSY,
			"memory source %s: this context already takes its memory from another %s; open "
			"this device in a context of its own",
			src->ops->name, ctx->source->ops->name);
	else if (ctx->arenas != NULL)
		err = plx_err(EBUSY,
			"memory source %s: this context already has memory (%s) that the device cannot "
			"reach; open this device before making pools",
			src->ops->name, ctx->arenas->name);
	else
		ctx->source = src;
	pthread_mutex_unlock(&ctx->mem);
	return err;
}

int plx_ctx_unset_source(struct plx_ctx *ctx, struct plx_mem_source *src)
{
	int err = 0;

	pthread_mutex_lock(&ctx->mem);
	if (ctx->source == src && ctx->arenas != NULL)
		err = plx_err(EBUSY, "memory source %s: arena %s is there", src->ops->name,
			ctx->arenas->name);
	else if (ctx->source == src)
		ctx->source = &ctx->memfd;
	pthread_mutex_unlock(&ctx->mem);
	return err;
}

struct plx_mem_source *plx_ctx_source(struct plx_ctx *ctx)
{
	struct plx_mem_source *src;

	pthread_mutex_lock(&ctx->mem);
	src = ctx->source;
	pthread_mutex_unlock(&ctx->mem);
	return src;
}
