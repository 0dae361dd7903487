/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and closing a context. */
#include <stdlib.h>

#define PLX_LOG_TAG "ctx"
#include "mem_priv.h"

static int check_opts(const struct plx_ctx_opts *o)
{
	if ((unsigned)o->huge > PLX_HUGE_NONE)
		return plx_err(EINVAL, "context: opts.huge is %d, no page size", (int)o->huge);
	if ((unsigned)o->isa > PLX_ISA_AVX512)
		return plx_err(EINVAL, "context: opts.isa is %d, no instruction set", (int)o->isa);
	if ((unsigned)o->log_level > PLX_LOG_DEBUG)
		return plx_err(
			EINVAL, "context: opts.log_level is %d, no level", (int)o->log_level);
	if (o->node < -1 || o->node >= plx_node_count())
		return plx_err(EINVAL, "context: there is no NUMA node %d", o->node);
	return 0;
}

static int init(struct plx_ctx *ctx, const struct plx_ctx_opts *o)
{
	int err;

	ctx->log = (struct plx_log){
		.fn = o->log_fn == NULL ? plx_log_stderr : o->log_fn,
		.arg = o->log_arg,
		.level = o->log_level,
	};
	ctx->huge = o->huge;
	ctx->isa = plx_isa_limit(o->isa);
	ctx->node = o->node < 0 ? plx_cpu_current_node() : o->node;
	ctx->stall_ns = o->stall_ns;
	ctx->vfio_dir = "/sys/bus/pci/drivers/vfio-pci";
	ctx->memfd.ops = &plx_source_memfd;
	ctx->source = &ctx->memfd;
	err = plx_work_open(ctx);
	if (err < 0)
		return err;
	err = plx_stats_open(o->stats_path, 0, &ctx->stats);
	if (err < 0)
		return plx_err_prefix(err, "context");
	return o->control_thread ? plx_work_thread(ctx) : 0;
}

/* Callable for a context that init() left half-made. */
static void release(struct plx_ctx *ctx)
{
	plx_ctx_children_close(ctx);
	plx_work_stop(ctx);
	pthread_mutex_lock(&ctx->mem);
	if (ctx->domains != NULL) {
		plx_logf(&ctx->log, PLX_LOG_ERR, "closes with domain %s still in it",
			ctx->domains->name);
		ctx->domains = NULL; /* may be gone; nothing is unmapped there */
	}
	while (ctx->memregs != NULL)
		plx_memreg_delete(ctx->memregs);
	while (ctx->arenas != NULL)
		plx_arena_delete(ctx->arenas);
	pthread_mutex_unlock(&ctx->mem);
	plx_ctx_slots_free(ctx);
	if (ctx->stats != NULL)
		plx_stats_close(ctx->stats);
	plx_work_close(ctx);
	pthread_cond_destroy(&ctx->work.idle);
	pthread_mutex_destroy(&ctx->work.lock);
	pthread_mutex_destroy(&ctx->mem);
	pthread_mutex_destroy(&ctx->lock);
	free(ctx);
}

int plx_ctx_open(const struct plx_ctx_opts *opts, struct plx_ctx **ctx)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_ctx *c;
	int err;

	if (opts != NULL) {
		/* Smaller: a program built against an older header. */
		if (opts->size < sizeof(opts->size) || opts->size > sizeof(o))
			return plx_err(EINVAL,
				"context: opts.size is %zu, not up to %zu: start from PLX_CTX_OPTS_INIT",
				opts->size, sizeof(o));
		memcpy(&o, opts, opts->size);
	}
	err = check_opts(&o);
	if (err < 0)
		return err;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return plx_err(ENOMEM, "context: no memory");
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->mem, NULL);
	pthread_mutex_init(&c->work.lock, NULL);
	pthread_cond_init(&c->work.idle, NULL);
	err = init(c, &o);
	if (err < 0) {
		release(c);
		return err;
	}
	*ctx = c;
	return 0;
}

void plx_ctx_close(struct plx_ctx *ctx)
{
	if (ctx != NULL)
		release(ctx);
}

struct plx_log *plx_ctx_log(struct plx_ctx *ctx)
{
	return &ctx->log;
}

enum plx_isa plx_ctx_isa(const struct plx_ctx *ctx)
{
	return ctx->isa;
}

struct plx_stats *plx_ctx_stats(struct plx_ctx *ctx)
{
	return ctx->stats;
}

uint64_t plx_ctx_stall_ns(const struct plx_ctx *ctx)
{
	return ctx->stall_ns;
}

int plx_ctx_node(const struct plx_ctx *ctx)
{
	return ctx->node;
}
