/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: what descriptor rings must be (7.1.8, 7.2.4, 10.2.5, 10.2.6). */
#include "fake_82574_priv.h"

void m574_ring(const struct fake_82574 *m, uint32_t block, struct m574_ring *r)
{
	uint32_t len = m574_get(m, block + LEN);

	r->block = block;
	r->base = m574_get(m, block + BAL) | (uint64_t)m574_get(m, block + BAH) << 32;
	r->n = len / DESC_LEN;
	r->head = m574_get(m, block + HEAD);
	r->tail = m574_get(m, block + TAIL);
}

/* A ring as it must be when its direction is turned on. False: the hardware would go astray. */
bool m574_ring_check(struct fake_82574 *m, uint32_t block, const char *what)
{
	uint32_t len = m574_get(m, block + LEN), bal = m574_get(m, block + BAL);
	struct m574_ring r;

	m574_ring(m, block, &r);
	if (len == 0 || (len & 127) != 0 || len > 65536 * DESC_LEN) {
		m574_violation(m, "10.2.5: %s ring of %u bytes, not a multiple of 128", what, len);
		return false;
	}
	if ((bal & 15) != 0)
		m574_violation(m, "10.2.5: %s ring at 0x%x, not on 16 bytes", what, bal);
	if (r.head >= r.n || r.tail >= r.n) {
		m574_violation(
			m, "10.2.5: %s ring of %u: head %u, tail %u", what, r.n, r.head, r.tail);
		return false;
	}
	return true;
}

/* May it do DMA now? */
bool m574_can_dma(struct fake_82574 *m)
{
	return fake_master(m->pci) && (m574_get(m, R_CTRL) & CTRL_GIO_DIS) == 0;
}

static void write_tail(struct fake_82574 *m, uint32_t block, uint32_t v, bool on, const char *what)
{
	struct m574_ring r;
	uint32_t owned, added;

	m574_ring(m, block, &r);
	if (r.n == 0 || v >= r.n || r.head >= r.n || r.tail >= r.n) {
		m574_violation(m, "10.2.5: %s tail %u of a ring of %u", what, v, r.n);
		return;
	}
	/* 7.1.8: the device owns [head, tail); a tail that catches up with head means empty */
	owned = (r.tail + r.n - r.head) % r.n;
	added = (v + r.n - r.tail) % r.n;
	if (on && owned + added >= r.n)
		m574_violation(m, "7.1.8: %s tail %u passes head %u: ring of %u, tail was %u", what,
			v, r.head, r.n, r.tail);
	/* descriptors are fetched as soon as they are there: 7.1.6 */
	if (on && added != 0 && !fake_master(m->pci))
		m574_violation(m, "3.1: %s descriptors to fetch while bus mastering is off", what);
	m574_set(m, block + TAIL, v);
}

void m574_ring_write(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	bool rx = off < m->gen->tx_rings;
	uint32_t first = rx ? m->gen->rx_rings : m->gen->tx_rings;
	uint32_t block = off - (off - first) % m->gen->step;
	const char *what = rx ? "RX" : "TX";
	bool on = rx ? (m574_get(m, R_RCTL) & RCTL_EN) != 0 : (m574_get(m, R_TCTL) & TCTL_EN) != 0;

	if (off - block == TAIL) {
		if (on && !m->gen->queue_on(m, block))
			m574_violation(m,
				m->gen->one_by_one
					? "4.5.9: descriptors for a %s queue that is disabled"
					: "10.2.6: descriptors for a %s queue that TARC disables",
				what);
		write_tail(m, block, v, on, what);
		return;
	}
	if (m->gen->one_by_one)
		on = m->gen->queue_on(m, block);
	if (on) /* 10.2.5: after a reset and before the direction is on, and at no other time */
		m574_violation(
			m, "10.2.5: %s ring register 0x%05x written while it is on", what, off);
	if (off - block == LEN && (v & 127) != 0)
		m574_violation(m, "10.2.5: %s ring of %u bytes, not a multiple of 128", what, v);
	if (off - block == BAL && (v & 15) != 0)
		m574_violation(m, "10.2.5: %s ring at 0x%x, not on 16 bytes", what, v);
	m574_set(m, off, v);
}

/* ---- stand-ins for the device, in benchmarks ---- */

uint32_t fake_82574_prewrite_rx(
	struct fake_82574 *m, uint32_t n, const void *head, uint32_t hlen, uint32_t len)
{
	bool ext = (m574_get(m, R_RFCTL) & RFCTL_EXSTEN) != 0 || m->gen->one_by_one;
	struct m574_ring r;
	uint32_t i;

	m574_ring(m, m574_rx_block(m, 0), &r);
	for (i = 0; i < n && r.n != 0 && r.head != r.tail; i++) {
		uint8_t *d = fake_dma_ptr(m->pci, r.base + r.head * DESC_LEN, DESC_LEN, true);
		void *room = d != NULL ? fake_dma_ptr(m->pci, plx_load_le64(d), len, true) : NULL;

		if (room == NULL)
			break;
		memcpy(room, head, PLX_MIN(hlen, len));
		if (ext) { /* 7.1.4: no hash, no checksum; done, end of packet */
			plx_store_le64(d, 0);
			plx_store_le64(d + 8, 3 | (uint64_t)len << 32);
		} else {
			plx_store_le64(d + 8, len | UINT64_C(3) << 32);
		}
		r.head = (r.head + 1) % r.n;
	}
	m574_set(m, r.block + HEAD, r.head);
	return i;
}

uint32_t fake_82574_complete_tx(struct fake_82574 *m)
{
	struct m574_ring r;
	uint32_t i = 0;

	m574_ring(m, m574_tx_block(m, 0), &r);
	while (r.n != 0 && r.head != r.tail) {
		uint8_t *d = fake_dma_ptr(m->pci, r.base + r.head * DESC_LEN, DESC_LEN, true);

		if (d == NULL)
			break;
		if ((d[11] & 8) != 0) /* RS */
			d[12] |= 1;
		r.head = (r.head + 1) % r.n;
		i++;
	}
	m574_set(m, r.block + HEAD, r.head);
	return i;
}
