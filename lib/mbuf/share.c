/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets with more than one owner, copies, and memory of the program's own. */
#include "mbuf_ref.h"
#include "plx_log.h"
#include "plx_mbuf.h"

int plx_mbuf_hold(struct plx_mbuf *m)
{
	for (struct plx_mbuf *seg = m; seg != NULL; seg = seg->next) {
		if (mbuf_ref_get(&seg->refcnt))
			continue;
		/* never the last one: the caller keeps its own */
		for (; m != seg; m = m->next)
			(void)mbuf_ref_put(&m->refcnt);
		return plx_err(EOVERFLOW, "mbuf hold: a segment has %u owners already", UINT16_MAX);
	}
	return 0;
}

/* All that RX and TX know of a packet but its lengths and segments. */
static void copy_metadata(struct plx_mbuf *to, const struct plx_mbuf *from)
{
	to->flags = from->flags;
	to->ptype = from->ptype;
	to->vlan = from->vlan;
	to->hash_mark = from->hash_mark;
	to->timestamp = from->timestamp;
	to->vlan_outer = from->vlan_outer;
	to->wire_len = from->wire_len;
}

/* Copies seg's bytes to the end of the packet whose last segment is *last, adding segments. */
static int append_copy(struct plx_mbuf *head, struct plx_mbuf **last, const struct plx_mbuf *seg)
{
	const uint8_t *from = plx_mbuf_data(seg);
	uint32_t left = seg->data_len;

	while (left > 0) {
		uint32_t part = PLX_MIN(left, plx_mbuf_tailroom(*last));

		if (part == 0) {
			struct plx_mbuf *more = plx_mbuf_alloc(head->pool);

			if (more == NULL)
				return -ENOMEM;
			(*last)->next = more;
			*last = more;
			head->nsegs++;
			continue;
		}
		memcpy(plx_mbuf_data(*last) + (*last)->data_len, from, part);
		(*last)->data_len = (uint16_t)((*last)->data_len + part);
		head->pkt_len += part;
		from += part;
		left -= part;
	}
	return 0;
}

struct plx_mbuf *plx_mbuf_copy(const struct plx_mbuf *m, struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *head, *last;

	if (pool->room == 0) {
		plx_err(EINVAL, "mbuf copy: pool %s has no rooms; clone, or copy into another pool",
			pool->mp.name);
		return NULL;
	}
	head = plx_mbuf_alloc(pool);
	if (head == NULL)
		return NULL;
	copy_metadata(head, m);
	last = head;
	for (; m != NULL; m = m->next)
		if (append_copy(head, &last, m) != 0) {
			plx_mbuf_free(head);
			return NULL;
		}
	return head;
}

/* A header from pool that shares the room of one segment. */
static struct plx_mbuf *share(struct plx_mbuf *m, struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *direct = m->kind == PLX_MBUF_INDIRECT ? m->direct : m;
	struct plx_mbuf *clone = plx_mbuf_alloc(pool);

	if (clone == NULL)
		return NULL;
	if (!mbuf_ref_get(&direct->refcnt)) {
		plx_err(EOVERFLOW, "mbuf clone: the room has %u owners already", UINT16_MAX);
		plx_mbuf_free(clone);
		return NULL;
	}
	clone->buf = m->buf;
	clone->buf_iova = m->buf_iova;
	clone->ext_room = (uint16_t)plx_mbuf_room(m);
	clone->kind = PLX_MBUF_INDIRECT;
	clone->direct = direct;
	clone->data_off = m->data_off;
	clone->data_len = m->data_len;
	return clone;
}

struct plx_mbuf *plx_mbuf_clone(struct plx_mbuf *m, struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *head = NULL, **link = &head;

	for (struct plx_mbuf *seg = m; seg != NULL; seg = seg->next) {
		*link = share(seg, pool);
		if (*link == NULL) {
			plx_mbuf_free(head);
			return NULL;
		}
		link = &(*link)->next;
	}
	copy_metadata(head, m);
	head->pkt_len = m->pkt_len;
	head->nsegs = m->nsegs;
	return head;
}

void plx_mbuf_attach_ext(
	struct plx_mbuf *m, void *buf, uint64_t iova, uint16_t room, struct plx_mbuf_ext *ext)
{
	m->buf = buf;
	m->buf_iova = iova;
	m->ext_room = room;
	m->ext = ext;
	if (ext->reg != NULL)
		plx_memreg_hold(ext->reg);
	m->kind = PLX_MBUF_EXTERNAL;
	m->data_off = 0;
	m->data_len = 0;
	m->pkt_len = 0;
}
