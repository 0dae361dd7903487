/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dump of descriptors. Who owns a slot is told from the slots themselves, which may be read beside
 * a burst: an empty one holds E1000_NO_ADDR, a finished one DD (on TX, one in several).
 */
#include "e1000.h"

static struct plx_desc look(const plx_le64 *q, uint16_t index)
{
	return (struct plx_desc){
		.word = {plx_le64_read_once(q), plx_le64_read_once(q + 1)},
		.n_words = 2,
		.index = index,
	};
}

static bool is_empty(const struct plx_desc *d)
{
	return d->word[0] == E1000_NO_ADDR;
}

/* ---- RX ---- */

static struct plx_desc rx_look(const struct e1000_rxq *q, uint32_t i)
{
	return look((const plx_le64 *)(const void *)&q->ring[i], (uint16_t)i);
}

static bool rx_done(const struct e1000_rxq *q, const struct plx_desc *d)
{
	const uint64_t st = q->legacy ? e1000_rx_swapped(d->word[1]) : d->word[1];

	return (st & E1000_RXS_DD) != 0;
}

/* Slots from RDT on that are armed already, of which the device has not heard. */
static uint32_t rx_untold(const struct e1000_rxq *q, uint32_t rdt)
{
	const uint32_t n = q->h.n_desc;
	uint32_t k = 0;

	for (; rdt < n && k < n; k++) {
		const struct plx_desc d = rx_look(q, e1000_wrap(rdt + k, n));

		if (is_empty(&d) || rx_done(q, &d))
			break;
	}
	return k;
}

void e1000_rxq_descs(struct plx_port *port, struct plx_rxq *h, struct plx_desc *out, uint16_t n)
{
	const struct e1000_rxq *q = (const struct e1000_rxq *)h;
	const uint32_t rdt = plx_rd32(&q->win, E1000_RDT);
	const uint32_t untold = rx_untold(q, rdt);

	for (uint16_t i = 0; i < n; i++) {
		struct plx_desc *d = &out[i];

		*d = rx_look(q, d->index);
		if (is_empty(d) || e1000_wrap(d->index + h->n_desc - rdt, h->n_desc) < untold)
			d->owner = PLX_DESC_SW;
		else
			d->owner = rx_done(q, d) ? PLX_DESC_DONE : PLX_DESC_DEVICE;
	}
}

/* ---- TX ---- */

static struct plx_desc tx_look(const struct e1000_txq *q, uint32_t i)
{
	return look(q->ring[i].q, (uint16_t)i);
}

/* One reported means that all before it are done; before: what that says of the slot before. */
static enum plx_desc_owner tx_owner(const struct plx_desc *d, bool *done)
{
	if (is_empty(d)) {
		*done = false;
		return PLX_DESC_SW;
	}
	*done |= (d->word[1] >> 32 & E1000_TXO_DD) != 0;
	return *done ? PLX_DESC_DONE : PLX_DESC_DEVICE;
}

void e1000_txq_descs(struct plx_port *port, struct plx_txq *h, struct plx_desc *out, uint16_t n)
{
	const struct e1000_txq *q = (const struct e1000_txq *)h;
	bool done = false;
	uint32_t i = out[n - 1].index;

	/* what follows the last slot asked for, up to one that tells */
	for (uint32_t k = 0; k < h->n_desc && !done; k++) {
		struct plx_desc d;

		i = e1000_wrap(i + 1, h->n_desc);
		d = tx_look(q, i);
		if (tx_owner(&d, &done) == PLX_DESC_SW)
			break;
	}
	for (i = n; i-- != 0;) {
		out[i] = tx_look(q, out[i].index);
		out[i].owner = (uint8_t)tx_owner(&out[i], &done);
	}
}
