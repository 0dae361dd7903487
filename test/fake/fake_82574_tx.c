/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: transmission (7.2) and the wire. */
#include <sched.h>
#include <stdlib.h>

#include "fake_82574_priv.h"

/* ---- the wire ---- */

/*
 * A sender holds its own lock and needs the receiver's. It leaves frames in the receiver's inbox
 * (which has a small lock) and empties it if it gets the receiver's lock; if not, whoever has that
 * may be waiting for ours, so we empty our own inbox, for which we have the lock, until ours has
 * been emptied by the other.
 */
void m574_inbox_drain(struct fake_82574 *m)
{
	for (;;) {
		struct m574_frame *fr;

		pthread_mutex_lock(&m->inbox_lock);
		fr = m574_queue_get(&m->inbox);
		pthread_mutex_unlock(&m->inbox_lock);
		if (fr == NULL)
			return;
		if (!m->pci->gone)
			m574_rx(m, fr->data, fr->len, fr->bad);
		free(fr);
	}
}

static bool inbox_empty(struct fake_82574 *m)
{
	bool empty;

	pthread_mutex_lock(&m->inbox_lock);
	empty = m->inbox.first == NULL;
	pthread_mutex_unlock(&m->inbox_lock);
	return empty;
}

static void wire_send(struct fake_82574 *m, const uint8_t *frame, uint32_t len)
{
	struct fake_82574 *peer = m->peer;

	pthread_mutex_lock(&peer->inbox_lock);
	m574_queue_put(&peer->inbox, frame, len, 0);
	pthread_mutex_unlock(&peer->inbox_lock);
}

static void wire_flush(struct fake_82574 *m)
{
	struct fake_82574 *peer = m->peer;

	while (peer != NULL && !inbox_empty(peer)) {
		if (pthread_mutex_trylock(&peer->pci->lock) == 0) {
			if (!peer->pci->gone)
				m574_link_sync(peer);
			m574_inbox_drain(peer);
			pthread_mutex_unlock(&peer->pci->lock);
			return;
		}
		m574_inbox_drain(m);
		sched_yield();
	}
}

/* ---- one packet ---- */

static void insert_sum(struct fake_82574 *m, uint8_t *p, uint32_t len, uint32_t css, uint32_t cso,
	uint32_t cse, const char *what)
{
	uint32_t end = cse == 0 ? len : cse + 1; /* 7.2.10: CSE 0: to the end of the packet */
	uint16_t sum;

	if (css >= len || cso + 2 > len || end > len || end <= css) {
		m574_violation(m, "7.2.10: %s checksum from %u to %u at %u of a packet of %u", what,
			css, end, cso, len);
		return;
	}
	sum = (uint16_t)~m574_fold(m574_sum(p + css, end - css, 0));
	plx_store_be16(p + cso, sum);
}

static void offloads(struct fake_82574 *m)
{
	const struct m574_context *c = &m->context;
	struct m574_tx *t = m->tx;

	if ((t->popts & 3) != 0 && !c->valid) {
		m574_violation(m, "7.2.11: POPTS without a context descriptor before it");
		return;
	}
	if ((t->popts & 1) != 0) /* IXSM */
		insert_sum(m, t->data, t->len, c->ipcss, c->ipcso, c->ipcse, "IP");
	if ((t->popts & 2) != 0) { /* TXSM */
		insert_sum(m, t->data, t->len, c->tucss, c->tucso, c->tucse, "L4");
		/* RFC 768: a UDP checksum of 0 is sent as all ones */
		if ((c->tucmd & 1) == 0 && c->tucso + 2u <= t->len &&
			plx_load_be16(t->data + c->tucso) == 0)
			plx_store_be16(t->data + c->tucso, 0xffff);
	}
}

/* 7.5.2: VLE puts a tag behind the addresses, if CTRL.VME is set */
static void tag(struct fake_82574 *m, uint16_t vlan)
{
	struct m574_tx *t = m->tx;

	if ((m574_get(m, R_CTRL) & CTRL_VME) == 0) {
		m574_violation(m, "7.5.2: VLE without CTRL.VME: no tag is inserted");
		return;
	}
	if (t->len < 12 || t->len + 4 > sizeof(t->data))
		return;
	memmove(t->data + 16, t->data + 12, t->len - 12);
	plx_store_be16(t->data + 12, (uint16_t)m574_get(m, R_VET));
	plx_store_be16(t->data + 14, vlan);
	t->len += 4;
}

void m574_send_frame(struct fake_82574 *m, uint8_t cmd, uint16_t vlan)
{
	struct m574_tx *t = m->tx;
	uint32_t fifo = m->gen->tx_fifo(m);

	if (t->len < 14)
		m574_violation(m, "7.2: a packet of %u bytes", t->len);
	if (t->len + 80 > fifo) /* 7.2.10: what the FIFO takes */
		m574_violation(m, "7.2.10: a packet of %u bytes for a FIFO of %u", t->len, fifo);
	if ((cmd & 2) == 0)
		m574_violation(m, "7.2.10: EOP without IFCS: the frame goes out with a bad FCS");
	offloads(m);
	if ((cmd & 0x40) != 0)
		tag(m, vlan);
	if (t->len < 60) { /* 10.2.6.1: PSP pads */
		if ((m574_get(m, R_TCTL) & TCTL_PSP) == 0)
			m574_violation(m, "10.2.6.1: a short packet without TCTL.PSP");
		memset(t->data + t->len, 0, 60 - t->len);
		t->len = 60;
	}
	if (t->len + 80 > fifo || t->len > FRAME_MAX)
		return;
	m574_count_frame(m, false, t->data, t->len);
	m->counts.tx++;
	if (m->tx_fn != NULL)
		m->tx_fn(m->tx_arg, t->data, t->len);
	if (m->peer != NULL && (cmd & 2) != 0)
		wire_send(m, t->data, t->len);
}

/* ---- descriptors ---- */

/* 7.2.10: the context descriptor */
static void context(struct fake_82574 *m, uint64_t q0, uint64_t q1)
{
	struct m574_context *c = &m->context;

	if (m->tx->descs != 0)
		m574_violation(m, "7.2.10: a context descriptor inside a packet");
	c->tucmd = (uint8_t)(q1 >> 24);
	if ((c->tucmd & 0x50) != 0 || (q1 >> 33 & 0x7f) != 0)
		m574_violation(m, "7.2.10: reserved bits of a context descriptor: 0x%016llx",
			(unsigned long long)q1);
	c->paylen = (uint32_t)(q1 & 0xfffff);
	c->hdrlen = (uint8_t)(q1 >> 40);
	c->mss = (uint16_t)(q1 >> 48);
	if ((c->tucmd & 4) == 0 && ((q1 & 0xfffff) != 0 || q1 >> 40 != 0))
		m574_violation(m, "7.2.10: PAYLEN, HDRLEN or MSS without TSE");
	c->ipcss = (uint8_t)q0;
	c->ipcso = (uint8_t)(q0 >> 8);
	c->ipcse = (uint16_t)(q0 >> 16);
	c->tucss = (uint8_t)(q0 >> 32);
	c->tucso = (uint8_t)(q0 >> 40);
	c->tucse = (uint16_t)(q0 >> 48);
	c->valid = true;
	if ((c->tucmd & 4) != 0)
		m574_tso_context(m);
}

/* Bytes of one buffer; false when memory does not answer. */
static bool gather(struct fake_82574 *m, uint64_t addr, uint32_t len)
{
	struct m574_tx *t = m->tx;

	if (len == 0)
		m574_violation(m, "7.2.10: a descriptor of length 0");
	if (len > (t->tse ? sizeof(t->data) : 65536) - 8 - t->len) {
		m574_violation(m, "7.2.10: a packet longer than 64 KB: EOP missing?");
		t->len = 0;
		return true;
	}
	if (fake_dma_read(m->pci, addr, t->data + t->len, len) < 0)
		return false;
	t->len += len;
	return true;
}

bool m574_tx_data(struct fake_82574 *m, uint64_t addr, uint32_t len, uint8_t popts, bool tse)
{
	struct m574_tx *t = m->tx;

	if (t->descs == 0) {
		t->popts = popts; /* 7.2.11: of the first one */
		t->tse = tse;
		t->first_len = len;
	} else if (t->tse != tse) {
		m574_violation(m, "7.2.11: TSE in some descriptors of a packet");
	}
	t->descs++;
	return gather(m, addr, len);
}

void m574_tx_end(struct fake_82574 *m, uint8_t cmd, uint16_t vlan)
{
	struct m574_tx *t = m->tx;

	(t->tse ? m574_tso : m574_send_frame)(m, cmd, vlan);
	t->len = t->descs = 0;
}

static bool data(struct fake_82574 *m, uint64_t q0, uint64_t q1)
{
	bool ext = (q1 >> 29 & 1) != 0;
	uint8_t cmd = (uint8_t)(q1 >> 24);
	uint32_t len = (uint32_t)(q1 & (ext ? 0xfffff : 0xffff));

	if (len > 16288) /* 7.2.10: of any descriptor */
		m574_violation(m, "7.2.10: a descriptor of %u bytes", len);
	if ((cmd & 0x10) != 0 || (q1 >> 32 & 15) != 0 || (ext && (q1 >> 37 & 7) != 0) ||
		(ext && (q1 >> 42 & 63) != 0))
		m574_violation(m, "7.2.11: reserved bits of a data descriptor: 0x%016llx",
			(unsigned long long)q1);
	if (!ext && (cmd & 4) != 0)
		m574_violation(m, "7.2.10: IC of legacy descriptors is not modelled");
	if (!m574_tx_data(m, q0, len, ext ? (uint8_t)(q1 >> 40) : 0, ext && (cmd & 4) != 0))
		return false;
	if ((cmd & 1) != 0)
		m574_tx_end(m, cmd, (uint16_t)(q1 >> 48));
	return true;
}

bool m574_tx_desc(struct fake_82574 *m, uint32_t queue, uint64_t q0, uint64_t q1)
{
	bool ext = (q1 >> 29 & 1) != 0;
	uint32_t type = (uint32_t)(q1 >> 20) & 15;

	if (ext && type == 0)
		context(m, q0, q1);
	else if (ext && type != 1)
		m574_violation(m, "7.2.10: TX descriptor of type %u", type);
	else
		return data(m, q0, q1);
	return true;
}

/* False: the device hangs on it. */
static bool process(struct fake_82574 *m, const struct m574_ring *r, uint32_t queue)
{
	uint64_t at = r->base + (uint64_t)r->head * DESC_LEN, q0, q1;
	uint8_t d[DESC_LEN];

	if (fake_dma_read(m->pci, at, d, sizeof(d)) < 0)
		return false;
	q0 = plx_load_le64(d);
	q1 = plx_load_le64(d + 8);
	if ((q1 >> 32 & 1) != 0)
		m574_violation(m, "7.2.10: TX descriptor handed over with DD set");
	if (!m->gen->tx_desc(m, queue, q0, q1))
		return false;
	/* 7.2.10: written back only where RS asks for it */
	if ((q1 >> 27 & 1) != 0) {
		plx_store_le64(d + 8, q1 | UINT64_C(1) << 32);
		if (fake_dma_write(m->pci, at + 8, d + 8, 8) < 0)
			return false;
		m574_cause(m, ICR_TXDW);
		m->gen->queue_cause(m, false, queue);
	}
	return true;
}

/* One packet of a queue, or what there is of it. False: it has none to send. */
static bool send_one(struct fake_82574 *m, uint32_t queue, uint32_t *causes)
{
	struct m574_ring r;
	bool any = false;

	m574_ring(m, m574_tx_block(m, queue), &r);
	m->tx = &m->txq[queue];
	/* without a link what is there waits */
	while ((m574_get(m, R_TCTL) & TCTL_EN) != 0 && m->link && !m->stall_tx && !m->hung_tx &&
		m->gen->queue_on(m, r.block) && !m->pci->gone && m574_can_dma(m) && r.n != 0 &&
		r.head < r.n && r.tail < r.n && r.head != r.tail) {
		uint64_t sent = m->counts.tx;

		if (!process(m, &r, queue)) {
			m->hung_tx = true;
			return false;
		}
		r.head = (r.head + 1) % r.n;
		m574_set(m, r.block + HEAD, r.head);
		any = true;
		if (r.head == r.tail)
			*causes |= ICR_TXQE;
		if (m->counts.tx != sent)
			break;
	}
	return any;
}

/* The queues take turns, a packet each (10.2.6: TARC). */
void m574_tx_kick(struct fake_82574 *m)
{
	uint32_t causes = 0;
	bool any;

	do {
		any = false;
		for (uint32_t queue = 0; queue < m->gen->queues; queue++)
			any |= send_one(m, queue, &causes);
	} while (any);
	if (causes != 0)
		m574_cause(m, causes);
	wire_flush(m);
}
