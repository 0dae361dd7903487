/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP packets that this program makes: what txonly and flowgen share. */
#ifndef TXGEN_H
#define TXGEN_H

#include "modes.h"
#include "plx_cksum.h"

enum { TXGEN_HEAD = 64 };

/* The state of a stream in these modes. */
struct txgen {
	uint8_t head[TXGEN_HEAD]; /* the first bytes of each packet; data rooms have at least 64 */
	struct plx_mbuf mbuf;     /* what its first mbuf says */
	uint32_t sum;             /* of the IP header, without the address that varies */
	uint32_t src, dst;        /* the CPU's order */
	const struct mode_opts *opt;
	uint32_t flow, clone; /* of the next packet */
} PLX_CACHE_ALIGNED;

/* The begin and end of both modes; varies: offset in the IP header of the address that does. */
int txgen_begin(struct testpmd *t, struct stream *s, size_t varies);
void txgen_end(struct stream *s);

/*
 * Makes up to n packets as the options say, all of them in the same flow. Returns how many; fewer
 * when the pool is empty.
 */
uint16_t txgen_make(struct stream *s, struct plx_mbuf **pkts, uint16_t n);

/* Puts an address into the packet, at an offset of the IP header, and the header's checksum. */
static inline void txgen_address(
	const struct txgen *g, struct plx_mbuf *m, size_t field, uint32_t addr)
{
	uint8_t *ip = plx_mbuf_data(m) + PLX_ETHER_HDR_LEN;
	const plx_be32 a = plx_be32_make(addr);
	const plx_be16 cksum = plx_cksum_finish(g->sum + (a.v & 0xffff) + (a.v >> 16));

	memcpy(ip + field, &a, sizeof(a));
	memcpy(ip + offsetof(struct plx_ipv4_hdr, cksum), &cksum, sizeof(cksum));
}

/*
 * Hands n packets to the port; those not taken were never on their way: they are no drops. Returns
 * how many were taken.
 */
uint16_t txgen_send(struct stream *s, struct plx_mbuf **pkts, uint16_t n);

#endif
