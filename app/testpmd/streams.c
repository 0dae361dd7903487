/* SPDX-License-Identifier: BSD-3-Clause */
/* Which RX queue goes to which TX queue, and on which thread. */
#include <stdlib.h>

#include "testpmd.h"

/* The port that packets of port i leave through. */
static uint16_t peer_of(const struct testpmd *t, uint16_t i)
{
	uint16_t n = t->opt.n_ports;

	switch (t->opt.topology) {
	case TOPOLOGY_LOOP:
		return i;
	case TOPOLOGY_CHAINED:
		return (uint16_t)((i + 1) % n);
	case TOPOLOGY_PAIRED:
	default:
		/* the last of an odd number sends back out of itself */
		return (i ^ 1) < n ? (uint16_t)(i ^ 1) : i;
	}
}

static int stream_make(struct testpmd *t, struct stream *s, uint16_t port, uint16_t queue)
{
	uint16_t to = t->opt.mode->no_rx ? port : peer_of(t, port);

	s->rx_port = &t->ports[port];
	s->tx_port = &t->ports[to];
	s->rxq = plx_port_rxq(s->rx_port->port, queue);
	s->txq = plx_port_txq(s->tx_port->port, queue);
	s->burst = t->opt.burst;
	s->patient = s->rx_port->info.finite;
	s->pool = t->pool;
	s->own = s->tx_port->info.mac;
	s->peer = (struct plx_mac){{2, 0, 0, 0, 0, (uint8_t)to}};
	s->stop = &t->stop;
	s->budget = t->opt.packets != 0 ? &t->budget : NULL;
	if (plx_mempool_cache_create(t->ctx, 0, -1, &s->cache) < 0) {
		complain("%s", plx_errmsg());
		return -1;
	}
	plx_mempool_cache_bind(s->cache, &t->pool->mp);
	return 0;
}

static int assign(struct testpmd *t)
{
	t->n_workers = (uint16_t)PLX_MIN((size_t)t->opt.nb_cores, t->n_streams);
	for (uint16_t w = 0; w < t->n_workers; w++) {
		struct worker *worker = &t->workers[w];

		worker->mode = t->opt.mode;
		worker->stop = &t->stop;
		worker->cpu = w < t->opt.n_cores ? t->opt.cores[w] : -1;
		worker->streams = calloc(t->n_streams, sizeof(struct stream *));
		if (worker->streams == NULL)
			return -1;
	}
	for (size_t i = 0; i < t->n_streams; i++) {
		struct worker *worker = &t->workers[i % t->n_workers];

		worker->streams[worker->n_streams++] = &t->streams[i];
	}
	return 0;
}

int streams_make(struct testpmd *t)
{
	uint16_t queues = t->opt.mode->no_rx ? t->opt.txq : t->opt.rxq;
	size_t n = (size_t)t->opt.n_ports * queues;

	t->budget = t->opt.packets;
	t->streams = aligned_alloc(PLX_CACHE_LINE, n * sizeof(struct stream));
	if (t->streams == NULL)
		return -1;
	memset(t->streams, 0, n * sizeof(struct stream));
	for (uint16_t p = 0; p < t->opt.n_ports; p++)
		for (uint16_t q = 0; q < queues; q++)
			if (stream_make(t, &t->streams[t->n_streams++], p, q) < 0)
				return -1;
	return assign(t);
}

void streams_free(struct testpmd *t)
{
	for (size_t i = 0; i < t->n_streams; i++)
		plx_mempool_cache_free(t->streams[i].cache);
	for (uint16_t w = 0; w < t->n_workers; w++)
		free(t->workers[w].streams);
	free(t->streams);
}
