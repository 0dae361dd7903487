/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drivers, and how a device string finds one.
 *
 * `kind:address,key=value,...`: where kind is a transport (pci, qemu, ...), the device's ids choose
 * the driver; otherwise kind is the driver's own name (null, pcap, ...). pmd/meson.build generates
 * the table of drivers; a program adds its own with plx_driver_add().
 *
 * An option belongs to the transport, the driver or the class of devices (ports have their own);
 * one that nobody knows is refused with the list of those that exist.
 */
#ifndef PLX_DEV_H
#define PLX_DEV_H

#include "plx_opt.h"
#include "plx_pci.h"

PLX_BEGIN_DECLS

enum plx_dev_class { PLX_DEV_ETH, PLX_DEV_BLK };

/** A driver, const. */
struct plx_driver {
	const char *name; /**< lower case: "e1000" */
	const char *help; /**< one line for lists of drivers, with its device string */
	enum plx_dev_class cls;
	const struct plx_pci_id *ids; /**< devices it drives; NULL: chosen by name */
	const void *ops;              /**< of the class: struct plx_eth_ops, ... */
};

/** The drivers that were built in, ended by NULL; generated. */
extern const struct plx_driver *const plx_driver_table[];

/** A device that was matched with a driver. */
struct plx_dev {
	struct plx_ctx *ctx;
	const struct plx_driver *driver;
	struct plx_opts *opts;       /**< for plx_opts_apply() */
	struct plx_pci_dev *pci;     /**< NULL for a driver without PCI */
	const struct plx_pci_id *id; /**< the row that matched, or NULL */
	const char *text;            /**< the string it was opened with */
};

/**
 * Parses text, opens the transport if there is one and finds the driver. Does not touch the
 * device beyond its configuration space.
 * @return 0, -EINVAL (syntax), -ENOENT (no such driver or transport: lists them), -ENODEV (no driver
 *   for this device: names its ids), -ENOTBLK/-EPROTOTYPE (a driver of another class), or the
 *   transport's error.
 */
PLX_API
int plx_dev_open(
	struct plx_ctx *ctx, const char *text, enum plx_dev_class cls, struct plx_dev **dev);
/** Closes it, and its transport's device. NULL is allowed. */
PLX_API
void plx_dev_close(struct plx_dev *dev);

/** Adds a driver to a context; it must outlive it. -EEXIST when the name is taken. */
PLX_API
int plx_driver_add(struct plx_ctx *ctx, const struct plx_driver *driver);

/** Drivers there are, built in and added: calls fn for each until it returns non-zero. */
PLX_API
int plx_driver_each(
	struct plx_ctx *ctx, int (*fn)(void *arg, const struct plx_driver *driver), void *arg);

PLX_END_DECLS

#endif
