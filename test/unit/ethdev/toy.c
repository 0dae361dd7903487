/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "toy.h"

struct toy_state toy;

struct toy_rxq {
	struct plx_rxq q;
	uint64_t *ring;
	uint64_t n;
};

struct toy_txq {
	struct plx_txq q;
	struct plx_mbuf **ring;
	uint32_t held;
};

void toy_clear(void)
{
	memset(&toy, 0, sizeof(toy));
	toy.link_up = true;
}

static int fails(enum toy_op op, const char *what)
{
	if (toy.fail_op != op || toy.fail_in == 0 || --toy.fail_in != 0)
		return 0;
	return plx_err(EIO, "toy: %s was told to fail", what);
}

static int toy_open(struct plx_port *port)
{
	toy.opens++;
	return fails(TOY_OPEN, "open");
}

static void toy_close(struct plx_port *port)
{
	toy.closes++;
}

static int toy_info(struct plx_port *port, struct plx_port_info *info)
{
	info->max_rxq = info->max_txq = 4;
	info->min_desc = 32;
	info->max_desc = 1024;
	info->desc_align = 32;
	info->def_rx_desc = info->def_tx_desc = TOY_RING;
	info->def_burst = 32;
	info->min_mtu = 68;
	info->max_mtu = 9000;
	info->min_rx_room = 64;
	info->rx_offloads = PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_CKSUM;
	info->tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM;
	return 0;
}

static int toy_configure(struct plx_port *port)
{
	return fails(TOY_CONFIGURE, "configure");
}

static int toy_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf)
{
	toy.setups++;
	return fails(TOY_RXQ_SETUP, "rxq_setup");
}

static void toy_rxq_release(struct plx_port *port, struct plx_rxq *q)
{
	toy.releases++;
}

static int toy_txq_setup(struct plx_port *port, struct plx_txq *q, const struct plx_txq_conf *conf)
{
	toy.setups++;
	return fails(TOY_TXQ_SETUP, "txq_setup");
}

static void toy_txq_release(struct plx_port *port, struct plx_txq *q)
{
	toy.releases++;
}

static uint16_t toy_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct toy_rxq *t = (struct toy_rxq *)q;

	if (plx_mempool_get_bulk(q->cache, (void **)pkts, n) != n) {
		plx_ctr_add(&q->ctr[PLX_RXQ_NOMBUF], n);
		return 0;
	}
	for (uint16_t i = 0; i < n; i++) {
		t->ring[t->n % TOY_RING] = t->n;
		t->n++;
		plx_mbuf_reset(pkts[i]);
		pkts[i]->pkt_len = pkts[i]->data_len = 64;
	}
	plx_ctr_add(&q->ctr[PLX_RXQ_PACKETS], n);
	plx_ctr_add(&q->ctr[PLX_RXQ_BYTES], 64u * n);
	return n;
}

static uint32_t toy_reclaim(struct plx_txq *q)
{
	struct toy_txq *t = (struct toy_txq *)q;
	uint32_t n = t->held;

	plx_mbuf_free_bulk_c(q->cache, t->ring, n);
	t->held = 0;
	plx_ctr_add(&q->ctr[PLX_TXQ_DONE], n);
	return n;
}

static uint16_t toy_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct toy_txq *t = (struct toy_txq *)q;

	if (!toy.hold)
		toy_reclaim(q);
	n = (uint16_t)PLX_MIN((uint32_t)n, TOY_RING - t->held);
	for (uint16_t i = 0; i < n; i++)
		t->ring[t->held++] = pkts[i];
	plx_ctr_add(&q->ctr[PLX_TXQ_PACKETS], n);
	plx_ctr_add(&q->ctr[PLX_TXQ_BYTES], 64u * n);
	return n;
}

static int toy_start(struct plx_port *port)
{
	toy.starts++;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		((struct toy_rxq *)port->rxqs[i])->ring = calloc(TOY_RING, sizeof(uint64_t));
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		((struct toy_txq *)port->txqs[i])->ring = calloc(TOY_RING, sizeof(void *));
	return fails(TOY_START, "start");
}

static void toy_stop(struct plx_port *port)
{
	toy.stops++;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		struct toy_rxq *t = (struct toy_rxq *)port->rxqs[i];

		free(t->ring);
		t->ring = NULL;
	}
	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		struct toy_txq *t = (struct toy_txq *)port->txqs[i];

		toy_reclaim(&t->q);
		free(t->ring);
		t->ring = NULL;
	}
}

static int toy_link(struct plx_port *port, struct plx_link *link)
{
	int err = fails(TOY_LINK, "link");

	link->up = PLX_READ_ONCE(toy.link_up);
	link->speed_mbps = link->up ? 1000 : 0;
	return err;
}

static void toy_stats(struct plx_port *port, struct plx_port_stats *stats)
{
	stats->rx_missed += 7;
}

static void toy_stats_reset(struct plx_port *port)
{
}

static plx_rx_fn toy_rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	return toy_rx;
}

static plx_tx_fn toy_tx_select(struct plx_port *port, const struct plx_txq *q)
{
	return toy_tx;
}

static int toy_reset(struct plx_port *port)
{
	toy.resets++;
	return 0;
}

static bool toy_gone(struct plx_port *port)
{
	return PLX_READ_ONCE(toy.gone);
}

static void toy_rxq_progress(struct plx_port *port, struct plx_rxq *q, struct plx_progress *p)
{
	p->owed = PLX_READ_ONCE(toy.stuck);
}

static void toy_txq_progress(struct plx_port *port, struct plx_txq *q, struct plx_progress *p)
{
	p->owed = PLX_READ_ONCE(toy.stuck);
}

static const struct plx_eth_ops toy_ops = {
	.priv_size = 64,
	.rxq_size = sizeof(struct toy_rxq),
	.txq_size = sizeof(struct toy_txq),
	.open = toy_open,
	.close = toy_close,
	.info = toy_info,
	.configure = toy_configure,
	.rxq_setup = toy_rxq_setup,
	.rxq_release = toy_rxq_release,
	.txq_setup = toy_txq_setup,
	.txq_release = toy_txq_release,
	.start = toy_start,
	.stop = toy_stop,
	.link = toy_link,
	.stats = toy_stats,
	.stats_reset = toy_stats_reset,
	.rx_select = toy_rx_select,
	.tx_select = toy_tx_select,
	.reclaim = toy_reclaim,
	.reset = toy_reset,
	.gone = toy_gone,
	.rxq_progress = toy_rxq_progress,
	.txq_progress = toy_txq_progress,
};

static int toy_rxq_op(struct plx_port *port, struct plx_rxq *q)
{
	toy.queue_ops++;
	return 0;
}

static int toy_txq_op(struct plx_port *port, struct plx_txq *q)
{
	toy.queue_ops++;
	return 0;
}

/* A ring of descriptors of one word, their own index. */
static void toy_descs(struct plx_desc *out, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		out[i].word[0] = out[i].index;
		out[i].n_words = 1;
		out[i].owner = PLX_DESC_DEVICE;
	}
}

static void toy_rxq_descs(
	struct plx_port *port, struct plx_rxq *q, struct plx_desc *out, uint16_t n)
{
	toy_descs(out, n);
}

static void toy_txq_descs(
	struct plx_port *port, struct plx_txq *q, struct plx_desc *out, uint16_t n)
{
	toy_descs(out, n);
}

/* The same with queues that start and stop by themselves, and rings to look at: toyq:; filled in by toy_add(). */
static struct plx_eth_ops toyq_ops;

static const struct plx_driver toyq_driver = {.name = "toyq",
	.help = "toyq: for tests",
	.cls = PLX_DEV_ETH,
	.ids = NULL,
	.ops = &toyq_ops};

static const struct plx_driver toy_driver = {
	.name = "toy", .help = "toy: for tests", .cls = PLX_DEV_ETH, .ids = NULL, .ops = &toy_ops};

int toy_add(struct plx_ctx *ctx)
{
	int err;

	toyq_ops = toy_ops;
	toyq_ops.rxq_start = toyq_ops.rxq_stop = toy_rxq_op;
	toyq_ops.txq_start = toyq_ops.txq_stop = toy_txq_op;
	toyq_ops.rxq_descs = toy_rxq_descs;
	toyq_ops.txq_descs = toy_txq_descs;
	err = plx_driver_add(ctx, &toy_driver);
	return err < 0 ? err : plx_driver_add(ctx, &toyq_driver);
}
