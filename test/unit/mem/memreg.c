/* SPDX-License-Identifier: BSD-3-Clause */
/* The program's own memory; and private memory. */
#include "fakes.h"

static void *own(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

TEST(memreg, is_mapped_everywhere_and_congruent)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct fake_domain a = FAKE_DOMAIN("a"), b = FAKE_DOMAIN("b"), p = FAKE_DOMAIN("p");
	char *mem = own(5 * MEM_MIB);
	struct plx_memreg *reg;

	p.d.is_private = true;
	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(plx_domain_add(ctx, &p.d), 0);
	CHECK_EQ(plx_mem_register(ctx, mem + 4096, 4 * MEM_MIB, -1, 0, PLX_DMA_TO_DEVICE, &reg), 0);
	CHECK_EQ(plx_memreg_iova(reg) % MEM_2M, (uintptr_t)(mem + 4096) % MEM_2M);
	CHECK_EQ(a.n, 1);
	CHECK_EQ(p.n, 0);
	CHECK_EQ(a.m[0].flags, PLX_DMA_TO_DEVICE);
	CHECK_EQ(a.m[0].fd, -1);
	CHECK_EQ(plx_domain_add(ctx, &b.d), 0);
	CHECK_EQ(b.n, 1);
	CHECK_EQ(plx_mem_unregister(reg), 0);
	CHECK_EQ(a.n + b.n, 0);
	plx_domain_del(&a.d);
	plx_domain_del(&b.d);
	plx_domain_del(&p.d);
	CHECK_EQ(a.wrong + b.wrong + p.wrong, 0);
	plx_ctx_close(ctx);
	munmap(mem, 5 * MEM_MIB);
}

TEST(memreg, in_flight_is_busy)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct plx_memreg *reg;
	char *mem = own(4096);

	CHECK_EQ(plx_mem_register(ctx, mem, 4096, -1, 0, 0, &reg), 0);
	plx_memreg_hold(reg);
	plx_memreg_hold(reg);
	plx_memreg_release(reg);
	CHECK_EQ(plx_mem_unregister(reg), -EBUSY);
	CHECK_HAS(plx_errmsg(), "held by 1 transfers or mbufs");
	plx_memreg_release(reg);
	CHECK_EQ(plx_mem_unregister(reg), 0);
	CHECK_EQ(plx_mem_unregister(NULL), 0);
	plx_ctx_close(ctx);
	munmap(mem, 4096);
}

TEST(memreg, has_one_address)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct plx_memreg *reg, *second = NULL;
	char *mem = own(5 * 4096);
	struct plx_arena *a = arena_new(ctx, 8192);
	struct plx_extent e;

	CHECK_EQ(plx_mem_register(ctx, mem + 4096, 8192, -1, 0, 0, &reg), 0);
	CHECK_EQ(plx_mem_register(ctx, mem, 8192, -1, 0, 0, &second), -EEXIST);
	CHECK_EQ(plx_mem_register(ctx, mem + 8192, 8192, -1, 0, 0, &second), -EEXIST);
	CHECK_EQ(plx_mem_register(ctx, mem, 5 * 4096, -1, 0, 0, &second), -EEXIST);
	CHECK_EQ(plx_arena_extents(a, &e, 1), 1);
	CHECK_EQ(plx_mem_register(ctx, e.va, 4096, -1, 0, 0, &second), -EEXIST);
	CHECK_HAS(plx_errmsg(), "arena");
	CHECK(second == NULL);
	CHECK_EQ(plx_mem_register(ctx, mem, 4096, -1, 0, 0, &second), 0);
	plx_ctx_close(ctx); /* with both */
	CHECK_EQ(plx_iova_count(), 0);
	munmap(mem, 5 * 4096);
}

TEST(memreg, refuses_what_is_not_whole_pages)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct plx_memreg *reg = NULL;
	char *mem = own(8192);
	int fd = memfd_create("own", MFD_CLOEXEC);

	CHECK_EQ(ftruncate(fd, 8192), 0);
	CHECK_EQ(plx_mem_register(ctx, NULL, 4096, -1, 0, 0, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem, 0, -1, 0, 0, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem + 64, 4096, -1, 0, 0, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem, 4000, -1, 0, 0, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem, SIZE_MAX - 4095, -1, 0, 0, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem, 4096, -1, 0, 0x40, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem, 4096, fd, 100, 0, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem, 8192, fd, 4096, 0, &reg), -EINVAL);
	CHECK_HAS(plx_errmsg(), "its file has 8192 bytes");
	CHECK_EQ(plx_mem_register(ctx, mem, 4096, fd, UINT64_MAX - 4095, 0, &reg), -EINVAL);
	CHECK_EQ(plx_mem_register(ctx, mem, 4096, 9999, 0, 0, &reg), -EBADF);
	CHECK(reg == NULL);
	plx_ctx_close(ctx);
	close(fd);
	munmap(mem, 8192);
}

TEST(memreg, keeps_a_descriptor_of_its_own)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct fake_domain a = FAKE_DOMAIN("a");
	int fd = memfd_create("own", MFD_CLOEXEC);
	struct plx_memreg *reg;
	char *mem;

	CHECK_EQ(ftruncate(fd, 8192), 0);
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	CHECK(mem != MAP_FAILED);
	CHECK_EQ(plx_mem_register(ctx, mem, 4096, fd, 4096, 0, &reg), 0);
	close(fd);
	CHECK_EQ(plx_domain_add(ctx, &a.d), 0);
	CHECK_EQ(a.m[0].offset, 4096);
	CHECK(fcntl(a.m[0].fd, F_GETFD) & FD_CLOEXEC);
	plx_domain_del(&a.d);
	CHECK_EQ(plx_mem_unregister(reg), 0);
	plx_ctx_close(ctx);
	munmap(mem, 4096);
}

/* ---- private memory ---- */

TEST(priv, is_zeroed_and_aligned)
{
	static const size_t len[] = {0, 1, 63, 64, 4097, 256 * 1024 - 1, 256 * 1024, 1000 * 1000,
		MEM_MIB, 3 * MEM_MIB + 5};
	static const enum plx_huge huge[] = {
		PLX_HUGE_AUTO, PLX_HUGE_NONE, PLX_HUGE_2M, PLX_HUGE_1G};

	for (size_t h = 0; h < PLX_ARRAY_SIZE(huge); h++) {
		struct plx_ctx *ctx = ctx_open(huge[h]);

		for (size_t i = 0; i < PLX_ARRAY_SIZE(len); i++) {
			unsigned char *p = plx_priv_alloc(ctx, len[i], -1);
			unsigned sum = 0;

			CHECK(p != NULL);
			CHECK_EQ((uintptr_t)p % PLX_CACHE_LINE, 0);
			CHECK(len[i] < MEM_2M || (uintptr_t)p % MEM_2M == 0);
			for (size_t k = 0; k < len[i]; k++)
				sum |= p[k];
			CHECK_EQ(sum, 0);
			memset(p, 0xff, len[i]);
			plx_priv_free(ctx, p, len[i]);
		}
		plx_priv_free(ctx, NULL, 5);
		plx_priv_free(ctx, NULL, MEM_2M);
		plx_ctx_close(ctx);
	}
}

TEST(priv, is_unmapped)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	unsigned maps = 0;

	for (unsigned i = 0; i < 200; i++) {
		void *p = plx_priv_alloc(ctx, i % 2 == 0 ? MEM_MIB : 300 * 1000, 0);

		CHECK(p != NULL);
		plx_priv_free(ctx, p, i % 2 == 0 ? MEM_MIB : 300 * 1000);
		maps = i == 10 ? count_maps(NULL) : maps;
	}
	CHECK(count_maps(NULL) <= maps + 2);
	plx_ctx_close(ctx);
}

TEST(priv, more_than_there_is_is_an_error)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);

	CHECK(plx_priv_alloc(ctx, (size_t)1 << 45, -1) == NULL);
	CHECK_HAS(plx_errmsg(), "32 TiB");
	CHECK(plx_priv_alloc(ctx, SIZE_MAX, -1) == NULL);
	CHECK(plx_priv_alloc(ctx, 64, 12345) == NULL);
	CHECK_HAS(plx_errmsg(), "NUMA node");
	plx_ctx_close(ctx);
}
