/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device's descriptor (include/uapi/linux/vfio.h): its regions, configuration space and registers,
 * and how it leaves.
 *
 * A mapped BAR raises no SIGBUS: the kernel's page fault fails only while memory decoding is off or
 * the device sleeps (D3), and this library turns both on before the first window is opened and
 * neither off while one is: a reset by the kernel makes the access wait. Of a device that was pulled
 * out, reads give all ones. One that is taken away by the kernel (unbound, removed) stays until its
 * descriptor and all windows are closed: the kernel asks for it by an eventfd and waits.
 */
#define PLX_LOG_TAG "vfio"
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio.h"

/* A device that left is noticed within this time. */
#define LOOK_NS 10000000u

/* ---- regions ---- */

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static int bad_region(const struct vfio_dev *d, uint32_t i, const char *why)
{
	return plx_err(EIO, "%s: region %u as the kernel describes it: %s", d->pci->name, i, why);
}

/* The parts of a region that can be mapped: all of it, or what the sparse capability lists. */
static int read_areas(struct vfio_dev *d, uint32_t i, const struct vfio_region_info *info,
	const void *buf, size_t len)
{
	struct vfio_region_info_cap_sparse_mmap head;
	struct vfio_region_sparse_mmap_area area;
	struct vfio_region *r = &d->regions[i];
	const uint8_t *at = NULL;
	size_t room;

	r->areas[0] = (struct plx_range){0, r->len - 1};
	r->n_areas = 1;
	if ((info->flags & VFIO_REGION_INFO_FLAG_CAPS) != 0)
		at = vfio_cap(
			buf, len, info->cap_offset, VFIO_REGION_INFO_CAP_SPARSE_MMAP, sizeof(head));
	if (at == NULL)
		return 0;
	memcpy(&head, at, sizeof(head));
	room = (size_t)((const uint8_t *)buf + len - at) - sizeof(head);
	if (head.nr_areas > room / sizeof(area))
		return bad_region(d, i, "more parts than it lists");
	r->n_areas = 0;
	for (uint32_t k = 0; k < head.nr_areas; k++) {
		memcpy(&area, at + sizeof(head) + k * sizeof(area), sizeof(area));
		if (area.offset > r->len || area.size > r->len - area.offset)
			return bad_region(d, i, "a part lies outside");
		/* What does not fit the list is reached by message. */
		if (area.size != 0 && r->n_areas < VFIO_AREAS)
			r->areas[r->n_areas++] =
				(struct plx_range){area.offset, area.offset + area.size - 1};
	}
	return 0;
}

static int read_region(struct vfio_dev *d, uint32_t i)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = i};
	struct vfio_region *r = &d->regions[i];
	size_t len;
	void *buf;
	int err = vfio_info(
		d->sys, d->fd, VFIO_DEVICE_GET_REGION_INFO, &info, sizeof(info), &buf, &len);

	if (err < 0)
		return plx_err(-err, "%s: region %u: %s", d->pci->name, i, strerror(-err));
	memcpy(&info, buf, sizeof(info));
	r->len = info.size;
	r->off = info.offset;
	if (r->len > INT64_MAX || r->off > INT64_MAX - r->len)
		err = bad_region(d, i, "its size and offset leave the descriptor");
	else if (r->len != 0 && (info.flags & VFIO_REGION_INFO_FLAG_MMAP) != 0)
		err = read_areas(d, i, &info, buf, len);
	r->mappable = r->n_areas != 0;
	free(buf);
	return err;
}

static int read_info(struct vfio_dev *d)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	size_t len;
	void *buf;
	int err = vfio_info(d->sys, d->fd, VFIO_DEVICE_GET_INFO, &info, sizeof(info), &buf, &len);

	if (err < 0)
		return plx_err(-err, "%s: what the device has: %s", d->pci->name, strerror(-err));
	memcpy(&info, buf, sizeof(info));
	free(buf);
	if ((info.flags & VFIO_DEVICE_FLAGS_PCI) == 0 ||
		info.num_regions <= VFIO_PCI_CONFIG_REGION_INDEX)
		return plx_err(EPROTO,
			"%s: the kernel does not describe it as a PCI device (flags 0x%x, %u regions)",
			d->pci->name, info.flags, info.num_regions);
	d->has_reset = (info.flags & VFIO_DEVICE_FLAGS_RESET) != 0;
	return 0;
}

/* VFIO does not say which BAR is I/O space; configuration space does. */
static int read_bar_kinds(struct vfio_dev *d)
{
	uint32_t v;
	int err;

	for (uint32_t i = 0; i < PLX_PCI_BARS; i++) {
		if (d->regions[i].len == 0)
			continue;
		err = vfio_cfg_read(d->pci, PCI_BAR0 + 4 * i, 4, &v);
		if (err < 0)
			return err;
		d->regions[i].io = (v & PCI_BAR_IO) != 0;
	}
	return 0;
}

static int read_regions(struct vfio_dev *d)
{
	int err = 0;

	for (uint32_t i = 0; i < PLX_PCI_BARS && err == 0; i++)
		err = read_region(d, i);
	if (err == 0)
		err = read_region(d, PLX_PCI_REGION_CFG);
	if (err == 0 && d->regions[PLX_PCI_REGION_CFG].len < PCI_CFG_STD)
		err = bad_region(d, PLX_PCI_REGION_CFG, "too short for configuration space");
	return err == 0 ? read_bar_kinds(d) : err;
}

/* ---- reading and writing ---- */

/* PCI is little-endian. */
static int region_read(
	struct vfio_dev *d, uint32_t region, uint64_t off, unsigned width, uint64_t *v)
{
	const struct vfio_region *r = &d->regions[region];
	uint8_t b[8];
	ssize_t n;

	*v = UINT64_MAX;
	if (width > sizeof(b) || off > r->len || width > r->len - off)
		return 0; /* nobody is there: all ones */
	n = d->sys->pread(d->sys->arg, d->fd, b, width, r->off + off);
	if (n != (ssize_t)width)
		return plx_err(n < 0 ? errno : EIO, "%s: read of region %u at 0x%" PRIx64 ": %s",
			d->pci->name, region, off, n < 0 ? strerror(errno) : "too short");
	*v = 0;
	for (unsigned i = 0; i < width; i++)
		*v |= (uint64_t)b[i] << (8 * i);
	return 0;
}

static int region_write(
	struct vfio_dev *d, uint32_t region, uint64_t off, unsigned width, uint64_t v)
{
	const struct vfio_region *r = &d->regions[region];
	uint8_t b[8];
	ssize_t n;

	if (width > sizeof(b) || off > r->len || width > r->len - off)
		return 0;
	for (unsigned i = 0; i < width; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	n = d->sys->pwrite(d->sys->arg, d->fd, b, width, r->off + off);
	if (n != (ssize_t)width)
		return plx_err(n < 0 ? errno : EIO, "%s: write of region %u at 0x%" PRIx64 ": %s",
			d->pci->name, region, off, n < 0 ? strerror(errno) : "too short");
	return 0;
}

int vfio_cfg_read(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t *v)
{
	uint64_t got;
	int err = region_read(dev->priv, PLX_PCI_REGION_CFG, off, width, &got);

	*v = (uint32_t)(got & pci_ones(width));
	return err;
}

int vfio_cfg_write(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v)
{
	return region_write(dev->priv, PLX_PCI_REGION_CFG, off, width, v);
}

uint64_t vfio_reg_read(struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width)
{
	uint64_t v;

	return region_read(dev->priv, bar, off, width, &v) < 0 ? UINT64_MAX : v;
}

void vfio_reg_write(struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width, uint64_t v)
{
	(void)region_write(dev->priv, bar, off, width, v);
}

/* ---- mapping ---- */

int vfio_region_info(struct plx_pci_dev *dev, uint32_t region, struct plx_pci_region *info)
{
	const struct vfio_dev *d = dev->priv;

	if (region < PLX_PCI_REGIONS) {
		info->len = d->regions[region].len;
		info->io = d->regions[region].io;
		info->mappable = d->regions[region].mappable;
	}
	return 0;
}

int vfio_region_map(struct plx_pci_dev *dev, uint32_t region, uint64_t off, uint64_t len,
	volatile uint8_t **base)
{
	struct vfio_dev *d = dev->priv;
	const struct vfio_region *r = &d->regions[region];
	uint64_t first = plx_align_down(off, page_size());
	uint64_t size = plx_align_up(off + len, page_size()) - first;
	uint32_t i = 0;
	void *va;

	/* A window that touches a part which cannot be mapped is reached by message as a whole. */
	while (i < r->n_areas && (off < r->areas[i].first || off + len - 1 > r->areas[i].last))
		i++;
	if (i == r->n_areas || r->areas[i].first > first)
		return -ENOTSUP;
	va = d->sys->mmap(
		d->sys->arg, size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, r->off + first);
	if (va == MAP_FAILED) {
		plx_logf(plx_ctx_log(dev->ctx), PLX_LOG_WARN,
			"%s: BAR %u cannot be mapped (%s): each access of a register is a system call",
			dev->name, region, strerror(errno));
		return -ENOTSUP;
	}
	pci_keep_to_us(va, size);
	*base = (volatile uint8_t *)va + (off - first);
	return 0;
}

void vfio_region_unmap(struct plx_pci_dev *dev, volatile uint8_t *base, uint64_t len)
{
	struct vfio_dev *d = dev->priv;
	uintptr_t at = (uintptr_t)base, first = plx_align_down(at, page_size());

	(void)d->sys->munmap(
		d->sys->arg, (void *)first, plx_align_up(at + len, page_size()) - first);
}

/* ---- removal ---- */

static void drain(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
}

/* The kernel wants the device back and waits until it is closed. */
static void on_request(struct plx_work *work, uint64_t now_ns)
{
	struct vfio_dev *d = plx_container_of(work, struct vfio_dev, req_work);

	(void)now_ns;
	drain(work->fd);
	if (!PLX_READ_ONCE(d->requested))
		plx_logf(plx_ctx_log(d->slot->ctx), PLX_LOG_WARN,
			"%s: the kernel takes the device away (removed, or unbound) and waits until this "
			"program closes it",
			d->pci->name);
	PLX_WRITE_ONCE(d->requested, true);
	plx_pci_set_gone(d->pci);
}

static void on_error(struct plx_work *work, uint64_t now_ns)
{
	struct vfio_dev *d = plx_container_of(work, struct vfio_dev, err_work);

	(void)now_ns;
	drain(work->fd);
	plx_logf(plx_ctx_log(d->slot->ctx), PLX_LOG_ERR,
		"%s: the PCI bus reports an error of the device that cannot be corrected; reset the port",
		d->pci->name);
}

/*
 * The vendor's and device's ids do not tell: VFIO answers them from a copy, also when the device was
 * pulled out. The class and revision come from the device (PCI Local Bus 3.0, 6.2.1).
 */
bool vfio_gone(struct plx_pci_dev *dev)
{
	struct vfio_dev *d = dev->priv;
	uint64_t now = plx_clock_ns();
	uint32_t v;

	if (PLX_READ_ONCE(d->requested))
		return true;
	if (dev->vendor == 0 || now < PLX_READ_ONCE(d->next_look_ns))
		return false;
	PLX_WRITE_ONCE(d->next_look_ns, now + LOOK_NS);
	return vfio_cfg_read(dev, PCI_REVISION, 4, &v) < 0 || v == UINT32_MAX;
}

/* Without these interrupts the device works: an old kernel lacks one or the other. */
static int watch(struct vfio_dev *d, uint32_t index, int *fd, struct plx_work *work,
	void (*fn)(struct plx_work *work, uint64_t now_ns))
{
	int err;

	if (vfio_irq_count(d, index) == 0)
		return 0;
	*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*fd < 0)
		return plx_err(errno, "%s: eventfd: %s", d->pci->name, strerror(errno));
	err = vfio_irq_eventfds(d, index, 1, fd);
	if (err < 0) {
		plx_logf(plx_ctx_log(d->slot->ctx), PLX_LOG_INFO, "%s: interrupt %u: %s",
			d->pci->name, index, strerror(-err));
		return 0;
	}
	work->fn = fn;
	work->fd = *fd;
	return plx_work_add(d->slot->ctx, work);
}

/* ---- start and stop ---- */

int vfio_dev_start(struct vfio_dev *d)
{
	int err = read_info(d);

	if (err == 0)
		err = read_regions(d);
	if (err == 0)
		err = vfio_irq_start(d);
	if (err == 0)
		err = watch(d, VFIO_PCI_REQ_IRQ_INDEX, &d->req_fd, &d->req_work, on_request);
	if (err == 0)
		err = watch(d, VFIO_PCI_ERR_IRQ_INDEX, &d->err_fd, &d->err_work, on_error);
	return err;
}

void vfio_dev_stop(struct vfio_dev *d)
{
	plx_work_del(d->slot->ctx, &d->req_work);
	plx_work_del(d->slot->ctx, &d->err_work);
	if (d->req_fd >= 0)
		close(d->req_fd);
	if (d->err_fd >= 0)
		close(d->err_fd);
	d->req_fd = d->err_fd = -1;
}
