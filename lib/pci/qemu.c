/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport `qemu:`: one device model of a QEMU, over its qtest socket (qemu.h). */
#define PLX_LOG_TAG "qemu"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "qemu.h"

/* A device that left is noticed within this time. */
#define VENDOR_LOOK_NS 10000000u

struct qemu_dev {
	struct qemu_conn *c;
	struct qemu_claim claim; /* that this device is open */
	uint32_t port;           /* slot of its root port, or QEMU_NO_PORT */
	uint32_t bus, slot, func;
	uint64_t next_look_ns; /* rate limit of the question whether it is still there */
	struct {
		uint64_t addr, len;
		bool io;
	} bars[PLX_PCI_BARS];
};

static const struct plx_opt_def opt_defs[] = {
	{.key = "slot",
		.type = PLX_OPT_U32,
		.offset = offsetof(struct qemu_opts, slot),
		.max = 31,
		.help = "device number on its bus"},
	{.key = "func",
		.type = PLX_OPT_U32,
		.offset = offsetof(struct qemu_opts, func),
		.max = 7,
		.help = "function of the device"},
	{.key = "port",
		.type = PLX_OPT_U32,
		.offset = offsetof(struct qemu_opts, port),
		.max = 31,
		.help = "device number of the root port that the device is behind"},
	{.key = "ram",
		.type = PLX_OPT_STR,
		.offset = offsetof(struct qemu_opts, ram),
		.help = "the file that is the machine's RAM: memory is cut from it"},
	{.key = "qmp",
		.type = PLX_OPT_STR,
		.offset = offsetof(struct qemu_opts, qmp),
		.help = "QMP socket: memory is attached to the running machine"},
	{.key = "limit",
		.type = PLX_OPT_TIME,
		.offset = offsetof(struct qemu_opts, limit_ns),
		.min = 1000000,
		.max = 600000000000u,
		.help = "longest wait for an answer"},
};

/* ---- configuration space and registers ---- */

static int qemu_dev_cfg_read(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t *v)
{
	struct qemu_dev *d = dev->priv;

	return qemu_cfg_read(d->c, qemu_ecam(d->bus, d->slot, d->func, off), width, v);
}

static int qemu_dev_cfg_write(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v)
{
	struct qemu_dev *d = dev->priv;

	return qtest_write(d->c->q, qemu_ecam(d->bus, d->slot, d->func, off), width, v);
}

static int qemu_region_info(struct plx_pci_dev *dev, uint32_t region, struct plx_pci_region *info)
{
	struct qemu_dev *d = dev->priv;

	if (region == PLX_PCI_REGION_CFG)
		info->len = PCI_CFG_SIZE;
	if (region < PLX_PCI_BARS) {
		info->len = d->bars[region].len;
		info->io = d->bars[region].io;
	}
	return 0;
}

static uint64_t qemu_reg_read(struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width)
{
	struct qemu_dev *d = dev->priv;
	uint64_t v;

	return qtest_read(d->c->q, d->bars[bar].addr + off, width, &v) < 0 ? UINT64_MAX : v;
}

static void qemu_reg_write(
	struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width, uint64_t v)
{
	struct qemu_dev *d = dev->priv;

	(void)qtest_write(d->c->q, d->bars[bar].addr + off, width, v);
}

/*
 * A device that was pulled out reads all ones in configuration space (and 0 in its BARs). After a
 * reset of the whole machine ECAM is off, and the same read gives 0.
 */
static bool qemu_gone(struct plx_pci_dev *dev)
{
	struct qemu_dev *d = dev->priv;
	uint64_t now = plx_clock_ns();
	uint32_t v;

	if (qtest_dead(d->c->q))
		return true;
	if (dev->vendor == 0 || now < PLX_READ_ONCE(d->next_look_ns))
		return false;
	PLX_WRITE_ONCE(d->next_look_ns, now + VENDOR_LOOK_NS);
	return qemu_dev_cfg_read(dev, PCI_VENDOR, 2, &v) < 0 || v != dev->vendor;
}

/* ---- BARs ---- */

/*
 * Size of the BAR by writing all ones (PCI Local Bus 3.0, 6.2.5.1), with decoding off. *two: it
 * has 64 bits, and takes the next register too.
 */
static int bar_size(struct plx_pci_dev *dev, uint32_t i, bool *two)
{
	struct qemu_dev *d = dev->priv;
	uint32_t lo, hi = UINT32_MAX;
	uint64_t mask;
	int err = qemu_dev_cfg_write(dev, PCI_BAR0 + 4 * i, 4, UINT32_MAX);

	if (err == 0)
		err = qemu_dev_cfg_read(dev, PCI_BAR0 + 4 * i, 4, &lo);
	if (err < 0)
		return err;
	*two = (lo & PCI_BAR_IO) == 0 && (lo & PCI_BAR_TYPE) == PCI_BAR_64;
	if (*two && i + 1 < PLX_PCI_BARS) {
		err = qemu_dev_cfg_write(dev, PCI_BAR0 + 4 * (i + 1), 4, UINT32_MAX);
		if (err == 0)
			err = qemu_dev_cfg_read(dev, PCI_BAR0 + 4 * (i + 1), 4, &hi);
		if (err < 0)
			return err;
	}
	d->bars[i].io = (lo & PCI_BAR_IO) != 0;
	mask = (uint64_t)hi << 32 | (lo & ~(d->bars[i].io ? 3u : 15u));
	if (d->bars[i].io && (lo >> 16) == 0 && (lo & 0xfffc) != 0)
		mask |= 0xffff0000; /* a device may leave out the upper 16 bits of I/O space */
	d->bars[i].len = (uint32_t)mask == 0 && !*two ? 0 : ~mask + 1;
	if (d->bars[i].len != 0 && !plx_is_pow2_u64(d->bars[i].len))
		return plx_err(EIO, "%s: BAR %u reads 0x%08x%08x after writing all ones", dev->name,
			i, hi, lo);
	return 0;
}

static int place_bar(struct plx_pci_dev *dev, uint32_t i, bool two)
{
	struct qemu_dev *d = dev->priv;
	struct qemu_space *space =
		d->port == QEMU_NO_PORT ? &d->c->space : &d->c->ports[d->port].space;
	uint64_t addr = 0;
	int err = 0;

	if (d->bars[i].len != 0 && !d->bars[i].io)
		err = qemu_space_get(space, d->bars[i].len, d, &addr);
	if (err < 0)
		return plx_err_prefix(err, "%s: BAR %u", dev->name, i);
	d->bars[i].addr = addr;
	err = qemu_dev_cfg_write(dev, PCI_BAR0 + 4 * i, 4, (uint32_t)addr);
	if (err == 0 && two && i + 1 < PLX_PCI_BARS)
		err = qemu_dev_cfg_write(dev, PCI_BAR0 + 4 * (i + 1), 4, (uint32_t)(addr >> 32));
	return err;
}

static int place_bars(struct plx_pci_dev *dev)
{
	bool two = false;
	int err;

	for (uint32_t i = 0; i < PLX_PCI_BARS; i += two ? 2 : 1) {
		err = bar_size(dev, i, &two);
		if (err == 0)
			err = place_bar(dev, i, two);
		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- open and close ---- */

static int read_opts(struct plx_pci_dev *dev, struct plx_opts *opts, struct qemu_opts *o)
{
	int err = plx_opts_apply(opts, opt_defs, PLX_ARRAY_SIZE(opt_defs), o);

	if (err < 0)
		return err;
	if (plx_opts_address(opts)[0] == '\0')
		return plx_err(EINVAL, "qemu: which QEMU? Its qtest socket comes first: "
				       "qemu:SOCKET,slot=N,ram=FILE");
	if (!plx_opts_has(opts, "slot"))
		return plx_err(EINVAL, "%s: which device? Add slot=N (QMP: query-pci lists them)",
			dev->name);
	if (o->ram != NULL && o->qmp != NULL)
		return plx_err(EINVAL, "%s: ram= and qmp= are two ways to share memory: give one",
			dev->name);
	if (o->ram == NULL && o->qmp == NULL)
		return plx_err(EINVAL,
			"%s: how does the device reach memory? Add ram=FILE (the file that is the "
			"machine's RAM) or qmp=SOCKET",
			dev->name);
	return 0;
}

/* Is there a device with a header that has BARs? Stops it. */
static int find_function(struct plx_pci_dev *dev)
{
	uint32_t id, header, cmd;
	int err = qemu_dev_cfg_read(dev, PCI_VENDOR, 4, &id);

	if (err == 0)
		err = qemu_dev_cfg_read(dev, PCI_HEADER, 1, &header);
	if (err == 0)
		err = qemu_dev_cfg_read(dev, PCI_COMMAND, 2, &cmd);
	if (err < 0)
		return err;
	if (id == UINT32_MAX || id == 0)
		return plx_err(ENODEV,
			"%s: this QEMU has no device there (QMP: query-pci lists them; it says "
			"addr=0x%x on QEMU's command line%s)",
			dev->name, ((struct qemu_dev *)dev->priv)->slot,
			((struct qemu_dev *)dev->priv)->port == QEMU_NO_PORT
				? ", or port= if it is behind a root port"
				: "");
	if ((header & PCI_HEADER_TYPE) == 1)
		return plx_err(ENODEV,
			"%s: that is a bridge; for the device behind it: port=%u,slot=0", dev->name,
			((struct qemu_dev *)dev->priv)->slot);
	if ((header & PCI_HEADER_TYPE) != 0)
		return plx_err(ENODEV, "%s: header type %u is no device's", dev->name,
			header & PCI_HEADER_TYPE);
	return qemu_dev_cfg_write(dev, PCI_COMMAND, 2,
		cmd & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER));
}

/* With the lock. */
static int connect_to(struct plx_pci_dev *dev, const char *path, const struct qemu_opts *o)
{
	struct qemu_dev *d = dev->priv;
	int err = qemu_conn_get(dev->ctx, path, o, &d->c);

	if (err < 0)
		return err;
	dev->domain = &d->c->dom;
	if (o->port != QEMU_NO_PORT) {
		err = qemu_port_get(d->c, o->port, &d->bus);
		if (err < 0)
			return err;
		d->port = o->port;
	}
	/* Before the device is touched: it may be in use. */
	err = qemu_claim_get(d->c, &d->claim, qemu_ecam(d->bus, d->slot, d->func, 0));
	if (err < 0)
		return plx_err_prefix(err, "%s", dev->name);
	err = find_function(dev);
	return err < 0 ? err : place_bars(dev);
}

static int qemu_open(struct plx_pci_dev *dev, struct plx_opts *opts)
{
	struct qemu_opts o = {.port = QEMU_NO_PORT, .limit_ns = 5000000000u};
	const char *path = plx_opts_address(opts);
	struct qemu_dev *d;
	int err = read_opts(dev, opts, &o);

	if (err < 0)
		return err;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return plx_err(ENOMEM, "%s: no memory", dev->name);
	dev->priv = d;
	d->port = QEMU_NO_PORT;
	d->slot = o.slot;
	d->func = o.func;
	if (o.port != QEMU_NO_PORT)
		snprintf(dev->name, sizeof(dev->name), "qemu:%.80s,port=0x%x,slot=0x%x.%u", path,
			o.port, o.slot, o.func);
	else
		snprintf(dev->name, sizeof(dev->name), "qemu:%.80s,slot=0x%x.%u", path, o.slot,
			o.func);
	err = qemu_lock(dev->ctx);
	if (err < 0)
		return err;
	err = connect_to(dev, path, &o);
	qemu_unlock(dev->ctx);
	return err;
}

static void qemu_close(struct plx_pci_dev *dev)
{
	struct qemu_dev *d = dev->priv;

	if (d == NULL)
		return;
	if (d->c != NULL && qemu_lock(dev->ctx) == 0) {
		/* Its addresses will be another's. */
		if (d->claim.ecam != 0 && dev->vendor != 0 && !qemu_gone(dev))
			(void)qemu_dev_cfg_write(dev, PCI_COMMAND, 2, 0);
		if (d->port == QEMU_NO_PORT)
			qemu_space_put(&d->c->space, d);
		else
			qemu_space_put(&d->c->ports[d->port].space, d);
		qemu_claim_put(d->c, &d->claim);
		if (d->port != QEMU_NO_PORT)
			qemu_port_put(d->c, d->port);
		qemu_conn_put(d->c);
		qemu_unlock(dev->ctx);
	}
	dev->domain = NULL;
	dev->priv = NULL;
	free(d);
}

const struct plx_pci_transport plx_pci_qemu = {
	.kind = "qemu",
	.help = "qemu:SOCKET,slot=N[,func=N][,port=N],ram=FILE|qmp=SOCKET[,limit=5s]",
	.open = qemu_open,
	.close = qemu_close,
	.cfg_read = qemu_dev_cfg_read,
	.cfg_write = qemu_dev_cfg_write,
	.region_info = qemu_region_info,
	.reg_read = qemu_reg_read,
	.reg_write = qemu_reg_write,
	.gone = qemu_gone,
};
