/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Backend "cdev": /dev/vfio/devices/vfioN gives one device, /dev/iommu the I/O address spaces (IOAS)
 * that devices are put into. (Linux, from 6.6 on: Documentation/driver-api/vfio.rst, "VFIO device
 * cdev"; Documentation/userspace-api/iommufd.rst.)
 *
 * A context has one iommufd, open while a device is. Its shared devices are in one IOAS; one whose
 * reserved addresses keep it out gets one of its own. A private one is its IOMMU group's. Memory that
 * is mapped in one IOAS is copied to the next: pinned, and counted against RLIMIT_MEMLOCK, once.
 */
#define PLX_LOG_TAG "vfio"
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vfio.h"
#include "vfio_uapi.h"

/* Ranges of I/O addresses: some at first, and more than any machine has. */
enum { RANGES_FIRST = 32, RANGES_MAX = 4096 };

/* An extent in an IOAS. */
struct vfio_mapped {
	struct vfio_mapped *next;
	uint64_t iova, len;
	uint32_t ioas;
};

static int iommu_call(const struct vfio_slot *slot, const struct plx_vfio_sys *sys,
	unsigned long request, void *p)
{
	return sys->ioctl(sys->arg, slot->iommufd, request, p) < 0 ? -errno : 0;
}

static int device_call(const struct vfio_dev *d, unsigned long request, void *p)
{
	return d->sys->ioctl(d->sys->arg, d->fd, request, p) < 0 ? -errno : 0;
}

/* ---- is it there? ---- */

static bool usable(const struct vfio_dev *d, const char *dir, const char *name, int how)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s%s", d->sys->dev, dir, name);

	return n > 0 && n < (int)sizeof(path) && access(path, how) == 0;
}

/*
 * Where this user may open the device's group and not these files (/dev/iommu is root's, unless
 * somebody gave it away), the group it is.
 */
static bool cdev_there(const struct vfio_dev *d)
{
	char name[PCI_DRIVER_TEXT], number[16];
	uint32_t group;

	if (pci_sysfs_vfio_dev(d->sys->sysfs, d->bdf_text, name) < 0 ||
		!usable(d, "vfio/devices/", name, F_OK) || !usable(d, "iommu", "", F_OK))
		return false;
	if (usable(d, "vfio/devices/", name, R_OK | W_OK) && usable(d, "iommu", "", R_OK | W_OK))
		return true;
	if (pci_sysfs_group(d->sys->sysfs, d->bdf_text, &group) < 0)
		return true;
	snprintf(number, sizeof(number), "%" PRIu32, group);
	return !usable(d, "vfio/", number, R_OK | W_OK);
}

/* ---- the context's iommufd ---- */

static int iommufd_get(struct vfio_dev *d)
{
	struct vfio_slot *slot = d->slot;
	char path[PATH_MAX];
	int fd;

	if (slot->iommufd_refs == 0) {
		snprintf(path, sizeof(path), "%s/iommu", d->sys->dev);
		if (access(path, F_OK) < 0 && errno == ENOENT)
			return plx_err(ENOENT,
				"%s is not there: load the kernel's module iommufd (modprobe iommufd), or "
				"open the device with via=group",
				path);
		fd = vfio_open_file(d, path);
		if (fd == -EACCES)
			return plx_err(EACCES,
				"%s: permission denied: it is root's unless somebody gives it away; as root: "
				"chown USER %s (a rule of udev keeps it so: KERNEL==\"iommu\", "
				"OWNER=\"USER\"); or open the device with via=group",
				path, path);
		if (fd < 0)
			return fd;
		slot->iommufd = fd;
	}
	slot->iommufd_refs++;
	d->has_iommufd = true;
	return 0;
}

static void iommufd_put(struct vfio_dev *d)
{
	if (!d->has_iommufd)
		return;
	d->has_iommufd = false;
	if (--d->slot->iommufd_refs == 0)
		d->sys->close(d->sys->arg, d->slot->iommufd);
}

/* ---- the device ---- */

static int bind_error(const struct vfio_dev *d, const char *path, int err)
{
	switch (err) {
	case -EBUSY:
		return plx_err(EBUSY,
			"IOMMU group %u is open through %s/vfio/%u, by this program or another, which "
			"excludes %s: close it there, or open this device with via=group",
			d->group_no, d->sys->dev, d->group_no, path);
	case -EPERM:
		return vfio_not_viable(d);
	case -EINVAL:
		return plx_err(EBUSY,
			"%s is open in another process, or in another context of this one: close it "
			"there (fuser -v %s)",
			path, path);
	default:
		return plx_err(-err, "%s: binding it to an iommufd: %s", path, strerror(-err));
	}
}

static int device_open(struct vfio_dev *d)
{
	struct vfio_uapi_bind bind = {.argsz = sizeof(bind)};
	char name[PCI_DRIVER_TEXT], path[PATH_MAX];
	int err = pci_sysfs_vfio_dev(d->sys->sysfs, d->bdf_text, name);

	if (err < 0)
		return plx_err(ENOTSUP,
			"the kernel offers the device by its IOMMU group alone (it is older than 6.6, or "
			"built without VFIO_DEVICE_CDEV): leave via=cdev out");
	snprintf(path, sizeof(path), "%s/vfio/devices/%s", d->sys->dev, name);
	d->fd = vfio_open_file(d, path);
	if (d->fd < 0) {
		err = d->fd;
		d->fd = -1;
		return err;
	}
	bind.iommufd = d->slot->iommufd;
	err = device_call(d, VFIO_UAPI_BIND_IOMMUFD, &bind);
	return err < 0 ? bind_error(d, path, err) : 0;
}

/* ---- its I/O address space ---- */

/* Puts the device into an IOAS; the message is the caller's. */
static int attach_to(const struct vfio_dev *d, const struct vfio_iommu *s)
{
	struct vfio_uapi_attach a = {.argsz = sizeof(a), .pt_id = s->ioas};

	return device_call(d, VFIO_UAPI_ATTACH_IOMMUFD_PT, &a);
}

static int join(struct vfio_dev *d, struct vfio_iommu *s)
{
	int err = attach_to(d, s);

	if (err == 0) {
		d->iommu = s;
		s->refs++;
	}
	return err;
}

static int join_error(const struct vfio_dev *d, int err)
{
	if (err == -EINVAL || err == -EADDRINUSE || err == -EBUSY)
		return plx_err(-err,
			"IOMMU group %u cannot be put into its I/O address space (%s): another of its "
			"devices is in another one",
			d->group_no, strerror(-err));
	return plx_err(-err, "IOMMU group %u: I/O address space: %s", d->group_no, strerror(-err));
}

static int join_new(struct vfio_dev *d)
{
	struct iommu_uapi_ioas_alloc a = {.size = sizeof(a)};
	struct vfio_iommu *s;
	int err = vfio_iommu_new(d, &s);

	if (err < 0)
		return err;
	d->iommu = s; /* which releases it */
	s->refs = 1;
	err = iommu_call(d->slot, d->sys, IOMMU_UAPI_IOAS_ALLOC, &a);
	if (err < 0)
		return plx_err(
			-err, "%s/iommu: a new I/O address space: %s", d->sys->dev, strerror(-err));
	s->ioas = a.out_ioas_id;
	s->has_ioas = true;
	err = attach_to(d, s);
	return err < 0 ? join_error(d, err) : 0;
}

/* One of the context's takes it: true. */
static bool join_shared(struct vfio_dev *d)
{
	for (struct vfio_iommu *s = d->slot->iommus; s != NULL; s = s->next) {
		int err;

		if (s->backend != &vfio_backend_cdev || s->is_private || !s->dom_added)
			continue;
		err = join(d, s);
		if (err == 0)
			return true;
		plx_logf(plx_ctx_log(d->slot->ctx), PLX_LOG_INFO,
			"%s: does not join I/O address space %s (%s)", d->bdf_text, s->name,
			strerror(-err));
	}
	return false;
}

/* A device of its IOMMU group that is open already: a group is in one I/O address space. */
static const struct vfio_dev *sibling(const struct vfio_dev *d)
{
	for (const struct vfio_dev *o = d->slot->devs; o != NULL; o = o->next)
		if (o != d && o->backend == d->backend && o->group_no == d->group_no)
			return o;
	return NULL;
}

static int space(struct vfio_dev *d)
{
	const struct vfio_dev *o = sibling(d);
	int err;

	if (o == NULL)
		return !d->want_private && join_shared(d) ? 0 : join_new(d);
	if (o->iommu->is_private != d->want_private)
		return plx_err(EINVAL,
			"another device of its IOMMU group %u is open with iommu=%s, and one group has one "
			"I/O address space: give the same for both",
			d->group_no, d->want_private ? "shared" : "private");
	err = join(d, o->iommu);
	return err < 0 ? join_error(d, err) : 0;
}

static int cdev_attach(struct vfio_dev *d)
{
	int err = iommufd_get(d);

	if (err == 0)
		err = device_open(d);
	if (err == 0)
		err = space(d);
	return err < 0 ? err : vfio_iommu_ready(d->iommu);
}

static void space_put(struct vfio_dev *d)
{
	struct vfio_iommu *s = d->iommu;
	struct iommu_uapi_destroy a = {.size = sizeof(a)};
	bool has_ioas;

	d->iommu = NULL;
	if (s == NULL || --s->refs > 0)
		return;
	a.id = s->ioas;
	has_ioas = s->has_ioas;
	vfio_iommu_free(s); /* unmaps all */
	if (has_ioas)
		(void)iommu_call(d->slot, d->sys, IOMMU_UAPI_DESTROY, &a);
}

static void cdev_detach(struct vfio_dev *d)
{
	struct vfio_uapi_detach a = {.argsz = sizeof(a)};

	/* Not left to close(): a child that inherited the descriptor would keep the device's DMA on. */
	if (d->fd >= 0 && d->iommu != NULL)
		(void)device_call(d, VFIO_UAPI_DETACH_IOMMUFD_PT, &a);
	if (d->fd >= 0)
		d->sys->close(d->sys->arg, d->fd);
	d->fd = -1;
	space_put(d);
	iommufd_put(d);
}

/* ---- what it can map ---- */

/* Fills *ranges (the caller frees it) and *a. */
static int ask_ranges(const struct vfio_iommu *s, struct iommu_uapi_iova_range **ranges,
	struct iommu_uapi_ioas_iova_ranges *a)
{
	uint32_t room = RANGES_FIRST;
	int err = -EMSGSIZE;

	*ranges = NULL;
	for (unsigned i = 0; i < 4 && err == -EMSGSIZE; i++) {
		free(*ranges);
		*ranges = calloc(room, sizeof(**ranges));
		if (*ranges == NULL)
			return -ENOMEM;
		*a = (struct iommu_uapi_ioas_iova_ranges){
			.size = sizeof(*a),
			.ioas_id = s->ioas,
			.num_iovas = room,
			.allowed_iovas = (uintptr_t)*ranges,
		};
		err = iommu_call(s->slot, s->sys, IOMMU_UAPI_IOAS_IOVA_RANGES, a);
		if (err == -EMSGSIZE && (a->num_iovas <= room || a->num_iovas > RANGES_MAX))
			return -EIO;
		if (err == 0 && a->num_iovas > room)
			return -EIO;
		room = a->num_iovas;
	}
	return err == -EMSGSIZE ? -EIO : err;
}

static int cdev_info(struct vfio_iommu *s)
{
	struct iommu_uapi_ioas_iova_ranges a;
	struct iommu_uapi_iova_range *ranges;
	int err = ask_ranges(s, &ranges, &a);

	if (err < 0)
		err = plx_err(-err, "I/O address space: what it can map: %s", strerror(-err));
	else if (a.num_iovas == 0 || !plx_is_pow2_u64(a.out_iova_alignment) ||
		 a.out_iova_alignment > (uint64_t)sysconf(_SC_PAGESIZE))
		err = plx_err(EIO,
			"the kernel says its IOMMU has %u ranges of I/O addresses, in steps of %llu",
			a.num_iovas, (unsigned long long)a.out_iova_alignment);
	for (uint32_t i = 0; err == 0 && i < a.num_iovas; i++)
		err = vfio_iommu_aperture(s, ranges[i].start, ranges[i].last);
	free(ranges);
	return err;
}

/* ---- mapping; with the context's memory locked, which guards the list ---- */

static uint32_t map_flags(const struct plx_extent *e)
{
	uint32_t flags = IOMMU_UAPI_MAP_FIXED_IOVA | IOMMU_UAPI_MAP_READABLE;

	return (e->flags & PLX_DMA_TO_DEVICE) != 0 ? flags : flags | IOMMU_UAPI_MAP_WRITEABLE;
}

/* Another IOAS that has it. */
static const struct vfio_mapped *elsewhere(const struct vfio_iommu *s, const struct plx_extent *e)
{
	const struct vfio_mapped *m = s->slot->mapped;

	while (m != NULL && (m->iova != e->iova || m->len != e->len || m->ioas == s->ioas))
		m = m->next;
	return m;
}

static int copy(const struct vfio_iommu *s, const struct plx_extent *e)
{
	const struct vfio_mapped *from = elsewhere(s, e);
	struct iommu_uapi_ioas_copy a = {
		.size = sizeof(a),
		.flags = map_flags(e),
		.dst_ioas_id = s->ioas,
		.length = e->len,
		.dst_iova = e->iova,
		.src_iova = e->iova,
	};

	if (from == NULL)
		return -ENOENT;
	a.src_ioas_id = from->ioas;
	return iommu_call(s->slot, s->sys, IOMMU_UAPI_IOAS_COPY, &a);
}

static int map(const struct vfio_iommu *s, const struct plx_extent *e)
{
	struct iommu_uapi_ioas_map a = {
		.size = sizeof(a),
		.flags = map_flags(e),
		.ioas_id = s->ioas,
		.user_va = (uintptr_t)e->va,
		.length = e->len,
		.iova = e->iova,
	};

	return iommu_call(s->slot, s->sys, IOMMU_UAPI_IOAS_MAP, &a);
}

static int cdev_map(struct vfio_iommu *s, const struct plx_extent *e)
{
	struct vfio_mapped *m = malloc(sizeof(*m));
	bool counted = true;
	int err;

	if (m == NULL)
		return -ENOMEM;
	*m = (struct vfio_mapped){s->slot->mapped, e->iova, e->len, s->ioas};
	err = copy(s, e);
	if (err < 0) {
		counted = false;
		err = map(s, e);
	}
	if (err < 0) {
		free(m);
		return err;
	}
	s->slot->mapped = m;
	return counted ? 1 : 0;
}

static void forget(struct vfio_iommu *s, const struct plx_extent *e)
{
	struct vfio_mapped **p = &s->slot->mapped, *m;

	while (*p != NULL && ((*p)->iova != e->iova || (*p)->ioas != s->ioas))
		p = &(*p)->next;
	m = *p;
	if (m != NULL) {
		*p = m->next;
		free(m);
	}
}

static int cdev_unmap(struct vfio_iommu *s, const struct plx_extent *e)
{
	struct iommu_uapi_ioas_unmap a = {
		.size = sizeof(a), .ioas_id = s->ioas, .iova = e->iova, .length = e->len};
	int err;

	forget(s, e);
	err = iommu_call(s->slot, s->sys, IOMMU_UAPI_IOAS_UNMAP, &a);
	if (err < 0)
		return err;
	if (a.length != e->len)
		return -ENXIO;
	return elsewhere(s, e) != NULL ? 1 : 0;
}

const struct vfio_backend vfio_backend_cdev = {
	.name = "cdev",
	.there = cdev_there,
	.attach = cdev_attach,
	.detach = cdev_detach,
	.info = cdev_info,
	.map = cdev_map,
	.unmap = cdev_unmap,
};
