/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel's devices: vfio-pci's descriptor, on a fake PCI device. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_priv.h"
#include "fake_vfio_priv.h"

/* The fake's transport, which the kernel drives in the place of a PCI bus. */
static struct plx_pci_dev shim(struct fake_vfio_dev *d)
{
	struct plx_pci_dev s = {.t = &fake_transport, .priv = d->f};

	memcpy(s.name, d->bdf, sizeof(d->bdf));
	return s;
}

/* ---- open, close, reset ---- */

void fv_device_enable(struct fake_vfio_dev *d)
{
	fake_lock(d->f);
	d->f->open = true;
	d->f->cfg[0x04] &= (uint8_t)~4u; /* bus mastering off */
	if (d->f->gone)
		memset(d->ids, 0xff, sizeof(d->ids));
	else
		memcpy(d->ids, d->f->cfg, sizeof(d->ids));
	fake_unlock(d->f);
}

/* A reset that leaves configuration space as it was, bus mastering too. */
void fv_device_reset(struct fake_vfio_dev *d)
{
	struct fake_pci *f = d->f;
	uint8_t head[0x40];

	fake_lock(f);
	memcpy(head, f->cfg, sizeof(head));
	fake_reset(f);
	memcpy(f->cfg + 0x04, head + 0x04, 2);
	memcpy(f->cfg + 0x10, head + 0x10, 24);
	fake_unlock(f);
}

void fv_device_disable(struct fake_vfio_dev *d)
{
	fv_irqs_off(d);
	fake_lock(d->f);
	d->f->open = false;
	d->f->cfg[0x04] &= (uint8_t)~4u;
	fake_unlock(d->f);
	if (!d->no_reset && !d->f->gone)
		fv_device_reset(d);
}

void fv_device_close(struct fake_vfio *k, struct fv_fd *fd)
{
	struct fake_vfio_dev *d = fv_dev(fd);

	if (!fd->granted)
		return;
	if (--d->open_count == 0)
		fv_device_disable(d);
	if (fd->group != NULL) {
		fd->group->n_open--;
		fv_group_put(k, fd->group);
		return;
	}
	if (d->space != NULL)
		d->space->n_devs--;
	d->space = NULL;
	fv_space_sync(k);
	d->by_cdev = false;
	fv_iommu_put(k, d->iommufd);
	d->iommufd = NULL;
	d->devid = 0;
}

/* ---- what it is ---- */

static long get_info(const struct fake_vfio_dev *d, void *p)
{
	struct vfio_device_info info = {0};

	memcpy(&info, p, 4);
	if (info.argsz < 16)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | (d->no_reset ? 0 : VFIO_DEVICE_FLAGS_RESET);
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	memcpy(p, &info, 16);
	return 0;
}

static bool has_mmap(const struct fake_vfio_dev *d, uint32_t index)
{
	const struct fake_bar *b = &d->f->bars[index];

	return b->len >= 4096 && (b->flags & FAKE_BAR_IO) == 0 &&
	       (b->flags & FAKE_BAR_MAPPED) != 0 && !d->no_mmap[index];
}

static long region_info(const struct fake_vfio_dev *d, void *p)
{
	union {
		struct vfio_region_info_cap_sparse_mmap cap;
		uint8_t room[sizeof(struct vfio_region_info_cap_sparse_mmap) +
			     4 * sizeof(struct vfio_region_sparse_mmap_area)];
	} sparse;
	struct vfio_region_info info;
	size_t len;

	memcpy(&info, p, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_VGA_REGION_INDEX)
		return -EINVAL;
	info.flags = info.cap_offset = 0;
	info.offset = (uint64_t)info.index << FV_INDEX_SHIFT;
	info.size = 0;
	if (info.index == VFIO_PCI_CONFIG_REGION_INDEX)
		info.size = FAKE_CFG_SIZE;
	else if (info.index < PLX_PCI_BARS)
		info.size = d->f->bars[info.index].len;
	if (info.size != 0)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (info.index < PLX_PCI_BARS && has_mmap(d, info.index))
		info.flags |= VFIO_REGION_INFO_FLAG_MMAP;
	len = sizeof(sparse.cap) + d->n_areas * sizeof(sparse.cap.areas[0]);
	if (info.index == 0 && d->n_areas != 0) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		memset(&sparse, 0, sizeof(sparse));
		sparse.cap.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
		sparse.cap.header.version = 1;
		sparse.cap.nr_areas = d->n_areas;
		for (unsigned i = 0; i < d->n_areas; i++) {
			sparse.cap.areas[i].offset = d->areas[i].first;
			sparse.cap.areas[i].size = d->areas[i].last - d->areas[i].first + 1;
		}
		if (info.argsz >= sizeof(info) + len) {
			info.cap_offset = sizeof(info);
			memcpy((uint8_t *)p + sizeof(info), &sparse, len);
		} else {
			info.argsz = (uint32_t)(sizeof(info) + len);
		}
	}
	memcpy(p, &info, sizeof(info));
	return 0;
}

static long irq_info(const struct fake_vfio_dev *d, void *p)
{
	struct vfio_irq_info info;

	memcpy(&info, p, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (info.index == VFIO_PCI_ERR_IRQ_INDEX && d->f->cap_exp == 0)
		return -EINVAL;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.flags |= info.index == VFIO_PCI_INTX_IRQ_INDEX
			      ? VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED
			      : VFIO_IRQ_INFO_NORESIZE;
	info.count = fv_irq_count(d, info.index);
	memcpy(p, &info, sizeof(info));
	return 0;
}

static long do_reset(struct fake_vfio_dev *d)
{
	if (d->no_reset)
		return -EINVAL;
	d->n_resets++;
	fv_device_reset(d);
	return 0;
}

/* ---- bound to an iommufd ---- */

static bool taken(const struct fake_vfio *k, const struct fake_vfio_dev *d, const void *iommufd)
{
	for (unsigned i = 0; i < k->n_devs; i++) {
		const struct fake_vfio_dev *o = k->devs[i];

		if (o->group == d->group && o->iommufd != NULL && o->iommufd != iommufd)
			return true;
	}
	return !fv_group_viable(k, d->group);
}

static long bind_iommufd(struct fake_vfio *k, struct fv_fd *fd, void *p)
{
	struct fake_vfio_dev *d = fv_dev(fd);
	struct vfio_uapi_bind a;
	struct fv_iommu *o;
	struct fv_fd *io;

	memcpy(&a, p, sizeof(a));
	if (a.argsz < sizeof(a) || a.flags != 0 || a.iommufd < 0 || fd->group != NULL)
		return -EINVAL;
	for (struct fv_group *g = k->groups; g != NULL; g = g->next)
		if (g->number == d->group)
			return -EBUSY;
	if (fd->granted || d->open_count != 0)
		return -EINVAL;
	io = fv_fd_of(k, a.iommufd, FV_IOMMU);
	if (io == NULL)
		return -EBADF;
	if (taken(k, d, io->obj))
		return -EPERM; /* who owns the group's DMA is another */
	o = io->obj;
	o->refs++;
	d->iommufd = o;
	d->devid = a.out_devid = ++o->last_id;
	d->by_cdev = true;
	d->open_count = 1;
	fd->granted = true;
	fv_device_enable(d);
	memcpy(p, &a, sizeof(a));
	return 0;
}

static bool all_allowed(const struct fake_vfio_space *s)
{
	for (unsigned i = 0; i < s->n_maps; i++)
		if (!fv_space_allows(s, s->maps[i].m.iova, s->maps[i].m.len))
			return false;
	return true;
}

static long attach_pt(struct fake_vfio *k, struct fv_fd *fd, void *p)
{
	struct fake_vfio_dev *d = fv_dev(fd);
	struct fake_vfio_space *s, *was = d->space;
	struct vfio_uapi_attach a;

	memcpy(&a, p, sizeof(a));
	if (a.argsz < sizeof(a) || a.flags != 0)
		return -EINVAL;
	s = fv_space_find(k, d->iommufd, a.pt_id);
	if (s == NULL)
		return -ENOENT;
	/* Devices of one group are in one address space. */
	for (unsigned i = 0; i < k->n_devs; i++)
		if (k->devs[i] != d && k->devs[i]->group == d->group && k->devs[i]->space != NULL &&
			k->devs[i]->space != s)
			return -EINVAL;
	d->space = s;
	if (!all_allowed(s)) {
		d->space = was;
		return -EADDRINUSE;
	}
	if (was != NULL)
		was->n_devs--;
	s->n_devs++;
	fv_space_sync(k);
	a.pt_id = s->id + 1000; /* the page table that is made for it */
	memcpy(p, &a, sizeof(a));
	return 0;
}

static long detach_pt(struct fake_vfio *k, struct fv_fd *fd, const void *p)
{
	struct fake_vfio_dev *d = fv_dev(fd);
	struct vfio_uapi_detach a;

	memcpy(&a, p, sizeof(a));
	if (a.argsz < sizeof(a) || a.flags != 0)
		return -EINVAL;
	if (d->space != NULL)
		d->space->n_devs--;
	d->space = NULL;
	fv_space_sync(k);
	return 0;
}

long fv_device_ioctl(struct fake_vfio *k, struct fv_fd *fd, unsigned long request, void *p)
{
	struct fake_vfio_dev *d = fv_dev(fd);

	if (request == VFIO_UAPI_BIND_IOMMUFD)
		return bind_iommufd(k, fd, p);
	if (!fd->granted)
		return -EINVAL;
	if (fd->group == NULL && request == VFIO_UAPI_ATTACH_IOMMUFD_PT)
		return attach_pt(k, fd, p);
	if (fd->group == NULL && request == VFIO_UAPI_DETACH_IOMMUFD_PT)
		return detach_pt(k, fd, p);
	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		return get_info(d, p);
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(d, p);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return irq_info(d, p);
	case VFIO_DEVICE_SET_IRQS:
		return fv_set_irqs(d, p);
	case VFIO_DEVICE_RESET:
		return do_reset(d);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return fv_hot_reset_info(k, fd, p);
	case VFIO_DEVICE_PCI_HOT_RESET:
		return fv_hot_reset(k, fd, p);
	default:
		return -ENOTTY;
	}
}

/* ---- regions ---- */

static void cfg_rw(struct fake_vfio_dev *d, uint8_t *buf, unsigned width, uint32_t off, bool write)
{
	struct plx_pci_dev s = shim(d);
	uint32_t v = 0;

	if (write) {
		memcpy(&v, buf, width);
		(void)fake_transport.cfg_write(&s, off, width, v);
	} else {
		if (fake_transport.cfg_read(&s, off, width, &v) < 0)
			v = UINT32_MAX;
		memcpy(buf, &v, width);
		if (off < sizeof(d->ids))
			memcpy(buf, d->ids + off, width);
	}
}

static void bar_rw(struct fake_vfio_dev *d, uint32_t bar, uint8_t *buf, unsigned width,
	uint64_t off, bool write)
{
	struct plx_pci_dev s = shim(d);
	uint64_t v = 0;

	if (write) {
		memcpy(&v, buf, width);
		fake_transport.reg_write(&s, bar, off, width, v);
	} else {
		v = fake_transport.reg_read(&s, bar, off, width);
		memcpy(buf, &v, width);
	}
}

/* Accesses are made of 4, 2 and 1 bytes, aligned. */
ssize_t fv_device_rw(struct fake_vfio_dev *d, void *buf, size_t n, uint64_t off, bool write)
{
	uint32_t index = (uint32_t)(off >> FV_INDEX_SHIFT);
	uint64_t at = off & ((UINT64_C(1) << FV_INDEX_SHIFT) - 1), len;
	uint8_t *b = buf;
	size_t done = 0;

	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		len = FAKE_CFG_SIZE;
	else if (index < PLX_PCI_BARS)
		len = d->f->bars[index].len;
	else
		return -EINVAL;
	if (at >= len)
		return index == VFIO_PCI_CONFIG_REGION_INDEX ? -EFAULT : -EINVAL;
	if (index < PLX_PCI_BARS && (d->f->cfg[0x04] & 2) == 0)
		return -EIO; /* memory decoding is off */
	n = (size_t)PLX_MIN((uint64_t)n, len - at);
	while (done < n) {
		unsigned width = 4;

		while ((at & (width - 1)) != 0 || width > n - done)
			width /= 2;
		if (index == VFIO_PCI_CONFIG_REGION_INDEX)
			cfg_rw(d, b + done, width, (uint32_t)at, write);
		else
			bar_rw(d, index, b + done, width, at, write);
		at += width;
		done += width;
	}
	return (ssize_t)n;
}

void *fv_device_mmap(struct fake_vfio_dev *d, size_t len, int prot, int flags, uint64_t off)
{
	uint32_t index = (uint32_t)(off >> FV_INDEX_SHIFT);
	uint64_t at = off & ((UINT64_C(1) << FV_INDEX_SHIFT) - 1);
	bool inside = d->n_areas == 0 || index != 0;

	errno = EINVAL;
	if (index >= PLX_PCI_BARS || (flags & MAP_SHARED) == 0 || (at & 4095) != 0 || len == 0 ||
		(prot & PROT_EXEC) != 0 || !has_mmap(d, index))
		return MAP_FAILED;
	len = plx_align_up(len, 4096);
	if (at + len > plx_align_up(d->f->bars[index].len, 4096))
		return MAP_FAILED;
	for (unsigned i = 0; i < d->n_areas && !inside; i++)
		inside = at >= d->areas[i].first && at + len - 1 <= d->areas[i].last;
	for (unsigned i = 0; inside && i < FAKE_VFIO_WINDOWS; i++) {
		struct fv_window *w = &d->k->windows[i];

		if (w->va != NULL)
			continue;
		w->va = d->f->bars[index].mem + at;
		w->len = len;
		w->f = d->f;
		d->f->n_windows++;
		return w->va;
	}
	return MAP_FAILED;
}
