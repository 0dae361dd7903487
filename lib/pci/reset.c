/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reset of a function: the transport's, else function level reset, else a power cycle, else one
 * of the bus that it is behind, if the transport can and nobody else is there. What a reset did is not
 * believed: the BARs are the canary. Each of these resets clears them, so one that reads as before
 * shows that the device did nothing.
 */
#define PLX_LOG_TAG "pci"
#include "pci_internal.h"

#define MS 1000000u

/* What configuration space holds that the device needs afterwards. */
struct saved {
	uint32_t bar[PLX_PCI_BARS];
	uint32_t command, line;
};

static void save(struct plx_pci_dev *dev, struct saved *s)
{
	for (uint32_t i = 0; i < PLX_PCI_BARS; i++)
		s->bar[i] = plx_pci_cfg_read(dev, PCI_BAR0 + 4 * i, 4);
	s->command = plx_pci_cfg_read(dev, PCI_COMMAND, 2);
	s->line = plx_pci_cfg_read(dev, PCI_INTERRUPT_LINE, 1);
}

static void restore(struct plx_pci_dev *dev, const struct saved *s)
{
	for (uint32_t i = 0; i < PLX_PCI_BARS; i++)
		plx_pci_cfg_write(dev, PCI_BAR0 + 4 * i, 4, s->bar[i]);
	plx_pci_cfg_write(dev, PCI_INTERRUPT_LINE, 1, s->line);
	plx_pci_cfg_write(dev, PCI_COMMAND, 2, s->command & ~(uint32_t)PCI_COMMAND_MASTER);
}

/* Is every BAR as it was? Address bits only: the low four say what kind of BAR it is. */
static bool unchanged(struct plx_pci_dev *dev, const struct saved *s)
{
	bool any = false; /* without an address there is no canary */

	for (uint32_t i = 0; i < PLX_PCI_BARS; i++) {
		if (((plx_pci_cfg_read(dev, PCI_BAR0 + 4 * i, 4) ^ s->bar[i]) & ~15u) != 0)
			return false;
		any = any || (s->bar[i] & ~15u) != 0;
	}
	return any;
}

/* The device answers configuration reads again, within the 1 s that PCI Express 3.0, 6.6.2 gives. */
static int back(struct plx_pci_dev *dev, const char *how)
{
	uint32_t v = 0xffff;

	for (unsigned ms = 0; ms < 1000; ms += 10) {
		if (dev->t->cfg_read(dev, PCI_VENDOR, 2, &v) < 0)
			break;
		if ((v & 0xffff) == dev->vendor)
			return 0;
		plx_pci_delay(dev, 10 * MS);
	}
	plx_pci_set_gone(dev);
	return plx_err(ENODEV, "%s: %s: the device did not come back", dev->name, how);
}

static int finish(struct plx_pci_dev *dev, const struct saved *s, const char *how)
{
	int err = back(dev, how);
	bool same;

	if (err < 0)
		return err;
	same = unchanged(dev, s);
	restore(dev, s);
	if (same)
		return plx_err(EIO, "%s: %s: the device did not reset: its BARs kept their value",
			dev->name, how);
	plx_logf(plx_ctx_log(dev->ctx), PLX_LOG_INFO, "%s: reset by %s", dev->name, how);
	return 0;
}

static int flr_express(struct plx_pci_dev *dev, const struct saved *s)
{
	uint32_t cap = plx_pci_cap(dev, PCI_CAP_EXP), ctl;

	if (cap == 0 || cap > PCI_CFG_STD - 12)
		return -ENOTSUP;
	if ((plx_pci_cfg_read(dev, cap + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR) == 0)
		return -ENOTSUP;
	ctl = plx_pci_cfg_read(dev, cap + PCI_EXP_DEVCTL, 2);
	plx_pci_cfg_write(dev, cap + PCI_EXP_DEVCTL, 2, ctl | PCI_EXP_DEVCTL_FLR);
	plx_pci_delay(dev, 100 * MS); /* PCI Express 3.0, 6.6.2 */
	return finish(dev, s, "function level reset");
}

static int flr_conventional(struct plx_pci_dev *dev, const struct saved *s)
{
	uint32_t cap = plx_pci_cap(dev, PCI_CAP_AF), has;

	if (cap == 0 || cap > PCI_CFG_STD - 6)
		return -ENOTSUP;
	has = plx_pci_cfg_read(dev, cap + PCI_AF_CAP, 1);
	if ((has & (PCI_AF_CAP_TP | PCI_AF_CAP_FLR)) != (PCI_AF_CAP_TP | PCI_AF_CAP_FLR))
		return -ENOTSUP;
	plx_pci_cfg_write(dev, cap + PCI_AF_CTRL, 1, 1);
	plx_pci_delay(dev, 100 * MS);
	return finish(dev, s, "function level reset");
}

static int power_cycle(struct plx_pci_dev *dev, const struct saved *s)
{
	uint32_t cap = plx_pci_cap(dev, PCI_CAP_PM), csr;

	if (cap == 0 || cap > PCI_CFG_STD - 8)
		return -ENOTSUP;
	csr = plx_pci_cfg_read(dev, cap + PCI_PM_CSR, 2);
	if ((csr & PCI_PM_NO_SOFT_RESET) != 0)
		return -ENOTSUP;
	plx_pci_cfg_write(dev, cap + PCI_PM_CSR, 2, csr | PCI_PM_STATE);
	plx_pci_delay(dev, 10 * MS); /* both ways: PCI Power Management 1.2, 5.6.1 */
	plx_pci_cfg_write(dev, cap + PCI_PM_CSR, 2, csr & ~(uint32_t)PCI_PM_STATE);
	plx_pci_delay(dev, 10 * MS);
	return finish(dev, s, "power cycle");
}

/* The resets that configuration space offers. -ENOTSUP: none. */
static int by_config(struct plx_pci_dev *dev)
{
	static int (*const ladder[])(struct plx_pci_dev *, const struct saved *) = {
		flr_express,
		flr_conventional,
		power_cycle,
	};
	int err = -ENOTSUP, kept = -ENOTSUP;
	struct saved s;

	save(dev, &s);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(ladder); i++) {
		err = ladder[i](dev, &s);
		if (err == 0 || err == -ENODEV)
			return err;
		if (err == -EIO)
			kept = err; /* with the message of the last that was tried */
	}
	return kept;
}

int plx_pci_reset(struct plx_pci_dev *dev)
{
	int err, bus = -ENOTSUP;

	if (plx_pci_gone(dev))
		return plx_err(ENODEV, "%s: reset: the device is gone", dev->name);
	/* No DMA while it happens, nor when nothing happened. */
	err = plx_pci_set_master(dev, false);
	if (err < 0)
		return err;
	err = dev->t->reset != NULL ? dev->t->reset(dev) : -ENOTSUP;
	if (err == -ENOTSUP)
		err = by_config(dev);
	if ((err == -ENOTSUP || err == -EIO) && dev->t->bus_reset != NULL)
		bus = dev->t->bus_reset(dev);
	if (bus != -ENOTSUP)
		err = bus;
	if (err == 0)
		return pci_prepare(dev);
	if (err != -ENOTSUP)
		return err;
	return plx_err(ENOTSUP,
		"%s: the device has neither function level reset nor a power cycle that resets: use "
		"its own reset register",
		dev->name);
}
