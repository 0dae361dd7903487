/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums of layers 3 and 4, for the headers that the parser found in a packet. */
#include "plx_log.h"
#include "net_priv.h"

#define RH_TYPE_0        0 /* deprecated (RFC 5095), and still what others compute with */
#define RH_TYPE_MOBILITY 2
#define RH_TYPE_RPL      3
#define RH_TYPE_SEGMENTS 4
#define RH_LEN_MAX       2048 /* (255 + 1) * 8 */

uint32_t plx_ipv6_phdr_sum(
	const struct plx_ipv6_hdr *ip, const uint8_t *dst, uint8_t proto, uint32_t len)
{
	uint32_t sum = plx_cksum_add(0, ip->src, PLX_IPV6_ADDR_LEN);

	sum = plx_cksum_add(sum, dst != NULL ? dst : ip->dst, PLX_IPV6_ADDR_LEN);
	sum += plx_be16_make((uint16_t)(len >> 16)).v;
	sum += plx_be16_make((uint16_t)len).v;
	return plx_cksum_narrow_((uint64_t)sum + plx_be16_make(proto).v);
}

/*
 * The final destination after a routing header of size bytes at rh that has segments left
 * (RFC 8200, 8.1), into dst, which holds the destination of the IPv6 header. -1: there is none.
 */
static int final_destination(const struct plx_ipv6_routing_hdr *rh, unsigned size, uint8_t *dst)
{
	const uint8_t *p = (const uint8_t *)rh;
	unsigned keep = 0, pad = 0;

	switch (rh->type) {
	case RH_TYPE_0:
	case RH_TYPE_MOBILITY: /* RFC 6275, 6.4: one address */
		break;
	case RH_TYPE_RPL: /* RFC 6554, 3: the last address without keep bytes, then padding */
		keep = rh->data[0] & 0xf;
		pad = rh->data[1] >> 4;
		break;
	case RH_TYPE_SEGMENTS: /* RFC 8754, 2: in reverse order */
		if (size < sizeof(*rh) + PLX_IPV6_ADDR_LEN)
			return -1;
		memcpy(dst, p + sizeof(*rh), PLX_IPV6_ADDR_LEN);
		return 0;
	default:
		return -1;
	}
	if (size < sizeof(*rh) + PLX_IPV6_ADDR_LEN - keep + pad)
		return -1;
	memcpy(dst + keep, p + size - pad - (PLX_IPV6_ADDR_LEN - keep), PLX_IPV6_ADDR_LEN - keep);
	return 0;
}

static int phdr_sum_ipv6(
	const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, uint32_t len, uint32_t *sum)
{
	struct plx_ipv6_hdr ip_buf;
	uint8_t rh_buf[RH_LEN_MAX], dst[PLX_IPV6_ADDR_LEN];
	const struct plx_ipv6_routing_hdr *rh;
	const struct plx_ipv6_hdr *ip = net_peek(m, h->l3_off, sizeof(*ip), &ip_buf);
	unsigned size;

	if (ip == NULL)
		return plx_err(EINVAL, "checksum: the IPv6 header is not in the packet");
	if (plx_likely(h->routing == 0)) {
		*sum = plx_ipv6_phdr_sum(ip, NULL, h->proto, len);
		return 0;
	}
	memcpy(dst, ip->dst, sizeof(dst));
	rh = net_peek(m, h->routing, sizeof(*rh), rh_buf);
	if (rh == NULL)
		return plx_err(EINVAL, "checksum: the routing header is not in the packet");
	size = (rh->len + 1u) * 8;
	rh = net_peek(m, h->routing, size, rh_buf);
	if (rh == NULL || final_destination(rh, size, dst) < 0)
		return plx_err(
			EINVAL, "checksum: an IPv6 routing header without a final destination");
	*sum = plx_ipv6_phdr_sum(ip, dst, h->proto, len);
	return 0;
}

int plx_l4_phdr_sum_mbuf(
	const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, uint32_t len, uint32_t *sum)
{
	struct plx_ipv4_hdr buf;
	const struct plx_ipv4_hdr *ip;

	if (h->proto == PLX_IP_ICMP && h->version == 4) {
		*sum = 0;
		return 0;
	}
	if (h->version == 6)
		return phdr_sum_ipv6(m, h, len, sum);
	ip = h->version == 4 ? net_peek(m, h->l3_off, sizeof(*ip), &buf) : NULL;
	if (ip == NULL)
		return plx_err(EINVAL, "checksum: no IP header");
	*sum = plx_ipv4_phdr_sum(ip, h->proto, (uint16_t)len);
	return 0;
}

uint32_t plx_l4_cksum_off(const struct plx_pkt_hdrs *h)
{
	if (h->l4_len == 0)
		return 0;
	switch (h->proto) {
	case PLX_IP_TCP:
		return h->l4_off + (uint32_t)offsetof(struct plx_tcp_hdr, cksum);
	case PLX_IP_UDP:
		return h->l4_off + (uint32_t)offsetof(struct plx_udp_hdr, cksum);
	case PLX_IP_SCTP:
		return h->l4_off + (uint32_t)offsetof(struct plx_sctp_hdr, cksum);
	case PLX_IP_ICMP:
	case PLX_IP_ICMPV6:
		return h->l4_off + (uint32_t)offsetof(struct plx_icmp_hdr, cksum);
	default:
		return 0;
	}
}

/* Offset of the checksum field, 0 with a message if nothing can be computed. */
static uint32_t computable(const struct plx_pkt_hdrs *h)
{
	uint32_t at = plx_l4_cksum_off(h);

	if (plx_unlikely(at == 0))
		(void)plx_err(EINVAL, "checksum: no whole header of a protocol that has one%s",
			h->flags & PLX_PKT_FRAG ? ": a fragment" : "");
	else if (plx_unlikely(h->flags & PLX_PKT_SHORT))
		(void)plx_err(EINVAL, "checksum: the packet ends before its headers say so"),
			at = 0;
	return at;
}

/* The sum of layer 4 with its pseudo header, the checksum in place. */
static int sum_l4(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, uint32_t *sum)
{
	int err = plx_l4_phdr_sum_mbuf(m, h, h->l4_bytes, sum);

	if (err == 0)
		*sum = plx_cksum_add_mbuf(*sum, m, h->l4_off, h->l4_bytes);
	return err;
}

/* The same without the field at offset at, in two parts. */
static uint32_t sum_around(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, uint32_t at)
{
	uint32_t sum = 0, before = at - h->l4_off;

	(void)plx_l4_phdr_sum_mbuf(m, h, h->l4_bytes, &sum);
	sum = plx_cksum_add_mbuf(sum, m, h->l4_off, before);
	return plx_cksum_add_mbuf(sum, m, at + 2, h->l4_bytes - before - 2);
}

/* The checksum field of layer 4, 2 bytes at offset at of the packet. */
static plx_be16 field(const struct plx_mbuf *m, uint32_t at)
{
	plx_be16 x = {0}, buf;
	const void *p = net_peek(m, at, sizeof(x), &buf);

	if (p != NULL)
		memcpy(&x, p, sizeof(x));
	return x;
}

int plx_l4_cksum_mbuf(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, plx_be16 *cksum)
{
	uint32_t at = computable(h), sum;
	int err;

	if (at == 0)
		return -EINVAL;
	if (h->proto == PLX_IP_SCTP)
		return plx_err(EINVAL, "checksum: SCTP has a CRC: plx_sctp_cksum_mbuf()");
	err = sum_l4(m, h, &sum);
	if (err < 0)
		return err;
	/* Without the field: its complement is added, which makes a sum of zeros 0xffff. */
	sum += (uint16_t)~field(m, at).v;
	if (plx_unlikely(plx_cksum_finish(sum).v == 0))
		sum = sum_around(m, h, at);
	*cksum = h->proto == PLX_IP_UDP ? plx_cksum_udp(sum) : plx_cksum_finish(sum);
	return 0;
}

int plx_l4_cksum_check(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h)
{
	uint32_t at = computable(h), sum;
	int err;

	if (at == 0)
		return -EINVAL;
	if (h->proto == PLX_IP_SCTP) {
		plx_le32 want = {0}, have, buf;
		const void *p = net_peek(m, at, sizeof(have), &buf);

		err = plx_sctp_cksum_mbuf(m, h, &want);
		if (err < 0 || p == NULL)
			return -EINVAL;
		memcpy(&have, p, sizeof(have));
		return have.v == want.v;
	}
	/* RFC 768; over IPv6 it is an error (RFC 8200, 8.1). */
	if (h->proto == PLX_IP_UDP && field(m, at).v == 0)
		return h->version == 4;
	err = sum_l4(m, h, &sum);
	return err < 0 ? err : plx_cksum_finish(sum).v == 0;
}

int plx_l3_cksum_check(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h)
{
	if (h->version != 4)
		return h->version == 6;
	return plx_cksum_mbuf(m, h->l3_off, h->l3_len).v == 0;
}
