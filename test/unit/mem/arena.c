/* SPDX-License-Identifier: BSD-3-Clause */
/* Arenas: what an extent is made of, growth, cutting and giving back. */
#include "fakes.h"

static size_t extents(const struct plx_arena *a, struct plx_extent *e)
{
	return plx_arena_extents(a, e, 8);
}

static bool is_zero(const struct plx_dma *dma)
{
	for (size_t i = 0; i < dma->len; i++)
		if (((char *)dma->va)[i] != 0)
			return false;
	return true;
}

TEST(arena, small_is_small)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct plx_arena *a = arena_new(ctx, 0);
	struct plx_extent e[8];
	struct plx_dma dma;

	CHECK_EQ(extents(a, e), 0);
	CHECK_EQ(plx_arena_alloc(a, 5000, 64, &dma), 0);
	CHECK_EQ(dma.len, 5000);
	CHECK_EQ(extents(a, e), 1);
	CHECK_EQ(e[0].len, 8192);
	CHECK_EQ(e[0].page, 4096);
	CHECK(e[0].iova >= UINT64_C(1) << 32);
	CHECK_EQ(dma.iova - e[0].iova, (char *)dma.va - (char *)e[0].va);
	plx_arena_destroy(a);
	plx_arena_destroy(NULL);
	plx_ctx_close(ctx);
}

TEST(arena, large_is_congruent_modulo_2_mib)
{
	static const enum plx_huge huge[] = {PLX_HUGE_AUTO, PLX_HUGE_NONE};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(huge); i++) {
		struct plx_ctx *ctx = ctx_open(huge[i]);
		struct plx_arena *small = arena_new(ctx, 4096), *a = arena_new(ctx, 3 * MEM_MIB);
		struct plx_extent e[8];

		CHECK_EQ(extents(a, e), 1);
		CHECK_EQ(e[0].iova % MEM_2M, 0);
		CHECK_EQ((uintptr_t)e[0].va % MEM_2M, 0);
		CHECK_EQ(e[0].len, huge[i] == PLX_HUGE_NONE ? 3 * MEM_MIB : 4 * MEM_MIB);
		plx_arena_destroy(small);
		plx_arena_destroy(a);
		plx_ctx_close(ctx);
	}
}

TEST(arena, extents_double)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct plx_arena *a = arena_new(ctx, 64 * 1024);
	struct plx_extent e[8];
	struct plx_dma dma;

	for (int i = 0; i < 7; i++)
		CHECK_EQ(plx_arena_alloc(a, 64 * 1024, 4096, &dma), 0);
	CHECK_EQ(extents(a, e), 3);
	CHECK_EQ(e[1].len, 128 * 1024);
	CHECK_EQ(e[2].len, 256 * 1024);
	CHECK_EQ(plx_arena_alloc(a, MEM_MIB, 64, &dma), 0);
	CHECK_EQ(extents(a, e), 4);
	CHECK_EQ(e[3].len, MEM_MIB); /* more than twice: what is needed */
	CHECK_EQ(plx_arena_extents(a, e, 2), 4);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, is_zeroed_also_when_used_again)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct plx_arena *a = arena_new(ctx, 0);
	struct plx_dma dma;
	void *first;

	CHECK_EQ(plx_arena_alloc(a, 1000, 1, &dma), 0);
	first = dma.va;
	CHECK(is_zero(&dma));
	memset(dma.va, 0xff, dma.len);
	plx_arena_free(a, &dma);
	CHECK(dma.va == NULL && dma.len == 0 && dma.iova == 0);
	plx_arena_free(a, &dma); /* cleared: nothing to do */
	CHECK_EQ(plx_arena_alloc(a, 1000, 1, &dma), 0);
	CHECK(dma.va == first);
	CHECK(is_zero(&dma));
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, honours_alignment)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct plx_arena *a = arena_new(ctx, 0);
	struct plx_dma dma;

	for (size_t align = 1; align <= MEM_2M; align *= 2) {
		CHECK_EQ(plx_arena_alloc(a, 100, align, &dma), 0);
		CHECK_EQ(dma.iova % align, 0);
		CHECK_EQ((uintptr_t)dma.va % align, 0);
	}
	CHECK_EQ(plx_arena_alloc(a, 100, 3, &dma), -EINVAL);
	CHECK_EQ(plx_arena_alloc(a, 100, 0, &dma), -EINVAL);
	CHECK_EQ(plx_arena_alloc(a, 100, 2 * (size_t)MEM_2M, &dma), -EINVAL);
	CHECK_EQ(plx_arena_alloc(a, 0, 64, &dma), -EINVAL);
	CHECK_EQ(plx_arena_alloc(a, SIZE_MAX, 64, &dma), -EINVAL);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, refuses_options_out_of_range)
{
	static const struct plx_arena_opts good = PLX_ARENA_OPTS_INIT;
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	struct plx_arena *a = NULL;
	struct plx_arena_opts o;

	o = good, o.flags = 0x80;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), -EINVAL);
	o = good, o.node = 12345;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), -EINVAL);
	o = good, o.size = 3;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), -EINVAL);
	o = good, o.reserve = SIZE_MAX;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), -EINVAL);
	CHECK(a == NULL);
	o = good, o.name = NULL, o.flags = PLX_SHARE | PLX_DMA_TO_DEVICE;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), 0);
	CHECK_EQ(plx_arena_flags(a), PLX_SHARE | PLX_DMA_TO_DEVICE);
	CHECK(plx_arena_ctx(a) == ctx);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, a_file_that_no_peer_can_shrink)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct plx_arena *a = arena_new(ctx, 64 * 1024);
	struct plx_extent e[8];
	void *p;

	CHECK_EQ(extents(a, e), 1);
	CHECK_EQ(ftruncate(e[0].fd, 0), -1);
	CHECK_EQ(errno, EPERM);
	p = mmap(NULL, e[0].len, PROT_READ, MAP_SHARED, e[0].fd, (off_t)e[0].offset);
	CHECK(p != MAP_FAILED);
	strcpy(e[0].va, "the same memory");
	CHECK_STR((char *)p, "the same memory");
	munmap(p, e[0].len);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

/* Counts the mappings whose line in /proc/self/smaps has the text, and those of them with the flag. */
static void smaps(const char *text, const char *flag, unsigned *n, unsigned *with)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	bool ours = false;
	char line[512];

	*n = *with = 0;
	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strstr(line, text) != NULL)
			ours = true;
		if (!ours || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		++*n;
		*with += strstr(line, flag) != NULL;
		ours = false;
	}
	fclose(f);
}

/* qemu-user keeps madvise() to itself. */
static bool madvise_works(void)
{
	int fd = memfd_create("plain", MFD_CLOEXEC);
	unsigned n, with;
	void *p;

	CHECK_EQ(ftruncate(fd, 4096), 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	madvise(p, 4096, MADV_DONTDUMP);
	smaps("memfd:plain", " dd", &n, &with);
	munmap(p, 4096);
	close(fd);
	return with == 1;
}

TEST(arena, is_kept_out_of_core_dumps_and_children)
{
	struct plx_arena *a;
	struct plx_ctx *ctx;
	unsigned n, with;

	if (!madvise_works())
		SKIP("madvise() has no effect on this kernel, or under this emulator");
	ctx = ctx_open(PLX_HUGE_AUTO);
	a = arena_new(ctx, 64 * 1024);
	smaps("memfd:pollux", " dd", &n, &with); /* not dumped */
	CHECK(n == 1 && with == 1);
	smaps("memfd:pollux", " dc", &n, &with); /* not copied by fork */
	CHECK(n == 1 && with == 1);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

static unsigned lines;

static void count_line(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	(void)arg, (void)tag;
	CHECK_EQ(level, PLX_LOG_ERR);
	CHECK_HAS(text, "not in use");
	lines++;
}

TEST(arena, what_was_not_given_is_not_taken_back)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_arena *a;
	struct plx_ctx *ctx;
	struct plx_dma dma, bad;

	o.log_fn = count_line;
	lines = 0;
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	a = arena_new(ctx, 0);
	CHECK_EQ(plx_arena_alloc(a, 1000, 64, &dma), 0);
	bad = dma, bad.len = 999, plx_arena_free(a, &bad);
	bad = dma, bad.iova += 64, plx_arena_free(a, &bad);
	bad = dma, bad.va = &bad, plx_arena_free(a, &bad);
	bad = dma, bad.iova += UINT64_C(1) << 40, plx_arena_free(a, &bad);
	CHECK_EQ(lines, 4);
	CHECK_EQ(plx_arena_used(a), 1000);
	bad = dma;
	plx_arena_free(a, &dma);
	CHECK_EQ(plx_arena_used(a), 0);
	plx_arena_free(a, &bad); /* twice */
	CHECK_EQ(lines, 5);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, random_pieces_never_meet_and_join_again)
{
	enum { N = 48 };
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_NONE);
	struct plx_arena *a = arena_new(ctx, 256 * 1024);
	struct plx_dma d[N] = {{NULL, 0, 0}};
	unsigned seed = 7;

	for (unsigned round = 0; round < 3000; round++) {
		size_t i = (size_t)rand_r(&seed) % N;

		if (d[i].va != NULL) {
			CHECK_EQ(((unsigned char *)d[i].va)[d[i].len - 1], i);
			CHECK_EQ(((unsigned char *)d[i].va)[0], i);
			plx_arena_free(a, &d[i]);
			continue;
		}
		CHECK_EQ(plx_arena_alloc(a, (size_t)(1 + rand_r(&seed) % 20000),
				 (size_t)1 << (rand_r(&seed) % 13), &d[i]),
			0);
		CHECK(is_zero(&d[i]));
		memset(d[i].va, (int)i, d[i].len);
	}
	for (size_t i = 0; i < N; i++)
		plx_arena_free(a, &d[i]);
	CHECK_EQ(plx_arena_used(a), 0);
	for (struct mem_extent *x = a->first; x != NULL; x = x->next) {
		CHECK(x->blocks->next == NULL);
		CHECK_EQ(x->blocks->len, x->e.len);
	}
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, more_than_there_is_is_an_error)
{
	static const enum plx_huge huge[] = {PLX_HUGE_AUTO, PLX_HUGE_NONE};
	struct usage before = usage_now();

	for (size_t i = 0; i < PLX_ARRAY_SIZE(huge); i++) {
		struct plx_ctx *ctx = ctx_open(huge[i]);
		struct plx_arena *a = arena_new(ctx, 0);
		struct plx_dma dma;

		CHECK_EQ(plx_arena_alloc(a, (size_t)1 << 45, 4096, &dma), -ENOMEM);
		CHECK_HAS(plx_errmsg(), "arena arena");
		CHECK_HAS(plx_errmsg(), "32 TiB"); /* of pages, or of address space */
		CHECK_EQ(plx_arena_alloc(a, 4096, 4096, &dma), 0);
		plx_ctx_close(ctx);
	}
	CHECK_USAGE(before);
}

/* ---- huge pages, where the machine has some ---- */

static unsigned long pages_free(const char *size)
{
	char path[128];
	unsigned long n = 0;
	FILE *f;

	snprintf(
		path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%skB/free_hugepages", size);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

TEST(arena, huge_pages_that_are_not_there_are_an_error)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_2M);
	struct plx_arena *a = NULL;
	struct usage before = usage_now();

	o.reserve = (size_t)1 << 44;
	CHECK_EQ(plx_arena_create(ctx, &o, &a), -ENOMEM);
	CHECK(a == NULL);
	CHECK_HAS(plx_errmsg(), "16 TiB");
	CHECK_HAS(plx_errmsg(), "nr_hugepages");
	CHECK_HAS(plx_errmsg(), "PLX_HUGE_NONE");
	CHECK_USAGE(before);
	plx_ctx_close(ctx);
}

TEST(arena, huge_pages_are_used)
{
	static const enum plx_huge huge[] = {PLX_HUGE_AUTO, PLX_HUGE_2M};

	if (pages_free("2048") < 4)
		SKIP("fewer than 4 free 2 MiB pages (sysctl vm.nr_hugepages)");
	for (size_t i = 0; i < PLX_ARRAY_SIZE(huge); i++) {
		unsigned long before = pages_free("2048");
		struct plx_ctx *ctx = ctx_open(huge[i]);
		struct plx_arena *a = arena_new(ctx, 3 * MEM_MIB);
		struct plx_extent e[8];
		struct plx_dma dma;

		CHECK_EQ(extents(a, e), 1);
		CHECK_EQ(e[0].page, MEM_2M);
		CHECK_EQ(e[0].len, 4 * MEM_MIB);
		CHECK_EQ(plx_arena_alloc(a, 3 * MEM_MIB, MEM_2M, &dma), 0);
		if (!unit_emulated()) /* qemu-user does not populate when it is asked to */
			CHECK_EQ(pages_free("2048"), before - 2);
		plx_arena_destroy(a);
		CHECK_EQ(pages_free("2048"), before);
		plx_ctx_close(ctx);
	}
}

TEST(arena, huge_pages_run_out_and_ordinary_ones_take_over)
{
	struct plx_ctx *ctx = ctx_open(PLX_HUGE_AUTO);
	unsigned long n = pages_free("2048");
	struct plx_arena *a;
	struct plx_extent e[8];

	if (n > 1024)
		SKIP("so many free 2 MiB pages that using them up would take long");
	a = arena_new(ctx, (n + 1) * MEM_2M);
	CHECK_EQ(extents(a, e), 1);
	CHECK_EQ(e[0].page, 4096);
	CHECK_EQ(e[0].iova % MEM_2M, 0);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, pages_of_1_gib)
{
	struct plx_ctx *ctx;
	struct plx_arena *a;
	struct plx_extent e[8];

	if (pages_free("1048576") < 1)
		SKIP("no free 1 GiB page");
	ctx = ctx_open(PLX_HUGE_1G);
	a = arena_new(ctx, 4096);
	CHECK_EQ(extents(a, e), 1);
	CHECK_EQ(e[0].page, MEM_1G);
	CHECK_EQ(e[0].iova % MEM_1G, 0);
	CHECK_EQ((uintptr_t)e[0].va % MEM_1G, 0);
	plx_arena_destroy(a);
	plx_ctx_close(ctx);
}

TEST(arena, populates_on_old_kernels)
{
	int fd = memfd_create("old", MFD_CLOEXEC);
	char *p;

	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, 64 * 1024), 0);
	p = mmap(NULL, 64 * 1024, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[5000] = 7;
	CHECK_EQ(plx_page_touch(p, 64 * 1024, 4096, fd, 0), 0);
	CHECK_EQ(p[5000], 7);
	CHECK_EQ(plx_page_touch(p, 64 * 1024, 4096, -1, 0), 0);
	munmap(p, 64 * 1024);
	close(fd);
}
