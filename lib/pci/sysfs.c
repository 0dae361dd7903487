/* SPDX-License-Identifier: BSD-3-Clause */
/* What sysfs says about PCI devices (sysfs.h). */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plx_log.h"
#include "sysfs.h"

/* ---- addresses ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 1 to digits hexadecimal digits up to the character end; the text behind it, or NULL. */
static const char *number(const char *p, unsigned digits, char end, uint32_t max, uint32_t *v)
{
	unsigned n = 0;

	for (*v = 0; n < digits && hex_digit(*p) >= 0; n++)
		*v = *v << 4 | (uint32_t)hex_digit(*p++);
	if (n == 0 || *p != end || *v > max)
		return NULL;
	return end == '\0' ? p : p + 1;
}

int pci_bdf_parse(const char *text, struct pci_bdf *bdf)
{
	const char *first = strchr(text, ':'), *p = text;
	uint32_t domain = 0, bus, slot, func;

	if (first != NULL && strchr(first + 1, ':') != NULL)
		p = number(p, 8, ':', UINT32_MAX, &domain);
	if (p != NULL)
		p = number(p, 2, ':', 0xff, &bus);
	if (p != NULL)
		p = number(p, 2, '.', 0x1f, &slot);
	if (p != NULL)
		p = number(p, 1, '\0', 7, &func);
	if (p == NULL)
		return plx_err(EINVAL,
			"'%s' is no address of a PCI device: write it as lspci -D does, "
			"0000:03:00.0",
			text);
	*bdf = (struct pci_bdf){domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)func};
	return 0;
}

void pci_bdf_text(const struct pci_bdf *bdf, char text[PCI_BDF_TEXT])
{
	snprintf(text, PCI_BDF_TEXT, "%04" PRIx32 ":%02x:%02x.%u", bdf->domain, bdf->bus, bdf->slot,
		bdf->func);
}

/* ---- files ---- */

static bool device_path(
	char path[PATH_MAX], const char *sysfs, const char *bdf, const char *sep, const char *file)
{
	int n = snprintf(path, PATH_MAX, "%s/bus/pci/devices/%s%s%s", sysfs, bdf, sep, file);

	return n > 0 && n < PATH_MAX;
}

bool pci_sysfs_exists(const char *sysfs, const char *bdf)
{
	char path[PATH_MAX];

	return device_path(path, sysfs, bdf, "", "") && access(path, F_OK) == 0;
}

/* What the last part of a link of the device is called. */
static int link_name(const char *sysfs, const char *bdf, const char *file, char *name, size_t n)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t len;

	if (!device_path(path, sysfs, bdf, "/", file))
		return -ENAMETOOLONG;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	last = strrchr(target, '/');
	last = last == NULL ? target : last + 1;
	if (strlen(last) >= n)
		return -ENAMETOOLONG;
	memcpy(name, last, strlen(last) + 1);
	return 0;
}

void pci_sysfs_driver(const char *sysfs, const char *bdf, char name[PCI_DRIVER_TEXT])
{
	if (link_name(sysfs, bdf, "driver", name, PCI_DRIVER_TEXT) < 0)
		name[0] = '\0';
}

bool pci_sysfs_has_driver(const char *sysfs, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/drivers/%s", sysfs, driver);
	return access(path, F_OK) == 0;
}

int pci_sysfs_group(const char *sysfs, const char *bdf, uint32_t *out)
{
	char name[32], *end;
	unsigned long v;

	if (link_name(sysfs, bdf, "iommu_group", name, sizeof(name)) < 0)
		return -ENOENT;
	if (name[0] < '0' || name[0] > '9')
		return -ENOENT;
	errno = 0;
	v = strtoul(name, &end, 10);
	if (errno != 0 || *end != '\0' || v > INT32_MAX)
		return -ENOENT;
	*out = (uint32_t)v;
	return 0;
}

static int read_line(const char *path, char *buf, size_t n)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return -errno;
	if (fgets(buf, (int)PLX_MIN(n, (size_t)INT_MAX), f) == NULL)
		buf[0] = '\0';
	fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int pci_sysfs_read(const char *sysfs, const char *bdf, const char *file, char *buf, size_t n)
{
	char path[PATH_MAX];

	buf[0] = '\0';
	return device_path(path, sysfs, bdf, "/", file) ? read_line(path, buf, n) : -ENAMETOOLONG;
}

int pci_sysfs_node(const char *sysfs, const char *bdf)
{
	char text[16], *end;
	long v;

	if (pci_sysfs_read(sysfs, bdf, "numa_node", text, sizeof(text)) < 0)
		return -1;
	v = strtol(text, &end, 10);
	return end == text || v < 0 || v > 4095 ? -1 : (int)v;
}

int pci_sysfs_vfio_dev(const char *sysfs, const char *bdf, char name[PCI_DRIVER_TEXT])
{
	char path[PATH_MAX];
	struct dirent *e;
	int r = -ENOENT;
	DIR *dir;

	dir = device_path(path, sysfs, bdf, "/", "vfio-dev") ? opendir(path) : NULL;
	if (dir == NULL)
		return -ENOENT;
	while (r < 0 && (e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);

		if (strncmp(e->d_name, "vfio", 4) != 0 || len == 4 || len >= PCI_DRIVER_TEXT ||
			strspn(e->d_name + 4, "0123456789") != len - 4)
			continue;
		memcpy(name, e->d_name, len + 1);
		r = 0;
	}
	closedir(dir);
	return r;
}

/* ---- IOMMU groups ---- */

bool pci_sysfs_group_noiommu(const char *sysfs, uint32_t group)
{
	char path[PATH_MAX], name[32];

	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%" PRIu32 "/name", sysfs, group);
	return read_line(path, name, sizeof(name)) == 0 && strcmp(name, "vfio-noiommu") == 0;
}

int pci_sysfs_group_each(const char *sysfs, uint32_t group,
	int (*fn)(void *arg, const char *bdf, const char *driver), void *arg)
{
	char path[PATH_MAX], driver[PCI_DRIVER_TEXT];
	struct dirent *e;
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%" PRIu32 "/devices", sysfs, group);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (r == 0 && (e = readdir(dir)) != NULL) {
		if (strchr(e->d_name, ':') == NULL) /* . and .. and what is no PCI device */
			continue;
		pci_sysfs_driver(sysfs, e->d_name, driver);
		r = fn(arg, e->d_name, driver);
	}
	closedir(dir);
	return r;
}
