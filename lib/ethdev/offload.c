/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of offloads and RSS fields, and the check of a packet's offload metadata before it is sent. */
#include "ethdev_priv.h"

const char *plx_rx_offload_name(uint32_t bit)
{
	static const char *const names[] = {"checksum", "vlan-strip", "rss-hash", "scatter",
		"timestamp", "lro", "qinq-strip", "outer-checksum"};

	return bit < PLX_ARRAY_SIZE(names) ? names[bit] : NULL;
}

const char *plx_tx_offload_name(uint32_t bit)
{
	static const char *const names[] = {"ip-checksum", "tcp-checksum", "udp-checksum",
		"sctp-checksum", "vlan-insert", "qinq-insert", "tso", "multi-segment",
		"outer-checksum"};

	return bit < PLX_ARRAY_SIZE(names) ? names[bit] : NULL;
}

const char *plx_rss_field_name(uint32_t bit)
{
	static const char *const names[] = {
		"ipv4", "ipv4-tcp", "ipv4-udp", "ipv6", "ipv6-tcp", "ipv6-udp"};

	return bit < PLX_ARRAY_SIZE(names) ? names[bit] : NULL;
}

/* The offloads that a packet asks for. */
static uint32_t wanted(const struct plx_mbuf *m)
{
	static const struct {
		uint32_t flag, offload;
	} table[] = {
		{PLX_TX_IP_CKSUM, PLX_TX_OFFLOAD_IP_CKSUM},
		{PLX_TX_TCP_CKSUM, PLX_TX_OFFLOAD_TCP_CKSUM},
		{PLX_TX_UDP_CKSUM, PLX_TX_OFFLOAD_UDP_CKSUM},
		{PLX_TX_SCTP_CKSUM, PLX_TX_OFFLOAD_SCTP_CKSUM},
		{PLX_TX_VLAN, PLX_TX_OFFLOAD_VLAN},
		{PLX_TX_QINQ, PLX_TX_OFFLOAD_QINQ},
		{PLX_TX_TSO, PLX_TX_OFFLOAD_TSO},
		{PLX_TX_OUTER_IP_CKSUM, PLX_TX_OFFLOAD_OUTER_CKSUM},
	};
	uint32_t want = m->nsegs > 1 ? (uint32_t)PLX_TX_OFFLOAD_MULTI_SEG : 0;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(table); i++)
		if (m->flags & table[i].flag)
			want |= table[i].offload;
	return want;
}

/* Do the header lengths lie in the packet? */
static int check_lengths(const struct plx_mbuf *m)
{
	uint32_t headers = (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len;

	if (m->flags & PLX_TX_TUNNEL)
		headers += (uint32_t)m->tx.outer_l2_len + (uint32_t)m->tx.outer_l3_len;
	if (m->flags & PLX_TX_TSO) {
		headers += (uint32_t)m->tx.l4_len;
		if (m->tx.tso_segsz == 0 || m->tx.l4_len < 20)
			return plx_err(
				EINVAL, "TSO needs tso_segsz above 0 and l4_len of 20 or more");
	}
	if ((m->flags & PLX_TX_TUNNEL) && (m->tx.outer_l2_len < 14 || m->tx.outer_l3_len < 20))
		return plx_err(EINVAL,
			"outer_l2_len is %u, must be 14 or more; outer_l3_len is %u, must be 20 or more",
			(unsigned)m->tx.outer_l2_len, (unsigned)m->tx.outer_l3_len);
	/* IP in IP has nothing between the two IP headers. */
	if ((m->tx.l2_len < 14 && !(m->flags & PLX_TX_TUNNEL)) || m->tx.l3_len < 20)
		return plx_err(EINVAL,
			"l2_len is %u, must be 14 or more; l3_len is %u, must be 20 or more",
			(unsigned)m->tx.l2_len, (unsigned)m->tx.l3_len);
	if (headers > m->pkt_len)
		return plx_err(
			EINVAL, "headers of %u bytes in a packet of %u", headers, m->pkt_len);
	return 0;
}

static int check_packet(const struct plx_txq *q, const struct plx_mbuf *m)
{
	const uint32_t l4 = PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM | PLX_TX_SCTP_CKSUM;
	uint32_t missing = wanted(m) & ~q->port->conf.tx_offloads;
	uint32_t l4_flags = m->flags & l4;

	if (missing != 0)
		return plx_err(ENOTSUP, "offload '%s' is not configured on %s",
			plx_tx_offload_name((uint32_t)__builtin_ctz(missing)),
			plx_port_name(q->port));
	if (m->pkt_len == 0 || (m->pkt_len > q->max_pkt && !(m->flags & PLX_TX_TSO)))
		return plx_err(
			EMSGSIZE, "packet of %u bytes, must be 1 to %u", m->pkt_len, q->max_pkt);
	if (!(m->flags & (l4 | PLX_TX_IP_CKSUM | PLX_TX_TSO)))
		return 0;
	if (l4_flags & (l4_flags - 1))
		return plx_err(EINVAL, "more than one of TCP, UDP and SCTP checksum");
	if (!!(m->flags & PLX_TX_IPV4) == !!(m->flags & PLX_TX_IPV6))
		return plx_err(EINVAL, "one of PLX_TX_IPV4 and PLX_TX_IPV6 must be set");
	if ((m->flags & PLX_TX_IP_CKSUM) && !(m->flags & PLX_TX_IPV4))
		return plx_err(EINVAL, "PLX_TX_IP_CKSUM needs PLX_TX_IPV4");
	return check_lengths(m);
}

uint16_t plx_tx_prepare(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	int (*const prepare)(struct plx_txq *, struct plx_mbuf *) = q->port->ops->tx_prepare;

	for (uint16_t i = 0; i < n; i++) {
		int err = check_packet(q, pkts[i]);

		if (err == 0 && prepare != NULL)
			err = prepare(q, pkts[i]);
		if (err < 0) {
			plx_err_prefix(err, "packet %u", i);
			return i;
		}
	}
	return n;
}
