/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap: capture files and live interfaces as ports, by libpcap.
 *
 *	pcap:rx=IN,loop=N,speed=max|real,preload=1	RX delivers the packets of a capture
 *	pcap:tx=OUT,tsprec=micro|nano			TX writes one
 *	pcap:rx=IN,tx=OUT				both
 *	pcap:iface=IF					packets of a network interface
 *
 * rx: a pcap or pcapng of Ethernet, "-" for standard input. Its packets come in order, with its
 * times as timestamps (ns since 1970); of a packet that was cut at capture the mbuf has the bytes
 * there are, and wire_len. loop: how often it is read, 0 for ever. speed=real keeps the distances of
 * the timestamps. preload=1 reads it into memory at open. A burst on a pipe waits for its writer.
 * A fault in the file fails the queue (EBADMSG) after the packets before it. Stop and start go on
 * where they were, reset begins anew.
 * tx: a classic pcap, "-" for standard output. Without rx nothing comes, without tx what is sent is
 * dropped. The MTU limits nothing: captures are taken as they are.
 */
#define PLX_LOG_TAG "pcap"
#include <stdlib.h>
#include <sys/stat.h>

#include "pcap_pmd.h"

#define OPT(k, t, field) .key = k, .type = t, .offset = offsetof(struct capt_conf, field)

static const char *const speeds[] = {"max", "real", NULL};
static const char *const precisions[] = {"micro", "nano", NULL};

static const struct plx_opt_def defs[] = {
	{OPT("rx", PLX_OPT_STR, rx), .help = "capture to receive from, - for standard input"},
	{OPT("tx", PLX_OPT_STR, tx), .help = "capture to write, - for standard output"},
	{OPT("loop", PLX_OPT_U32, loop), .max = UINT32_MAX, .help = "passes over rx, 0 for ever"},
	{OPT("speed", PLX_OPT_ENUM, speed), .names = speeds, .help = "as polled, or as captured"},
	{OPT("preload", PLX_OPT_BOOL, preload), .help = "read rx into memory first"},
	{OPT("tsprec", PLX_OPT_ENUM, tsprec), .names = precisions, .help = "unit of times in tx"},
	{OPT("iface", PLX_OPT_STR, iface), .help = "network interface, instead of rx and tx"},
};

/* ---- open and close ---- */

/* Options that mean nothing together. */
static int check_options(struct plx_port *port, const struct capt_conf *c)
{
	static const char *const of_rx[] = {"loop", "speed", "preload"};
	struct plx_opts *opts = port->dev->opts;
	const char *name = plx_port_name(port);

	if (plx_opts_address(opts)[0] != '\0')
		return plx_err(EINVAL, "%s: is it to be read or written? pcap:rx=%s or pcap:tx=%s",
			name, plx_opts_address(opts), plx_opts_address(opts));
	if (c->iface == NULL && c->rx == NULL && c->tx == NULL)
		return plx_err(EINVAL, "%s: give rx=FILE, tx=FILE or iface=INTERFACE", name);
	if (c->iface != NULL && (c->rx != NULL || c->tx != NULL))
		return plx_err(
			EINVAL, "%s: iface stands alone: open another port for rx and tx", name);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(of_rx); i++)
		if (c->rx == NULL && plx_opts_has(opts, of_rx[i]))
			return plx_err(EINVAL, "%s: %s is for rx=FILE", name, of_rx[i]);
	if (c->tx == NULL && plx_opts_has(opts, "tsprec"))
		return plx_err(EINVAL, "%s: tsprec is for tx=FILE", name);
	return 0;
}

static int rx_open(struct capt_port *cp)
{
	struct capt_rx *rx = &cp->rx;
	struct stat st;
	int err;

	rx->loop = cp->conf.loop;
	rx->real = cp->conf.speed == CAPT_REAL;
	rx->pass = 1;
	rx->pass_empty = true;
	rx->pace.clock = plx_clock_ns;
	err = capt_file_open(&rx->file, cp->conf.rx);
	if (err < 0)
		return err;
	if (cp->conf.preload) {
		bool known = fstat(rx->file.fd, &st) == 0 && st.st_size > 0;

		/* the file stays open, and so its lock against a port that would write it */
		err = capt_store_load(&rx->store, &rx->file, known ? (size_t)st.st_size : 0);
	} else if (rx->loop != 1 && !rx->file.regular) {
		err = plx_err(ESPIPE,
			"%s: is no regular file and can be read once only; with "
			"loop=%u use preload=1",
			rx->file.name, rx->loop);
	}
	rx->open = err == 0;
	return err;
}

static int capt_open(struct plx_port *port)
{
	struct capt_port *cp = port->priv;
	struct capt_conf *c = &cp->conf;
	int err;

	cp->rx.file.fd = -1;
	cp->write.fd = -1;
	cp->log = plx_ctx_log(port->ctx);
	c->loop = 1;
	err = plx_opts_apply(port->dev->opts, defs, PLX_ARRAY_SIZE(defs), c);
	if (err == 0)
		err = check_options(port, c);
	/* a key that nobody knows is found before a file is emptied */
	if (err == 0)
		err = plx_opts_finish(port->dev->opts);
	if (err == 0 && c->iface != NULL)
		err = capt_live_open(port, c->iface, &cp->live);
	if (err == 0 && c->rx != NULL)
		err = rx_open(cp);
	if (err == 0 && c->tx != NULL)
		err = capt_write_open(&cp->write, c->tx, c->tsprec != 0);
	return err;
}

static void capt_close(struct plx_port *port)
{
	struct capt_port *cp = port->priv;

	capt_live_close(cp->live);
	plx_netif_close(&cp->netif);
	capt_store_free(&cp->rx.store);
	capt_file_close(&cp->rx.file);
	capt_write_close(&cp->write);
	cp->live = NULL;
}

static int capt_info(struct plx_port *port, struct plx_port_info *info)
{
	const struct capt_port *cp = port->priv;

	info->max_rxq = info->max_txq = 1;
	info->min_desc = 1;
	info->max_desc = 32768;
	info->desc_align = 1;
	info->def_rx_desc = info->def_tx_desc = 64; /* no ring: none of it is held */
	info->def_burst = 64;
	info->max_mtu = PLX_PKT_LEN_MAX - (PLX_ETH_OVERHEAD - 4);
	info->min_rx_room = 64;
	info->rx_offloads = PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_TIMESTAMP;
	info->tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	info->max_tx_segs = UINT16_MAX;
	info->finite = cp->rx.open && cp->rx.loop != 0;
	info->any_length = cp->rx.open;
	if (cp->live != NULL)
		info->mac = plx_netif_mac(&cp->netif);
	else
		info->mac = (struct plx_mac){{0x02, 'p', 'c', 'a', 'p', 0}};
	return 0;
}

/* ---- queues ---- */

static int capt_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf)
{
	struct capt_rxq *rxq = plx_container_of(q, struct capt_rxq, q);

	rxq->cp = port->priv;
	rxq->scatter = (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER) != 0;
	rxq->seg_max = PLX_MIN(q->pool->room - PLX_MBUF_HEADROOM, PLX_PKT_LEN_MAX);
	return 0;
}

static int capt_txq_setup(struct plx_port *port, struct plx_txq *q, const struct plx_txq_conf *conf)
{
	struct capt_txq *txq = plx_container_of(q, struct capt_txq, q);

	txq->cp = port->priv;
	if (txq->cp->live == NULL)
		return 0;
	txq->flat = malloc(PLX_PKT_LEN_MAX);
	return txq->flat != NULL ? 0 : plx_err(ENOMEM, "%s: no memory", plx_port_name(port));
}

static void capt_txq_release(struct plx_port *port, struct plx_txq *q)
{
	struct capt_txq *txq = plx_container_of(q, struct capt_txq, q);

	free(txq->flat);
	txq->flat = NULL;
}

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	const struct capt_port *cp = port->priv;

	return cp->live != NULL ? capt_live_rx : capt_rx_select(cp);
}

static plx_tx_fn tx_select(struct plx_port *port, const struct plx_txq *q)
{
	const struct capt_port *cp = port->priv;

	return cp->live != NULL ? capt_live_tx : capt_tx_select(cp);
}

/* ---- start, stop, reset ---- */

static int capt_start(struct plx_port *port)
{
	struct capt_port *cp = port->priv;

	capt_pace_restart(&cp->rx.pace);
	return cp->live != NULL ? capt_live_start(port) : 0;
}

static void capt_stop(struct plx_port *port)
{
	struct capt_port *cp = port->priv;

	if (cp->live != NULL)
		capt_live_stop(port);
	else if (cp->write.buf != NULL && port->conf.n_txq > 0)
		capt_tx_stop(port, port->txqs[0]);
}

/* From the first packet again. What was written stays. */
static int capt_reset(struct plx_port *port)
{
	struct capt_port *cp = port->priv;
	struct capt_rx *rx = &cp->rx;

	if (!rx->open)
		return 0;
	rx->pass = 1;
	rx->ended = false;
	__atomic_store_n(&rx->drained, 0, __ATOMIC_RELEASE);
	rx->pace = (struct capt_pace){.clock = rx->pace.clock};
	return capt_rx_rewind(rx);
}

static bool capt_drained(struct plx_port *port)
{
	struct capt_port *cp = port->priv;

	return __atomic_load_n(&cp->rx.drained, __ATOMIC_ACQUIRE) != 0;
}

/* ---- the rest ---- */

static bool capt_gone(struct plx_port *port)
{
	struct capt_port *cp = port->priv;

	return cp->live != NULL && plx_netif_gone(&cp->netif);
}

static int capt_link(struct plx_port *port, struct plx_link *link)
{
	const struct capt_port *cp = port->priv;

	if (cp->live != NULL)
		return plx_netif_link(&cp->netif, link);
	link->up = true;
	link->full_duplex = true;
	return 0;
}

static void capt_stats(struct plx_port *port, struct plx_port_stats *stats)
{
	struct capt_port *cp = port->priv;

	if (cp->live != NULL)
		capt_live_stats(cp->live, stats, false);
}

static void capt_stats_reset(struct plx_port *port)
{
	struct capt_port *cp = port->priv;

	if (cp->live != NULL)
		capt_live_stats(cp->live, NULL, true);
}

/* A file's packets come whatever their addresses. */
static int capt_promisc(struct plx_port *port, bool on)
{
	struct capt_port *cp = port->priv;

	return cp->live != NULL ? plx_netif_promisc(&cp->netif, on) : 0;
}

static int capt_allmulti(struct plx_port *port, bool on)
{
	struct capt_port *cp = port->priv;

	return cp->live != NULL ? plx_netif_allmulti(&cp->netif, on) : 0;
}

static const struct plx_eth_ops ops = {
	.priv_size = sizeof(struct capt_port),
	.rxq_size = sizeof(struct capt_rxq),
	.txq_size = sizeof(struct capt_txq),
	.open = capt_open,
	.close = capt_close,
	.info = capt_info,
	.rxq_setup = capt_rxq_setup,
	.txq_setup = capt_txq_setup,
	.txq_release = capt_txq_release,
	.start = capt_start,
	.stop = capt_stop,
	.link = capt_link,
	.stats = capt_stats,
	.stats_reset = capt_stats_reset,
	.rx_select = rx_select,
	.tx_select = tx_select,
	.reclaim = capt_tx_reclaim,
	.reset = capt_reset,
	.gone = capt_gone,
	.drained = capt_drained,
	.set_promisc = capt_promisc,
	.set_allmulti = capt_allmulti,
};

const struct plx_driver plx_driver_pcap = {
	.name = "pcap",
	.help = "capture files and live interfaces: pcap:rx=IN,tx=OUT,loop=N,speed=max|real,preload=1 "
		"or pcap:iface=IF",
	.cls = PLX_DEV_ETH,
	.ops = &ops,
};
