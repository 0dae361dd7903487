/* SPDX-License-Identifier: BSD-3-Clause */
/* Open, configuration space, capabilities, bus mastering, gone, transports; on the fake. */
#include "bench.h"

TEST(pci, open_reads_ids_and_stops_dma)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	fake_cap_pm(b.f, false);
	b.f->cfg[0x04] = 7;             /* a killed program left it running */
	b.f->cfg[b.f->cap_pm + 4] |= 3; /* ... or asleep */
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_vendor(b.dev), 0x1234);
	CHECK_EQ(plx_pci_device(b.dev), 0x5678);
	CHECK_EQ(b.dev->subvendor, 0x9abc);
	CHECK_EQ(b.dev->subdevice, 0xdef0);
	CHECK_STR(plx_pci_name(b.dev), "fake:dev");
	CHECK(plx_pci_ctx(b.dev) == b.ctx);
	CHECK(!fake_master(b.f));
	CHECK_EQ(b.f->cfg[0x04] & 2, 2);
	CHECK_EQ(b.f->cfg[b.f->cap_pm + 4] & 3, 0);
	CHECK_EQ(b.f->now_ns, 10 * MS);
	bench_free(&b);
}

TEST(pci, close_stops_dma)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_set_master(b.dev, true), 0);
	CHECK(fake_master(b.f));
	plx_pci_close(b.dev);
	b.dev = NULL;
	CHECK(!fake_master(b.f));
	CHECK(!b.f->open);
	bench_free(&b);
}

/* Each access of opening, with each fault: an error or a device, never a half-open one. */
TEST(pci, open_with_every_fault)
{
	struct bench b;
	unsigned faults = 0;

	bench_new(&b, NULL, NULL);
	fake_cap_pm(b.f, false);
	for (int site = 0; site < FAKE_SITES; site++) {
		for (int fault = FAKE_FAIL; fault < FAKE_FAULTS; fault++) {
			if (!fake_fault_applies((enum fake_site)site, (enum fake_fault)fault))
				continue;
			for (uint64_t n = 1;; n++) {
				uint64_t struck = b.f->struck;
				int err;

				fake_heal(b.f);
				b.f->cfg[b.f->cap_pm + 4] |= 3;
				fake_inject(b.f, (enum fake_site)site, n, (enum fake_fault)fault);
				plx_err_clear();
				err = bench_open(&b);
				CHECK(err == 0 || plx_errmsg()[0] != '\0');
				CHECK(err == 0 || b.dev == NULL);
				plx_pci_close(b.dev);
				b.dev = NULL;
				CHECK(!b.f->open);
				if (b.f->struck == struck)
					break;
				faults++;
			}
		}
	}
	printf("# %u faults\n", faults);
	CHECK(faults > 50);
	bench_free(&b);
}

TEST(pci, nobody_there)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	fake_ids(b.f, 0xffff, 0xffff, 0xffff, 0xffff, 0);
	CHECK_EQ(bench_open(&b), -ENODEV);
	CHECK_HAS(plx_errmsg(), "there is no device");
	fake_ids(b.f, 0, 0, 0, 0, 0);
	CHECK_EQ(bench_open(&b), -ENODEV);
	bench_free(&b);
}

TEST(pci, capabilities)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	fake_cap_pm(b.f, false);
	fake_cap_pcie(b.f, false);
	fake_cap_msix(b.f, 4, 0, 0, 0x1000);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_cap(b.dev, 0x01), 0x40);
	CHECK_EQ(plx_pci_cap(b.dev, 0x10), b.f->cap_exp);
	CHECK_EQ(plx_pci_cap(b.dev, 0x11), b.f->cap_last);
	CHECK_EQ(plx_pci_cap(b.dev, 0x05), 0);
	/* The low bits of a pointer mean nothing. */
	b.f->cfg[0x34] |= 3;
	CHECK_EQ(plx_pci_cap(b.dev, 0x01), 0x40);
	/* No list, whatever the pointer says. */
	b.f->cfg[0x06] &= 0xef;
	CHECK_EQ(plx_pci_cap(b.dev, 0x01), 0);
	bench_free(&b);
}

TEST(pci, capability_lists_of_a_bad_device)
{
	struct bench b;
	uint64_t reads;

	bench_new(&b, NULL, NULL);
	fake_cap_pm(b.f, false);
	fake_cap_pcie(b.f, false);
	CHECK_EQ(bench_open(&b), 0);
	b.f->cfg[b.f->cap_exp + 1] = 0x40; /* back to the first */
	CHECK_EQ(plx_pci_cap(b.dev, 0x11), 0);
	b.f->cfg[0x41] = 0x40; /* itself */
	CHECK_EQ(plx_pci_cap(b.dev, 0x11), 0);
	b.f->cfg[0x41] = 0x08; /* into the header */
	CHECK_EQ(plx_pci_cap(b.dev, 0x86), 0);
	memset(b.f->cfg + 0x40, 0xff, 0xc0); /* all ones */
	CHECK_EQ(plx_pci_cap(b.dev, 0xff), 0);
	/* The longest chain there can be: it ends. */
	for (unsigned i = 0x40; i < 0x100; i += 4) {
		b.f->cfg[i] = 0x77;
		b.f->cfg[i + 1] = (uint8_t)(i + 4);
	}
	reads = fake_count(b.f, FAKE_CFG_READ);
	CHECK_EQ(plx_pci_cap(b.dev, 0x11), 0);
	CHECK(fake_count(b.f, FAKE_CFG_READ) - reads <= 50);
	bench_free(&b);
}

TEST(pci, configuration_space_is_checked)
{
	struct bench b;
	uint64_t reads, writes;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 0, 4), 0x56781234);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 2, 2), 0x5678);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 1, 1), 0x12);
	plx_pci_cfg_write(b.dev, 0x3c, 1, 0x1234);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 0x3c, 1), 0x34);
	reads = fake_count(b.f, FAKE_CFG_READ);
	writes = fake_count(b.f, FAKE_CFG_WRITE);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 4096, 1), 0xff);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 4094, 4), 0xffffffff);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 1, 2), 0xffff);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 0, 3), 0xffffff);
	CHECK_EQ(plx_pci_cfg_read(b.dev, UINT32_MAX, 1), 0xff);
	plx_pci_cfg_write(b.dev, 4096, 4, 0);
	CHECK_EQ(fake_count(b.f, FAKE_CFG_READ), reads);
	CHECK_EQ(fake_count(b.f, FAKE_CFG_WRITE), writes);
	bench_free(&b);
}

TEST(pci, bus_mastering_is_verified)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	b.f->cfg_rw[0x04] &= (uint8_t)~4; /* the bit does not stick */
	CHECK_EQ(plx_pci_set_master(b.dev, true), -EIO);
	CHECK_HAS(plx_errmsg(), "command register is 0x0002 after writing 0x0006");
	b.f->cfg_rw[0x04] |= 4;
	CHECK_EQ(plx_pci_set_master(b.dev, true), 0);
	fake_inject(b.f, FAKE_CFG_READ, 1, FAKE_GONE);
	CHECK_EQ(plx_pci_set_master(b.dev, false), -ENODEV);
	bench_free(&b);
}

TEST(pci, gone_is_for_good)
{
	struct bench b;
	struct plx_win w;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_win(b.dev, 0, 0, 4096, &w), 0);
	CHECK(!plx_pci_gone(b.dev));
	fake_remove(b.f);
	CHECK(plx_pci_gone(b.dev));
	fake_heal(b.f); /* somebody else's device in the same slot */
	CHECK(plx_pci_gone(b.dev));
	CHECK_EQ(plx_rd32(&w, 0), 0xffffffff);
	plx_wr32(&w, 0, 1);
	CHECK_EQ(fake_writes(b.f, 0, 0), 0);
	CHECK_EQ(plx_pci_cfg_read(b.dev, 0, 2), 0xffff);
	CHECK_EQ(plx_pci_reset(b.dev), -ENODEV);
	bench_free(&b);
}

TEST(pci, a_driver_may_find_out_first)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_set_master(b.dev, true), 0);
	plx_pci_set_gone(b.dev);
	CHECK(plx_pci_gone(b.dev));
	/* it was wrong: the device is there, and must not write to memory that is given back */
	CHECK(fake_master(b.f));
	CHECK_EQ(plx_pci_set_master(b.dev, false), -ENODEV);
	CHECK(!fake_master(b.f));
	bench_free(&b);
}

TEST(pci, close_ends_the_dma_of_a_device_called_gone)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_set_master(b.dev, true), 0);
	plx_pci_set_gone(b.dev);
	plx_pci_close(b.dev);
	b.dev = NULL;
	CHECK(!fake_master(b.f));
	bench_free(&b);
}

static int count_transport(void *arg, const struct plx_pci_transport *t)
{
	unsigned *n = arg;

	(*n)++;
	CHECK(t->help != NULL && strncmp(t->help, t->kind, strlen(t->kind)) == 0);
	return 0;
}

TEST(pci, transports)
{
	struct plx_pci_transport incomplete = {.kind = "x"};
	struct plx_pci_dev *dev;
	struct plx_opts *opts;
	struct bench b;
	unsigned n = 0;

	bench_new(&b, NULL, NULL);
	CHECK(plx_pci_transport_find(b.ctx, "fake") == &fake_transport);
	CHECK(plx_pci_transport_find(b.ctx, "qemu") != NULL);
	CHECK(plx_pci_transport_find(b.ctx, "warp") == NULL);
	CHECK_HAS(plx_errmsg(), "there are: pci qemu");
	CHECK_HAS(plx_errmsg(), " vfio-user");
	CHECK_HAS(plx_errmsg(), " fake");
	CHECK_EQ(plx_pci_transport_add(b.ctx, &fake_transport), -EEXIST);
	CHECK_EQ(plx_pci_transport_add(b.ctx, &incomplete), -EINVAL);
	CHECK_EQ(plx_pci_transport_add(b.ctx, NULL), -EINVAL);
	CHECK_EQ(plx_pci_transport_each(b.ctx, count_transport, &n), 0);
	CHECK(n >= 3); /* those above */
	CHECK_EQ(plx_opts_parse("warp:9", &opts), 0);
	CHECK_EQ(plx_pci_open(b.ctx, opts, &dev), -ENOENT);
	plx_opts_free(opts);
	CHECK_EQ(plx_opts_parse("fake:other", &opts), 0);
	CHECK_EQ(plx_pci_open(b.ctx, opts, &dev), -ENOENT);
	plx_opts_free(opts);
	CHECK_EQ(bench_open(&b), 0);
	dev = b.dev;
	CHECK_EQ(bench_open(&b), -EBUSY);
	b.dev = dev;
	bench_free(&b);
}
