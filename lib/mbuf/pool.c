/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pools of mbufs: a mempool of headers, and data rooms cut from an arena in as few pieces as it
 * allows. Rooms never straddle two pieces.
 */
#include "mem_lib.h"
#include "plx_log.h"
#include "plx_mbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MBUFS_MAX  (UINT32_C(1) << 24)
#define ROOM_MIN   192u /* the headroom, and one cache line of data */
#define PIECES_MAX 32u  /* that the rooms of a pool are cut in */

#define NEED_FORMULA "rx_desc + tx_desc + queues * cache + threads * burst * segs"

/* What create makes; programs and drivers see pub. */
struct pool {
	struct plx_mbuf_pool pub;
	struct plx_ctx_child child;
	bool in_ctx;    /* child is in the context's list */
	bool own_arena; /* pub.arena ends with the pool */
	size_t stride;  /* from one room to the next */
	unsigned n_pieces;
	struct plx_dma pieces[PIECES_MAX];
};

PLX_STATIC_ASSERT(offsetof(struct pool, pub) == 0, "a pool is a pool");
PLX_STATIC_ASSERT(offsetof(struct plx_mbuf_pool, mp) == 0, "a pool is a mempool");

/*
 * An odd number of cache lines: rooms one stride apart then start in all sets of a CPU's cache in
 * turn, instead of the same few.
 */
static size_t room_stride(uint32_t room)
{
	return (((size_t)room + PLX_CACHE_LINE - 1) / PLX_CACHE_LINE | 1) * PLX_CACHE_LINE;
}

static uint64_t fresh_rearm(uint32_t room)
{
	const struct plx_mbuf m = {.data_off = room == 0 ? 0 : PLX_MBUF_HEADROOM,
		.refcnt = 1,
		.nsegs = 1,
		.kind = PLX_MBUF_OWN};

	return m.rearm;
}

static int check_opts(struct plx_ctx *ctx, const struct plx_mbuf_pool_opts *o)
{
	if (o->name == NULL)
		return plx_err(
			EINVAL, "mbuf pool: name is NULL; start from PLX_MBUF_POOL_OPTS_INIT");
	if (o->n == 0 || o->n > MBUFS_MAX)
		return plx_err(EINVAL,
			"mbuf pool %s: n=%u is not 1 to %u; plx_mbuf_pool_need() computes it: " NEED_FORMULA,
			o->name, o->n, MBUFS_MAX);
	if (o->room != 0 && (o->room < ROOM_MIN || o->room > PLX_MBUF_ROOM_MAX))
		return plx_err(EINVAL,
			"mbuf pool %s: room=%u is not 0 (no rooms) or %u to %u bytes; it is the "
			"headroom of %u and the data; longer packets become chains",
			o->name, o->room, ROOM_MIN, PLX_MBUF_ROOM_MAX, PLX_MBUF_HEADROOM);
	if ((o->arena_flags & ~(uint32_t)(PLX_SHARE | PLX_DMA_TO_DEVICE)) != 0)
		return plx_err(EINVAL,
			"mbuf pool %s: arena_flags=0x%x has bits other than PLX_SHARE and "
			"PLX_DMA_TO_DEVICE",
			o->name, o->arena_flags);
	if (o->arena != NULL && o->arena_flags != 0)
		return plx_err(EINVAL,
			"mbuf pool %s: arena_flags=0x%x is for an arena of the pool's own; give the "
			"flags to plx_arena_create(), or no arena",
			o->name, o->arena_flags);
	if (o->arena != NULL && plx_arena_ctx(o->arena) != ctx)
		return plx_err(EXDEV,
			"mbuf pool %s: its arena is of another context, whose devices alone can reach "
			"it; make an arena in this context",
			o->name);
	return 0;
}

static int copy_opts(struct plx_mbuf_pool_opts *o, const struct plx_mbuf_pool_opts *from)
{
	const struct plx_mbuf_pool_opts init = PLX_MBUF_POOL_OPTS_INIT;

	*o = init;
	if (from == NULL)
		return 0;
	if (from->size < sizeof(from->size) || from->size > sizeof(*o))
		return plx_err(EINVAL,
			"mbuf pool: options of %zu bytes, this library knows %zu; start from "
			"PLX_MBUF_POOL_OPTS_INIT",
			from->size, sizeof(*o));
	memcpy(o, from, from->size);
	return 0;
}

/* ---- rooms ---- */

/*
 * Cuts n rooms out of the arena. One piece if there is such a large one, else in halves: an arena
 * whose memory comes from elsewhere may have gaps. All but the last are n / PIECES_MAX rooms or more,
 * so that the table holds them.
 */
static int cut_rooms(struct pool *p, uint32_t n)
{
	const uint32_t least = (n + PIECES_MAX - 1) / PIECES_MAX;
	char first[PLX_ERRMSG_SIZE] = "";
	uint32_t want = n;

	while (n > 0) {
		size_t bytes;
		int err;

		want = PLX_MIN(want, n);
		if (__builtin_mul_overflow(p->stride, (size_t)want, &bytes))
			err = plx_err(EOVERFLOW, "more bytes than this machine can address");
		else
			err = plx_arena_alloc(
				p->pub.arena, bytes, PLX_CACHE_LINE, &p->pieces[p->n_pieces]);
		if (err == 0) {
			p->n_pieces++;
			n -= want;
			continue;
		}
		/* what the caller is to know is what is missing for the whole, not for a half */
		if (first[0] == '\0')
			snprintf(first, sizeof(first), "%s", plx_errmsg());
		if (want <= least)
			return plx_err(-err, "%s", first);
		want = PLX_MAX(want / 2, least);
	}
	return 0;
}

static int make_rooms(struct pool *p, const struct plx_mbuf_pool_opts *o)
{
	const uint64_t total = (uint64_t)o->n * room_stride(o->room);
	int err = 0;

	p->stride = room_stride(o->room);
	p->pub.arena = o->arena;
	if (o->arena == NULL) {
		struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;

		ao.name = o->name;
		ao.flags = o->arena_flags;
		ao.node = o->node;
		err = plx_arena_create(p->pub.ctx, &ao, &p->pub.arena);
		p->own_arena = err == 0;
	}
	if (err == 0)
		err = cut_rooms(p, o->n);
	if (err != 0)
		return plx_err_prefix(err,
			"mbuf pool %s: %u mbufs x %zu bytes (a room of %u in an odd number of cache "
			"lines) = %" PRIu64 " bytes of data memory; fewer mbufs may do, "
			"plx_mbuf_pool_need() computes how many: " NEED_FORMULA,
			o->name, o->n, p->stride, o->room, total);
	p->pub.flags = plx_arena_flags(p->pub.arena);
	return 0;
}

/* ---- headers ---- */

/* Where the next header's room is. */
struct walk {
	const struct pool *pool;
	unsigned piece;
	size_t off;
};

/* Called for each header, in order of index. */
static void init_header(void *arg, void *obj, uint32_t index)
{
	struct walk *w = arg;
	const struct pool *p = w->pool;
	struct plx_mbuf *m = obj;

	m->pool = (struct plx_mbuf_pool *)(uintptr_t)&p->pub;
	m->rearm = p->pub.rearm;
	m->index = index;
	if (p->n_pieces == 0)
		return;
	if (w->off + p->stride > p->pieces[w->piece].len) {
		w->piece++;
		w->off = 0;
	}
	m->own_buf = (uint8_t *)p->pieces[w->piece].va + w->off;
	m->own_iova = p->pieces[w->piece].iova + w->off;
	m->buf = m->own_buf;
	m->buf_iova = m->own_iova;
	w->off += p->stride;
}

static int make_headers(struct pool *p, const struct plx_mbuf_pool_opts *o)
{
	struct walk walk = {.pool = p};
	struct plx_mempool_opts mo = PLX_MEMPOOL_OPTS_INIT;

	mo.name = o->name;
	mo.n = o->n;
	mo.obj_size = sizeof(struct plx_mbuf);
	mo.align = sizeof(struct plx_mbuf); /* CPUs fetch lines in pairs: both of one mbuf */
	mo.node = o->node;
	mo.init = init_header;
	mo.arg = &walk;
	return plx_mempool_init(&p->pub.mp, p->pub.ctx, &mo);
}

/* ---- the pool ---- */

static void close_pool(struct plx_ctx_child *child)
{
	plx_mbuf_pool_destroy(&plx_container_of(child, struct pool, child)->pub);
}

int plx_mbuf_pool_create(
	struct plx_ctx *ctx, const struct plx_mbuf_pool_opts *opts, struct plx_mbuf_pool **pool)
{
	struct plx_mbuf_pool_opts o;
	struct pool *p;
	int err;

	err = copy_opts(&o, opts);
	if (err == 0)
		err = check_opts(ctx, &o);
	if (err != 0)
		return err;
	p = aligned_alloc(PLX_CACHE_LINE, plx_align_up(sizeof(*p), PLX_CACHE_LINE));
	if (p == NULL)
		return plx_err(ENOMEM, "mbuf pool %s: no memory for %zu bytes", o.name, sizeof(*p));
	memset(p, 0, sizeof(*p));
	p->pub.ctx = ctx;
	p->pub.room = o.room;
	p->pub.rearm = fresh_rearm(o.room);
	if (o.room != 0)
		err = make_rooms(p, &o);
	if (err == 0)
		err = make_headers(p, &o);
	if (err != 0) {
		plx_mbuf_pool_destroy(&p->pub);
		return err;
	}
	plx_ctx_child_add(ctx, &p->child, close_pool);
	p->in_ctx = true;
	*pool = &p->pub;
	return 0;
}

/* Also of a pool that is half made. */
void plx_mbuf_pool_destroy(struct plx_mbuf_pool *pool)
{
	struct pool *p = (struct pool *)pool;

	if (p == NULL)
		return;
	if (p->in_ctx)
		plx_ctx_child_del(p->pub.ctx, &p->child);
	plx_mempool_fini(&p->pub.mp);
	while (p->n_pieces > 0)
		plx_arena_free(p->pub.arena, &p->pieces[--p->n_pieces]);
	if (p->own_arena)
		plx_arena_destroy(p->pub.arena);
	free(p);
}

uint32_t plx_mbuf_pool_need(const struct plx_mbuf_need *need)
{
	const uint64_t cache = need->cache != 0 ? need->cache : PLX_MEMPOOL_CACHE_DEFAULT;
	const uint64_t segs = need->segs != 0 ? need->segs : 1;
	uint64_t rings = (uint64_t)need->rx_desc + need->tx_desc, bursts, sum;

	if (__builtin_mul_overflow((uint64_t)need->threads * need->burst, segs, &bursts) ||
		__builtin_add_overflow(rings + need->queues * cache, bursts, &sum) ||
		sum > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)sum;
}

size_t plx_mbuf_pool_rooms(
	const struct plx_mbuf_pool *pool, struct plx_dma *out, size_t max, size_t *stride)
{
	const struct pool *p = plx_container_of(pool, const struct pool, pub);

	if (stride != NULL)
		*stride = p->stride;
	for (size_t i = 0; i < p->n_pieces && i < max; i++)
		out[i] = p->pieces[i];
	return p->n_pieces;
}

uint32_t plx_mbuf_pool_avail(const struct plx_mbuf_pool *pool)
{
	return plx_mempool_avail(&pool->mp);
}
