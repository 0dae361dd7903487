/* SPDX-License-Identifier: BSD-3-Clause */
/* Which RX queue goes to which TX queue, and on which thread. */
#include <stdlib.h>

#include "testpmd.h"

/* The port that packets of port p leave through: the topology is that of the ports there are. */
static struct tp_port *peer_of(struct testpmd *t, const struct tp_port *p)
{
	struct tp_port *list[MAX_PORTS];
	uint16_t n = 0, i = 0;

	for (uint16_t k = 0; k < t->n_ports; k++) {
		if (t->ports[k].port == NULL)
			continue;
		if (&t->ports[k] == p)
			i = n;
		list[n++] = &t->ports[k];
	}
	switch (t->opt.topology) {
	case TOPOLOGY_LOOP:
		return list[i];
	case TOPOLOGY_CHAINED:
		return list[(i + 1) % n];
	case TOPOLOGY_PAIRED:
	default:
		/* the last of an odd number sends back out of itself */
		return list[(i ^ 1) < n ? (i ^ 1) : i];
	}
}

/* ---- which there are ---- */

static uint16_t queues(const struct tp_port *p)
{
	if (p->port == NULL)
		return 0;
	return p->n_rxq > p->n_txq ? p->n_rxq : p->n_txq;
}

struct stream *stream_find(const struct testpmd *t, const struct tp_port *p, uint16_t queue)
{
	for (size_t i = 0; i < t->n_streams; i++)
		if (t->streams[i]->rx_port == p && t->streams[i]->queue == queue)
			return t->streams[i];
	return NULL;
}

static struct stream *stream_make(struct testpmd *t, struct tp_port *p, uint16_t queue)
{
	struct stream *s = aligned_alloc(PLX_CACHE_LINE, sizeof(*s));

	if (s == NULL) {
		complain("no memory for a stream");
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	s->rx_port = p;
	s->queue = queue;
	s->core = -1;
	s->pool = p->pool;
	if (plx_mempool_cache_create(t->ctx, 0, -1, &s->cache) < 0) {
		complain("%s", plx_errmsg());
		free(s);
		return NULL;
	}
	plx_mempool_cache_bind(s->cache, &s->pool->mp);
	return s;
}

int streams_match(struct testpmd *t)
{
	struct stream **list;
	size_t most = t->n_streams, n = 0;
	int err = 0;

	for (uint16_t p = 0; p < t->n_ports; p++)
		most += queues(&t->ports[p]);
	list = calloc(most + 1, sizeof(*list));
	if (list == NULL) {
		complain("no memory for a list of streams");
		return -1;
	}
	for (size_t i = 0; i < t->n_streams; i++)
		t->streams[i]->gone = t->streams[i]->queue >= queues(t->streams[i]->rx_port);
	for (uint16_t p = 0; p < t->n_ports; p++) {
		for (uint16_t q = 0; q < queues(&t->ports[p]); q++) {
			struct stream *s = stream_find(t, &t->ports[p], q);

			if (s == NULL)
				s = stream_make(t, &t->ports[p], q);
			if (s != NULL)
				list[n++] = s;
			else
				err = -1;
		}
	}
	for (size_t i = 0; i < t->n_streams; i++)
		if (t->streams[i]->gone)
			list[n++] = t->streams[i];
	free(t->streams);
	t->streams = list;
	t->n_streams = n;
	return err;
}

static void add_counts(struct counts *sum, const struct stream *s)
{
	sum->rx += PLX_READ_ONCE(s->rx);
	sum->tx += PLX_READ_ONCE(s->tx);
	sum->dropped += PLX_READ_ONCE(s->dropped);
	sum->busy_cycles += PLX_READ_ONCE(s->busy_cycles);
	sum->busy_packets += PLX_READ_ONCE(s->busy_packets);
	for (unsigned i = 0; i < STREAM_CTRS; i++)
		sum->ctr[i] += PLX_READ_ONCE(s->ctr[i]);
	for (unsigned n = 1; n <= MAX_BURST; n++)
		sum->bursts[n] += PLX_READ_ONCE(s->bursts[n]);
}

void streams_count(const struct testpmd *t, struct counts *sum)
{
	*sum = t->past;
	for (size_t i = 0; i < t->n_streams; i++)
		add_counts(sum, t->streams[i]);
}

/* The port that it sends to is told what it did not take. */
static void settle_dropped(struct stream *s)
{
	if (s->tx_port != NULL)
		s->tx_port->dropped += s->dropped - s->dropped_before;
	s->dropped_before = s->dropped;
}

void streams_leave(struct testpmd *t, const struct tp_port *p)
{
	for (size_t i = 0; i < t->n_streams; i++) {
		if (t->streams[i]->tx_port != p)
			continue;
		settle_dropped(t->streams[i]);
		t->streams[i]->tx_port = NULL;
	}
}

static void drop_later(struct stream *s)
{
	plx_stats_add(&s->dropped, s->n_later);
	plx_mbuf_free_bulk_c(s->cache, s->later, s->n_later);
	s->n_later = 0;
}

void streams_drop_later(struct testpmd *t)
{
	for (size_t i = 0; i < t->n_streams; i++)
		drop_later(t->streams[i]);
}

static void stream_free(struct testpmd *t, struct stream *s)
{
	drop_later(s);
	settle_dropped(s);
	add_counts(&t->past, s);
	plx_mempool_cache_free(s->cache);
	free(s);
}

void streams_sweep(struct testpmd *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_streams; i++) {
		if (t->streams[i]->gone)
			stream_free(t, t->streams[i]);
		else
			t->streams[n++] = t->streams[i];
	}
	t->n_streams = n;
}

void streams_free(struct testpmd *t)
{
	for (size_t i = 0; i < t->n_streams; i++)
		t->streams[i]->gone = true;
	streams_sweep(t);
	free(t->streams);
	t->streams = NULL;
}

/* ---- what they do ---- */

static bool usable(const struct tp_port *p)
{
	return p->started && !p->held;
}

/* Ports and queues of a stream in a mode; false: none in this one. */
static bool wire(struct testpmd *t, const struct stream *s, struct wiring *w)
{
	const struct fwd_mode *mode = t->opt.mode;
	struct tp_port *from = s->rx_port, *to = from;

	if (s->gone || s->queue >= (mode->no_rx ? from->n_txq : from->n_rxq))
		return false;
	if (!mode->no_rx && !mode->echo)
		to = peer_of(t, from);
	w->tx_port = to;
	w->burst = t->opt.burst;
	if ((!mode->no_rx || mode->counts_rx) && s->queue < from->n_rxq)
		w->rxq = plx_port_rxq(from->port, s->queue);
	/* with more RX queues than TX queues some of them share one; see share() */
	if (!mode->no_tx && to->n_txq != 0)
		w->txq = plx_port_txq(to->port, (uint16_t)(s->queue % to->n_txq));
	if (t->forwarding && usable(from) && (mode->no_tx || usable(to)))
		w->mode = mode;
	return true;
}

/* A TX queue belongs to one thread: the worker of the stream that had it first, or -1. */
static int share(const struct wiring *want, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (want[k].txq != NULL && want[k].txq == want[i].txq)
			return want[k].worker;
	return -1;
}

void streams_want(struct testpmd *t, struct wiring *want)
{
	uint16_t next = 0;

	for (size_t i = 0; i < t->n_streams; i++) {
		const struct stream *s = t->streams[i];
		int worker;

		want[i] = (struct wiring){0};
		if (!wire(t, s, &want[i]))
			continue;
		worker = share(want, i);
		/* threads may have become fewer since it was given to one */
		if (worker < 0)
			worker = s->core >= 0 && s->core < t->opt.nb_cores
					 ? s->core
					 : next++ % t->opt.nb_cores;
		want[i].worker = (uint16_t)worker;
	}
}

bool wiring_same(const struct wiring *a, const struct wiring *b)
{
	return a->mode == b->mode && a->tx_port == b->tx_port && a->rxq == b->rxq &&
	       a->txq == b->txq && a->burst == b->burst;
}

/* Where packets go that leave through a port. */
static struct plx_mac peer_mac(const struct testpmd *t, uint16_t port)
{
	if (t->opt.modes.peers_given & plx_bit32(port))
		return t->opt.modes.peers[port];
	return (struct plx_mac){{2, 0, 0, 0, 0, (uint8_t)port}};
}

int stream_rewire(struct testpmd *t, struct stream *s, const struct wiring *want)
{
	bool same = wiring_same(&s->now, want);

	if (!same && s->now.mode != NULL && s->now.mode->end != NULL)
		s->now.mode->end(s);
	s->now = *want;
	s->refused = (struct wiring){0};
	if (same || want->mode == NULL)
		return 0;
	if (s->tx_port != want->tx_port)
		settle_dropped(s);
	s->tx_port = want->tx_port;
	s->rxq = want->rxq;
	s->txq = want->txq;
	s->burst = want->burst;
	s->patient = s->rx_port->info.finite && !want->mode->no_rx;
	s->own = s->tx_port->info.mac;
	s->peer = peer_mac(t, (uint16_t)(s->tx_port - t->ports));
	s->budget = t->opt.packets != 0 ? &t->budget : NULL;
	s->state = NULL;
	if (want->mode->begin == NULL || want->mode->begin(t, s) == 0)
		return 0;
	s->now = (struct wiring){0};
	s->refused = *want;
	return -1;
}
