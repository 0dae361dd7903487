/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of transports: those built in, and those added to a context. */
#include <stdio.h>
#include <stdlib.h>

#include "pci_internal.h"

static const struct plx_pci_transport *const built_in[] = {
	&plx_pci_vfio,
	&plx_pci_qemu,
	&plx_pci_vfio_user,
	NULL,
};

struct added {
	struct added *next;
	const struct plx_pci_transport *t;
};

struct added_list {
	struct added *first;
};

static const char slot_key; /* its address is the key */

static void added_free(void *data)
{
	struct added_list *list = data;
	struct added *a;

	while ((a = list->first) != NULL) {
		list->first = a->next;
		free(a);
	}
	free(list);
}

int plx_pci_transport_each(
	struct plx_ctx *ctx, int (*fn)(void *arg, const struct plx_pci_transport *t), void *arg)
{
	struct added_list *list = plx_ctx_slot(ctx, &slot_key);
	int r = 0;

	for (size_t i = 0; built_in[i] != NULL && r == 0; i++)
		r = fn(arg, built_in[i]);
	for (struct added *a = list != NULL ? list->first : NULL; a != NULL && r == 0; a = a->next)
		r = fn(arg, a->t);
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

int plx_pci_transport_add(struct plx_ctx *ctx, const struct plx_pci_transport *t)
{
	struct added_list *list = plx_ctx_slot(ctx, &slot_key);
	struct search s = {.kind = NULL};
	struct added *a;
	int err;

	if (t == NULL || t->kind == NULL || t->open == NULL || t->close == NULL ||
		t->cfg_read == NULL || t->cfg_write == NULL || t->region_info == NULL ||
		t->reg_read == NULL || t->reg_write == NULL)
		return plx_err(EINVAL, "a transport to PCI devices lacks an operation");
	s.kind = t->kind;
	if (plx_pci_transport_each(ctx, look, &s) != 0)
		return plx_err(EEXIST, "there is a transport '%s' to PCI devices already", t->kind);
	if (list == NULL) {
		list = calloc(1, sizeof(*list));
		if (list == NULL)
			return plx_err(ENOMEM, "transport '%s': no memory", t->kind);
		err = plx_ctx_slot_set(ctx, &slot_key, list, added_free);
		if (err < 0) {
			free(list);
			return err;
		}
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return plx_err(ENOMEM, "transport '%s': no memory", t->kind);
	a->t = t;
	a->next = list->first;
	list->first = a;
	return 0;
}
