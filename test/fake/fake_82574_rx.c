/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: reception (7.1). */
#include <stdlib.h>

#include "fake_82574_priv.h"

/* ---- frames that wait ---- */

void m574_queue_init(struct m574_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->bytes = 0;
}

void m574_queue_put(struct m574_queue *q, const uint8_t *data, uint32_t len, uint32_t bad)
{
	struct m574_frame *fr = malloc(sizeof(*fr) + len);

	if (fr == NULL)
		return; /* lost on the wire */
	fr->next = NULL;
	fr->len = len;
	fr->bad = bad;
	fr->done = 0;
	fr->waited = fr->steered = false;
	memcpy(fr->data, data, len);
	*q->last = fr;
	q->last = &fr->next;
	q->bytes += len;
}

struct m574_frame *m574_queue_get(struct m574_queue *q)
{
	struct m574_frame *fr = q->first;

	if (fr == NULL)
		return NULL;
	q->first = fr->next;
	if (q->first == NULL)
		q->last = &q->first;
	q->bytes -= fr->len;
	return fr;
}

void m574_queue_free(struct m574_queue *q)
{
	struct m574_frame *fr;

	while ((fr = m574_queue_get(q)) != NULL)
		free(fr);
}

/* ---- into memory ---- */

/* 10.2.5.1: BSIZE with BSEX, or FLXBUF in units of 1 KB */
uint32_t m574_rx_buffer(const struct fake_82574 *m, uint32_t queue)
{
	uint32_t rctl = m574_get(m, R_RCTL), flx = rctl >> 27 & 15;

	if (flx != 0)
		return flx * 1024;
	return (2048u >> (rctl >> 16 & 3)) * ((rctl & RCTL_BSEX) != 0 ? 16 : 1);
}

static void make_packet(struct fake_82574 *m, const struct m574_frame *fr, struct m574_packet *p)
{
	uint32_t crc = m574_crc(fr->data, fr->len), skip = 0;

	p->staterr = fr->bad << 24;
	p->vlan = 0;
	p->mrq = fr->mrq;
	p->hash = fr->hash;
	if ((fr->bad & FAKE_82574_CRC) != 0)
		crc = ~crc;
	p->staterr |= m574_rx_sums(m574_get(m, R_RXCSUM), fr->data, fr->len);
	p->type = m574_rx_type(fr->data, fr->len);
	/* 7.5.2: with CTRL.VME the tag moves to the descriptor */
	if ((m574_get(m, R_CTRL) & CTRL_VME) != 0 && fr->len >= 18 &&
		plx_load_be16(fr->data + 12) == (m574_get(m, R_VET) & 0xffff)) {
		p->staterr |= 1u << 3; /* VP */
		p->vlan = plx_load_be16(fr->data + 14);
		skip = 4;
	}
	memcpy(p->data, fr->data, 12);
	memcpy(p->data + 12, fr->data + 12 + skip, fr->len - 12 - skip);
	p->len = fr->len - skip;
	if ((m574_get(m, R_RCTL) & RCTL_SECRC) == 0) {
		plx_store_le32(p->data + p->len, crc);
		p->len += 4;
	}
}

/* 7.1.3 and 7.1.4 */
void m574_rx_desc(const struct fake_82574 *m, uint8_t *d, const struct m574_packet *p,
	uint32_t piece, bool eop)
{
	uint32_t status = 1u | (eop ? 2u | p->staterr : 0);

	if ((m574_get(m, R_RFCTL) & RFCTL_EXSTEN) != 0) {
		status |= eop ? p->type << 16 : 0;
		plx_store_le64(d, eop ? p->mrq | (uint64_t)p->hash << 32 : 0);
		plx_store_le64(d + 8,
			status | (uint64_t)piece << 32 | (uint64_t)(eop ? p->vlan : 0) << 48);
	} else {
		plx_store_le64(d + 8, piece | (uint64_t)(status & 0xff) << 32 |
					      (uint64_t)(status >> 24) << 40 |
					      (uint64_t)(eop ? p->vlan : 0) << 48);
	}
}

/* DD comes with the half that is written last. */
static int write_back(struct fake_82574 *m, uint64_t at, const struct m574_packet *p,
	uint32_t piece, bool eop, const uint8_t *old)
{
	uint8_t d[DESC_LEN];
	int err;

	memcpy(d, old, sizeof(d));
	m->gen->rx_desc(m, d, p, piece, eop);
	err = fake_dma_write(m->pci, at, d, 8);
	return err < 0 ? err : fake_dma_write(m->pci, at + 8, d + 8, 8);
}

/* Fetches a descriptor and holds it against 7.1.3 and 7.1.4. */
static int fetch(struct fake_82574 *m, uint64_t at, uint8_t *d)
{
	bool ext = (m574_get(m, R_RFCTL) & RFCTL_EXSTEN) != 0 || m->gen->one_by_one;
	int err = fake_dma_read(m->pci, at, d, DESC_LEN);

	if (err < 0)
		return err;
	if ((plx_load_le32(d + 8) & 1) != 0 && ext)
		m574_violation(m, "7.1.4: RX descriptor handed over with DD set");
	else if (ext && plx_load_le64(d + 8) != 0)
		m574_violation(m, "7.1.4: RX descriptor handed over with reserved bits set");
	else if (!ext && (d[12] & 1) != 0)
		m574_violation(m, "7.1.3: RX descriptor handed over with DD set");
	return 0;
}

/* From *done on, until it is all there or the device pauses. */
static int store(struct fake_82574 *m, struct m574_ring *r, const struct m574_packet *p,
	uint32_t bsize, uint32_t *done)
{
	while (*done < p->len && r->head != r->tail && m->rx_budget != 0) {
		uint64_t at = r->base + (uint64_t)r->head * DESC_LEN, buf;
		uint32_t piece = PLX_MIN(p->len - *done, bsize);
		uint8_t d[DESC_LEN];
		int err = fetch(m, at, d);

		if (err < 0)
			return err;
		buf = plx_load_le64(d);
		if (buf == 0) { /* 7.1.7.2: a null descriptor takes no data */
			const struct m574_packet none = {.len = 0};

			err = write_back(m, at, &none, 0, false, d);
		} else {
			err = fake_dma_write(m->pci, buf, p->data + *done, piece);
			*done += piece;
			if (err == 0)
				err = write_back(m, at, p, piece, *done == p->len, d);
		}
		if (err < 0)
			return err;
		r->head = (r->head + 1) % r->n;
		m574_set(m, r->block + HEAD, r->head);
		if (m->rx_budget != UINT32_MAX)
			m->rx_budget--;
	}
	return 0;
}

static bool ready(struct fake_82574 *m, uint32_t queue, struct m574_ring *r)
{
	m574_ring(m, m574_rx_block(m, queue), r);
	return (m574_get(m, R_RCTL) & RCTL_EN) != 0 && m->gen->queue_on(m, r->block) &&
	       !m->hung_rx && !m->stall_rx && m->rx_budget != 0 && m574_can_dma(m) && r->n != 0 &&
	       r->head < r->n && r->tail < r->n;
}

/* 10.2.5.1, RDMTS: a half, a quarter or an eighth of the ring is left */
static void threshold(struct fake_82574 *m, const struct m574_ring *r)
{
	uint32_t left = (r->tail + r->n - r->head) % r->n;

	if (left <= r->n >> (1 + (m574_get(m, R_RCTL) >> 8 & 3)))
		m574_cause(m, ICR_RXDMT0);
}

/* Decided once: of a packet that came in part the rest follows it. */
static uint32_t queue_of(struct fake_82574 *m, struct m574_frame *fr)
{
	if (!fr->steered) {
		fr->steered = true;
		m->gen->rss(m, fr);
		if (m574_get(m, m574_rx_block(m, fr->queue) + LEN) == 0)
			m574_violation(m, "7.1.11: a packet for RX queue %u, which has no ring",
				fr->queue);
	}
	return fr->queue;
}

void m574_rx_drain(struct fake_82574 *m)
{
	static __thread struct m574_packet p;
	struct m574_ring r;
	uint32_t causes = 0;

	while (m->fifo.first != NULL && ready(m, queue_of(m, m->fifo.first), &r)) {
		uint32_t bsize = m->gen->buffer(m, queue_of(m, m->fifo.first)),
			 left = (r.tail + r.n - r.head) % r.n;
		struct m574_frame *fr = m->fifo.first;

		make_packet(m, fr, &p);
		if (left < (p.len - fr->done + bsize - 1) / bsize) {
			if (fr->done == 0 && m->gen->drops != NULL && m->gen->drops(m, fr->queue)) {
				m->counts.missed++;
				free(m574_queue_get(&m->fifo));
				continue;
			}
			if (!fr->waited) /* 10.2.7: RNBC, no buffers, and the packet waits */
				m574_count(m, R_RNBC, 1);
			fr->waited = true;
			break;
		}
		if (store(m, &r, &p, bsize, &fr->done) < 0) {
			m->hung_rx = true; /* a request that came to nothing: reset it */
			break;
		}
		if (fr->done < p.len)
			break;
		m574_count_frame(m, true, fr->data, fr->len);
		m->counts.rx++;
		causes |= ICR_RXT0;
		m->gen->queue_cause(m, true, fr->queue);
		threshold(m, &r);
		free(m574_queue_get(&m->fifo));
	}
	if (causes != 0)
		m574_cause(m, causes);
}

/* Counts and refuses what is no good (10.2.7); a frame is judged with its FCS. */
static bool good(struct fake_82574 *m, const uint8_t *frame, uint32_t len, uint32_t bad)
{
	uint32_t rctl = m574_get(m, R_RCTL), wire = len + 4;
	bool tagged = plx_load_be16(frame + 12) == (m574_get(m, R_VET) & 0xffff);
	uint32_t limit = (rctl & RCTL_LPE) != 0          ? m->gen->rx_limit(m)
			 : m->gen->one_by_one && !tagged ? 1518
							 : 1522;

	if ((bad & FAKE_82574_CRC) != 0)
		m574_count(m, R_CRCERRS, 1);
	if ((bad & FAKE_82574_SYMBOL) != 0)
		m574_count(m, R_SYMERRS, 1);
	if ((bad & FAKE_82574_RXE) != 0)
		m574_count(m, R_RXERRC, 1);
	if (wire < 64)
		m574_count(m, R_RUC, 1);
	if (wire > limit)
		m574_count(m, R_ROC, 1);
	if (wire < 64 || wire > limit)
		m574_count(m, R_RLEC, 1);
	if (wire > limit || wire < 18)
		return false;
	return (rctl & RCTL_SBP) != 0 || (bad == 0 && wire >= 64);
}

bool m574_rx(struct fake_82574 *m, const uint8_t *frame, uint32_t len, uint32_t bad)
{
	uint64_t room = m->gen->rx_fifo(m);

	if ((m574_get(m, R_RCTL) & RCTL_EN) == 0 || !m->link || m->reset_end != 0)
		return false;
	m574_count(m, R_TPR, 1);
	m574_count(m, R_TORL, len + 4);
	if (!good(m, frame, len, bad) || !m574_accepts(m, frame, len))
		return false;
	if (m->stall_rx || m->hung_rx || m->fifo.bytes + len + 4 > room) {
		m574_count(m, R_MPC, 1); /* the FIFO is full: 10.2.7 */
		m->counts.missed++;
		m574_cause(m, ICR_RXO);
		return false;
	}
	m574_queue_put(&m->fifo, frame, len, bad);
	m574_rx_drain(m);
	return true;
}

bool fake_82574_rx(struct fake_82574 *m, const void *frame, uint32_t len, uint32_t bad)
{
	bool ok = false;

	fake_lock(m->pci);
	m574_sync(m);
	if (!m->pci->gone && len <= FRAME_MAX)
		ok = m574_rx(m, frame, len, bad);
	fake_unlock(m->pci);
	return ok;
}
