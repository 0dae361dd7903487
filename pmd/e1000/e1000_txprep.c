/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Before transmitting with checksum offload: do the headers say what the metadata says? The device
 * writes sums where the metadata points; QEMU's model drops what it cannot parse without a word. The
 * device wants the pseudo header's sum in the checksum field (7.2.10.2), which is put there.
 */
#include "e1000_tx.h"
#include "net_pmd.h"

/* The EtherType behind the tags that l2_len covers. */
static uint16_t ethertype(const uint8_t *p, uint32_t l2)
{
	uint32_t at = 12;

	while (at + 6 <= l2 && (plx_load_be16(p + at) == 0x8100 || plx_load_be16(p + at) == 0x88a8))
		at += 4;
	return at + 2 == l2 ? plx_load_be16(p + at) : 0;
}

static int check_ipv4(const struct plx_mbuf *m, const uint8_t *ip, uint32_t l4_proto)
{
	const bool tso = (m->flags & PLX_TX_TSO) != 0; /* the length is the device's to set */
	const uint32_t l3 = m->tx.l3_len;

	if (ip[0] >> 4 != 4 || (ip[0] & 0xfu) * 4 != l3)
		return plx_err(EINVAL, "IPv4 header starts with 0x%02x, l3_len is %u", ip[0], l3);
	if (plx_load_be16(ip + 2) < l3 && !tso)
		return plx_err(EINVAL, "IPv4 total length %u is less than its header of %u",
			plx_load_be16(ip + 2), l3);
	if (l4_proto == 0)
		return 0;
	if (ip[9] != l4_proto)
		return plx_err(EINVAL, "IPv4 protocol is %u, the flags say %u", ip[9], l4_proto);
	if (plx_load_be16(ip + 6) & 0x3fff)
		return plx_err(EINVAL, "a fragment's TCP or UDP checksum cannot be computed");
	return 0;
}

static int check_ipv6(const struct plx_mbuf *m, const uint8_t *ip, uint32_t l4_proto)
{
	if (ip[0] >> 4 != 6 || m->tx.l3_len < 40)
		return plx_err(EINVAL, "IPv6 header starts with 0x%02x, l3_len is %u", ip[0],
			(unsigned)m->tx.l3_len);
	if (m->tx.l3_len == 40 && ip[6] != l4_proto)
		return plx_err(EINVAL, "IPv6 next header is %u, the flags say %u", ip[6], l4_proto);
	return 0;
}

/* 7.3.5: the headers that each segment's are made of have no lengths. */
static int prepare_tso(struct plx_mbuf *m, const uint8_t *tcp)
{
	if ((tcp[12] >> 4) * 4u != m->tx.l4_len)
		return plx_err(EINVAL, "the TCP header has %u bytes, l4_len is %u",
			(tcp[12] >> 4) * 4u, (unsigned)m->tx.l4_len);
	return plx_tx_phdr_tso(m);
}

static int prepare(struct plx_mbuf *m)
{
	const uint32_t l4 = (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len;
	const uint32_t tcp = PLX_TX_TCP_CKSUM | PLX_TX_TSO;
	const uint32_t proto = m->flags & tcp                ? PLX_IP_TCP
			       : m->flags & PLX_TX_UDP_CKSUM ? PLX_IP_UDP
							     : 0;
	const uint32_t need = l4 + (proto == PLX_IP_TCP ? 20 : proto == PLX_IP_UDP ? 8 : 0);
	const uint16_t want = m->flags & PLX_TX_IPV4 ? 0x0800 : 0x86dd;
	uint8_t *p = plx_mbuf_data(m);
	uint16_t type;
	int err;

	if (need > m->data_len)
		return plx_err(EINVAL, "headers of %u bytes must lie in the first segment of %u",
			need, m->data_len);
	if (l4 + 16 > 0xff)
		return plx_err(EINVAL, "headers of %u bytes: the device reaches 239", l4);
	type = ethertype(p, m->tx.l2_len);
	if (type != want)
		return plx_err(EINVAL, "EtherType at the end of l2_len %u is 0x%04x, not 0x%04x",
			(unsigned)m->tx.l2_len, type, want);
	err = m->flags & PLX_TX_IPV4 ? check_ipv4(m, p + m->tx.l2_len, proto)
				     : check_ipv6(m, p + m->tx.l2_len, proto);
	if (err == 0 && (m->flags & PLX_TX_TSO))
		return prepare_tso(m, p + l4);
	return err < 0 ? err : plx_tx_phdr(m);
}

int e1000_tx_prepare(struct plx_txq *h, struct plx_mbuf *m)
{
	if (m->nsegs > E1000_MAX_SEGS)
		return plx_err(
			EINVAL, "%u segments: the device takes %u", m->nsegs, E1000_MAX_SEGS);
	if (m->flags & PLX_TX_TSO) {
		const struct e1000_tx_shape s = e1000_tx_shape_of(m);
		const char *flaw = e1000_tso_flaw(h, m, &s);

		if (flaw != NULL)
			return plx_err(EINVAL,
				"TSO of %u bytes, headers %u, tso_segsz %u: the device cannot send %s",
				s.len, e1000_tso_headers(m), (unsigned)m->tx.tso_segsz, flaw);
	}
	return m->flags & E1000_TX_CTX ? prepare(m) : 0;
}
