/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of an Intel 82574L (datasheet 317694-024, 10.2.4), each type as an eventfd. Writing ICS
 * raises causes that IMS has unmasked; in MSI-X mode IVAR says which vector a cause has.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lab.h"
#include "plx_pci_transport.h"

enum {
	ICR = 0x00c0,
	ICS = 0x00c8,
	IMS = 0x00d0,
	IMC = 0x00d8,
	IVAR = 0x00e4,
	LSC = 1 << 2,
	RXQ0 = 1 << 20,
	RXQ1 = 1 << 21,
	/* receive queue 0 has vector 0, receive queue 1 vector 1; valid */
	IVAR_OF_QUEUES = 0x8 | 0x9 << 4,
	WAIT_MS = 5000, /* only a lost interrupt takes so long */
	QUIET_MS = 50,
};

static bool fires(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t n = 0;

	if (poll(&p, 1, ms) != 1)
		return false;
	if (read(fd, &n, sizeof(n)) != sizeof(n) || n == 0)
		lab_fail("an eventfd that polls readable has nothing");
	return true;
}

/* Raises a cause; vector i of n must fire, and no other. */
static void raise_cause(struct plx_win *w, uint32_t cause, const int *fds, uint32_t n, uint32_t i)
{
	plx_wr32(w, IMS, cause);
	plx_wr32(w, ICS, cause);
	if (!fires(fds[i], WAIT_MS))
		lab_fail("vector %u does not fire", i);
	for (uint32_t k = 0; k < n; k++)
		if (k != i && fires(fds[k], QUIET_MS))
			lab_fail("vector %u fires instead of %u", k, i);
	plx_wr32(w, IMC, cause);
	(void)plx_rd32(w, ICR); /* clears what it reads */
}

static void masked_cause(struct plx_win *w, uint32_t cause, int fd)
{
	plx_wr32(w, IMC, UINT32_MAX);
	plx_wr32(w, ICS, cause);
	if (fires(fd, QUIET_MS))
		lab_fail("a masked cause fires");
	(void)plx_rd32(w, ICR);
}

static void try_type(
	struct plx_pci_dev *dev, struct plx_win *w, enum plx_irq_type type, const char *name)
{
	uint32_t max = 0, n;
	int fds[2];

	lab_check(dev->t->irq_max(dev, type, &max), "how many vectors");
	if (max == 0) {
		printf("%s: no %s\n", dev->name, name);
		return;
	}
	n = type == PLX_IRQ_MSIX ? 2 : 1;
	for (uint32_t i = 0; i < n; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	plx_wr32(w, IMC, UINT32_MAX);
	(void)plx_rd32(w, ICR);
	lab_check(dev->t->irq_set(dev, type, n, fds), "interrupts on");
	if (type == PLX_IRQ_MSIX) {
		plx_wr32(w, IVAR, IVAR_OF_QUEUES);
		masked_cause(w, RXQ0, fds[0]);
		raise_cause(w, RXQ0, fds, n, 0);
		raise_cause(w, RXQ1, fds, n, 1);
		raise_cause(w, RXQ0, fds, n, 0);
	} else {
		masked_cause(w, LSC, fds[0]);
		raise_cause(w, LSC, fds, n, 0);
	}
	lab_check(dev->t->irq_set(dev, type, 0, NULL), "interrupts off");
	plx_wr32(w, IMS, RXQ0 | LSC);
	plx_wr32(w, ICS, RXQ0 | LSC);
	if (fires(fds[0], QUIET_MS))
		lab_fail("%s fires although it is off", name);
	for (uint32_t i = 0; i < n; i++)
		close(fds[i]);
	printf("%s: %s, %u of %u vectors: ok\n", dev->name, name, n, max);
}

int lab_irq(int argc, char **argv)
{
	struct plx_ctx *ctx;

	lab_check(plx_ctx_open(NULL, &ctx), "context");
	for (int i = 0; i < argc; i++) {
		struct plx_opts *opts;
		struct plx_pci_dev *dev;
		struct plx_win w;

		lab_check(plx_opts_parse(argv[i], &opts), "device string");
		lab_check(plx_pci_open(ctx, opts, &dev), "open");
		lab_check(plx_pci_set_master(dev, true), "bus mastering"); /* an MSI is a write */
		lab_check(plx_pci_win(dev, 0, 0, plx_pci_bar_len(dev, 0), &w), "BAR 0");
		try_type(dev, &w, PLX_IRQ_MSIX, "MSI-X");
		try_type(dev, &w, PLX_IRQ_MSI, "MSI");
		try_type(dev, &w, PLX_IRQ_INTX, "INTx");
		plx_pci_win_close(&w);
		plx_pci_close(dev);
		plx_opts_free(opts);
	}
	plx_ctx_close(ctx);
	printf("ok\n");
	return 0;
}
