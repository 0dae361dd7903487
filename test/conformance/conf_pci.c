/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two devices of this machine on one wire, bound to vfio-pci, given by the environment:
 * PLX_TEST_PCI="pci:0000:00:10.0 pci:0000:00:11.0", and PLX_TEST_PCI_NO_RSS=WHY. Root also tries the removal of the first one, which
 * comes back by a rescan of the bus.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"

#define SYS_PCI "/sys/bus/pci"

struct removal {
	char bdf[64];
	pthread_t thread;
	bool running;
};

/* Whether all of text was written to a file of sysfs. */
static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

const char *conf_begin(struct conf *c, struct plx_ctx *ctx)
{
	const char *names = getenv("PLX_TEST_PCI");

	(void)ctx;
	if (names == NULL || sscanf(names, "%1023s %1023s", c->dev, c->peer) != 2)
		return "PLX_TEST_PCI names no two devices on one wire (pci:A pci:B)";
	/*
	 * Behind its emulated IOMMU, QEMU's e1000e drops, silently, a frame whose buffer lies in two
	 * pages that are not beside each other in its RAM. (Built with 2 MiB pages.)
	 */
	c->page = 2 << 20;
	c->no_rss = getenv("PLX_TEST_PCI_NO_RSS");
	c->max_len = 9018;
	c->link_ns = UINT64_C(10000000000);
	c->packets = 300;
	c->rounds = 20;
	return NULL;
}

/* The kernel waits in it until the device is closed. */
static void *remove_it(void *arg)
{
	const struct removal *r = arg;
	char path[128];

	snprintf(path, sizeof(path), SYS_PCI "/devices/%s/remove", r->bdf);
	(void)put(path, "1");
	return NULL;
}

bool conf_remove(struct conf *c)
{
	struct removal *r = calloc(1, sizeof(*r));
	char path[128];

	c->priv = r;
	if (r == NULL || sscanf(c->dev, "pci:%63[^,]", r->bdf) != 1)
		return false;
	snprintf(path, sizeof(path), SYS_PCI "/devices/%s/remove", r->bdf);
	if (access(path, W_OK) < 0)
		return false;
	r->running = pthread_create(&r->thread, NULL, remove_it, r) == 0;
	return r->running;
}

/* Brings the device back: nothing of what it was bound to is left. */
static void bring_back(const struct removal *r)
{
	const struct timespec nap = {0, 10000000};
	char path[128];

	(void)put(SYS_PCI "/rescan", "1");
	snprintf(path, sizeof(path), SYS_PCI "/devices/%s/driver_override", r->bdf);
	for (unsigned i = 0; i < 500 && access(path, W_OK) < 0; i++)
		nanosleep(&nap, NULL);
	/* A driver of the kernel's own may have been faster. */
	(void)put(path, "vfio-pci");
	snprintf(path, sizeof(path), SYS_PCI "/devices/%s/driver/unbind", r->bdf);
	(void)put(path, r->bdf);
	(void)put(SYS_PCI "/drivers_probe", r->bdf);
}

void conf_end(struct conf *c)
{
	struct removal *r = c->priv;

	if (r != NULL && r->running) {
		pthread_join(r->thread, NULL);
		bring_back(r);
	}
	free(r);
	c->priv = NULL;
}
