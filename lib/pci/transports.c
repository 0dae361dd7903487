/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of transports: those built in, and those added to a context. */
#include <stdio.h>

#include "pci_internal.h"

static const struct plx_pci_transport *const built_in[] = {
	&plx_pci_vfio,
	&plx_pci_qemu,
	&plx_pci_vfio_user,
	NULL,
};

static const char items_key; /* its address is the key */

int plx_pci_transport_each(
	struct plx_ctx *ctx, int (*fn)(void *arg, const struct plx_pci_transport *t), void *arg)
{
	const struct plx_ctx_item *a = plx_ctx_items(ctx, &items_key);
	int r = 0;

	for (size_t i = 0; built_in[i] != NULL && r == 0; i++)
		r = fn(arg, built_in[i]);
	for (; a != NULL && r == 0; a = a->next)
		r = fn(arg, a->item);
	return r;
}

struct search {
	const char *kind;
	const struct plx_pci_transport *t;
	char known[256]; /* all kinds, for the message */
	size_t n;
};

static int look(void *arg, const struct plx_pci_transport *t)
{
	struct search *s = arg;

	if (strcmp(t->kind, s->kind) == 0) {
		s->t = t;
		return 1;
	}
	if (s->n < sizeof(s->known))
		s->n += (size_t)snprintf(s->known + s->n, sizeof(s->known) - s->n, " %s", t->kind);
	return 0;
}

const struct plx_pci_transport *plx_pci_transport_find(struct plx_ctx *ctx, const char *kind)
{
	struct search s = {.kind = kind};

	if (plx_pci_transport_each(ctx, look, &s) == 0)
		plx_err(ENOENT, "no transport '%s' to PCI devices; there are:%s", kind, s.known);
	return s.t;
}

static bool same_kind(const void *a, const void *b)
{
	const struct plx_pci_transport *one = a, *other = b;

	return strcmp(one->kind, other->kind) == 0;
}

int plx_pci_transport_add(struct plx_ctx *ctx, const struct plx_pci_transport *t)
{
	int err = 0;

	if (t == NULL || t->kind == NULL || t->open == NULL || t->close == NULL ||
		t->cfg_read == NULL || t->cfg_write == NULL || t->region_info == NULL ||
		t->reg_read == NULL || t->reg_write == NULL)
		return plx_err(EINVAL, "a transport to PCI devices lacks an operation");
	for (size_t i = 0; built_in[i] != NULL && err == 0; i++)
		if (same_kind(built_in[i], t))
			err = -EEXIST;
	if (err == 0)
		err = plx_ctx_item_add(ctx, &items_key, t, same_kind);
	if (err == -EEXIST)
		return plx_err(EEXIST, "there is a transport '%s' to PCI devices already", t->kind);
	return err < 0 ? plx_err_prefix(err, "transport '%s'", t->kind) : 0;
}
