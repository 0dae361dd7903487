/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools: sizes, layout, what comes out, what is refused. */
#include "pools.h"

static void refused(
	struct plx_ctx *ctx, const struct plx_mempool_opts *opts, int err, const char *text)
{
	struct plx_mempool *mp = NULL;

	CHECK_EQ(plx_mempool_create(ctx, opts, &mp), err);
	CHECK(mp == NULL);
	CHECK_HAS(plx_errmsg(), text);
}

TEST(mempool, options_out_of_range_are_refused)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;

	refused(ctx, NULL, -EINVAL, "PLX_MEMPOOL_OPTS_INIT");
	opts.name = "flows";
	opts.obj_size = 8;
	refused(ctx, &opts, -EINVAL, "pool flows: 0 objects");
	opts.n = PLX_MEMPOOL_MAX + 1;
	refused(ctx, &opts, -EINVAL, "pool flows: 268435457 objects");
	opts.n = 1;
	opts.obj_size = 0;
	refused(ctx, &opts, -EINVAL, "objects of 0 bytes");
	opts.obj_size = 8;
	opts.align = 96;
	refused(ctx, &opts, -EINVAL, "aligned to 96 bytes");
	opts.align = 0;
	refused(ctx, &opts, -EINVAL, "aligned to 0 bytes");
	opts.align = 64;
	opts.size = sizeof(opts) + 8;
	refused(ctx, &opts, -EINVAL, "PLX_MEMPOOL_OPTS_INIT");
	plx_ctx_close(ctx);
}

TEST(mempool, sizes_are_checked_for_overflow)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;

	opts.name = "big";
	opts.n = PLX_MEMPOOL_MAX;
	opts.obj_size = SIZE_MAX / 64;
	refused(ctx, &opts, -EOVERFLOW, "pool big: 268435456 objects of 288230376151711743 bytes");
	opts.n = 1;
	opts.obj_size = SIZE_MAX;
	refused(ctx, &opts, -EOVERFLOW, "18446744073709551615 bytes");
	opts.obj_size = (size_t)PTRDIFF_MAX + 1;
	refused(ctx, &opts, -EOVERFLOW, "pool big");
	opts.obj_size = SIZE_MAX / 4;
	refused(ctx, &opts, -ENOMEM, "pool big: 1 objects of 4611686018427387903 bytes");
	plx_ctx_close(ctx);
}

static void check_layout(struct plx_ctx *ctx, size_t obj_size, size_t align, size_t stride)
{
	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;
	struct plx_mempool *mp = NULL;
	size_t at = align < 64 ? 64 : align;

	opts.n = 5;
	opts.obj_size = obj_size;
	opts.align = align;
	CHECK_EQ(plx_mempool_create(ctx, &opts, &mp), 0);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ((uintptr_t)plx_mempool_obj_fn(mp, i) % at, 0);
	CHECK_EQ((char *)plx_mempool_obj(mp, 1) - (char *)plx_mempool_obj(mp, 0), stride);
	plx_mempool_destroy(mp);
}

TEST(mempool, objects_are_packed_but_not_into_one_set)
{
	struct plx_ctx *ctx = ctx_open(NULL);

	check_layout(ctx, 1, 1, 64);
	check_layout(ctx, 64, 64, 64);
	check_layout(ctx, 65, 64, 128);
	check_layout(ctx, 100, 256, 256);
	check_layout(ctx, 2048, 64, 2048);
	check_layout(ctx, 4096, 64, 4160);
	check_layout(ctx, 8190, 64, 8256);
	check_layout(ctx, 4096, 4096, 4096);
	plx_ctx_close(ctx);
}

struct seen {
	uint32_t n;
	void *first;
};

static void count(void *arg, void *obj, uint32_t index)
{
	struct seen *s = arg;

	if (index != s->n)
		return;
	if (index == 0)
		s->first = obj;
	s->n++;
	memset(obj, (int)(index & 0xff), 8);
}

TEST(mempool, init_runs_once_for_each_object)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;
	struct plx_mempool *mp = NULL;
	struct seen s = {0, NULL};
	unsigned char *obj[100];

	opts.n = 100;
	opts.obj_size = 8;
	opts.init = count;
	opts.arg = &s;
	CHECK_EQ(plx_mempool_create(ctx, &opts, &mp), 0);
	CHECK_EQ(s.n, 100);
	CHECK(s.first == plx_mempool_obj(mp, 0));
	CHECK_EQ(plx_mempool_size(mp), 100);
	CHECK(plx_mempool_ctx(mp) == ctx);
	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, (void **)obj, 100), 100);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQ(obj[i][7], obj_index(mp, obj[i]));
	plx_mempool_put_bulk_nocache(mp, (void **)obj, 100);
	plx_mempool_destroy(mp);
	plx_mempool_destroy(NULL);
	plx_ctx_close(ctx);
}

TEST(mempool, knows_its_own)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 10);
	char *first = plx_mempool_obj(mp, 0);

	CHECK(plx_mempool_owns(mp, first));
	CHECK(plx_mempool_owns(mp, plx_mempool_obj(mp, 9)));
	CHECK(!plx_mempool_owns(mp, first + 1));
	CHECK(!plx_mempool_owns(mp, first - 64));
	CHECK(!plx_mempool_owns(mp, first + 640));
	CHECK(!plx_mempool_owns(mp, NULL));
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

/* Whatever the number of objects is, all of them can be had, in any portions, and each once. */
TEST(mempool, every_object_comes_out_once)
{
	static const uint32_t sizes[] = {1, 2, 31, 32, 33, 64, 65, 96, 127, 1000, 5000};
	static const unsigned portions[] = {1, 7, 32, 33, 100};
	struct plx_ctx *ctx = ctx_open(NULL);
	static void *objs[5000];
	static bool out[5000];

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(sizes); i++)
		for (unsigned j = 0; j < PLX_ARRAY_SIZE(portions); j++) {
			struct plx_mempool *mp = pool_new(ctx, sizes[i]);
			unsigned n = 0, k = portions[j];

			memset(out, 0, sizeof(out));
			while (n < sizes[i]) {
				k = PLX_MIN(k, sizes[i] - n);
				CHECK_EQ(plx_mempool_get_bulk_nocache(mp, objs + n, k), k);
				n += k;
				CHECK_EQ(plx_mempool_avail(mp), sizes[i] - n);
			}
			CHECK_EQ(plx_mempool_get_bulk_nocache(mp, objs, 1), 0);
			CHECK_EQ(plx_mempool_get_bulk_nocache(mp, objs, 0), 0);
			for (unsigned m = 0; m < n; m++) {
				CHECK(plx_mempool_owns(mp, objs[m]));
				CHECK(!out[obj_index(mp, objs[m])]);
				out[obj_index(mp, objs[m])] = true;
			}
			for (unsigned m = 0; m < n; m += k) {
				k = PLX_MIN(portions[j], n - m);
				plx_mempool_put_bulk_nocache(mp, objs + m, k);
				CHECK_EQ(plx_mempool_avail(mp), m + k);
			}
			plx_mempool_destroy(mp);
		}
	plx_ctx_close(ctx);
}

TEST(mempool, what_does_not_suffice_stays)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 150);
	void *objs[151];

	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, objs, 151), 0);
	CHECK_EQ(plx_mempool_avail(mp), 150);
	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, objs, 150), 150);
	plx_mempool_put_bulk_nocache(mp, objs, 150);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool, last_put_is_first_got)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool *mp = pool_new(ctx, 5000);
	static void *first[4000];
	static bool is_last[5000];
	void *again[96];

	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, first, 4000), 4000);
	plx_mempool_put_bulk_nocache(mp, first, 3904);
	plx_mempool_put_bulk_nocache(mp, first + 3904, 96);
	for (unsigned i = 3904; i < 4000; i++)
		is_last[obj_index(mp, first[i])] = true;
	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, again, 96), 96);
	for (unsigned i = 0; i < 96; i++)
		CHECK(is_last[obj_index(mp, again[i])]);
	plx_mempool_put_bulk_nocache(mp, again, 96);
	plx_mempool_destroy(mp);
	plx_ctx_close(ctx);
}

TEST(mempool, destroy_logs_what_is_missing)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);
	struct plx_mempool *mp = pool_new(ctx, 100);
	void *objs[3];

	plx_mempool_destroy(mp);
	CHECK_EQ(l.lines, 0);
	mp = pool_new(ctx, 100);
	CHECK_EQ(plx_mempool_get_bulk_nocache(mp, objs, 3), 3);
	plx_mempool_destroy(mp);
	CHECK_EQ(l.lines, 1);
	CHECK_HAS(l.last, "pool p: freed with 3 of 100 objects");
	plx_ctx_close(ctx);
}

TEST(mempool, ends_with_its_context)
{
	struct logged l;
	struct plx_ctx *ctx = ctx_open(&l);

	pool_new(ctx, 100);
	pool_new(ctx, 10000);
	plx_ctx_close(ctx);
	CHECK_EQ(l.lines, 0);
}

TEST(mempool, can_be_part_of_another_object)
{
	struct plx_ctx *ctx = ctx_open(NULL);
	struct plx_mempool_opts opts = PLX_MEMPOOL_OPTS_INIT;
	struct plx_mempool mp;
	void *objs[40];

	memset(&mp, 0, sizeof(mp));
	plx_mempool_fini(&mp);
	memset(&mp, 0xa5, sizeof(mp));
	opts.n = 40;
	CHECK_EQ(plx_mempool_init(&mp, ctx, &opts), -EINVAL);
	plx_mempool_fini(&mp);
	opts.obj_size = SIZE_MAX / 100;
	CHECK_EQ(plx_mempool_init(&mp, ctx, &opts), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "40 objects");
	plx_mempool_fini(&mp);
	opts.obj_size = 200;
	CHECK_EQ(plx_mempool_init(&mp, ctx, &opts), 0);
	CHECK_EQ(plx_mempool_get_bulk_nocache(&mp, objs, 40), 40);
	plx_mempool_put_bulk_nocache(&mp, objs, 40);
	plx_mempool_fini(&mp);
	plx_mempool_fini(&mp);
	plx_ctx_close(ctx);
}
