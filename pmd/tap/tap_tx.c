/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TX bursts: one write(2) a packet, in which the kernel receives it, on this core. The bytes are
 * written from where they are; of a packet that is this driver's alone, headroom takes the
 * virtio_net_hdr. mbufs are free when the burst returns.
 */
#include "tap.h"

#include <errno.h>
#include <unistd.h>

#include "net_pmd.h"

/* ---- offloads ---- */

/* The IPv4 header's checksum, of one that may be shared, cut or in the program's memory: in a copy. */
static bool copy_ip(const struct plx_mbuf *m, uint8_t *copy)
{
	if (plx_mbuf_read(m, 0, copy, (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len) < 0)
		return false;
	plx_ipv4_cksum_put(copy + m->tx.l2_len, m->tx.l3_len);
	return true;
}

/* Pieces of the packet from byte off on, behind the n that are there: how many then, -1: too many. */
static int pieces(struct iovec *iov, int n, const struct plx_mbuf *m, uint32_t off)
{
	uint32_t sum = 0;
	const uint32_t len = m->pkt_len;

	for (; m != NULL; m = m->next) {
		const uint32_t skip = off > sum ? PLX_MIN(off - sum, (uint32_t)m->data_len) : 0;

		sum += m->data_len;
		if (skip == m->data_len)
			continue;
		if (n == (int)TAP_SEGS)
			return -1;
		iov[n++] = (struct iovec){plx_mbuf_data(m) + skip, m->data_len - skip};
	}
	return sum == len ? n : -1;
}

/* Sends a packet of any kind. errno EINVAL: it breaks a rule. */
static PLX_NOINLINE ssize_t send_any(const struct tap_txq *txq, const struct plx_mbuf *m)
{
	uint8_t head[128 + 64], tag[4]; /* l2_len and l3_len of plx_tx_offload */
	struct iovec iov[TAP_SEGS];
	struct virtio_net_hdr vh;
	const uint32_t tag_len = m->flags & PLX_TX_VLAN ? sizeof(tag) : 0;
	const int ip = plx_tx_wants_ipv4_cksum(m);
	uint32_t done = 0;
	int n = 0;

	errno = EINVAL;
	if (ip < 0 || !plx_vnet_tx(&vh, m, tag_len))
		return -1;
	if (txq->vnet != 0)
		iov[n++] = (struct iovec){&vh, sizeof(vh)};
	if (ip > 0) {
		if (!copy_ip(m, head))
			return -1;
		done = (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len;
	} else if (tag_len > 0) {
		if (plx_mbuf_read(m, 0, head, TAP_FRAME) < 0)
			return -1;
		done = TAP_FRAME;
	}
	if (tag_len > 0) {
		plx_store_be16(tag, 0x8100);
		plx_store_be16(tag + 2, m->vlan);
		iov[n++] = (struct iovec){head, 2 * PLX_ETH_ALEN};
		iov[n++] = (struct iovec){tag, sizeof(tag)};
		iov[n++] = (struct iovec){head + 2 * PLX_ETH_ALEN, done - 2 * PLX_ETH_ALEN};
	} else if (done > 0) {
		iov[n++] = (struct iovec){head, done};
	}
	n = pieces(iov, n, m, done);
	return n < 0 ? -1 : writev(txq->fd, iov, n);
}

/* ---- the burst ---- */

static PLX_ALWAYS_INLINE ssize_t send_one(const struct tap_txq *txq, const struct plx_mbuf *m)
{
	const uint32_t vnet = txq->vnet;
	uint8_t *data = plx_mbuf_data(m);

	if (plx_unlikely(m->next != NULL || m->data_len != m->pkt_len ||
			 (m->flags & PLX_TX_OFFLOADS) != 0))
		return send_any(txq, m);
	if (vnet == 0)
		return write(txq->fd, data, m->data_len);
	if (plx_unlikely(!plx_mbuf_is_plain(m, m->pool) || m->data_off < vnet))
		return send_any(txq, m);
	memset(data - vnet, 0, vnet);
	return write(txq->fd, data - vnet, vnet + m->data_len);
}

/* Why the kernel did not take a packet: true when it never will. */
static PLX_NOINLINE bool refused(struct tap_txq *txq, uint16_t left)
{
	switch (errno) {
	case EINTR:
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return false;
	case EIO: /* the interface is down */
	case ENETDOWN:
		plx_ctr_add(&txq->q.ctr[PLX_TXQ_NOLINK], left);
		return false;
	case EBADFD:
		PLX_WRITE_ONCE(txq->tp->dead, true);
		plx_txq_set_failed(&txq->q, ENODEV);
		return false;
	default:
		return true;
	}
}

uint16_t tap_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct tap_txq *txq = plx_container_of(q, struct tap_txq, q);
	const uint32_t max = PLX_READ_ONCE(q->max_pkt);
	uint64_t bytes = 0;
	uint32_t errors = 0;
	uint16_t i;

	for (i = 0; i < n; i++) {
		const struct plx_mbuf *m = pkts[i];
		const uint32_t len = m->pkt_len;

		if (plx_unlikely(len < TAP_FRAME || len > PLX_PKT_LEN_MAX ||
				 (len > max && !(m->flags & PLX_TX_TSO))))
			errors++;
		else if (plx_unlikely(send_one(txq, m) < 0)) {
			if (!refused(txq, (uint16_t)(n - i)))
				break;
			errors++;
		}
		bytes += len;
	}
	return plx_txq_finish(q, pkts, i, bytes, errors);
}

int tap_tx_prepare(struct plx_txq *q, struct plx_mbuf *m)
{
	return plx_tx_phdr(m);
}
