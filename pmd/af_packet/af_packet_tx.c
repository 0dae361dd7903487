/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TX bursts: packets are copied into frames of the ring, and one sendto(2) a burst has the kernel send
 * them, on this core. That call is what the driver is: there is no way to a kernel's interface
 * without it. mbufs are free when the burst returns.
 *
 * What the kernel does not take at once (its queue is full, the link is down) stays in the ring, and
 * is asked for again by the next burst, a reclaim, or control work.
 */
#include "af_packet.h"
#include "plx_cksum.h"

#include <errno.h>
#include <sys/socket.h>

static struct tpacket3_hdr *frame_at(const struct afp_txq *txq, uint32_t i)
{
	return (void *)(txq->ring.base + (size_t)i * txq->ring.size);
}

void afp_tx_kick(struct afp_txq *txq)
{
	bool left;

	/* before the call: what another thread finds left after it is not overwritten */
	PLX_WRITE_ONCE(txq->pending, 0);
	do
		left = sendto(txq->ring.fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0;
	while (left && errno == EINTR);
	/* whatever it was (ENOBUFS, EAGAIN, ENETDOWN), the frames are still there */
	if (left)
		PLX_WRITE_ONCE(txq->pending, 1);
}

/* ---- one packet ---- */

static void copy_out(uint8_t *to, const struct plx_mbuf *m)
{
	for (; m != NULL; m = m->next) {
		memcpy(to, plx_mbuf_data(m), m->data_len);
		to += m->data_len;
	}
}

/* Do the segments add up to what the packet says it is? */
static bool adds_up(const struct plx_mbuf *m)
{
	uint32_t sum = 0;

	for (const struct plx_mbuf *s = m; s != NULL; s = s->next)
		sum += s->data_len;
	return sum == m->pkt_len;
}

/* The IPv4 header's checksum, in the frame. */
static void ip_sum(uint8_t *ip, uint32_t len)
{
	plx_be16 cksum;

	plx_store_be16(ip + 10, 0);
	cksum = plx_cksum(ip, len);
	memcpy(ip + 10, &cksum, sizeof(cksum));
}

/* What the kernel is to finish; tag: bytes that were put in before layer 3. False: it cannot be. */
static bool describe(struct virtio_net_hdr *vh, const struct plx_mbuf *m, uint32_t tag)
{
	const uint32_t start = (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len;
	const uint32_t field = m->flags & PLX_TX_UDP_CKSUM ? 6 : 16;

	*vh = (struct virtio_net_hdr){0};
	if (!(m->flags & (PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM | PLX_TX_TSO)))
		return true;
	if (start + field + 2 > m->pkt_len)
		return false;
	vh->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	vh->csum_start = (uint16_t)(start + tag);
	vh->csum_offset = (uint16_t)field;
	if (!(m->flags & PLX_TX_TSO))
		return true;
	if (start + m->tx.l4_len >= m->pkt_len)
		return false;
	vh->hdr_len = (uint16_t)(start + m->tx.l4_len + tag);
	/* what fits a piece is no large packet to Linux */
	if (m->pkt_len - start - m->tx.l4_len <= m->tx.tso_segsz)
		return true;
	vh->gso_size = (uint16_t)m->tx.tso_segsz;
	vh->gso_type = m->flags & PLX_TX_IPV6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	return vh->gso_size > 0;
}

/* A packet with offloads into the frame at to: its length there, or 0 when it cannot be sent. */
static PLX_NOINLINE uint32_t fill_offload(
	struct afp_txq *txq, uint8_t *to, const struct plx_mbuf *m)
{
	const uint32_t tag = m->flags & PLX_TX_VLAN ? 4 : 0;
	uint8_t *p = to + txq->vnet;
	struct virtio_net_hdr vh;

	if (m->pkt_len + tag > txq->room || !describe(&vh, m, tag))
		return 0;
	if (txq->vnet != 0)
		memcpy(to, &vh, sizeof(vh));
	copy_out(p + tag, m);
	if (tag != 0) {
		memmove(p, p + tag, 12);
		plx_store_be16(p + 12, 0x8100);
		plx_store_be16(p + 14, m->vlan);
	}
	if ((m->flags & PLX_TX_IP_CKSUM) || ((m->flags & PLX_TX_TSO) && (m->flags & PLX_TX_IPV4))) {
		if ((uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len > m->pkt_len ||
			m->tx.l3_len < 20)
			return 0;
		ip_sum(p + tag + m->tx.l2_len, m->tx.l3_len);
	}
	return txq->vnet + m->pkt_len + tag;
}

/* May it be as long as this? The interface's MTU may be less than the port's; the kernel does not
   look at frames that come with a virtio_net_hdr. */
static PLX_ALWAYS_INLINE bool short_enough(const struct afp_txq *txq, const struct plx_mbuf *m)
{
	const uint32_t max = PLX_READ_ONCE(txq->q.max_pkt), most = PLX_READ_ONCE(txq->if_frame);

	if (plx_likely(m->pkt_len <= PLX_MIN(max, most)))
		return true;
	if (m->flags & PLX_TX_TSO)
		return true;
	return m->pkt_len <= PLX_MIN(max, most + 4) && m->data_len >= 14 &&
	       plx_load_be16(plx_mbuf_data(m) + 12) == 0x8100;
}

/* A packet into the frame at to: its length there, or 0 when it cannot be sent. */
static PLX_ALWAYS_INLINE uint32_t fill(struct afp_txq *txq, uint8_t *to, const struct plx_mbuf *m)
{
	const uint32_t len = m->pkt_len;

	if (plx_unlikely(len < 14 || !short_enough(txq, m)))
		return 0;
	if (plx_unlikely(m->next != NULL || m->data_len != len) && !adds_up(m))
		return 0;
	if (plx_unlikely(m->flags & PLX_TX_OFFLOADS))
		return fill_offload(txq, to, m);
	if (txq->vnet != 0)
		memset(to, 0, AFP_VNET);
	if (plx_likely(m->next == NULL))
		memcpy(to + txq->vnet, plx_mbuf_data(m), len);
	else
		copy_out(to + txq->vnet, m);
	return txq->vnet + len;
}

/* ---- the burst ---- */

uint16_t afp_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct afp_txq *txq = plx_container_of(q, struct afp_txq, q);
	uint64_t bytes = 0;
	uint32_t errors = 0;
	uint16_t i;

	for (i = 0; i < n; i++) {
		struct tpacket3_hdr *h = frame_at(txq, txq->next);
		uint32_t len;

		/* acquire: the kernel has done with the frame before it is written again */
		if (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) &
			(TP_STATUS_SEND_REQUEST | TP_STATUS_SENDING))
			break;
		bytes += pkts[i]->pkt_len;
		len = fill(txq, (uint8_t *)h + AFP_AFTER, pkts[i]);
		if (plx_unlikely(len == 0)) {
			errors++;
			continue;
		}
		h->tp_len = len;
		h->tp_snaplen = len;
		h->tp_next_offset = 0;
		/* release: the frame, then its status */
		__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
		txq->next = txq->next + 1 == txq->ring.n ? 0 : txq->next + 1;
	}
	if (i > errors || PLX_READ_ONCE(txq->pending))
		afp_tx_kick(txq);
	return plx_txq_finish(q, pkts, i, bytes, errors);
}

/* mbufs are never held; what is in the ring may be. */
uint32_t afp_tx_reclaim(struct plx_txq *q)
{
	struct afp_txq *txq = plx_container_of(q, struct afp_txq, q);

	if (PLX_READ_ONCE(txq->pending))
		afp_tx_kick(txq);
	return 0;
}

/* ---- prepare ---- */

/* Bytes of layer 4, as the IP header says: there may be padding behind. 0: it says nonsense. */
static uint32_t l4_bytes(const struct plx_mbuf *m, const uint8_t *ip)
{
	const uint32_t l3 = (uint32_t)m->tx.l3_len, most = m->pkt_len - (uint32_t)m->tx.l2_len - l3;
	uint32_t len;

	if (m->flags & PLX_TX_TSO)
		return most;
	len = m->flags & PLX_TX_IPV4 ? plx_load_be16(ip + 2) : plx_load_be16(ip + 4) + 40u;
	return len > l3 && len - l3 <= most ? len - l3 : 0;
}

/* Puts the pseudo header's sum (RFC 793, RFC 8200 8.1) into the checksum field, as Linux wants it. */
static int prepare(struct plx_mbuf *m)
{
	const uint32_t l2 = (uint32_t)m->tx.l2_len, l4 = l2 + (uint32_t)m->tx.l3_len;
	const bool udp = (m->flags & PLX_TX_UDP_CKSUM) != 0, ipv4 = (m->flags & PLX_TX_IPV4) != 0;
	const uint32_t field = l4 + (udp ? 6u : 16u);
	uint8_t *ip = plx_mbuf_data(m) + l2;
	uint32_t sum, len;
	plx_be16 cksum;

	if (field + 2 > m->data_len)
		return plx_err(EINVAL, "headers of %u bytes must lie in the first segment of %u",
			field + 2, m->data_len);
	if ((m->flags & PLX_TX_TSO) && m->pkt_len - l4 <= (uint32_t)m->tx.l4_len)
		return plx_err(EINVAL, "TSO of a packet without payload");
	if (ip[0] >> 4 != (ipv4 ? 4 : 6))
		return plx_err(EINVAL, "IP header starts with 0x%02x, the flags say IPv%u", ip[0],
			ipv4 ? 4u : 6u);
	len = l4_bytes(m, ip);
	if (len == 0)
		return plx_err(EINVAL, "the IP header's length is not the packet's");
	sum = plx_be16_make((uint16_t)len).v + plx_be16_make(udp ? PLX_IP_UDP : PLX_IP_TCP).v;
	cksum = plx_cksum_fold(plx_cksum_add(sum, ipv4 ? ip + 12 : ip + 8, ipv4 ? 8 : 32));
	memcpy(ip + field - l2, &cksum, sizeof(cksum));
	return 0;
}

uint16_t afp_tx_prepare(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		int err = 0;

		if (pkts[i]->flags & (PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM | PLX_TX_TSO))
			err = prepare(pkts[i]);
		if (err < 0) {
			plx_err_prefix(err, "packet %u", i);
			return i;
		}
	}
	return n;
}
