/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What sysfs says about PCI devices (Linux: Documentation/ABI/testing/sysfs-bus-pci). Control path;
 * everything is read when asked for, below a root that a test may choose.
 */
#ifndef PCI_SYSFS_H
#define PCI_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "0000:00:10.0"; a domain may have up to 8 digits. */
enum { PCI_BDF_TEXT = 20, PCI_DRIVER_TEXT = 64 };

struct pci_bdf {
	uint32_t domain;
	uint8_t bus, slot, func;
};

/*
 * Reads "0000:00:10.0", or "00:10.0" in domain 0, as lspci prints them: hexadecimal. -EINVAL with a
 * message.
 */
int pci_bdf_parse(const char *text, struct pci_bdf *bdf);
void pci_bdf_text(const struct pci_bdf *bdf, char text[PCI_BDF_TEXT]);

/* Is there such a device? */
bool pci_sysfs_exists(const char *sysfs, const char *bdf);
/* The driver it is bound to, "" if none. */
void pci_sysfs_driver(const char *sysfs, const char *bdf, char name[PCI_DRIVER_TEXT]);
/* Is there a driver of that name? */
bool pci_sysfs_has_driver(const char *sysfs, const char *driver);
/* Its IOMMU group's number; -ENOENT without a message: it has none. */
int pci_sysfs_group(const char *sysfs, const char *bdf, uint32_t *out);
/* NUMA node, -1: none. */
int pci_sysfs_node(const char *sysfs, const char *bdf);
/* One line of a file of the device ("class", "vendor"), without its newline. -errno, no message. */
int pci_sysfs_read(const char *sysfs, const char *bdf, const char *file, char *buf, size_t n);
/* The name of its file in /dev/vfio/devices ("vfio3"); -ENOENT without a message: it has none. */
int pci_sysfs_vfio_dev(const char *sysfs, const char *bdf, char name[PCI_DRIVER_TEXT]);
/* Is it the group of a device without an IOMMU, in VFIO's unsafe mode? */
bool pci_sysfs_group_noiommu(const char *sysfs, uint32_t group);
/* Calls fn for each device in an IOMMU group until it returns non-zero, and returns that. */
int pci_sysfs_group_each(const char *sysfs, uint32_t group,
	int (*fn)(void *arg, const char *bdf, const char *driver), void *arg);

#endif
