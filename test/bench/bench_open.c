/* SPDX-License-Identifier: BSD-3-Clause */
/* bench-open PORT PORT: milliseconds from nothing to two started ports (their links come later). */
#include <stdio.h>

#include "plx_ethdev.h"

static int up(struct plx_port *port, struct plx_mbuf_pool *pool)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	int err = plx_port_configure(port, &conf);

	rx.pool = pool;
	if (err == 0)
		err = plx_rxq_setup(port, 0, &rx, NULL);
	if (err == 0)
		err = plx_txq_setup(port, 0, NULL, NULL);
	return err == 0 ? plx_port_start(port) : err;
}

int main(int argc, char **argv)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool *pool;
	struct plx_port *a, *b;
	struct plx_ctx *ctx;
	uint64_t begin = plx_clock_ns(), end;

	if (argc != 3)
		return 2;
	opts.log_level = PLX_LOG_ERR;
	if (plx_ctx_open(&opts, &ctx) < 0 || plx_port_open(ctx, argv[1], &a) < 0 ||
		plx_port_open(ctx, argv[2], &b) < 0 || plx_mbuf_pool_create(ctx, &po, &pool) < 0 ||
		up(a, pool) < 0 || up(b, pool) < 0) {
		fprintf(stderr, "bench-open: %s\n", plx_errmsg());
		return 1;
	}
	end = plx_clock_ns();
	plx_ctx_close(ctx);
	printf("%.3f\n", (double)(end - begin) / 1e6);
	return 0;
}
