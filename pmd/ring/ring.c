/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring: two ports of a context that are each other's other end, by lib/ring.
 *
 *	ring:NAME		the first and the second port opened with a name are a pair
 *	ring:NAME,loop=1	one port that receives what it sends
 *
 * What TX queue i of one end takes, RX queue i of the other delivers, in order; the two may be polled by
 * two threads. Mbufs pass as they are, nothing is copied, and they keep their pools; only what a receiver
 * could not call its own (shared, attached to other memory, chained without PLX_RX_OFFLOAD_SCATTER) is
 * copied into mbufs of the RX queue's pool. The ring between has the RX queue's descriptors; a TX queue
 * has none. There is no wire: flags, lengths of headers and VLAN tags that the sender left in an mbuf
 * are cleared, offloads are not offered.
 *
 * The link is up while both ends are started. A TX queue without an RX queue of its number at the other
 * end takes nothing and counts tx_nolink. What an end has taken is the other's: it can be received after
 * the sender has stopped or closed. What is in the rings of an end that stops is freed and counted in its
 * rx_missed.
 */
#include "ring_pmd.h"

static const struct plx_opt_def ring_opts[] = {
	{"loop", PLX_OPT_BOOL, offsetof(struct ring_port, loop), 0, 0, NULL,
		"receive what is sent: no second port of the name"},
};

/* ---- open and close ---- */

/* Locally administered, the same for a name each time, and one bit apart for its two ends. */
static struct plx_mac mac_of(const char *name, unsigned side)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a, 64 bits */
	struct plx_mac mac = {{0x02, 0, 0, 0, 0, 0}};

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(1099511628211);
	for (unsigned i = 1; i < PLX_ETH_ALEN; i++)
		mac.b[i] = (uint8_t)(h >> 8 * i);
	mac.b[PLX_ETH_ALEN - 1] = (uint8_t)((mac.b[PLX_ETH_ALEN - 1] & 0xfe) | side);
	return mac;
}

static int ring_open(struct plx_port *port)
{
	struct ring_port *rp = port->priv;
	const char *name = plx_opts_address(port->dev->opts);
	int err;

	rp->port = port;
	err = plx_opts_apply(port->dev->opts, ring_opts, PLX_ARRAY_SIZE(ring_opts), rp);
	if (err < 0)
		return err;
	if (name[0] == '\0' || strlen(name) > RING_NAME_MAX)
		return plx_err(EINVAL,
			"%s: a ring needs a name of 1 to %u characters, as ring:a: the two ports opened "
			"with it are a pair",
			plx_port_name(port), RING_NAME_MAX);
	/* a key that nobody knows is found before the name is taken */
	err = plx_opts_finish(port->dev->opts);
	if (err == 0)
		err = ring_join(rp, name);
	if (err == 0)
		rp->mac = mac_of(name, rp->side);
	return err;
}

static void ring_close(struct plx_port *port)
{
	ring_leave(port->priv);
}

static int ring_info(struct plx_port *port, struct plx_port_info *info)
{
	const struct ring_port *rp = port->priv;

	info->mac = rp->mac;
	info->max_rxq = info->max_txq = RING_QUEUES;
	info->min_desc = info->desc_align = 1;
	info->max_desc = 32768;
	info->def_rx_desc = info->def_tx_desc = 1024;
	info->def_burst = 32;
	info->min_mtu = 68;
	info->max_mtu = PLX_PKT_LEN_MAX - (PLX_ETH_OVERHEAD - 4);
	info->min_rx_room = 64;
	info->rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	info->tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	info->max_tx_segs = UINT16_MAX;
	return 0;
}

/* ---- queues ---- */

static size_t lens_bytes(const struct ring_rxq *rxq)
{
	return plx_ring_slots(rxq->ring) * sizeof(rxq->lens[0]);
}

static int ring_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf)
{
	struct ring_rxq *rxq = (struct ring_rxq *)q;
	struct plx_ring_opts opts = PLX_RING_OPTS_INIT;
	int err;

	rxq->scatter = (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER) != 0;
	rxq->seg_max = q->pool->room - PLX_MBUF_HEADROOM;
	rxq->deferred = conf->deferred;
	opts.capacity = q->n_desc;
	opts.flags = PLX_RING_SPSC;
	err = plx_ring_create(port->ctx, &opts, &rxq->ring);
	if (err < 0)
		return err;
	rxq->lens = plx_priv_alloc(port->ctx, lens_bytes(rxq), port->info.node);
	return rxq->lens != NULL ? 0 : -ENOMEM;
}

static void ring_rxq_release(struct plx_port *port, struct plx_rxq *q)
{
	struct ring_rxq *rxq = (struct ring_rxq *)q;

	if (rxq->lens != NULL)
		plx_priv_free(port->ctx, rxq->lens, lens_bytes(rxq));
	plx_ring_free(rxq->ring); /* empty since stop */
}

static plx_rx_fn ring_rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? ring_rx_avx2 : ring_rx;
}

static plx_tx_fn ring_tx_select(struct plx_port *port, const struct plx_txq *q)
{
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? ring_tx_avx2 : ring_tx;
}

static int ring_rxq_start(struct plx_port *port, struct plx_rxq *q)
{
	ring_rxq_up(port->priv, (struct ring_rxq *)q);
	return 0;
}

static int ring_rxq_stop(struct plx_port *port, struct plx_rxq *q)
{
	ring_rxq_down(port->priv, (struct ring_rxq *)q);
	return 0;
}

/* A TX queue that is not running takes nothing, and there is no more to it. */
static int ring_txq_nothing(struct plx_port *port, struct plx_txq *q)
{
	return 0;
}

/* ---- start, stop, link ---- */

static int ring_start(struct plx_port *port)
{
	ring_up(port->priv);
	return 0;
}

static void ring_stop(struct plx_port *port)
{
	ring_down(port->priv);
}

static int ring_link(struct plx_port *port, struct plx_link *link)
{
	link->up = ring_link_up(port->priv);
	link->full_duplex = true;
	return 0;
}

/* ---- settings ---- */

static int ring_set_mtu(struct plx_port *port, uint32_t mtu)
{
	const uint32_t frame = mtu + PLX_ETH_OVERHEAD - 4;

	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		const struct ring_rxq *rxq = (const struct ring_rxq *)port->rxqs[i];

		if (rxq != NULL && !rxq->scatter && rxq->seg_max < frame)
			return plx_err(EINVAL,
				"%s: MTU %u: a frame may have %u bytes, a data room of RX queue %u holds "
				"%u; use larger rooms, or PLX_RX_OFFLOAD_SCATTER",
				plx_port_name(port), mtu, frame, i, rxq->seg_max);
	}
	plx_port_set_max_pkt(port, frame);
	ring_new_mtu(port->priv);
	return 0;
}

/* All packets come, whatever their addresses. */
static int ring_any_mode(struct plx_port *port, bool on)
{
	return 0;
}

static int ring_set_mac(struct plx_port *port, const struct plx_mac *mac)
{
	struct ring_port *rp = port->priv;

	rp->mac = *mac;
	return 0;
}

/* ---- counters ---- */

static void ring_stats(struct plx_port *port, struct plx_port_stats *stats)
{
	const struct ring_port *rp = port->priv;

	stats->rx_missed += rp->left - rp->left_base;
}

static void ring_stats_reset(struct plx_port *port)
{
	struct ring_port *rp = port->priv;

	rp->left_base = rp->left;
}

static int ring_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	const struct ring_port *rp = port->priv;
	struct plx_xstat all[] = {
		{"rx_copied", 0}, {"rx_waiting", 0}, {"rx_freed_by_stop", rp->left}};

	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		const struct ring_rxq *rxq = (const struct ring_rxq *)port->rxqs[i];

		if (rxq == NULL)
			continue;
		all[0].value += PLX_READ_ONCE(rxq->copied);
		all[1].value += plx_ring_count(rxq->ring);
	}
	*n = PLX_ARRAY_SIZE(all);
	memcpy(out, all, PLX_MIN(max, *n) * sizeof(all[0]));
	return 0;
}

static const struct plx_eth_ops ops = {
	.priv_size = sizeof(struct ring_port),
	.rxq_size = sizeof(struct ring_rxq),
	.txq_size = sizeof(struct ring_txq),
	.open = ring_open,
	.close = ring_close,
	.info = ring_info,
	.rxq_setup = ring_rxq_setup,
	.rxq_release = ring_rxq_release,
	.start = ring_start,
	.stop = ring_stop,
	.link = ring_link,
	.stats = ring_stats,
	.stats_reset = ring_stats_reset,
	.rx_select = ring_rx_select,
	.tx_select = ring_tx_select,
	.set_mtu = ring_set_mtu,
	.set_promisc = ring_any_mode,
	.set_allmulti = ring_any_mode,
	.set_mac = ring_set_mac,
	.rxq_start = ring_rxq_start,
	.rxq_stop = ring_rxq_stop,
	.txq_start = ring_txq_nothing,
	.txq_stop = ring_txq_nothing,
	.xstats = ring_xstats,
};

const struct plx_driver plx_driver_ring = {
	.name = "ring",
	.help = "pairs of ports within the program: ring:NAME, twice, or ring:NAME,loop=1",
	.cls = PLX_DEV_ETH,
	.ops = &ops,
};
