/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_packet: an Ethernet interface of the kernel as a port, by packet sockets with mapped rings.
 *
 *	af_packet:IF,fanout=hash|lb|cpu|rollover|rnd|qm,qdisc_bypass=on|off,block=SIZE,latency=TIME
 *
 * Packets come as the interface has them, also those for the kernel's own stack; what is sent on the
 * interface, by this port or others, does not come back. Each queue has a socket of its own; several RX
 * queues are a fanout group, which shares the packets out as fanout says. qdisc_bypass=on (the
 * default) sends past the queueing discipline. An RX block (block=) is handed over when it is full
 * or has waited for latency=.
 */
#define PLX_LOG_TAG "af_packet"
#include "af_packet.h"

#define OPT(k, t, field) .key = k, .type = t, .offset = offsetof(struct afp_conf, field)

/* Packets of TCP that the kernel hands over in one piece must fit a block. */
#define BLOCK_MIN     (UINT64_C(128) << 10)
#define BLOCK_MAX     (UINT64_C(4) << 20)
#define BLOCK_DEFAULT BLOCK_MIN
#define MS            UINT64_C(1000000)
#define MAX_QUEUES    64
#define DEF_RX_DESC   1024
#define DEF_TX_DESC   256 /* the kernel sends at once: no more than the caches hold */

static const char *const fanouts[] = {"hash", "lb", "cpu", "rollover", "rnd", "qm", NULL};

static const struct plx_opt_def defs[] = {
	{OPT("fanout", PLX_OPT_ENUM, fanout), .names = fanouts,
		.help = "how several RX queues share the packets"},
	{OPT("qdisc_bypass", PLX_OPT_BOOL, qdisc_bypass),
		.help = "send past the queueing discipline"},
	{OPT("block", PLX_OPT_SIZE, block), .min = BLOCK_MIN, .max = BLOCK_MAX,
		.help = "bytes that RX hands over at a time, a power of two"},
	{OPT("latency", PLX_OPT_TIME, latency_ns), .min = MS, .max = 1000 * MS,
		.help = "longest wait of a received packet, whole milliseconds"},
};

/* ---- open and close ---- */

static int afp_open(struct plx_port *port)
{
	struct afp_port *ap = port->priv;
	int err;

	ap->log = plx_ctx_log(port->ctx);
	ap->conf =
		(struct afp_conf){.qdisc_bypass = true, .block = BLOCK_DEFAULT, .latency_ns = MS};
	err = plx_opts_apply(port->dev->opts, defs, PLX_ARRAY_SIZE(defs), &ap->conf);
	if (err == 0 && !plx_is_pow2_u64(ap->conf.block))
		err = plx_err(EINVAL, "%s: block=%llu is no power of two", plx_port_name(port),
			(unsigned long long)ap->conf.block);
	if (err == 0)
		err = plx_netif_open(
			&ap->netif, plx_port_name(port), plx_opts_address(port->dev->opts));
	return err == 0 ? plx_netif_filters(&ap->netif, plx_port_name(port)) : err;
}

static void afp_close(struct plx_port *port)
{
	struct afp_port *ap = port->priv;

	plx_netif_close(&ap->netif);
}

static int afp_info(struct plx_port *port, struct plx_port_info *info)
{
	const struct afp_port *ap = port->priv;

	info->mac = plx_netif_mac(&ap->netif);
	info->max_rxq = info->max_txq = MAX_QUEUES;
	info->min_desc = 16;
	info->max_desc = 32768;
	info->desc_align = 2;
	info->def_rx_desc = DEF_RX_DESC;
	info->def_tx_desc = DEF_TX_DESC;
	info->def_burst = 32;
	info->min_mtu = 68;
	info->max_mtu = PLX_PKT_LEN_MAX - (PLX_ETH_OVERHEAD - 4);
	info->min_rx_room = 64;
	info->rx_offloads = PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP |
			    PLX_RX_OFFLOAD_RSS_HASH | PLX_RX_OFFLOAD_SCATTER |
			    PLX_RX_OFFLOAD_TIMESTAMP;
	info->tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM |
			    PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_TSO |
			    PLX_TX_OFFLOAD_MULTI_SEG;
	info->max_tx_segs = UINT16_MAX;
	return 0;
}

/* ---- queues ---- */

static int afp_configure(struct plx_port *port)
{
	const struct afp_port *ap = port->priv;
	const uint32_t mtu = plx_netif_mtu(&ap->netif);

	if (port->conf.mtu > mtu && port->conf.mtu > PLX_MTU_DEFAULT)
		plx_logf(ap->log, PLX_LOG_WARN,
			"%s: configured for an MTU of %u, interface %s has %u: longer frames are not "
			"sent; plx_port_set_mtu(), or ip link set %s mtu %u",
			plx_port_name(port), port->conf.mtu, ap->netif.name, mtu, ap->netif.name,
			port->conf.mtu);
	return 0;
}

static int afp_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf)
{
	plx_container_of(q, struct afp_rxq, q)->ring.fd = -1;
	return 0;
}

static int afp_txq_setup(struct plx_port *port, struct plx_txq *q, const struct plx_txq_conf *conf)
{
	plx_container_of(q, struct afp_txq, q)->ring.fd = -1;
	return 0;
}

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	return afp_rx;
}

static plx_tx_fn tx_select(struct plx_port *port, const struct plx_txq *q)
{
	return afp_tx;
}

/* ---- start and stop ---- */

static int afp_start(struct plx_port *port)
{
	int err = plx_netif_op_promisc(port, port->conf.promisc);

	if (err == 0)
		err = plx_netif_op_allmulti(port, port->conf.allmulti);
	return err == 0 ? afp_rings_open(port) : err;
}

static void afp_stop(struct plx_port *port)
{
	afp_rings_close(port);
	/* an interface that vanished has no modes to leave */
	(void)plx_netif_op_promisc(port, false);
	(void)plx_netif_op_allmulti(port, false);
}

/* Once in a while: what waits in TX rings, the kernel's counts, a new MTU. */
static void afp_control(struct plx_port *port, uint64_t now_ns)
{
	struct afp_port *ap = port->priv;
	const uint32_t frame = plx_netif_mtu(&ap->netif) + 14;

	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		struct afp_txq *txq = plx_container_of(port->txqs[i], struct afp_txq, q);

		PLX_WRITE_ONCE(txq->if_frame, frame);
		if (PLX_READ_ONCE(txq->pending))
			afp_tx_kick(txq);
	}
	afp_missed(port);
}

/* ---- the rest ---- */

static void afp_stats(struct plx_port *port, struct plx_port_stats *stats)
{
	const struct afp_port *ap = port->priv;

	if (port->started)
		afp_missed(port);
	stats->rx_missed += ap->missed - ap->missed_base;
	stats->tx_errors += ap->tx_unsent - ap->tx_unsent_base;
}

static void afp_stats_reset(struct plx_port *port)
{
	struct afp_port *ap = port->priv;

	if (port->started)
		afp_missed(port);
	ap->missed_base = ap->missed;
	ap->tx_unsent_base = ap->tx_unsent;
}

/* Does a frame of an MTU fit the rooms of all RX queues? */
static int check_rooms(const struct plx_port *port, uint32_t mtu, uint32_t frame)
{
	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER)
		return 0;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		const struct plx_rxq *q = port->rxqs[i];

		if (q != NULL && frame > q->pool->room - PLX_MBUF_HEADROOM)
			return plx_err(EINVAL,
				"%s: MTU %u: a frame may have %u bytes, a data room of RX queue %u holds "
				"%u: use larger rooms, or PLX_RX_OFFLOAD_SCATTER",
				plx_port_name(port), mtu, frame, i,
				q->pool->room - PLX_MBUF_HEADROOM);
	}
	return 0;
}

static int afp_set_mtu(struct plx_port *port, uint32_t mtu)
{
	const struct afp_port *ap = port->priv;
	const uint32_t frame = mtu + PLX_ETH_OVERHEAD - 4;
	int err = check_rooms(port, mtu, frame);

	if (err < 0)
		return err;
	for (uint16_t i = 0; port->started && i < port->conf.n_txq; i++)
		if (frame + 4 > plx_container_of(port->txqs[i], struct afp_txq, q)->room)
			return plx_err(EBUSY,
				"%s: frames for an MTU of %u do not fit the TX rings: stop the port first",
				plx_port_name(port), mtu);
	err = plx_netif_set_mtu(&ap->netif, mtu);
	if (err < 0)
		return err;
	plx_port_set_max_pkt(port, frame);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (port->txqs[i] != NULL)
			PLX_WRITE_ONCE(plx_container_of(port->txqs[i], struct afp_txq, q)->if_frame,
				mtu + 14);
	return 0;
}

static int afp_rxq_fd(struct plx_port *port, struct plx_rxq *q)
{
	int fd = plx_container_of(q, struct afp_rxq, q)->ring.fd;

	return fd >= 0 ? fd
		       : plx_err(EINVAL, "%s: a queue has a descriptor while the port is started",
				 plx_port_name(port));
}

/* The socket is readable whenever a block is there; nothing needs to be armed. */
static int afp_rxq_arm(struct plx_port *port, struct plx_rxq *q, bool on)
{
	return 0;
}

PLX_STATIC_ASSERT(offsetof(struct afp_port, netif) == 0, "for plx_netif_op_*()");

static const struct plx_eth_ops ops = {
	.priv_size = sizeof(struct afp_port),
	.rxq_size = sizeof(struct afp_rxq),
	.txq_size = sizeof(struct afp_txq),
	.open = afp_open,
	.close = afp_close,
	.info = afp_info,
	.configure = afp_configure,
	.rxq_setup = afp_rxq_setup,
	.txq_setup = afp_txq_setup,
	.start = afp_start,
	.stop = afp_stop,
	.link = plx_netif_op_link,
	.stats = afp_stats,
	.stats_reset = afp_stats_reset,
	.rx_select = rx_select,
	.tx_select = tx_select,
	.reclaim = afp_tx_reclaim,
	.gone = plx_netif_op_gone,
	.control = afp_control,
	.tx_prepare = afp_tx_prepare,
	.set_mtu = afp_set_mtu,
	.set_promisc = plx_netif_op_promisc,
	.set_allmulti = plx_netif_op_allmulti,
	.set_mac = plx_netif_op_set_mac,
	.add_mac = plx_netif_op_add_mac,
	.del_mac = plx_netif_op_del_mac,
	.set_mcast = plx_netif_op_mcast,
	.rxq_fd = afp_rxq_fd,
	.rxq_arm = afp_rxq_arm,
};

const struct plx_driver plx_driver_af_packet = {
	.name = "af_packet",
	.help = "an interface of the kernel by packet sockets: "
		"af_packet:IF,fanout=hash|lb|cpu|rollover|rnd|qm,qdisc_bypass=on|off,block=SIZE,"
		"latency=TIME",
	.cls = PLX_DEV_ETH,
	.ops = &ops,
};
