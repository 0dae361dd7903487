/* SPDX-License-Identifier: BSD-3-Clause */
/* What forwarding modes share, beside testpmd.h. */
#ifndef MODES_H
#define MODES_H

#include "testpmd.h"

/* ---- headers are on their way into the cache while the packets before them are worked on ---- */

enum { PREFETCH_AHEAD = 4 };

/*
 * Forced inline, as plx_prefetch() is: gcc takes a function that only prefetches for one that does
 * nothing, and drops its calls.
 */
static PLX_ALWAYS_INLINE void prefetch_first(struct plx_mbuf *const *pkts, uint16_t n)
{
	for (uint16_t i = 0; i < PREFETCH_AHEAD && i < n; i++)
		__builtin_prefetch(plx_mbuf_data(pkts[i]), 1);
}

static PLX_ALWAYS_INLINE void prefetch_next(struct plx_mbuf *const *pkts, uint16_t i, uint16_t n)
{
	if (plx_likely(i + PREFETCH_AHEAD < n))
		__builtin_prefetch(plx_mbuf_data(pkts[i + PREFETCH_AHEAD]), 1);
}

/* The burst of a mode that forwards each packet after one change to it. */
static PLX_ALWAYS_INLINE uint16_t stream_each(
	struct stream *s, void (*change)(struct stream *s, struct plx_mbuf *m))
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = stream_rx(s, pkts);

	prefetch_first(pkts, n);
	for (uint16_t i = 0; i < n; i++) {
		prefetch_next(pkts, i, n);
		change(s, pkts[i]);
	}
	if (n != 0)
		stream_tx(s, pkts, n);
	return n;
}

/* ---- the beginning of a packet in one piece ---- */

/* Headers that modes change lie in so many bytes; what does not is left as it is. */
enum { WINDOW = 256 };

struct window {
	uint8_t *p;
	uint32_t len;
	uint8_t copy[WINDOW];
};

/* fwd.c: of a chain whose first segment is shorter, a copy, which window_close() writes back. */
void window_open_chain(struct window *w, const struct plx_mbuf *m);
void window_close_chain(struct window *w, struct plx_mbuf *m);

static inline void window_open(struct window *w, const struct plx_mbuf *m)
{
	w->p = plx_mbuf_data(m);
	w->len = m->data_len;
	if (plx_unlikely(m->next != NULL && w->len < WINDOW))
		window_open_chain(w, m);
}

static inline void window_close(struct window *w, struct plx_mbuf *m)
{
	if (plx_unlikely(w->p == w->copy))
		window_close_chain(w, m);
}

/* ---- Ethernet ---- */

/* Source and destination address change places. Two words: d0..d5 s0 s1, and s2..s5. */
static inline void swap_macs_at(uint8_t *p)
{
	const uint64_t a = plx_load_le64(p);
	const uint32_t b = plx_load_le32(p + 8);

	plx_store_le64(p, a >> 48 | (uint64_t)b << 16 | a << 48);
	plx_store_le32(p + 8, (uint32_t)(a >> 16));
}

/* A packet whose first segment has not got both stays as it is. */
static inline void swap_macs(struct plx_mbuf *m)
{
	if (plx_likely(m->data_len >= 2 * PLX_ETH_ALEN))
		swap_macs_at(plx_mbuf_data(m));
}

/* The destination becomes dst, the source src. */
static inline void set_macs(
	struct plx_mbuf *m, const struct plx_mac *dst, const struct plx_mac *src)
{
	uint8_t *p = plx_mbuf_data(m);

	if (plx_unlikely(m->data_len < 2 * PLX_ETH_ALEN))
		return;
	memcpy(p, dst->b, PLX_ETH_ALEN);
	memcpy(p + PLX_ETH_ALEN, src->b, PLX_ETH_ALEN);
}

/* fwd_5tswap.c: MAC and IP addresses and the ports of TCP and UDP change places. */
void swap_5tuple(struct plx_mbuf *m);

#endif
