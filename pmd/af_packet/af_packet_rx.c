/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RX bursts: no system call. The kernel fills a block, then hands over all of it; its packets are
 * copied into mbufs, and the block goes back when the last of them was.
 *
 * With the pool empty packets are dropped: a network does not wait.
 */
#include "af_packet.h"
#include "net_pmd.h"

/* mbufs taken from the pool at a time */
#define BATCH 32u

/* What the kernel says of a packet, read once. */
struct view {
	const uint8_t *data;
	uint32_t snap, len, status;
	uint32_t hash;
	uint64_t ns;
	uint16_t tci, tpid;
	struct virtio_net_hdr vh;
};

/* What a burst counts. */
struct tally {
	uint64_t bytes;
	uint32_t nombuf, errors;
};

static struct tpacket_hdr_v1 *block_at(const struct afp_rxq *rxq)
{
	uint8_t *b = rxq->ring.base + (size_t)rxq->block * rxq->ring.size;

	return &((struct tpacket_block_desc *)(void *)b)->hdr.bh1;
}

/* A block that this process owns now, with packets in it: true. */
static bool block_enter(struct afp_rxq *rxq)
{
	struct tpacket_hdr_v1 *b = block_at(rxq);

	/* acquire: the block's content after its status */
	if (!(__atomic_load_n(&b->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	rxq->left = PLX_READ_ONCE(b->num_pkts);
	rxq->pos = PLX_READ_ONCE(b->offset_to_first_pkt);
	return true;
}

static void block_leave(struct afp_rxq *rxq)
{
	struct tpacket_hdr_v1 *b = block_at(rxq);

	rxq->left = 0;
	/* release: all reads of the block before the kernel may write it */
	__atomic_store_n(&b->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	rxq->block = rxq->block + 1 == rxq->ring.n ? 0 : rxq->block + 1;
}

/* Looks at the next packet and steps over it; false: the block makes no sense from here on. */
static PLX_ALWAYS_INLINE bool next_view(struct afp_rxq *rxq, struct view *v)
{
	const uint8_t *block = rxq->ring.base + (size_t)rxq->block * rxq->ring.size;
	const uint32_t size = rxq->ring.size, pos = rxq->pos;
	const struct tpacket3_hdr *h = (const void *)(block + pos);
	uint32_t mac, step;

	/* the header, and the struct sockaddr_ll that is behind every one */
	if (plx_unlikely(pos > size - AFP_AFTER - sizeof(struct sockaddr_ll) || pos % 8 != 0))
		return false;
	mac = PLX_READ_ONCE(h->tp_mac);
	v->snap = PLX_READ_ONCE(h->tp_snaplen);
	v->len = PLX_READ_ONCE(h->tp_len);
	v->status = PLX_READ_ONCE(h->tp_status);
	step = PLX_READ_ONCE(h->tp_next_offset);
	if (plx_unlikely(
		    mac < sizeof(*h) + AFP_VNET || mac > size - pos || v->snap > size - pos - mac))
		return false;
	v->data = block + pos + mac;
	v->vh.flags = PLX_READ_ONCE(v->data[-(int)AFP_VNET]);
	v->vh.gso_type = PLX_READ_ONCE(v->data[1 - (int)AFP_VNET]);
	rxq->left--;
	if (rxq->left > 0) {
		if (plx_unlikely(step < sizeof(*h) || step > size - pos))
			return false;
		rxq->pos = pos + step;
		__builtin_prefetch(block + pos + step);
	}
	return true;
}

/* The rest of what the kernel says, for the packets that need it. */
static void view_more(const struct afp_rxq *rxq, struct view *v, uint32_t pos)
{
	const uint8_t *block = rxq->ring.base + (size_t)rxq->block * rxq->ring.size;
	const struct tpacket3_hdr *h = (const void *)(block + pos);

	v->hash = PLX_READ_ONCE(h->hv1.tp_rxhash);
	v->tci = (uint16_t)PLX_READ_ONCE(h->hv1.tp_vlan_tci);
	v->tpid =
		v->status & TP_STATUS_VLAN_TPID_VALID ? PLX_READ_ONCE(h->hv1.tp_vlan_tpid) : 0x8100;
	v->ns = PLX_READ_ONCE(h->tp_sec) * UINT64_C(1000000000) + PLX_READ_ONCE(h->tp_nsec);
	memcpy(&v->vh, v->data - AFP_VNET, AFP_VNET);
}

/* ---- one packet ---- */

struct plx_mbuf *afp_build(
	struct afp_rxq *rxq, const struct afp_piece *piece, unsigned n, uint32_t total)
{
	void *segs[PLX_PKT_LEN_MAX / 64 + 1]; /* a room holds 64 bytes of data at least */
	const uint32_t max = rxq->seg_max;
	const unsigned n_segs = total > max ? (total + max - 1) / max : 1;
	struct plx_mbuf *head, *m;
	uint32_t at = 0; /* in m */
	unsigned next = 1;

	if (plx_mempool_get_bulk(rxq->q.cache, segs, n_segs) == 0)
		return NULL;
	for (unsigned i = 0; i < n_segs; i++)
		plx_mbuf_reset(segs[i]);
	head = m = segs[0];
	head->nsegs = (uint16_t)n_segs;
	for (unsigned i = 0; i < n; i++) {
		for (uint32_t from = 0; from < piece[i].len;) {
			uint32_t k = PLX_MIN(piece[i].len - from, max - at);

			if (k == 0) {
				m->data_len = (uint16_t)at;
				m->next = segs[next++];
				m = m->next;
				at = 0;
				continue;
			}
			memcpy(plx_mbuf_data(m) + at, piece[i].p + from, k);
			from += k;
			at += k;
		}
	}
	m->data_len = (uint16_t)at;
	head->pkt_len = total;
	return head;
}

/* Length and room, with what the tag adds. */
static bool fits(const struct afp_rxq *rxq, const struct view *v, uint32_t total)
{
	if (v->snap != v->len || v->snap < 14 || total > PLX_READ_ONCE(rxq->q.max_pkt))
		return false;
	return total <= rxq->seg_max || (rxq->rx_flags & PLX_RX_OFFLOAD_SCATTER) != 0;
}

/* The fields that offloads ask for. */
static void decorate(
	const struct afp_rxq *rxq, struct plx_mbuf *m, const struct view *v, bool summed)
{
	const uint32_t on = rxq->rx_flags;

	if ((on & PLX_RX_OFFLOAD_CKSUM) && (summed || (v->status & TP_STATUS_CSUM_VALID)))
		m->flags |= PLX_RX_L4_CKSUM_GOOD;
	if (on & PLX_RX_OFFLOAD_RSS_HASH) {
		m->flags |= PLX_RX_RSS_HASH;
		m->rss_hash = v->hash;
	}
	if (on & PLX_RX_OFFLOAD_TIMESTAMP) {
		m->flags |= PLX_RX_TIMESTAMP;
		m->timestamp = v->ns;
	}
	if ((on & PLX_RX_OFFLOAD_VLAN_STRIP) && (v->status & TP_STATUS_VLAN_VALID) &&
		v->tpid == 0x8100) {
		m->flags |= PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED;
		m->vlan = v->tci;
	}
}

/*
 * Any packet but the plainest: with a tag that the kernel took out, an unfinished checksum, longer
 * than a room, or to be cut. NULL: it was dropped and counted, or is being cut now.
 */
static PLX_NOINLINE struct plx_mbuf *receive_odd(
	struct afp_rxq *rxq, struct view *v, uint32_t pos, struct tally *t)
{
	uint8_t tag[4];
	struct afp_piece piece[3];
	unsigned n = 0;
	bool put_back;
	uint32_t total;
	struct plx_mbuf *m;

	view_more(rxq, v, pos);
	put_back = (v->status & TP_STATUS_VLAN_VALID) &&
		   !((rxq->rx_flags & PLX_RX_OFFLOAD_VLAN_STRIP) && v->tpid == 0x8100);
	plx_store_be16(tag, v->tpid);
	plx_store_be16(tag + 2, v->tci);
	if (v->vh.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		if (v->snap != v->len ||
			!afp_cut_begin(&rxq->cut, &v->vh, v->data, v->snap, put_back ? tag : NULL))
			t->errors++;
		rxq->cut.model = (struct plx_mbuf){0};
		decorate(rxq, &rxq->cut.model, v, true);
		return NULL;
	}
	total = v->snap + (put_back ? 4 : 0);
	if (!fits(rxq, v, total)) {
		t->errors++;
		return NULL;
	}
	if (put_back) {
		piece[n++] = (struct afp_piece){v->data, 12};
		piece[n++] = (struct afp_piece){tag, 4};
		piece[n++] = (struct afp_piece){v->data + 12, v->snap - 12};
	} else {
		piece[n++] = (struct afp_piece){v->data, v->snap};
	}
	m = afp_build(rxq, piece, n, total);
	if (m == NULL) {
		t->nombuf++;
		return NULL;
	}
	decorate(rxq, m, v, plx_vnet_rx(m, &v->vh, put_back ? sizeof(tag) : 0));
	return m;
}

/* A packet that is one copy and no more. */
static PLX_ALWAYS_INLINE bool is_plain(const struct afp_rxq *rxq, const struct view *v)
{
	return v->vh.gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	       !(v->vh.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	       !(v->status & TP_STATUS_VLAN_VALID) && v->snap == v->len && v->snap >= 14 &&
	       v->snap <= rxq->seg_max && v->snap <= PLX_READ_ONCE(rxq->q.max_pkt) &&
	       (rxq->rx_flags & ~(uint32_t)(PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_VLAN_STRIP)) ==
		       0;
}

/* The interface's own sending, on kernels that give that, too. */
static bool is_outgoing(const struct afp_rxq *rxq, uint32_t pos)
{
	const uint8_t *block = rxq->ring.base + (size_t)rxq->block * rxq->ring.size;
	const struct sockaddr_ll *sll = (const void *)(block + pos + AFP_AFTER);

	return rxq->skip_outgoing && sll->sll_pkttype == PACKET_OUTGOING;
}

/* ---- the burst ---- */

/* mbufs that were taken from the pool for this burst and not used yet. */
struct stock {
	void *m[BATCH];
	unsigned n;
};

static PLX_ALWAYS_INLINE struct plx_mbuf *stock_take(
	struct afp_rxq *rxq, struct stock *s, uint32_t want)
{
	if (plx_unlikely(s->n == 0)) {
		want = PLX_MIN(PLX_MIN(want, rxq->left + 1), BATCH);
		s->n = plx_mempool_get_bulk(rxq->q.cache, s->m, want);
		if (plx_unlikely(s->n == 0))
			s->n = plx_mempool_get_bulk(rxq->q.cache, s->m, 1);
		if (plx_unlikely(s->n == 0))
			return NULL;
	}
	return s->m[--s->n];
}

/* The packet at pos, or NULL. */
static PLX_ALWAYS_INLINE struct plx_mbuf *receive_one(
	struct afp_rxq *rxq, struct stock *s, uint32_t want, struct tally *t)
{
	const uint32_t pos = rxq->pos;
	struct plx_mbuf *m;
	struct view v;

	if (plx_unlikely(!next_view(rxq, &v))) {
		t->errors++;
		rxq->left = 0;
		return NULL;
	}
	if (plx_unlikely(is_outgoing(rxq, pos)))
		return NULL;
	if (plx_unlikely(!is_plain(rxq, &v)))
		return receive_odd(rxq, &v, pos, t);
	m = stock_take(rxq, s, want);
	if (plx_unlikely(m == NULL)) {
		t->nombuf++;
		return NULL;
	}
	plx_rx_fields(m, rxq->q.pool, v.snap);
	memcpy(plx_mbuf_data(m), v.data, v.snap);
	return m;
}

/* The next piece of a packet that is being cut, as long as a frame may be. */
static struct plx_mbuf *receive_piece(struct afp_rxq *rxq, struct tally *t)
{
	const uint32_t len = rxq->cut.hdr_len + PLX_MIN(rxq->cut.left, rxq->cut.mss);
	const bool fit = len <= PLX_READ_ONCE(rxq->q.max_pkt) &&
			 (len <= rxq->seg_max || (rxq->rx_flags & PLX_RX_OFFLOAD_SCATTER) != 0);
	struct plx_mbuf *m = afp_cut_next(rxq, fit);

	if (!fit)
		t->errors++;
	else if (m == NULL)
		t->nombuf++;
	return m;
}

uint16_t afp_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct afp_rxq *rxq = plx_container_of(q, struct afp_rxq, q);
	struct tally t = {0};
	struct stock s = {.n = 0};
	uint32_t seen = 0; /* packets looked at: a burst of drops ends, too */
	uint16_t got = 0;

	while (got < n && seen < 4u * n) {
		struct plx_mbuf *m;

		if (rxq->left == 0 && rxq->cut.payload == NULL && !block_enter(rxq))
			break;
		if (plx_unlikely(rxq->cut.payload != NULL))
			m = receive_piece(rxq, &t);
		else
			m = rxq->left > 0 ? receive_one(rxq, &s, (uint32_t)(n - got), &t) : NULL;
		seen++;
		if (plx_likely(m != NULL)) {
			t.bytes += m->pkt_len;
			pkts[got++] = m;
		}
		if (rxq->left == 0 && rxq->cut.payload == NULL)
			block_leave(rxq);
	}
	if (s.n > 0)
		plx_mempool_put_bulk(q->cache, s.m, s.n);
	return plx_rxq_count(q, got, t.bytes, t.nombuf, t.errors);
}
