/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel's files: /sys, and the names in /dev and /proc, in a temporary folder. */
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_vfio_priv.h"

#define PCI_ROOT "sys/devices/pci0000:00"

static void fail(const char *what, const char *path)
{
	fprintf(stderr, "fake kernel: %s %s: %s\n", what, path, strerror(errno));
	abort();
}

__attribute__((format(printf, 2, 3))) static void path_to(char *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, 256, fmt, ap);
	va_end(ap);
}

/* The folders on the way to a file. */
static void make_way(const struct fake_vfio *k, const char *path)
{
	char at[512];

	snprintf(at, sizeof(at), "%s/%s", k->root, path);
	for (char *p = at + strlen(k->root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(at, 0755) < 0 && errno != EEXIST)
			fail("mkdir", at);
		*p = '/';
	}
}

void fake_vfio_file(struct fake_vfio *k, const char *path, const char *text)
{
	char at[512];
	FILE *f;

	snprintf(at, sizeof(at), "%s/%s", k->root, path);
	if (text == NULL) {
		if (remove(at) < 0 && errno != ENOENT)
			fail("remove", at);
		return;
	}
	make_way(k, path);
	if (path[strlen(path) - 1] == '/')
		return; /* a folder */
	f = fopen(at, "we");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		fail("write", at);
}

static void link_to(struct fake_vfio *k, const char *path, const char *target)
{
	char at[512];

	fake_vfio_file(k, path, NULL);
	make_way(k, path);
	snprintf(at, sizeof(at), "%s/%s", k->root, path);
	if (symlink(target, at) < 0)
		fail("symlink", at);
}

/* ---- one device ---- */

static void file(struct fake_vfio_dev *d, const char *name, const char *fmt, uint64_t v)
{
	char path[256], text[64];

	path_to(path, PCI_ROOT "/%s/%s", d->bdf, name);
	snprintf(text, sizeof(text), fmt, v);
	fake_vfio_file(d->k, path, text);
}

/* First, last and flags of each resource: IORESOURCE_IO 0x100, IORESOURCE_MEM 0x200. */
static void resources(struct fake_vfio_dev *d)
{
	char path[256], text[1024];
	size_t n = 0;

	for (unsigned i = 0; i < 13; i++) {
		uint64_t first = 0, last = 0, flags = 0;

		if (i < PLX_PCI_BARS && d->f->bars[i].len != 0) {
			bool io = (d->f->bars[i].flags & FAKE_BAR_IO) != 0;

			first = io ? 0x6000 : 0xfeb00000 + UINT64_C(0x40000) * i;
			last = first + d->f->bars[i].len - 1;
			flags = io ? 0x40101 : 0x40200;
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 "\n", first, last, flags);
	}
	path_to(path, PCI_ROOT "/%s/resource", d->bdf);
	fake_vfio_file(d->k, path, text);
}

void fv_tree_dev(struct fake_vfio_dev *d)
{
	struct fake_vfio *k = d->k;
	char path[256], target[256];

	file(d, "vendor", "0x%04" PRIx64 "\n", fake_cfg_get(d->f, 0x00, 2));
	file(d, "device", "0x%04" PRIx64 "\n", fake_cfg_get(d->f, 0x02, 2));
	file(d, "subsystem_vendor", "0x%04" PRIx64 "\n", fake_cfg_get(d->f, 0x2c, 2));
	file(d, "subsystem_device", "0x%04" PRIx64 "\n", fake_cfg_get(d->f, 0x2e, 2));
	file(d, "class", "0x%06" PRIx64 "\n", fake_cfg_get(d->f, 0x08, 4) >> 8);
	file(d, "numa_node", "%" PRIi64 "\n", UINT64_MAX);
	resources(d);
	path_to(path, "sys/bus/pci/devices/%s", d->bdf);
	path_to(target, "../../../devices/pci0000:00/%s", d->bdf);
	link_to(k, path, target);
	if (d->group == UINT32_MAX)
		return;
	path_to(path, PCI_ROOT "/%s/iommu_group", d->bdf);
	path_to(target, "../../../kernel/iommu_groups/%u", d->group);
	link_to(k, path, target);
	path_to(path, "sys/kernel/iommu_groups/%u/devices/%s", d->group, d->bdf);
	path_to(target, "../../../../devices/pci0000:00/%s", d->bdf);
	link_to(k, path, target);
	path_to(path, "sys/kernel/iommu_groups/%u/reserved_regions", d->group);
	fake_vfio_file(k, path, "0x00000000fee00000 0x00000000feefffff msi\n");
	path_to(path, "sys/kernel/iommu_groups/%u/type", d->group);
	fake_vfio_file(k, path, "DMA\n");
}

/* What binding to vfio-pci makes, and takes away: /dev/vfio/GROUP, vfio-dev/vfioN, its node. */
static void nodes(struct fake_vfio_dev *d, bool there)
{
	const struct fake_vfio_opts *o = &d->k->opts;
	char path[256];

	if (o->no_vfio || d->group == UINT32_MAX)
		return;
	if (!o->no_group) {
		path_to(path, "dev/vfio/%u", d->group);
		fake_vfio_file(d->k, path, there ? "" : NULL);
	}
	if (o->no_cdev)
		return;
	path_to(path, "dev/vfio/devices/vfio%u", d->index);
	fake_vfio_file(d->k, path, there ? "" : NULL);
	path_to(path, PCI_ROOT "/%s/vfio-dev/vfio%u/dev", d->bdf, d->index);
	fake_vfio_file(d->k, path, there ? "511:0\n" : NULL);
	if (there)
		return;
	path_to(path, PCI_ROOT "/%s/vfio-dev/vfio%u", d->bdf, d->index);
	fake_vfio_file(d->k, path, NULL);
	path_to(path, PCI_ROOT "/%s/vfio-dev", d->bdf);
	fake_vfio_file(d->k, path, NULL);
}

void fv_tree_bind(struct fake_vfio_dev *d)
{
	bool others = false, vfio = d->driver != NULL && strcmp(d->driver, "vfio-pci") == 0;
	char path[256], target[256];

	path_to(path, PCI_ROOT "/%s/driver", d->bdf);
	if (d->driver == NULL) {
		fake_vfio_file(d->k, path, NULL);
	} else {
		path_to(target, "sys/bus/pci/drivers/%s/", d->driver);
		fake_vfio_file(d->k, target, "");
		path_to(target, "../../../bus/pci/drivers/%s", d->driver);
		link_to(d->k, path, target);
		path_to(path, "sys/bus/pci/drivers/%s/%s", d->driver, d->bdf);
		path_to(target, "../../../../devices/pci0000:00/%s", d->bdf);
		link_to(d->k, path, target);
	}
	nodes(d, vfio);
	if (vfio)
		return;
	/* The group's node stays while another of its devices needs it. */
	for (unsigned i = 0; i < d->k->n_devs; i++) {
		struct fake_vfio_dev *o = d->k->devs[i];

		if (o != d && o->group == d->group && o->driver != NULL &&
			strcmp(o->driver, "vfio-pci") == 0)
			others = true;
	}
	if (others)
		nodes(d, false);
	for (unsigned i = 0; others && i < d->k->n_devs; i++)
		if (d->k->devs[i] != d && d->k->devs[i]->group == d->group &&
			d->k->devs[i]->driver != NULL &&
			strcmp(d->k->devs[i]->driver, "vfio-pci") == 0)
			nodes(d->k->devs[i], true);
}

/* ---- the machine ---- */

void fv_tree_locked(struct fake_vfio *k)
{
	char text[128];

	snprintf(text, sizeof(text), "Name:\ttest\nVmPeak:\t  100000 kB\nVmLck:\t%8" PRIu64 " kB\n",
		k->locked / 1024);
	fake_vfio_file(k, "proc/self/status", text);
}

static void limits(struct fake_vfio *k)
{
	char text[512], limit[32] = "unlimited";

	if (k->opts.memlock != UINT64_MAX)
		snprintf(limit, sizeof(limit), "%" PRIu64, k->opts.memlock);
	snprintf(text, sizeof(text),
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max locked memory         %-20s %-20s bytes     \n"
		"Max address space         unlimited            unlimited            bytes     \n",
		limit, limit);
	fake_vfio_file(k, "proc/self/limits", text);
}

void fv_tree_new(struct fake_vfio *k)
{
	const struct fake_vfio_opts *o = &k->opts;
	const char *tmp = getenv("TMPDIR");

	/* Hundreds of kernels are made: in memory, where there is such a folder. */
	if (tmp == NULL || strlen(tmp) >= 32)
		tmp = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(k->root, sizeof(k->root), "%s/fake-vfio-XXXXXX", tmp);
	if (mkdtemp(k->root) == NULL)
		fail("mkdtemp", k->root);
	snprintf(k->sysfs, sizeof(k->sysfs), "%s/sys", k->root);
	snprintf(k->dev, sizeof(k->dev), "%s/dev", k->root);
	snprintf(k->proc, sizeof(k->proc), "%s/proc", k->root);
	fake_vfio_file(k, "dev/null", "");
	fake_vfio_file(k, "sys/bus/pci/devices/", "");
	fake_vfio_file(k, "sys/bus/pci/drivers/", "");
	fake_vfio_file(k, "sys/kernel/iommu_groups/", "");
	fake_vfio_file(k, "sys/class/iommu/", "");
	fake_vfio_file(k, "sys/module/", "");
	if (!o->no_iommu)
		fake_vfio_file(k, "sys/class/iommu/dmar0/", "");
	if (!o->no_vfio) {
		fake_vfio_file(k, "sys/module/vfio/", "");
		fake_vfio_file(k, "sys/module/vfio_pci/", "");
		fake_vfio_file(k, "sys/bus/pci/drivers/vfio-pci/", "");
	}
	if (!o->no_vfio && !o->no_group)
		fake_vfio_file(k, "dev/vfio/vfio", "");
	if (!o->no_vfio && !o->no_type1)
		fake_vfio_file(k, "sys/module/vfio_iommu_type1/", "");
	if (!o->no_vfio && !o->no_cdev && !o->no_iommufd) {
		fake_vfio_file(k, "dev/iommu", "");
		fake_vfio_file(k, "sys/module/iommufd/", "");
	}
	limits(k);
	fv_tree_locked(k);
}

static int rm(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void fv_tree_free(struct fake_vfio *k)
{
	if (nftw(k->root, rm, 16, FTW_DEPTH | FTW_PHYS) < 0)
		fail("nftw", k->root);
}
