/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of lib/pci share: registers of configuration space, the transports built in. */
#ifndef PCI_INTERNAL_H
#define PCI_INTERNAL_H

#include "plx_pci_transport.h"

/* PCI Local Bus 3.0, 6.1 and 6.2: the header. */
enum {
	PCI_VENDOR = 0x00,
	PCI_DEVICE = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08, /* and, above it, the class */
	PCI_CLASS = 0x0a,
	PCI_HEADER = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_SUBVENDOR = 0x2c,
	PCI_SUBDEVICE = 0x2e,
	PCI_CAP_PTR = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,

	PCI_COMMAND_IO = 1 << 0,
	PCI_COMMAND_MEM = 1 << 1,
	PCI_COMMAND_MASTER = 1 << 2,
	PCI_STATUS_CAPS = 1 << 4,
	PCI_HEADER_TYPE = 0x7f,
	PCI_HEADER_MULTI = 0x80,
	PCI_BAR_IO = 1 << 0,
	PCI_BAR_64 = 2 << 1,
	PCI_BAR_TYPE = 3 << 1,

	PCI_CFG_MIN = 0x40,  /* capabilities start here */
	PCI_CFG_STD = 0x100, /* ... and end here */
	PCI_CFG_SIZE = 0x1000,
	PCI_CAPS_MAX = 48, /* what fits between the two, 4 bytes each */
};

/* Capabilities. */
enum {
	PCI_CAP_PM = 0x01,     /* PCI Power Management 1.2, 3.2 */
	PCI_CAP_VENDOR = 0x09, /* vendor specific */
	PCI_CAP_EXP = 0x10,    /* PCI Express Base 3.0, 7.8 */
	PCI_CAP_AF = 0x13,     /* Advanced Capabilities for Conventional PCI */

	PCI_PM_CSR = 4,
	PCI_PM_STATE = 3,         /* D0 is 0, D3hot is 3 */
	PCI_PM_NO_SOFT_RESET = 8, /* D3hot to D0 keeps the registers */

	PCI_EXP_DEVCAP = 4,
	PCI_EXP_DEVCTL = 8,
	PCI_EXP_DEVCAP_FLR = 1 << 28,
	PCI_EXP_DEVCTL_FLR = 1 << 15,

	PCI_AF_CAP = 3,
	PCI_AF_CTRL = 4,
	PCI_AF_CAP_TP = 1 << 0,
	PCI_AF_CAP_FLR = 1 << 1,
};

extern const struct plx_pci_transport plx_pci_qemu;
extern const struct plx_pci_transport plx_pci_vfio;
extern const struct plx_pci_transport plx_pci_vfio_user;

/* All ones of a width in bytes. */
static inline uint64_t pci_ones(unsigned width)
{
	return width >= 8 ? UINT64_MAX : plx_bit64(8 * width) - 1;
}

/*
 * Offsets of the capabilities with an id, in the chain's order, up to max; returns how many. Ends
 * as plx_pci_cap() does.
 */
size_t pci_caps(struct plx_pci_dev *dev, uint8_t id, uint32_t *out, size_t max);

/*
 * For a mapping of registers, whole pages: a child must not drive the device, and a core dump not read
 * registers, as that may change them. A kernel that refuses has mapped it so by itself.
 */
void pci_keep_to_us(void *va, size_t len);

/* Turns memory decoding on, bus mastering off, and brings the device to D0. */
int pci_prepare(struct plx_pci_dev *dev);

#endif
