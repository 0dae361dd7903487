/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * null: a port without a device. RX makes packets out of nothing as fast as it is asked, TX takes
 * all and frees it. What is left is the cost of Pollux itself; and it is the driver to read first.
 *
 *	null:size=64,copy=0
 *
 * size is the length of the packets that RX makes; longer than a room, they are chains, for which
 * the port must be configured with PLX_RX_OFFLOAD_SCATTER. With copy=1 RX writes each packet's bytes
 * and TX reads them; else RX leaves in the room what was there. What stands before the first option,
 * as in `null:0,size=64`, is a name.
 */
#include "ethdev_pmd.h"
#include "plx_log.h"

#define SIZE_MIN 14u /* an Ethernet header */
#define QUEUES   64u

static const struct plx_mac null_mac = {{0x02, 'n', 'u', 'l', 'l', 0}};

struct null_port {
	uint32_t size;
	bool copy;
	uint8_t frame[PLX_PKT_LEN_MAX]; /* what RX writes with copy=1 */
};

static const struct plx_opt_def null_opts[] = {
	{"size", PLX_OPT_U32, offsetof(struct null_port, size), SIZE_MIN, PLX_PKT_LEN_MAX, NULL,
		"bytes of a received packet"},
	{"copy", PLX_OPT_BOOL, offsetof(struct null_port, copy), 0, 0, NULL,
		"write the bytes of received packets, read those of sent ones"},
};

/* Two of them are bytes 16 to 47 of an mbuf: all that RX has to write. */
typedef uint64_t null_vec __attribute__((vector_size(16), may_alias));

struct null_rxq {
	struct plx_rxq q;
	null_vec fields[2]; /* of a packet of one segment */
	const struct null_port *np;
	uint32_t seg_max; /* data bytes that a segment has room for */
};

struct null_txq {
	struct plx_txq q;
	uint8_t sink[2048]; /* where TX copies to with copy=1 */
};

/* ---- RX ---- */

/* No more than the cache holds; with fewer in the pool, half as many, and so on. */
static void **null_take(struct plx_rxq *q, uint16_t *n)
{
	uint16_t asked = (uint16_t)PLX_MIN((uint32_t)*n, q->cache->limit);
	void **mbufs;

	for (*n = asked; (mbufs = plx_mempool_cache_get_zc(q->cache, *n)) == NULL; *n /= 2)
		;
	if (plx_unlikely(*n < asked))
		plx_ctr_add(&q->ctr[PLX_RXQ_NOMBUF], asked - *n);
	return mbufs;
}

/* Packets of one segment. */
static uint16_t null_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	const struct null_rxq *rxq = (const struct null_rxq *)q;
	const null_vec low = rxq->fields[0], high = rxq->fields[1];
	void **mbufs = null_take(q, &n);

	for (uint16_t i = 0; i < n; i++) {
		struct plx_mbuf *m = mbufs[i];
		null_vec *fields = (null_vec *)(void *)&m->rearm;

		fields[0] = low;
		fields[1] = high;
		pkts[i] = m;
	}
	return plx_rxq_count(q, n, (uint64_t)n * rxq->np->size, 0, 0);
}

/* One packet, of as many segments as it takes; NULL: the pool has too few mbufs. */
static struct plx_mbuf *null_packet(const struct null_rxq *rxq)
{
	struct plx_mbuf *head = NULL, **link = &head, *m;
	uint16_t nsegs = 0;

	for (uint32_t left = rxq->np->size; left > 0; left -= m->data_len, nsegs++) {
		if (plx_mbuf_alloc_bulk_c(rxq->q.cache, &m, 1) == 0) {
			plx_mbuf_free_slow(rxq->q.cache, head);
			return NULL;
		}
		m->data_len = (uint16_t)PLX_MIN(left, rxq->seg_max);
		*link = m;
		link = &m->next;
	}
	head->nsegs = nsegs;
	head->pkt_len = rxq->np->size;
	return head;
}

/* Chains, and packets whose bytes are written. */
static uint16_t null_rx_any(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	const struct null_rxq *rxq = (const struct null_rxq *)q;
	const struct null_port *np = rxq->np;
	uint16_t got = 0;

	while (got < n && (pkts[got] = null_packet(rxq)) != NULL) {
		if (np->copy)
			(void)plx_mbuf_write(pkts[got], 0, np->frame, np->size);
		got++;
	}
	return plx_rxq_count(q, got, (uint64_t)got * np->size, (uint32_t)(n - got), 0);
}

static plx_rx_fn null_rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	const struct null_rxq *rxq = (const struct null_rxq *)q;

	return rxq->np->copy || rxq->np->size > rxq->seg_max ? null_rx_any : null_rx;
}

/* ---- TX ---- */

static uint16_t null_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	return plx_txq_finish(q, pkts, n, bytes, 0);
}

static uint16_t null_tx_copy(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct null_txq *txq = (struct null_txq *)q;

	for (uint16_t i = 0; i < n; i++) {
		const uint32_t len = pkts[i]->pkt_len;

		for (uint32_t off = 0; off < len; off += sizeof(txq->sink))
			(void)plx_mbuf_read(pkts[i], off, txq->sink,
				PLX_MIN(len - off, (uint32_t)sizeof(txq->sink)));
	}
	return null_tx(q, pkts, n);
}

static plx_tx_fn null_tx_select(struct plx_port *port, const struct plx_txq *q)
{
	const struct null_port *np = port->priv;

	return np->copy ? null_tx_copy : null_tx;
}

/* ---- control ---- */

static int null_open(struct plx_port *port)
{
	struct null_port *np = port->priv;
	const uint8_t to_all[2 * PLX_ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	np->size = 64;
	memcpy(np->frame, to_all, PLX_ETH_ALEN);
	memcpy(np->frame + PLX_ETH_ALEN, null_mac.b, PLX_ETH_ALEN);
	np->frame[12] = 0x88; /* IEEE 802 local experimental EtherType 1, 88-b5 */
	np->frame[13] = 0xb5;
	return plx_opts_apply(port->dev->opts, null_opts, PLX_ARRAY_SIZE(null_opts), np);
}

static int null_info(struct plx_port *port, struct plx_port_info *info)
{
	info->mac = null_mac;
	info->max_rxq = info->max_txq = QUEUES;
	info->min_desc = info->desc_align = 1; /* there are no rings */
	info->max_desc = 32768;
	info->def_rx_desc = info->def_tx_desc = 64;
	info->def_burst = 32;
	info->min_mtu = 68;
	info->max_mtu = PLX_PKT_LEN_MAX - (PLX_ETH_OVERHEAD - 4);
	info->min_rx_room = 64;
	info->rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	info->tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	info->max_tx_segs = UINT16_MAX;
	return 0;
}

static int null_configure(struct plx_port *port)
{
	const struct null_port *np = port->priv;

	if (np->size > plx_port_max_frame(port))
		return plx_err(EINVAL,
			"%s: size=%u is longer than the frames of the MTU %u (%u bytes); configure an "
			"MTU of %u, or a smaller size",
			plx_port_name(port), np->size, port->conf.mtu, plx_port_max_frame(port),
			np->size - (plx_port_max_frame(port) - port->conf.mtu));
	return 0;
}

static int null_rxq_setup(struct plx_port *port, struct plx_rxq *q, const struct plx_rxq_conf *conf)
{
	struct null_rxq *rxq = (struct null_rxq *)q;
	const struct null_port *np = port->priv;
	const struct plx_mbuf packet = {
		.rearm = q->pool->rearm, .pkt_len = np->size, .data_len = (uint16_t)np->size};

	rxq->np = np;
	rxq->seg_max = q->pool->room - PLX_MBUF_HEADROOM;
	memcpy(rxq->fields, &packet.rearm, sizeof(rxq->fields));
	return 0;
}

static int null_link(struct plx_port *port, struct plx_link *link)
{
	*link = (struct plx_link){.up = true, .full_duplex = true, .speed_mbps = 100000};
	return 0;
}

/* Queues hold no mbufs and count for themselves, and there is nothing to start, stop or give back. */
static const struct plx_eth_ops null_ops = {
	.priv_size = sizeof(struct null_port),
	.rxq_size = sizeof(struct null_rxq),
	.txq_size = sizeof(struct null_txq),
	.open = null_open,
	.info = null_info,
	.configure = null_configure,
	.rxq_setup = null_rxq_setup,
	.link = null_link,
	.rx_select = null_rx_select,
	.tx_select = null_tx_select,
};

const struct plx_driver plx_driver_null = {
	.name = "null",
	.help = "makes packets from nothing and drops what is sent: null:size=64,copy=0",
	.cls = PLX_DEV_ETH,
	.ops = &null_ops,
};
