/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "queues.h"

static uint16_t queues_of(const struct tp_port *p)
{
	if (p->port == NULL)
		return 0;
	return p->n_rxq > p->n_txq ? p->n_rxq : p->n_txq;
}

static void read_rxq(struct queue_row *r, const struct plx_rxq *q)
{
	r->rxq = q;
	if (q == NULL)
		return;
	r->rx = PLX_READ_ONCE(q->ctr[PLX_RXQ_PACKETS]);
	r->rx_bytes = PLX_READ_ONCE(q->ctr[PLX_RXQ_BYTES]);
	r->nombuf = PLX_READ_ONCE(q->ctr[PLX_RXQ_NOMBUF]);
	r->errors = PLX_READ_ONCE(q->ctr[PLX_RXQ_ERRORS]);
}

static void read_txq(struct queue_row *r, const struct plx_txq *q)
{
	r->txq = q;
	if (q == NULL)
		return;
	r->tx = PLX_READ_ONCE(q->ctr[PLX_TXQ_PACKETS]);
	r->tx_bytes = PLX_READ_ONCE(q->ctr[PLX_TXQ_BYTES]);
	r->nolink = PLX_READ_ONCE(q->ctr[PLX_TXQ_NOLINK]);
	r->errors += PLX_READ_ONCE(q->ctr[PLX_TXQ_ERRORS]);
}

static void read_stream(struct queue_row *r, const struct stream *s)
{
	r->stream = s;
	if (s == NULL)
		return;
	r->dropped = PLX_READ_ONCE(s->dropped);
	r->busy_cycles = PLX_READ_ONCE(s->busy_cycles);
	r->busy_packets = PLX_READ_ONCE(s->busy_packets);
	for (unsigned n = 1; n <= MAX_BURST; n++) {
		uint64_t bursts = PLX_READ_ONCE(s->bursts[n]);

		r->bursts += bursts;
		r->burst_packets += n * bursts;
	}
}

struct queue_row *queues_read(const struct testpmd *t, size_t *n)
{
	struct queue_row *rows, *r;

	*n = 0;
	for (uint16_t p = 0; p < t->n_ports; p++)
		*n += queues_of(&t->ports[p]);
	r = rows = calloc(*n + 1, sizeof(*rows));
	if (rows == NULL)
		return NULL;
	for (uint16_t p = 0; p < t->n_ports; p++) {
		const struct tp_port *port = &t->ports[p];

		for (uint16_t q = 0; q < queues_of(port); q++, r++) {
			r->port = p;
			r->queue = q;
			read_rxq(r, q < port->n_rxq ? plx_port_rxq(port->port, q) : NULL);
			read_txq(r, q < port->n_txq ? plx_port_txq(port->port, q) : NULL);
			read_stream(r, stream_find(t, port, q));
		}
	}
	return rows;
}

/* Counters that are behind belong to another queue that lies where the old one was. */
static void since(uint64_t *now, uint64_t before)
{
	if (*now >= before)
		*now -= before;
}

static void row_since(struct queue_row *r, const struct queue_row *b)
{
	if (r->rxq == b->rxq) {
		since(&r->rx, b->rx);
		since(&r->rx_bytes, b->rx_bytes);
		since(&r->nombuf, b->nombuf);
	}
	if (r->txq == b->txq) {
		since(&r->tx, b->tx);
		since(&r->tx_bytes, b->tx_bytes);
		since(&r->nolink, b->nolink);
	}
	if (r->rxq == b->rxq && r->txq == b->txq)
		since(&r->errors, b->errors);
	if (r->stream != b->stream)
		return;
	since(&r->dropped, b->dropped);
	since(&r->busy_cycles, b->busy_cycles);
	since(&r->busy_packets, b->busy_packets);
	since(&r->bursts, b->bursts);
	since(&r->burst_packets, b->burst_packets);
}

void queues_since(struct queue_row *now, size_t n, const struct queue_row *before, size_t n_before)
{
	size_t k = 0;

	/* both are in the order of ports and queues */
	for (size_t i = 0; i < n; i++) {
		while (k < n_before &&
			(before[k].port < now[i].port ||
				(before[k].port == now[i].port && before[k].queue < now[i].queue)))
			k++;
		if (k < n_before && before[k].port == now[i].port &&
			before[k].queue == now[i].queue)
			row_since(&now[i], &before[k]);
	}
}

const char *stream_core(const struct testpmd *t, const struct stream *s, char text[16])
{
	if (s == NULL || s->now.mode == NULL)
		snprintf(text, 16, "-");
	else if (s->now.worker < t->opt.n_cores)
		snprintf(text, 16, "%u@%u", s->now.worker, t->opt.cores[s->now.worker]);
	else
		snprintf(text, 16, "%u", s->now.worker);
	return text;
}
