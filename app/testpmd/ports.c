/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and setting up ports, and the pool that feeds them. */
#include <stdlib.h>

#include "testpmd.h"

enum { RSS_TABLE_MAX = 4096 };

int ports_open(struct testpmd *t)
{
	for (uint16_t i = 0; i < t->opt.n_ports; i++) {
		struct tp_port *p = &t->ports[i];

		p->device = strdup(t->opt.ports[i]);
		t->n_ports = (uint16_t)(i + 1);
		if (p->device == NULL || plx_port_open(t->ctx, p->device, &p->port) < 0 ||
			plx_port_info(p->port, &p->info) < 0) {
			complain("port %u: %s", i, plx_errmsg());
			return -1;
		}
	}
	return 0;
}

void ports_forget(struct testpmd *t)
{
	for (uint16_t i = 0; i < t->n_ports; i++)
		free(t->ports[i].device);
}

/* The descriptors a ring will have. */
static uint32_t ring(uint16_t asked, uint16_t def)
{
	return asked != 0 ? asked : def;
}

static uint32_t mbufs_needed(const struct testpmd *t)
{
	struct plx_mbuf_need need = {.threads = t->opt.nb_cores, .burst = t->opt.burst};

	for (uint16_t i = 0; i < t->n_ports; i++) {
		const struct tp_port *p = &t->ports[i];

		need.rx_desc += p->n_rxq * ring(t->opt.rxd, p->info.def_rx_desc);
		need.tx_desc += p->n_txq * ring(t->opt.txd, p->info.def_tx_desc);
		need.queues += (uint32_t)(p->n_rxq + p->n_txq);
		/* each stream has a cache of its own, too */
		need.queues += PLX_MAX((uint32_t)p->n_rxq, (uint32_t)p->n_txq);
		if (p->info.any_length)
			need.segs = PLX_MAX(need.segs,
				PLX_PKT_LEN_MAX / (t->opt.mbuf_size - PLX_MBUF_HEADROOM) + 1u);
	}
	if (t->opt.modes.n_tx_segs > 1)
		need.segs = PLX_MAX(need.segs, (uint32_t)t->opt.modes.n_tx_segs);
	/* what noisy holds back in each stream */
	if (t->opt.mode == &fwd_noisy)
		need.tx_desc += t->opt.modes.noisy_buffer * t->n_ports * t->opt.rxq;
	return plx_mbuf_pool_need(&need);
}

static int make_pool(struct testpmd *t)
{
	struct plx_mbuf_pool_opts opts = PLX_MBUF_POOL_OPTS_INIT;

	t->n_mbufs = t->opt.total_num_mbufs != 0 ? t->opt.total_num_mbufs : mbufs_needed(t);
	opts.name = "testpmd";
	opts.n = t->n_mbufs;
	opts.room = t->opt.mbuf_size;
	if (plx_mbuf_pool_create(t->ctx, &opts, &t->pool) < 0) {
		complain("%s", plx_errmsg());
		return -1;
	}
	for (uint16_t i = 0; i < t->n_ports; i++)
		t->ports[i].pool = t->pool;
	return 0;
}

/* Packets longer than a room come as chains: a capture's may always be, a NIC's by its MTU. */
static bool needs_scatter(const struct testpmd *t, const struct tp_port *p)
{
	return p->info.any_length ||
	       t->opt.mtu + PLX_ETH_OVERHEAD > t->opt.mbuf_size - PLX_MBUF_HEADROOM;
}

static int configure(struct testpmd *t, struct tp_port *p)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;

	conf.n_rxq = p->n_rxq;
	conf.n_txq = p->n_txq;
	conf.mtu = PLX_MAX(PLX_MIN(t->opt.mtu, p->info.max_mtu), p->info.min_mtu);
	conf.promisc = true;
	if (needs_scatter(t, p))
		conf.rx_offloads |= p->info.rx_offloads & PLX_RX_OFFLOAD_SCATTER;
	/* whether there will be chains depends on the ports they come from, which change */
	conf.tx_offloads |= p->info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG;
	conf.rx_offloads |= p->info.rx_offloads & t->opt.mode->rx_offloads;
	if (t->opt.modes.rss != 0)
		conf.rx_offloads |= p->info.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH;
	conf.tx_offloads |= p->info.tx_offloads & t->opt.mode->tx_offloads;
	p->tx_offloads = conf.tx_offloads;
	return plx_port_configure(p->port, &conf);
}

/* --rss: packets are spread evenly over the RX queues by a hash of these fields. */
static int set_rss(struct testpmd *t, struct tp_port *p)
{
	uint16_t table[RSS_TABLE_MAX];
	struct plx_rss rss = {.fields = t->opt.modes.rss, .table = table};

	if (rss.fields == 0)
		return 0;
	if (p->info.rss_table_len == 0 || p->info.rss_table_len > RSS_TABLE_MAX) {
		if (p->n_rxq > 1)
			complain("warning: port %u: %s has no RSS: --rss spreads nothing over its "
				 "%u RX queues",
				(unsigned)(p - t->ports), p->device, p->n_rxq);
		return 0;
	}
	rss.table_len = p->info.rss_table_len;
	for (uint16_t i = 0; i < rss.table_len; i++)
		table[i] = i % p->n_rxq;
	return plx_port_set_rss(p->port, &rss);
}

static int set_up_queues(struct testpmd *t, struct tp_port *p)
{
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;

	rx.n_desc = t->opt.rxd;
	rx.pool = p->pool;
	tx.n_desc = t->opt.txd;
	for (uint16_t q = 0; q < p->n_rxq; q++)
		if (plx_rxq_setup(p->port, q, &rx, NULL) < 0)
			return -1;
	for (uint16_t q = 0; q < p->n_txq; q++)
		if (plx_txq_setup(p->port, q, &tx, NULL) < 0)
			return -1;
	return 0;
}

static void wait_for_links(struct testpmd *t)
{
	uint64_t until = plx_clock_ns() + t->opt.link_wait_ns;

	for (uint16_t i = 0; i < t->n_ports; i++) {
		uint64_t now = plx_clock_ns();

		if (plx_port_link_wait(t->ports[i].port, until > now ? until - now : 0) < 0)
			complain("warning: port %u: %s", i, plx_errmsg());
	}
}

int ports_start(struct testpmd *t)
{
	for (uint16_t i = 0; i < t->n_ports; i++) {
		struct tp_port *p = &t->ports[i];

		p->n_rxq = t->opt.rxq;
		p->n_txq = t->opt.txq;
	}
	if (make_pool(t) < 0)
		return -1;
	for (uint16_t i = 0; i < t->n_ports; i++) {
		struct tp_port *p = &t->ports[i];

		if (configure(t, p) < 0 || set_rss(t, p) < 0 || set_up_queues(t, p) < 0 ||
			plx_port_start(p->port) < 0) {
			complain("port %u: %s", i, plx_errmsg());
			return -1;
		}
		p->started = true;
	}
	wait_for_links(t);
	return 0;
}

int ports_stop(struct testpmd *t)
{
	int err = 0;

	for (uint16_t i = 0; i < t->n_ports; i++) {
		if (plx_port_stop(t->ports[i].port) == 0) {
			t->ports[i].started = false;
			continue;
		}
		complain("port %u: %s", i, plx_errmsg());
		err = -1;
	}
	return err;
}
