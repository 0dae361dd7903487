/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vmxnet3 model: sending, and the wire. A wire has an inbox with a lock of its own at each end, so
 * that two threads may send to each other's models; who holds a model's lock empties its inbox.
 */
#include <sched.h>
#include <stdlib.h>

#include "fake_vmxnet3_priv.h"

/* ---- the wire ---- */

static void inbox_put(struct fake_vmxnet3 *m, const uint8_t *frame, uint32_t len)
{
	struct vx_frame *fr = malloc(sizeof(*fr) + len);

	if (fr == NULL)
		return; /* lost on the wire */
	fr->next = NULL;
	fr->len = len;
	memcpy(fr->data, frame, len);
	pthread_mutex_lock(&m->inbox_lock);
	*m->inbox_last = fr;
	m->inbox_last = &fr->next;
	pthread_mutex_unlock(&m->inbox_lock);
}

static struct vx_frame *inbox_get(struct fake_vmxnet3 *m)
{
	struct vx_frame *fr;

	pthread_mutex_lock(&m->inbox_lock);
	fr = m->inbox;
	if (fr != NULL)
		m->inbox = fr->next;
	if (m->inbox == NULL)
		m->inbox_last = &m->inbox;
	pthread_mutex_unlock(&m->inbox_lock);
	return fr;
}

void vx_inbox_drain(struct fake_vmxnet3 *m)
{
	struct vx_frame *fr;

	while ((fr = inbox_get(m)) != NULL) {
		vx_rx(m, fr->data, fr->len, 0, 0);
		free(fr);
	}
}

/* The other end takes what waits there, now or, if it is at work, when it is done. */
static void wire_flush(struct fake_vmxnet3 *m)
{
	struct fake_vmxnet3 *peer = m->peer;

	for (;;) {
		bool empty = true;

		if (peer == NULL)
			return;
		pthread_mutex_lock(&peer->inbox_lock);
		empty = peer->inbox == NULL;
		pthread_mutex_unlock(&peer->inbox_lock);
		if (empty)
			return;
		if (pthread_mutex_trylock(&peer->pci->lock) == 0) {
			vx_inbox_drain(peer);
			pthread_mutex_unlock(&peer->pci->lock);
			return;
		}
		vx_inbox_drain(m);
		sched_yield();
	}
}

static void out(struct fake_vmxnet3 *m, const uint8_t *frame, uint32_t len)
{
	m->counts.tx++;
	if (m->tx_fn != NULL)
		m->tx_fn(m->tx_arg, frame, len);
	if (m->peer != NULL && m->cable)
		inbox_put(m->peer, frame, len);
}

/* ---- offloads ---- */

enum { OM_NONE = 0, OM_CSUM = 2, OM_TSO = 3 };

static uint32_t om_of(uint64_t q1)
{
	return q1 >> 42 & 3;
}

static uint32_t hlen_of(uint64_t q1)
{
	return q1 >> 32 & 0x3ff;
}

static uint32_t mss_of(uint64_t q1)
{
	return q1 >> 18 & 0x3fff;
}

/* The sum from hlen to the end of the packet goes to msscof. */
static bool checksum(struct fake_vmxnet3 *m, uint8_t *p, uint32_t len, uint64_t q1)
{
	const uint32_t start = hlen_of(q1), at = mss_of(q1);
	struct vx_headers h;
	uint16_t sum;

	vx_parse(p, len, &h);
	if (!h.tcp && !h.udp) {
		vx_violation(m, "a checksum for what is neither TCP nor UDP");
		return false;
	}
	if (start != h.l4 || at != start + (h.tcp ? 16 : 6)) {
		vx_violation(m, "a checksum from %u at %u, the header is at %u", start, at, h.l4);
		return false;
	}
	if (plx_load_be16(p + at) != vx_fold(vx_pseudo(p, &h, h.end - h.l4)))
		vx_violation(m, "a checksum without the pseudo header's sum");
	sum = (uint16_t)~vx_fold(vx_sum(p + start, h.end - start, 0));
	plx_store_be16(p + at, sum == 0 && h.udp ? 0xffff : sum);
	return true;
}

/* One piece of a packet that is cut: its headers are those of the whole, but for what differs. */
static void cut(struct fake_vmxnet3 *m, const uint8_t *whole, const struct vx_headers *h,
	uint32_t head, uint32_t off, uint32_t len, bool last)
{
	static __thread uint8_t p[FAKE_VMXNET3_PACKET];
	uint8_t *ip = p + h->l3, *tcp = p + h->l4;
	const uint32_t l4_len = head - h->l4 + len;

	memcpy(p, whole, head);
	memcpy(p + head, whole + head + off, len);
	if (h->v4) {
		plx_store_be16(ip + 2, (uint16_t)(head - h->l3 + len));
		plx_store_be16(
			ip + 4, (uint16_t)(plx_load_be16(ip + 4) + (len != 0 ? off / len : 0)));
		plx_store_be16(ip + 10, 0);
		plx_store_be16(ip + 10, (uint16_t)~vx_fold(vx_sum(ip, h->l4 - h->l3, 0)));
	} else {
		plx_store_be16(ip + 4, (uint16_t)l4_len);
	}
	plx_store_be32(tcp + 4, plx_load_be32(tcp + 4) + off);
	if (!last)
		tcp[13] &= (uint8_t)~9u; /* FIN and PSH are the last one's */
	plx_store_be16(tcp + 16, 0);
	plx_store_be16(tcp + 16, (uint16_t)~vx_fold(vx_sum(tcp, l4_len, vx_pseudo(p, h, l4_len))));
	out(m, p, head + len);
}

static bool segment(struct fake_vmxnet3 *m, const uint8_t *p, uint32_t len, uint64_t q1)
{
	const uint32_t head = hlen_of(q1), mss = mss_of(q1);
	struct vx_headers h;

	vx_parse(p, len, &h);
	if (!h.tcp || mss == 0 || head != h.l4 + (p[h.l4 + 12] >> 4) * 4u || head >= len) {
		vx_violation(
			m, "TSO: segments of %u, headers of %u, a packet of %u", mss, head, len);
		return false;
	}
	if (plx_load_be16(p + h.l4 + 16) != vx_fold(vx_pseudo(p, &h, 0)))
		vx_violation(m, "TSO: not the pseudo header's sum without a length");
	if (h.v4 && plx_load_be16(p + h.l3 + 10) != 0)
		vx_violation(m, "TSO: an IPv4 header with a checksum");
	for (uint32_t off = 0; off < len - head; off += mss) {
		const uint32_t n = PLX_MIN(mss, len - head - off);

		cut(m, p, &h, head, off, n, off + n == len - head);
	}
	return true;
}

static void tag(struct vx_tx *t, uint16_t tci)
{
	memmove(t->data + 16, t->data + 12, t->len - 12);
	plx_store_be16(t->data + 12, 0x8100);
	plx_store_be16(t->data + 14, tci);
	t->len += 4;
	/* what the descriptor says of places is behind the tag now */
	if (om_of(t->q1) != OM_NONE)
		t->q1 += UINT64_C(4) << 32;
	if (om_of(t->q1) == OM_CSUM)
		t->q1 += 4u << 18;
}

static bool send_packet(struct fake_vmxnet3 *m)
{
	struct vx_tx *t = &m->tx;

	if (t->len < 14 || t->len > FAKE_VMXNET3_PACKET) {
		vx_violation(m, "a packet of %u bytes", t->len);
		return false;
	}
	if ((t->q1 >> 47 & 1) != 0)
		tag(t, (uint16_t)(t->q1 >> 48));
	switch (om_of(t->q1)) {
	case OM_NONE:
		break;
	case OM_CSUM:
		if (!checksum(m, t->data, t->len, t->q1))
			return false;
		break;
	default:
		return segment(m, t->data, t->len, t->q1);
	}
	if (t->len > m->mtu + 22)
		vx_violation(m, "a packet of %u bytes, the MTU is %u", t->len, m->mtu);
	out(m, t->data, t->len);
	return true;
}

/* ---- slots ---- */

static void stop(struct fake_vmxnet3 *m, struct vx_queue *q, uint32_t error, const char *why)
{
	vx_violation(m, "a TX queue stops: %s", why);
	q->stopped = true;
	q->error = error;
	vx_event(m, ECR_TQERR);
}

static void look_at(struct fake_vmxnet3 *m, uint64_t q1, bool sop, bool eop)
{
	if ((q1 & (7u << 15 | UINT64_C(1) << 46)) != 0 || om_of(q1) == 1 ||
		(om_of(q1) == OM_NONE && (hlen_of(q1) | mss_of(q1)) != 0))
		vx_violation(m, "reserved bits of a TX slot: 0x%016llx", (unsigned long long)q1);
	if (!sop && (q1 >> 42 & 3) + (q1 >> 32 & 0x3ff) + (q1 >> 18 & 0x3fff) + (q1 >> 47) != 0)
		vx_violation(m, "offloads in a slot that is not the first of its packet");
	if (eop != ((q1 >> 45 & 1) != 0))
		vx_violation(m, eop ? "a packet that is not to be reported"
				    : "a slot to be reported that ends no packet");
}

static void count(struct vx_queue *q, const struct vx_tx *t, bool ok)
{
	const uint32_t kind = t->data[0] == 0xff ? TX_BCAST
			      : (t->data[0] & 1) ? TX_MCAST
						 : TX_UCAST;

	if (!ok) {
		q->stats[TX_ERROR]++;
		return;
	}
	q->stats[kind]++;
	q->stats[kind + 1] += t->len;
	if (om_of(t->q1) == OM_TSO) {
		q->stats[TX_TSO]++;
		q->stats[TX_TSO_BYTES] += t->len;
	}
}

/* One slot. False: the queue has no more, or hangs. */
static bool one(struct fake_vmxnet3 *m, struct vx_queue *q)
{
	struct vx_ring *r = &q->ring[0];
	struct vx_tx *t = &m->tx;
	const uint32_t slot = r->next;
	uint64_t d[2];
	uint32_t len;
	bool eop, ok;

	if (!vx_ring_get(m, r, d) || (d[1] >> 14 & 1) != r->gen)
		return false;
	eop = (d[1] >> 44 & 1) != 0;
	look_at(m, d[1], t->slots == 0, eop);
	if (t->slots == 0)
		t->q1 = d[1];
	len = d[1] & 0x3fff ? (uint32_t)(d[1] & 0x3fff) : 16384;
	if (++t->slots > (om_of(t->q1) == OM_TSO ? 24u : 16u)) {
		stop(m, q, 0x80000002u, "too many slots in a packet");
		return false;
	}
	if (len > FAKE_VMXNET3_PACKET - t->len ||
		fake_dma_read(m->pci, d[0], t->data + t->len, len) < 0) {
		q->stopped = true;
		return false;
	}
	t->len += len;
	vx_ring_next(r);
	if (!eop)
		return true;
	ok = send_packet(m);
	count(q, t, ok);
	t->len = t->slots = 0;
	if (!vx_complete(m, q, false, slot, 0))
		return false;
	vx_fire(m, q->intr);
	return true;
}

void vx_tx(struct fake_vmxnet3 *m, uint32_t queue)
{
	struct vx_queue *q = &m->txq[queue];

	while (m->active && !m->stall_tx && !q->stopped && !m->pci->gone && m->cable &&
		fake_master(m->pci) && one(m, q))
		;
	if (m->tx.slots != 0 && !q->stopped) {
		vx_violation(m, "a packet without an end");
		m->tx.len = m->tx.slots = 0;
	}
	wire_flush(m);
}
