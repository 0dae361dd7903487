/* SPDX-License-Identifier: BSD-3-Clause */
/* The inlines of plx_mbuf.h as functions, for other languages. */
#include "plx_mbuf.h"

void plx_mbuf_reset_fn(struct plx_mbuf *m)
{
	plx_mbuf_reset(m);
}

bool plx_mbuf_is_plain_fn(const struct plx_mbuf *m, const struct plx_mbuf_pool *pool)
{
	return plx_mbuf_is_plain(m, pool);
}

unsigned plx_mbuf_alloc_bulk_c_fn(struct plx_mempool_cache *cache, struct plx_mbuf **m, unsigned n)
{
	return plx_mbuf_alloc_bulk_c(cache, m, n);
}

uint8_t *plx_mbuf_data_fn(const struct plx_mbuf *m)
{
	return plx_mbuf_data(m);
}

uint64_t plx_mbuf_iova_fn(const struct plx_mbuf *m)
{
	return plx_mbuf_iova(m);
}

uint32_t plx_mbuf_room_fn(const struct plx_mbuf *m)
{
	return plx_mbuf_room(m);
}

uint32_t plx_mbuf_headroom_fn(const struct plx_mbuf *m)
{
	return plx_mbuf_headroom(m);
}

uint32_t plx_mbuf_tailroom_fn(const struct plx_mbuf *m)
{
	return plx_mbuf_tailroom(m);
}

struct plx_mbuf *plx_mbuf_last_fn(struct plx_mbuf *m)
{
	return plx_mbuf_last(m);
}

uint8_t *plx_mbuf_prepend_fn(struct plx_mbuf *m, uint16_t len)
{
	return plx_mbuf_prepend(m, len);
}

uint8_t *plx_mbuf_append_fn(struct plx_mbuf *m, uint16_t len)
{
	return plx_mbuf_append(m, len);
}

int plx_mbuf_adj_fn(struct plx_mbuf *m, uint16_t len)
{
	return plx_mbuf_adj(m, len);
}

int plx_mbuf_trim_fn(struct plx_mbuf *m, uint16_t len)
{
	return plx_mbuf_trim(m, len);
}
