/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the parser share. */
#ifndef PARSE_H
#define PARSE_H

#include "net_priv.h"

/* A packet that is read from front to back. */
struct cursor {
	const uint8_t *p;           /* its first bytes in one piece */
	uint32_t contig;            /* how many these are */
	uint32_t total;             /* bytes of the packet that may be looked at, at most 65535 */
	const struct plx_mbuf *seg; /* where the last read from the chain began; NULL: no chain */
	uint32_t seg_off;           /* offset of that segment in the packet */
	uint8_t buf[48];            /* a header whose bytes are in several segments */
};

/* Bytes [off, off + len), len at most sizeof(c->buf), from the segments behind the first. */
const uint8_t *net_gather(struct cursor *c, uint32_t off, uint32_t len);

/* A header of len bytes at offset off, until the next call; NULL: it is not in the packet. */
static inline const void *header(struct cursor *c, uint32_t off, uint32_t len)
{
	if (plx_likely(off + len <= c->contig))
		return c->p + off;
	return net_gather(c, off, len);
}

/* Ethernet header and tags at offset off: layer 2's bits of the packet type, and l3_off. */
uint32_t net_parse_l2(struct cursor *c, uint32_t off, struct plx_pkt_hdrs *h);

/* IP at h->l3_off, by h->ether_type, and layer 4: their bits of the packet type. */
uint32_t net_parse_l3(struct cursor *c, struct plx_pkt_hdrs *h);

/* If info->hdr is what a tunnel is wrapped in, its inside; the new packet type. */
uint32_t net_parse_tunnel(struct cursor *c, struct plx_pkt_info *info, uint32_t ptype);

#endif
