/* SPDX-License-Identifier: BSD-3-Clause */
/* A context with the port under test and its peer, and packets to send. */
#ifndef RIG_H
#define RIG_H

#include "conf.h"

struct end {
	struct plx_port *port;
	struct plx_port_info info;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
};

struct rig {
	struct conf c;
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct end a, b; /* b.port is NULL without a peer */
	uint32_t n_mbufs;
};

struct rig_opts {
	uint32_t n_mbufs, room, mtu;
	uint16_t n_desc;
	bool chains; /* scatter and multi-segment where the driver has them */
};
#define RIG_OPTS_INIT                                                                             \
	{                                                                                         \
		.n_mbufs = 4096, .room = PLX_MBUF_ROOM, .mtu = 1500, .n_desc = 0, .chains = false \
	}

void rig_ctx(struct rig *r);                            /* context and surroundings */
void rig_open(struct rig *r, const struct rig_opts *o); /* ports open, pool made */
int end_set_up(struct rig *r, struct end *e, const struct rig_opts *o);
void rig_up(struct rig *r, const struct rig_opts *o); /* all that, started, link up */
void rig_down(struct rig *r);                         /* checks that all mbufs are back */

/* A frame of len bytes that says its number; segs > 1: cut into about so many segments. */
struct plx_mbuf *frame_make(struct rig *r, uint32_t number, uint32_t len, unsigned segs);
/* The number of a frame, checked to the last byte against what frame_make() wrote. */
uint32_t frame_check(const struct plx_mbuf *m, uint32_t len);
/* All that the contract says of a received packet. */
void rx_check(const struct plx_mbuf *m);

/* Sends all n, polling for room; receives until n came or nothing more does. */
void send_all(struct rig *r, struct end *e, struct plx_mbuf **pkts, unsigned n);
unsigned receive(struct rig *r, struct end *e, struct plx_mbuf **pkts, unsigned n);

#endif
