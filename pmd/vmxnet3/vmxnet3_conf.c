/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared area: what the device reads when it is started, and when a command says so. */
#include "vmxnet3.h"

/* ---- queues ---- */

/* The device wants one queue each way at least, with rings: in these it finds nothing. */
static void fill_idle(struct vmxnet3_port *p, const struct plx_port_conf *conf)
{
	const plx_le64 ring = plx_le64_make(vmxnet3_iova(p, p->mem->idle));
	const plx_le32 size = plx_le32_make(VMXNET3_IDLE_DESC);
	struct vmxnet3_tx_queue *tx = &vmxnet3_tx_desc(p, 0)->tx;
	struct vmxnet3_rx_queue *rx = &vmxnet3_rx_desc(p, 0)->rx;

	if (conf->n_txq == 0) {
		tx->ring_pa = ring;
		tx->ring_size = size;
		tx->comp_pa = plx_le64_make(vmxnet3_iova(p, p->mem->idle_comp[0]));
		tx->comp_size = size;
	}
	if (conf->n_rxq == 0) {
		rx->ring_pa[0] = ring;
		rx->ring_pa[1] = ring;
		rx->ring_size[0] = size;
		rx->ring_size[1] = size;
		rx->comp_pa = plx_le64_make(vmxnet3_iova(p, p->mem->idle_comp[1]));
		rx->comp_size = size;
	}
}

static void fill_txq(struct vmxnet3_port *p, const struct vmxnet3_txq *q)
{
	struct vmxnet3_tx_queue *d = &vmxnet3_tx_desc(p, q->h.index)->tx;

	d->ring_pa = plx_le64_make(q->dma.iova);
	d->ring_size = plx_le32_make(q->h.n_desc);
	d->comp_pa = plx_le64_make(q->comp_dma.iova);
	d->comp_size = plx_le32_make(q->h.n_desc);
}

static void fill_rxq(struct vmxnet3_port *p, const struct vmxnet3_rxq *q)
{
	struct vmxnet3_rx_queue *d = &vmxnet3_rx_desc(p, q->h.index)->rx;

	for (uint32_t i = 0; i < 2; i++) {
		const bool is = q->ring[i].n != 0;

		d->ring_pa[i] = plx_le64_make(is ? q->dma[i].iova : vmxnet3_iova(p, p->mem->idle));
		d->ring_size[i] = plx_le32_make(is ? q->ring[i].n : VMXNET3_IDLE_DESC);
	}
	d->comp_pa = plx_le64_make(q->comp_dma.iova);
	d->comp_size = plx_le32_make(q->n_comp);
}

static void fill_queues(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	memset(p->mem->queues, 0, sizeof(p->mem->queues));
	memset(p->mem->idle, 0, sizeof(p->mem->idle));
	memset(p->mem->idle_comp, 0, sizeof(p->mem->idle_comp));
	fill_idle(p, &port->conf);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		fill_txq(p, vmxnet3_txq(port, i));
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		fill_rxq(p, vmxnet3_rxq(port, i));
}

/* ---- the shared area ---- */

/* The smallest buffer of all queues. */
static uint32_t min_buf(const struct plx_port *port)
{
	uint32_t len = VMXNET3_RX_LEN_MAX;

	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		len = PLX_MIN(len, (uint32_t)vmxnet3_rxq(port, i)->buf_len);
	return len;
}

/* Buffers in one packet at most. */
static uint32_t max_rx_sg(const struct plx_port *port)
{
	const uint32_t len = min_buf(port);

	if (!(port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER))
		return 1;
	return PLX_MIN((PLX_PKT_LEN_MAX + len - 1) / len, (uint32_t)VMXNET3_MAX_RX_SEGS);
}

/* The MTU may change while the device runs, which does not look again: it is told the most. */
static uint32_t max_mtu(const struct plx_port *port)
{
	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER)
		return VMXNET3_MAX_MTU;
	return PLX_MIN(min_buf(port) - (PLX_ETH_OVERHEAD - 4), (uint32_t)VMXNET3_MAX_MTU);
}

void vmxnet3_conf_features(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	uint32_t v = 0;

	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_CKSUM)
		v |= VMXNET3_F_RXCSUM;
	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_LRO)
		v |= VMXNET3_F_LRO | VMXNET3_F_RXCSUM;
	if (p->strip)
		v |= VMXNET3_F_RXVLAN;
	if (p->rss.on && p->rss.fields != 0)
		v |= VMXNET3_F_RSS;
	p->mem->shared.misc.features = plx_le64_make(v);
}

void vmxnet3_conf_mode(struct vmxnet3_port *p)
{
	uint32_t v = VMXNET3_RXM_UCAST | VMXNET3_RXM_BCAST;

	if (p->n_mcast != 0)
		v |= VMXNET3_RXM_MCAST;
	if (p->allmulti || p->all_groups)
		v |= VMXNET3_RXM_ALL_MULTI;
	if (p->promisc)
		v |= VMXNET3_RXM_PROMISC;
	p->mem->shared.filter.mode = plx_le32_make(v);
}

static void fill_misc(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	struct vmxnet3_misc_conf *m = &p->mem->shared.misc;

	m->version = plx_le32_make(0x01000000);
	m->gos = plx_le32_make(VMXNET3_GOS);
	m->rev = plx_le32_make(1);
	m->upt_rev = plx_le32_make(1);
	m->queue_desc_pa = plx_le64_make(vmxnet3_iova(p, p->mem->queues));
	m->queue_desc_len =
		plx_le32_make((uint32_t)((p->n_txq + p->n_rxq) * sizeof(union vmxnet3_queue_desc)));
	m->mtu = plx_le32_make(max_mtu(port));
	m->max_rx_sg = plx_le16_make((uint16_t)max_rx_sg(port));
	m->n_txq = (uint8_t)p->n_txq;
	m->n_rxq = (uint8_t)p->n_rxq;
}

/* A device that reads this with its first command receives nothing before it has all its filters. */
void vmxnet3_conf_fill(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	struct vmxnet3_shared *s = &p->mem->shared;

	memset(s, 0, sizeof(*s));
	s->magic = plx_le32_make(VMXNET3_MAGIC);
	fill_queues(port);
	fill_misc(port);
	vmxnet3_conf_features(port);
	vmxnet3_irq_fill(p);
	s->filter.mf_pa = plx_le64_make(vmxnet3_iova(p, p->mem->mcast));
	vmxnet3_rss_fill(p);
}
