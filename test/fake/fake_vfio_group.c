/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel's containers and groups (linux/vfio.h; the type 1 IOMMU, version 2). */
#include <stdlib.h>

#include "fake_vfio_priv.h"

/* ---- containers ---- */

void fv_container_put(struct fake_vfio *k, struct fv_container *c)
{
	if (c == NULL || --c->refs != 0)
		return;
	fv_space_free(c->space);
	free(c);
}

static bool extension(const struct fake_vfio *k, uintptr_t what)
{
	return !k->opts.no_type1 && (what == VFIO_TYPE1_IOMMU || what == VFIO_TYPE1v2_IOMMU ||
					    what == VFIO_UNMAP_ALL || what == VFIO_DMA_CC_IOMMU);
}

/* The devices of a group see the container's address space. */
static void group_space(struct fake_vfio *k, unsigned group, struct fake_vfio_space *s)
{
	for (unsigned i = 0; i < k->n_devs; i++)
		if (k->devs[i]->group == group)
			k->devs[i]->space = s;
	fv_space_sync(k);
}

static long set_iommu(struct fake_vfio *k, struct fv_container *c, uintptr_t type)
{
	if (c->n_groups == 0 || c->space != NULL)
		return -EINVAL;
	if (!extension(k, type) || (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU))
		return -ENODEV;
	c->space = fv_space_new(k, &c->locked);
	for (struct fv_group *g = k->groups; g != NULL; g = g->next)
		if (g->container == c)
			group_space(k, g->number, c->space);
	return 0;
}

/* A capability of len bytes at the end of those there are. */
static void *cap_add(uint8_t *caps, size_t *used, uint16_t id, size_t len)
{
	struct vfio_info_cap_header h = {.id = id, .version = 1, .next = 0};
	uint8_t *at = caps + *used;

	memset(at, 0, len);
	memcpy(at, &h, sizeof(h));
	*used += (len + 7) & ~(size_t)7;
	return at;
}

/* Links a chain that will be at base in the answer. */
static void cap_link(uint8_t *caps, const size_t *starts, unsigned n, size_t base)
{
	for (unsigned i = 0; i + 1 < n; i++) {
		uint32_t next = (uint32_t)(base + starts[i + 1]);

		memcpy(caps + starts[i] + offsetof(struct vfio_info_cap_header, next), &next,
			sizeof(next));
	}
}

static long iommu_info(struct fake_vfio *k, struct fv_container *c, void *p)
{
	struct vfio_iommu_type1_info info;
	struct vfio_iommu_type1_info_cap_iova_range *iova;
	struct vfio_iommu_type1_info_dma_avail *avail;
	struct plx_range r[FAKE_VFIO_RESERVED];
	unsigned n = fv_space_ranges(c->space, r, FAKE_VFIO_RESERVED);
	uint8_t caps[512] __attribute__((aligned(8)));
	size_t used = 0, starts[2];

	memcpy(&info, p, 16);
	if (info.argsz < 16)
		return -EINVAL;
	starts[0] = used;
	avail = cap_add(caps, &used, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, sizeof(*avail));
	avail->avail = k->opts.dma_avail - c->space->n_maps;
	starts[1] = used;
	iova = cap_add(caps, &used, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
		sizeof(*iova) + n * sizeof(iova->iova_ranges[0]));
	iova->nr_iovas = n;
	for (unsigned i = 0; i < n; i++) {
		iova->iova_ranges[i].start = r[i].first;
		iova->iova_ranges[i].end = r[i].last;
	}
	cap_link(caps, starts, 2, sizeof(info));
	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = k->opts.pgsizes;
	info.cap_offset = 0;
	if (info.argsz < sizeof(info) + used) {
		uint32_t had = info.argsz;

		info.argsz = (uint32_t)(sizeof(info) + used);
		memcpy(p, &info, had >= 20 ? 20 : 16);
		return 0;
	}
	info.cap_offset = sizeof(info);
	memcpy(p, &info, sizeof(info));
	memcpy((uint8_t *)p + sizeof(info), caps, used);
	return 0;
}

static bool fits(const struct fake_vfio *k, uint64_t a, uint64_t b, uint64_t len)
{
	uint64_t mask = (k->opts.pgsizes & -k->opts.pgsizes) - 1;

	return len != 0 && ((a | b | len) & mask) == 0 && a + len - 1 >= a && b + len - 1 >= b;
}

static long map_dma(struct fake_vfio *k, struct fv_container *c, const void *p)
{
	const uint32_t all = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_iommu_type1_dma_map a;
	struct fake_vfio_map m = {0};

	memcpy(&a, p, sizeof(a));
	if (a.argsz < sizeof(a) || (a.flags & ~all) != 0 || (a.flags & all) == 0)
		return -EINVAL;
	if (!fits(k, a.iova, a.vaddr, a.size))
		return -EINVAL;
	if (fv_space_overlap(c->space, a.iova, a.size) != NULL)
		return -EEXIST;
	if (c->space->n_maps >= k->opts.dma_avail)
		return -ENOSPC;
	if (!fv_space_allows(c->space, a.iova, a.size))
		return -EINVAL;
	m.iova = a.iova;
	m.len = a.size;
	m.va = a.vaddr;
	m.read = (a.flags & VFIO_DMA_MAP_FLAG_READ) != 0;
	m.write = (a.flags & VFIO_DMA_MAP_FLAG_WRITE) != 0;
	return fv_space_map(c->space, &m, NULL);
}

/* Does the range cut a mapping in two? */
static bool cuts(struct fake_vfio_space *s, uint64_t iova, uint64_t last)
{
	for (unsigned i = 0; i < s->n_maps; i++) {
		uint64_t first = s->maps[i].m.iova, end = first + s->maps[i].m.len - 1;

		if (first <= last && end >= iova && (first < iova || end > last))
			return true;
	}
	return false;
}

static long unmap_dma(struct fake_vfio *k, struct fv_container *c, void *p)
{
	struct vfio_iommu_type1_dma_unmap a;

	memcpy(&a, p, sizeof(a));
	if (a.argsz < sizeof(a) || (a.flags & ~(uint32_t)VFIO_DMA_UNMAP_FLAG_ALL) != 0)
		return -EINVAL;
	if ((a.flags & VFIO_DMA_UNMAP_FLAG_ALL) != 0) {
		if (a.iova != 0 || a.size != 0)
			return -EINVAL;
		a.size = fv_space_unmap(c->space, 0, UINT64_MAX);
	} else {
		if (!fits(k, a.iova, 0, a.size) || cuts(c->space, a.iova, a.iova + a.size - 1))
			return -EINVAL;
		a.size = fv_space_unmap(c->space, a.iova, a.iova + a.size - 1);
	}
	memcpy(p, &a, sizeof(a));
	return 0;
}

long fv_container_ioctl(struct fake_vfio *k, struct fv_container *c, unsigned long request, void *p)
{
	switch (request) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return extension(k, (uintptr_t)p);
	case VFIO_SET_IOMMU:
		return set_iommu(k, c, (uintptr_t)p);
	default:
		break;
	}
	if (c->space == NULL)
		return -EINVAL;
	switch (request) {
	case VFIO_IOMMU_GET_INFO:
		return iommu_info(k, c, p);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(k, c, p);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(k, c, p);
	default:
		return -ENOTTY;
	}
}

/* ---- groups ---- */

bool fv_group_viable(const struct fake_vfio *k, unsigned number)
{
	for (unsigned i = 0; i < k->n_devs; i++) {
		const char *driver = k->devs[i]->driver;

		if (k->devs[i]->group == number && driver != NULL &&
			strcmp(driver, "vfio-pci") != 0 && strcmp(driver, "pcieport") != 0)
			return false;
	}
	return true;
}

static struct fv_group *group_find(struct fake_vfio *k, unsigned number)
{
	struct fv_group *g = k->groups;

	while (g != NULL && g->number != number)
		g = g->next;
	return g;
}

/* /dev/vfio/N: one at a time, and not beside /dev/vfio/devices. */
int fv_group_open(struct fake_vfio *k, unsigned number)
{
	struct fv_group *g = group_find(k, number);
	bool there = false;
	int fd;

	for (unsigned i = 0; i < k->n_devs; i++) {
		struct fake_vfio_dev *d = k->devs[i];

		if (d->group != number)
			continue;
		there = there || (d->driver != NULL && strcmp(d->driver, "vfio-pci") == 0);
		if (d->by_cdev)
			return -EBUSY;
	}
	if (!there || k->opts.no_group || k->opts.no_vfio)
		return -ENOENT;
	if (g != NULL)
		return -EBUSY;
	g = fv_must(calloc(1, sizeof(*g)));
	g->number = number;
	g->refs = 1;
	g->next = k->groups;
	k->groups = g;
	fd = fv_fd_new(k, FV_GROUP, g);
	if (fd < 0)
		fv_group_put(k, g);
	return fd;
}

static void unset_container(struct fake_vfio *k, struct fv_group *g)
{
	struct fv_container *c = g->container;

	if (c == NULL)
		return;
	group_space(k, g->number, NULL);
	g->container = NULL;
	if (--c->n_groups == 0) {
		fv_space_free(c->space);
		c->space = NULL;
	}
	fv_container_put(k, c);
}

void fv_group_put(struct fake_vfio *k, struct fv_group *g)
{
	struct fv_group **p;

	if (--g->refs != 0)
		return;
	unset_container(k, g);
	for (p = &k->groups; *p != g;)
		p = &(*p)->next;
	*p = g->next;
	free(g);
}

static long get_status(struct fake_vfio *k, struct fv_group *g, void *p)
{
	struct vfio_group_status s;

	memcpy(&s, p, sizeof(s));
	if (s.argsz < sizeof(s))
		return -EINVAL;
	s.flags = fv_group_viable(k, g->number) ? VFIO_GROUP_FLAGS_VIABLE : 0;
	if (g->container != NULL)
		s.flags |= VFIO_GROUP_FLAGS_CONTAINER_SET;
	memcpy(p, &s, sizeof(s));
	return 0;
}

/* A mapping that a new device's reserved regions meet. */
static bool conflicts(const struct fake_vfio_space *s)
{
	for (unsigned i = 0; i < s->n_maps; i++)
		if (!fv_space_allows(s, s->maps[i].m.iova, s->maps[i].m.len))
			return true;
	return false;
}

static long set_container(struct fake_vfio *k, struct fv_group *g, const void *p)
{
	struct fv_container *c;
	struct fv_fd *fd;
	int number;

	memcpy(&number, p, sizeof(number));
	fd = fv_fd_of(k, number, FV_CONTAINER);
	if (fd == NULL)
		return -EBADF;
	if (g->container != NULL)
		return -EINVAL;
	if (!fv_group_viable(k, g->number))
		return -EPERM;
	c = fd->obj;
	if (c->space != NULL) {
		group_space(k, g->number, c->space);
		if (conflicts(c->space)) {
			group_space(k, g->number, NULL);
			return -EINVAL;
		}
	}
	g->container = c;
	c->n_groups++;
	c->refs++;
	return 0;
}

static long get_device_fd(struct fake_vfio *k, struct fv_group *g, const char *bdf)
{
	for (unsigned i = 0; i < k->n_devs; i++) {
		struct fake_vfio_dev *d = k->devs[i];
		int fd;

		if (d->group != g->number || strcmp(d->bdf, bdf) != 0 || d->driver == NULL ||
			strcmp(d->driver, "vfio-pci") != 0)
			continue;
		if (g->container == NULL || g->container->space == NULL)
			return -EINVAL;
		fd = fv_fd_new(k, FV_DEVICE, d);
		if (fd < 0)
			return fd;
		fv_fd_find(k, fd)->granted = true;
		fv_fd_find(k, fd)->group = g;
		g->refs++;
		g->n_open++;
		if (d->open_count++ == 0)
			fv_device_enable(d);
		return fd;
	}
	return -ENODEV;
}

long fv_group_ioctl(struct fake_vfio *k, struct fv_group *g, unsigned long request, void *p)
{
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		return get_status(k, g, p);
	case VFIO_GROUP_SET_CONTAINER:
		return set_container(k, g, p);
	case VFIO_GROUP_UNSET_CONTAINER:
		if (g->container == NULL)
			return -EINVAL;
		if (g->n_open != 0)
			return -EBUSY;
		unset_container(k, g);
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		return get_device_fd(k, g, p);
	default:
		return -ENOTTY;
	}
}
