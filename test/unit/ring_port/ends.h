/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of the ring driver in a context, with a pool. */
#ifndef ENDS_H
#define ENDS_H

#include "plx_ethdev.h"
#include "unit.h"

enum { MBUFS = 4096 };

struct ends_end {
	struct plx_port *port;
	struct plx_rxq *rxq; /* queues 0 */
	struct plx_txq *txq;
};

struct ends {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
};

struct ends_opts {
	uint16_t n_rxq, n_txq, n_desc;
	uint32_t mtu;
	bool scatter, deferred;
};
#define ENDS_OPTS_INIT                                                              \
	{                                                                           \
		.n_rxq = 1, .n_txq = 1, .n_desc = 0, .mtu = 1500, .scatter = false, \
		.deferred = false                                                   \
	}

void ends_ctx(struct ends *e);
/* Opens and sets up; start is the caller's. */
void ends_open(struct ends *e, struct ends_end *end, const char *text, const struct ends_opts *o);
/* The same with defaults, started. */
void ends_start(struct ends *e, struct ends_end *end, const char *text);
/* Two of one name, started, their link known to be up. */
void ends_pair(struct ends *e, struct ends_end *a, struct ends_end *b, const char *text);
/* The link as it is now. */
bool ends_up(const struct ends_end *end);
struct plx_port_stats ends_stats(const struct ends_end *end);
uint64_t ends_xstat(const struct ends_end *end, const char *name);
/* A packet of len bytes, all of them value. */
struct plx_mbuf *ends_packet(const struct ends *e, uint32_t len, uint8_t value);
/* Mbufs that are in the pool, after this thread's cache gave back what it has. */
uint32_t ends_avail(const struct ends *e);
/* Closes the context; all mbufs must be back by then, once the ports are closed. */
void ends_close(struct ends *e);

#endif
