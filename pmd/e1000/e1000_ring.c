/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings: their memory, filling and emptying them, what the watchdog wants to know. */
#include "e1000.h"

/* A slot that software owns: no address, and nothing that looks done. */
static void disown(void *ring, uint32_t i)
{
	e1000_desc_store((char *)ring + 16 * (size_t)i, E1000_NO_ADDR, 0);
}

static int ring_alloc(struct plx_port *port, uint16_t n_desc, struct plx_dma *dma)
{
	int err = plx_pci_dma_alloc(port->dev->pci, (size_t)n_desc * 16, 4096, dma);

	if (err < 0)
		return plx_err_prefix(
			err, "%s: a ring of %u descriptors", plx_port_name(port), n_desc);
	for (uint32_t i = 0; i < n_desc; i++)
		disown(dma->va, i);
	return 0;
}

int e1000_rxq_setup(struct plx_port *port, struct plx_rxq *h, const struct plx_rxq_conf *conf)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;
	uint32_t rctl;
	int err = ring_alloc(port, h->n_desc, &q->dma);

	if (err < 0)
		return err;
	q->ring = q->dma.va;
	q->sw = plx_priv_alloc(port->ctx, h->n_desc * sizeof(*q->sw), port->info.node);
	if (q->sw == NULL)
		return -ENOMEM;
	q->buf_len = (uint16_t)e1000_priv(port)->hw.gen->buf_len(
		h->pool->room - PLX_MBUF_HEADROOM, &rctl);
	q->batch = (uint16_t)PLX_MIN((uint32_t)E1000_CHUNK, h->n_desc / 4u);
	q->scatter = (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER) != 0;
	q->legacy = e1000_priv(port)->hw.gen->rx_legacy;
	q->advanced = e1000_priv(port)->hw.gen->rx_advanced;
	q->hash = (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH) != 0;
	q->win = e1000_rx_win(&e1000_priv(port)->hw, h->index);
	q->table = &e1000_priv(port)->rx_table;
	q->spare = (uint16_t)(h->n_desc - 1);
	return 0;
}

void e1000_rxq_release(struct plx_port *port, struct plx_rxq *h)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;

	plx_priv_free(port->ctx, q->sw, h->n_desc * sizeof(*q->sw));
	plx_pci_dma_free(port->dev->pci, &q->dma);
	q->sw = NULL;
}

int e1000_txq_setup(struct plx_port *port, struct plx_txq *h, const struct plx_txq_conf *conf)
{
	struct e1000_txq *q = (struct e1000_txq *)h;
	int err = ring_alloc(port, h->n_desc, &q->dma);

	if (err < 0)
		return err;
	q->ring = q->dma.va;
	q->sw = plx_priv_alloc(port->ctx, h->n_desc * sizeof(*q->sw), port->info.node);
	q->rs = plx_priv_alloc(port->ctx, h->n_desc * sizeof(*q->rs), port->info.node);
	if (q->sw == NULL || q->rs == NULL)
		return -ENOMEM;
	q->win = e1000_tx_win(&e1000_priv(port)->hw, h->index);
	q->alone = port->conf.n_txq == 1;
	q->vlan = (port->conf.tx_offloads & PLX_TX_OFFLOAD_VLAN) != 0;
	q->tso = (port->conf.tx_offloads & PLX_TX_OFFLOAD_TSO) != 0;
	return 0;
}

void e1000_txq_release(struct plx_port *port, struct plx_txq *h)
{
	struct e1000_txq *q = (struct e1000_txq *)h;

	plx_priv_free(port->ctx, q->rs, h->n_desc * sizeof(*q->rs));
	plx_priv_free(port->ctx, q->sw, h->n_desc * sizeof(*q->sw));
	plx_pci_dma_free(port->dev->pci, &q->dma);
	q->rs = NULL;
	q->sw = NULL;
}

void e1000_rxq_fill(struct e1000_rxq *q)
{
	while (q->spare != 0) {
		void **new = plx_mempool_cache_get_zc(q->h.cache, 1);

		if (new == NULL)
			return;
		e1000_rx_arm(q, new, 1);
		q->spare--;
	}
}

void e1000_rxq_drain(struct e1000_rxq *q)
{
	const uint16_t n = q->h.n_desc;

	if (q->first != NULL)
		plx_mbuf_free_slow(q->h.cache, q->first);
	for (uint16_t i = q->head; q->sw != NULL && i != q->tail; i = e1000_wrap(i + 1u, n)) {
		plx_mempool_put_bulk(q->h.cache, (void *const *)&q->sw[i], 1);
		q->sw[i] = NULL;
		disown(q->ring, i);
	}
	q->first = NULL;
	q->last = NULL;
	q->skip = false;
	q->head = 0;
	q->tail = 0;
	q->untold = 0;
	q->middle = false;
	q->spare = (uint16_t)(n - 1);
	plx_mempool_cache_flush(q->h.cache);
}

void e1000_txq_drain(struct e1000_txq *q)
{
	uint32_t unsent;

	e1000_tx_done(q);
	unsent = q->used != 0 ? e1000_tx_free(q, q->used) : 0;
	plx_ctr_add(&q->h.ctr[PLX_TXQ_ERRORS], unsent);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_DONE], unsent);
	q->head = 0;
	q->tail = 0;
	q->used = 0;
	q->unplain = 0;
	q->unmarked = 0;
	q->ctx_key = 0;
	PLX_WRITE_ONCE(q->rs_head, 0);
	PLX_WRITE_ONCE(q->rs_tail, 0);
	plx_mempool_cache_flush(q->h.cache);
}

void e1000_rxq_lost(struct e1000_port *p, struct e1000_rxq *q)
{
	uint32_t lost;

	if (p->hw.gen->rx_dropped == NULL)
		return;
	lost = p->hw.gen->rx_dropped(&q->win);
	q->dropped += lost;
	p->dropped += lost;
}

/*
 * Does the device have descriptors for packets of this queue, and of all others? A packet that has none
 * holds up all, unless it is dropped.
 */
static bool has_room(const struct plx_port *port, const struct e1000_rxq *q, uint32_t rdh)
{
	if (e1000_priv(port)->hw.gen->rx_dropped != NULL && port->conf.n_rxq > 1)
		return rdh != plx_rd32(&q->win, E1000_RDT);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		const struct plx_win *win = &((struct e1000_rxq *)port->rxqs[i])->win;

		if (plx_rd32(win, E1000_RDH) == plx_rd32(win, E1000_RDT))
			return false;
	}
	return true;
}

/*
 * Silence on RX is no fault, nor is a ring that the program does not empty: something is owed only
 * while the device has free descriptors and drops packets all the same.
 */
void e1000_rxq_progress(struct plx_port *port, struct plx_rxq *h, struct plx_progress *p)
{
	struct e1000_rxq *q = (struct e1000_rxq *)h;
	struct e1000_port *priv = e1000_priv(port);
	uint32_t rdh = plx_rd32(&q->win, E1000_RDH);
	const uint64_t *total = &priv->stats[E1000_STAT_MPC]; /* for the other queues as well */

	if (!e1000_stat_update(priv, E1000_STAT_MPC)) /* the device is gone */
		return;
	e1000_rxq_lost(priv, q);
	p->owed = *total + q->dropped != q->missed_seen && rdh == q->rdh_seen &&
		  has_room(port, q, rdh);
	q->missed_seen = *total + q->dropped;
	q->rdh_seen = rdh;
	p->done = rdh;
}

/* The oldest descriptor that asked for a report has none. */
void e1000_txq_progress(struct plx_port *port, struct plx_txq *h, struct plx_progress *p)
{
	struct e1000_txq *q = (struct e1000_txq *)h;
	uint16_t at = PLX_READ_ONCE(q->rs_head);
	uint16_t slot;

	p->owed = false;
	if (at == PLX_READ_ONCE(q->rs_tail))
		return;
	slot = PLX_READ_ONCE(q->rs[at]);
	p->owed = !(plx_le32_read_once(&q->ring[slot].data.opts) & E1000_TXO_DD);
	if (p->owed)
		p->done = (uint64_t)at << 32 | plx_rd32(&q->win, E1000_TDH);
}
