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

/* len bytes in one piece. */
static inline void cursor_mem(struct cursor *c, const uint8_t *p, uint32_t len)
{
	c->p = p;
	c->contig = c->total = len;
	c->seg = NULL;
	c->seg_off = 0;
}

/*
 * One level, which is of that type at offset off: PARSE_ETHER or an EtherType. l2_len counts from
 * offset start. Goes to *hdr, and to *outer if there may be a tunnel.
 */
uint32_t net_parse_level(struct cursor *c, uint32_t start, uint32_t off, uint16_t type,
	struct plx_pkt_hdrs *hdr, struct plx_pkt_hdrs *outer);

/* Is it an IPv6 extension header with a length, or a fragment's? */
static inline bool is_ext(uint8_t proto)
{
	switch (proto) {
	case PLX_IP_HOPOPTS:
	case PLX_IP_ROUTING:
	case PLX_IP_FRAGMENT:
	case PLX_IP_AH:
	case PLX_IP_DSTOPTS:
	case PLX_IP_MOBILITY:
	case PLX_IP_HIP:
	case PLX_IP_SHIM6:
		return true;
	default:
		return false;
	}
}

#endif
