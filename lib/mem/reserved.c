/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I/O addresses that the IOMMUs of devices bound to vfio-pci keep for themselves: the MSI window,
 * firmware's direct maps. Linux: Documentation/ABI/testing/sysfs-kernel-iommu_groups,
 * reserved_regions: lines of "first last type".
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem_priv.h"

struct list {
	struct plx_range *r;
	size_t n, max;
};

static int add(struct list *l, struct plx_range range)
{
	if (l->n == l->max) {
		size_t max = l->max == 0 ? 8 : l->max * 2;
		struct plx_range *r = realloc(l->r, max * sizeof(*r));

		if (r == NULL)
			return plx_err(ENOMEM, "no memory for the reserved I/O addresses");
		l->r = r;
		l->max = max;
	}
	l->r[l->n++] = range;
	return 0;
}

static int read_regions(FILE *f, struct list *l)
{
	struct plx_range range;
	char line[128], type[32];
	int err = 0;

	while (err == 0 && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %31s", &range.first, &range.last, type) !=
				3 ||
			range.first > range.last)
			continue;
		/* VFIO lets these be mapped over: the kernel gives them up to a user-level driver. */
		if (strcmp(type, "direct-relaxable") == 0)
			continue;
		err = add(l, range);
	}
	return err;
}

int plx_iova_reserved(const char *vfio_dir, struct plx_range **out, size_t *n)
{
	struct list l = {NULL, 0, 0};
	struct dirent *d;
	char path[512];
	DIR *dir;
	int err = 0;

	*out = NULL;
	*n = 0;
	dir = opendir(vfio_dir);
	if (dir == NULL) /* no such driver: no such devices */
		return 0;
	while (err == 0 && (d = readdir(dir)) != NULL) {
		FILE *f;

		if (strchr(d->d_name, ':') == NULL) /* not a device's address */
			continue;
		snprintf(path, sizeof(path), "%s/%s/iommu_group/reserved_regions", vfio_dir,
			d->d_name);
		f = fopen(path, "re");
		if (f == NULL) /* no IOMMU group */
			continue;
		err = read_regions(f, &l);
		fclose(f);
	}
	closedir(dir);
	if (err < 0) {
		free(l.r);
		return err;
	}
	*out = l.r;
	*n = l.n;
	return 0;
}
