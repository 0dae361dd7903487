/* SPDX-License-Identifier: BSD-3-Clause */
/* Our side of guest_loop.h: bench-guest PORT PORT, two NICs on one wire. */
#include <stdlib.h>
#include <unistd.h>

#include "plx_cpu.h"
#include "plx_ethdev.h"

typedef struct plx_mbuf packet;

static struct plx_ctx *ctx;
static struct plx_mbuf_pool *pool;
static struct plx_port *ports[2];
static struct plx_rxq *rxqs[2];
static struct plx_txq *txqs[2];

static inline uint16_t packet_get(unsigned port, packet **pkts, uint16_t n)
{
	return plx_rx_burst(rxqs[port], pkts, n);
}

static inline uint16_t packet_put(unsigned port, packet **pkts, uint16_t n)
{
	return plx_tx_burst(txqs[port], pkts, n);
}

static inline uint8_t *packet_data(packet *p)
{
	return plx_mbuf_data(p);
}

static int packet_make(packet **pkts, uint16_t n, const uint8_t *data, uint16_t len)
{
	if (plx_mbuf_alloc_bulk(pool, pkts, n) != 0)
		return -1;
	for (uint16_t i = 0; i < n; i++)
		memcpy(plx_mbuf_append(pkts[i], len), data, len);
	return 0;
}

static void packet_free(packet **pkts, uint16_t n)
{
	plx_mbuf_free_bulk(pkts, n);
}

#include "guest_loop.h"

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "bench-guest: %s: %s\n", what, plx_errmsg());
	exit(1);
}

static void start(unsigned i)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct plx_link link = {0};

	conf.promisc = true;
	rx.pool = pool;
	rx.n_desc = tx.n_desc = GUEST_RING;
	if (plx_port_configure(ports[i], &conf) < 0 ||
		plx_rxq_setup(ports[i], 0, &rx, &rxqs[i]) < 0 ||
		plx_txq_setup(ports[i], 0, &tx, &txqs[i]) < 0 || plx_port_start(ports[i]) < 0)
		fail("start");
	for (int k = 0; k < 100 && !link.up; k++) {
		usleep(100000);
		if (plx_port_link(ports[i], true, &link) < 0)
			fail("link");
	}
	if (!link.up)
		fail("no link");
}

int main(int argc, char **argv)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: bench-guest PORT PORT\n");
		return 2;
	}
	opts.stall_ns = 0;
	po.n = GUEST_POOL;
	if (plx_ctx_open(&opts, &ctx) < 0 || plx_port_open(ctx, argv[1], &ports[0]) < 0 ||
		plx_port_open(ctx, argv[2], &ports[1]) < 0 ||
		plx_mbuf_pool_create(ctx, &po, &pool) < 0)
		fail("open");
	printf("{\"side\": \"pollux\", \"version\": \"%s\", \"compiler\": \"%s\", \"build\": \"%s\"}\n",
		plx_isa_name(plx_ctx_isa(ctx)), __VERSION__, BENCH_BUILD);
	start(0);
	start(1);
	err = guest_measure("pollux");
	plx_ctx_close(ctx);
	return err == 0 ? 0 : 1;
}
