/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI device: open and close, configuration space, capabilities, bus mastering, gone or not. */
#define PLX_LOG_TAG "pci"
#include <stdio.h>
#include <stdlib.h>

#include "pci_internal.h"

/* ---- configuration space ---- */

static bool cfg_ok(uint32_t off, unsigned width)
{
	return (width == 1 || width == 2 || width == 4) && off % width == 0 &&
	       off <= PCI_CFG_SIZE - width;
}

/* As plx_pci_cfg_read(), with an error. */
static int cfg_get(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t *v)
{
	int err;

	*v = (uint32_t)pci_ones(width);
	if (!cfg_ok(off, width))
		return plx_err(EINVAL, "%s: configuration space: no %u bytes at 0x%x", dev->name,
			width, off);
	if (PLX_READ_ONCE(dev->gone))
		return plx_err(ENODEV, "%s: the device is gone", dev->name);
	err = dev->t->cfg_read(dev, off, width, v);
	if (err < 0)
		*v = (uint32_t)pci_ones(width);
	*v &= (uint32_t)pci_ones(width);
	return err;
}

static int cfg_set(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v)
{
	if (!cfg_ok(off, width))
		return plx_err(EINVAL, "%s: configuration space: no %u bytes at 0x%x", dev->name,
			width, off);
	if (PLX_READ_ONCE(dev->gone))
		return plx_err(ENODEV, "%s: the device is gone", dev->name);
	return dev->t->cfg_write(dev, off, width, v & (uint32_t)pci_ones(width));
}

uint32_t plx_pci_cfg_read(struct plx_pci_dev *dev, uint32_t off, unsigned width)
{
	uint32_t v;

	(void)cfg_get(dev, off, width, &v);
	return v;
}

void plx_pci_cfg_write(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v)
{
	(void)cfg_set(dev, off, width, v);
}

size_t pci_caps(struct plx_pci_dev *dev, uint8_t id, uint32_t *out, size_t max)
{
	uint64_t seen = 0; /* a bit for every 4 bytes */
	uint32_t at, head;
	size_t found = 0;

	if ((plx_pci_cfg_read(dev, PCI_STATUS, 2) & PCI_STATUS_CAPS) == 0)
		return 0;
	/* The low two bits are reserved: software masks them (PCI Local Bus 3.0, 6.7). */
	at = plx_pci_cfg_read(dev, PCI_CAP_PTR, 1) & ~3u;
	for (unsigned n = 0; n < PCI_CAPS_MAX && found < max; n++) {
		if (at < PCI_CFG_MIN || (seen & plx_bit64(at / 4)) != 0)
			break;
		seen |= plx_bit64(at / 4);
		head = plx_pci_cfg_read(dev, at, 2);
		if (head == 0xffff)
			break;
		if ((head & 0xff) == id)
			out[found++] = at;
		at = head >> 8 & ~3u;
	}
	return found;
}

uint32_t plx_pci_cap(struct plx_pci_dev *dev, uint8_t id)
{
	uint32_t at;

	return pci_caps(dev, id, &at, 1) == 0 ? 0 : at;
}

/* ---- state ---- */

/* Writes bits of the command register and looks whether those of check took. */
static int command(struct plx_pci_dev *dev, uint32_t clear, uint32_t set, uint32_t check)
{
	uint32_t old, now, want;
	int err = cfg_get(dev, PCI_COMMAND, 2, &old);

	if (err < 0)
		return err;
	want = (old & ~clear) | set;
	err = cfg_set(dev, PCI_COMMAND, 2, want);
	if (err == 0)
		err = cfg_get(dev, PCI_COMMAND, 2, &now);
	if (err < 0)
		return err;
	if (now == 0xffff) /* no device says so: reserved bits read as 0 */
		plx_pci_set_gone(dev);
	if (plx_pci_gone(dev))
		return plx_err(ENODEV, "%s: the device is gone", dev->name);
	if (((now ^ want) & check) != 0)
		return plx_err(EIO, "%s: command register is 0x%04x after writing 0x%04x",
			dev->name, now, want);
	return 0;
}

static int to_d0(struct plx_pci_dev *dev)
{
	uint32_t cap = plx_pci_cap(dev, PCI_CAP_PM), csr;
	int err;

	if (cap == 0)
		return 0;
	err = cfg_get(dev, cap + PCI_PM_CSR, 2, &csr);
	if (err < 0 || (csr & PCI_PM_STATE) == 0)
		return err;
	err = cfg_set(dev, cap + PCI_PM_CSR, 2, csr & ~(uint32_t)PCI_PM_STATE);
	if (err < 0)
		return err;
	plx_pci_delay(dev, 10000000); /* D3hot to D0: 10 ms (PCI Power Management 1.2, 5.6.1) */
	err = cfg_get(dev, cap + PCI_PM_CSR, 2, &csr);
	if (err == 0 && (csr & PCI_PM_STATE) != 0)
		err = plx_err(EIO, "%s: stays in power state D%u; reset it or its slot", dev->name,
			csr & PCI_PM_STATE);
	return err;
}

int pci_prepare(struct plx_pci_dev *dev)
{
	int err = to_d0(dev);

	if (err < 0)
		return err;
	dev->master = false;
	/* A virtual function has memory decoding on for good, and its bit reads 0. */
	return command(dev, PCI_COMMAND_MASTER, PCI_COMMAND_MEM, PCI_COMMAND_MASTER);
}

/*
 * A device may have been called gone for one answer that was lost, and still be there, writing to
 * memory that is about to be used for something else.
 */
static void master_off_if_there(struct plx_pci_dev *dev)
{
	uint32_t id = 0, cmd;

	if (dev->t->cfg_read(dev, PCI_VENDOR, 4, &id) < 0 ||
		id != (dev->vendor | (uint32_t)dev->device << 16))
		return;
	if (dev->t->cfg_read(dev, PCI_COMMAND, 2, &cmd) == 0)
		(void)dev->t->cfg_write(
			dev, PCI_COMMAND, 2, cmd & 0xffff & ~(uint32_t)PCI_COMMAND_MASTER);
}

int plx_pci_set_master(struct plx_pci_dev *dev, bool on)
{
	uint32_t bit = PCI_COMMAND_MASTER;
	int err;

	if (!on && PLX_READ_ONCE(dev->gone))
		master_off_if_there(dev);
	err = command(dev, on ? 0 : bit, on ? bit : 0, bit);

	if (err < 0)
		return plx_err_prefix(err, "bus mastering %s", on ? "on" : "off");
	dev->master = on;
	return 0;
}

bool plx_pci_gone(struct plx_pci_dev *dev)
{
	bool gone = PLX_READ_ONCE(dev->gone);
	uint32_t v = 0;

	if (gone)
		return true;
	if (dev->t->gone != NULL)
		gone = dev->t->gone(dev);
	else
		gone = dev->t->cfg_read(dev, PCI_VENDOR, 2, &v) < 0 || v == 0xffff;
	if (gone)
		plx_pci_set_gone(dev);
	return gone;
}

void plx_pci_set_gone(struct plx_pci_dev *dev)
{
	if (!PLX_READ_ONCE(dev->gone))
		plx_logf(plx_ctx_log(dev->ctx), PLX_LOG_WARN, "%s: the device is gone", dev->name);
	PLX_WRITE_ONCE(dev->gone, true);
}

/* ---- open and close ---- */

static int read_ids(struct plx_pci_dev *dev)
{
	uint32_t id, sub;
	int err = cfg_get(dev, PCI_VENDOR, 4, &id);

	if (err == 0)
		err = cfg_get(dev, PCI_SUBVENDOR, 4, &sub);
	if (err < 0)
		return err;
	if ((id & 0xffff) == 0xffff || (id & 0xffff) == 0)
		return plx_err(ENODEV, "%s: there is no device: its vendor id reads 0x%04x",
			dev->name, id & 0xffff);
	dev->vendor = (uint16_t)id;
	dev->device = (uint16_t)(id >> 16);
	dev->subvendor = (uint16_t)sub;
	dev->subdevice = (uint16_t)(sub >> 16);
	return 0;
}

int plx_pci_open(struct plx_ctx *ctx, struct plx_opts *opts, struct plx_pci_dev **out)
{
	const struct plx_pci_transport *t = plx_pci_transport_find(ctx, plx_opts_kind(opts));
	struct plx_pci_dev *dev;
	int err;

	*out = NULL;
	if (t == NULL)
		return -ENOENT; /* the message is there */
	dev = calloc(1, sizeof(*dev));
	if (dev == NULL)
		return plx_err(ENOMEM, "%s: no memory", plx_opts_text(opts));
	dev->ctx = ctx;
	dev->t = t;
	dev->node = -1;
	snprintf(dev->name, sizeof(dev->name), "%s:%s", t->kind, plx_opts_address(opts));
	err = t->open(dev, opts);
	if (err == 0)
		err = read_ids(dev);
	if (err == 0)
		err = pci_prepare(dev);
	if (err < 0) {
		plx_pci_close(dev);
		return err;
	}
	*out = dev;
	return 0;
}

void plx_pci_close(struct plx_pci_dev *dev)
{
	if (dev == NULL)
		return;
	plx_pci_irq_disable(dev);
	/* Also when this program never turned it on: the driver may have by itself. */
	if (dev->vendor != 0 && plx_pci_gone(dev))
		master_off_if_there(dev);
	else if (dev->vendor != 0)
		(void)command(dev, PCI_COMMAND_MASTER, 0, PCI_COMMAND_MASTER);
	dev->t->close(dev);
	free(dev);
}

/* ---- facts ---- */

uint16_t plx_pci_vendor(const struct plx_pci_dev *dev)
{
	return dev->vendor;
}

uint16_t plx_pci_device(const struct plx_pci_dev *dev)
{
	return dev->device;
}

const char *plx_pci_name(const struct plx_pci_dev *dev)
{
	return dev->name;
}

struct plx_ctx *plx_pci_ctx(const struct plx_pci_dev *dev)
{
	return dev->ctx;
}

int plx_pci_node(const struct plx_pci_dev *dev)
{
	return dev->node;
}

struct plx_domain *plx_pci_domain(struct plx_pci_dev *dev)
{
	return dev->domain;
}
