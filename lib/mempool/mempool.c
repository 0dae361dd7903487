/* SPDX-License-Identifier: BSD-3-Clause */
/* Making and freeing pools. */
#define PLX_LOG_TAG "mempool"
#include "depot.h"
#include "mem_lib.h"
#include "threads.h"

/* A pool that is an object of its own. */
struct pool_obj {
	struct plx_mempool mp;
	struct plx_ctx_child child;
};

/* Objects that start at the same place in each of these share a set of the L1 cache. */
enum { L1_PAGE = 4096 };

static int pool_opts(const struct plx_mempool_opts *in, struct plx_mempool_opts *o)
{
	const char *name;

	if (in == NULL)
		return plx_err(EINVAL, "pool: options missing: start from PLX_MEMPOOL_OPTS_INIT");
	/* Smaller: a program built against an older header. */
	if (in->size < sizeof(in->size) || in->size > sizeof(*o))
		return plx_err(EINVAL,
			"pool: opts.size is %zu, not up to %zu: start from PLX_MEMPOOL_OPTS_INIT",
			in->size, sizeof(*o));
	memcpy(o, in, in->size);
	if (o->name == NULL)
		o->name = "pool";
	name = o->name;
	if (o->n == 0 || o->n > PLX_MEMPOOL_MAX)
		return plx_err(EINVAL, "pool %s: %u objects: there must be 1 to %u", name, o->n,
			PLX_MEMPOOL_MAX);
	if (o->obj_size == 0)
		return plx_err(EINVAL, "pool %s: objects of 0 bytes", name);
	if (!plx_is_pow2_u64(o->align))
		return plx_err(EINVAL, "pool %s: objects aligned to %zu bytes: not a power of two",
			name, o->align);
	if (o->align < PLX_CACHE_LINE)
		o->align = PLX_CACHE_LINE;
	return 0;
}

/* Computes sizes. */
static int pool_layout(struct plx_mempool *mp, const struct plx_mempool_opts *o)
{
	const size_t extra = o->align > PLX_CACHE_LINE ? o->align : 0;
	size_t stride, bytes;

	if (o->obj_size > SIZE_MAX - 2 * o->align)
		goto overflow;
	stride = plx_align_up(o->obj_size, o->align);
	if (stride % L1_PAGE == 0 && o->align < L1_PAGE)
		stride += o->align;
	if (__builtin_mul_overflow(stride, (size_t)o->n, &bytes) ||
		__builtin_add_overflow(bytes, extra, &mp->objs_bytes) ||
		mp->objs_bytes > PTRDIFF_MAX)
		goto overflow;
	mp->stride = stride;
	mp->obj_size = o->obj_size;
	mp->n = o->n;
	mp->n_chunks = o->n / PLX_MEMPOOL_CHUNK;
	mp->depot_bytes = mp->n_chunks * sizeof(struct plx_mempool_chunk) + PLX_CACHE_LINE;
#ifdef PLX_POOL_DEBUG
	mp->depot_bytes += mp->n;
#endif
	return 0;

overflow:
	return plx_err(EOVERFLOW,
		"pool %s: %u objects of %zu bytes, aligned to %zu, are more than "
		"there are addresses",
		mp->name, o->n, o->obj_size, o->align);
}

static void pool_objs(struct plx_mempool *mp, const struct plx_mempool_opts *o)
{
	mp->objs = (char *)(uintptr_t)plx_align_up((uintptr_t)mp->objs_mem, o->align);
	mp->chunks = mp->depot_mem;
#ifdef PLX_POOL_DEBUG
	mp->state = (uint8_t *)(mp->chunks + mp->n_chunks);
#endif
	for (uint32_t i = 0; o->init != NULL && i < o->n; i++)
		o->init(o->arg, plx_mempool_obj(mp, i), i);
#ifdef PLX_MEMPOOL_ASAN_
	/* What is between objects stays poisoned. */
	ASAN_POISON_MEMORY_REGION(mp->objs_mem, mp->objs_bytes);
#endif
	plx_depot_init(mp);
}

int plx_mempool_init(
	struct plx_mempool *mp, struct plx_ctx *ctx, const struct plx_mempool_opts *opts)
{
	struct plx_mempool_opts o = PLX_MEMPOOL_OPTS_INIT;
	int err;

	memset(mp, 0, sizeof(*mp));
	err = pool_opts(opts, &o);
	if (err < 0)
		return err;
	mp->ctx = ctx;
	strncpy(mp->name, o.name, sizeof(mp->name) - 1);
	err = pool_layout(mp, &o);
	if (err < 0)
		goto fail;
	err = plx_mempool_threads_init(mp);
	if (err < 0)
		goto fail;
	mp->objs_mem = plx_priv_alloc(ctx, mp->objs_bytes, o.node);
	mp->depot_mem = plx_priv_alloc(ctx, mp->depot_bytes, o.node);
	if (mp->objs_mem == NULL || mp->depot_mem == NULL) {
		err = plx_err_prefix(-ENOMEM,
			"pool %s: %u objects of %zu bytes, %zu apart, %zu bytes "
			"and %zu for the depot",
			mp->name, o.n, o.obj_size, mp->stride, mp->objs_bytes, mp->depot_bytes);
		goto fail;
	}
	pool_objs(mp, &o);
	return 0;

fail:
	mp->n = 0;
	plx_mempool_fini(mp);
	return err;
}

void plx_mempool_fini(struct plx_mempool *mp)
{
	uint32_t avail = 0;

	plx_mempool_threads_fini(mp);
	if (mp->n != 0)
		avail = plx_mempool_avail(mp);
	if (avail != mp->n)
		plx_logf(plx_ctx_log(mp->ctx), PLX_LOG_WARN,
			"pool %s: freed with %u of %u objects still out or in caches", mp->name,
			mp->n - avail, mp->n);
#ifdef PLX_MEMPOOL_ASAN_
	if (mp->objs_mem != NULL)
		ASAN_UNPOISON_MEMORY_REGION(mp->objs_mem, mp->objs_bytes);
#endif
	if (mp->objs_mem != NULL)
		plx_priv_free(mp->ctx, mp->objs_mem, mp->objs_bytes);
	if (mp->depot_mem != NULL)
		plx_priv_free(mp->ctx, mp->depot_mem, mp->depot_bytes);
	memset(mp, 0, sizeof(*mp));
}

static void pool_close(struct plx_ctx_child *child)
{
	plx_mempool_destroy(&plx_container_of(child, struct pool_obj, child)->mp);
}

int plx_mempool_create(
	struct plx_ctx *ctx, const struct plx_mempool_opts *opts, struct plx_mempool **out)
{
	struct pool_obj *p = plx_priv_alloc(ctx, sizeof(*p), -1);
	int err;

	if (p == NULL)
		return plx_err_prefix(-ENOMEM, "pool: %zu bytes", sizeof(*p));
	err = plx_mempool_init(&p->mp, ctx, opts);
	if (err < 0) {
		plx_priv_free(ctx, p, sizeof(*p));
		return err;
	}
	plx_ctx_child_add(ctx, &p->child, pool_close);
	*out = &p->mp;
	return 0;
}

void plx_mempool_destroy(struct plx_mempool *mp)
{
	struct pool_obj *p;
	struct plx_ctx *ctx;

	if (mp == NULL)
		return;
	p = plx_container_of(mp, struct pool_obj, mp);
	ctx = mp->ctx;
	plx_ctx_child_del(ctx, &p->child);
	plx_mempool_fini(mp);
	plx_priv_free(ctx, p, sizeof(*p));
}

uint32_t plx_mempool_size(const struct plx_mempool *mp)
{
	return mp->n;
}

struct plx_ctx *plx_mempool_ctx(const struct plx_mempool *mp)
{
	return mp->ctx;
}

bool plx_mempool_owns(const struct plx_mempool *mp, const void *obj)
{
	const uintptr_t first = (uintptr_t)mp->objs, at = (uintptr_t)obj;

	return at >= first && (at - first) / mp->stride < mp->n && (at - first) % mp->stride == 0;
}
