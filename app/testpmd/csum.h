/* SPDX-License-Identifier: BSD-3-Clause */
/* Recomputing a packet's checksums, or having the port do so: what csum does with one packet. */
#ifndef CSUM_H
#define CSUM_H

#include "mode_opts.h"

/* How a stream does it. All zero: everything in software, tunnels are payload. */
struct csum {
	bool hw[CSUM_KINDS]; /* the port computes it */
	bool any_hw;         /* any of them */
	bool hw_tunnel;      /* and does so inside of tunnels, too */
	bool parse_tunnel;
	uint16_t tso_segsz, tunnel_tso_segsz; /* 0: none */
};

/* What was wrong when the packet came. */
enum {
	CSUM_BAD_IP = 1u << 0,
	CSUM_BAD_L4 = 1u << 1,
	CSUM_BAD_OUTER_IP = 1u << 2,
	CSUM_BAD_OUTER_L4 = 1u << 3,
};

/*
 * Sets all checksums of the packet: to what they have to be, or, where the port computes them, to
 * what it wants to find, with the flags and lengths in m that say so. Checksums that are left out
 * (UDP's may be 0) stay so, those of fragments and of packets that are not whole stay as they are.
 * What the port that received the packet did not check (PLX_RX_*) is checked here.
 * @return CSUM_BAD_*.
 */
uint32_t csum_packet(const struct csum *c, struct plx_mbuf *m);

#endif
