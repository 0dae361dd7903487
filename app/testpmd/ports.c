/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and setting up ports, and the pools that feed them. */
#include <stdlib.h>

#include "testpmd.h"

uint16_t port_number(const struct testpmd *t, const struct tp_port *p)
{
	return (uint16_t)(p - t->ports);
}

int port_complain(const struct testpmd *t, const struct tp_port *p, const char *what)
{
	if (what != NULL)
		complain("port %u: %s: %s", port_number(t, p), what, plx_errmsg());
	else
		complain("port %u: %s", port_number(t, p), plx_errmsg());
	return -1;
}

int port_open(struct testpmd *t, struct tp_port *p, const char *device)
{
	*p = (struct tp_port){.device = strdup(device),
		.pool = t->pool,
		.own_pool = p->own_pool,
		.own_mbufs = p->own_mbufs,
		.n_rxq = t->opt.rxq,
		.n_txq = t->opt.txq,
		.rxd = t->opt.rxd,
		.txd = t->opt.txd,
		.mtu = (uint16_t)t->opt.mtu,
		.promisc = true,
		.dropped = p->dropped};
	if (p->device == NULL) {
		complain("no memory");
		return -1;
	}
	if (plx_port_open(t->ctx, p->device, &p->port) == 0 &&
		plx_port_info(p->port, &p->info) == 0)
		return 0;
	port_complain(t, p, NULL);
	(void)port_close(t, p);
	return -1;
}

int port_close(struct testpmd *t, struct tp_port *p)
{
	if (plx_port_close(p->port) < 0)
		return port_complain(t, p, NULL);
	p->port = NULL;
	free(p->device);
	p->device = NULL;
	p->started = false;
	return 0;
}

int ports_open(struct testpmd *t)
{
	for (uint16_t i = 0; i < t->opt.n_ports; i++) {
		if (port_open(t, &t->ports[i], t->opt.ports[i]) < 0)
			return -1;
		t->n_ports = (uint16_t)(i + 1);
	}
	return 0;
}

void ports_forget(struct testpmd *t)
{
	for (uint16_t i = 0; i < t->n_ports; i++)
		free(t->ports[i].device);
	free(t->pools);
}

/* ---- pools ---- */

/* The descriptors that rings of a port will have. */
static uint32_t rings(uint16_t queues, uint16_t asked, uint16_t def)
{
	return queues * (uint32_t)(asked != 0 ? asked : def);
}

static void add_need(const struct testpmd *t, const struct tp_port *p, struct plx_mbuf_need *need)
{
	need->rx_desc += rings(p->n_rxq, p->rxd, p->info.def_rx_desc);
	need->tx_desc += rings(p->n_txq, p->txd, p->info.def_tx_desc);
	need->queues += (uint32_t)(p->n_rxq + p->n_txq);
	/* each stream has a cache of its own, too */
	need->queues += PLX_MAX((uint32_t)p->n_rxq, (uint32_t)p->n_txq);
	if (p->info.any_length)
		need->segs = PLX_MAX(
			need->segs, PLX_PKT_LEN_MAX / (t->opt.mbuf_size - PLX_MBUF_HEADROOM) + 1u);
}

static uint32_t mbufs_needed(const struct testpmd *t)
{
	struct plx_mbuf_need need = {.threads = t->opt.nb_cores, .burst = t->opt.burst};

	for (uint16_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].port != NULL)
			add_need(t, &t->ports[i], &need);
	if (t->opt.modes.n_tx_segs > 1)
		need.segs = PLX_MAX(need.segs, (uint32_t)t->opt.modes.n_tx_segs);
	/* what noisy holds back in each stream */
	if (t->opt.mode == &fwd_noisy)
		need.tx_desc += t->opt.modes.noisy_buffer * t->n_ports * t->opt.rxq;
	return plx_mbuf_pool_need(&need);
}

/* Packets may leave through any port, also one with an I/O address space of its own. */
static int name_pool(struct testpmd *t, struct plx_mbuf_pool *pool)
{
	struct plx_mbuf_pool **list = realloc(t->pools, (t->n_pools + 1) * sizeof(*list));

	if (list == NULL) {
		complain("no memory for the list of pools");
		return -1;
	}
	t->pools = list;
	t->pools[t->n_pools++] = pool;
	for (uint16_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].port != NULL && plx_port_map_pool(t->ports[i].port, pool) < 0)
			return port_complain(t, &t->ports[i], NULL);
	return 0;
}

static int map_pools(struct testpmd *t, const struct tp_port *p)
{
	for (size_t i = 0; i < t->n_pools; i++)
		if (plx_port_map_pool(p->port, t->pools[i]) < 0)
			return -1;
	return 0;
}

static int make_pool(struct testpmd *t, const char *name, uint32_t n, struct plx_mbuf_pool **pool)
{
	struct plx_mbuf_pool_opts opts = PLX_MBUF_POOL_OPTS_INIT;

	opts.name = name;
	opts.n = n;
	opts.room = t->opt.mbuf_size;
	if (plx_mbuf_pool_create(t->ctx, &opts, pool) == 0)
		return name_pool(t, *pool);
	complain("%s", plx_errmsg());
	return -1;
}

static int make_common_pool(struct testpmd *t)
{
	t->n_mbufs = t->opt.total_num_mbufs != 0 ? t->opt.total_num_mbufs : mbufs_needed(t);
	t->n_mbufs = PLX_MAX(t->n_mbufs, 64u);
	if (make_pool(t, "testpmd", t->n_mbufs, &t->pool) < 0)
		return -1;
	for (uint16_t i = 0; i < t->n_ports; i++)
		t->ports[i].pool = t->pool;
	return 0;
}

int port_feed(struct testpmd *t, struct tp_port *p)
{
	struct plx_mbuf_need need = {.threads = t->opt.nb_cores, .burst = t->opt.burst};
	char name[16];
	uint32_t n;

	p->pool = t->pool;
	if (t->opt.total_num_mbufs != 0 || mbufs_needed(t) <= t->n_mbufs)
		return 0;
	add_need(t, p, &need);
	/* its packets may fill the TX rings of others */
	need.tx_desc = 0;
	for (uint16_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].port != NULL)
			need.tx_desc += rings(
				t->ports[i].n_txq, t->ports[i].txd, t->ports[i].info.def_tx_desc);
	n = plx_mbuf_pool_need(&need);
	if (p->own_pool == NULL || p->own_mbufs < n) {
		snprintf(name, sizeof(name), "port %u", port_number(t, p));
		if (make_pool(t, name, n, &p->own_pool) < 0)
			return -1;
		p->own_mbufs = n;
	}
	p->pool = p->own_pool;
	return 0;
}

/* ---- setting up ---- */

/* Packets longer than a room come as chains: a capture's may always be, a NIC's by its MTU. */
static bool needs_scatter(const struct testpmd *t, const struct tp_port *p)
{
	return p->info.any_length ||
	       p->mtu + PLX_ETH_OVERHEAD > t->opt.mbuf_size - PLX_MBUF_HEADROOM;
}

static int configure(struct testpmd *t, struct tp_port *p)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;

	conf.n_rxq = p->n_rxq;
	conf.n_txq = p->n_txq;
	conf.mtu = PLX_MAX(PLX_MIN((uint32_t)p->mtu, p->info.max_mtu), p->info.min_mtu);
	conf.promisc = p->promisc;
	conf.allmulti = p->allmulti;
	if (needs_scatter(t, p))
		conf.rx_offloads |= p->info.rx_offloads & PLX_RX_OFFLOAD_SCATTER;
	if (p->strip)
		conf.rx_offloads |= p->info.rx_offloads & PLX_RX_OFFLOAD_VLAN_STRIP;
	/* whether there will be chains depends on the ports they come from, which change */
	conf.tx_offloads |= p->info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG;
	if (t->opt.modes.rss != 0)
		conf.rx_offloads |= p->info.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH;
	p->mode_rx |= t->opt.mode->rx_offloads;
	p->mode_tx |= t->opt.mode->tx_offloads;
	conf.rx_offloads |= p->info.rx_offloads & p->mode_rx;
	conf.tx_offloads |= p->info.tx_offloads & p->mode_tx;
	p->rx_offloads = conf.rx_offloads;
	p->tx_offloads = conf.tx_offloads;
	return plx_port_configure(p->port, &conf);
}

/*
 * --rss: packets are spread over the RX queues by a hash of those of these fields that the device
 * can hash. plx_port_configure() has made the table even.
 */
static int set_rss(struct testpmd *t, struct tp_port *p)
{
	const struct plx_rss rss = {.fields = t->opt.modes.rss & p->info.rss_fields};

	if (t->opt.modes.rss == 0)
		return 0;
	if (rss.fields != 0)
		return plx_port_set_rss(p->port, &rss);
	if (p->n_rxq > 1)
		complain(
			"warning: port %u: %s has no RSS of these fields: --rss spreads nothing over "
			"its %u RX queues",
			port_number(t, p), p->device, p->n_rxq);
	return 0;
}

static int set_up_queues(struct tp_port *p)
{
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;

	rx.n_desc = p->rxd;
	rx.pool = p->pool;
	tx.n_desc = p->txd;
	for (uint16_t q = 0; q < p->n_rxq; q++)
		if (plx_rxq_setup(p->port, q, &rx, NULL) < 0)
			return -1;
	for (uint16_t q = 0; q < p->n_txq; q++)
		if (plx_txq_setup(p->port, q, &tx, NULL) < 0)
			return -1;
	return 0;
}

bool port_lacks_offloads(const struct tp_port *p, const struct fwd_mode *mode)
{
	return (p->info.rx_offloads & mode->rx_offloads & ~p->rx_offloads) != 0 ||
	       (p->info.tx_offloads & mode->tx_offloads & ~p->tx_offloads) != 0;
}

static int enough_queues(
	const struct testpmd *t, const struct tp_port *p, bool rx, uint16_t want, uint16_t max)
{
	if (want <= max)
		return 0;
	complain("port %u (%s): %u %s queues are more than its %u: choose %s 1 to %u",
		port_number(t, p), p->device, want, rx ? "RX" : "TX", max, rx ? "--rxq" : "--txq",
		max);
	return -1;
}

int port_set_up(struct testpmd *t, struct tp_port *p)
{
	if (enough_queues(t, p, true, p->n_rxq, p->info.max_rxq) < 0 ||
		enough_queues(t, p, false, p->n_txq, p->info.max_txq) < 0)
		return -1;
	if (configure(t, p) < 0 || set_rss(t, p) < 0 || map_pools(t, p) < 0 || set_up_queues(p) < 0)
		return port_complain(t, p, NULL);
	return 0;
}

int port_start(struct testpmd *t, struct tp_port *p)
{
	if (plx_port_start(p->port) < 0)
		return port_complain(t, p, NULL);
	p->started = true;
	p->failed = false;
	return 0;
}

int port_stop(struct testpmd *t, struct tp_port *p)
{
	if (plx_port_stop(p->port) < 0)
		return port_complain(t, p, NULL);
	p->started = false;
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
	if (make_common_pool(t) < 0)
		return -1;
	for (uint16_t i = 0; i < t->n_ports; i++)
		if (port_set_up(t, &t->ports[i]) < 0 || port_start(t, &t->ports[i]) < 0)
			return -1;
	wait_for_links(t);
	return 0;
}

int ports_stop(struct testpmd *t)
{
	int err = 0;

	for (uint16_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].port != NULL && port_stop(t, &t->ports[i]) < 0)
			err = -1;
	return err;
}
