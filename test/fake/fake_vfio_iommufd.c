/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel's /dev/iommu (linux/iommufd.h, Documentation/userspace-api/iommufd.rst). */
#include <stdlib.h>

#include "fake_vfio_priv.h"

void fv_iommu_put(struct fake_vfio *k, struct fv_iommu *o)
{
	if (--o->refs != 0)
		return;
	for (struct fake_vfio_space *s = k->spaces, *next; s != NULL; s = next) {
		next = s->next;
		if (s->counted == &o->locked)
			fv_space_free(s);
	}
	free(o);
}

/*
 * Copies a structure in as the kernel does: shorter than it knows is EINVAL, longer is E2BIG unless
 * the rest is zero.
 */
static long take(const void *p, void *out, size_t known)
{
	const uint8_t *b = p;
	uint32_t size;

	memcpy(&size, p, sizeof(size));
	if (size < known)
		return -EINVAL;
	for (size_t i = known; i < size; i++)
		if (b[i] != 0)
			return -E2BIG;
	memcpy(out, p, known);
	return 0;
}

static long destroy(struct fake_vfio *k, struct fv_iommu *o, const void *p)
{
	struct iommu_uapi_destroy a;
	struct fake_vfio_space *s;
	long err = take(p, &a, sizeof(a));

	if (err < 0)
		return err;
	s = fv_space_find(k, o, a.id);
	if (s == NULL)
		return -ENOENT;
	if (s->n_devs != 0)
		return -EBUSY;
	fv_space_free(s);
	return 0;
}

static long ioas_alloc(struct fake_vfio *k, struct fv_iommu *o, void *p)
{
	struct iommu_uapi_ioas_alloc a;
	struct fake_vfio_space *s;
	long err = take(p, &a, sizeof(a));

	if (err < 0)
		return err;
	if (a.flags != 0)
		return -EOPNOTSUPP;
	s = fv_space_new(k, &o->locked);
	s->id = a.out_ioas_id = ++o->last_id;
	memcpy(p, &a, sizeof(a));
	return 0;
}

static long iova_ranges(struct fake_vfio *k, struct fv_iommu *o, void *p)
{
	struct iommu_uapi_ioas_iova_ranges a;
	struct plx_range r[FAKE_VFIO_RESERVED];
	struct iommu_uapi_iova_range *out;
	struct fake_vfio_space *s;
	uint32_t room, n;
	long err = take(p, &a, sizeof(a));

	if (err < 0)
		return err;
	if (a.reserved != 0)
		return -EOPNOTSUPP;
	s = fv_space_find(k, o, a.ioas_id);
	if (s == NULL)
		return -ENOENT;
	room = a.num_iovas;
	n = fv_space_ranges(s, r, FAKE_VFIO_RESERVED);
	out = (struct iommu_uapi_iova_range *)(uintptr_t)a.allowed_iovas;
	for (uint32_t i = 0; i < PLX_MIN(n, room); i++) {
		out[i].start = r[i].first;
		out[i].last = r[i].last;
	}
	a.num_iovas = n;
	a.out_iova_alignment = s->n_devs != 0 ? 4096 : 1;
	memcpy(p, &a, sizeof(a));
	return n > room ? -EMSGSIZE : 0;
}

#define MAP_FLAGS (IOMMU_UAPI_MAP_FIXED_IOVA | IOMMU_UAPI_MAP_WRITEABLE | IOMMU_UAPI_MAP_READABLE)

/* Automatic addresses are not modelled: nobody asks for them. */
static long check_flags(uint32_t flags)
{
	if ((flags & ~MAP_FLAGS) != 0 || (flags & IOMMU_UAPI_MAP_FIXED_IOVA) == 0)
		return -EOPNOTSUPP;
	return (flags & (IOMMU_UAPI_MAP_WRITEABLE | IOMMU_UAPI_MAP_READABLE)) == 0 ? -EINVAL : 0;
}

static long check_place(struct fake_vfio_space *s, uint64_t iova, uint64_t len)
{
	uint64_t mask = s->n_devs != 0 ? 4095 : 0;

	if (len == 0 || ((iova | len) & mask) != 0)
		return -EINVAL;
	if (iova + len - 1 < iova)
		return -EOVERFLOW;
	if (!fv_space_allows(s, iova, len))
		return -EINVAL;
	return fv_space_overlap(s, iova, len) != NULL ? -EEXIST : 0;
}

static long ioas_map(struct fake_vfio *k, struct fv_iommu *o, const void *p)
{
	struct iommu_uapi_ioas_map a;
	struct fake_vfio_map m = {0};
	struct fake_vfio_space *s;
	long err = take(p, &a, sizeof(a));

	if (err < 0)
		return err;
	if (a.reserved != 0)
		return -EOPNOTSUPP;
	if (a.iova == UINT64_MAX || a.length == UINT64_MAX)
		return -EOVERFLOW;
	err = check_flags(a.flags);
	if (err < 0)
		return err;
	s = fv_space_find(k, o, a.ioas_id);
	if (s == NULL)
		return -ENOENT;
	err = check_place(s, a.iova, a.length);
	if (err == 0 && ((a.user_va ^ a.iova) & 4095) != 0)
		err = -EINVAL;
	if (err < 0)
		return err;
	m.iova = a.iova;
	m.len = a.length;
	m.va = a.user_va;
	m.read = (a.flags & IOMMU_UAPI_MAP_READABLE) != 0;
	m.write = (a.flags & IOMMU_UAPI_MAP_WRITEABLE) != 0;
	return fv_space_map(s, &m, NULL);
}

/* "The src iova/length must exactly match a range used with IOMMU_IOAS_MAP." */
static long ioas_copy(struct fake_vfio *k, struct fv_iommu *o, const void *p)
{
	struct iommu_uapi_ioas_copy a;
	struct fake_vfio_space *src, *dst;
	struct fake_vfio_map m = {0};
	struct fv_mapping *from;
	long err = take(p, &a, sizeof(a));

	if (err == 0)
		err = check_flags(a.flags);
	if (err < 0)
		return err;
	src = fv_space_find(k, o, a.src_ioas_id);
	dst = fv_space_find(k, o, a.dst_ioas_id);
	if (src == NULL || dst == NULL || a.length == 0)
		return src == NULL || dst == NULL ? -ENOENT : -EINVAL;
	from = fv_space_overlap(src, a.src_iova, a.length);
	if (from == NULL || from->m.iova != a.src_iova || from->m.len != a.length)
		return -ENOENT;
	err = check_place(dst, a.dst_iova, a.length);
	if (err < 0)
		return err;
	m.iova = a.dst_iova;
	m.len = a.length;
	m.va = from->m.va;
	m.read = (a.flags & IOMMU_UAPI_MAP_READABLE) != 0;
	m.write = (a.flags & IOMMU_UAPI_MAP_WRITEABLE) != 0;
	m.copied = true;
	if (m.write && !from->m.write)
		return -EPERM; /* pinned for reading */
	return fv_space_map(dst, &m, from->pages);
}

static long ioas_unmap(struct fake_vfio *k, struct fv_iommu *o, void *p)
{
	struct iommu_uapi_ioas_unmap a;
	struct fake_vfio_space *s;
	uint64_t last;
	long err = take(p, &a, sizeof(a));

	if (err < 0)
		return err;
	s = fv_space_find(k, o, a.ioas_id);
	if (s == NULL)
		return -ENOENT;
	last = a.iova == 0 && a.length == UINT64_MAX ? UINT64_MAX : a.iova + a.length - 1;
	if (a.length == 0)
		return -EINVAL;
	if (last < a.iova)
		return -EOVERFLOW;
	for (unsigned i = 0; i < s->n_maps; i++) {
		uint64_t first = s->maps[i].m.iova, end = first + s->maps[i].m.len - 1;

		if (first <= last && end >= a.iova && (first < a.iova || end > last))
			return -ENOENT; /* no cutting */
	}
	a.length = fv_space_unmap(s, a.iova, last);
	if (a.length == 0)
		return -ENOENT;
	memcpy(p, &a, sizeof(a));
	return 0;
}

long fv_iommu_ioctl(struct fake_vfio *k, struct fv_iommu *o, unsigned long request, void *p)
{
	switch (request) {
	case IOMMU_UAPI_DESTROY:
		return destroy(k, o, p);
	case IOMMU_UAPI_IOAS_ALLOC:
		return ioas_alloc(k, o, p);
	case IOMMU_UAPI_IOAS_IOVA_RANGES:
		return iova_ranges(k, o, p);
	case IOMMU_UAPI_IOAS_MAP:
		return ioas_map(k, o, p);
	case IOMMU_UAPI_IOAS_COPY:
		return ioas_copy(k, o, p);
	case IOMMU_UAPI_IOAS_UNMAP:
		return ioas_unmap(k, o, p);
	default:
		return -ENOTTY;
	}
}
