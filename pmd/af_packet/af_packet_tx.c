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
#include "net_pmd.h"

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

/* A packet with offloads into the frame at to: its length there, or 0 when it cannot be sent. */
static PLX_NOINLINE uint32_t fill_offload(
	struct afp_txq *txq, uint8_t *to, const struct plx_mbuf *m)
{
	const uint32_t tag = m->flags & PLX_TX_VLAN ? 4 : 0;
	uint8_t *p = to + txq->vnet;
	const int ip = plx_tx_wants_ipv4_cksum(m);
	struct virtio_net_hdr vh;

	if (ip < 0 || m->pkt_len + tag > txq->room || !plx_vnet_tx(&vh, m, tag))
		return 0;
	if (txq->vnet != 0)
		memcpy(to, &vh, sizeof(vh));
	copy_out(p + tag, m);
	if (tag != 0) {
		memmove(p, p + tag, 12);
		plx_store_be16(p + 12, 0x8100);
		plx_store_be16(p + 14, m->vlan);
	}
	if (ip > 0)
		plx_ipv4_cksum_put(p + tag + m->tx.l2_len, m->tx.l3_len);
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

int afp_tx_prepare(struct plx_txq *q, struct plx_mbuf *m)
{
	return plx_tx_phdr(m);
}
