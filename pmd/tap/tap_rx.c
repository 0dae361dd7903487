/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RX bursts: one read(2) a packet, straight into the mbuf that is delivered, whose headroom takes the
 * virtio_net_hdr before it. A burst ends with a read that finds nothing, or after n: never more than
 * n + 1 system calls.
 */
#define PLX_LOG_TAG "tap"
#include "tap.h"

#include <errno.h>
#include <unistd.h>

#include "net_pmd.h"

PLX_STATIC_ASSERT(TAP_VNET <= PLX_MBUF_HEADROOM, "the header of a packet lies in the headroom");

/* ---- mbufs ---- */

static bool refill(struct tap_rxq *rxq)
{
	unsigned n = TAP_SPARE;

	while (n > 0 && plx_mempool_get_bulk(rxq->q.cache, (void **)rxq->spare, n) == 0)
		n /= 2;
	rxq->n_spare = (uint16_t)n;
	return n > 0;
}

static bool refill_tail(struct tap_rxq *rxq)
{
	for (uint16_t i = 0; i < rxq->n_tail; i++)
		if (rxq->tail[i] == NULL &&
			plx_mempool_get_bulk(rxq->q.cache, (void **)&rxq->tail[i], 1) == 0)
			return false;
	rxq->tail_missing = false;
	return true;
}

void tap_rx_stop(struct tap_rxq *rxq)
{
	plx_mempool_put_bulk(rxq->q.cache, (void **)rxq->spare, rxq->n_spare);
	rxq->n_spare = 0;
	for (uint16_t i = 0; i < rxq->n_tail; i++) {
		if (rxq->tail[i] != NULL)
			plx_mempool_put_bulk(rxq->q.cache, (void **)&rxq->tail[i], 1);
		rxq->tail[i] = NULL;
	}
	rxq->tail_missing = true;
}

/* ---- bursts ---- */

/* What a burst has seen. */
struct tally {
	uint16_t got;
	uint32_t errors, nombuf;
	uint64_t bytes;
};

/* No packet, or no interface any more (control work makes it a port that is gone). */
static PLX_NOINLINE void no_packet(struct tap_rxq *rxq)
{
	if (errno == EAGAIN || errno == EINTR)
		return;
	if (errno == EBADFD)
		PLX_WRITE_ONCE(rxq->tp->dead, true);
	plx_logf(rxq->tp->log, PLX_LOG_ERR, "%s: RX queue %u: %s", plx_port_name(rxq->q.port),
		rxq->q.index, errno == EBADFD ? "the interface was deleted" : strerror(errno));
	plx_rxq_set_failed(&rxq->q, errno == EBADFD ? ENODEV : errno);
}

/* The pool is empty: packets are taken from the kernel and dropped. */
static PLX_NOINLINE void drop(struct tap_rxq *rxq, uint16_t n, struct tally *t)
{
	char some[64];

	for (; n > 0; n--) {
		if (read(rxq->fd, some, sizeof(some)) < 0) {
			no_packet(rxq);
			return;
		}
		t->nombuf++;
	}
}

/* Every packet fits a room with a byte to spare: a longer one shows. */
uint16_t tap_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct tap_rxq *rxq = plx_container_of(q, struct tap_rxq, q);
	const uint32_t vnet = rxq->vnet, max = PLX_READ_ONCE(q->max_pkt);
	const size_t most = vnet + max + 1;
	struct tally t = {0};

	for (uint16_t i = 0; i < n; i++) {
		struct plx_mbuf *m;
		uint8_t *data;
		ssize_t got;

		if (plx_unlikely(rxq->n_spare == 0) && !refill(rxq)) {
			drop(rxq, (uint16_t)(n - i), &t);
			break;
		}
		m = rxq->spare[rxq->n_spare - 1];
		data = m->buf + PLX_MBUF_HEADROOM;
		got = read(rxq->fd, data - vnet, most);
		if (got < 0) {
			no_packet(rxq);
			break;
		}
		got -= (ssize_t)vnet;
		if (plx_unlikely(got < (ssize_t)TAP_FRAME || got > (ssize_t)max)) {
			t.errors++;
			continue;
		}
		rxq->n_spare--;
		plx_rx_fields(m, q->pool, (uint32_t)got);
		if (rxq->cksum) {
			struct virtio_net_hdr vh;

			memcpy(&vh, data - vnet, sizeof(vh));
			if (plx_vnet_rx(m, &vh, 0))
				m->flags |= PLX_RX_L4_CKSUM_GOOD;
		}
		t.bytes += (uint64_t)got;
		pkts[t.got++] = m;
	}
	return plx_rxq_count(q, t.got, t.bytes, t.nombuf, t.errors);
}

/* Reads into the first mbuf and those of the tail, one byte more than a packet may have: a longer one shows. */
static ssize_t read_chain(
	const struct tap_rxq *rxq, struct plx_mbuf *m, struct virtio_net_hdr *vh, uint32_t max)
{
	struct iovec iov[TAP_SEGS + 3];
	uint32_t left = max + 1;
	uint8_t over; /* the byte too many, where a packet may fill all rooms */
	int n = 0;
	ssize_t got;

	if (rxq->vnet != 0)
		iov[n++] = (struct iovec){vh, sizeof(*vh)};
	for (uint16_t i = 0; i <= rxq->n_tail && left > 0; i++) {
		struct plx_mbuf *s = i == 0 ? m : rxq->tail[i - 1];
		uint32_t len = PLX_MIN(left, rxq->seg_max);

		iov[n++] = (struct iovec){s->buf + PLX_MBUF_HEADROOM, len};
		left -= len;
	}
	if (left > 0)
		iov[n++] = (struct iovec){&over, 1};
	got = readv(rxq->fd, iov, n);
	return got < 0 ? got : PLX_MAX(got - (ssize_t)rxq->vnet, 0);
}

/* Cuts len bytes into the mbufs that they were read to. */
static void link_chain(struct tap_rxq *rxq, struct plx_mbuf *m, uint32_t len)
{
	struct plx_mbuf *last = m;
	uint32_t left = len;

	plx_rx_fields(m, rxq->q.pool, len);
	m->data_len = (uint16_t)PLX_MIN(left, rxq->seg_max);
	left -= m->data_len;
	for (uint16_t i = 0; left > 0; i++) {
		struct plx_mbuf *s = rxq->tail[i];

		rxq->tail[i] = NULL;
		rxq->tail_missing = true;
		plx_rx_fields(s, rxq->q.pool, PLX_MIN(left, rxq->seg_max));
		left -= s->data_len;
		last->next = s;
		last = s;
		m->nsegs++;
	}
}

uint16_t tap_rx_chains(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct tap_rxq *rxq = plx_container_of(q, struct tap_rxq, q);
	const uint32_t max = PLX_READ_ONCE(q->max_pkt);
	struct tally t = {0};

	for (uint16_t i = 0; i < n; i++) {
		struct virtio_net_hdr vh;
		struct plx_mbuf *m;
		ssize_t got;

		if ((rxq->n_spare == 0 && !refill(rxq)) ||
			(rxq->tail_missing && !refill_tail(rxq))) {
			drop(rxq, (uint16_t)(n - i), &t);
			break;
		}
		m = rxq->spare[rxq->n_spare - 1];
		got = read_chain(rxq, m, &vh, max);
		if (got < 0) {
			no_packet(rxq);
			break;
		}
		if (plx_unlikely(got < (ssize_t)TAP_FRAME || got > (ssize_t)max)) {
			t.errors++;
			continue;
		}
		rxq->n_spare--;
		link_chain(rxq, m, (uint32_t)got);
		if (rxq->cksum)
			if (plx_vnet_rx(m, &vh, 0))
				m->flags |= PLX_RX_L4_CKSUM_GOOD;
		t.bytes += (uint64_t)got;
		pkts[t.got++] = m;
	}
	return plx_rxq_count(q, t.got, t.bytes, t.nombuf, t.errors);
}
