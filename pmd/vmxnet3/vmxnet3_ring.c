/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings: their memory, filling and emptying them. */
#include "vmxnet3_burst.h"

/* Slots that software owns in the first round, whose generation is 1, and completions of none. */
static void blank(struct vmxnet3_desc *d, uint32_t n, uint64_t q0)
{
	for (uint32_t i = 0; i < n; i++)
		vmxnet3_desc_store(&d[i], q0, 0);
}

static int alloc(struct plx_port *port, uint32_t n, struct plx_dma *dma)
{
	const size_t size = n * sizeof(struct vmxnet3_desc);
	int err = plx_pci_dma_alloc(port->dev->pci, size, VMXNET3_RING_ALIGN, dma);

	if (err < 0)
		return plx_err_prefix(err, "%s: a ring of %u descriptors", plx_port_name(port), n);
	return 0;
}

static int rx_ring_alloc(struct plx_port *port, struct vmxnet3_rxq *q, uint32_t i, uint16_t n)
{
	struct vmxnet3_rx_ring *r = &q->ring[i];
	int err = alloc(port, n, &q->dma[i]);

	if (err < 0)
		return err;
	r->d = q->dma[i].va;
	r->n = n;
	r->sw = plx_priv_alloc(port->ctx, n * sizeof(struct plx_mbuf *), port->info.node);
	return r->sw != NULL ? 0 : -ENOMEM;
}

/* Of no use before it is drained, which puts it in its first round. */
int vmxnet3_rxq_setup(struct plx_port *port, struct plx_rxq *h, const struct plx_rxq_conf *conf)
{
	struct vmxnet3_rxq *q = (struct vmxnet3_rxq *)h;
	struct vmxnet3_port *p = vmxnet3_priv(port);
	uint16_t n;
	int err;

	q->priv = p;
	q->table = p->rx_table;
	q->scatter = (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER) != 0;
	q->lro = (port->conf.rx_offloads & PLX_RX_OFFLOAD_LRO) != 0;
	q->hash = (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH) != 0;
	q->buf_len = (uint16_t)PLX_MIN(h->pool->room - PLX_MBUF_HEADROOM, VMXNET3_RX_LEN_MAX);
	q->rq[0] = h->index;
	q->rq[1] = (uint16_t)(h->index + p->n_rxq);
	q->plain0 = VMXNET3_RXC_PLAIN0(h->index);
	q->wants_prod = &vmxnet3_rx_desc(p, h->index)->rx.update_prod;
	n = q->scatter ? h->n_desc / 2 : h->n_desc;
	err = rx_ring_alloc(port, q, 0, n);
	if (err == 0 && q->scatter)
		err = rx_ring_alloc(port, q, 1, n);
	if (err == 0)
		err = alloc(port, h->n_desc, &q->comp_dma);
	if (err < 0)
		return err;
	q->comp = q->comp_dma.va;
	q->n_comp = h->n_desc;
	vmxnet3_rxq_drain(q);
	return 0;
}

void vmxnet3_rxq_release(struct plx_port *port, struct plx_rxq *h)
{
	struct vmxnet3_rxq *q = (struct vmxnet3_rxq *)h;

	plx_pci_dma_free(port->dev->pci, &q->comp_dma);
	for (uint32_t i = 0; i < 2; i++) {
		plx_priv_free(port->ctx, q->ring[i].sw, q->ring[i].n * sizeof(struct plx_mbuf *));
		plx_pci_dma_free(port->dev->pci, &q->dma[i]);
		q->ring[i].sw = NULL;
	}
}

int vmxnet3_txq_setup(struct plx_port *port, struct plx_txq *h, const struct plx_txq_conf *conf)
{
	struct vmxnet3_txq *q = (struct vmxnet3_txq *)h;
	int err = alloc(port, h->n_desc, &q->dma);

	if (err == 0)
		err = alloc(port, h->n_desc, &q->comp_dma);
	if (err < 0)
		return err;
	q->ring = q->dma.va;
	q->comp = q->comp_dma.va;
	q->sw = plx_priv_alloc(port->ctx, h->n_desc * sizeof(struct plx_mbuf *), port->info.node);
	if (q->sw == NULL)
		return -ENOMEM;
	q->win = plx_win_from(&vmxnet3_priv(port)->hw.door, VMXNET3_TXPROD(h->index));
	vmxnet3_txq_drain(q);
	return 0;
}

void vmxnet3_txq_release(struct plx_port *port, struct plx_txq *h)
{
	struct vmxnet3_txq *q = (struct vmxnet3_txq *)h;

	plx_priv_free(port->ctx, q->sw, h->n_desc * sizeof(struct plx_mbuf *));
	plx_pci_dma_free(port->dev->pci, &q->comp_dma);
	plx_pci_dma_free(port->dev->pci, &q->dma);
	q->sw = NULL;
}

void vmxnet3_rxq_fill(struct vmxnet3_rxq *q)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct vmxnet3_rx_ring *r = &q->ring[i];

		while (r->spare != 0) {
			void **new = plx_mempool_cache_get_zc(q->h.cache, 1);

			if (new == NULL)
				return;
			vmxnet3_rx_arm(r, new, 1);
			r->spare--;
		}
	}
}

static void rxq_blank(struct vmxnet3_rxq *q)
{
	for (uint32_t i = 0; i < 2; i++)
		blank(q->ring[i].d, q->ring[i].n, VMXNET3_NO_ADDR);
	blank(q->comp_dma.va, q->n_comp, 0);
}

static void txq_blank(struct vmxnet3_txq *q)
{
	blank(q->ring, q->h.n_desc, VMXNET3_NO_ADDR);
	blank(q->comp_dma.va, q->h.n_desc, 0);
}

void vmxnet3_rxq_begin(struct vmxnet3_rxq *q)
{
	rxq_blank(q);
	vmxnet3_rxq_fill(q);
}

void vmxnet3_txq_begin(struct vmxnet3_txq *q)
{
	txq_blank(q);
}

void vmxnet3_rxq_drain(struct vmxnet3_rxq *q)
{
	if (q->first != NULL)
		plx_mbuf_free_slow(q->h.cache, q->first);
	q->first = NULL;
	q->last = NULL;
	q->skip = false;
	q->middle = false;
	for (uint32_t i = 0; i < 2; i++) {
		struct vmxnet3_rx_ring *r = &q->ring[i];

		for (uint32_t at = r->head; at != r->tail; at = vmxnet3_wrap(at + 1u, r->n)) {
			plx_mempool_put_bulk(q->h.cache, (void *const *)&r->sw[at], 1);
			r->sw[at] = NULL;
		}
		r->head = 0;
		r->tail = 0;
		r->spare = (uint16_t)(r->n != 0 ? r->n - 1 : 0);
		r->q1 = VMXNET3_RX_LEN(q->buf_len) | VMXNET3_RX_GEN |
			(i == 1 ? VMXNET3_RX_BODY : 0);
	}
	rxq_blank(q);
	PLX_WRITE_ONCE(q->at, 0);
	PLX_WRITE_ONCE(q->gen, VMXNET3_C_GEN);
	plx_mempool_cache_flush(q->h.cache);
}

void vmxnet3_txq_drain(struct vmxnet3_txq *q)
{
	uint32_t unsent;

	vmxnet3_tx_done(q);
	unsent = q->used != 0 ? vmxnet3_tx_free(q, q->used) : 0;
	plx_ctr_add(&q->h.ctr[PLX_TXQ_ERRORS], unsent);
	plx_ctr_add(&q->h.ctr[PLX_TXQ_DONE], unsent);
	txq_blank(q);
	q->head = 0;
	q->tail = 0;
	q->unplain = 0;
	q->gen = VMXNET3_TX_GEN;
	PLX_WRITE_ONCE(q->at, 0);
	PLX_WRITE_ONCE(q->comp_gen, VMXNET3_C_GEN);
	plx_mempool_cache_flush(q->h.cache);
}
