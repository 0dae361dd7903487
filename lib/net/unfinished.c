/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums that software begins and somebody else finishes, or the other way round. */
#include "net_pmd.h"

#include <linux/virtio_net.h>

#include "plx_log.h"

#define CKSUM_OFF(hdr) ((uint32_t)offsetof(struct plx_##hdr##_hdr, cksum))

static uint32_t cksum_off(const struct plx_mbuf *m)
{
	return m->flags & PLX_TX_UDP_CKSUM ? CKSUM_OFF(udp) : CKSUM_OFF(tcp);
}

/* ---- TX ---- */

/* Bytes of layer 4, as the IP header says: there may be padding behind. 0: it says nonsense. */
static uint32_t l4_bytes(const struct plx_mbuf *m, const uint8_t *ip)
{
	const uint32_t l3 = m->tx.l3_len, most = m->pkt_len - (uint32_t)m->tx.l2_len - l3;
	uint32_t len;

	/* of what is cut, all of it: there is a header for each piece */
	if (m->flags & PLX_TX_TSO)
		return most;
	len = m->flags & PLX_TX_IPV4 ? plx_load_be16(ip + 2) : plx_load_be16(ip + 4) + 40u;
	return len > l3 && len - l3 <= most ? len - l3 : 0;
}

/* Bytes of layer 4 that are in the pseudo header. */
enum phdr { PHDR_WHOLE, PHDR_NO_LENGTH };

static int put_phdr(struct plx_mbuf *m, enum phdr what)
{
	const uint32_t l2 = m->tx.l2_len, l3 = m->tx.l3_len, field = l2 + l3 + cksum_off(m);
	const uint8_t proto = m->flags & PLX_TX_UDP_CKSUM ? PLX_IP_UDP : PLX_IP_TCP;
	const bool ipv4 = (m->flags & PLX_TX_IPV4) != 0;
	const uint32_t least = ipv4 ? sizeof(struct plx_ipv4_hdr) : sizeof(struct plx_ipv6_hdr);
	uint8_t *ip = plx_mbuf_data(m) + l2;
	uint32_t len;
	plx_be16 sum;

	if (field + 2 > m->data_len || l3 < least)
		return plx_err(EINVAL, "headers of %u bytes must lie in the first segment of %u",
			field + 2, m->data_len);
	if (ip[0] >> 4 != (ipv4 ? 4 : 6))
		return plx_err(EINVAL, "IP header starts with 0x%02x, the flags say IPv%u", ip[0],
			ipv4 ? 4u : 6u);
	len = what == PHDR_WHOLE ? l4_bytes(m, ip) : 0;
	if (len == 0 && what == PHDR_WHOLE)
		return plx_err(EINVAL, "the IP header's length is not the packet's");
	sum = plx_cksum_fold(ipv4 ? plx_ipv4_phdr_sum((const void *)ip, proto, (uint16_t)len)
				  : plx_ipv6_phdr_sum((const void *)ip, NULL, proto, len));
	memcpy(plx_mbuf_data(m) + field, &sum, sizeof(sum));
	return 0;
}

int plx_tx_phdr(struct plx_mbuf *m)
{
	return m->flags & PLX_TX_L4_FLAGS ? put_phdr(m, PHDR_WHOLE) : 0;
}

int plx_tx_phdr_tso(struct plx_mbuf *m)
{
	uint8_t *ip = plx_mbuf_data(m) + m->tx.l2_len;
	int err = put_phdr(m, PHDR_NO_LENGTH);

	if (err < 0)
		return err;
	if (m->flags & PLX_TX_IPV4) {
		plx_store_be16(ip + 2, 0);
		plx_store_be16(ip + 10, 0);
	} else {
		plx_store_be16(ip + 4, 0);
	}
	return 0;
}

int plx_tx_wants_ipv4_cksum(const struct plx_mbuf *m)
{
	const uint32_t l2 = m->tx.l2_len, l3 = m->tx.l3_len;

	if (!(m->flags & PLX_TX_IPV4) || !(m->flags & (PLX_TX_IP_CKSUM | PLX_TX_TSO)))
		return 0;
	if (l2 < sizeof(struct plx_eth_hdr) || l3 < sizeof(struct plx_ipv4_hdr) || l3 > 60 ||
		l2 + l3 > m->pkt_len)
		return -1;
	return 1;
}

bool plx_vnet_tx(struct virtio_net_hdr *vh, const struct plx_mbuf *m, uint32_t tag)
{
	const uint32_t start = (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len;

	*vh = (struct virtio_net_hdr){0};
	if (!(m->flags & PLX_TX_L4_FLAGS))
		return true;
	if (start + cksum_off(m) + 2 > m->pkt_len)
		return false;
	vh->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	vh->csum_start = (uint16_t)(start + tag);
	vh->csum_offset = (uint16_t)cksum_off(m);
	/* one that fits a piece is no large packet to Linux */
	if (!(m->flags & PLX_TX_TSO) || m->pkt_len - start <= m->tx.l4_len + m->tx.tso_segsz)
		return true;
	vh->hdr_len = (uint16_t)(start + m->tx.l4_len + tag);
	vh->gso_size = (uint16_t)m->tx.tso_segsz;
	vh->gso_type = m->flags & PLX_TX_IPV6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	return vh->gso_size > 0;
}

/* ---- RX ---- */

bool plx_vnet_rx(struct plx_mbuf *m, const struct virtio_net_hdr *vh, uint32_t tag)
{
	const uint32_t start = vh->csum_start + tag, field = start + vh->csum_offset;
	plx_be16 cksum;

	if (!(vh->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return (vh->flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0;
	if (start >= m->pkt_len || field + sizeof(cksum) > m->pkt_len)
		return false;
	/* UDP's 0 means none; for TCP 0 and 0xffff are the same number */
	cksum = plx_cksum_udp_nonzero(plx_cksum_mbuf(m, start, m->pkt_len - start));
	return plx_mbuf_write(m, field, &cksum, sizeof(cksum)) >= 0;
}
