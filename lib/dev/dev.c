/* SPDX-License-Identifier: BSD-3-Clause */
/* From a device string to a driver: by the device's ids behind a transport, or by its own name. */
#define PLX_LOG_TAG "dev"
#include <stdio.h>
#include <stdlib.h>

#include "plx_dev.h"
#include "plx_pci_transport.h"

/* ---- the drivers there are ---- */

static const char items_key; /* its address is the key */

/* The program's own come first: it may replace a driver for a device. */
int plx_driver_each(
	struct plx_ctx *ctx, int (*fn)(void *arg, const struct plx_driver *driver), void *arg)
{
	const struct plx_ctx_item *a = plx_ctx_items(ctx, &items_key);
	int r = 0;

	for (; a != NULL && r == 0; a = a->next)
		r = fn(arg, a->item);
	for (size_t i = 0; plx_driver_table[i] != NULL && r == 0; i++)
		r = fn(arg, plx_driver_table[i]);
	return r;
}

static bool same_name(const void *a, const void *b)
{
	const struct plx_driver *one = a, *other = b;

	return strcmp(one->name, other->name) == 0;
}

int plx_driver_add(struct plx_ctx *ctx, const struct plx_driver *driver)
{
	int err = 0;

	if (driver == NULL || driver->name == NULL || driver->name[0] == '\0' ||
		driver->ops == NULL)
		return plx_err(EINVAL, "a driver lacks a name or operations");
	for (size_t i = 0; plx_driver_table[i] != NULL && err == 0; i++)
		if (same_name(plx_driver_table[i], driver))
			err = -EEXIST;
	if (err == 0)
		err = plx_ctx_item_add(ctx, &items_key, driver, same_name);
	if (err == -EEXIST)
		return plx_err(EEXIST, "there is a driver '%s' already", driver->name);
	return err < 0 ? plx_err_prefix(err, "driver '%s'", driver->name) : 0;
}

/* ---- finding one ---- */

#define NAMES_MAX 64

struct search {
	struct plx_dev *dev;
	const char *kind;
	const char *names[NAMES_MAX]; /* of drivers and transports, for "did you mean" */
	size_t n;
	char list[256]; /* the same as text */
	size_t len;
};

static void remember(struct search *s, const char *name)
{
	if (s->n < NAMES_MAX)
		s->names[s->n++] = name;
	if (s->len < sizeof(s->list))
		s->len += (size_t)snprintf(s->list + s->len, sizeof(s->list) - s->len, " %s", name);
}

static int by_name(void *arg, const struct plx_driver *driver)
{
	struct search *s = arg;

	if (strcmp(driver->name, s->kind) == 0) {
		s->dev->driver = driver;
		return 1;
	}
	if (driver->ids == NULL)
		remember(s, driver->name);
	return 0;
}

static int transport_by_kind(void *arg, const struct plx_pci_transport *t)
{
	struct search *s = arg;

	if (strcmp(t->kind, s->kind) == 0)
		return 1;
	remember(s, t->kind);
	return 0;
}

static bool id_is(uint16_t want, uint16_t is)
{
	return want == PLX_PCI_ANY || want == is;
}

static int by_ids(void *arg, const struct plx_driver *driver)
{
	struct search *s = arg;
	const struct plx_pci_dev *pci = s->dev->pci;
	const struct plx_pci_id *id = driver->ids;

	for (; id != NULL && (id->vendor != 0 || id->device != 0); id++) {
		if (!id_is(id->vendor, pci->vendor) || !id_is(id->device, pci->device) ||
			!id_is(id->subvendor, pci->subvendor) ||
			!id_is(id->subdevice, pci->subdevice))
			continue;
		s->dev->driver = driver;
		s->dev->id = id;
		return 1;
	}
	if (driver->ids != NULL)
		remember(s, driver->name);
	return 0;
}

static int open_pci(struct plx_dev *dev)
{
	struct search s = {.dev = dev};
	int err = plx_pci_open(dev->ctx, dev->opts, &dev->pci);

	if (err < 0)
		return err;
	if (plx_driver_each(dev->ctx, by_ids, &s) != 0)
		return 0;
	return plx_err(ENODEV,
		"%s: no driver for device %04x:%04x (subsystem %04x:%04x); drivers of PCI devices "
		"here:%s",
		dev->pci->name, dev->pci->vendor, dev->pci->device, dev->pci->subvendor,
		dev->pci->subdevice, s.len != 0 ? s.list : " none");
}

static int find(struct plx_dev *dev)
{
	struct search s = {.dev = dev, .kind = plx_opts_kind(dev->opts)};
	const char *near;

	if (plx_pci_transport_each(dev->ctx, transport_by_kind, &s) != 0)
		return open_pci(dev);
	if (plx_driver_each(dev->ctx, by_name, &s) != 0) {
		if (dev->driver->ids == NULL)
			return 0;
		return plx_err(ENOENT,
			"%s: '%s' is a driver of PCI devices and chosen by their ids: name where "
			"the device is, as in %s",
			dev->text, s.kind, dev->driver->help);
	}
	near = plx_opt_nearest(s.kind, s.names, s.n);
	if (near != NULL)
		return plx_err(ENOENT,
			"%s: no driver or transport '%s', did you mean '%s'? There are:%s",
			dev->text, s.kind, near, s.list);
	return plx_err(
		ENOENT, "%s: no driver or transport '%s'; there are:%s", dev->text, s.kind, s.list);
}

static int check_class(const struct plx_dev *dev, enum plx_dev_class cls)
{
	if (dev->driver->cls == cls)
		return 0;
	if (cls == PLX_DEV_BLK)
		return plx_err(ENOTBLK, "%s: driver '%s' drives a network port, not a block device",
			dev->text, dev->driver->name);
	return plx_err(EPROTOTYPE, "%s: driver '%s' drives a block device, not a network port",
		dev->text, dev->driver->name);
}

int plx_dev_open(
	struct plx_ctx *ctx, const char *text, enum plx_dev_class cls, struct plx_dev **out)
{
	struct plx_dev *dev;
	int err;

	*out = NULL;
	dev = calloc(1, sizeof(*dev));
	if (dev == NULL)
		return plx_err(ENOMEM, "%s: no memory", text != NULL ? text : "device");
	dev->ctx = ctx;
	err = plx_opts_parse(text, &dev->opts);
	if (err == 0) {
		dev->text = plx_opts_text(dev->opts);
		err = find(dev);
	}
	if (err == 0)
		err = check_class(dev, cls);
	if (err < 0) {
		plx_dev_close(dev);
		return err;
	}
	plx_logf(plx_ctx_log(ctx), PLX_LOG_INFO, "%s: driver %s", dev->text, dev->driver->name);
	*out = dev;
	return 0;
}

void plx_dev_close(struct plx_dev *dev)
{
	if (dev == NULL)
		return;
	plx_pci_close(dev->pci);
	plx_opts_free(dev->opts);
	free(dev);
}
