/* SPDX-License-Identifier: BSD-3-Clause */
/* Domains: what is mapped where, all or nothing; device memory; memory sources. */
#include "fakes.h"

TEST(domain, maps_data_that_is_there_and_that_comes)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct fake_domain a = FAKE_DOMAIN("a"), b = FAKE_DOMAIN("b");
	struct plx_arena *one = arena_new(ctx, 4096), *two;
	struct plx_dma dma;

	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(a.n, 1);
	CHECK(plx_domain_has(&a.d, one));
	CHECK(!plx_domain_has(&b.d, one));
	two = arena_new(ctx, 4096);
	CHECK_EQ(a.n, 2);
	CHECK_EQ(plx_arena_alloc(two, MEM_MIB, 64, &dma), 0);
	CHECK_EQ(a.n, 3);
	CHECK_EQ(plx_domain_add(ctx, &b.d), 0);
	CHECK_EQ(b.n, 3);
	CHECK_EQ(plx_domain_add(ctx, &b.d), -EEXIST);
	plx_arena_destroy(two);
	CHECK_EQ(a.n, 1);
	CHECK_EQ(b.n, 1);
	plx_domain_del(&a.d);
	CHECK_EQ(a.n, 0);
	plx_domain_del(&a.d); /* not in it any more */
	plx_arena_destroy(one);
	CHECK_EQ(b.n, 0);
	plx_domain_del(&b.d);
	CHECK_EQ(a.wrong + b.wrong, 0);
	plx_ctx_close(ctx);
}

TEST(domain, device_memory_is_its_own)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct fake_domain a = FAKE_DOMAIN("a"), b = FAKE_DOMAIN("b");
	struct plx_dma d1, d2, bad;

	CHECK_EQ(plx_dma_alloc(&a.d, 4096, 4096, &d1), -EINVAL); /* in no context */
	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(plx_domain_add(ctx, &b.d), 0);
	CHECK_EQ(plx_dma_alloc(&a.d, 4096, 4096, &d1), 0);
	CHECK_EQ(plx_dma_alloc(&a.d, 100, 128, &d2), 0);
	CHECK_EQ(d2.iova % 128, 0);
	CHECK_EQ(a.n, 1);
	CHECK_EQ(b.n, 0);
	CHECK(a.m[0].len <= MEM_2M);
	CHECK(d1.iova >= a.m[0].iova && d1.iova + d1.len <= a.m[0].iova + a.m[0].len);
	CHECK_EQ(plx_domain_map(&b.d, a.d.device), -EINVAL);
	bad = d2;
	plx_dma_free(&a.d, &d2);
	CHECK(d2.va == NULL);
	plx_dma_free(&a.d, &d2);
	plx_dma_free(&b.d, &bad); /* has none */
	plx_dma_free(&a.d, &d1);
	CHECK_EQ(plx_arena_used(a.d.device), 0);
	plx_domain_del(&a.d);
	plx_domain_del(&b.d);
	CHECK_EQ(a.n + b.n + a.wrong + b.wrong, 0);
	plx_ctx_close(ctx);
}

TEST(domain, private_ones_have_what_is_named)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE), *other = ctx_open(PLX_HUGE_NONE);
	struct fake_domain p = FAKE_DOMAIN("p"), d = FAKE_DOMAIN("d");
	struct plx_arena *one = arena_new(ctx, 4096), *two = arena_new(ctx, 4096);
	struct plx_arena *foreign = arena_new(other, 4096);
	struct plx_dma dma;

	p.d.is_private = true;
	CHECK_EQ(plx_domain_add(ctx, &p.d), 0);
	CHECK_EQ(plx_domain_add(ctx, &d.d), 0);
	CHECK_EQ(p.n, 0);
	CHECK_EQ(d.n, 2);
	CHECK_EQ(plx_domain_map(&p.d, one), 0);
	CHECK_EQ(plx_domain_map(&p.d, one), 0);
	CHECK_EQ(plx_domain_map(&d.d, one), 0); /* has it anyway */
	CHECK_EQ(plx_domain_map(&p.d, foreign), -EXDEV);
	CHECK_EQ(p.n, 1);
	CHECK(plx_domain_has(&p.d, one));
	CHECK(!plx_domain_has(&p.d, two));
	CHECK(!plx_domain_has(&p.d, foreign));
	CHECK_EQ(plx_arena_alloc(one, MEM_MIB, 64, &dma), 0);
	CHECK_EQ(plx_arena_alloc(two, MEM_MIB, 64, &dma), 0);
	CHECK_EQ(p.n, 2);
	CHECK_EQ(d.n, 4);
	CHECK_EQ(plx_dma_alloc(&p.d, 64, 64, &dma), 0);
	CHECK_EQ(p.n, 3);
	CHECK_EQ(d.n, 4);
	plx_dma_free(&p.d, &dma);
	plx_domain_del(&p.d);
	CHECK_EQ(p.n, 0);
	CHECK(!plx_domain_has(&p.d, one));
	plx_domain_del(&d.d);
	CHECK_EQ(d.n + d.wrong + p.wrong, 0);
	plx_ctx_close(ctx);
	plx_ctx_close(other);
}

TEST(domain, a_failed_map_names_the_domain_and_undoes_the_others)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct fake_domain a = FAKE_DOMAIN("dom-a"), b = FAKE_DOMAIN("dom-b"), c = FAKE_DOMAIN("c");
	struct plx_arena *one = arena_new(ctx, 4096), *two = NULL;
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct usage before;
	int fail_in;

	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(plx_domain_add(ctx, &b.d), 0);
	before = usage_now();
	b.fail_in = &fail_in;
	fail_in = 1;
	o.reserve = 4096;
	CHECK_EQ(plx_arena_create(ctx, &o, &two), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "dom-b: injected");
	CHECK_EQ(a.n, 1);
	CHECK_EQ(b.n, 1);
	CHECK_USAGE(before);
	CHECK_EQ(plx_arena_create(ctx, &o, &two), 0);
	c.fail_in = &fail_in;
	fail_in = 2;
	CHECK_EQ(plx_domain_add(ctx, &c.d), -ENOMEM);
	CHECK_HAS(plx_errmsg(), "c: injected");
	CHECK_EQ(c.n, 0);
	plx_arena_destroy(one);
	plx_arena_destroy(two);
	plx_domain_del(&a.d);
	plx_domain_del(&b.d);
	CHECK_EQ(a.n + b.n + c.n + a.wrong + b.wrong + c.wrong, 0);
	plx_ctx_close(ctx);
}

TEST(domain, apertures_are_honoured)
{
	static const struct plx_range low[] = {{0, 0xfedfffff}, {0xfef00000, 0x7fffffffff}};
	static const struct plx_range high[] = {{UINT64_C(5) << 30, UINT64_C(6) << 30}};
	static const struct plx_range none[] = {{0, 0xffffffff}};
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct fake_domain a = FAKE_DOMAIN("a"), b = FAKE_DOMAIN("b"), c = FAKE_DOMAIN("c-32bit");
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *one = arena_new(ctx, 4096), *two, *three = NULL;
	struct plx_extent e;
	struct plx_dma dma;

	a.d.apertures = low, a.d.n_apertures = 2;
	b.d.apertures = high, b.d.n_apertures = 1;
	c.d.apertures = none, c.d.n_apertures = 1;
	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(plx_domain_add(ctx, &b.d), -ENOSPC); /* one is at 4 GiB */
	CHECK_HAS(plx_errmsg(), "b: its IOMMU cannot map I/O addresses 0x100000000 to 0x100000fff");
	CHECK_EQ(b.n, 0);
	plx_arena_destroy(one);
	CHECK_EQ(plx_domain_add(ctx, &b.d), 0);
	two = arena_new(ctx, 4096);
	CHECK_EQ(plx_arena_extents(two, &e, 1), 1);
	CHECK_EQ(e.iova, UINT64_C(5) << 30);
	CHECK_EQ(plx_dma_alloc(&a.d, 64, 64, &dma), 0); /* b's do not matter for it */
	CHECK_EQ(dma.iova, UINT64_C(4) << 30);
	plx_dma_free(&a.d, &dma);
	plx_arena_destroy(two);
	CHECK_EQ(plx_domain_add(ctx, &c.d), 0);
	o.reserve = 4096;
	CHECK_EQ(plx_arena_create(ctx, &o, &three), -ENOSPC);
	CHECK_HAS(plx_errmsg(), "c-32bit");
	plx_domain_del(&a.d);
	plx_domain_del(&b.d);
	plx_domain_del(&c.d);
	plx_ctx_close(ctx);
}

static unsigned complaints;

static void count_line(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	(void)arg, (void)tag, (void)level;
	CHECK_HAS(text, "dom");
	complaints++;
}

TEST(domain, what_a_driver_forgot_is_freed_and_logged)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct fake_domain a = FAKE_DOMAIN("dom");
	struct usage before = usage_now();
	struct plx_ctx *ctx;
	struct plx_dma dma;

	o.log_fn = count_line;
	complaints = 0;
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(plx_dma_alloc(&a.d, 64, 64, &dma), 0);
	plx_domain_del(&a.d);
	CHECK_EQ(complaints, 1);
	CHECK_EQ(a.n, 0);
	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(plx_dma_alloc(&a.d, 64, 64, &dma), 0);
	plx_ctx_close(ctx);
	CHECK_EQ(complaints, 2);
	CHECK_USAGE(before);
}

/* ---- sources ---- */

TEST(domain, a_source_is_used_in_its_window)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct fake_source src = FAKE_SOURCE, second = FAKE_SOURCE;
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *a, *b = NULL;
	struct plx_extent e;

	src.s.iova_first = UINT64_C(6) << 30;
	src.s.iova_last = src.s.iova_first + MEM_MIB - 1;
	a = arena_new(ctx, 4096);
	CHECK_EQ(plx_ctx_set_source(ctx, &src.s), -EBUSY);
	CHECK_HAS(plx_errmsg(), "before making pools");
	plx_arena_destroy(a);
	CHECK_EQ(plx_ctx_set_source(ctx, &src.s), 0);
	CHECK(plx_ctx_source(ctx) == &src.s);
	a = arena_new(ctx, 4096);
	CHECK_EQ(plx_ctx_set_source(ctx, &src.s), 0);
	CHECK_EQ(plx_ctx_set_source(ctx, &second.s), -EBUSY);
	CHECK_EQ(plx_arena_extents(a, &e, 1), 1);
	CHECK_EQ(e.iova, src.s.iova_first);
	CHECK_EQ(src.live, 1);
	o.reserve = MEM_MIB;
	CHECK_EQ(plx_arena_create(ctx, &o, &b), -ENOSPC);
	CHECK_HAS(plx_errmsg(), "fake source");
	plx_ctx_close(ctx);
	CHECK_EQ(src.live, 0);
}

TEST(domain, a_source_may_have_a_window_below_4_gib)
{
	static const uint64_t first[] = {0, MEM_MIB, 3 * MEM_1G};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(first); i++) {
		struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
		struct fake_source src = FAKE_SOURCE;
		struct plx_extent e;

		src.s.iova_first = first[i];
		src.s.iova_last = first[i] + 16 * MEM_MIB - 1;
		CHECK_EQ(plx_ctx_set_source(ctx, &src.s), 0);
		CHECK_EQ(plx_arena_extents(arena_new(ctx, 8192), &e, 1), 1);
		CHECK_EQ(e.iova, PLX_MAX(first[i], (uint64_t)4096)); /* but not at 0 */
		plx_ctx_close(ctx);
	}
}

static int bad_get(struct plx_mem_source *src, const struct plx_mem_req *req, struct plx_extent *e)
{
	int err = fake_get(src, req, e);

	e->len -= 4096; /* less than asked */
	return err;
}

TEST(domain, a_source_that_gives_too_little_is_refused)
{
	static const struct plx_mem_source_ops ops = {"liar", fake_round, bad_get, fake_put};
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct fake_source src = FAKE_SOURCE;
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *a = NULL;

	src.s.ops = &ops;
	CHECK_EQ(plx_ctx_set_source(ctx, &src.s), 0);
	o.reserve = 8192;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), -EINVAL);
	CHECK_HAS(plx_errmsg(), "liar");
	CHECK_EQ(src.live, 0);
	plx_ctx_close(ctx);
}

/* ---- each call that can fail, fails once ---- */

static int scenario(enum plx_huge huge, int *fail_in)
{
	struct plx_ctx *ctx = ctx_open(huge);
	struct fake_domain a = FAKE_DOMAIN("a"), b = FAKE_DOMAIN("b"), p = FAKE_DOMAIN("p");
	struct fake_source src = FAKE_SOURCE;
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *one = NULL, *two = NULL;
	struct plx_memreg *reg = NULL;
	struct plx_dma d1 = {NULL, 0, 0}, d2 = d1;
	static char mine[8192] PLX_ALIGNED(4096);
	int err;

	p.d.is_private = true;
	a.fail_in = b.fail_in = p.fail_in = src.fail_in = fail_in;
	err = plx_ctx_set_source(ctx, &src.s);
	o.reserve = 4096;
	err = err < 0 ? err : plx_arena_create(ctx, &o, &one);
	err = err < 0 ? err : plx_mem_register(ctx, mine, sizeof(mine), -1, 0, 0, &reg);
	err = err < 0 ? err : plx_domain_add(ctx, &a.d);
	err = err < 0 ? err : plx_domain_add(ctx, &b.d);
	err = err < 0 ? err : plx_domain_add(ctx, &p.d);
	err = err < 0 ? err : plx_arena_create(ctx, &o, &two);
	err = err < 0 ? err : plx_domain_map(&p.d, two);
	err = err < 0 ? err : plx_arena_alloc(two, 100000, 64, &d1);
	err = err < 0 ? err : plx_dma_alloc(&a.d, 100000, 64, &d2);
	if (err < 0)
		CHECK(strlen(plx_errmsg()) > 0);
	plx_dma_free(&a.d, &d2);
	CHECK_EQ(plx_mem_unregister(reg), 0);
	plx_domain_del(&b.d);
	plx_domain_del(&a.d);
	plx_domain_del(&p.d);
	CHECK_EQ(a.n + b.n + p.n, 0);
	CHECK_EQ(a.wrong + b.wrong + p.wrong, 0);
	plx_ctx_close(ctx);
	CHECK_EQ(src.live, 0);
	return err;
}

static void fail_each(enum plx_huge huge, int at_least)
{
	struct usage before = usage_now();
	int failures = 0;

	for (int n = 1; n < 1000; n++) {
		int fail_in = n, err = scenario(huge, &fail_in);

		CHECK_USAGE(before);
		if (fail_in > 0) { /* not reached any more */
			CHECK_EQ(err, 0);
			CHECK(failures >= at_least);
			return;
		}
		failures += err < 0; /* some are tried again in another way */
	}
	CHECK(false);
}

TEST(domain, every_failure_leaves_nothing)
{
	fail_each(PLX_HUGE_NONE, 15);
	fail_each(PLX_HUGE_AUTO, 5); /* where there are huge pages, they need not grow */
}
