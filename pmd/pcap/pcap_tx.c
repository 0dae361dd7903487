/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TX into a capture file: bursts.
 *
 * A packet that is taken is copied into the buffer of records and its mbufs are free at once. What is
 * buffered is in the file when the port has stopped, when an idle queue is reclaimed, and in between
 * whenever the buffer is full. The time of a record is the packet's own (PLX_RX_TIMESTAMP), or now.
 */
#define PLX_LOG_TAG "pcap"
#include <time.h>

#include "pcap_pmd.h"

int capt_copy_out(const struct plx_mbuf *m, uint8_t *dst, uint32_t max)
{
	const uint32_t len = m->pkt_len;
	uint32_t at = 0;

	if (len > max)
		return -1;
	for (; m != NULL; m = m->next) {
		if (m->data_len > len - at)
			return -1;
		if (m->data_len > 0)
			memcpy(dst + at, plx_mbuf_data(m), m->data_len);
		at += m->data_len;
	}
	return at == len ? (int)len : -1;
}

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/* The record of m behind what is buffered; there is room. false: m breaks a rule. */
static PLX_ALWAYS_INLINE bool record(struct capt_write *w, const struct plx_mbuf *m, uint64_t ts)
{
	uint8_t *h = w->buf + w->len;
	uint32_t len = m->pkt_len, frac = (uint32_t)(ts % UINT64_C(1000000000));
	uint32_t hdr[4] = {(uint32_t)(ts / UINT64_C(1000000000)), frac, len, len};

	if (plx_likely(m->next == NULL && m->data_len == len))
		memcpy(h + CAPT_REC_HDR, plx_mbuf_data(m), len);
	else if (capt_copy_out(m, h + CAPT_REC_HDR, len) < 0)
		return false;
	if (w->frac_ns != 1)
		hdr[1] = frac / 1000;
	if (plx_unlikely(m->flags & PLX_RX_WIRE_LEN) && m->wire_len > len)
		hdr[3] = m->wire_len;
	memcpy(h, hdr, sizeof(hdr));
	w->len += CAPT_REC_HDR + len;
	w->n++;
	return true;
}

/* Writes the buffer out; what is lost is counted, told, and fails the queue. */
static PLX_NOINLINE int flush(struct plx_txq *q, struct capt_port *cp)
{
	uint32_t lost;
	int err = capt_write_flush(&cp->write, &lost);

	if (plx_likely(err == 0))
		return 0;
	plx_ctr_add(&q->ctr[PLX_TXQ_ERRORS], lost);
	plx_logf(cp->log, PLX_LOG_ERR, "%s", plx_errmsg());
	plx_txq_set_failed(q, -err);
	return err;
}

static uint16_t tx_file(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct capt_port *cp = plx_container_of(q, struct capt_txq, q)->cp;
	struct capt_write *w = &cp->write;
	uint64_t bytes = 0, now = 0;
	uint32_t errors = 0;
	uint16_t i;

	w->touched = true;
	for (i = 0; i < n; i++) {
		const struct plx_mbuf *m = pkts[i];
		uint64_t ts = now;

		bytes += m->pkt_len;
		if (plx_unlikely(m->pkt_len > PLX_PKT_LEN_MAX)) {
			errors++;
			continue;
		}
		if (plx_unlikely(CAPT_BUF - w->len < CAPT_REC_HDR + m->pkt_len) &&
			flush(q, cp) < 0) {
			bytes -= m->pkt_len;
			break;
		}
		if (plx_likely(m->flags & PLX_RX_TIMESTAMP))
			ts = m->timestamp;
		else if (now == 0)
			ts = now = wall_ns();
		if (plx_unlikely(!record(w, m, ts)))
			errors++;
	}
	return plx_txq_finish(q, pkts, i, bytes, errors);
}

/* Without tx=: the end of the line. */
static uint16_t tx_drop(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	return plx_txq_finish(q, pkts, n, bytes, 0);
}

plx_tx_fn capt_tx_select(const struct capt_port *cp)
{
	return cp->write.buf != NULL ? tx_file : tx_drop;
}

/* No mbuf is ever held. A queue that had no burst since the last call is idle: its rest goes out. */
uint32_t capt_tx_reclaim(struct plx_txq *q)
{
	struct capt_port *cp = plx_container_of(q, struct capt_txq, q)->cp;

	if (!cp->write.touched && cp->write.len > 0)
		(void)flush(q, cp); /* counted, told, and the queue's state says it */
	cp->write.touched = false;
	return 0;
}

void capt_tx_stop(struct plx_port *port, struct plx_txq *q)
{
	struct capt_port *cp = port->priv;

	if (q != NULL && cp->write.len > 0)
		(void)flush(q, cp); /* the same */
}
