/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts, resets and removal over `pci:`; virtio devices that go past the IOMMU. */
#include "vfio_rig.h"

#include <poll.h>
#include <unistd.h>

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static bool fired(int fd)
{
	uint64_t n;

	return readable(fd) && read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n);
}

/* ---- interrupts ---- */

TEST(vfio_events, the_best_interrupts_there_are)
{
	static const struct {
		uint32_t intx, msi, msix;
		enum plx_irq_type type;
		uint32_t got; /* of three */
	} rows[] = {
		{1, 4, 5, PLX_IRQ_MSIX, 3},
		{1, 4, 0, PLX_IRQ_MSI, 3},
		{1, 2, 0, PLX_IRQ_MSI, 2},
		{0, 0, 1, PLX_IRQ_MSIX, 1},
		{1, 0, 0, PLX_IRQ_INTX, 1},
	};
	struct vrig v;

	EACH_VIA(via)
	{
		for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
			enum plx_irq_type type;
			uint32_t got;

			vrig_new(&v, NULL, 1, NULL);
			v.f[0]->irq_max[PLX_IRQ_INTX] = rows[i].intx;
			v.f[0]->irq_max[PLX_IRQ_MSI] = rows[i].msi;
			v.f[0]->irq_max[PLX_IRQ_MSIX] = rows[i].msix;
			CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
			CHECK_EQ(plx_pci_irq_fd(v.dev[0], 0), -ENOTSUP);
			CHECK_EQ(plx_pci_irq_enable(v.dev[0], 3, &got, &type), 0);
			CHECK_EQ(type, rows[i].type);
			CHECK_EQ(got, rows[i].got);
			for (uint32_t n = 0; n < got && type != PLX_IRQ_INTX; n++) {
				fake_irq(v.f[0], n);
				for (uint32_t o = 0; o < got; o++)
					CHECK_EQ(fired(plx_pci_irq_fd(v.dev[0], o)), o == n);
			}
			plx_pci_irq_disable(v.dev[0]);
			CHECK_EQ(v.d[0]->irq_type, -1);
			/* And once more. */
			CHECK_EQ(plx_pci_irq_enable(v.dev[0], 1, &got, &type), 0);
			CHECK_EQ(got, 1);
			vrig_end(&v); /* on while it is closed */
		}
	}
}

TEST(vfio_events, intx_fires_again_when_it_is_rearmed)
{
	enum plx_irq_type type;
	struct vrig v;
	uint32_t got;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		v.f[0]->irq_max[PLX_IRQ_INTX] = 1;
		v.f[0]->irq_max[PLX_IRQ_MSIX] = 0;
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(plx_pci_irq_rearm(v.dev[0]), -ENOTSUP);
		CHECK_EQ(plx_pci_irq_enable(v.dev[0], 1, &got, &type), 0);
		fake_vfio_intx(v.d[0]);
		CHECK(fired(plx_pci_irq_fd(v.dev[0], 0)));
		fake_vfio_intx(v.d[0]);
		CHECK(!fired(plx_pci_irq_fd(v.dev[0], 0)));
		CHECK_EQ(plx_pci_irq_rearm(v.dev[0]), 0);
		fake_vfio_intx(v.d[0]);
		CHECK(fired(plx_pci_irq_fd(v.dev[0], 0)));
		vrig_end(&v);
	}
}

/* The kernel then says how many it could have, and sets none. */
TEST(vfio_events, fewer_vectors_than_the_device_has)
{
	enum plx_irq_type type;
	struct vrig v;
	uint32_t got;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		v.d[0]->msix_grant = 2;
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(plx_pci_irq_enable(v.dev[0], 4, &got, &type), 0);
		CHECK_EQ(type, PLX_IRQ_MSIX);
		CHECK_EQ(got, 2);
		fake_irq(v.f[0], 1);
		CHECK(fired(plx_pci_irq_fd(v.dev[0], 1)));
		/* Vector 3 of the driver is shared with it. */
		CHECK_EQ(plx_pci_irq_fd(v.dev[0], 3), plx_pci_irq_fd(v.dev[0], 1));
		vrig_end(&v);
	}
}

/* ---- removal ---- */

TEST(vfio_events, a_device_that_is_asked_for_is_gone)
{
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 2, NULL);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(vrig_open(&v, 1, via, ""), 0);
		CHECK(!plx_pci_gone(v.dev[0]));
		fake_vfio_request(v.d[0]);
		CHECK(readable(plx_ctx_fd(v.ctx)));
		plx_ctx_poll(v.ctx);
		CHECK(plx_pci_gone(v.dev[0]) && !plx_pci_gone(v.dev[1]));
		CHECK_HAS(v.log, "pci:0000:00:10.0: the kernel takes the device away");
		CHECK_EQ(plx_pci_cfg_read(v.dev[0], 0, 2), 0xffff);
		CHECK_EQ(plx_pci_reset(v.dev[0]), -ENODEV);
		vrig_close(&v, 0);
		CHECK_EQ(v.d[0]->open_count, 0);
		/* It comes back. */
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK(!plx_pci_gone(v.dev[0]));
		vrig_end(&v);
	}
}

TEST(vfio_events, without_its_events_a_device_works)
{
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		fake_vfio_fail(v.k, FAKE_VFIO_DEVICE_SET_IRQS, 0, EINVAL);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		fake_vfio_heal(v.k);
		CHECK_EQ(v.d[0]->req_fd, -1);
		/* All ones tell, though the kernel knows its ids by heart. */
		fake_remove(v.f[0]);
		for (unsigned ms = 0; ms < 5000 && !plx_pci_gone(v.dev[0]); ms++)
			usleep(1000);
		CHECK(plx_pci_gone(v.dev[0]));
		vrig_end(&v);
	}
}

/* ---- resets ---- */

TEST(vfio_events, the_kernel_resets)
{
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(plx_pci_set_master(v.dev[0], true), 0);
		plx_pci_cfg_write(v.dev[0], 0x10, 4, 0xfeb00000);
		CHECK_EQ(plx_pci_reset(v.dev[0]), 0);
		CHECK_EQ(v.d[0]->n_resets, 1);
		CHECK(!fake_master(v.f[0]));
		CHECK_EQ(plx_pci_cfg_read(v.dev[0], 0x10, 4), 0xfeb00000);
		CHECK_EQ(plx_pci_cfg_read(v.dev[0], 0x04, 2) & 2, 2);
		/* Somebody else holds it for a moment. */
		fake_vfio_fail(v.k, FAKE_VFIO_DEVICE_RESET, 1, EAGAIN);
		CHECK_EQ(plx_pci_reset(v.dev[0]), 0);
		fake_vfio_fail(v.k, FAKE_VFIO_DEVICE_RESET, 1, EIO);
		CHECK_EQ(plx_pci_reset(v.dev[0]), -EIO);
		CHECK_HAS(
			plx_errmsg(), "pci:0000:00:10.0: reset by the kernel: Input/output error");
		vrig_end(&v);
	}
}

/* No reset but that of the bus: this device has no FLR and its power cycle does nothing. */
static void bus_only(struct vrig *v, unsigned i)
{
	v->d[i]->no_reset = true;
	v->d[i]->reset_set = 1;
	v->f[i]->cfg[v->f[i]->cap_pm + 4] |= 8; /* no soft reset */
}

TEST(vfio_events, the_bus_is_reset_when_all_on_it_is_ours_and_closed)
{
	const unsigned groups[] = {7, 7, 8};
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 3, groups);
		bus_only(&v, 0);
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		/* Alone on its bus. */
		CHECK_STR(plx_pci_reset(v.dev[0]) == 0 ? "" : plx_errmsg(), "");
		CHECK_EQ(v.d[0]->n_hot_resets, 1);
		CHECK(!fake_master(v.f[0]));
		/* With one of its group: open, then closed. */
		v.d[1]->reset_set = 1;
		CHECK_EQ(vrig_open(&v, 1, via, ""), 0);
		CHECK_EQ(plx_pci_reset(v.dev[0]), -EBUSY);
		CHECK_HAS(plx_errmsg(),
			"would also reset 0000:00:10.1, which is open: close it first");
		vrig_close(&v, 1);
		CHECK_STR(plx_pci_reset(v.dev[0]) == 0 ? "" : plx_errmsg(), "");
		CHECK_EQ(v.d[1]->n_hot_resets, 1);
		/* With one of a group that nobody gave us. */
		v.d[2]->reset_set = 1;
		CHECK_EQ(plx_pci_reset(v.dev[0]), -EBUSY);
		CHECK_HAS(
			plx_errmsg(), "would also reset 0000:00:10.2, which is not this program's");
		CHECK_EQ(v.d[2]->n_hot_resets, 0);
		vrig_end(&v);
	}
}

TEST(vfio_events, no_reset_at_all)
{
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		bus_only(&v, 0);
		v.d[0]->reset_set = 0;
		CHECK_EQ(vrig_open(&v, 0, via, ""), 0);
		CHECK_EQ(plx_pci_reset(v.dev[0]), -ENOTSUP);
		CHECK_HAS(plx_errmsg(), "use its own reset register");
		/* The kernel lies about the bus. */
		v.d[0]->reset_set = 1;
		for (int lie = FAKE_VFIO_ZEROS; lie <= FAKE_VFIO_NOISE; lie++) {
			fake_vfio_lie(v.k, FAKE_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, 1,
				(enum fake_vfio_lie)lie);
			CHECK_EQ(plx_pci_reset(v.dev[0]), -EIO);
			CHECK_HAS(plx_errmsg(), "the kernel says a reset of its bus resets");
		}
		fake_vfio_fail(v.k, FAKE_VFIO_DEVICE_PCI_HOT_RESET, 1, EPERM);
		CHECK_EQ(plx_pci_reset(v.dev[0]), -EPERM);
		CHECK_HAS(plx_errmsg(), "reset of its bus: Operation not permitted");
		vrig_end(&v);
	}
}

/* ---- virtio ---- */

/* virtio_pci_common_cfg at 0 of BAR 3: what a device of virtio 1 offers. */
static void make_virtio(struct vrig *v, bool modern)
{
	/* cap_len, type (common), bar, id, padding, offset, length */
	const uint8_t body[14] = {16, 1, 3, 0, 0, 0, 0, 0, 0, 0, 56, 0, 0, 0};

	fake_ids(v->f[0], 0x1af4, 0x1000 + (modern ? 0x41 : 0), 0x1af4, 1, 0x020000);
	if (modern)
		fake_cap(v->f[0], 0x09, body, NULL, sizeof(body));
}

TEST(vfio_events, virtio_devices_that_go_past_the_iommu_are_refused)
{
	struct vrig v;

	EACH_VIA(via)
	{
		vrig_new(&v, NULL, 1, NULL);
		make_virtio(&v, false);
		CHECK_EQ(vrig_open(&v, 0, via, ""), -EPERM);
		CHECK_HAS(plx_errmsg(),
			"pci:0000:00:10.0: a virtio device with the legacy interface alone");
		CHECK_HAS(plx_errmsg(), "iommu_platform=on");
		CHECK_STR(fake_vfio_left(v.k), "");
		make_virtio(&v, true);
		plx_store_le32(v.f[0]->bars[3].mem + 4, 1u << 0); /* VERSION_1 and no more */
		CHECK_EQ(vrig_open(&v, 0, via, ""), -EPERM);
		CHECK_HAS(plx_errmsg(), "does not offer VIRTIO_F_ACCESS_PLATFORM");
		CHECK_HAS(plx_errmsg(), "disable-legacy=on,iommu_platform=on");
		CHECK_STR(fake_vfio_left(v.k), "");
		plx_store_le32(v.f[0]->bars[3].mem + 4, 3); /* bit 33 of all */
		CHECK_STR(vrig_open(&v, 0, via, "") == 0 ? "" : plx_errmsg(), "");
		CHECK_EQ(plx_load_le32(v.f[0]->bars[3].mem), 1); /* the upper half was asked for */
		vrig_end(&v);
	}
}
