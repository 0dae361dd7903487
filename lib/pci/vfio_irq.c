/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts of a device behind VFIO, as eventfds. */
#define PLX_LOG_TAG "vfio"
#include <linux/vfio.h>
#include <stdlib.h>

#include "vfio.h"

enum { VECTORS_MAX = 2048 }; /* PCI Local Bus 3.0, 6.8.2.3 */

static const uint32_t index_of[] = {
	[PLX_IRQ_INTX] = VFIO_PCI_INTX_IRQ_INDEX,
	[PLX_IRQ_MSI] = VFIO_PCI_MSI_IRQ_INDEX,
	[PLX_IRQ_MSIX] = VFIO_PCI_MSIX_IRQ_INDEX,
};

uint32_t vfio_irq_count(const struct vfio_dev *d, uint32_t index)
{
	struct vfio_irq_info info = {.argsz = sizeof(info), .index = index};

	if (d->sys->ioctl(d->sys->arg, d->fd, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0)
		return 0; /* an older kernel does not know the index */
	if ((info.flags & VFIO_IRQ_INFO_EVENTFD) == 0 || info.count > VECTORS_MAX)
		return 0;
	return info.count;
}

int vfio_irq_start(struct vfio_dev *d)
{
	for (uint32_t i = 0; i < PLX_ARRAY_SIZE(d->irq_count); i++)
		d->irq_count[i] = vfio_irq_count(d, i);
	return 0;
}

int vfio_irq_eventfds(const struct vfio_dev *d, uint32_t index, uint32_t n, const int *fds)
{
	size_t size = sizeof(struct vfio_irq_set) + n * sizeof(*fds);
	struct vfio_irq_set *set = calloc(1, size);
	int err;

	if (set == NULL)
		return -ENOMEM;
	set->argsz = (uint32_t)size;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		     (n > 0 ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->index = index;
	set->count = n;
	if (n > 0)
		memcpy(set->data, fds, n * sizeof(*fds));
	err = d->sys->ioctl(d->sys->arg, d->fd, VFIO_DEVICE_SET_IRQS, set);
	if (err < 0)
		err = -errno;
	free(set);
	/* So many vectors could be had, and none is set. */
	return err > 0 && (uint32_t)err >= n ? -EIO : err;
}

int vfio_irq_max(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t *max)
{
	const struct vfio_dev *d = dev->priv;

	*max = type == PLX_IRQ_NONE ? 0 : d->irq_count[index_of[type]];
	return 0;
}

int vfio_irq_set(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n, const int *fds)
{
	const struct vfio_dev *d = dev->priv;
	int err = vfio_irq_eventfds(d, index_of[type], n, fds);

	if (err < 0)
		return plx_err(-err, "%s: setting %u interrupts: %s", dev->name, n, strerror(-err));
	return err;
}

/* The kernel masks INTx, which is level triggered, when it fires: else it would fire for ever. */
int vfio_intx_unmask(struct plx_pci_dev *dev)
{
	const struct vfio_dev *d = dev->priv;
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
		.index = VFIO_PCI_INTX_IRQ_INDEX,
		.count = 1,
	};

	if (d->sys->ioctl(d->sys->arg, d->fd, VFIO_DEVICE_SET_IRQS, &set) < 0)
		return plx_err(errno, "%s: unmasking INTx: %s", dev->name, strerror(errno));
	return 0;
}
