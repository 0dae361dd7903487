/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of a vfio-user device. The server is given eventfds; what a kernel does besides for a
 * device behind VFIO is for the client here: the capability's Enable bit is set and the vectors of
 * MSI-X are unmasked in its table (PCI Local Bus 3.0, 6.8), without which some servers signal nothing.
 */
#define PLX_LOG_TAG "vfio-user"
#include <linux/vfio.h>
#include <stdio.h>

#include "vfio_user.h"

enum {
	CAP_MSI = 0x05,
	CAP_MSIX = 0x11,
	MSG_CONTROL = 2,
	MSI_ENABLE = 1 << 0,
	MSI_MULTIPLE = 7 << 4,
	MSIX_MASK = 1 << 14,
	MSIX_ENABLE = 1 << 15,
	MSIX_TABLE = 4, /* offset, and the BAR in the low three bits */
	MSIX_ENTRY = 16,
	MSIX_VECTOR_CONTROL = 12,
	INTX_OFF = 1 << 10, /* of the command register */
};

static uint32_t irq_index(enum plx_irq_type type)
{
	return type == PLX_IRQ_MSIX  ? VFIO_PCI_MSIX_IRQ_INDEX
	       : type == PLX_IRQ_MSI ? VFIO_PCI_MSI_IRQ_INDEX
				     : VFIO_PCI_INTX_IRQ_INDEX;
}

int vu_irq_max(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t *max)
{
	struct vu_dev *d = dev->priv;
	struct vu_irq_info info = {.argsz = sizeof(info), .index = irq_index(type)};
	const struct vu_irq_info q = info;
	const struct vu_req r = {.cmd = VU_GET_IRQ_INFO, .data = &q, .len = sizeof(q)};
	struct vu_answer a = {.data = &info, .min = sizeof(info), .max = sizeof(info)};
	int err;

	*max = 0;
	if (q.index >= d->info.num_irqs || d->limits.max_fds == 0)
		return 0;
	err = vu_call(d->s, &r, &a);
	if (err < 0)
		return err;
	if (info.index != q.index || info.count > VU_IRQS)
		return vu_broken(d->s, "has %u interrupts of type %u (asked was %u)", info.count,
			info.index, q.index);
	if ((info.flags & VU_IRQ_EVENTFD) == 0)
		return 0;
	/* Nobody unmasks them here. */
	if (type == PLX_IRQ_INTX && (info.flags & VU_IRQ_AUTOMASKED) != 0)
		return 0;
	*max = info.count;
	if ((info.flags & VU_IRQ_NORESIZE) != 0) /* all at once, in one message */
		*max = (uint32_t)PLX_MIN(
			(uint64_t)info.count, PLX_MIN(d->limits.max_fds, (uint64_t)VU_FDS_MAX));
	return 0;
}

static int set(struct vu_dev *d, uint32_t index, uint32_t start, uint32_t n, const int *fds)
{
	const struct vu_irq_set q = {
		.argsz = sizeof(q),
		.flags = VU_SET_TRIGGER | (n != 0 ? VU_SET_EVENTFD : VU_SET_NONE),
		.index = index,
		.start = start,
		.count = n,
	};
	const struct vu_req r = {
		.cmd = VU_SET_IRQS, .data = &q, .len = sizeof(q), .fds = fds, .n_fds = n};

	return vu_call(d->s, &r, NULL);
}

/* Lets the vectors of the table signal. A table that is not where it says stays as it is. */
static void unmask(struct plx_pci_dev *dev, uint32_t cap, uint32_t n)
{
	struct vu_dev *d = dev->priv;
	uint32_t table = plx_pci_cfg_read(dev, cap + MSIX_TABLE, 4), bar = table & 7;
	uint64_t off = table & ~7u;

	if (bar >= PLX_PCI_BARS || d->regions[bar].len < MSIX_ENTRY ||
		off > d->regions[bar].len - MSIX_ENTRY)
		return;
	n = (uint32_t)PLX_MIN((uint64_t)n, (d->regions[bar].len - off) / MSIX_ENTRY);
	for (uint32_t i = 0; i < n; i++)
		(void)vu_write(d->s, bar, off + i * MSIX_ENTRY + MSIX_VECTOR_CONTROL, 4, 0, true);
}

/* What configuration space has to say for interrupts of a type to come, or not. */
static void enable(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n)
{
	uint32_t cap, v;

	if (type == PLX_IRQ_INTX) {
		v = plx_pci_cfg_read(dev, PCI_COMMAND, 2);
		plx_pci_cfg_write(
			dev, PCI_COMMAND, 2, n != 0 ? v & ~(uint32_t)INTX_OFF : v | INTX_OFF);
		return;
	}
	cap = plx_pci_cap(dev, type == PLX_IRQ_MSIX ? CAP_MSIX : CAP_MSI);
	if (cap == 0 || cap > PCI_CFG_STD - 12)
		return;
	v = plx_pci_cfg_read(dev, cap + MSG_CONTROL, 2);
	if (type == PLX_IRQ_MSIX)
		v = n != 0 ? (v & ~(uint32_t)MSIX_MASK) | MSIX_ENABLE : v & ~(uint32_t)MSIX_ENABLE;
	else if (n != 0)
		v = (v & ~(uint32_t)MSI_MULTIPLE) | MSI_ENABLE |
		    plx_log2_u64(plx_roundup_pow2_u64(n)) << 4;
	else
		v &= ~(uint32_t)MSI_ENABLE;
	plx_pci_cfg_write(dev, cap + MSG_CONTROL, 2, v);
	if (type == PLX_IRQ_MSIX && n != 0)
		unmask(dev, cap, n);
}

int vu_irq_set(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n, const int *fds)
{
	struct vu_dev *d = dev->priv;
	uint32_t at_once = (uint32_t)PLX_MIN(d->limits.max_fds, (uint64_t)VU_FDS_MAX);
	uint32_t index = irq_index(type);
	int err = 0;

	if (n == 0) {
		enable(dev, type, 0);
		d->irq = PLX_IRQ_NONE;
		return set(d, index, 0, 0, NULL);
	}
	for (uint32_t i = 0; i < n && err == 0; i += at_once)
		err = set(d, index, i, PLX_MIN(at_once, n - i), fds + i);
	if (err < 0) {
		char why[PLX_ERRMSG_SIZE];

		/* those that were set */
		snprintf(why, sizeof(why), "%s", plx_errmsg());
		(void)set(d, index, 0, 0, NULL);
		return plx_err(-err, "%s", why);
	}
	d->irq = type;
	enable(dev, type, n);
	return 0;
}

int vu_irq_restore(struct plx_pci_dev *dev)
{
	struct vu_dev *d = dev->priv;

	if (d->irq == PLX_IRQ_NONE || dev->n_irqs == 0)
		return 0;
	return vu_irq_set(dev, d->irq, dev->n_irqs, dev->irq_fds);
}
