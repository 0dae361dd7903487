/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake itself: what a driver's tests rely on. */
#include "bench.h"

TEST(fake, dma_reaches_what_is_mapped_and_nothing_else)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *data, *ro;
	struct plx_dma d, r, ring;
	uint8_t buf[64];
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_arena_create(b.ctx, &o, &data), 0);
	CHECK_EQ(plx_arena_alloc(data, 64, 64, &d), 0);
	o.flags = PLX_DMA_TO_DEVICE;
	CHECK_EQ(plx_arena_create(b.ctx, &o, &ro), 0);
	CHECK_EQ(plx_arena_alloc(ro, 64, 64, &r), 0);
	CHECK_EQ(plx_pci_dma_alloc(b.dev, 64, 64, &ring), 0);

	memset(buf, 0xa5, sizeof(buf));
	CHECK_EQ(fake_dma_write(b.f, d.iova, buf, 64), -EFAULT);
	CHECK_EQ(b.f->dma_without_master, 1);
	CHECK_EQ(plx_pci_set_master(b.dev, true), 0);
	CHECK_EQ(fake_dma_write(b.f, d.iova, buf, 64), 0);
	CHECK_EQ(memcmp(d.va, buf, 64), 0);
	CHECK_EQ(fake_dma_write(b.f, ring.iova, buf, 64), 0);
	CHECK_EQ(fake_dma_read(b.f, r.iova, buf, 64), 0);
	CHECK_EQ(buf[0], 0);
	CHECK(fake_dma_ptr(b.f, d.iova + 8, 8, true) == (uint8_t *)d.va + 8);
	CHECK_EQ(b.f->dma_faults, 1);

	CHECK_EQ(fake_dma_write(b.f, r.iova, buf, 64), -EFAULT);
	CHECK(b.f->fault_write && b.f->fault_iova == r.iova);
	CHECK(fake_dma_ptr(b.f, r.iova, 8, true) == NULL);
	CHECK_EQ(fake_dma_read(b.f, 0x1000, buf, 64), -EFAULT);
	CHECK_EQ(b.f->fault_iova, 0x1000);
	/* Over the end of an extent: the gap is there. */
	CHECK_EQ(fake_dma_read(b.f, b.f->extents[0].iova + b.f->extents[0].len - 8, buf, 64),
		-EFAULT);
	CHECK_EQ(b.f->fault_iova, b.f->extents[0].iova + b.f->extents[0].len);
	CHECK_EQ(b.f->dma_faults, 4);
	fake_remove(b.f);
	CHECK_EQ(fake_dma_read(b.f, d.iova, buf, 64), -ENODEV);

	plx_pci_dma_free(b.dev, &ring);
	plx_pci_close(b.dev);
	b.dev = NULL;
	CHECK_EQ(b.f->n_extents, 0);
	plx_arena_destroy(data);
	plx_arena_destroy(ro);
	bench_free(&b);
}

TEST(fake, faults_strike_where_they_are_put)
{
	struct plx_win w;
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
	plx_wr32(&w, 0, 0x0f0f0f0f);
	fake_inject(b.f, FAKE_REG_READ, 2, FAKE_FLIP);
	CHECK_EQ(plx_rd32(&w, 0), 0x0f0f0f0f);
	CHECK_EQ(plx_rd32(&w, 0), 0xf0f0f0f0);
	CHECK_EQ(plx_rd32(&w, 0), 0x0f0f0f0f);
	CHECK_EQ(b.f->struck, 1);
	fake_stick(b.f, 0, 0, 0xff, 0x11);
	CHECK_EQ(plx_rd32(&w, 0), 0x0f0f0f11);
	fake_heal(b.f);
	fake_inject(b.f, FAKE_REG_WRITE, 1, FAKE_FAIL);
	plx_wr32(&w, 0, 1);
	CHECK_EQ(plx_rd32(&w, 0), 0x0f0f0f0f);
	CHECK_EQ(fake_reads(b.f, 0, 0), 5);
	CHECK_EQ(fake_writes(b.f, 0, 0), 2);
	CHECK_EQ(b.f->trace[(b.f->n_trace - 2) % FAKE_TRACE].site, FAKE_REG_WRITE);
	/* Decoding off: the device does not answer. */
	plx_pci_cfg_write(b.dev, 4, 2, 0);
	CHECK_EQ(plx_rd32(&w, 0), 0xffffffff);
	fake_count_reset(b.f);
	CHECK_EQ(fake_reads(b.f, 0, 0), 0);
	bench_free(&b);
}

/* The same seed, the same faults. */
TEST(fake, random_faults_repeat)
{
	uint64_t sum[2] = {0, 0};

	for (int round = 0; round < 2; round++) {
		struct plx_win w;
		struct bench b;

		bench_new(&b, NULL, NULL);
		CHECK_EQ(bench_open(&b), 0);
		CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
		fake_random(b.f, 4711, 100000);
		for (unsigned i = 0; i < 100; i++)
			sum[round] = sum[round] * 31 + plx_rd32(&w, 0);
		CHECK(b.f->struck > 0);
		bench_free(&b);
	}
	CHECK(sum[0] == sum[1]);
}
