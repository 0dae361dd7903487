/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 model: receiving. What has no buffer is dropped at once. */
#include "fake_vmxnet3_priv.h"

/* ---- filters ---- */

static bool vlan_passes(const struct fake_vmxnet3 *m, const uint8_t *p, uint32_t len)
{
	uint32_t id;

	if (len < 18 || plx_load_be16(p + 12) != 0x8100)
		return true;
	id = plx_load_be16(p + 14) & 0xfff;
	return id == 0 || (m->vft[id / 32] >> id % 32 & 1) != 0;
}

static bool accepts(const struct fake_vmxnet3 *m, const uint8_t *p, uint32_t len)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};

	if ((m->rx_mode & RXM_PROMISC) != 0)
		return true;
	if (!vlan_passes(m, p, len))
		return false;
	if (memcmp(p, all, 6) == 0)
		return (m->rx_mode & RXM_BCAST) != 0;
	if ((p[0] & 1) == 0)
		return (m->rx_mode & RXM_UCAST) != 0 && memcmp(p, m->mac, 6) == 0;
	if ((m->rx_mode & RXM_ALL_MULTI) != 0)
		return true;
	for (uint32_t i = 0; (m->rx_mode & RXM_MCAST) != 0 && i < m->n_mcast; i++)
		if (memcmp(p, m->mcast[i], 6) == 0)
			return true;
	return false;
}

/* ---- one packet ---- */

struct packet {
	uint8_t data[FAKE_VMXNET3_PACKET + 60];
	uint32_t len;
	uint64_t first0, last0, last1; /* of its first and its last completion */
	uint32_t segs;                 /* that it was joined from, to be said; 0: none */
};

/* Tag and checksums, which the last completion tells of. */
static void describe(const struct fake_vmxnet3 *m, struct packet *p)
{
	struct vx_headers h;
	uint32_t l4_len;

	if ((m->features & F_RXVLAN) != 0 && p->len >= 18 &&
		plx_load_be16(p->data + 12) == 0x8100) {
		p->last1 |= 1u << 15 | (uint64_t)plx_load_be16(p->data + 14) << 16;
		memmove(p->data + 12, p->data + 16, p->len - 16);
		p->len -= 4;
	}
	vx_parse(p->data, p->len, &h);
	if ((m->features & F_RXCSUM) == 0 || (!h.v4 && !h.v6)) {
		p->last0 |= 1u << 30; /* cnc */
		return;
	}
	l4_len = h.end - h.l4;
	p->last1 |= (uint64_t)h.v4 << 53 | (uint64_t)h.v6 << 52 | (uint64_t)h.fragment << 54 |
		    (uint64_t)h.tcp << 50 | (uint64_t)h.udp << 49 | UINT64_C(1) << 55;
	if (h.v4 && vx_fold(vx_sum(p->data + h.l3, h.l4 - h.l3, 0)) == 0xffff)
		p->last1 |= UINT64_C(1) << 51;
	if (h.udp && plx_load_be16(p->data + h.l4 + 6) == 0)
		p->last1 |= UINT64_C(1) << 48; /* it has none */
	else if ((h.tcp || h.udp) &&
		 vx_fold(vx_sum(p->data + h.l4, l4_len, vx_pseudo(p->data, &h, l4_len))) == 0xffff)
		p->last1 |= UINT64_C(1) << 48;
}

/* The queue it goes to. */
static uint32_t steer(const struct fake_vmxnet3 *m, struct packet *p)
{
	uint32_t type, hash, queue;

	if ((m->features & F_RSS) == 0 || m->opts.like_qemu || m->rss.table_len == 0)
		return 0;
	hash = vx_hash(&m->rss, p->data, p->len, &type);
	if (type == 0)
		return 0;
	p->first0 |= (uint64_t)type << 26 | (uint64_t)hash << 32;
	queue = m->rss.table[hash % m->rss.table_len];
	return queue < m->n_rxq ? queue : 0; /* one that is not there is a violation already */
}

/* The next buffer of a ring, of the kind that is wanted. */
static bool buffer(struct fake_vmxnet3 *m, struct vx_ring *r, bool body, uint64_t q[2])
{
	const uint32_t before = r->next;
	bool is_body;

	if (m->opts.wants_prod && r->next == r->told)
		return false;
	if (!vx_ring_get(m, r, q) || (q[1] >> 31 & 1) != r->gen)
		return false;
	is_body = (q[1] >> 14 & 1) != 0;
	if ((q[1] & ~UINT64_C(0x80007fff)) != 0)
		vx_violation(m, "reserved bits of an RX slot: 0x%016llx", (unsigned long long)q[1]);
	if (is_body != body) {
		vx_violation(m, "a buffer for %s of a packet where one for %s was expected",
			is_body ? "the rest" : "the start", body ? "the rest" : "the start");
		return false;
	}
	if ((q[1] & 0x3fff) < (body ? 1 : 128))
		vx_violation(m, "an RX buffer of %u bytes", (unsigned)(q[1] & 0x3fff));
	vx_ring_next(r);
	if (r->next == before)
		vx_violation(m, "an RX ring of one slot");
	return true;
}

/* Writes one piece and, when it is known whether it is the last, its completion. */
static bool piece(struct fake_vmxnet3 *m, struct vx_queue *q, uint32_t queue, struct packet *p,
	uint32_t *done, bool more_allowed)
{
	const bool sop = *done == 0;
	struct vx_ring *r = sop ? &q->ring[0] : &q->ring[1];
	uint64_t q0, q1, b[2];
	uint32_t len, slot;
	bool last;

	if (!buffer(m, r, !sop, b))
		return false;
	slot = r->next == 0 ? r->n - 1 : r->next - 1;
	len = PLX_MIN(p->len - *done, (uint32_t)(b[1] & 0x3fff));
	if (fake_dma_write(m->pci, b[0], p->data + *done, len) < 0)
		return false;
	*done += len;
	last = *done == p->len || !more_allowed;
	q0 = slot | (uint64_t)last << 14 | (uint64_t)sop << 15 |
	     (uint64_t)(queue + (sop ? 0 : m->n_rxq)) << 16;
	q1 = len | (uint64_t)(m->opts.like_qemu ? 0 : 3) << 56;
	if (sop)
		q0 |= p->first0;
	if (last)
		q0 |= p->last0;
	if (*done == p->len)
		q1 |= p->last1;
	else if (last)
		q1 |= 1u << 14; /* it is not all of it */
	if (last && m->bad) {
		q1 |= 1u << 14;
		m->bad = false;
	}
	/* LRO: the first completion says so, with a number where others have a hash */
	if (sop && p->segs != 0) {
		q0 = (q0 & ~(UINT64_C(0xf) << 26) & UINT32_MAX) | (uint64_t)(p->segs & 0xff) << 32;
		q1 = (q1 & ~(UINT64_C(0x7f) << 56)) | UINT64_C(4) << 56;
	}
	return vx_complete(m, q, true, q0, q1);
}

static void count(struct fake_vmxnet3 *m, struct vx_queue *q, const struct packet *p, bool lro)
{
	const uint32_t kind = p->data[0] == 0xff ? RX_BCAST
			      : (p->data[0] & 1) ? RX_MCAST
						 : RX_UCAST;

	q->stats[kind]++;
	q->stats[kind + 1] += p->len;
	if (lro) {
		q->stats[RX_LRO]++;
		q->stats[RX_LRO_BYTES] += p->len;
	}
	m->counts.rx++;
}

/* A buffer that the device cannot use: reported as one without data. */
static void pass_over(struct fake_vmxnet3 *m, struct vx_queue *q)
{
	uint64_t b[2];

	while (m->pass_over != 0 && buffer(m, &q->ring[0], false, b))
		m->pass_over--;
}

static bool deliver(struct fake_vmxnet3 *m, uint32_t queue, struct packet *p, bool lro)
{
	struct vx_queue *q = &m->rxq[queue];
	uint32_t done = 0, n = 0;

	if (q->stopped || m->stall_rx) {
		q->stats[RX_NO_BUF]++;
		m->counts.missed++;
		return false;
	}
	pass_over(m, q);
	while (done < p->len && n < m->rx_sg)
		if (!piece(m, q, queue, p, &done, ++n < m->rx_sg))
			break;
	vx_fire(m, q->intr);
	if (done == p->len) {
		count(m, q, p, lro);
		return true;
	}
	if (n < m->rx_sg || done == 0) {
		q->stats[RX_NO_BUF]++;
		m->counts.missed++;
	} else {
		q->stats[RX_ERROR]++;
	}
	return false;
}

bool vx_rx(struct fake_vmxnet3 *m, const uint8_t *frame, uint32_t len, uint32_t mss, uint32_t segs)
{
	static __thread struct packet p;
	uint32_t queue;

	if (!m->active || m->pci->gone || !m->cable || !fake_master(m->pci) || len < 14 ||
		len > FAKE_VMXNET3_PACKET || !accepts(m, frame, len))
		return false;
	if (segs != 0 && (m->features & F_LRO) == 0)
		return false;
	memset(p.data, 0, 60);
	memcpy(p.data, frame, len);
	p.len = PLX_MAX(len, 60u);
	p.first0 = p.last0 = p.last1 = 0;
	queue = steer(m, &p);
	describe(m, &p);
	p.segs = m->rev > 1 && !m->opts.like_qemu ? segs : 0;
	if (p.segs != 0)
		p.last1 |= (uint64_t)(mss & 0xffff) << 32;
	return deliver(m, queue, &p, segs != 0);
}
