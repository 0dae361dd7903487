/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dump of descriptors, which may be read beside a burst: an empty slot holds VMXNET3_NO_ADDR, a
 * finished one is named by a completion that is news. Of an RX queue with two rings slots from
 * n_desc / 2 on are those of the second.
 */
#include "vmxnet3.h"

static void look(struct plx_desc *d, const struct vmxnet3_desc *slot)
{
	*d = (struct plx_desc){
		.word = {plx_le64_read_once(&slot->q[0]), plx_le64_read_once(&slot->q[1])},
		.n_words = 2,
		.index = d->index,
	};
	d->owner = d->word[0] == VMXNET3_NO_ADDR ? PLX_DESC_SW : PLX_DESC_DEVICE;
}

static void done(struct plx_desc *out, uint16_t n, uint32_t index)
{
	const uint32_t i = index - out[0].index;

	if (index >= out[0].index && i < n && out[i].owner == PLX_DESC_DEVICE)
		out[i].owner = PLX_DESC_DONE;
}

/* A completion, if it is news; at and gen go on to the next. */
static bool next(
	const struct vmxnet3_desc *comp, uint32_t n, uint32_t *at, uint64_t *gen, uint64_t *q0)
{
	const struct vmxnet3_desc *c = &comp[*at];

	if ((plx_le64_read_once(&c->q[1]) ^ *gen) & VMXNET3_C_GEN)
		return false;
	plx_io_rmb(); /* the generation, then the other half */
	*q0 = plx_le64_read_once(&c->q[0]);
	if (++*at == n) {
		*at = 0;
		*gen ^= VMXNET3_C_GEN;
	}
	return true;
}

void vmxnet3_rxq_descs(struct plx_port *port, struct plx_rxq *h, struct plx_desc *out, uint16_t n)
{
	const struct vmxnet3_rxq *q = (const struct vmxnet3_rxq *)h;
	uint64_t gen = PLX_READ_ONCE(q->gen), q0;
	uint32_t at = PLX_READ_ONCE(q->at);
	const uint32_t first = q->ring[0].n;

	for (uint16_t i = 0; i < n; i++) {
		const uint32_t slot = out[i].index;

		look(&out[i], slot < first ? &q->ring[0].d[slot] : &q->ring[1].d[slot - first]);
	}
	for (uint32_t k = 0; k < q->n_comp && next(q->comp, q->n_comp, &at, &gen, &q0); k++)
		done(out, n,
			VMXNET3_RXC_SLOT(q0) + (VMXNET3_RXC_RQ_OF(q0) == q->rq[0] ? 0 : first));
}

void vmxnet3_txq_descs(struct plx_port *port, struct plx_txq *h, struct plx_desc *out, uint16_t n)
{
	const struct vmxnet3_txq *q = (const struct vmxnet3_txq *)h;
	uint64_t gen = PLX_READ_ONCE(q->comp_gen), q0 = 0;
	uint32_t at = PLX_READ_ONCE(q->at), slot = PLX_READ_ONCE(q->head), k = 0;

	for (uint16_t i = 0; i < n; i++)
		look(&out[i], &q->ring[out[i].index]);
	while (k < h->n_desc && next(q->comp, h->n_desc, &at, &gen, &q0))
		k++;
	if (k == 0)
		return;
	/* the last one reported, and all before it */
	for (k = 0; k < h->n_desc; k++, slot = vmxnet3_wrap(slot + 1, h->n_desc)) {
		done(out, n, slot);
		if (slot == VMXNET3_TXC_SLOT(q0))
			break;
	}
}
