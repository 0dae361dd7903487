/* SPDX-License-Identifier: BSD-3-Clause */
/* What each queue counts, with the stream that reads it: for the live table and show queue. */
#ifndef QUEUES_H
#define QUEUES_H

#include "testpmd.h"

struct queue_row {
	uint16_t port, queue;
	const struct stream *stream;
	const void *rxq, *txq; /* NULL: no such queue; another queue has another pointer */
	uint64_t rx, rx_bytes, tx, tx_bytes, dropped, nombuf, nolink, errors;
	uint64_t busy_cycles, busy_packets, bursts, burst_packets;
};

/* All queues, ports in order; an array to free, or NULL. */
struct queue_row *queues_read(const struct testpmd *t, size_t *n);
/* now - before, of the same queues; of others all is new. */
void queues_since(struct queue_row *now, size_t n, const struct queue_row *before, size_t n_before);
/* The thread that has a stream, "2" or "2@7" when it is pinned to CPU 7, or "-". */
const char *stream_core(const struct testpmd *t, const struct stream *s, char text[16]);

#endif
