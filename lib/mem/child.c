/* SPDX-License-Identifier: BSD-3-Clause */
/* What is open in a context, and what libraries keep in it. */
#include <stdlib.h>

#include "mem_priv.h"

void plx_ctx_child_add(struct plx_ctx *ctx, struct plx_ctx_child *child,
	void (*close)(struct plx_ctx_child *child))
{
	struct plx_ctx_child *above = NULL, *below;

	child->close = close;
	pthread_mutex_lock(&ctx->lock);
	below = ctx->children;
	while (!child->closes_first && below != NULL && below->closes_first) {
		above = below;
		below = below->prev;
	}
	child->next = above;
	child->prev = below;
	if (below != NULL)
		below->next = child;
	if (above != NULL)
		above->prev = child;
	else
		ctx->children = child;
	pthread_mutex_unlock(&ctx->lock);
}

static void unlink_child(struct plx_ctx *ctx, struct plx_ctx_child *child)
{
	if (child->next != NULL)
		child->next->prev = child->prev;
	else
		ctx->children = child->prev;
	if (child->prev != NULL)
		child->prev->next = child->next;
	child->prev = child->next = NULL;
}

void plx_ctx_child_del(struct plx_ctx *ctx, struct plx_ctx_child *child)
{
	pthread_mutex_lock(&ctx->lock);
	/* Otherwise it is not in the list: plx_ctx_children_close() took it out. */
	if (child->next != NULL || ctx->children == child)
		unlink_child(ctx, child);
	pthread_mutex_unlock(&ctx->lock);
}

/* From the top of the list; one that closes others on its way is fine. */
void plx_ctx_children_close(struct plx_ctx *ctx)
{
	struct plx_ctx_child *child;

	for (;;) {
		pthread_mutex_lock(&ctx->lock);
		child = ctx->children;
		if (child != NULL)
			unlink_child(ctx, child);
		pthread_mutex_unlock(&ctx->lock);
		if (child == NULL)
			return;
		child->close(child);
	}
}

static struct ctx_slot **find_slot(struct plx_ctx *ctx, const void *key)
{
	struct ctx_slot **p = &ctx->slots;

	while (*p != NULL && (*p)->key != key)
		p = &(*p)->next;
	return p;
}

void *plx_ctx_slot(struct plx_ctx *ctx, const void *key)
{
	struct ctx_slot *slot;
	void *data;

	pthread_mutex_lock(&ctx->lock);
	slot = *find_slot(ctx, key);
	data = slot == NULL ? NULL : slot->data;
	pthread_mutex_unlock(&ctx->lock);
	return data;
}

int plx_ctx_slot_set(struct plx_ctx *ctx, const void *key, void *data, void (*free_fn)(void *data))
{
	struct ctx_slot *slot = NULL, *old = NULL, **p;
	int err = 0;

	if (data != NULL) {
		slot = calloc(1, sizeof(*slot));
		if (slot == NULL)
			return plx_err(ENOMEM, "context: no memory for a slot");
		*slot = (struct ctx_slot){NULL, key, data, free_fn};
	}
	pthread_mutex_lock(&ctx->lock);
	p = find_slot(ctx, key);
	if (slot == NULL) {
		old = *p;
		if (old != NULL)
			*p = old->next;
	} else if (*p != NULL) {
		old = slot;
		err = plx_err(EEXIST, "context: the slot is in use");
	} else {
		slot->next = ctx->slots;
		ctx->slots = slot;
	}
	pthread_mutex_unlock(&ctx->lock);
	free(old);
	return err;
}

void *plx_ctx_slot_offer(
	struct plx_ctx *ctx, const void *key, void *data, void (*free_fn)(void *data))
{
	int err = plx_ctx_slot_set(ctx, key, data, free_fn);

	if (err == 0)
		return data;
	free_fn(data);
	return err == -EEXIST ? plx_ctx_slot(ctx, key) : NULL;
}

void plx_ctx_slots_free(struct plx_ctx *ctx)
{
	struct ctx_slot *slot;

	while ((slot = ctx->slots) != NULL) {
		ctx->slots = slot->next;
		if (slot->free_fn != NULL)
			slot->free_fn(slot->data);
		free(slot);
	}
}
