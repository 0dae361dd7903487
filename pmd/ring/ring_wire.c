/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which ports are a pair, and what their TX queues send into.
 *
 * A TX queue has the ring of the RX queue opposite from the moment both ports are started until one of
 * them stops. An end that stops takes its rings from the other's TX queues as lib/ethdev takes a queue
 * from its thread: it stores NULL, and waits until no thread is inside a burst that may have loaded the
 * ring before. What is in the ring then is freed, and nothing can be added to it.
 */
#define PLX_LOG_TAG "ring"
#include <stdio.h>
#include <stdlib.h>

#include "ring_pmd.h"

/* ---- names ---- */

static const char net_key; /* its address is the key of the context's slot */

static void net_free(void *data)
{
	struct ring_net *net = data;

	pthread_mutex_destroy(&net->lock);
	free(net);
}

/* The context's, made by the first that asks. */
static struct ring_net *net_of(struct plx_ctx *ctx)
{
	struct ring_net *net = plx_ctx_slot(ctx, &net_key);

	if (net != NULL)
		return net;
	net = calloc(1, sizeof(*net));
	if (net == NULL)
		return NULL;
	pthread_mutex_init(&net->lock, NULL);
	return plx_ctx_slot_offer(ctx, &net_key, net, net_free);
}

static struct ring_wire *wire_find(const struct ring_net *net, const char *name)
{
	struct ring_wire *w = net->wires;

	while (w != NULL && strcmp(w->name, name) != 0)
		w = w->next;
	return w;
}

static int wire_make(
	struct ring_net *net, const struct ring_port *rp, const char *name, struct ring_wire **out)
{
	struct ring_wire *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return plx_err(ENOMEM, "%s: no memory", plx_port_name(rp->port));
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->loop = rp->loop;
	w->next = net->wires;
	net->wires = w;
	*out = w;
	return 0;
}

/* May rp become an end of w, which has at least one? */
static int check_join(const struct ring_port *rp, const struct ring_wire *w)
{
	const char *name = plx_port_name(rp->port);

	if (w->loop)
		return plx_err(EBUSY,
			"%s: another port has that name with loop=1, which is both ends; choose another name",
			name);
	if (rp->loop)
		return plx_err(EBUSY,
			"%s: with loop=1 a port is both ends, and that name has one already; choose another name",
			name);
	if (w->end[0] != NULL && w->end[1] != NULL)
		return plx_err(EBUSY,
			"%s: two ports have that name already, and a ring has two ends: close one of "
			"them, or choose another name",
			name);
	return 0;
}

int ring_join(struct ring_port *rp, const char *name)
{
	struct ring_net *net = net_of(rp->port->ctx);
	struct ring_wire *w;
	int err = 0;

	if (net == NULL)
		return plx_err(ENOMEM, "%s: no memory", plx_port_name(rp->port));
	pthread_mutex_lock(&net->lock);
	w = wire_find(net, name);
	if (w == NULL)
		err = wire_make(net, rp, name, &w);
	else
		err = check_join(rp, w);
	if (err == 0) {
		rp->net = net;
		rp->wire = w;
		rp->side = w->end[0] == NULL ? 0 : 1;
		w->end[rp->side] = rp;
	}
	pthread_mutex_unlock(&net->lock);
	return err;
}

static void wire_free(struct ring_net *net, struct ring_wire *w)
{
	struct ring_wire **link = &net->wires;

	while (*link != w)
		link = &(*link)->next;
	*link = w->next;
	free(w);
}

void ring_leave(struct ring_port *rp)
{
	struct ring_wire *w = rp->wire;

	if (w == NULL)
		return;
	pthread_mutex_lock(&rp->net->lock);
	w->end[rp->side] = NULL;
	rp->wire = NULL;
	if (w->end[0] == NULL && w->end[1] == NULL)
		wire_free(rp->net, w);
	pthread_mutex_unlock(&rp->net->lock);
}

/* ---- rings; all of it under the lock ---- */

/* The other end, if it is started. */
static struct ring_port *started_peer(const struct ring_port *rp)
{
	struct ring_port *peer = rp->wire->end[rp->wire->loop ? rp->side : !rp->side];

	return peer != NULL && peer->started ? peer : NULL;
}

/* The RX queue that TX queue i of the port sends to, NULL: there is none that takes packets. */
static const struct ring_rxq *opposite(const struct ring_port *rp, uint16_t i)
{
	const struct ring_port *peer = started_peer(rp);
	const struct ring_rxq *rxq;

	if (peer == NULL || i >= peer->port->conf.n_rxq)
		return NULL;
	rxq = (const struct ring_rxq *)peer->port->rxqs[i];
	return rxq->open ? rxq : NULL;
}

/* Gives the port's TX queue i what it sends into now. */
static void connect(const struct ring_port *rp, uint16_t i)
{
	struct ring_txq *txq = (struct ring_txq *)rp->port->txqs[i];
	const struct ring_rxq *rxq = rp->started ? opposite(rp, i) : NULL;

	if (rxq != NULL) {
		PLX_WRITE_ONCE(txq->max, PLX_MIN(txq->q.max_pkt, rxq->q.max_pkt));
		if (txq->ring == NULL) /* no burst uses it */
			txq->lens = rxq->lens;
	}
	/* release: the burst that sees the ring sees the rest */
	__atomic_store_n(&txq->ring, rxq != NULL ? rxq->ring : NULL, __ATOMIC_RELEASE);
}

static void connect_all(const struct ring_port *rp)
{
	for (uint16_t i = 0; i < rp->port->conf.n_txq; i++)
		connect(rp, i);
}

/* Waits until no burst of the TX queue has a ring that it was given before. */
static void let_go(const struct ring_port *rp, uint16_t i)
{
	/* what that thread may still use cannot be taken back: longer than the second that it waits for
	   is as long as it takes */
	while (plx_txq_quiesce(rp->port->txqs[i]) < 0)
		plx_logf(plx_ctx_log(rp->port->ctx), PLX_LOG_ERR,
			"the other end stops, and waits: %s", plx_errmsg());
}

/* Opens or closes the port's RX queue; the other end's TX queue follows. */
static void rxq_set(struct ring_port *rp, struct ring_rxq *rxq, bool open)
{
	const struct ring_port *peer = started_peer(rp);
	const uint16_t i = rxq->q.index;

	rxq->open = open;
	if (peer != NULL && i < peer->port->conf.n_txq) {
		connect(peer, i);
		if (!open)
			let_go(peer, i);
	}
	/* what stood there when it was closed; of a closed one, nothing */
	rp->left += open ? 0 : ring_drain(rxq->ring);
}

void ring_rxq_up(struct ring_port *rp, struct ring_rxq *rxq)
{
	pthread_mutex_lock(&rp->net->lock);
	rxq_set(rp, rxq, true);
	pthread_mutex_unlock(&rp->net->lock);
}

void ring_rxq_down(struct ring_port *rp, struct ring_rxq *rxq)
{
	pthread_mutex_lock(&rp->net->lock);
	rxq_set(rp, rxq, false);
	pthread_mutex_unlock(&rp->net->lock);
}

/* The other end's control work finds its link changed. */
static void tell_peer(const struct ring_port *rp)
{
	const struct ring_port *peer = started_peer(rp);

	if (peer != NULL)
		plx_port_kick(peer->port);
}

void ring_up(struct ring_port *rp)
{
	pthread_mutex_lock(&rp->net->lock);
	rp->started = true;
	for (uint16_t i = 0; i < rp->port->conf.n_rxq; i++) {
		struct ring_rxq *rxq = (struct ring_rxq *)rp->port->rxqs[i];

		if (!rxq->deferred)
			rxq_set(rp, rxq, true);
	}
	connect_all(rp);
	tell_peer(rp);
	pthread_mutex_unlock(&rp->net->lock);
}

void ring_down(struct ring_port *rp)
{
	pthread_mutex_lock(&rp->net->lock);
	if (rp->started) {
		for (uint16_t i = 0; i < rp->port->conf.n_rxq; i++)
			rxq_set(rp, (struct ring_rxq *)rp->port->rxqs[i], false);
		tell_peer(rp);
		rp->started = false;
		connect_all(rp);
	}
	pthread_mutex_unlock(&rp->net->lock);
}

void ring_new_mtu(struct ring_port *rp)
{
	const struct ring_port *peer;

	pthread_mutex_lock(&rp->net->lock);
	if (rp->started)
		connect_all(rp);
	peer = started_peer(rp);
	if (peer != NULL)
		connect_all(peer);
	pthread_mutex_unlock(&rp->net->lock);
}

bool ring_link_up(struct ring_port *rp)
{
	bool up;

	pthread_mutex_lock(&rp->net->lock);
	up = rp->started && started_peer(rp) != NULL;
	pthread_mutex_unlock(&rp->net->lock);
	return up;
}
