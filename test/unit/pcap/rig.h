/* SPDX-License-Identifier: BSD-3-Clause */
/* A context, a pool and ports of the pcap driver, for its tests. */
#ifndef RIG_H
#define RIG_H

#include "capfile.h"
#include "plx_ethdev.h"
#include "plx_log.h"
#include "unit.h"

struct rig {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	uint32_t n_mbufs;
	char dir[64];   /* temporary */
	char log[1024]; /* the last line of a warning or error */
	unsigned log_lines;
};

struct rig_port {
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
};

/* n mbufs with rooms of so many bytes, headroom included; 0: the default. */
void rig_open(struct rig *r, uint32_t n, uint32_t room);
/* Checks that every mbuf is back. */
void rig_close(struct rig *r);
/* "DIR/name" in the rig's directory, until the next call but seven. */
const char *rig_path(struct rig *r, const char *name);

/* Opens, configures with these RX offloads, sets up both queues and starts. */
int rig_port_open(struct rig *r, struct rig_port *p, uint32_t rx_offloads, const char *fmt, ...)
	PLX_PRINTF(4, 5);
void rig_port_close(struct rig_port *p);

/* Frees packets all the way to the pool, past this thread's cache: pools here are small. */
void rig_free(struct plx_mbuf_pool *pool, struct plx_mbuf **pkts, unsigned n);

/*
 * Polls src until it is drained or has failed, checking every packet, and hands all to dst (NULL:
 * frees them). @return packets.
 */
uint64_t rig_forward(struct rig_port *src, struct rig_port *dst, uint16_t burst);

#endif
