/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program adds to a context for as long as it is open: drivers, transports. */
#include <stdlib.h>

#include "mem_priv.h"

struct items {
	pthread_mutex_t lock;
	struct plx_ctx_item *first;
};

static void items_free(void *data)
{
	struct items *list = data;
	struct plx_ctx_item *i;

	while ((i = list->first) != NULL) {
		list->first = i->next;
		free(i);
	}
	pthread_mutex_destroy(&list->lock);
	free(list);
}

static int items_get(struct plx_ctx *ctx, const void *key, struct items **out)
{
	struct items *list;

	*out = plx_ctx_slot(ctx, key);
	if (*out != NULL)
		return 0;
	list = calloc(1, sizeof(*list));
	if (list == NULL)
		return plx_err(ENOMEM, "no memory");
	pthread_mutex_init(&list->lock, NULL);
	*out = plx_ctx_slot_offer(ctx, key, list, items_free);
	return *out != NULL ? 0 : -ENOMEM;
}

int plx_ctx_item_add(struct plx_ctx *ctx, const void *key, const void *item,
	bool (*same)(const void *a, const void *b))
{
	struct plx_ctx_item *new = calloc(1, sizeof(*new)), *i;
	struct items *list;
	int err;

	if (new == NULL)
		return plx_err(ENOMEM, "no memory");
	err = items_get(ctx, key, &list);
	if (err < 0) {
		free(new);
		return err;
	}
	new->item = item;
	pthread_mutex_lock(&list->lock);
	for (i = list->first; i != NULL && !same(i->item, item);)
		i = i->next;
	if (i == NULL) {
		new->next = list->first;
		list->first = new;
	}
	pthread_mutex_unlock(&list->lock);
	if (i == NULL)
		return 0;
	free(new);
	return plx_err(EEXIST, "it has been added already");
}

const struct plx_ctx_item *plx_ctx_items(struct plx_ctx *ctx, const void *key)
{
	struct items *list = plx_ctx_slot(ctx, key);
	const struct plx_ctx_item *first;

	if (list == NULL)
		return NULL;
	pthread_mutex_lock(&list->lock);
	first = list->first;
	pthread_mutex_unlock(&list->lock);
	return first;
}
