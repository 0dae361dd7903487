/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport `pci:`: options, the way to the device, its operations (vfio.h). */
#define PLX_LOG_TAG "vfio"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vfio.h"

/* In the order in which they are tried. */
static const struct vfio_backend *const backends[] = {
	&vfio_backend_cdev,
	&vfio_backend_group,
};

enum { VIA_AUTO = -1 };
static const char *const via_names[] = {"cdev", "group", NULL};

static const char *const iommu_names[] = {"shared", "private", NULL};

struct vfio_opts {
	int via, iommu;
};

static const struct plx_opt_def opt_defs[] = {
	{.key = "via",
		.type = PLX_OPT_ENUM,
		.offset = offsetof(struct vfio_opts, via),
		.names = via_names,
		.help = "interface of the kernel; chosen by what there is"},
	{.key = "iommu",
		.type = PLX_OPT_ENUM,
		.offset = offsetof(struct vfio_opts, iommu),
		.names = iommu_names,
		.help = "I/O address space: one for all devices of the context, or its own"},
};

/* ---- what a context keeps ---- */

static const char slot_key; /* its address is the key */

static void slot_free(void *data)
{
	struct vfio_slot *slot = data;

	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

static int slot_get(struct plx_ctx *ctx, struct vfio_slot **out)
{
	struct vfio_slot *slot = plx_ctx_slot(ctx, &slot_key);

	if (slot == NULL) {
		slot = calloc(1, sizeof(*slot));
		if (slot == NULL)
			return plx_err(ENOMEM, "no memory");
		slot->ctx = ctx;
		pthread_mutex_init(&slot->lock, NULL);
		slot = plx_ctx_slot_offer(ctx, &slot_key, slot, slot_free);
	}
	*out = slot;
	return slot != NULL ? 0 : -ENOMEM;
}

/* ---- may it be driven? ---- */

static int check_iommu(struct vfio_dev *d)
{
	const char *sysfs = d->sys->sysfs;

	if (pci_sysfs_group(sysfs, d->bdf_text, &d->group_no) < 0)
		return plx_err(ENODEV,
			"it is behind no IOMMU, which would keep the device from all memory but ours: "
			"turn on VT-d or AMD-Vi in the BIOS and boot with intel_iommu=on (AMD: on by "
			"default); in a virtual machine it takes an emulated one; plx-doctor checks it");
	if (pci_sysfs_group_noiommu(sysfs, d->group_no))
		return plx_err(EPERM,
			"VFIO runs without an IOMMU here (enable_unsafe_noiommu_mode), so the device "
			"could reach all memory: not supported; turn on the IOMMU");
	return 0;
}

static int check_driver(const struct vfio_dev *d)
{
	char driver[PCI_DRIVER_TEXT];
	const char *loads = "";

	pci_sysfs_driver(d->sys->sysfs, d->bdf_text, driver);
	/* Variants are called mlx5_vfio_pci and the like. */
	if (strstr(driver, "vfio") != NULL)
		return 0;
	if (!pci_sysfs_has_driver(d->sys->sysfs, "vfio-pci"))
		loads = " (which loads the module vfio-pci, too)";
	if (driver[0] == '\0')
		return plx_err(ENODEV, "it is bound to no driver: run `plx-bind bind %s`%s as root",
			d->bdf_text, loads);
	return plx_err(EBUSY,
		"it is bound to the kernel's driver %s: run `plx-bind bind %s`%s as root", driver,
		d->bdf_text, loads);
}

static int check_machine(struct vfio_dev *d)
{
	int err;

	if (!pci_sysfs_exists(d->sys->sysfs, d->bdf_text))
		return plx_err(ENODEV, "this machine has no such device (lspci -D lists them)");
	err = check_iommu(d);
	return err < 0 ? err : check_driver(d);
}

/* ---- open and close ---- */

static int read_opts(struct vfio_dev *d, struct plx_opts *opts)
{
	struct vfio_opts o = {.via = VIA_AUTO, .iommu = 0};
	int err = plx_opts_apply(opts, opt_defs, PLX_ARRAY_SIZE(opt_defs), &o);

	if (err < 0)
		return err;
	if (plx_opts_address(opts)[0] == '\0')
		return plx_err(EINVAL, "pci: which device? pci:0000:03:00.0 (lspci -D lists them)");
	err = pci_bdf_parse(plx_opts_address(opts), &d->bdf);
	if (err < 0)
		return plx_err_prefix(err, "pci");
	pci_bdf_text(&d->bdf, d->bdf_text);
	d->want_private = o.iommu == 1;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(backends) && d->backend == NULL; i++)
		if (o.via != VIA_AUTO ? strcmp(backends[i]->name, via_names[o.via]) == 0
				      : backends[i]->there == NULL || backends[i]->there(d))
			d->backend = backends[i];
	return 0;
}

/* With the lock. */
static int attach(struct vfio_dev *d)
{
	int err;

	for (const struct vfio_dev *o = d->slot->devs; o != NULL; o = o->next)
		if (strcmp(o->bdf_text, d->bdf_text) == 0)
			return plx_err(EBUSY, "the device is open already in this context");
	err = check_machine(d);
	if (err < 0)
		return err;
	err = d->backend->attach(d);
	if (err < 0) {
		/* Before another thread finds a half-built group. */
		d->backend->detach(d);
		return err;
	}
	d->next = d->slot->devs;
	d->slot->devs = d;
	return 0;
}

static int vfio_open(struct plx_pci_dev *dev, struct plx_opts *opts)
{
	struct vfio_dev *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return plx_err(ENOMEM, "%s: no memory", dev->name);
	dev->priv = d;
	d->pci = dev;
	d->fd = d->req_fd = d->err_fd = -1;
	d->sys = plx_vfio_sys(dev->ctx);
	err = slot_get(dev->ctx, &d->slot);
	if (err == 0)
		err = read_opts(d, opts);
	if (err < 0)
		return err;
	snprintf(dev->name, sizeof(dev->name), "pci:%s", d->bdf_text);
	dev->node = pci_sysfs_node(d->sys->sysfs, d->bdf_text);
	pthread_mutex_lock(&d->slot->lock);
	err = attach(d);
	pthread_mutex_unlock(&d->slot->lock);
	if (err < 0)
		return plx_err_prefix(err, "%s", dev->name);
	dev->domain = &d->iommu->dom;
	err = vfio_dev_start(d);
	return err < 0 ? err : vfio_virtio_check(dev);
}

static void vfio_close(struct plx_pci_dev *dev)
{
	struct vfio_dev *d = dev->priv, **p;

	if (d == NULL)
		return;
	if (d->slot != NULL) {
		vfio_dev_stop(d);
		pthread_mutex_lock(&d->slot->lock);
		if (d->backend != NULL)
			d->backend->detach(d);
		for (p = &d->slot->devs; *p != NULL && *p != d;)
			p = &(*p)->next;
		if (*p == d)
			*p = d->next;
		pthread_mutex_unlock(&d->slot->lock);
	}
	dev->domain = NULL;
	dev->priv = NULL;
	free(d);
}

const struct plx_pci_transport plx_pci_vfio = {
	.kind = "pci",
	.help = "pci:BDF[,via=cdev|group][,iommu=shared|private]",
	.open = vfio_open,
	.close = vfio_close,
	.cfg_read = vfio_cfg_read,
	.cfg_write = vfio_cfg_write,
	.region_info = vfio_region_info,
	.region_map = vfio_region_map,
	.region_unmap = vfio_region_unmap,
	.reg_read = vfio_reg_read,
	.reg_write = vfio_reg_write,
	.irq_max = vfio_irq_max,
	.irq_set = vfio_irq_set,
	.intx_unmask = vfio_intx_unmask,
	.reset = vfio_reset,
	.bus_reset = vfio_bus_reset,
	.gone = vfio_gone,
};
