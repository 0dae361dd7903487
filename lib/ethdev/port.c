/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports: open, configure, start, stop, reset, close. */
#include <stdlib.h>

#define PLX_LOG_TAG "ethdev"
#include "ethdev_priv.h"

const char *plx_port_name(const struct plx_port *port)
{
	return port->dev->text;
}

struct plx_ctx *plx_port_ctx(struct plx_port *port)
{
	return port->ctx;
}

/* The port's lock, for a call that needs the device to be there. */
int port_enter(struct plx_port *port)
{
	pthread_mutex_lock(&port->ctl->lock);
	if (!__atomic_load_n(&port->ctl->gone, __ATOMIC_ACQUIRE))
		return 0;
	return port_leave(port,
		plx_err(ENODEV, "%s: the device is gone; close the port", plx_port_name(port)));
}

int port_leave(struct plx_port *port, int err)
{
	pthread_mutex_unlock(&port->ctl->lock);
	return err;
}

/* The same for an operation that a driver may lack. */
int port_enter_op(struct plx_port *port, bool has, const char *what)
{
	int err = port_enter(port);

	if (err == 0 && !has)
		return port_leave(
			port, plx_err(ENOTSUP, "%s: the %s driver does not support %s",
				      plx_port_name(port), port->dev->driver->name, what));
	return err;
}

/* Frees what open made; callable half-built. */
static void port_free(struct plx_port_ctl *ctl)
{
	struct plx_port *port = &ctl->port;

	plx_work_del(port->ctx, &ctl->work);
	if (ctl->opened && port->ops->close != NULL)
		port->ops->close(port);
	if (port->priv != NULL)
		plx_priv_free(port->ctx, port->priv, port->ops->priv_size);
	plx_dev_close(port->dev);
	free(ctl->rx);
	free(ctl->tx);
	free(port->rxqs);
	free(port->txqs);
	pthread_mutex_destroy(&ctl->lock);
	free(ctl);
}

static void port_child_close(struct plx_ctx_child *child)
{
	struct plx_port_ctl *ctl = plx_container_of(child, struct plx_port_ctl, child);

	/* no thread may be inside a burst by plx_ctx_close()'s contract; freeing under one that is
	   would be worse than to wait for it */
	while (plx_port_close(&ctl->port) == -EBUSY)
		plx_logf(plx_ctx_log(ctl->port.ctx), PLX_LOG_ERR, "closing: %s", plx_errmsg());
}

static int driver_open(struct plx_port *port)
{
	int err;

	if (port->ops->priv_size != 0) {
		port->priv = plx_priv_alloc(port->ctx, port->ops->priv_size, -1);
		if (port->priv == NULL)
			return -ENOMEM;
	}
	port->ctl->opened = true; /* close works after a half-done open */
	err = port->ops->open(port);
	if (err < 0)
		return err;
	err = plx_opts_finish(port->dev->opts);
	if (err < 0)
		return err;
	port->info.node = port->dev->pci != NULL ? plx_pci_node(port->dev->pci) : -1;
	return port->ops->info(port, &port->info);
}

int plx_port_open(struct plx_ctx *ctx, const char *text, struct plx_port **out)
{
	struct plx_port_ctl *ctl;
	struct plx_port *port;
	int err = handover_init();

	if (err < 0)
		return err;
	ctl = calloc(1, sizeof(*ctl));
	if (ctl == NULL)
		return plx_err(ENOMEM, "%s: no memory for a port", text);
	port = &ctl->port;
	port->ctl = ctl;
	port->ctx = ctx;
	pthread_mutex_init(&ctl->lock, NULL);
	ctl->work = (struct plx_work){.fn = port_control, .period_ns = CONTROL_PERIOD_NS, .fd = -1};
	err = plx_dev_open(ctx, text, PLX_DEV_ETH, &port->dev);
	if (err < 0)
		goto fail;
	port->ops = port->dev->driver->ops;
	err = driver_open(port);
	if (err < 0)
		goto fail;
	port->info.driver = port->dev->driver->name;
	port->info.device = port->dev->text;
	err = plx_work_add(ctx, &ctl->work);
	if (err < 0)
		goto fail;
	ctl->child.closes_first = true;
	plx_ctx_child_add(ctx, &ctl->child, port_child_close);
	*out = port;
	return 0;
fail:
	port_free(ctl);
	return err;
}

/*
 * Ends DMA. What the queues' caches kept goes back as well, and TX queues forget whose it was: the
 * pools of what they sent may end before the port does.
 */
static void port_halt(struct plx_port *port)
{
	if (port->ops->stop != NULL)
		port->ops->stop(port);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL)
			plx_mempool_cache_flush(port->rxqs[i]->cache);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (port->txqs[i] != NULL)
			plx_mempool_cache_bind(port->txqs[i]->cache, NULL);
	port->started = false;
	port->ctl->stopping = false;
}

/* Takes the queues away and ends DMA. Under the lock; also when the device is gone. */
static int port_stop(struct plx_port *port)
{
	enum plx_queue_state state = port_is_gone(port) ? PLX_QUEUE_GONE : PLX_QUEUE_STOPPED;
	int err;

	if (!port->started)
		return 0;
	port->ctl->stopping = true;
	port_withdraw(port, state);
	err = port_quiesce(port);
	if (err == 0)
		port_halt(port);
	return err;
}

int plx_port_stop(struct plx_port *port)
{
	int err;

	pthread_mutex_lock(&port->ctl->lock);
	err = port_stop(port);
	return port_leave(port, err);
}

int plx_port_close(struct plx_port *port)
{
	struct plx_ctx *ctx;
	int err;

	if (port == NULL)
		return 0;
	ctx = port->ctx;
	err = plx_port_stop(port);
	if (err < 0)
		return err;
	/* without the lock, which control work takes */
	plx_work_del(ctx, &port->ctl->work);
	port_release_queues(port);
	plx_ctx_child_del(ctx, &port->ctl->child);
	port_free(port->ctl);
	return 0;
}

int plx_port_info(struct plx_port *port, struct plx_port_info *info)
{
	int err;

	pthread_mutex_lock(&port->ctl->lock);
	*info = port->info;
	err = port_is_gone(port) ? 0 : port->ops->info(port, info);
	return port_leave(port, err);
}

/* The first offload that is asked for and not there. */
static int check_offloads(const struct plx_port *port, const char *dir, uint32_t want,
	uint32_t have, const char *(*name)(uint32_t bit))
{
	uint32_t missing = want & ~have;
	unsigned bit;

	if (missing == 0)
		return 0;
	bit = (unsigned)__builtin_ctz(missing);
	return plx_err(ENOTSUP, "%s: the %s driver has no %s offload '%s'", plx_port_name(port),
		port->dev->driver->name, dir, name(bit) != NULL ? name(bit) : "unknown");
}

static int check_conf(const struct plx_port *port, const struct plx_port_conf *conf)
{
	const struct plx_port_info *info = &port->info;
	const char *name = plx_port_name(port);
	int err;

	if (conf->n_rxq > info->max_rxq || conf->n_txq > info->max_txq)
		return plx_err(ENOTSUP, "%s: %u RX and %u TX queues: it has at most %u and %u",
			name, conf->n_rxq, conf->n_txq, info->max_rxq, info->max_txq);
	if (conf->n_rxq == 0 && conf->n_txq == 0)
		return plx_err(EINVAL, "%s: a port needs at least one queue", name);
	if (conf->mtu < info->min_mtu || conf->mtu > info->max_mtu)
		return plx_err(ENOTSUP, "%s: MTU %u: must be %u to %u", name, conf->mtu,
			info->min_mtu, info->max_mtu);
	err = check_offloads(port, "RX", conf->rx_offloads, info->rx_offloads, plx_rx_offload_name);
	if (err < 0)
		return err;
	return check_offloads(
		port, "TX", conf->tx_offloads, info->tx_offloads, plx_tx_offload_name);
}

/* At least one, so that calloc(0) is no question. */
static void *array(size_t n, size_t size)
{
	return calloc(n != 0 ? n : 1, size);
}

static int port_configure(struct plx_port *port, const struct plx_port_conf *conf)
{
	struct plx_port_ctl *ctl = port->ctl;
	struct queue_ctl *rx = array(conf->n_rxq, sizeof(*rx));
	struct queue_ctl *tx = array(conf->n_txq, sizeof(*tx));
	struct plx_rxq **rxqs = array(conf->n_rxq, sizeof(struct plx_rxq *));
	struct plx_txq **txqs = array(conf->n_txq, sizeof(struct plx_txq *));
	int err;

	if (rx == NULL || tx == NULL || rxqs == NULL || txqs == NULL) {
		free(rx);
		free(tx);
		free(rxqs);
		free(txqs);
		return plx_err(ENOMEM, "%s: no memory for %u + %u queues", plx_port_name(port),
			conf->n_rxq, conf->n_txq);
	}
	port_release_queues(port);
	free(ctl->rx);
	free(ctl->tx);
	free(port->rxqs);
	free(port->txqs);
	ctl->rx = rx;
	ctl->tx = tx;
	port->rxqs = rxqs;
	port->txqs = txqs;
	port->conf = *conf;
	err = port->ops->configure != NULL ? port->ops->configure(port) : 0;
	ctl->configured = err == 0;
	return err;
}

/*
 * Takes what the program gave over the defaults in *to: a program that was built with an older,
 * shorter structure gets the defaults of what has come since.
 */
int conf_take(
	const struct plx_port *port, void *to, size_t size, const void *from, const char *init)
{
	size_t given;

	if (from == NULL)
		return 0;
	memcpy(&given, from, sizeof(given)); /* size is the first field of all of them */
	if (given < sizeof(given) || given > size)
		return plx_err(EINVAL, "%s: size is %zu, not up to %zu: start from %s",
			plx_port_name(port), given, size, init);
	memcpy(to, from, given);
	return 0;
}

int plx_port_configure(struct plx_port *port, const struct plx_port_conf *asked)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	int err = port_enter(port);

	if (err < 0)
		return err;
	if (port->started)
		err = plx_err(
			EBUSY, "%s: stop the port before configuring it", plx_port_name(port));
	if (err == 0)
		err = conf_take(port, &conf, sizeof(conf), asked, "PLX_PORT_CONF_INIT");
	if (err == 0)
		err = check_conf(port, &conf);
	if (err == 0)
		err = port_configure(port, &conf);
	return port_leave(port, err);
}

static int check_startable(const struct plx_port *port)
{
	const char *name = plx_port_name(port);

	if (!port->ctl->configured)
		return plx_err(EINVAL, "%s: configure the port before starting it", name);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] == NULL)
			return plx_err(EINVAL, "%s: RX queue %u is not set up", name, i);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (port->txqs[i] == NULL)
			return plx_err(EINVAL, "%s: TX queue %u is not set up", name, i);
	return 0;
}

static void publish_all(struct plx_port *port)
{
	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		port->ctl->rx[i].since_ns = 0;
		port->ctl->rx[i].stopping = false;
		if (!port->ctl->rx[i].deferred)
			rxq_publish(port->rxqs[i]);
	}
	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		port->ctl->tx[i].since_ns = 0;
		port->ctl->tx[i].stopping = false;
		if (!port->ctl->tx[i].deferred)
			txq_publish(port->txqs[i]);
	}
}

static int port_start(struct plx_port *port)
{
	int err = check_startable(port);

	if (err < 0)
		return err;
	err = port->ops->start != NULL ? port->ops->start(port) : 0;
	if (err < 0) {
		port_halt(port);
		return err;
	}
	port->started = true;
	port->link = (struct plx_link){0};
	err = port->ops->link(port, &port->link);
	if (err == 0 && port_is_gone(port))
		err = plx_err(
			ENODEV, "%s: the device left while it was started", plx_port_name(port));
	if (err < 0) {
		port_halt(port);
		return err;
	}
	publish_all(port);
	return 0;
}

int plx_port_start(struct plx_port *port)
{
	int err = port_enter(port);

	if (err < 0)
		return err;
	if (port->ctl->stopping) /* a stop that gave up took the queues away */
		err = port_stop(port);
	if (err == 0 && !port->started)
		err = port_start(port);
	return port_leave(port, err);
}

int plx_port_reset(struct plx_port *port)
{
	bool was_started;
	int err = port_enter(port);

	if (err < 0)
		return err;
	was_started = port->started;
	err = port_stop(port);
	if (err == 0 && port->ops->reset != NULL)
		err = port->ops->reset(port);
	if (err == 0 && was_started)
		err = port_start(port);
	return port_leave(port, err);
}

bool plx_port_started(struct plx_port *port)
{
	bool started;

	pthread_mutex_lock(&port->ctl->lock);
	started = port->started;
	pthread_mutex_unlock(&port->ctl->lock);
	return started;
}

bool plx_port_drained(struct plx_port *port)
{
	return port->ops->drained != NULL && port->ops->drained(port);
}
