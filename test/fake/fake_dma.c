/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake device's memory side: an IOMMU made of the extents mapped for it; and interrupts. */
#include <unistd.h>

#include "fake_priv.h"

static int dom_map(struct plx_domain *dom, const struct plx_extent *ext)
{
	struct fake_pci *f = plx_container_of(dom, struct fake_pci, domain);
	int err = 0;

	fake_lock(f);
	if (fake_strike(f, FAKE_DMA_MAP) == FAKE_FAIL)
		err = plx_err(EIO, "%s: mapping fails as planned", dom->name);
	for (uint32_t i = 0; i < f->n_extents && err == 0; i++)
		if (ext->iova < f->extents[i].iova + f->extents[i].len &&
			f->extents[i].iova < ext->iova + ext->len)
			err = plx_err(EEXIST, "%s: I/O addresses mapped twice", dom->name);
	if (err == 0 && f->n_extents == FAKE_EXTENTS)
		err = plx_err(ENOSPC, "%s: more than %d extents", dom->name, FAKE_EXTENTS);
	if (err == 0)
		f->extents[f->n_extents++] = *ext;
	fake_unlock(f);
	return err;
}

static void dom_unmap(struct plx_domain *dom, const struct plx_extent *ext)
{
	struct fake_pci *f = plx_container_of(dom, struct fake_pci, domain);

	fake_lock(f);
	for (uint32_t i = 0; i < f->n_extents; i++) {
		if (f->extents[i].iova != ext->iova)
			continue;
		f->extents[i] = f->extents[--f->n_extents];
		break;
	}
	fake_unlock(f);
}

static const struct plx_domain_ops dom_ops = {
	.name = "fake",
	.map = dom_map,
	.unmap = dom_unmap,
};

int fake_domain_open(struct fake_pci *f, struct plx_pci_dev *dev)
{
	memset(&f->domain, 0, sizeof(f->domain));
	f->domain.ops = &dom_ops;
	f->domain.name = dev->name;
	f->domain.is_private = f->no_domain_map;
	f->n_extents = 0;
	return plx_domain_add(dev->ctx, &f->domain);
}

/* The extent that holds an address, if the access is allowed there. */
static struct plx_extent *translate(struct fake_pci *f, uint64_t iova, bool write)
{
	for (uint32_t i = 0; i < f->n_extents; i++) {
		struct plx_extent *e = &f->extents[i];

		if (iova < e->iova || iova - e->iova >= e->len)
			continue;
		return write && (e->flags & PLX_DMA_TO_DEVICE) != 0 ? NULL : e;
	}
	return NULL;
}

static int fault(struct fake_pci *f, uint64_t iova, bool write)
{
	f->dma_faults++;
	f->fault_iova = iova;
	f->fault_write = write;
	return -EFAULT;
}

typedef uint64_t word __attribute__((may_alias));

/*
 * What a device does to memory is not a thread's doing, and nothing orders it but the done bits:
 * ThreadSanitizer is not to see it, so it is no call of memcpy(), which it would.
 */
__attribute__((no_sanitize("thread"))) static void copy(
	volatile uint8_t *to, const volatile uint8_t *from, size_t n)
{
	for (; n >= 8 && ((uintptr_t)to & 7) == 0 && ((uintptr_t)from & 7) == 0; n -= 8) {
		*(volatile word *)to = *(const volatile word *)from;
		to += 8;
		from += 8;
	}
	while (n-- != 0)
		*to++ = *from++;
}

static void move(void *mem, uint8_t *buf, size_t n, bool write, enum fake_fault how)
{
	if (!write && how == FAKE_FAIL) {
		memset(buf, 0xff, n);
	} else if (how == FAKE_OK) {
		copy(write ? mem : buf, write ? buf : mem, n);
	} else if (how != FAKE_FAIL) {
		uint8_t *to = write ? mem : buf, *from = write ? buf : mem;

		for (size_t i = 0; i < n; i++)
			to[i] = (uint8_t)fake_spoil(how, from[i]);
	}
}

static int dma(struct fake_pci *f, uint64_t iova, uint8_t *buf, size_t len, bool write)
{
	enum fake_site site = write ? FAKE_DMA_WRITE : FAKE_DMA_READ;
	enum fake_fault how;
	int err = 0;

	fake_lock(f);
	how = fake_strike(f, site);
	fake_trace(f, site, 0, iova, 0, len);
	if (f->gone) {
		err = -ENODEV;
	} else if (!fake_master(f)) {
		f->dma_without_master++;
		err = fault(f, iova, write);
	}
	while (err == 0 && len > 0) {
		struct plx_extent *e = translate(f, iova, write);
		size_t n;

		if (e == NULL) {
			err = fault(f, iova, write);
			break;
		}
		n = (size_t)PLX_MIN((uint64_t)len, e->iova + e->len - iova);
		move((uint8_t *)e->va + (iova - e->iova), buf, n, write, how);
		iova += n;
		buf += n;
		len -= n;
	}
	fake_unlock(f);
	return err;
}

int fake_dma_read(struct fake_pci *f, uint64_t iova, void *buf, size_t len)
{
	return dma(f, iova, buf, len, false);
}

int fake_dma_write(struct fake_pci *f, uint64_t iova, const void *buf, size_t len)
{
	return dma(f, iova, (uint8_t *)(uintptr_t)buf, len, true);
}

void *fake_dma_ptr(struct fake_pci *f, uint64_t iova, size_t len, bool write)
{
	struct plx_extent *e;
	void *p = NULL;

	fake_lock(f);
	e = translate(f, iova, write);
	if (e != NULL && len <= e->iova + e->len - iova)
		p = (uint8_t *)e->va + (iova - e->iova);
	fake_unlock(f);
	return p;
}

void fake_irq(struct fake_pci *f, uint32_t vector)
{
	const uint64_t one = 1;

	fake_lock(f);
	if (f->gone || fake_strike(f, FAKE_IRQ_RAISE) == FAKE_FAIL || vector >= f->n_irqs ||
		write(f->irq_fds[vector], &one, sizeof(one)) != (ssize_t)sizeof(one))
		f->irqs_lost++;
	else
		f->irqs_raised++;
	fake_unlock(f);
}
