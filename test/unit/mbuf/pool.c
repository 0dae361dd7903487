/* SPDX-License-Identifier: BSD-3-Clause */
#include "mbuf_test.h"

#include "mem_lib.h"

static struct plx_mbuf_pool_opts options(void)
{
	struct plx_mbuf_pool_opts o = PLX_MBUF_POOL_OPTS_INIT;

	return o;
}

TEST(mbuf_pool, defaults)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool;

	CHECK_EQ(plx_mbuf_pool_create(ctx, NULL, &pool), 0);
	CHECK_EQ(plx_mempool_size(&pool->mp), 2048);
	CHECK_EQ(plx_mbuf_pool_avail(pool), 2048);
	CHECK_EQ(pool->room, 2176);
	CHECK_EQ(pool->flags, 0);
	CHECK(pool->ctx == ctx);
	plx_mbuf_pool_destroy(pool);
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, destroy_null)
{
	plx_mbuf_pool_destroy(NULL);
}

TEST(mbuf_pool, closed_with_the_context)
{
	struct plx_ctx *ctx = test_ctx();

	test_pool(ctx, 64, PLX_MBUF_ROOM);
	test_pool(ctx, 64, 0);
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, made_and_destroyed_often)
{
	struct plx_ctx *ctx = test_ctx();

	for (unsigned i = 0; i < unit_rounds(50); i++)
		plx_mbuf_pool_destroy(test_pool(ctx, 100, 1000));
	plx_ctx_close(ctx);
}

/* ---- where rooms are ---- */

/* Is the room of m, whole, in one extent of the arena, at the extent's I/O address? */
static bool in_extent(const struct plx_mbuf *m, uint32_t room, const struct plx_arena *arena)
{
	struct plx_extent e[64];
	size_t n = plx_arena_extents(arena, e, 64);

	for (size_t i = 0; i < n && i < 64; i++) {
		const uint8_t *va = e[i].va;

		if (m->own_buf >= va && m->own_buf + room <= va + e[i].len)
			return m->own_iova - e[i].iova == (uint64_t)(m->own_buf - va);
	}
	return false;
}

static int by_index(const void *a, const void *b)
{
	const struct plx_mbuf *const *x = a, *const *y = b;

	return (*x)->index < (*y)->index ? -1 : 1;
}

/* Takes all n mbufs and checks the rules of headers and rooms; returns the pieces rooms are in. */
static unsigned check_geometry(struct plx_mbuf_pool *pool, unsigned n)
{
	const size_t stride = ((pool->room + 63) / 64 | 1) * 64;
	struct plx_mbuf **m = calloc(n, sizeof(*m));
	unsigned pieces = 1;

	CHECK_EQ(plx_mbuf_alloc_bulk(pool, m, n), 0);
	qsort(m, n, sizeof(*m), by_index);
	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(m[i]->index, i);
		CHECK_EQ((uintptr_t)m[i] % 128, 0);
		CHECK_EQ((uintptr_t)m[i]->own_buf % 64, 0);
		CHECK(test_fresh(m[i]));
		CHECK(in_extent(m[i], pool->room, pool->arena));
		CHECK_EQ(m[i]->own_buf[0], 0);
		memset(m[i]->own_buf, 0xff, pool->room); /* so that a shared byte shows */
		if (i == 0)
			continue;
		CHECK_EQ((char *)m[i] - (char *)m[i - 1], 128);
		if (m[i]->own_buf != m[i - 1]->own_buf + stride)
			pieces++;
		else
			CHECK_EQ(m[i]->own_iova - m[i - 1]->own_iova, stride);
	}
	plx_mbuf_free_bulk(m, n);
	free(m);
	return pieces;
}

TEST(mbuf_pool, rooms_an_odd_number_of_lines_apart)
{
	static const uint32_t rooms[] = {192, 193, 256, 2176, 9216, 65535};
	struct plx_ctx *ctx = test_ctx();

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(rooms); i++) {
		struct plx_mbuf_pool *pool = test_pool(ctx, 33, rooms[i]);

		CHECK_EQ(check_geometry(pool, 33), 1);
		plx_mbuf_pool_destroy(pool);
	}
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, without_rooms)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 32, 0);
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	CHECK(m != NULL);
	CHECK(pool->arena == NULL);
	CHECK(m->buf == NULL);
	CHECK_EQ(plx_mbuf_room(m), 0);
	CHECK_EQ(plx_mbuf_headroom(m), 0);
	CHECK_EQ(plx_mbuf_tailroom(m), 0);
	CHECK(plx_mbuf_append(m, 1) == NULL);
	CHECK_EQ(plx_mbuf_check(m), 0);
	plx_mbuf_free(m);
	plx_mbuf_pool_destroy(pool);
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, own_arena_has_the_flags)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool_opts o = options();
	struct plx_mbuf_pool *pool;

	o.n = 16;
	o.arena_flags = PLX_SHARE | PLX_DMA_TO_DEVICE;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &o, &pool), 0);
	CHECK_EQ(pool->flags, PLX_SHARE | PLX_DMA_TO_DEVICE);
	CHECK_EQ(plx_arena_flags(pool->arena), PLX_SHARE | PLX_DMA_TO_DEVICE);
	plx_mbuf_pool_destroy(pool);
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, two_pools_in_the_programs_arena)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool_opts o = options();
	struct plx_mbuf_pool *a, *b;

	CHECK_EQ(plx_arena_create(ctx, NULL, &o.arena), 0);
	o.n = 40;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &o, &a), 0);
	o.room = 4000;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &o, &b), 0);
	CHECK(a->arena == o.arena && b->arena == o.arena);
	check_geometry(a, 40);
	check_geometry(b, 40);
	plx_mbuf_pool_destroy(a);
	plx_mbuf_pool_destroy(b);
	plx_arena_destroy(o.arena);
	plx_ctx_close(ctx);
}

/* ---- a source of memory that has no large pieces ---- */

struct small_source {
	struct plx_mem_source src;
	struct plx_mem_source *real;
	uint64_t max;
	int extents;
};

static struct plx_mem_source *real_source(struct plx_mem_source *src)
{
	return plx_container_of(src, struct small_source, src)->real;
}

static int small_round(
	struct plx_mem_source *src, const struct plx_mem_req *req, uint64_t *len, uint64_t *page)
{
	if (req->len > plx_container_of(src, struct small_source, src)->max)
		return plx_err(ENOMEM, "no piece of %llu bytes", (unsigned long long)req->len);
	return real_source(src)->ops->round(real_source(src), req, len, page);
}

static int small_get(
	struct plx_mem_source *src, const struct plx_mem_req *req, struct plx_extent *ext)
{
	int err = real_source(src)->ops->get(real_source(src), req, ext);

	plx_container_of(src, struct small_source, src)->extents += err == 0;
	return err;
}

static void small_put(struct plx_mem_source *src, struct plx_extent *ext)
{
	plx_container_of(src, struct small_source, src)->extents--;
	real_source(src)->ops->put(real_source(src), ext);
}

static const struct plx_mem_source_ops small_ops = {"small", small_round, small_get, small_put};

TEST(mbuf_pool, rooms_in_several_extents)
{
	struct plx_ctx *ctx = test_ctx();
	struct small_source small = {.src = {.ops = &small_ops}, .max = 256 * 1024};
	struct plx_mbuf_pool *pool;

	small.real = plx_ctx_source(ctx);
	CHECK_EQ(plx_ctx_set_source(ctx, &small.src), 0);
	pool = test_pool(ctx, 1000, 2176);
	CHECK(check_geometry(pool, 1000) > 4);
	CHECK(small.extents > 4);
	plx_mbuf_pool_destroy(pool);
	CHECK_EQ(small.extents, 0);
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, no_piece_is_large_enough)
{
	struct plx_ctx *ctx = test_ctx();
	struct small_source small = {.src = {.ops = &small_ops}, .max = 4096};
	struct plx_mbuf_pool_opts o = options();
	struct plx_mbuf_pool *pool = NULL;

	small.real = plx_ctx_source(ctx);
	CHECK_EQ(plx_ctx_set_source(ctx, &small.src), 0);
	o.name = "rx";
	o.n = 100;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &o, &pool), -ENOMEM);
	CHECK(pool == NULL);
	CHECK_HAS(plx_errmsg(),
		"mbuf pool rx: 100 mbufs x 2240 bytes (a room of 2176 in an odd number of cache "
		"lines) = 224000 bytes of data memory");
	CHECK_HAS(plx_errmsg(),
		"plx_mbuf_pool_need() computes how many: rx_desc + tx_desc + queues "
		"* cache + threads * burst * segs");
	CHECK_HAS(plx_errmsg(), "no piece of");
	CHECK_EQ(small.extents, 0);
	plx_ctx_close(ctx);
}

/* ---- errors ---- */

static void refused(struct plx_mbuf_pool_opts o, int err, const char *text)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = NULL;

	CHECK_EQ(plx_mbuf_pool_create(ctx, &o, &pool), -err);
	CHECK_HAS(plx_errmsg(), text);
	CHECK(pool == NULL);
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, refuses_sizes_of_options)
{
	struct plx_mbuf_pool_opts o = options();

	o.size = 0;
	refused(o, EINVAL, "options of 0 bytes, this library knows");
	o.size = sizeof(o) + 8;
	refused(o, EINVAL, "start from PLX_MBUF_POOL_OPTS_INIT");
}

TEST(mbuf_pool, refuses_no_name)
{
	struct plx_mbuf_pool_opts o = options();

	o.name = NULL;
	refused(o, EINVAL, "mbuf pool: name is NULL");
}

TEST(mbuf_pool, refuses_numbers)
{
	struct plx_mbuf_pool_opts o = options();

	o.name = "rx";
	o.n = 0;
	refused(o, EINVAL,
		"mbuf pool rx: n=0 is not 1 to 16777216; plx_mbuf_pool_need() computes it: rx_desc + "
		"tx_desc + queues * cache + threads * burst * segs");
	o.n = (1u << 24) + 1;
	refused(o, EINVAL, "n=16777217 is not 1 to 16777216");
}

TEST(mbuf_pool, refuses_rooms)
{
	struct plx_mbuf_pool_opts o = options();

	o.room = 191;
	refused(o, EINVAL, "room=191 is not 0 (no rooms) or 192 to 65535 bytes");
	o.room = 65536;
	refused(o, EINVAL, "longer packets become chains");
}

TEST(mbuf_pool, refuses_flags)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool_opts o = options();
	struct plx_mbuf_pool *pool;

	o.arena_flags = 1u << 31;
	refused(o, EINVAL, "arena_flags=0x80000000 has bits other than");
	o.arena_flags = PLX_SHARE;
	CHECK_EQ(plx_arena_create(ctx, NULL, &o.arena), 0);
	CHECK_EQ(plx_mbuf_pool_create(ctx, &o, &pool), -EINVAL);
	CHECK_HAS(plx_errmsg(), "is for an arena of the pool's own");
	plx_ctx_close(ctx);
}

TEST(mbuf_pool, refuses_another_contexts_arena)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool_opts o = options();

	o.name = "rx";
	CHECK_EQ(plx_arena_create(ctx, NULL, &o.arena), 0);
	refused(o, EXDEV, "mbuf pool rx: its arena is of another context");
	plx_ctx_close(ctx);
}

/* Room i is mbuf i's. */
TEST(mbuf_pool, rooms_are_where_it_says)
{
	struct plx_ctx *ctx = test_ctx();
	struct plx_mbuf_pool *pool = test_pool(ctx, 64, PLX_MBUF_ROOM);
	struct plx_mbuf *m[64];
	struct plx_dma rooms;
	size_t stride = 0;

	CHECK_EQ(plx_mbuf_pool_rooms(pool, &rooms, 1, &stride), 1);
	CHECK(stride >= PLX_MBUF_ROOM && stride % PLX_CACHE_LINE == 0);
	CHECK(rooms.len >= 64 * stride);
	CHECK_EQ(plx_mbuf_alloc_bulk(pool, m, 64), 0);
	for (unsigned i = 0; i < 64; i++)
		CHECK(m[i]->buf == (uint8_t *)rooms.va + m[i]->index * stride);
	plx_mbuf_free_bulk(m, 64);
	plx_mbuf_pool_destroy(pool);
	pool = test_pool(ctx, 64, 0);
	CHECK_EQ(plx_mbuf_pool_rooms(pool, &rooms, 1, NULL), 0);
	plx_ctx_close(ctx);
}

/* ---- size ---- */

TEST(mbuf_pool, need)
{
	struct plx_mbuf_need need = {.rx_desc = 512,
		.tx_desc = 1024,
		.queues = 4,
		.cache = 100,
		.threads = 2,
		.burst = 32,
		.segs = 3};

	CHECK_EQ(plx_mbuf_pool_need(&need), 512 + 1024 + 4 * 100 + 2 * 32 * 3);
	need.cache = 0;
	need.segs = 0;
	CHECK_EQ(plx_mbuf_pool_need(&need), 512 + 1024 + 4 * PLX_MEMPOOL_CACHE_DEFAULT + 2 * 32);
}

TEST(mbuf_pool, need_does_not_overflow)
{
	struct plx_mbuf_need need = {0};

	CHECK_EQ(plx_mbuf_pool_need(&need), 0);
	need.rx_desc = need.tx_desc = UINT32_MAX;
	CHECK_EQ(plx_mbuf_pool_need(&need), UINT32_MAX);
	memset(&need, 0xff, sizeof(need));
	CHECK_EQ(plx_mbuf_pool_need(&need), UINT32_MAX);
	need = (struct plx_mbuf_need){.threads = 1u << 31, .burst = 1u << 31, .segs = 4};
	CHECK_EQ(plx_mbuf_pool_need(&need), UINT32_MAX);
	need = (struct plx_mbuf_need){.rx_desc = UINT32_MAX - 1, .threads = 1, .burst = 1};
	CHECK_EQ(plx_mbuf_pool_need(&need), UINT32_MAX);
	need.rx_desc--;
	CHECK_EQ(plx_mbuf_pool_need(&need), UINT32_MAX - 1);
}
