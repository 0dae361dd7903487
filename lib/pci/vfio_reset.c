/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resets by the kernel (include/uapi/linux/vfio.h: VFIO_DEVICE_RESET, VFIO_DEVICE_PCI_HOT_RESET). It
 * keeps configuration space over them, so what the device did does not show there: its word is all
 * there is, and a driver resets the device by its own register as well.
 */
#define PLX_LOG_TAG "vfio"
#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vfio.h"
#include "vfio_uapi.h"

#define MS 1000000u

/* Devices behind one bus, functions too; groups that they may be in. */
enum { BEHIND_MAX = 256 };

int vfio_reset(struct plx_pci_dev *dev)
{
	struct vfio_dev *d = dev->priv;
	int err = EAGAIN;

	if (!d->has_reset)
		return -ENOTSUP;
	/* EAGAIN: somebody else holds the device or its bridge for a moment. */
	for (unsigned i = 0; i < 20 && err == EAGAIN; i++) {
		if (i > 0)
			plx_pci_delay(dev, 10 * MS);
		err = d->sys->ioctl(d->sys->arg, d->fd, VFIO_DEVICE_RESET, NULL) < 0 ? errno : 0;
	}
	if (err == 0)
		plx_logf(plx_ctx_log(dev->ctx), PLX_LOG_INFO, "%s: reset by the kernel", dev->name);
	if (err == ENOTTY || err == EINVAL)
		return -ENOTSUP;
	return err == 0 ? 0 : plx_err(err, "%s: reset by the kernel: %s", dev->name, strerror(err));
}

/* What a reset of the bus would reset. *out is freed by the caller. */
static int behind_bus(const struct vfio_dev *d, struct vfio_pci_hot_reset_info **out)
{
	size_t size = sizeof(**out) + BEHIND_MAX * sizeof((*out)->devices[0]);
	struct vfio_pci_hot_reset_info *info = calloc(1, size);
	int err = 0;

	*out = info;
	if (info == NULL)
		return plx_err(ENOMEM, "%s: no memory", d->pci->name);
	info->argsz = (uint32_t)size;
	if (d->sys->ioctl(d->sys->arg, d->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info) < 0)
		err = errno;
	if (err == ENODEV || err == ENOTTY || err == EINVAL)
		return -ENOTSUP; /* no bridge above that could */
	if (err != 0)
		return plx_err(
			err, "%s: what a reset of its bus resets: %s", d->pci->name, strerror(err));
	if (info->count == 0 || info->count > BEHIND_MAX)
		return plx_err(EIO, "%s: the kernel says a reset of its bus resets %u devices",
			d->pci->name, info->count);
	return 0;
}

static bool is_open(const struct vfio_dev *d, const char *bdf)
{
	for (const struct vfio_dev *o = d->slot->devs; o != NULL; o = o->next)
		if (o != d && strcmp(o->bdf_text, bdf) == 0)
			return true;
	return false;
}

/*
 * Is one of the devices behind the bus in somebody else's hands, or open here? Notes the descriptors
 * of the groups, each once, by which the kernel sees that they are ours.
 */
static int only_ours(const struct vfio_dev *d, const struct vfio_pci_hot_reset_info *info,
	struct vfio_pci_hot_reset *reset)
{
	char bdf[PCI_BDF_TEXT];
	const bool by_group = d->backend->proof != NULL;

	for (uint32_t i = 0; i < info->count; i++) {
		const struct vfio_pci_dependent_device *b = &info->devices[i];
		const struct pci_bdf at = {
			b->segment, b->bus, (uint8_t)(b->devfn >> 3), b->devfn & 7};
		int fd = -1;
		uint32_t k = 0;

		pci_bdf_text(&at, bdf);
		if (is_open(d, bdf))
			return plx_err(EBUSY,
				"%s: a reset of its bus would also reset %s, which is open: close it first",
				d->pci->name, bdf);
		if (by_group)
			fd = d->backend->proof(d, b->group_id);
		if (by_group ? fd < 0 : b->group_id == VFIO_UAPI_DEVID_NOT_OWNED)
			return plx_err(EBUSY,
				"%s: a reset of its bus would also reset %s, which is not this program's",
				d->pci->name, bdf);
		while (k < reset->count && reset->group_fds[k] != fd)
			k++;
		if (fd >= 0 && k == reset->count)
			reset->group_fds[reset->count++] = fd;
	}
	if (!by_group && (info->flags & VFIO_UAPI_HOT_RESET_DEV_ID_OWNED) == 0)
		return plx_err(EBUSY,
			"%s: a reset of its bus would also reset devices that are not this program's",
			d->pci->name);
	return 0;
}

static int hot_reset(struct vfio_dev *d)
{
	size_t size = sizeof(struct vfio_pci_hot_reset) + BEHIND_MAX * sizeof(int32_t);
	struct vfio_pci_hot_reset *reset = calloc(1, size);
	struct vfio_pci_hot_reset_info *info;
	int err = behind_bus(d, &info);

	if (err == 0 && reset == NULL)
		err = plx_err(ENOMEM, "%s: no memory", d->pci->name);
	if (err == 0)
		err = only_ours(d, info, reset);
	if (err == 0) {
		reset->argsz =
			(uint32_t)(sizeof(*reset) + reset->count * sizeof(reset->group_fds[0]));
		if (d->sys->ioctl(d->sys->arg, d->fd, VFIO_DEVICE_PCI_HOT_RESET, reset) < 0)
			err = plx_err(
				errno, "%s: reset of its bus: %s", d->pci->name, strerror(errno));
	}
	free(info);
	free(reset);
	return err;
}

int vfio_bus_reset(struct plx_pci_dev *dev)
{
	struct vfio_dev *d = dev->priv;
	int err;

	pthread_mutex_lock(&d->slot->lock); /* no device is opened meanwhile */
	err = hot_reset(d);
	pthread_mutex_unlock(&d->slot->lock);
	return err;
}
