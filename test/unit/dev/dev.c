/* SPDX-License-Identifier: BSD-3-Clause */
/* From a device string to a driver. */
#include "../pci/bench.h"
#include "plx_dev.h"

static const int some_ops;

static const struct plx_pci_id exact[] = {
	PLX_PCI_ID(0x1111, 0x5678, 0),
	{.vendor = 0x1234, .device = 0x5678, .subvendor = 0x9abc, .subdevice = 0xdef0, .data = 7},
	PLX_PCI_ID(0x1234, 0x5678, 8),
	{0},
};
static const struct plx_pci_id wide[] = {PLX_PCI_ID(0x1234, PLX_PCI_ANY, 9), {0}};

static const struct plx_driver nic = {
	.name = "testnic", .help = "fake:NAME", .ids = exact, .ops = &some_ops};
static const struct plx_driver any = {
	.name = "testany", .help = "fake:NAME", .ids = wide, .ops = &some_ops};
static const struct plx_driver soft = {.name = "testsoft", .help = "testsoft", .ops = &some_ops};
static const struct plx_driver disk = {
	.name = "testdisk", .help = "testdisk", .cls = PLX_DEV_BLK, .ops = &some_ops};

TEST(dev, a_pci_device_is_matched_by_its_ids)
{
	struct plx_dev *dev;
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(plx_driver_add(b.ctx, &nic), 0);
	CHECK_EQ(plx_dev_open(b.ctx, "fake:dev", PLX_DEV_ETH, &dev), 0);
	CHECK(dev->driver == &nic);
	CHECK_EQ(dev->id->data, 7);
	CHECK_STR(dev->text, "fake:dev");
	CHECK(dev->pci != NULL);
	plx_dev_close(dev);
	/* Another subsystem: the row without one. */
	fake_ids(b.f, 0x1234, 0x5678, 0x9abc, 0x0001, 0);
	CHECK_EQ(plx_dev_open(b.ctx, "fake:dev", PLX_DEV_ETH, &dev), 0);
	CHECK_EQ(dev->id->data, 8);
	plx_dev_close(dev);
	/* What was added last is asked first. */
	CHECK_EQ(plx_driver_add(b.ctx, &any), 0);
	CHECK_EQ(plx_dev_open(b.ctx, "fake:dev", PLX_DEV_ETH, &dev), 0);
	CHECK(dev->driver == &any);
	plx_dev_close(dev);
	plx_dev_close(NULL);
	bench_free(&b);
}

TEST(dev, a_device_that_nobody_drives)
{
	struct plx_dev *dev;
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(plx_driver_add(b.ctx, &nic), 0);
	fake_ids(b.f, 0x1234, 0x0001, 0x9abc, 0xdef0, 0);
	CHECK_EQ(plx_dev_open(b.ctx, "fake:dev", PLX_DEV_ETH, &dev), -ENODEV);
	CHECK_HAS(plx_errmsg(), "no driver for device 1234:0001 (subsystem 9abc:def0)");
	CHECK_HAS(plx_errmsg(), "testnic");
	CHECK(dev == NULL);
	CHECK(!b.f->open);
	bench_free(&b);
}

TEST(dev, a_driver_without_pci_is_named)
{
	struct plx_dev *dev;
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(plx_driver_add(b.ctx, &soft), 0);
	CHECK_EQ(plx_driver_add(b.ctx, &nic), 0);
	CHECK_EQ(plx_dev_open(b.ctx, "testsoft:size=64", PLX_DEV_ETH, &dev), 0);
	CHECK(dev->driver == &soft);
	CHECK(dev->pci == NULL && dev->id == NULL);
	CHECK(plx_opts_has(dev->opts, "size"));
	plx_dev_close(dev);
	CHECK_EQ(plx_dev_open(b.ctx, "testnic:1", PLX_DEV_ETH, &dev), -ENOENT);
	CHECK_HAS(plx_errmsg(), "name where the device is, as in fake:NAME");
	CHECK_EQ(plx_dev_open(b.ctx, "testsfot", PLX_DEV_ETH, &dev), -ENOENT);
	CHECK_HAS(plx_errmsg(), "did you mean 'testsoft'?");
	CHECK_EQ(plx_dev_open(b.ctx, "quemu:/x,slot=2", PLX_DEV_ETH, &dev), -ENOENT);
	CHECK_HAS(plx_errmsg(), "did you mean 'qemu'?");
	CHECK_EQ(plx_dev_open(b.ctx, "0000:03:00.0", PLX_DEV_ETH, &dev), -ENOENT);
	CHECK_HAS(plx_errmsg(), "there are: pci qemu");
	CHECK_EQ(plx_dev_open(b.ctx, "", PLX_DEV_ETH, &dev), -EINVAL);
	CHECK_EQ(plx_dev_open(b.ctx, NULL, PLX_DEV_ETH, &dev), -EINVAL);
	bench_free(&b);
}

TEST(dev, classes)
{
	struct plx_dev *dev;
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(plx_driver_add(b.ctx, &soft), 0);
	CHECK_EQ(plx_driver_add(b.ctx, &disk), 0);
	CHECK_EQ(plx_dev_open(b.ctx, "testsoft", PLX_DEV_BLK, &dev), -ENOTBLK);
	CHECK_HAS(plx_errmsg(), "drives a network port");
	CHECK_EQ(plx_dev_open(b.ctx, "testdisk", PLX_DEV_ETH, &dev), -EPROTOTYPE);
	CHECK_HAS(plx_errmsg(), "drives a block device");
	CHECK_EQ(plx_dev_open(b.ctx, "testdisk", PLX_DEV_BLK, &dev), 0);
	plx_dev_close(dev);
	bench_free(&b);
}

static int count(void *arg, const struct plx_driver *driver)
{
	unsigned *n = arg;

	(*n)++;
	return driver == &soft;
}

TEST(dev, adding_drivers)
{
	static const struct plx_driver nameless = {.ops = &some_ops};
	struct bench b;
	unsigned n = 0;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(plx_driver_add(b.ctx, &soft), 0);
	CHECK_EQ(plx_driver_add(b.ctx, &soft), -EEXIST);
	CHECK_EQ(plx_driver_add(b.ctx, &nameless), -EINVAL);
	CHECK_EQ(plx_driver_add(b.ctx, NULL), -EINVAL);
	CHECK_EQ(plx_driver_add(b.ctx, &nic), 0);
	CHECK_EQ(plx_driver_each(b.ctx, count, &n), 1);
	CHECK_EQ(n, 2); /* the last first, and no further than asked */
	bench_free(&b);
}
