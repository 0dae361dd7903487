/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp: an Ethernet interface of the kernel as a port, by AF_XDP sockets.
 *
 *	af_xdp:IF,queue=N,mode=auto|zerocopy|copy|skb,need_wakeup=on|off,busy_poll=N,
 *		sums=auto|on|off,xsks_map=PATH
 *
 * Queue i of the port is queue N + i of the interface. An XDP program takes what arrives there before
 * the kernel's stack sees it; other queues' packets go their way. mode: zero-copy where the driver has it
 * (auto), or nothing else (zerocopy), or never (copy), or by the kernel's generic path (skb). xsks_map:
 * the pinned XSKMAP of a program that was attached by somebody else. sums: a veth brings packets whose
 * checksums nobody computed; auto does it there.
 */
#define PLX_LOG_TAG "af_xdp"
#include "af_xdp.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define OPT(k, t, field) .key = k, .type = t, .offset = offsetof(struct axdp_conf, field)

static const char *const modes[] = {"auto", "zerocopy", "copy", "skb", NULL};

static const char *const sums[] = {"auto", "on", "off", NULL};

static const struct plx_opt_def defs[] = {
	{OPT("queue", PLX_OPT_U32, queue), .max = 4095,
		.help = "queue of the interface that is the port's first"},
	{OPT("mode", PLX_OPT_ENUM, mode), .names = modes, .help = "zero-copy or not, or generic"},
	{OPT("need_wakeup", PLX_OPT_BOOL, need_wakeup),
		.help = "the kernel says when it wants to be called"},
	{OPT("busy_poll", PLX_OPT_U32, busy_poll), .max = 64,
		.help = "packets that an RX burst has the kernel take from the NIC, 0: none"},
	{OPT("sums", PLX_OPT_ENUM, sums), .names = sums,
		.help = "complete checksums that the kernel left out; auto: on a veth"},
	{OPT("xsks_map", PLX_OPT_STR, xsks_map),
		.help = "pinned XSKMAP of a program that is attached already"},
};

/* ---- open and close ---- */

/* Does the interface bring packets that never were on a wire? */
static bool is_veth(const struct axdp_port *ap)
{
	struct ethtool_drvinfo drv = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {.ifr_data = (void *)&drv};

	memcpy(ifr.ifr_name, ap->netif.name, sizeof(ifr.ifr_name));
	return ioctl(ap->netif.fd, SIOCETHTOOL, &ifr) == 0 &&
	       strncmp(drv.driver, "veth", sizeof(drv.driver)) == 0;
}

static int axdp_open(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;
	int err;

	ap->log = plx_ctx_log(port->ctx);
	ap->prog_fd = ap->map_fd = ap->link_fd = -1;
	ap->conf.need_wakeup = true;
	err = plx_opts_apply(port->dev->opts, defs, PLX_ARRAY_SIZE(defs), &ap->conf);
	if (err == 0)
		err = plx_netif_open(
			&ap->netif, plx_port_name(port), plx_opts_address(port->dev->opts));
	if (err == 0)
		err = plx_netif_filters(&ap->netif, plx_port_name(port));
	if (err < 0)
		return err;
	ap->sums =
		ap->conf.sums == AXDP_SUMS_ON || (ap->conf.sums == AXDP_SUMS_AUTO && is_veth(ap));
	return axdp_prog_open(port);
}

static void axdp_close(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;

	axdp_prog_close(ap);
	plx_netif_close(&ap->netif);
}

/* Queues that the interface has from conf.queue on; those of one that does not say: as many as may be,
   and binding tells. */
static uint16_t queues(const struct axdp_port *ap)
{
	struct ethtool_channels ch = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq ifr = {.ifr_data = (void *)&ch};
	uint32_t n = 0;

	memcpy(ifr.ifr_name, ap->netif.name, sizeof(ifr.ifr_name));
	if (ioctl(ap->netif.fd, SIOCETHTOOL, &ifr) == 0)
		n = ch.combined_count + ch.rx_count;
	if (n == 0)
		return AXDP_MAX_QUEUES;
	/* none of them left: one, for an error that names the queue */
	n = n > ap->conf.queue ? n - ap->conf.queue : 1;
	return (uint16_t)PLX_MIN(n, AXDP_MAX_QUEUES - 1);
}

static int axdp_info(struct plx_port *port, struct plx_port_info *info)
{
	const struct axdp_port *ap = port->priv;

	info->mac = plx_netif_mac(&ap->netif);
	info->max_rxq = info->max_txq = queues(ap);
	info->min_desc = 16;
	info->max_desc = 16384;
	info->desc_align = 1;
	info->def_rx_desc = info->def_tx_desc = 512;
	info->def_burst = 32;
	info->min_mtu = 68;
	info->max_mtu = AXDP_CHUNK_MAX - AXDP_HEADROOM - (PLX_ETH_OVERHEAD - 4);
	info->min_rx_room = AXDP_CHUNK_MIN - PLX_MBUF_HEADROOM;
	info->rx_offloads = 0;
	info->tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	info->max_tx_segs = UINT16_MAX;
	return 0;
}

/* ---- queues ---- */

static int axdp_configure(struct plx_port *port)
{
	if (port->conf.n_txq > port->conf.n_rxq)
		return plx_err(EINVAL,
			"%s: %u TX queues and %u RX queues: each TX queue takes an RX queue, whose socket "
			"and pool it uses",
			plx_port_name(port), port->conf.n_txq, port->conf.n_rxq);
	return 0;
}

static int axdp_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf)
{
	const uint32_t frame = plx_port_max_frame(port), room = axdp_frame_room(q->pool->room);

	plx_container_of(q, struct axdp_rxq, q)->fd = -1;
	if (frame > room)
		return plx_err(EINVAL,
			"%s: a frame may have %u bytes (MTU %u); of a data room of %u the kernel uses %u, and "
			"keeps %u free before the packet: use rooms of %u, or an MTU of %u",
			plx_port_name(port), frame, port->conf.mtu, q->pool->room,
			PLX_MIN(q->pool->room, AXDP_CHUNK_MAX), AXDP_HEADROOM,
			frame + AXDP_HEADROOM, room - (PLX_ETH_OVERHEAD - 4));
	return 0;
}

static int axdp_txq_setup(struct plx_port *port, struct plx_txq *q, const struct plx_txq_conf *conf)
{
	plx_container_of(q, struct axdp_txq, q)->fd = -1;
	return 0;
}

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	return axdp_rx;
}

static plx_tx_fn tx_select(struct plx_port *port, const struct plx_txq *q)
{
	return axdp_tx;
}

/* ---- start and stop ---- */

static int axdp_start(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;
	int err = plx_netif_promisc(&ap->netif, port->conf.promisc);

	if (err == 0)
		err = plx_netif_allmulti(&ap->netif, port->conf.allmulti);
	return err == 0 ? axdp_socks_open(port) : err;
}

static void axdp_stop(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;

	axdp_socks_close(port);
	/* an interface that vanished has no modes to leave */
	(void)plx_netif_promisc(&ap->netif, false);
	(void)plx_netif_allmulti(&ap->netif, false);
}

/* Once in a while: what the kernel did not take when it was asked. */
static void axdp_control(struct plx_port *port, uint64_t now_ns)
{
	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		struct axdp_txq *txq = plx_container_of(port->txqs[i], struct axdp_txq, q);

		if (PLX_READ_ONCE(txq->pending))
			axdp_kick(txq);
	}
}

static void axdp_txq_progress(struct plx_port *port, struct plx_txq *q, struct plx_progress *p)
{
	const struct axdp_txq *txq = plx_container_of(q, struct axdp_txq, q);

	p->done = PLX_READ_ONCE(*txq->comp.producer);
	p->owed = PLX_READ_ONCE(*txq->tx.producer) != (uint32_t)p->done;
}

/* ---- the rest ---- */

static void axdp_stats(struct plx_port *port, struct plx_port_stats *stats)
{
	const struct axdp_port *ap = port->priv;
	struct xdp_statistics s;

	axdp_counts(port, &s);
	stats->rx_missed += s.rx_dropped - ap->base.rx_dropped;
	stats->rx_missed += s.rx_ring_full - ap->base.rx_ring_full;
	stats->tx_errors += s.tx_invalid_descs - ap->base.tx_invalid_descs;
	stats->tx_errors += ap->unsent - ap->unsent_base;
}

static void axdp_stats_reset(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;

	axdp_counts(port, &ap->base);
	ap->unsent_base = ap->unsent;
}

static int axdp_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	struct xdp_statistics s;

	axdp_counts(port, &s);
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"rx_dropped", s.rx_dropped},
		{"rx_invalid_descs", s.rx_invalid_descs},
		{"tx_invalid_descs", s.tx_invalid_descs},
		{"rx_ring_full", s.rx_ring_full},
		{"rx_fill_ring_empty_descs", s.rx_fill_ring_empty_descs},
		{"tx_ring_empty_descs", s.tx_ring_empty_descs},
	};

	*n = PLX_ARRAY_SIZE(rows);
	for (size_t i = 0; i < *n && i < max; i++) {
		snprintf(out[i].name, sizeof(out[i].name), "%s", rows[i].name);
		out[i].value = rows[i].value;
	}
	return 0;
}

static int axdp_rxq_fd(struct plx_port *port, struct plx_rxq *q)
{
	int fd = plx_container_of(q, struct axdp_rxq, q)->fd;

	return fd >= 0 ? fd
		       : plx_err(EINVAL, "%s: a queue has a descriptor while the port is started",
				 plx_port_name(port));
}

/* The socket is readable whenever the RX ring has packets; nothing needs to be armed. */
static int axdp_rxq_arm(struct plx_port *port, struct plx_rxq *q, bool on)
{
	return 0;
}

PLX_STATIC_ASSERT(offsetof(struct axdp_port, netif) == 0, "for plx_netif_op_*()");

static const struct plx_eth_ops ops = {
	.priv_size = sizeof(struct axdp_port),
	.rxq_size = sizeof(struct axdp_rxq),
	.txq_size = sizeof(struct axdp_txq),
	.open = axdp_open,
	.close = axdp_close,
	.info = axdp_info,
	.configure = axdp_configure,
	.rxq_setup = axdp_rxq_setup,
	.txq_setup = axdp_txq_setup,
	.start = axdp_start,
	.stop = axdp_stop,
	.link = plx_netif_op_link,
	.stats = axdp_stats,
	.stats_reset = axdp_stats_reset,
	.rx_select = rx_select,
	.tx_select = tx_select,
	.reclaim = axdp_tx_reclaim,
	.gone = plx_netif_op_gone,
	.control = axdp_control,
	.txq_progress = axdp_txq_progress,
	.set_promisc = plx_netif_op_promisc,
	.set_allmulti = plx_netif_op_allmulti,
	.set_mac = plx_netif_op_set_mac,
	.add_mac = plx_netif_op_add_mac,
	.del_mac = plx_netif_op_del_mac,
	.set_mcast = plx_netif_op_mcast,
	.rxq_fd = axdp_rxq_fd,
	.rxq_arm = axdp_rxq_arm,
	.xstats = axdp_xstats,
};

const struct plx_driver plx_driver_af_xdp = {
	.name = "af_xdp",
	.help = "an interface of the kernel by AF_XDP sockets: "
		"af_xdp:IF,queue=N,mode=auto|zerocopy|copy|skb,need_wakeup=on|off,busy_poll=N,"
		"sums=auto|on|off,xsks_map=PATH",
	.cls = PLX_DEV_ETH,
	.ops = &ops,
};
