/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-open PORT PORT [BEGIN]: milliseconds from nothing to two started ports (their links come later); from
 * BEGIN, ns of CLOCK_MONOTONIC, when the process was made, to the first packet that arrives, without the time that
 * was spent waiting for the links; and that time.
 */
#include <stdio.h>
#include <stdlib.h>

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

/* Sends from one to the other until something comes in at either. 0, or -1 after ten seconds. */
static int first_packet(struct plx_ctx *ctx, struct plx_port *a, struct plx_port *b,
	struct plx_mbuf_pool *pool, const struct plx_mac *to)
{
	const uint64_t until = plx_clock_ns() + UINT64_C(10000000000);
	struct plx_mbuf *m;

	plx_ctx_poll(ctx); /* tells the bursts of the links */
	while (plx_clock_ns() < until) {
		uint8_t *p;

		m = plx_mbuf_alloc(pool);
		p = m == NULL ? NULL : plx_mbuf_append(m, 60);
		if (p == NULL)
			return -1;
		memset(p, 2, 60);
		memcpy(p, to->b, PLX_ETH_ALEN);
		if (plx_tx_burst(plx_port_txq(a, 0), &m, 1) == 0)
			plx_mbuf_free(m);
		if (plx_rx_burst(plx_port_rxq(b, 0), &m, 1) == 1 ||
			plx_rx_burst(plx_port_rxq(a, 0), &m, 1) == 1) {
			plx_mbuf_free(m);
			return 0;
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool *pool;
	struct plx_port *a, *b;
	struct plx_ctx *ctx;
	struct plx_port_info info;
	uint64_t begin = plx_clock_ns(), born, end, linked, first;

	if (argc != 3 && argc != 4)
		return 2;
	born = argc == 4 ? strtoull(argv[3], NULL, 10) : begin;
	opts.log_level = PLX_LOG_ERR;
	if (plx_ctx_open(&opts, &ctx) < 0 || plx_port_open(ctx, argv[1], &a) < 0 ||
		plx_port_open(ctx, argv[2], &b) < 0 || plx_mbuf_pool_create(ctx, &po, &pool) < 0 ||
		up(a, pool) < 0 || up(b, pool) < 0) {
		fprintf(stderr, "bench-open: %s\n", plx_errmsg());
		return 1;
	}
	end = plx_clock_ns();
	if (plx_port_link_wait(a, UINT64_C(10000000000)) < 0 ||
		plx_port_link_wait(b, UINT64_C(10000000000)) < 0 || plx_port_info(b, &info) < 0) {
		fprintf(stderr, "bench-open: %s\n", plx_errmsg());
		return 1;
	}
	linked = plx_clock_ns();
	if (first_packet(ctx, a, b, pool, &info.mac) < 0) {
		fprintf(stderr, "bench-open: no packet comes\n");
		return 1;
	}
	first = plx_clock_ns();
	plx_ctx_close(ctx);
	printf("%.3f %.3f %.3f\n", (double)(end - begin) / 1e6,
		(double)(first - born - (linked - end)) / 1e6, (double)(linked - end) / 1e6);
	return 0;
}
