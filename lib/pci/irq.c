/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts as eventfds. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pci_internal.h"

/* Vectors of one device: more than any has use for (PCI Local Bus 3.0, 6.8.2.3: 2048). */
#define IRQS_MAX 2048u

static const char *type_name(enum plx_irq_type type)
{
	static const char *const names[] = {"none", "INTx", "MSI", "MSI-X"};

	return names[type];
}

static void fds_close(int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		close(fds[i]);
	free(fds);
}

static int fds_open(struct plx_pci_dev *dev, uint32_t n, int **out)
{
	int *fds = calloc(n, sizeof(*fds));
	int err;

	if (fds == NULL)
		return plx_err(ENOMEM, "%s: %u interrupt vectors: no memory", dev->name, n);
	for (uint32_t i = 0; i < n; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (fds[i] < 0) {
			err = plx_err(errno,
				"%s: eventfd %u of %u: %s; raise the limit of open "
				"files (ulimit -n) or use fewer queues",
				dev->name, i, n, strerror(errno));
			fds_close(fds, i);
			return err;
		}
	}
	*out = fds;
	return 0;
}

/* 0, an error, or how many vectors can be had instead. */
static int set_vectors(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n)
{
	int *fds = NULL;
	int err = fds_open(dev, n, &fds);

	if (err < 0)
		return err;
	err = dev->t->irq_set(dev, type, n, fds);
	if (err != 0)
		fds_close(fds, n);
	if (err < 0)
		return plx_err_prefix(err, "%s: %u vectors of %s", dev->name, n, type_name(type));
	if (err > 0)
		return err;
	dev->irq_fds = fds;
	dev->n_irqs = n;
	dev->irq_type = type;
	return 0;
}

static int try_type(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n)
{
	uint32_t max = 0;
	int err = dev->t->irq_max(dev, type, &max);

	if (err < 0)
		return err;
	if (max == 0)
		return plx_err(ENOTSUP, "%s: it has no %s", dev->name, type_name(type));
	n = PLX_MIN(PLX_MIN(n, max), IRQS_MAX);
	err = set_vectors(dev, type, n);
	if (err > 0 && (uint32_t)err < n)
		err = set_vectors(dev, type, (uint32_t)err);
	if (err > 0)
		return plx_err(ENOSPC, "%s: %s: fewer vectors can be had each time", dev->name,
			type_name(type));
	return err;
}

int plx_pci_irq_enable(struct plx_pci_dev *dev, uint32_t n, uint32_t *got, enum plx_irq_type *type)
{
	static const enum plx_irq_type order[] = {PLX_IRQ_MSIX, PLX_IRQ_MSI, PLX_IRQ_INTX};
	int err;

	*got = 0;
	*type = PLX_IRQ_NONE;
	if (n == 0)
		return plx_err(EINVAL, "%s: 0 interrupt vectors", dev->name);
	if (dev->n_irqs != 0)
		return plx_err(EBUSY, "%s: interrupts are on already", dev->name);
	if (dev->t->irq_max == NULL || dev->t->irq_set == NULL)
		return plx_err(ENOTSUP, "%s: transport '%s' has no interrupts: poll", dev->name,
			dev->t->kind);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(order); i++) {
		err = try_type(dev, order[i], n);
		if (err == -ENOTSUP)
			continue;
		if (err < 0)
			return err;
		*got = dev->n_irqs;
		*type = dev->irq_type;
		return 0;
	}
	return plx_err(ENOTSUP, "%s: the device has no interrupts: poll", dev->name);
}

int plx_pci_irq_rearm(struct plx_pci_dev *dev)
{
	if (dev->n_irqs == 0)
		return plx_err(ENOTSUP, "%s: interrupts are not on", dev->name);
	if (dev->irq_type != PLX_IRQ_INTX || dev->t->intx_unmask == NULL)
		return 0;
	return dev->t->intx_unmask(dev);
}

void plx_pci_irq_disable(struct plx_pci_dev *dev)
{
	if (dev->n_irqs == 0)
		return;
	(void)dev->t->irq_set(dev, dev->irq_type, 0, NULL);
	fds_close(dev->irq_fds, dev->n_irqs);
	dev->irq_fds = NULL;
	dev->n_irqs = 0;
	dev->irq_type = PLX_IRQ_NONE;
}

int plx_pci_irq_fd(const struct plx_pci_dev *dev, uint32_t vector)
{
	if (dev->n_irqs == 0)
		return plx_err(ENOTSUP, "%s: interrupts are not on", dev->name);
	return dev->irq_fds[vector % dev->n_irqs];
}
