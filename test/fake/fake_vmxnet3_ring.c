/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 model: rings, whose slots change hands by their generation bit. */
#include "fake_vmxnet3_priv.h"

bool vx_ring_get(struct fake_vmxnet3 *m, struct vx_ring *r, uint64_t q[2])
{
	uint8_t d[DESC_LEN];

	if (r->n == 0 || fake_dma_read(m->pci, r->pa + (uint64_t)r->next * DESC_LEN, d, 16) < 0)
		return false;
	q[0] = plx_load_le64(d);
	q[1] = plx_load_le64(d + 8);
	return true;
}

void vx_ring_next(struct vx_ring *r)
{
	if (++r->next >= r->n) {
		r->next = 0;
		r->gen ^= 1;
	}
}

bool vx_complete(struct fake_vmxnet3 *m, struct vx_queue *q, bool rx, uint64_t q0, uint64_t q1)
{
	const uint64_t at = q->comp.pa + (uint64_t)q->comp.next * DESC_LEN;
	uint8_t d[DESC_LEN];

	q1 |= (uint64_t)q->comp.gen << 63;
	if (m->spoil[rx].on) {
		m->spoil[rx].on = false;
		q0 ^= m->spoil[rx].q0;
		q1 ^= m->spoil[rx].q1;
	}
	plx_store_le64(d, q0);
	plx_store_le64(d + 8, q1);
	/* the generation comes with the half that is written last */
	if (q->comp.n == 0 || fake_dma_write(m->pci, at, d, 8) < 0 ||
		fake_dma_write(m->pci, at + 8, d + 8, 8) < 0)
		return false;
	vx_ring_next(&q->comp);
	return true;
}
