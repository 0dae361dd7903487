/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio devices behind VFIO. One that does not offer VIRTIO_F_ACCESS_PLATFORM takes the addresses in
 * its queues for physical ones (virtio 1.1, 6.1), past the IOMMU that the kernel believes in: a program
 * could have it read and write all memory of the machine. So it is not driven at all. The same goes
 * for devices with nothing but the legacy interface, which has no such feature.
 *
 * The feature bits are in the common configuration, which a vendor capability locates (4.1.4).
 */
#define PLX_LOG_TAG "vfio"
#include "vfio.h"

enum {
	VIRTIO_VENDOR = 0x1af4,
	VIRTIO_FIRST = 0x1000, /* device ids of virtio (4.1.2) */
	VIRTIO_LAST = 0x107f,

	/* struct virtio_pci_cap (4.1.4) */
	CAP_LEN = 2,
	CAP_TYPE = 3,
	CAP_BAR = 4,
	CAP_OFFSET = 8,
	CAP_LENGTH = 12,
	CAP_SIZE = 16,
	CAP_COMMON = 1, /* of CAP_TYPE */

	/* struct virtio_pci_common_cfg (4.1.4.3) */
	COMMON_FEATURE_SELECT = 0,
	COMMON_FEATURE = 4,
	COMMON_LEN = 8, /* of what is read here */

	ACCESS_PLATFORM = 33,
};

/* The capability that locates the common configuration, checked; 0: there is none. */
static uint32_t common(struct plx_pci_dev *dev, uint32_t *bar, uint64_t *off)
{
	uint32_t at[PCI_CAPS_MAX];
	size_t n = pci_caps(dev, PCI_CAP_VENDOR, at, PLX_ARRAY_SIZE(at));
	struct plx_pci_region info;

	for (size_t i = 0; i < n; i++) {
		if (at[i] > PCI_CFG_STD - CAP_SIZE ||
			plx_pci_cfg_read(dev, at[i] + CAP_LEN, 1) < CAP_SIZE ||
			plx_pci_cfg_read(dev, at[i] + CAP_TYPE, 1) != CAP_COMMON)
			continue;
		*bar = plx_pci_cfg_read(dev, at[i] + CAP_BAR, 1);
		*off = plx_pci_cfg_read(dev, at[i] + CAP_OFFSET, 4);
		memset(&info, 0, sizeof(info));
		if (*bar >= PLX_PCI_BARS || dev->t->region_info(dev, *bar, &info) < 0 ||
			plx_pci_cfg_read(dev, at[i] + CAP_LENGTH, 4) < COMMON_LEN ||
			*off > info.len || info.len - *off < COMMON_LEN || *off % 4 != 0)
			continue; /* a driver uses the first that it can */
		return at[i];
	}
	return 0;
}

static bool offers_access_platform(struct plx_pci_dev *dev, uint32_t bar, uint64_t off)
{
	uint32_t cmd = plx_pci_cfg_read(dev, PCI_COMMAND, 2), high;

	plx_pci_cfg_write(dev, PCI_COMMAND, 2,
		(cmd | PCI_COMMAND_MEM | PCI_COMMAND_IO) & ~(uint32_t)PCI_COMMAND_MASTER);
	dev->t->reg_write(dev, bar, off + COMMON_FEATURE_SELECT, 4, ACCESS_PLATFORM / 32);
	high = (uint32_t)dev->t->reg_read(dev, bar, off + COMMON_FEATURE, 4);
	plx_pci_cfg_write(dev, PCI_COMMAND, 2, cmd & ~(uint32_t)PCI_COMMAND_MASTER);
	/* All ones: nobody answered. */
	return high != UINT32_MAX && (high & 1u << ACCESS_PLATFORM % 32) != 0;
}

int vfio_virtio_check(struct plx_pci_dev *dev)
{
	uint32_t id = plx_pci_cfg_read(dev, PCI_VENDOR, 4), bar;
	uint64_t off;

	if ((id & 0xffff) != VIRTIO_VENDOR || id >> 16 < VIRTIO_FIRST || id >> 16 > VIRTIO_LAST)
		return 0;
	if (common(dev, &bar, &off) == 0)
		return plx_err(EPERM,
			"%s: a virtio device with the legacy interface alone, which goes past the IOMMU to "
			"all memory of the machine: not driven; in QEMU, add "
			"disable-legacy=on,iommu_platform=on to its -device",
			dev->name);
	if (offers_access_platform(dev, bar, off))
		return 0;
	return plx_err(EPERM,
		"%s: a virtio device that goes past the IOMMU to all memory of the machine (it does not "
		"offer VIRTIO_F_ACCESS_PLATFORM): not driven; in QEMU, add "
		"disable-legacy=on,iommu_platform=on to its -device",
		dev->name);
}
