/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI devices, for drivers.
 *
 * A driver holds windows of BARs and never knows which transport is behind: VFIO, a vfio-user
 * server, a QEMU, a fake. A register write is a store where the window is mapped and a message
 * where it is not: one predictable branch.
 *
 *   plx_wr32(&win, REG, v)   one aligned 32-bit write. Registers are little-endian; v is in host
 *                            order.
 *   64-bit registers are read and written as one access where the datasheet allows it
 *   (plx_rd64/plx_wr64) and otherwise low half first (plx_rd64_lohi/plx_wr64_lohi).
 *
 * Order. Before a doorbell that makes the device read memory this thread wrote, call plx_io_wmb()
 * (x86: stores are not reordered with stores, so it stops only the compiler; arm64: dmb oshst).
 * After reading a descriptor's done bit and before reading the rest of it, plx_io_rmb(). Register
 * accesses through one window are not reordered with each other. A posted write has arrived when
 * a read from the same device returns.
 *
 * A burst function reads no register.
 *
 * A device that is gone reads all ones (or, behind some bridges, zero); plx_pci_gone() asks the
 * transport. No register access fails, crashes or blocks for longer than the transport's limit.
 */
#ifndef PLX_PCI_H
#define PLX_PCI_H

#include "mem_lib.h"
#include "plx_mem.h"

PLX_BEGIN_DECLS

struct plx_pci_dev;

/** Vendor and device id; PLX_PCI_ANY matches all. Tables end with a row of zeros. */
struct plx_pci_id {
	uint16_t vendor, device, subvendor, subdevice;
	uint64_t data; /**< the driver's own: quirks, variant */
};
#define PLX_PCI_ANY 0xffffu
#define PLX_PCI_ID(v, d, dat)                                                                     \
	{                                                                                         \
		.vendor = (v), .device = (d), .subvendor = PLX_PCI_ANY, .subdevice = PLX_PCI_ANY, \
		.data = (dat)                                                                     \
	}

/** A part of a BAR. */
struct plx_win {
	volatile uint8_t *base; /**< where it is mapped; NULL: by message */
	struct plx_pci_dev *dev;
	uint64_t offset; /**< of the window in the BAR */
	uint64_t len;
	uint32_t bar;
};

/** The window's message path; use plx_rd*() and plx_wr*(). */
PLX_API
uint64_t plx_win_read(const struct plx_win *w, uint64_t off, unsigned width);
PLX_API
void plx_win_write(const struct plx_win *w, uint64_t off, unsigned width, uint64_t v);

/**
 * Reads the register at byte offset off of the window, a multiple of its width. All ones where the
 * device is gone. Control path only.
 */
static inline uint32_t plx_rd32(const struct plx_win *w, uint64_t off)
{
	if (plx_likely(w->base != NULL)) {
		plx_le32 v = {*(const volatile uint32_t *)(w->base + off)};
		return plx_le32_get(v);
	}
	return (uint32_t)plx_win_read(w, off, 4);
}

/** Writes the register at byte offset off of the window. Before a doorbell: plx_io_wmb(). */
static inline void plx_wr32(const struct plx_win *w, uint64_t off, uint32_t v)
{
	if (plx_likely(w->base != NULL))
		*(volatile uint32_t *)(w->base + off) = plx_le32_make(v).v;
	else
		plx_win_write(w, off, 4, v);
}

/** As plx_rd32(), 64 bits in one access. */
static inline uint64_t plx_rd64(const struct plx_win *w, uint64_t off)
{
	if (plx_likely(w->base != NULL)) {
		plx_le64 v = {*(const volatile uint64_t *)(w->base + off)};
		return plx_le64_get(v);
	}
	return plx_win_read(w, off, 8);
}

/** As plx_wr32(), 64 bits in one access. */
static inline void plx_wr64(const struct plx_win *w, uint64_t off, uint64_t v)
{
	if (plx_likely(w->base != NULL))
		*(volatile uint64_t *)(w->base + off) = plx_le64_make(v).v;
	else
		plx_win_write(w, off, 8, v);
}

/** For registers that want two 32-bit accesses, low half first. */
static inline uint64_t plx_rd64_lohi(const struct plx_win *w, uint64_t off)
{
	uint64_t lo = plx_rd32(w, off);

	return lo | (uint64_t)plx_rd32(w, off + 4) << 32;
}

static inline void plx_wr64_lohi(const struct plx_win *w, uint64_t off, uint64_t v)
{
	plx_wr32(w, off, (uint32_t)v);
	plx_wr32(w, off + 4, (uint32_t)(v >> 32));
}

/**
 * Waits until (register & mask) == value, polling with a pause that grows to 100 us; the only way
 * a driver waits. Ends early when the device is gone.
 * @return 0, -ETIMEDOUT (message: what, with the register's last value), -ENODEV (gone).
 */
PLX_API
int plx_win_wait(const struct plx_win *w, uint64_t off, uint32_t mask, uint32_t value,
	uint64_t limit_ns, const char *what);
/** Lets at least ns nanoseconds pass, for datasheets that ask for a pause. Control path only. */
PLX_API
void plx_pci_delay(struct plx_pci_dev *dev, uint64_t ns);

/* ---- the device ---- */

/**
 * Opens windows [offset, offset + len) of a BAR. The window is mapped where the transport can.
 * @return 0, -EINVAL (no such BAR, I/O space, or shorter: the message has both sizes), -ENOMEM.
 */
PLX_API
int plx_pci_win(
	struct plx_pci_dev *dev, uint32_t bar, uint64_t offset, uint64_t len, struct plx_win *win);
/** Unmaps a window; a zeroed one is allowed. */
PLX_API
void plx_pci_win_close(struct plx_win *win);

/**
 * The window from offset on, offset below its length: for blocks of registers that are there several
 * times. It is the same window: valid as long, and not closed by itself.
 */
static inline struct plx_win plx_win_from(const struct plx_win *w, uint64_t offset)
{
	struct plx_win part = *w;

	if (part.base != NULL)
		part.base += offset;
	part.offset += offset;
	part.len -= offset;
	return part;
}

/** Size of a BAR in bytes, 0 when the device has none there. */
PLX_API
uint64_t plx_pci_bar_len(struct plx_pci_dev *dev, uint32_t bar);

/** Configuration space; all ones where the device is gone. off is aligned to width 1, 2, 4. */
PLX_API
uint32_t plx_pci_cfg_read(struct plx_pci_dev *dev, uint32_t off, unsigned width);
PLX_API
void plx_pci_cfg_write(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v);

/**
 * Offset of a capability (PCI Local Bus 3.0, 6.7), or 0. The walk ends after 48 entries, at any
 * pointer below 0x40, and at one it has seen: a device cannot make it loop.
 */
PLX_API
uint32_t plx_pci_cap(struct plx_pci_dev *dev, uint8_t id);

/**
 * Bus mastering on or off. plx_pci_open() leaves it off, so that a device which a killed program
 * left running does no DMA; the driver resets the device, writes the rings' addresses and then
 * turns it on. Turning it off is tried on a device that is gone, too: it may be there after all.
 */
PLX_API
int plx_pci_set_master(struct plx_pci_dev *dev, bool on);

/**
 * Resets the function by what it has: the transport's reset, else function level reset (PCI Express
 * or Advanced Features), else a power cycle, else a reset of its bus if the transport can do that;
 * bus mastering is off afterwards. Behind `pci:` the kernel resets and restores configuration space,
 * and whether the device did anything is not to be seen there.
 * @return 0, -ENOTSUP (the device must be reset by its own register), -EIO ("did not reset": its BARs,
 *   which each of these clears, kept their values), -EBUSY (only its bus could be reset, and another
 *   device there is open or not this context's), -ENODEV, or the transport's error.
 */
PLX_API
int plx_pci_reset(struct plx_pci_dev *dev);

/** Has the device left? Known from the transport, or all ones in its vendor id. */
PLX_API
bool plx_pci_gone(struct plx_pci_dev *dev);
/** For a driver that found out by itself. */
PLX_API
void plx_pci_set_gone(struct plx_pci_dev *dev);

/** Its ids in configuration space. */
PLX_API
uint16_t plx_pci_vendor(const struct plx_pci_dev *dev);
PLX_API
uint16_t plx_pci_device(const struct plx_pci_dev *dev);
PLX_API
const char *plx_pci_name(const struct plx_pci_dev *dev); /**< for messages */
/** The context it was opened in. */
PLX_API
struct plx_ctx *plx_pci_ctx(const struct plx_pci_dev *dev);
PLX_API
int plx_pci_node(const struct plx_pci_dev *dev); /**< NUMA node or -1 */
/** Its I/O address space (mem_lib.h). */
PLX_API
struct plx_domain *plx_pci_domain(struct plx_pci_dev *dev);

/** Descriptor rings and the like: device memory in the device's domain (mem_lib.h). */
static inline int plx_pci_dma_alloc(
	struct plx_pci_dev *dev, size_t len, size_t align, struct plx_dma *out)
{
	return plx_dma_alloc(plx_pci_domain(dev), len, align, out);
}

static inline void plx_pci_dma_free(struct plx_pci_dev *dev, struct plx_dma *dma)
{
	plx_dma_free(plx_pci_domain(dev), dma);
}

/* ---- interrupts ---- */

enum plx_irq_type { PLX_IRQ_NONE, PLX_IRQ_INTX, PLX_IRQ_MSI, PLX_IRQ_MSIX };

/**
 * Sets up n vectors of the best type there is (MSI-X, MSI, INTx), each an eventfd owned by the
 * device; all are set at once. Fewer than n may come: vector i of the driver is then i % *got.
 * @return 0 (type in *type), -ENOTSUP when the transport has no interrupts (qemu: for one), -EBUSY
 *   (on already), -EINVAL (n is 0), or the transport's error.
 */
PLX_API
int plx_pci_irq_enable(struct plx_pci_dev *dev, uint32_t n, uint32_t *got, enum plx_irq_type *type);
/**
 * Lets the device's interrupt fire again, after the driver has read its eventfd and cleared the
 * cause in the device. INTx masks itself when it fires; for MSI and MSI-X this does nothing.
 * @return 0, -ENOTSUP (interrupts are not on), or the transport's error.
 */
PLX_API
int plx_pci_irq_rearm(struct plx_pci_dev *dev);
/** Turns interrupts off and closes their eventfds. */
PLX_API
void plx_pci_irq_disable(struct plx_pci_dev *dev);
/** The eventfd of the driver's vector number vector. -ENOTSUP: interrupts are not on. */
PLX_API
int plx_pci_irq_fd(const struct plx_pci_dev *dev, uint32_t vector);

PLX_END_DECLS

#endif
