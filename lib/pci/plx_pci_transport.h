/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a transport to PCI devices is. UNSTABLE: may change between minor versions.
 *
 * One file a transport and one row in transports.c; or, from outside the tree, one call to
 * plx_pci_transport_add(). A transport is the only code that knows how a device is reached.
 */
#ifndef PLX_PCI_TRANSPORT_H
#define PLX_PCI_TRANSPORT_H

#include "plx_opt.h"
#include "plx_pci.h"

PLX_BEGIN_DECLS

/** Regions: BARs 0 to 5, then configuration space. */
enum { PLX_PCI_BARS = 6, PLX_PCI_REGION_CFG = 7, PLX_PCI_REGIONS = 8 };

struct plx_pci_region {
	uint64_t len;  /**< 0: not there */
	bool io;       /**< I/O space: no windows */
	bool mappable; /**< region_map may succeed for some part */
};

/**
 * Operations. Those marked (o) may be NULL. All but reg_read/reg_write run on control threads;
 * these two on any thread that holds a queue, so they serialise among themselves if they must.
 */
struct plx_pci_transport {
	const char *kind; /**< the word before ':' in a device string */
	const char *help; /**< one line: "qemu:SOCKET,slot=N,ram=FILE|qmp=SOCKET" */

	/**
	 * Reaches the device, whose configuration space works from then on. Applies its option
	 * table to opts. Sets dev->priv, dev->name, dev->domain (added to the context) and
	 * dev->node. plx_pci_open() then brings the device to D0, turns memory decoding on and bus
	 * mastering off.
	 */
	int (*open)(struct plx_pci_dev *dev, struct plx_opts *opts);
	/**
	 * Undoes open, also half-done: called after an open that failed too, with priv as it left
	 * it. Bus mastering has been turned off if the device is there.
	 */
	void (*close)(struct plx_pci_dev *dev);

	int (*cfg_read)(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t *v);
	int (*cfg_write)(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v);

	int (*region_info)(struct plx_pci_dev *dev, uint32_t region, struct plx_pci_region *info);
	/** (o) Maps a part of a BAR; -ENOTSUP where only messages work. */
	int (*region_map)(struct plx_pci_dev *dev, uint32_t region, uint64_t off, uint64_t len,
		volatile uint8_t **base);
	void (*region_unmap)(struct plx_pci_dev *dev, volatile uint8_t *base, uint64_t len);
	uint64_t (*reg_read)(struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width);
	/** May be posted: arrived when a later reg_read of the same device returns. */
	void (*reg_write)(
		struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width, uint64_t v);

	/** (o) How many vectors of a type there are; 0: none. */
	int (*irq_max)(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t *max);
	/**
	 * (o) n eventfds, one for each vector; n == 0 turns interrupts off. Returns 0, -errno, or, with
	 * none set, how many vectors can be had: fewer than n.
	 */
	int (*irq_set)(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n, const int *fds);

	/** (o) Lets INTx, which masks itself when it fires, fire again. NULL: it does not mask itself. */
	int (*intx_unmask)(struct plx_pci_dev *dev);

	/**
	 * (o) A reset the transport can do for the function, which restores configuration space;
	 * -ENOTSUP or NULL: plx_pci_reset() does what configuration space offers.
	 */
	int (*reset)(struct plx_pci_dev *dev);
	/**
	 * (o) The last resort: a reset of the bus that the device is behind, only if all that it
	 * resets is this context's and not open. Configuration space is restored. -ENOTSUP: there is
	 * no such bus; -EBUSY: somebody else is behind it.
	 */
	int (*bus_reset)(struct plx_pci_dev *dev);
	/**
	 * (o) Cheap, callable often, from any thread: has the device or the peer left? NULL: the
	 * vendor id is read.
	 */
	bool (*gone)(struct plx_pci_dev *dev);
	/**
	 * (o) Lets time pass for the device. With it the time limits of lib/pci count these delays
	 * and not the wall clock.
	 */
	void (*delay)(struct plx_pci_dev *dev, uint64_t ns);
};

/** A device being driven. A transport fills name, priv, domain, node. */
struct plx_pci_dev {
	struct plx_ctx *ctx;
	const struct plx_pci_transport *t;
	void *priv;
	struct plx_domain *domain;
	char name[128];
	int node;
	/* lib/pci's own */
	uint16_t vendor, device, subvendor, subdevice;
	bool gone, master;
	enum plx_irq_type irq_type;
	uint32_t n_irqs;
	int *irq_fds;
};

/**
 * Opens the device that opts names; the kind chooses the transport.
 * @return 0, -ENOENT (no such transport: the message lists the known), or the transport's error.
 */
PLX_API
int plx_pci_open(struct plx_ctx *ctx, struct plx_opts *opts, struct plx_pci_dev **dev);
/** Turns bus mastering off and closes it. NULL is allowed. */
PLX_API
void plx_pci_close(struct plx_pci_dev *dev);

/** Adds a transport to a context; t must outlive it. -EEXIST when the kind is taken. */
PLX_API
int plx_pci_transport_add(struct plx_ctx *ctx, const struct plx_pci_transport *t);
/** The transport for a kind, or NULL with a message that lists those there are. */
PLX_API
const struct plx_pci_transport *plx_pci_transport_find(struct plx_ctx *ctx, const char *kind);
/** Transports there are, built in and added: calls fn for each until it returns non-zero. */
PLX_API
int plx_pci_transport_each(
	struct plx_ctx *ctx, int (*fn)(void *arg, const struct plx_pci_transport *t), void *arg);

PLX_END_DECLS

#endif
