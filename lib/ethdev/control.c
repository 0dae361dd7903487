/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's control work: removal, link changes, the watchdog, events. */
#include <time.h>

#define PLX_LOG_TAG "ethdev"
#include "ethdev_priv.h"

void port_event(struct plx_port *port, uint32_t event)
{
	__atomic_fetch_or(&port->ctl->events, event, __ATOMIC_ACQ_REL);
	plx_work_kick(port->ctx, &port->ctl->work);
}

void plx_port_kick(struct plx_port *port)
{
	plx_work_kick(port->ctx, &port->ctl->work);
}

/* Has the device left? Notices it, too. */
bool port_is_gone(struct plx_port *port)
{
	bool gone;

	if (__atomic_load_n(&port->ctl->gone, __ATOMIC_ACQUIRE))
		return true;
	if (port->ops->gone != NULL)
		gone = port->ops->gone(port);
	else
		gone = port->dev->pci != NULL && plx_pci_gone(port->dev->pci);
	if (gone)
		plx_port_set_gone(port);
	return gone;
}

/* Asks the device for its link and gives the TX queues the burst that fits it. */
int port_link_update(struct plx_port *port)
{
	struct plx_link now = {0};
	bool up_before = port->link.up;
	int err = port->ops->link(port, &now);

	if (err < 0)
		return err;
	if (now.up == up_before && now.speed_mbps == port->link.speed_mbps &&
		now.full_duplex == port->link.full_duplex) {
		port->link = now;
		return 0;
	}
	port->link = now;
	if (now.up != up_before && port->started)
		for (uint16_t i = 0; i < port->conf.n_txq; i++)
			if (port->txqs[i] != NULL)
				txq_publish_link(port->txqs[i]);
	plx_logf(plx_ctx_log(port->ctx), PLX_LOG_INFO, "%s: link %s, %u Mbit/s",
		plx_port_name(port), now.up ? "up" : "down", now.speed_mbps);
	port_event(port, EVENT_LINK);
	return 0;
}

/* Did the queue stand still, with something owed, for longer than the limit? */
static bool stalled(
	struct queue_ctl *qc, const struct plx_progress *p, uint64_t now_ns, uint64_t limit_ns)
{
	if (!p->owed || p->done != qc->done || qc->since_ns == 0) {
		qc->done = p->done;
		qc->since_ns = now_ns;
		return false;
	}
	return now_ns - qc->since_ns > limit_ns;
}

static void watch_rx(struct plx_port *port, uint64_t now_ns, uint64_t limit_ns)
{
	if (port->ops->rxq_progress == NULL)
		return;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		struct plx_progress p = {0};
		struct plx_rxq *q = port->rxqs[i];

		if (plx_rxq_state(q, NULL) != PLX_QUEUE_RUNNING)
			continue;
		port->ops->rxq_progress(port, q, &p);
		if (!stalled(&port->ctl->rx[i], &p, now_ns, limit_ns))
			continue;
		plx_logf(plx_ctx_log(port->ctx), PLX_LOG_WARN,
			"%s: RX queue %u: the device has free descriptors, drops packets and has "
			"written none for %llu ms; reset the port",
			plx_port_name(port), i, (unsigned long long)(limit_ns / 1000000));
		plx_rxq_set_failed(q, ETIMEDOUT);
	}
}

static void watch_tx(struct plx_port *port, uint64_t now_ns, uint64_t limit_ns)
{
	if (port->ops->txq_progress == NULL)
		return;
	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		struct plx_progress p = {0};
		struct plx_txq *q = port->txqs[i];

		if (plx_txq_state(q, NULL) != PLX_QUEUE_RUNNING)
			continue;
		/* without a link what was handed over may wait for ever, and is no fault */
		if (port->link.up)
			port->ops->txq_progress(port, q, &p);
		if (!stalled(&port->ctl->tx[i], &p, now_ns, limit_ns))
			continue;
		plx_logf(plx_ctx_log(port->ctx), PLX_LOG_WARN,
			"%s: TX queue %u: the device has completed nothing of what it was given for "
			"%llu ms; reset the port",
			plx_port_name(port), i, (unsigned long long)(limit_ns / 1000000));
		plx_txq_set_failed(q, ETIMEDOUT);
	}
}

/* Without the lock: the program may call back into the port. */
static void deliver(struct plx_port *port)
{
	static const struct {
		uint32_t bit;
		enum plx_port_event event;
	} table[] = {{EVENT_LINK, PLX_PORT_LINK}, {EVENT_FAILED, PLX_PORT_FAILED},
		{EVENT_GONE, PLX_PORT_GONE}};
	uint32_t events = __atomic_exchange_n(&port->ctl->events, 0, __ATOMIC_ACQ_REL);
	plx_port_event_fn fn;
	void *arg;

	if (events == 0)
		return;
	pthread_mutex_lock(&port->ctl->lock);
	fn = port->ctl->event_fn;
	arg = port->ctl->event_arg;
	pthread_mutex_unlock(&port->ctl->lock);
	for (size_t i = 0; fn != NULL && i < PLX_ARRAY_SIZE(table); i++)
		if (events & table[i].bit)
			fn(arg, port, table[i].event);
}

void port_control(struct plx_work *work, uint64_t now_ns)
{
	struct plx_port_ctl *ctl = plx_container_of(work, struct plx_port_ctl, work);
	struct plx_port *port = &ctl->port;
	uint64_t limit_ns = plx_ctx_stall_ns(port->ctx);

	pthread_mutex_lock(&ctl->lock);
	if (!port_is_gone(port) && port->started) {
		if (port->ops->control != NULL)
			port->ops->control(port, now_ns);
		/* a link that cannot be read is asked again next time */
		(void)port_link_update(port);
		if (limit_ns != 0) {
			watch_rx(port, now_ns, limit_ns);
			watch_tx(port, now_ns, limit_ns);
		}
	}
	pthread_mutex_unlock(&ctl->lock);
	deliver(port);
}

void plx_port_on_event(struct plx_port *port, plx_port_event_fn fn, void *arg)
{
	pthread_mutex_lock(&port->ctl->lock);
	port->ctl->event_fn = fn;
	port->ctl->event_arg = arg;
	pthread_mutex_unlock(&port->ctl->lock);
}

int plx_port_link(struct plx_port *port, bool fresh, struct plx_link *link)
{
	int err = port_enter(port);

	if (err < 0)
		return err;
	if (fresh)
		err = port_link_update(port);
	*link = port->link;
	return port_leave(port, err);
}

int plx_port_link_wait(struct plx_port *port, uint64_t limit_ns)
{
	const struct timespec nap = {0, 2000000};
	uint64_t begin = plx_clock_ns();

	for (;;) {
		struct plx_link link = {0};
		int err = plx_port_link(port, true, &link);

		if (err < 0 || link.up)
			return err;
		if (plx_clock_ns() - begin >= limit_ns)
			return plx_err(ETIMEDOUT,
				"%s: no link after %llu ms; is the port started and its other end up?",
				plx_port_name(port), (unsigned long long)(limit_ns / 1000000));
		nanosleep(&nap, NULL);
	}
}
