/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port's statistics: its queues' counters, which their threads alone write, less what they were
 * at the last reset, and what the device counts.
 */
#include "ethdev_priv.h"

static uint64_t since_reset(const struct queue_ctl *qc, unsigned i)
{
	return PLX_READ_ONCE(qc->ctr[i]) - qc->base[i];
}

static void queue_add(const struct queue_ctl *qc, struct plx_port_stats *s)
{
	if (qc->ctr == NULL)
		return;
	if (qc->rx) {
		s->rx_packets += since_reset(qc, PLX_RXQ_PACKETS);
		s->rx_bytes += since_reset(qc, PLX_RXQ_BYTES);
		s->rx_nombuf += since_reset(qc, PLX_RXQ_NOMBUF);
		s->rx_errors += since_reset(qc, PLX_RXQ_ERRORS);
	} else {
		s->tx_packets += since_reset(qc, PLX_TXQ_PACKETS);
		s->tx_bytes += since_reset(qc, PLX_TXQ_BYTES);
		s->tx_done += since_reset(qc, PLX_TXQ_DONE);
		s->tx_nolink += since_reset(qc, PLX_TXQ_NOLINK);
		s->tx_errors += since_reset(qc, PLX_TXQ_ERRORS);
	}
}

/* A queue ends: what it counted stays with the port. */
void queue_stats_keep(struct plx_port *port, struct queue_ctl *qc)
{
	if (qc->ctr == NULL)
		return;
	queue_add(qc, &port->ctl->past);
	plx_stats_remove(plx_ctx_stats(port->ctx), qc->ctr);
	qc->ctr = NULL;
}

int plx_port_stats(struct plx_port *port, struct plx_port_stats *stats)
{
	pthread_mutex_lock(&port->ctl->lock);
	*stats = port->ctl->past;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		queue_add(&port->ctl->rx[i], stats);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		queue_add(&port->ctl->tx[i], stats);
	if (port->ops->stats != NULL)
		port->ops->stats(port, stats);
	return port_leave(port, 0);
}

static void queue_rebase(struct queue_ctl *qc)
{
	for (unsigned i = 0; qc->ctr != NULL && i < PLX_ARRAY_SIZE(qc->base); i++)
		qc->base[i] = PLX_READ_ONCE(qc->ctr[i]);
}

int plx_port_stats_reset(struct plx_port *port)
{
	pthread_mutex_lock(&port->ctl->lock);
	memset(&port->ctl->past, 0, sizeof(port->ctl->past));
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		queue_rebase(&port->ctl->rx[i]);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		queue_rebase(&port->ctl->tx[i]);
	if (port->ops->stats_reset != NULL)
		port->ops->stats_reset(port);
	return port_leave(port, 0);
}
