/* SPDX-License-Identifier: BSD-3-Clause */
/* A context with the port under test and its peer, and packets to send. */
#ifndef RIG_H
#define RIG_H

#include "conf.h"

enum { END_QUEUES = 4 };

struct end {
	struct plx_port *port;
	struct plx_port_info info;
	struct plx_rxq *rxqs[END_QUEUES], *rxq; /* the first again */
	struct plx_txq *txqs[END_QUEUES], *txq;
	uint16_t n_queues; /* each way */
};

struct rig {
	struct conf c;
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct end a, b; /* b.port is NULL without a peer */
	uint32_t n_mbufs;
	struct plx_mbuf *aside[64]; /* not used: see page in conf.h */
	unsigned n_aside;
};

struct rig_opts {
	uint32_t n_mbufs, room, mtu;
	uint16_t n_desc;
	bool chains;       /* scatter and multi-segment where the driver has them */
	bool rss_hash;     /* the hash in the packets, where the driver has it */
	uint16_t n_queues; /* each way, as far as the driver has them and END_QUEUES */
};
#define RIG_OPTS_INIT                                                                              \
	{                                                                                          \
		.n_mbufs = 4096, .room = PLX_MBUF_ROOM, .mtu = 1500, .n_desc = 0, .chains = false, \
		.rss_hash = false, .n_queues = 1                                                   \
	}

void rig_ctx(struct rig *r);                            /* context and surroundings */
void rig_open(struct rig *r, const struct rig_opts *o); /* ports open, pool made */
int end_set_up(struct rig *r, struct end *e, const struct rig_opts *o);
void rig_link(struct rig *r, struct end *e);             /* waits until it is up and receives */
void rig_start(struct rig *r, const struct rig_opts *o); /* set up, started, link up */
void rig_up(struct rig *r, const struct rig_opts *o);    /* all that */
void rig_down(struct rig *r);                            /* checks that all mbufs are back */

/* A frame of len bytes that says its number; segs > 1: cut into about so many segments. */
struct plx_mbuf *frame_make(struct rig *r, uint32_t number, uint32_t len, unsigned segs);
/* The number of a frame, checked to the last byte against what frame_make() wrote. */
uint32_t frame_check(const struct plx_mbuf *m, uint32_t len);
/*
 * Frame i of many flows: TCP, UDP and ICMP over IPv4, among them fragments, over IPv6, and some that
 * are not IP.
 */
struct plx_mbuf *flow_make(struct rig *r, unsigned i);
/* All that the contract says of a received packet. */
void rx_check(const struct plx_mbuf *m);

/* Sends all n, polling for room; receives until n came or nothing more does. */
void send_all(struct rig *r, struct end *e, struct plx_mbuf **pkts, unsigned n);
unsigned receive(struct rig *r, struct end *e, struct plx_mbuf **pkts, unsigned n);

#endif
