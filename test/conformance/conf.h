/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The conformance suite of Ethernet drivers: the same bodies (conformance.c) for every driver. Each
 * conf_X.c says how driver X is opened and what its surroundings can do; the program conf-X is
 * conformance.c with conf_X.c.
 */
#ifndef CONF_H
#define CONF_H

#include "plx_ethdev.h"

struct conf {
	/* set by conf_begin() for the test that begins */
	char dev[1024];     /* the port under test */
	char peer[1024];    /* the other end of its wire; "": it has none */
	bool source;        /* without a peer: it brings packets by itself */
	bool patient;       /* an empty pool delays its packets instead of dropping them */
	bool takes_all;     /* its TX ring cannot be full */
	bool passes_mbufs;  /* the peer gets the mbufs themselves, and holds them until it stops */
	bool mapped_twice;  /* this process has the device's side of memory, too */
	const char *no_rss; /* the surroundings take RSS settings and do nothing with them: why */
	uint32_t max_len;   /* longest frame to try, with MTU max_len - 18 */
	uint64_t link_ns;   /* how long its link may take */
	uint64_t deaf_ns;   /* how long it receives nothing after its start */
	uint64_t page; /* the device wants no buffer in two pages of this size; 0: it takes all */
	unsigned packets; /* how many to send in long tests: slow models get fewer */
	unsigned rounds;  /* of start and stop */
	void *priv;
};

/*
 * Prepares surroundings (a QEMU, files, a fake device in ctx) and fills *c. Returns NULL, or why the
 * driver cannot be tried here.
 */
const char *conf_begin(struct conf *c, struct plx_ctx *ctx);
/* After the context was closed. */
void conf_end(struct conf *c);
/* Makes the device of c->dev leave by surprise; false: there is no way to. */
bool conf_remove(struct conf *c);

#endif
