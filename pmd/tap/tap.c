/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap: a TAP device of the kernel, an interface whose wire's other end is the port.
 *
 *	tap:NAME,persist=on|off,vnet=on|off
 *
 * What the kernel sends on interface NAME the port receives, and what the port sends the interface
 * receives. An interface that is not there is made, with a %d in NAME numbered; it ends with the port
 * unless persist is on. One that is there and free is used, by an ordinary user too if it was made for him.
 * vnet is struct virtio_net_hdr before each packet, which checksum and TCP segmentation offload need.
 */
#define PLX_LOG_TAG "tap"
#include "tap.h"

#include <linux/if_tun.h>
#include <stdlib.h>

#define OPT(k, t, field) .key = k, .type = t, .offset = offsetof(struct tap_conf, field)

static const struct plx_opt_def defs[] = {
	{OPT("persist", PLX_OPT_BOOL, persist), .help = "the interface stays when the port closes"},
	{OPT("vnet", PLX_OPT_BOOL, vnet), .help = "checksum and segmentation offloads"},
};

/* ---- open and close ---- */

static int tap_open(struct plx_port *port)
{
	struct tap_port *tp = port->priv;
	int err;

	tp->log = plx_ctx_log(port->ctx);
	tp->conf.vnet = true;
	err = plx_opts_apply(port->dev->opts, defs, PLX_ARRAY_SIZE(defs), &tp->conf);
	/* a key that nobody knows is found before an interface is made */
	if (err == 0)
		err = plx_opts_finish(port->dev->opts);
	return err == 0 ? tap_if_open(port, plx_opts_address(port->dev->opts)) : err;
}

static void tap_close(struct plx_port *port)
{
	tap_if_close(port->priv);
}

static int tap_info(struct plx_port *port, struct plx_port_info *info)
{
	const struct tap_port *tp = port->priv;

	info->mac = tp->mac;
	info->max_rxq = tp->multi ? TAP_QUEUES : 1;
	info->max_txq = TAP_QUEUES;
	info->min_desc = info->desc_align = 1; /* the kernel's queue is as long as its txqueuelen */
	info->max_desc = 32768;
	info->def_rx_desc = info->def_tx_desc = 64;
	info->def_burst = 32;
	info->min_mtu = 68;
	info->max_mtu = PLX_PKT_LEN_MAX - (PLX_ETH_OVERHEAD - 4);
	info->min_rx_room = TAP_ROOM_MIN;
	info->rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	info->tx_offloads =
		PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG;
	if (tp->conf.vnet) {
		info->rx_offloads |= PLX_RX_OFFLOAD_CKSUM;
		info->tx_offloads |=
			PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_TSO;
	}
	info->max_tx_segs = TAP_SEGS - 5; /* offloads cut the first one */
	return 0;
}

static int tap_configure(struct plx_port *port)
{
	struct tap_port *tp = port->priv;
	const uint32_t mtu = plx_netif_mtu(&tp->netif);
	int err = tap_if_queues(port, port->conf.n_rxq);

	if (err < 0 || mtu == port->conf.mtu)
		return err;
	if (tp->created)
		return plx_netif_set_mtu(&tp->netif, port->conf.mtu);
	if (mtu > port->conf.mtu)
		plx_logf(tp->log, PLX_LOG_WARN,
			"%s: configured for an MTU of %u, interface %s has %u: what is longer is dropped; "
			"plx_port_set_mtu(), or ip link set %s mtu %u",
			plx_port_name(port), port->conf.mtu, tp->netif.name, mtu, tp->netif.name,
			port->conf.mtu);
	return 0;
}

/* ---- queues ---- */

/* For packets of up to max bytes: further segments, of which there is a most. */
static int set_tail(const struct plx_port *port, struct tap_rxq *rxq, uint32_t max)
{
	const uint32_t n = max / rxq->seg_max;

	if (n > TAP_SEGS)
		return plx_err(EINVAL,
			"%s: packets of %u bytes take %u rooms of %u, at most %u can be: use larger ones",
			plx_port_name(port), max, n + 1, rxq->seg_max, TAP_SEGS + 1);
	rxq->n_tail = (uint16_t)n;
	rxq->tail_missing = true;
	return 0;
}

/* What can be received in it: with a byte to spare, unless exact, so that longer packets are noticed. */
static uint32_t longest(const struct tap_rxq *rxq)
{
	return (rxq->n_tail + 1u) * rxq->seg_max - (rxq->exact ? 0 : 1);
}

static bool scatters(const struct plx_port *port)
{
	return (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER) != 0;
}

static int tap_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf)
{
	struct tap_rxq *rxq = plx_container_of(q, struct tap_rxq, q);

	rxq->tp = port->priv;
	rxq->vnet = rxq->tp->conf.vnet ? TAP_VNET : 0;
	rxq->cksum = (port->conf.rx_offloads & PLX_RX_OFFLOAD_CKSUM) != 0;
	rxq->seg_max = PLX_MIN(q->pool->room - PLX_MBUF_HEADROOM, PLX_PKT_LEN_MAX);
	rxq->exact = !scatters(port) && rxq->seg_max == q->max_pkt;
	return scatters(port) ? set_tail(port, rxq, q->max_pkt) : 0;
}

static int tap_txq_setup(struct plx_port *port, struct plx_txq *q, const struct plx_txq_conf *conf)
{
	struct tap_txq *txq = plx_container_of(q, struct tap_txq, q);

	txq->tp = port->priv;
	txq->vnet = txq->tp->conf.vnet ? TAP_VNET : 0;
	return 0;
}

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	const struct tap_rxq *rxq = plx_container_of(q, struct tap_rxq, q);

	return rxq->n_tail > 0 || rxq->exact ? tap_rx_chains : tap_rx;
}

static plx_tx_fn tx_select(struct plx_port *port, const struct plx_txq *q)
{
	return tap_tx;
}

/* ---- start and stop ---- */

static int tap_start(struct plx_port *port)
{
	struct tap_port *tp = port->priv;

	tp->promisc = port->conf.promisc;
	tp->allmulti = port->conf.allmulti;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		plx_container_of(port->rxqs[i], struct tap_rxq, q)->fd = tp->fds[i];
	/* a descriptor takes packets of any number of writers */
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		plx_container_of(port->txqs[i], struct tap_txq, q)->fd = tp->fds[i % tp->n_fds];
	/* without it the kernel computes sums before it hands packets over */
	return tap_if_start(port, port->conf.rx_offloads & PLX_RX_OFFLOAD_CKSUM ? TUN_F_CSUM : 0);
}

static void tap_stop(struct plx_port *port)
{
	tap_if_stop(port->priv);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL)
			tap_rx_stop(plx_container_of(port->rxqs[i], struct tap_rxq, q));
}

static int tap_link(struct plx_port *port, struct plx_link *link)
{
	link->up = port->started && tap_if_up(port->priv);
	link->full_duplex = true;
	return 0;
}

static bool tap_gone(struct plx_port *port)
{
	return tap_if_gone(port->priv);
}

static void tap_stats(struct plx_port *port, struct plx_port_stats *stats)
{
	const struct tap_port *tp = port->priv;
	const uint64_t dropped = tap_if_dropped(tp);

	/* of an interface that was deleted nobody knows it any more */
	if (dropped > tp->missed_base)
		stats->rx_missed += dropped - tp->missed_base;
}

static void tap_stats_reset(struct plx_port *port)
{
	struct tap_port *tp = port->priv;

	tp->missed_base = tap_if_dropped(tp);
}

/* ---- settings ---- */

static int tap_set_mtu(struct plx_port *port, uint32_t mtu)
{
	const struct tap_port *tp = port->priv;
	const uint32_t frame = mtu + PLX_ETH_OVERHEAD - 4;
	int err;

	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		const struct tap_rxq *rxq =
			port->rxqs[i] == NULL ? NULL
					      : plx_container_of(port->rxqs[i], struct tap_rxq, q);

		if (rxq != NULL && longest(rxq) < frame)
			return plx_err(EINVAL,
				"%s: MTU %u: a frame may have %u bytes, RX queue %u was set up for %u: "
				"configure the port with that MTU%s",
				plx_port_name(port), mtu, frame, i, longest(rxq),
				scatters(port) ? ""
					       : ", and larger rooms or PLX_RX_OFFLOAD_SCATTER");
	}
	err = plx_netif_set_mtu(&tp->netif, mtu);
	if (err < 0)
		return err;
	plx_port_set_max_pkt(port, frame);
	return 0;
}

static int tap_promisc(struct plx_port *port, bool on)
{
	struct tap_port *tp = port->priv;

	tp->promisc = on;
	return tap_if_filter(port);
}

static int tap_allmulti(struct plx_port *port, bool on)
{
	struct tap_port *tp = port->priv;

	tp->allmulti = on;
	return tap_if_filter(port);
}

static int tap_set_mac(struct plx_port *port, const struct plx_mac *mac)
{
	struct tap_port *tp = port->priv;

	tp->mac = *mac;
	return tap_if_filter(port);
}

static int tap_mcast(struct plx_port *port, const struct plx_mac *list, size_t n)
{
	struct tap_port *tp = port->priv;
	struct plx_mac *copy;

	if (n > TAP_GROUPS)
		return plx_err(EINVAL,
			"%s: %zu multicast addresses: it takes %u; all-multicast mode takes all",
			plx_port_name(port), n, TAP_GROUPS);
	copy = calloc(n > 0 ? n : 1, sizeof(*list));
	if (copy == NULL)
		return plx_err(ENOMEM, "%s: no memory for %zu addresses", plx_port_name(port), n);
	if (n > 0)
		memcpy(copy, list, n * sizeof(*list));
	free(tp->mcast);
	tp->mcast = copy;
	tp->n_mcast = n;
	return tap_if_filter(port);
}

static int tap_rxq_fd(struct plx_port *port, struct plx_rxq *q)
{
	return ((const struct tap_port *)port->priv)->fds[q->index];
}

/* The descriptor is readable whenever a packet is there; nothing needs to be armed. */
static int tap_rxq_arm(struct plx_port *port, struct plx_rxq *q, bool on)
{
	return 0;
}

static const struct plx_eth_ops ops = {
	.priv_size = sizeof(struct tap_port),
	.rxq_size = sizeof(struct tap_rxq),
	.txq_size = sizeof(struct tap_txq),
	.open = tap_open,
	.close = tap_close,
	.info = tap_info,
	.configure = tap_configure,
	.rxq_setup = tap_rxq_setup,
	.txq_setup = tap_txq_setup,
	.start = tap_start,
	.stop = tap_stop,
	.link = tap_link,
	.stats = tap_stats,
	.stats_reset = tap_stats_reset,
	.rx_select = rx_select,
	.tx_select = tx_select,
	.gone = tap_gone,
	.tx_prepare = tap_tx_prepare,
	.set_mtu = tap_set_mtu,
	.set_promisc = tap_promisc,
	.set_allmulti = tap_allmulti,
	.set_mac = tap_set_mac,
	.set_mcast = tap_mcast,
	.rxq_fd = tap_rxq_fd,
	.rxq_arm = tap_rxq_arm,
};

const struct plx_driver plx_driver_tap = {
	.name = "tap",
	.help = "a TAP interface of the kernel: tap:NAME,persist=on|off,vnet=on|off",
	.cls = PLX_DEV_ETH,
	.ops = &ops,
};
