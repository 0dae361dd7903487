/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a kernel hands over unfinished. Within a machine it does not compute checksums that nobody
 * checks, and does not cut TCP into frames: from a veth or a tap come packets whose checksum field has
 * the pseudo header's sum, and TCP packets of up to 64 KiB. struct virtio_net_hdr, in front of each
 * packet, says so (virtio 1.2, 5.1.6). A program is to see what would be on a wire: sums are computed and
 * large packets cut here.
 *
 * Cutting is what Linux does before a NIC that cannot: each piece has the headers of the whole, with
 * its own lengths, IPv4 identification, TCP sequence number, flags and sums.
 */
#include "af_packet.h"

enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80, PROTO_TCP = 6, PROTO_UDP = 17 };

/* ---- sums ---- */

static uint64_t add(uint64_t sum, const uint8_t *p, uint32_t len)
{
	for (; len >= 4; p += 4, len -= 4)
		sum += plx_load_be32(p);
	if (len >= 2) {
		sum += (uint64_t)plx_load_be16(p) << 16;
		p += 2;
		len -= 2;
		if (len > 0)
			sum += (uint64_t)p[0] << 8;
	} else if (len > 0) {
		sum += (uint64_t)p[0] << 24;
	}
	return sum;
}

/* The checksum of what was added up, in units of 32 bits. */
static uint16_t fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~((sum >> 16) + (sum & 0xffff));
}

/* Writes one byte of a chain. */
static void poke(struct plx_mbuf *m, uint32_t at, uint8_t byte)
{
	while (at >= m->data_len && m->next != NULL) {
		at -= m->data_len;
		m = m->next;
	}
	if (at < m->data_len)
		plx_mbuf_data(m)[at] = byte;
}

bool afp_complete(struct plx_mbuf *m, const struct virtio_net_hdr *vh, const uint8_t *data,
	uint32_t len, uint32_t shift)
{
	const uint32_t start = vh->csum_start, field = start + vh->csum_offset;
	uint16_t sum;

	if (start >= len || field + 2 > len)
		return false;
	sum = fold(add(0, data + start, len - start));
	if (sum == 0)
		sum = 0xffff; /* UDP's 0 means none; for TCP they are the same number */
	poke(m, field + shift, (uint8_t)(sum >> 8));
	poke(m, field + shift + 1, (uint8_t)sum);
	return true;
}

/* ---- large packets ---- */

/* Finds the IP header in cut->hdr, whose first len bytes are there; false: none that is known. */
static bool find_ip(struct afp_cut *cut, uint32_t len)
{
	const uint8_t *h = cut->hdr;
	uint32_t at = 12;
	uint16_t type = plx_load_be16(h + at);

	for (int tags = 0; (type == 0x8100 || type == 0x88a8) && tags < 2; tags++) {
		at += 4;
		type = plx_load_be16(h + at);
	}
	cut->l3 = (uint16_t)(at + 2);
	cut->ipv6 = type == 0x86dd;
	if (cut->l3 + 40u > len)
		return false;
	return cut->ipv6 ? h[cut->l3] >> 4 == 6 : type == 0x0800 && h[cut->l3] >> 4 == 4;
}

/* Finds payload and sizes; start: where the kernel says that layer 4 begins. */
static bool find_l4(struct afp_cut *cut, uint32_t start, uint32_t len)
{
	const uint8_t *h = cut->hdr;
	const uint32_t least = cut->ipv6 ? 40 : (h[cut->l3] & 0xfu) * 4;
	uint32_t l4_len = 8;

	if (start < cut->l3 + least || least < 20 || start + 8 > len)
		return false;
	cut->l4 = (uint16_t)start;
	if (!cut->udp) {
		if (start + 20 > len)
			return false;
		l4_len = (h[start + 12] >> 4) * 4u;
		if (l4_len < 20)
			return false;
	}
	cut->hdr_len = (uint16_t)(start + l4_len);
	return cut->hdr_len <= len;
}

bool afp_cut_begin(struct afp_cut *cut, const struct virtio_net_hdr *vh, const uint8_t *data,
	uint32_t len, const uint8_t *tag)
{
	const uint32_t type = vh->gso_type & ~(uint32_t)VIRTIO_NET_HDR_GSO_ECN;
	const uint32_t extra = tag != NULL ? 4 : 0;
	const uint32_t have = PLX_MIN(len, AFP_HDR_MAX - 4u);

	/* UDP_L4 is 5: newer than the headers of some systems */
	cut->udp = type == 5;
	if ((type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6 && !cut->udp) ||
		!(vh->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || vh->gso_size == 0 || have < 14)
		return false;
	/* a copy, so that what is checked is what is used */
	memset(cut->hdr, 0, sizeof(cut->hdr));
	memcpy(cut->hdr, data, 12);
	if (tag != NULL)
		memcpy(cut->hdr + 12, tag, 4);
	memcpy(cut->hdr + 12 + extra, data + 12, have - 12);
	if (!find_ip(cut, have + extra) || !find_l4(cut, vh->csum_start + extra, have + extra) ||
		cut->hdr_len - extra >= len)
		return false;
	cut->mss = vh->gso_size;
	cut->payload = data + cut->hdr_len - extra;
	cut->left = len + extra - cut->hdr_len;
	cut->done = 0;
	cut->index = 0;
	return true;
}

/* The piece's headers, from those of the whole in h; n: bytes of payload in it. */
static void piece_headers(const struct afp_cut *cut, uint8_t *h, uint32_t n)
{
	uint8_t *ip = h + cut->l3, *l4 = h + cut->l4;
	const uint32_t l4_len = cut->hdr_len - cut->l4 + n;
	uint8_t flags = l4[13];

	if (cut->ipv6) {
		plx_store_be16(ip + 4, (uint16_t)(cut->hdr_len - cut->l3 - 40u + n));
	} else {
		plx_store_be16(ip + 2, (uint16_t)(cut->hdr_len - cut->l3 + n));
		plx_store_be16(ip + 4, (uint16_t)(plx_load_be16(ip + 4) + cut->index));
		plx_store_be16(ip + 10, 0);
		plx_store_be16(ip + 10, fold(add(0, ip, (ip[0] & 0xfu) * 4)));
	}
	if (cut->udp) {
		plx_store_be16(l4 + 4, (uint16_t)l4_len);
		return;
	}
	plx_store_be32(l4 + 4, plx_load_be32(l4 + 4) + cut->done);
	if (n < cut->left)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (cut->index > 0)
		flags &= (uint8_t)~TCP_CWR;
	l4[13] = flags;
}

/* TCP's or UDP's checksum (RFC 793, 768, 8200 8.1) of the piece with headers h. */
static uint16_t piece_sum(const struct afp_cut *cut, const uint8_t *h, uint32_t n)
{
	const uint32_t l4_len = cut->hdr_len - cut->l4 + n;
	const uint8_t *ip = h + cut->l3;
	uint64_t sum = (uint64_t)(l4_len + (cut->udp ? PROTO_UDP : PROTO_TCP)) << 16;
	uint32_t even = (cut->hdr_len - cut->l4) & ~3u; /* the header: a multiple of 4 always */
	uint16_t folded;

	sum = add(sum, cut->ipv6 ? ip + 8 : ip + 12, cut->ipv6 ? 32 : 8);
	sum = add(sum, h + cut->l4, even);
	folded = fold(add(sum, cut->payload, n));
	return folded == 0 ? 0xffff : folded;
}

struct plx_mbuf *afp_cut_next(struct afp_rxq *rxq)
{
	struct afp_cut *cut = &rxq->cut;
	const uint32_t n = PLX_MIN(cut->left, cut->mss);
	const uint32_t field = cut->l4 + (cut->udp ? 6u : 16u);
	struct afp_piece piece[2];
	struct plx_mbuf *m = NULL;
	uint8_t h[AFP_HDR_MAX];

	memcpy(h, cut->hdr, cut->hdr_len);
	piece_headers(cut, h, n);
	plx_store_be16(h + field, 0);
	plx_store_be16(h + field, piece_sum(cut, h, n));
	piece[0] = (struct afp_piece){h, cut->hdr_len};
	piece[1] = (struct afp_piece){cut->payload, n};
	if (cut->hdr_len + n <= rxq->seg_max || (rxq->rx_flags & PLX_RX_OFFLOAD_SCATTER))
		m = afp_build(rxq, piece, 2, cut->hdr_len + n);
	if (m != NULL) {
		m->flags = cut->model.flags;
		m->vlan = cut->model.vlan;
		m->hash_mark = cut->model.hash_mark;
		if (m->flags & PLX_RX_TIMESTAMP)
			m->timestamp = cut->model.timestamp;
	}
	cut->payload += n;
	cut->left -= n;
	cut->done += n;
	cut->index++;
	if (cut->left == 0)
		cut->payload = NULL;
	return m;
}
