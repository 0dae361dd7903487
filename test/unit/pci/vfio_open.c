/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening devices over `pci:`, by groups and by cdev; what they can reach. */
#include "vfio_rig.h"

TEST(vfio, opens_and_closes_a_thousand_times_leaving_nothing)
{
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_arena *a;
		struct plx_dma dma;
		unsigned fds = 0;

		vrig_new(&v, NULL, 2, NULL);
		a = vrig_arena(&v, 64 * 1024, 0, &dma);
		for (unsigned i = 0; i < 500; i++) {
			CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
			CHECK_EQ(vrig_open(&v, 1, via, i % 2 == 0 ? "" : ",iommu=private"), 0);
			CHECK(fake_vfio_reach(v.d[0], 0) != NULL);
			vrig_close(&v, i % 2);
			vrig_close(&v, (i + 1) % 2);
			CHECK_STR(fake_vfio_left(v.k), "");
			if (i == 0)
				fds = unit_fds();
			CHECK_EQ(unit_fds(), fds);
		}
		plx_arena_destroy(a);
		vrig_end(&v);
	}
}

TEST(vfio, a_device_is_there_and_does_no_dma_until_it_is_told)
{
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_dma dma, ring;
		struct plx_win w;

		vrig_new(&v, NULL, 1, NULL);
		v.f[0]->cfg[4] |= 4; /* left on by somebody */
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_STR(plx_pci_name(v.dev[0]), "pci:0000:00:10.0");
		CHECK_EQ(plx_pci_vendor(v.dev[0]), 0x8086);
		CHECK_EQ(plx_pci_device(v.dev[0]), 0x10d3);
		CHECK(!fake_master(v.f[0]));
		CHECK(plx_pci_cap(v.dev[0], 0x11) != 0);
		(void)vrig_arena(&v, 4096, 0, &dma);
		CHECK_EQ(plx_pci_dma_alloc(v.dev[0], 4096, 4096, &ring), 0);
		CHECK_EQ(fake_dma_write(v.f[0], dma.iova, "x", 1), -EFAULT);
		CHECK(vrig_writes(&v, 0, dma.iova) && vrig_writes(&v, 0, ring.iova));
		CHECK(!vrig_writes(&v, 0, 0x1000));
		/* Mapped registers are one memory, whoever looks. */
		CHECK_EQ(plx_pci_win(v.dev[0], 0, 0x1100, 0x100, &w), 0);
		CHECK(w.base != NULL);
		plx_wr32(&w, 4, 0x11223344);
		CHECK_EQ(plx_load_le32(v.f[0]->bars[0].mem + 0x1104), 0x11223344);
		plx_pci_win_close(&w);
		/* ... and by message where they cannot be mapped. */
		CHECK_EQ(plx_pci_win(v.dev[0], 3, 0, 64, &w), 0);
		CHECK(w.base == NULL);
		plx_wr32(&w, 8, 0x55667788);
		CHECK_EQ(plx_rd32(&w, 8), 0x55667788);
		plx_wr64(&w, 16, 0x1122334455667788);
		CHECK(plx_rd64(&w, 16) == 0x1122334455667788);
		plx_pci_win_close(&w);
		plx_pci_dma_free(v.dev[0], &ring);
		vrig_close(&v, 0);
		CHECK(!fake_master(v.f[0]));
		vrig_end(&v);
	}
}

TEST(vfio, auto_takes_the_cdev_where_it_is_there)
{
	struct fake_vfio_opts o = FAKE_VFIO_OPTS_INIT;
	struct plx_opts *opts;
	struct vrig v;

	for (int old = 0; old < 2; old++) {
		o.no_cdev = old != 0;
		vrig_new(&v, &o, 1, NULL);
		CHECK_EQ(plx_opts_parse("pci:00:10.0", &opts), 0);
		CHECK_STR(plx_pci_open(v.ctx, opts, &v.dev[0]) == 0 ? "" : plx_errmsg(), "");
		plx_opts_free(opts);
		CHECK_EQ(fake_vfio_count(v.k, FAKE_VFIO_OPEN_CDEV), !old);
		CHECK_EQ(fake_vfio_count(v.k, FAKE_VFIO_OPEN_GROUP), old);
		vrig_end(&v);
	}
}

/* ---- where ---- */

/* All but the last 16 MiB of a 39-bit space is reserved: what comes next lies there, or above. */
TEST(vfio, memory_lies_inside_apertures_and_outside_reserved_regions)
{
	struct fake_vfio_opts o = FAKE_VFIO_OPTS_INIT;
	struct vrig v;

	EACH_VIA(via)
	{
		for (unsigned bits = 39; bits <= 48; bits += 9) {
			struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
			struct plx_arena *small, *big;
			struct plx_dma dma;
			int err;

			o.aw_bits = bits;
			vrig_new(&v, &o, 1, NULL);
			v.d[0]->reserved =
				(struct plx_range){4 * GIB, (UINT64_C(1) << 39) - 16 * MIB - 1};
			CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
			small = vrig_arena(&v, MIB, 0, &dma);
			CHECK(dma.iova > v.d[0]->reserved.last);
			CHECK(dma.iova + dma.len <= UINT64_C(1) << 39);
			CHECK(vrig_writes(&v, 0, dma.iova));
			ao.reserve = 64 * MIB;
			err = plx_arena_create(v.ctx, &ao, &big);
			CHECK_EQ(err, bits == 39 ? -ENOSPC : 0);
			if (bits == 39)
				CHECK_HAS(plx_errmsg(), "pci");
			else
				plx_arena_destroy(big);
			plx_arena_destroy(small);
			vrig_end(&v);
		}
	}
}

TEST(vfio, memory_that_a_device_cannot_reach_keeps_it_out)
{
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_arena *a;
		struct plx_dma dma;

		vrig_new(&v, NULL, 1, NULL);
		a = vrig_arena(&v, MIB, 0, &dma);
		v.d[0]->reserved = (struct plx_range){dma.iova, dma.iova + MIB};
		CHECK_EQ(vrig_open(&v, 0, via, ""), -ENOSPC);
		CHECK_HAS(plx_errmsg(), "pci:0000:00:10.0");
		CHECK_STR(fake_vfio_left(v.k), "");
		/* A private one need not reach it. */
		CHECK_EQ(vrig_open(&v, 0, via, ",iommu=private"), 0);
		vrig_close(&v, 0);
		plx_arena_destroy(a);
		vrig_end(&v);
	}
}

/* The second device's reserved region meets what is mapped for the first: an address space of its own. */
TEST(vfio, a_device_that_cannot_join_gets_an_address_space_of_its_own)
{
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_arena *a;
		struct plx_dma dma, ring;

		vrig_new(&v, NULL, 2, NULL);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(plx_pci_dma_alloc(v.dev[0], 4096, 4096, &ring), 0);
		v.d[1]->reserved = (struct plx_range){ring.iova, ring.iova + 65535};
		CHECK_EQ(vrig_open(&v, 1, via, ""), 0);
		CHECK_EQ(fake_vfio_spaces(v.k), 2);
		CHECK_HAS(v.log, "does not join");
		a = vrig_arena(&v, 4096, 0, &dma);
		CHECK(vrig_writes(&v, 0, dma.iova) && vrig_writes(&v, 1, dma.iova));
		CHECK(vrig_writes(&v, 0, ring.iova) && !vrig_writes(&v, 1, ring.iova));
		plx_pci_dma_free(v.dev[0], &ring);
		plx_arena_destroy(a);
		vrig_end(&v);
	}
}

/* ---- who reaches what ---- */

TEST(vfio, shared_devices_reach_all_data_and_private_ones_what_is_named)
{
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_arena *a, *b;
		struct plx_dma one, two;

		vrig_new(&v, NULL, 4, NULL);
		a = vrig_arena(&v, 4096, 0, &one);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(vrig_open(&v, 1, via, ",iommu=shared"), 0);
		CHECK_EQ(vrig_open(&v, 2, via, ",iommu=private"), 0);
		CHECK_EQ(vrig_open(&v, 3, via, ",iommu=private"), 0);
		CHECK_EQ(fake_vfio_spaces(v.k), 3);
		CHECK(plx_pci_domain(v.dev[0]) == plx_pci_domain(v.dev[1]));
		CHECK(plx_pci_domain(v.dev[2]) != plx_pci_domain(v.dev[3]));
		b = vrig_arena(&v, 4096, 0, &two);
		CHECK_EQ(plx_domain_map(plx_pci_domain(v.dev[2]), a), 0);
		for (unsigned i = 0; i < 4; i++) {
			CHECK_EQ(vrig_writes(&v, i, one.iova), i < 3);
			CHECK_EQ(vrig_writes(&v, i, two.iova), i < 2);
		}
		plx_arena_destroy(a);
		for (unsigned i = 0; i < 4; i++)
			CHECK(!vrig_reads(&v, i, one.iova));
		plx_arena_destroy(b);
		vrig_end(&v);
	}
}

TEST(vfio, devices_of_a_group_share_its_address_space)
{
	const unsigned groups[] = {7, 7};
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_dma ring;

		vrig_new(&v, NULL, 2, groups);
		CHECK_EQ(vrig_open(&v, 0, via, ",iommu=private"), 0);
		CHECK_EQ(vrig_open(&v, 1, via, ""), -EINVAL);
		CHECK_HAS(plx_errmsg(), "IOMMU group 7 is open with iommu=private");
		CHECK_EQ(vrig_open(&v, 1, via, ",iommu=private"), 0);
		CHECK_EQ(fake_vfio_spaces(v.k), 1);
		CHECK_EQ(plx_pci_dma_alloc(v.dev[0], 64, 64, &ring), 0);
		CHECK(vrig_writes(&v, 1, ring.iova));
		vrig_close(&v, 1);
		CHECK(vrig_writes(&v, 0, ring.iova));
		plx_pci_dma_free(v.dev[0], &ring);
		vrig_end(&v);
	}
}

/* What one thread could not open, another, which opens the next device of the group, does not find. */
TEST(vfio, a_group_that_was_not_opened_is_not_found)
{
	const enum fake_vfio_call calls[] = {
		FAKE_VFIO_OPEN_GROUP, FAKE_VFIO_OPEN_CONTAINER, FAKE_VFIO_SET_IOMMU};
	const unsigned groups[] = {7, 7};
	struct vrig v;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(calls); i++) {
		struct plx_pci_dev half = {.name = "half"};
		struct plx_opts *opts;

		vrig_new(&v, NULL, 2, groups);
		half.ctx = v.ctx;
		half.t = plx_pci_transport_find(v.ctx, "pci");
		CHECK(half.t != NULL);
		CHECK_EQ(plx_opts_parse("pci:0000:00:10.0,via=group", &opts), 0);
		fake_vfio_fail(v.k, calls[i], 1, EIO);
		CHECK_EQ(half.t->open(&half, opts), -EIO);
		CHECK_HAS(plx_errmsg(), "pci:0000:00:10.0: ");
		/* Before the first one's close. */
		CHECK_EQ(vrig_open(&v, 1, "group", ""), 0);
		half.t->close(&half);
		plx_opts_free(opts);
		vrig_end(&v);
	}
}

TEST(vfio, a_device_reads_and_does_not_write_what_is_for_reading)
{
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_arena *a;
		struct plx_dma dma;

		vrig_new(&v, NULL, 1, NULL);
		a = vrig_arena(&v, 4096, PLX_DMA_TO_DEVICE, &dma);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK(vrig_reads(&v, 0, dma.iova));
		CHECK(!vrig_writes(&v, 0, dma.iova));
		plx_arena_destroy(a);
		vrig_end(&v);
	}
}

TEST(vfio, an_iommufd_pins_and_counts_memory_once)
{
	uint64_t before, maps;
	struct plx_arena *a, *ro;
	struct plx_dma dma, d2;
	struct vrig v;

	vrig_new(&v, NULL, 3, NULL);
	CHECK_EQ(vrig_open(&v, 0, "cdev", ""), 0);
	CHECK_EQ(vrig_open(&v, 1, "cdev", ",iommu=private"), 0);
	CHECK_EQ(vrig_open(&v, 2, "cdev", ",iommu=private"), 0);
	CHECK_EQ(fake_vfio_count(v.k, FAKE_VFIO_OPEN_IOMMU), 1);
	a = vrig_arena(&v, MIB, 0, &dma);
	ro = vrig_arena(&v, MIB, PLX_DMA_TO_DEVICE, &d2);
	before = fake_vfio_locked(v.k);
	maps = fake_vfio_count(v.k, FAKE_VFIO_IOAS_MAP);
	for (unsigned i = 1; i < 3; i++) {
		CHECK_EQ(plx_domain_map(plx_pci_domain(v.dev[i]), a), 0);
		CHECK_EQ(plx_domain_map(plx_pci_domain(v.dev[i]), ro), 0);
		CHECK(vrig_writes(&v, i, dma.iova) && vrig_reads(&v, i, d2.iova));
		CHECK(!vrig_writes(&v, i, d2.iova));
	}
	CHECK_EQ(fake_vfio_count(v.k, FAKE_VFIO_IOAS_MAP), maps);
	CHECK_EQ(fake_vfio_count(v.k, FAKE_VFIO_IOAS_COPY), 4);
	CHECK_EQ(fake_vfio_locked(v.k), before);
	/* The copies live on without the first. */
	vrig_close(&v, 0);
	CHECK(vrig_writes(&v, 1, dma.iova));
	vrig_close(&v, 1);
	CHECK(vrig_writes(&v, 2, dma.iova));
	/* A kernel that does not copy maps. */
	fake_vfio_fail(v.k, FAKE_VFIO_IOAS_COPY, 0, EINVAL);
	CHECK_EQ(vrig_open(&v, 0, "cdev", ""), 0);
	CHECK(vrig_writes(&v, 0, dma.iova));
	CHECK(fake_vfio_count(v.k, FAKE_VFIO_IOAS_MAP) > maps);
	plx_arena_destroy(a);
	plx_arena_destroy(ro);
	vrig_end(&v);
}

TEST(vfio, two_contexts_are_apart)
{
	struct vrig v, w;

	EACH_VIA(via)
	{
		struct plx_arena *a, *b;
		struct plx_dma one, two;

		vrig_new(&v, NULL, 1, NULL);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		a = vrig_arena(&v, 4096, 0, &one);
		vrig_new(&w, NULL, 2, NULL);
		CHECK_EQ(vrig_open(&w, 1, via, ""), 0);
		b = vrig_arena(&w, 4096, 0, &two);
		CHECK(vrig_writes(&v, 0, one.iova) && !vrig_writes(&v, 0, two.iova));
		CHECK(vrig_writes(&w, 1, two.iova) && !vrig_writes(&w, 1, one.iova));
		plx_arena_destroy(b);
		vrig_end(&w);
		CHECK(vrig_writes(&v, 0, one.iova));
		plx_arena_destroy(a);
		vrig_end(&v);
	}
}
