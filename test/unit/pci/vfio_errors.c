/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be wrong with a machine or its set-up, and what `pci:` says of it: what, why, what to do. */
#include "vfio_rig.h"

/* Opening fails with err, says all of the texts, and leaves nothing. */
static void refused(
	struct vrig *v, const char *via, const char *more, int err, const char *const *texts)
{
	CHECK_EQ(vrig_open(v, 0, via, more), -err);
	CHECK_HAS(plx_errmsg(), "0000:00:10.0");
	for (; *texts != NULL; texts++)
		CHECK_HAS(plx_errmsg(), *texts);
	CHECK_STR(fake_vfio_left(v->k), "");
}
#define REFUSED(v, via, more, err, ...) \
	refused(v, via, more, err, (const char *const[]){__VA_ARGS__, NULL})

/* ... and works when the cause is gone. */
static void works(struct vrig *v, const char *via)
{
	fake_vfio_heal(v->k);
	CHECK_STR(vrig_open(v, 0, via, "") == 0 ? "" : plx_errmsg(), "");
	vrig_close(v, 0);
}

TEST(vfio_errors, a_group_that_is_not_viable)
{
	const unsigned groups[] = {7, 7, 7};
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 3, groups);
		fake_vfio_bind(v.d[1], "ixgbe");
		REFUSED(&v, via, "", EPERM,
			"VFIO: IOMMU group 7 of 0000:00:10.0 is not viable: 0000:00:10.1 is still bound to "
			"ixgbe; run `plx-bind bind 0000:00:10.1`");
		fake_vfio_bind(v.d[2], "e1000e");
		REFUSED(&v, via, "", EPERM, "0000:00:10.1 is still bound to ixgbe",
			"0000:00:10.2 is still bound to e1000e");
		fake_vfio_bind(v.d[1], NULL);
		fake_vfio_bind(v.d[2], "vfio-pci");
		works(&v, via);
		vrig_end(&v);
	}
}

TEST(vfio_errors, a_missing_module)
{
	struct fake_vfio_opts o = FAKE_VFIO_OPTS_INIT;
	struct vrig v;

	o.no_vfio = true;
	vrig_new(&v, &o, 1, NULL);
	fake_vfio_bind(v.d[0], NULL);
	fake_vfio_file(v.k, "sys/bus/pci/drivers/vfio-pci/0000:00:10.0", NULL);
	fake_vfio_file(v.k, "sys/bus/pci/drivers/vfio-pci", NULL);
	REFUSED(&v, "group", "", ENODEV, "bound to no driver",
		"plx-bind bind 0000:00:10.0` (which loads the module vfio-pci, too)");
	vrig_end(&v);

	o.no_vfio = false;
	o.no_type1 = true;
	vrig_new(&v, &o, 1, NULL);
	REFUSED(&v, "group", "", ENODEV, "module vfio_iommu_type1 (modprobe vfio_iommu_type1)");
	vrig_end(&v);

	o.no_type1 = false;
	o.no_iommufd = true;
	vrig_new(&v, &o, 1, NULL);
	REFUSED(&v, "cdev", "", ENOENT, "/iommu is not there", "modprobe iommufd", "via=group");
	vrig_end(&v);

	o.no_iommufd = false;
	o.no_cdev = true;
	vrig_new(&v, &o, 1, NULL);
	fake_vfio_file(v.k, "dev/iommu", "");
	fake_vfio_fail(v.k, FAKE_VFIO_OPEN_IOMMU, 0, ENODEV); /* a node without its module */
	REFUSED(&v, "cdev", "", ENODEV, "/iommu", "modprobe");
	vrig_end(&v);

	o.no_cdev = false;
	vrig_new(&v, &o, 1, NULL);
	fake_vfio_file(v.k, "sys/devices/pci0000:00/0000:00:10.0/vfio-dev/vfio0/dev", NULL);
	fake_vfio_file(v.k, "sys/devices/pci0000:00/0000:00:10.0/vfio-dev/vfio0", NULL);
	REFUSED(&v, "cdev", "", ENOTSUP, "older than 6.6", "leave via=cdev out");
	vrig_end(&v);
}

TEST(vfio_errors, no_iommu)
{
	struct fake_vfio_opts o = FAKE_VFIO_OPTS_INIT;
	struct vrig v;

	EACH_VIA(via)
	{
		o.no_iommu = true;
		vrig_new(&v, &o, 1, NULL);
		REFUSED(&v, via, "", ENODEV, "behind no IOMMU", "VT-d or AMD-Vi", "intel_iommu=on");
		vrig_end(&v);
		/* VFIO's unsafe mode makes a group without one. */
		o.no_iommu = false;
		vrig_new(&v, &o, 1, NULL);
		fake_vfio_file(v.k, "sys/kernel/iommu_groups/10/name", "vfio-noiommu\n");
		REFUSED(&v, via, "", EPERM, "without an IOMMU", "turn on the IOMMU");
		vrig_end(&v);
	}
}

TEST(vfio_errors, permission)
{
	struct vrig v;

	vrig_new(&v, NULL, 1, NULL);
	fake_vfio_fail(v.k, FAKE_VFIO_OPEN_GROUP, 0, EACCES);
	REFUSED(&v, "group", "", EACCES, "/vfio/10: permission denied", "belongs to user",
		"plx-bind bind 0000:00:10.0 --owner USER");
	works(&v, "group");
	fake_vfio_fail(v.k, FAKE_VFIO_OPEN_CONTAINER, 0, EACCES);
	REFUSED(&v, "group", "", EACCES, "/vfio/vfio: permission denied");
	works(&v, "group");
	fake_vfio_fail(v.k, FAKE_VFIO_OPEN_CDEV, 0, EACCES);
	REFUSED(&v, "cdev", "", EACCES, "/vfio/devices/vfio0: permission denied",
		"plx-bind bind 0000:00:10.0 --owner USER");
	works(&v, "cdev");
	fake_vfio_fail(v.k, FAKE_VFIO_OPEN_IOMMU, 0, EACCES);
	REFUSED(&v, "cdev", "", EACCES, "/iommu: permission denied", "chown USER", "via=group");
	works(&v, "cdev");
	/* Interrupts that are not remapped: the kernel does not give the group away. */
	fake_vfio_fail(v.k, FAKE_VFIO_SET_IOMMU, 0, EPERM);
	REFUSED(&v, "group", "", EPERM, "interrupt remapping", "group 10");
	works(&v, "group");
	vrig_end(&v);
}

TEST(vfio_errors, another_driver_or_none)
{
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		fake_vfio_bind(v.d[0], "e1000e");
		REFUSED(&v, via, "", EBUSY, "bound to the kernel's driver e1000e",
			"run `plx-bind bind 0000:00:10.0` as root");
		fake_vfio_bind(v.d[0], NULL);
		REFUSED(&v, via, "", ENODEV, "bound to no driver",
			"run `plx-bind bind 0000:00:10.0` as root");
		fake_vfio_bind(v.d[0], "vfio-pci");
		works(&v, via);
		vrig_end(&v);
	}
}

/* The same kernel, another context: it has the device. */
static int in_another_context(struct vrig *v, const char *text)
{
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_pci_dev *dev;
	struct plx_opts *opts;
	struct plx_ctx *ctx;
	int err;

	co.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&co, &ctx), 0);
	CHECK_EQ(plx_vfio_sys_set(ctx, fake_vfio_sys(v->k)), 0);
	CHECK_EQ(plx_opts_parse(text, &opts), 0);
	err = plx_pci_open(ctx, opts, &dev);
	plx_opts_free(opts);
	plx_pci_close(dev);
	plx_ctx_close(ctx);
	return err;
}

TEST(vfio_errors, a_device_or_group_in_use)
{
	const unsigned groups[] = {7, 7};
	struct vrig v;

	vrig_new(&v, NULL, 2, groups);
	CHECK_EQ(vrig_open(&v, 0, "group", ""), 0);
	CHECK_EQ(vrig_open(&v, 0 + 1, "group", ""), 0); /* one context may have both */
	vrig_close(&v, 1);
	CHECK_EQ(in_another_context(&v, "pci:00:10.1,via=group"), -EBUSY);
	CHECK_HAS(plx_errmsg(), "/vfio/7 is open in another process, or in another context");
	CHECK_HAS(plx_errmsg(), "fuser -v");
	CHECK_EQ(in_another_context(&v, "pci:00:10.0,via=cdev"), -EBUSY);
	CHECK_HAS(plx_errmsg(), "IOMMU group 7 is open through");
	vrig_close(&v, 0);
	CHECK_EQ(vrig_open(&v, 0, "cdev", ""), 0);
	CHECK_EQ(in_another_context(&v, "pci:00:10.0,via=cdev"), -EBUSY);
	CHECK_HAS(plx_errmsg(), "vfio0 is open in another process, or in another context");
	CHECK_EQ(in_another_context(&v, "pci:00:10.0,via=group"), -EBUSY);
	CHECK_HAS(plx_errmsg(), "/vfio/7");
	/* The rest of the group is the other context's, too: one group, one I/O address space. */
	CHECK_EQ(in_another_context(&v, "pci:00:10.1,via=cdev"), -EPERM);
	CHECK_HAS(plx_errmsg(), "IOMMU group 7");
	vrig_end(&v);
}

TEST(vfio_errors, twice_in_one_context)
{
	struct vrig v;

	EACH_VIA(via)
	{
		struct plx_pci_dev *first;

		vrig_new(&v, NULL, 1, NULL);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		first = v.dev[0];
		CHECK_EQ(vrig_open(&v, 0, via, ""), -EBUSY);
		CHECK_HAS(plx_errmsg(), "open already in this context");
		v.dev[0] = first;
		CHECK_EQ(plx_pci_cfg_read(first, 0, 2), 0x8086);
		vrig_end(&v);
	}
}

TEST(vfio_errors, no_such_device_and_no_such_option)
{
	static const struct {
		const char *text, *says;
		int err;
	} rows[] = {
		{"pci:0000:00:1f.7", "pci:0000:00:1f.7: this machine has no such device", ENODEV},
		{"pci:00:10", "'00:10' is no address of a PCI device", EINVAL},
		{"pci:0000:00:20.0", "is no address", EINVAL},
		{"pci:0000:00:10.8", "is no address", EINVAL},
		{"pci:0000:00:10.0x", "is no address", EINVAL},
		{"pci:", "which device", EINVAL},
		{"pci:00:10.0,via=ioctl", "via", EINVAL},
		{"pci:00:10.0,iommu=none", "iommu", EINVAL},
	};
	struct vrig v;

	vrig_new(&v, NULL, 1, NULL);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		CHECK_EQ(in_another_context(&v, rows[i].text), -rows[i].err);
		CHECK_HAS(plx_errmsg(), rows[i].says);
	}
	vrig_end(&v);
}

TEST(vfio_errors, a_bar_that_cannot_be_mapped)
{
	struct plx_win w;
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(plx_pci_win(v.dev[0], 2, 0, 32, &w), -EINVAL);
		CHECK_HAS(plx_errmsg(), "pci:0000:00:10.0: BAR 2 is I/O space");
		CHECK_EQ(plx_pci_win(v.dev[0], 1, 0, 32, &w), -EINVAL);
		CHECK_HAS(plx_errmsg(), "has no BAR 1");
		CHECK_EQ(plx_pci_win(v.dev[0], 0, 0, MIB, &w), -EINVAL);
		CHECK_HAS(plx_errmsg(), "131072 bytes");
		/* The kernel said it can be mapped and then refuses: it works, slowly, and is told. */
		fake_vfio_fail(v.k, FAKE_VFIO_MMAP, 1, EPERM);
		CHECK_EQ(plx_pci_win(v.dev[0], 0, 0, 4096, &w), 0);
		CHECK(w.base == NULL);
		CHECK_HAS(v.log,
			"pci:0000:00:10.0: BAR 0 cannot be mapped (Operation not permitted)");
		plx_wr32(&w, 0, 77);
		CHECK_EQ(plx_rd32(&w, 0), 77);
		plx_pci_win_close(&w);
		vrig_end(&v);
	}
}

TEST(vfio_errors, locked_memory_with_its_arithmetic)
{
	struct fake_vfio_opts o = FAKE_VFIO_OPTS_INIT;
	struct vrig v;

	o.memlock = 8 * MIB;
	EACH_VIA(via)
	{
		struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
		struct plx_arena *a, *b;
		struct plx_dma dma;

		vrig_new(&v, &o, 1, NULL);
		a = vrig_arena(&v, 6 * MIB, 0, &dma);
		CHECK_STR(vrig_open(&v, 0, via, "") == 0 ? "" : plx_errmsg(), "");
		ao.reserve = 4 * MIB;
		CHECK_EQ(plx_arena_create(v.ctx, &ao, &b), -ENOMEM);
		CHECK_HAS(plx_errmsg(), "4096 KiB more of locked memory");
		CHECK_HAS(plx_errmsg(), "RLIMIT_MEMLOCK is 8192 KiB");
		CHECK_HAS(plx_errmsg(), "6144 KiB are locked already");
		CHECK_HAS(plx_errmsg(), "ulimit -l 10240");
		CHECK(vrig_writes(&v, 0, dma.iova)); /* what there was still works */
		vrig_close(&v, 0);
		plx_arena_destroy(a);
		/* A pool made before, too large for the limit, keeps the device out. */
		a = vrig_arena(&v, 9 * MIB, 0, &dma);
		REFUSED(&v, via, "", ENOMEM, "RLIMIT_MEMLOCK is 8192 KiB", "ulimit -l");
		plx_arena_destroy(a);
		vrig_end(&v);
	}
	/* No limit: it is the kernel that has none left. */
	o.memlock = UINT64_MAX;
	vrig_new(&v, &o, 1, NULL);
	{
		struct plx_dma dma;
		struct plx_arena *a = vrig_arena(&v, MIB, 0, &dma);

		fake_vfio_fail(v.k, FAKE_VFIO_IOMMU_MAP_DMA, 0, ENOMEM);
		REFUSED(&v, "group", "", ENOMEM, "the kernel has no memory to map 1024 KiB");
		plx_arena_destroy(a);
	}
	vrig_end(&v);
}

TEST(vfio_errors, too_many_mappings)
{
	struct fake_vfio_opts o = FAKE_VFIO_OPTS_INIT;
	struct plx_dma d1, d2;
	struct plx_arena *a, *b;
	struct vrig v;

	o.dma_avail = 1;
	vrig_new(&v, &o, 1, NULL);
	a = vrig_arena(&v, MIB, 0, &d1);
	b = vrig_arena(&v, MIB, 0, &d2);
	REFUSED(&v, "group", "", ENOSPC, "limit of mappings", "dma_entry_limit");
	plx_arena_destroy(b);
	works(&v, "group");
	plx_arena_destroy(a);
	vrig_end(&v);
}
