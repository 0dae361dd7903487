/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that a kernel hands over uncut. Within a machine it does not cut TCP into frames: from a veth or
 * a tap come packets of up to 64 KiB. struct virtio_net_hdr, in front of each packet, says so (virtio 1.2,
 * 5.1.6). A program is to see what would be on a wire: they are cut here.
 *
 * Cutting is what Linux does before a NIC that cannot: each piece has the headers of the whole, with
 * its own lengths, IPv4 identification, TCP sequence number, flags and sums.
 */
#include "af_packet.h"
#include "net_pmd.h"

enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

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
	uint8_t flags;

	if (cut->ipv6) {
		plx_store_be16(ip + 4, (uint16_t)(cut->hdr_len - cut->l3 - 40u + n));
	} else {
		plx_store_be16(ip + 2, (uint16_t)(cut->hdr_len - cut->l3 + n));
		plx_store_be16(ip + 4, (uint16_t)(plx_load_be16(ip + 4) + cut->index));
		plx_ipv4_cksum_put(ip, (ip[0] & 0xfu) * 4);
	}
	if (cut->udp) {
		plx_store_be16(l4 + 4, (uint16_t)l4_len);
		return;
	}
	plx_store_be32(l4 + 4, plx_load_be32(l4 + 4) + cut->done);
	flags = l4[13];
	if (n < cut->left)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (cut->index > 0)
		flags &= (uint8_t)~TCP_CWR;
	l4[13] = flags;
}

/* TCP's or UDP's checksum of the piece with headers h, whose checksum field is 0. */
static plx_be16 piece_sum(const struct afp_cut *cut, const uint8_t *h, uint32_t n)
{
	const uint32_t l4_len = cut->hdr_len - cut->l4 + n;
	const uint8_t proto = cut->udp ? PLX_IP_UDP : PLX_IP_TCP;
	const void *ip = h + cut->l3;
	uint32_t sum = cut->ipv6 ? plx_ipv6_phdr_sum(ip, NULL, proto, l4_len)
				 : plx_ipv4_phdr_sum(ip, proto, (uint16_t)l4_len);

	sum += plx_cksum_add(0, h + cut->l4, cut->hdr_len - cut->l4); /* an even number of bytes */
	sum += plx_cksum_add(0, cut->payload, n);
	return plx_cksum_udp(sum);
}

struct plx_mbuf *afp_cut_next(struct afp_rxq *rxq, bool fit)
{
	struct afp_cut *cut = &rxq->cut;
	const uint32_t n = PLX_MIN(cut->left, cut->mss);
	const uint32_t field = cut->l4 + (cut->udp ? 6u : 16u);
	struct afp_piece piece[2];
	struct plx_mbuf *m = NULL;
	uint8_t h[AFP_HDR_MAX];
	plx_be16 sum;

	if (fit) {
		memcpy(h, cut->hdr, cut->hdr_len);
		piece_headers(cut, h, n);
		plx_store_be16(h + field, 0);
		sum = piece_sum(cut, h, n);
		memcpy(h + field, &sum, sizeof(sum));
		piece[0] = (struct afp_piece){h, cut->hdr_len};
		piece[1] = (struct afp_piece){cut->payload, n};
		m = afp_build(rxq, piece, 2, cut->hdr_len + n);
	}
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
