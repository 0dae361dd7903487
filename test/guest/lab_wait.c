/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ports on one wire, of which the second's thread sleeps until there are packets. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lab.h"
#include "plx_ethdev.h"

enum { ROUNDS = 50, LEN = 200, DESC = 64, QUEUES = 2, WAIT_MS = 5000, QUIET_MS = 50 };
#define LIMIT_NS UINT64_C(20000000000)

struct side {
	struct plx_port *port;
	struct plx_rxq *rxqs[QUEUES];
	struct plx_txq *txq;
	uint16_t n_rxq;
};

static void up(struct side *s, struct plx_ctx *ctx, struct plx_mbuf_pool *pool, const char *dev)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct plx_port_info info;

	lab_check(plx_port_open(ctx, dev, &s->port), "open");
	lab_check(plx_port_info(s->port, &info), "info");
	s->n_rxq = (uint16_t)PLX_MIN((uint32_t)info.max_rxq, (uint32_t)QUEUES);
	conf.n_rxq = s->n_rxq;
	conf.promisc = true;
	rx.pool = pool;
	rx.n_desc = tx.n_desc = DESC;
	lab_check(plx_port_configure(s->port, &conf), "configure");
	for (uint16_t i = 0; i < s->n_rxq; i++)
		lab_check(plx_rxq_setup(s->port, i, &rx, &s->rxqs[i]), "RX queue");
	lab_check(plx_txq_setup(s->port, 0, &tx, &s->txq), "TX queue");
	lab_check(plx_port_start(s->port), "start");
	lab_check(plx_port_link_wait(s->port, LIMIT_NS), "link");
}

static void send_one(struct side *s, struct plx_mbuf_pool *pool, uint32_t number)
{
	static const uint8_t eth[14] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 8, 0x88, 0xb5};
	struct plx_mbuf *m = plx_mbuf_alloc(pool);
	uint8_t *p;

	if (m == NULL)
		lab_fail("no mbuf");
	p = plx_mbuf_append(m, LEN);
	if (p == NULL)
		lab_fail("a room is too small");
	memset(p, 0, LEN);
	memcpy(p, eth, sizeof(eth));
	plx_store_be32(p + 14, number);
	if (plx_tx_burst(s->txq, &m, 1) != 1)
		lab_fail("frame %u is not taken", number);
	plx_tx_reclaim(s->txq);
}

/* Packets of all queues: is frame number `number` among them? */
static bool take(struct side *s, uint32_t number)
{
	struct plx_mbuf *m;
	bool found = false;

	for (uint16_t i = 0; i < s->n_rxq; i++)
		while (plx_rx_burst(s->rxqs[i], &m, 1) == 1) {
			found |= m->pkt_len == LEN &&
				 plx_load_be32((uint8_t *)plx_mbuf_data(m) + 14) == number;
			plx_mbuf_free(m);
		}
	return found;
}

static bool fires(const struct side *s, int ms)
{
	struct pollfd p[QUEUES];

	for (uint16_t i = 0; i < s->n_rxq; i++)
		p[i] = (struct pollfd){.fd = plx_rxq_fd(s->rxqs[i]), .events = POLLIN};
	return poll(p, s->n_rxq, ms) > 0;
}

static void arm(struct side *s, bool on)
{
	for (uint16_t i = 0; i < s->n_rxq; i++)
		lab_check(plx_rxq_arm(s->rxqs[i], on), "arm");
}

/* Frames sent one by one, each when the receiver sleeps. */
static void rounds(struct side *a, struct side *b, struct plx_mbuf_pool *pool)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const uint64_t end = plx_clock_ns() + LIMIT_NS;

		do /* what else is on the wire */
			arm(b, true);
		while (take(b, UINT32_MAX) || fires(b, i == 0 ? QUIET_MS : 0));
		send_one(a, pool, i);
		while (!take(b, i)) {
			if (!fires(b, WAIT_MS))
				lab_fail("frame %u wakes nobody", i);
			arm(b, true);
			if (plx_clock_ns() > end)
				lab_fail("frame %u does not come", i);
		}
	}
	arm(b, false);
	take(b, UINT32_MAX);
	while (fires(b, QUIET_MS)) { /* the last frame's may be on its way */
		arm(b, true);
		arm(b, false);
	}
	send_one(a, pool, 0);
	if (fires(b, QUIET_MS))
		lab_fail("a queue that is not armed fires");
}

int lab_wait(int argc, char **argv)
{
	struct plx_mbuf_pool_opts opts = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf_pool *pool;
	struct side a = {0}, b = {0};
	struct plx_ctx *ctx;
	bool shared;

	(void)argc;
	lab_check(plx_ctx_open(NULL, &ctx), "context");
	opts.n = 1024;
	lab_check(plx_mbuf_pool_create(ctx, &opts, &pool), "pool");
	up(&a, ctx, pool, argv[0]);
	up(&b, ctx, pool, argv[1]);
	for (uint16_t i = 0; i < b.n_rxq; i++)
		lab_check(plx_rxq_fd(b.rxqs[i]), "descriptor");
	shared = b.n_rxq > 1 && plx_rxq_fd(b.rxqs[0]) == plx_rxq_fd(b.rxqs[1]);
	rounds(&a, &b, pool);
	lab_check(plx_port_reset(b.port), "reset");
	lab_check(plx_port_link_wait(b.port, LIMIT_NS), "link");
	rounds(&a, &b, pool);
	plx_ctx_close(ctx);
	printf("%u queues, %s\nok\n", b.n_rxq, shared ? "one vector" : "a vector each");
	return 0;
}
