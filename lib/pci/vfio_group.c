/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Backend "group": /dev/vfio/GROUP gives the devices of an IOMMU group, a container (/dev/vfio/vfio)
 * maps memory for the groups in it by its type 1 IOMMU. (Linux: Documentation/driver-api/vfio.rst.)
 *
 * The context's groups share one container; one that cannot join, as its IOMMU differs from that of
 * the groups there, gets one of its own. A private group's container is its own anyway.
 */
#define PLX_LOG_TAG "vfio"
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio.h"

/* ---- opening files ---- */

int vfio_open_file(const struct vfio_dev *d, const char *path)
{
	int fd = d->sys->open(d->sys->arg, path, O_RDWR | O_CLOEXEC), err = errno;
	struct stat st;

	if (fd >= 0)
		return fd;
	switch (err) {
	case EACCES:
	case EPERM:
		if (stat(path, &st) < 0)
			return plx_err(err, "%s: %s", path, strerror(err));
		return plx_err(err,
			"%s: permission denied: it belongs to user %u, group %u, mode %04o, and this "
			"process is user %u; as root: plx-bind bind %s --owner USER",
			path, st.st_uid, st.st_gid, st.st_mode & 07777, geteuid(), d->bdf_text);
	case EBUSY:
		return plx_err(EBUSY,
			"%s is open in another process, or in another context of this one, and opens "
			"once: close it there (fuser -v %s)",
			path, path);
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return plx_err(err,
			"%s: %s: the kernel's module vfio-pci is not loaded (modprobe vfio-pci), or "
			"this container was not given the file",
			path, strerror(err));
	default:
		return plx_err(err, "%s: %s", path, strerror(err));
	}
}

/* ---- containers ---- */

static int container_call(const struct vfio_iommu *s, unsigned long request, uintptr_t value)
{
	return s->sys->ioctl(s->sys->arg, s->fd, request, (void *)value);
}

static int container_open(const struct vfio_dev *d, struct vfio_iommu *s)
{
	char path[PATH_MAX];
	int version;

	snprintf(path, sizeof(path), "%s/vfio/vfio", d->sys->dev);
	s->fd = vfio_open_file(d, path);
	if (s->fd < 0)
		return s->fd;
	version = container_call(s, VFIO_GET_API_VERSION, 0);
	if (version != VFIO_API_VERSION)
		return plx_err(EPROTO, "%s: version %d of VFIO's interface, known is %d", path,
			version, VFIO_API_VERSION);
	if (container_call(s, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) <= 0)
		return plx_err(ENODEV,
			"%s: no IOMMU of type 1: load the kernel's module vfio_iommu_type1 (modprobe "
			"vfio_iommu_type1)",
			path);
	return 0;
}

static int set_iommu_error(const struct vfio_dev *d, int err)
{
	if (err == EPERM)
		return plx_err(EPERM,
			"the kernel does not give IOMMU group %u to programs: interrupts of %s are not "
			"remapped, so that it could forge others'. Turn interrupt remapping on in the "
			"BIOS (VT-d, AMD-Vi) and boot without nointremap; plx-doctor checks it",
			d->group_no, d->bdf_text);
	return plx_err(err, "container: type 1 IOMMU: %s", strerror(err));
}

/* Puts the group into the container; the message is the caller's. */
static int join(struct vfio_dev *d, struct vfio_iommu *s)
{
	struct vfio_group *g = d->group;

	if (d->sys->ioctl(d->sys->arg, g->fd, VFIO_GROUP_SET_CONTAINER, &s->fd) < 0)
		return -errno;
	g->joined = true;
	g->iommu = s;
	s->refs++;
	return 0;
}

/* ---- viability ---- */

struct not_viable {
	const struct vfio_dev *d;
	char list[256], names[192]; /* "0000:03:00.1 is bound to ixgbe", "0000:03:00.1" */
	size_t n_list, n_names;
};

/* A bridge's driver may stay: the kernel knows that it does no DMA of its own. */
static bool harmless(const struct vfio_dev *d, const char *bdf, const char *driver)
{
	char class[16];

	if (driver[0] == '\0' || strcmp(driver, "pci-stub") == 0 || strstr(driver, "vfio") != NULL)
		return true;
	return pci_sysfs_read(d->sys->sysfs, bdf, "class", class, sizeof(class)) == 0 &&
	       strncmp(class, "0x0604", 6) == 0;
}

static int note_member(void *arg, const char *bdf, const char *driver)
{
	struct not_viable *nv = arg;

	if (harmless(nv->d, bdf, driver))
		return 0;
	if (nv->n_list < sizeof(nv->list))
		nv->n_list += (size_t)snprintf(nv->list + nv->n_list, sizeof(nv->list) - nv->n_list,
			"%s%s is still bound to %s", nv->n_list > 0 ? ", " : "", bdf, driver);
	if (nv->n_names < sizeof(nv->names))
		nv->n_names += (size_t)snprintf(
			nv->names + nv->n_names, sizeof(nv->names) - nv->n_names, " %s", bdf);
	return 0;
}

int vfio_not_viable(const struct vfio_dev *d)
{
	struct not_viable nv = {.d = d};

	(void)pci_sysfs_group_each(d->sys->sysfs, d->group_no, note_member, &nv);
	if (nv.n_list == 0)
		return plx_err(EPERM,
			"VFIO: IOMMU group %u of %s is not viable: the kernel itself uses a device of it "
			"(ls %s/kernel/iommu_groups/%u/devices)",
			d->group_no, d->bdf_text, d->sys->sysfs, d->group_no);
	return plx_err(EPERM, "VFIO: IOMMU group %u of %s is not viable: %s; run `plx-bind bind%s`",
		d->group_no, d->bdf_text, nv.list, nv.names);
}

/* ---- groups ---- */

static int group_new(struct vfio_dev *d)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	struct vfio_group *g = calloc(1, sizeof(*g));
	char path[PATH_MAX];

	if (g == NULL)
		return plx_err(ENOMEM, "no memory");
	g->number = d->group_no;
	g->refs = 1;
	g->next = d->slot->groups;
	d->slot->groups = g;
	d->group = g;
	snprintf(path, sizeof(path), "%s/vfio/%" PRIu32, d->sys->dev, g->number);
	g->fd = vfio_open_file(d, path);
	if (g->fd < 0)
		return g->fd;
	if (d->sys->ioctl(d->sys->arg, g->fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		return plx_err(errno, "%s: status: %s", path, strerror(errno));
	return (status.flags & VFIO_GROUP_FLAGS_VIABLE) != 0 ? 0 : vfio_not_viable(d);
}

/* Joins one of the containers that the context has. False: none took it. */
static bool join_shared(struct vfio_dev *d)
{
	for (struct vfio_iommu *s = d->slot->iommus; s != NULL; s = s->next) {
		if (s->backend != &vfio_backend_group || s->is_private || !s->dom_added)
			continue;
		if (join(d, s) == 0)
			return true;
		plx_logf(plx_ctx_log(d->slot->ctx), PLX_LOG_INFO,
			"%s: IOMMU group %u does not join container %s (%s)", d->bdf_text,
			d->group_no, s->name, strerror(errno));
	}
	return false;
}

static int join_new(struct vfio_dev *d)
{
	struct vfio_iommu *s;
	int err = vfio_iommu_new(d, &s);

	if (err < 0)
		return err;
	d->group->iommu = s; /* which releases it */
	err = container_open(d, s);
	if (err < 0)
		return err;
	err = join(d, s);
	/* The kernel lets go of a group that a driver of its own uses in this call, too. */
	if (err == -EPERM || err == -EBUSY)
		return vfio_not_viable(d);
	if (err < 0)
		return plx_err(-err, "IOMMU group %u: container: %s", d->group_no, strerror(-err));
	if (container_call(s, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return set_iommu_error(d, errno);
	return 0;
}

static int group_open(struct vfio_dev *d)
{
	int err = group_new(d);

	if (err < 0)
		return err;
	if (d->want_private || !join_shared(d))
		err = join_new(d);
	return err < 0 ? err : vfio_iommu_ready(d->group->iommu);
}

static int group_find(struct vfio_dev *d)
{
	struct vfio_group *g = d->slot->groups;

	while (g != NULL && g->number != d->group_no)
		g = g->next;
	if (g == NULL)
		return group_open(d);
	d->group = g;
	g->refs++;
	if (g->iommu->is_private == d->want_private)
		return 0;
	return plx_err(EINVAL,
		"another device of its IOMMU group %u is open with iommu=%s, and one group has one "
		"I/O address space: give the same for both",
		d->group_no, d->want_private ? "shared" : "private");
}

/* The last group takes the container's IOMMU with it: all is unmapped while it is there. */
static void group_leave(struct vfio_group *g)
{
	struct vfio_iommu *s = g->iommu;

	if (s != NULL && g->joined)
		s->refs--;
	if (s != NULL && s->refs == 0)
		vfio_iommu_free(s);
	g->iommu = NULL;
}

static void group_free(struct vfio_dev *d, struct vfio_group *g)
{
	struct vfio_group **p = &d->slot->groups;

	if (g->fd >= 0)
		d->sys->close(d->sys->arg, g->fd);
	while (*p != NULL && *p != g)
		p = &(*p)->next;
	if (*p == g)
		*p = g->next;
	free(g);
}

/* ---- the backend ---- */

static void group_detach(struct vfio_dev *d)
{
	struct vfio_group *g = d->group;
	bool last = g != NULL && --g->refs == 0;

	/* Before the device is closed: one that is being removed takes its group away with it. */
	if (last)
		group_leave(g);
	if (d->fd >= 0)
		d->sys->close(d->sys->arg, d->fd);
	d->fd = -1;
	if (last)
		group_free(d, g);
	d->group = NULL;
	d->iommu = NULL;
}

static int group_attach(struct vfio_dev *d)
{
	int err = group_find(d);

	if (err < 0)
		return err;
	d->iommu = d->group->iommu;
	d->fd = d->sys->ioctl(d->sys->arg, d->group->fd, VFIO_GROUP_GET_DEVICE_FD, d->bdf_text);
	if (d->fd >= 0)
		return 0;
	err = errno;
	d->fd = -1;
	if (err == EBUSY)
		return plx_err(EBUSY, "the device is open in another process: close it there");
	return plx_err(err, "IOMMU group %u does not give the device: %s%s", d->group_no,
		strerror(err), err == ENODEV ? " (was it unbound from vfio-pci just now?)" : "");
}

static int read_apertures(struct vfio_iommu *s, const void *info, size_t len, uint32_t cap)
{
	struct vfio_iommu_type1_info_cap_iova_range head;
	const uint8_t *at =
		vfio_cap(info, len, cap, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, sizeof(head));
	struct vfio_iova_range range;
	size_t room;
	int err = 0;

	if (at == NULL) /* a kernel before 5.4 does not say */
		return 0;
	memcpy(&head, at, sizeof(head));
	room = (size_t)((const uint8_t *)info + len - at) - sizeof(head);
	if (head.nr_iovas == 0 || head.nr_iovas > room / sizeof(range))
		return plx_err(EIO,
			"the kernel says its IOMMU has %u ranges of I/O addresses, in %zu bytes",
			head.nr_iovas, room);
	for (uint32_t i = 0; i < head.nr_iovas && err == 0; i++) {
		memcpy(&range, at + sizeof(head) + i * sizeof(range), sizeof(range));
		err = vfio_iommu_aperture(s, range.start, range.end);
	}
	return err;
}

static int group_info(struct vfio_iommu *s)
{
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
	size_t len;
	void *buf;
	int err = vfio_info(s->sys, s->fd, VFIO_IOMMU_GET_INFO, &info, sizeof(info), &buf, &len);

	if (err < 0)
		return plx_err(-err, "container: what its IOMMU can do: %s", strerror(-err));
	memcpy(&info, buf, sizeof(info));
	s->page_sizes = (info.flags & VFIO_IOMMU_INFO_PGSIZES) != 0 ? info.iova_pgsizes : 0;
	if ((info.flags & VFIO_IOMMU_INFO_CAPS) != 0)
		err = read_apertures(s, buf, len, info.cap_offset);
	free(buf);
	return err;
}

static int group_map(struct vfio_iommu *s, const struct plx_extent *e)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)e->va,
		.iova = e->iova,
		.size = e->len,
	};

	if ((e->flags & PLX_DMA_TO_DEVICE) == 0)
		map.flags |= VFIO_DMA_MAP_FLAG_WRITE;
	return s->sys->ioctl(s->sys->arg, s->fd, VFIO_IOMMU_MAP_DMA, &map) < 0 ? -errno : 0;
}

static int group_unmap(struct vfio_iommu *s, const struct plx_extent *e)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = e->iova,
		.size = e->len,
	};

	if (s->sys->ioctl(s->sys->arg, s->fd, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0)
		return -errno;
	return unmap.size == e->len ? 0 : -ENXIO;
}

static int group_proof(const struct vfio_dev *d, uint32_t group)
{
	for (const struct vfio_group *g = d->slot->groups; g != NULL; g = g->next)
		if (g->joined && g->number == group)
			return g->fd;
	return -1;
}

const struct vfio_backend vfio_backend_group = {
	.name = "group",
	.attach = group_attach,
	.detach = group_detach,
	.info = group_info,
	.map = group_map,
	.unmap = group_unmap,
	.proof = group_proof,
};
