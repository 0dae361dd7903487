/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues: setting up, releasing, starting and stopping one. */
#include <stdio.h>

#include "ethdev_priv.h"

static const char *const rx_counter_names[PLX_RXQ_COUNTERS] = {
	"packets", "bytes", "nombuf", "errors", "bursts", "reserved5", "reserved6", "reserved7"};
static const char *const tx_counter_names[PLX_TXQ_COUNTERS] = {
	"packets", "bytes", "done", "nolink", "errors", "bursts", "reserved6", "reserved7"};

static int queue_counters(struct plx_port *port, struct queue_ctl *qc, uint16_t i)
{
	char name[PLX_STATS_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%s %s%u", plx_port_name(port), qc->rx ? "rxq" : "txq", i);
	return plx_stats_object(plx_ctx_stats(port->ctx), name,
		qc->rx ? rx_counter_names : tx_counter_names, 8, &qc->ctr);
}

static int check_desc(const struct plx_port *port, const char *kind, uint16_t *n_desc, uint16_t def)
{
	const struct plx_port_info *info = &port->info;

	if (*n_desc == 0)
		*n_desc = def;
	if (*n_desc < info->min_desc || *n_desc > info->max_desc || *n_desc % info->desc_align != 0)
		return plx_err(EINVAL,
			"%s: %s ring of %u descriptors: must be %u to %u, a multiple of %u",
			plx_port_name(port), kind, *n_desc, info->min_desc, info->max_desc,
			info->desc_align);
	return 0;
}

static int foreign_pool(const struct plx_port *port, const struct plx_mbuf_pool *pool)
{
	return plx_err(EXDEV,
		"%s: pool %s is another context's, whose memory this device cannot reach; make one in "
		"the port's context",
		plx_port_name(port), pool->mp.name);
}

/* May this pool feed an RX queue of the port? */
static int check_pool(struct plx_port *port, const struct plx_mbuf_pool *pool)
{
	const char *name = plx_port_name(port);
	uint32_t frame = plx_port_max_frame(port);
	uint32_t room;

	if (pool == NULL)
		return plx_err(EINVAL, "%s: an RX queue needs a pool", name);
	if (pool->ctx != port->ctx)
		return foreign_pool(port, pool);
	if (pool->flags & PLX_DMA_TO_DEVICE)
		return plx_err(EINVAL,
			"%s: the pool is PLX_DMA_TO_DEVICE, devices may not write it; use another for RX",
			name);
	room = pool->room > PLX_MBUF_HEADROOM ? pool->room - PLX_MBUF_HEADROOM : 0;
	if (room == 0 || room < port->info.min_rx_room)
		return plx_err(EINVAL,
			"%s: data rooms of %u bytes leave %u behind the headroom, the device needs %u",
			name, pool->room, room, PLX_MAX(port->info.min_rx_room, 1u));
	if (room < frame && !(port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER))
		return plx_err(EINVAL,
			"%s: a frame may have %u bytes (MTU %u), a data room holds %u: use rooms of %u, a "
			"smaller MTU, or PLX_RX_OFFLOAD_SCATTER",
			name, frame, port->conf.mtu, room, frame + PLX_MBUF_HEADROOM);
	return 0;
}

/* Makes the pool's rooms reachable for the device: only a private domain needs it said. */
static int map_pool(struct plx_port *port, struct plx_mbuf_pool *pool)
{
	struct plx_domain *dom = port->dev->pci == NULL ? NULL : plx_pci_domain(port->dev->pci);

	if (dom == NULL || pool->arena == NULL)
		return 0;
	return plx_domain_map(dom, pool->arena);
}

int plx_port_map_pool(struct plx_port *port, struct plx_mbuf_pool *pool)
{
	int err = port_enter(port);

	if (err < 0)
		return err;
	if (pool == NULL)
		err = plx_err(EINVAL, "%s: no pool to map", plx_port_name(port));
	else if (pool->ctx != port->ctx)
		err = foreign_pool(port, pool);
	else
		err = map_pool(port, pool);
	return port_leave(port, err);
}

static int check_setup(struct plx_port *port, const char *kind, uint16_t i, uint16_t n)
{
	if (port->started)
		return plx_err(EBUSY, "%s: stop the port before setting up %s queue %u",
			plx_port_name(port), kind, i);
	if (i >= n)
		return plx_err(EINVAL, "%s: %s queue %u: %u are configured", plx_port_name(port),
			kind, i, n);
	return 0;
}

/* A queue that nothing could start would be stopped for ever, and still be given its share of packets. */
static int check_deferred(
	const struct plx_port *port, const char *kind, bool deferred, bool has_start)
{
	if (!deferred || has_start)
		return 0;
	return plx_err(ENOTSUP, "%s: the %s driver cannot start one %s queue apart from the port",
		plx_port_name(port), port->dev->driver->name, kind);
}

static void rxq_free(struct plx_port *port, uint16_t i)
{
	struct plx_rxq *q = port->rxqs[i];

	if (q == NULL)
		return;
	port->rxqs[i] = NULL;
	if (port->ops->rxq_release != NULL)
		port->ops->rxq_release(port, q);
	plx_mempool_cache_free(q->cache);
	queue_stats_keep(port, &port->ctl->rx[i]);
	plx_priv_free(port->ctx, q, port->ops->rxq_size);
}

static void txq_free(struct plx_port *port, uint16_t i)
{
	struct plx_txq *q = port->txqs[i];

	if (q == NULL)
		return;
	port->txqs[i] = NULL;
	if (port->ops->txq_release != NULL)
		port->ops->txq_release(port, q);
	plx_mempool_cache_free(q->cache);
	queue_stats_keep(port, &port->ctl->tx[i]);
	plx_priv_free(port->ctx, q, port->ops->txq_size);
}

void port_release_queues(struct plx_port *port)
{
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		rxq_free(port, i);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		txq_free(port, i);
}

void plx_port_set_max_pkt(struct plx_port *port, uint32_t frame)
{
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL)
			PLX_WRITE_ONCE(port->rxqs[i]->max_pkt, frame);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (port->txqs[i] != NULL)
			PLX_WRITE_ONCE(port->txqs[i]->max_pkt, frame);
}

static int rxq_make(struct plx_port *port, uint16_t i, const struct plx_rxq_conf *conf)
{
	struct queue_ctl *qc = &port->ctl->rx[i];
	struct plx_rxq *q;
	int err;

	q = plx_priv_alloc(port->ctx, port->ops->rxq_size, port->info.node);
	if (q == NULL)
		return -ENOMEM;
	memset(qc, 0, sizeof(*qc));
	qc->rx = true;
	qc->deferred = conf->deferred;
	q->port = port;
	q->index = i;
	q->n_desc = conf->n_desc;
	q->pool = conf->pool;
	q->max_pkt = plx_port_max_frame(port);
	rxq_withdraw(q, PLX_QUEUE_STOPPED);
	port->rxqs[i] = q;
	err = queue_counters(port, qc, i);
	if (err < 0)
		goto fail;
	q->ctr = qc->ctr;
	err = plx_mempool_cache_create(port->ctx, conf->cache, port->info.node, &q->cache);
	if (err < 0)
		goto fail;
	plx_mempool_cache_bind(q->cache, &conf->pool->mp);
	err = port->ops->rxq_setup != NULL ? port->ops->rxq_setup(port, q, conf) : 0;
	if (err < 0)
		goto fail;
	return 0;
fail:
	rxq_free(port, i);
	return err;
}

static int txq_make(struct plx_port *port, uint16_t i, const struct plx_txq_conf *conf)
{
	struct queue_ctl *qc = &port->ctl->tx[i];
	struct plx_txq *q;
	int err;

	q = plx_priv_alloc(port->ctx, port->ops->txq_size, port->info.node);
	if (q == NULL)
		return -ENOMEM;
	memset(qc, 0, sizeof(*qc));
	qc->deferred = conf->deferred;
	q->port = port;
	q->index = i;
	q->n_desc = conf->n_desc;
	q->max_pkt = plx_port_max_frame(port);
	txq_withdraw(q, PLX_QUEUE_STOPPED);
	port->txqs[i] = q;
	err = queue_counters(port, qc, i);
	if (err < 0)
		goto fail;
	q->ctr = qc->ctr;
	err = plx_mempool_cache_create(port->ctx, conf->cache, port->info.node, &q->cache);
	if (err < 0)
		goto fail;
	err = port->ops->txq_setup != NULL ? port->ops->txq_setup(port, q, conf) : 0;
	if (err < 0)
		goto fail;
	return 0;
fail:
	txq_free(port, i);
	return err;
}

int plx_rxq_setup(
	struct plx_port *port, uint16_t i, const struct plx_rxq_conf *conf, struct plx_rxq **out)
{
	struct plx_rxq_conf c = PLX_RXQ_CONF_INIT;
	int err = port_enter(port);

	if (err < 0)
		return err;
	err = check_setup(port, "RX", i, port->conf.n_rxq);
	if (err == 0)
		err = conf_take(port, &c, sizeof(c), conf, "PLX_RXQ_CONF_INIT");
	if (err == 0)
		err = check_desc(port, "RX", &c.n_desc, port->info.def_rx_desc);
	if (err == 0)
		err = check_deferred(port, "RX", c.deferred, port->ops->rxq_start != NULL);
	if (err == 0)
		err = check_pool(port, c.pool);
	if (err == 0)
		err = map_pool(port, c.pool);
	if (err == 0) {
		rxq_free(port, i);
		err = rxq_make(port, i, &c);
	}
	if (err == 0 && out != NULL)
		*out = port->rxqs[i];
	return port_leave(port, err);
}

int plx_txq_setup(
	struct plx_port *port, uint16_t i, const struct plx_txq_conf *conf, struct plx_txq **out)
{
	struct plx_txq_conf c = PLX_TXQ_CONF_INIT;
	int err = port_enter(port);

	if (err < 0)
		return err;
	err = check_setup(port, "TX", i, port->conf.n_txq);
	if (err == 0)
		err = conf_take(port, &c, sizeof(c), conf, "PLX_TXQ_CONF_INIT");
	if (err == 0)
		err = check_desc(port, "TX", &c.n_desc, port->info.def_tx_desc);
	if (err == 0)
		err = check_deferred(port, "TX", c.deferred, port->ops->txq_start != NULL);
	if (err == 0) {
		txq_free(port, i);
		err = txq_make(port, i, &c);
	}
	if (err == 0 && out != NULL)
		*out = port->txqs[i];
	return port_leave(port, err);
}

struct plx_rxq *plx_port_rxq(struct plx_port *port, uint16_t i)
{
	return i < port->conf.n_rxq ? port->rxqs[i] : NULL;
}

struct plx_txq *plx_port_txq(struct plx_port *port, uint16_t i)
{
	return i < port->conf.n_txq ? port->txqs[i] : NULL;
}

/* One queue alone may be started or stopped only while its port runs. */
static int enter_queue_op(struct plx_port *port, bool has, const char *what)
{
	int err = port_enter_op(port, has, what);

	if (err == 0 && port->ctl->stopping)
		return port_leave(port,
			plx_err(EBUSY, "%s: a stop of the port gave up: call it again before %s",
				plx_port_name(port), what));
	if (err == 0 && !port->started)
		return port_leave(port,
			plx_err(EINVAL, "%s: start the port before %s", plx_port_name(port), what));
	return err;
}

static int rxq_halt(struct plx_rxq *q)
{
	bool *stopping = &q->port->ctl->rx[q->index].stopping;
	int err;

	*stopping = true;
	rxq_withdraw(q, PLX_QUEUE_STOPPED);
	err = rxq_quiesce(q);
	if (err == 0)
		err = q->port->ops->rxq_stop(q->port, q);
	if (err < 0)
		return err;
	*stopping = false;
	plx_mempool_cache_flush(q->cache);
	return 0;
}

int plx_rxq_start(struct plx_rxq *q)
{
	struct plx_port *port = q->port;
	int err = enter_queue_op(port, port->ops->rxq_start != NULL, "starting one RX queue");

	if (err < 0)
		return err;
	if (port->ctl->rx[q->index].stopping)
		err = rxq_halt(q);
	if (err == 0 && plx_rxq_state(q, NULL) == PLX_QUEUE_STOPPED) {
		err = port->ops->rxq_start(port, q);
		if (err == 0)
			rxq_publish(q);
	}
	return port_leave(port, err);
}

int plx_rxq_stop(struct plx_rxq *q)
{
	struct plx_port *port = q->port;
	int err = enter_queue_op(port, port->ops->rxq_stop != NULL, "stopping one RX queue");

	if (err < 0)
		return err;
	if (plx_rxq_state(q, NULL) != PLX_QUEUE_STOPPED || port->ctl->rx[q->index].stopping)
		err = rxq_halt(q);
	return port_leave(port, err);
}

static int txq_halt(struct plx_txq *q)
{
	bool *stopping = &q->port->ctl->tx[q->index].stopping;
	int err;

	*stopping = true;
	txq_withdraw(q, PLX_QUEUE_STOPPED);
	err = plx_txq_quiesce(q);
	if (err == 0)
		err = q->port->ops->txq_stop(q->port, q);
	if (err < 0)
		return err;
	*stopping = false;
	plx_mempool_cache_bind(q->cache, NULL);
	return 0;
}

int plx_txq_start(struct plx_txq *q)
{
	struct plx_port *port = q->port;
	int err = enter_queue_op(port, port->ops->txq_start != NULL, "starting one TX queue");

	if (err < 0)
		return err;
	if (port->ctl->tx[q->index].stopping)
		err = txq_halt(q);
	if (err == 0 && plx_txq_state(q, NULL) == PLX_QUEUE_STOPPED) {
		err = port->ops->txq_start(port, q);
		if (err == 0)
			txq_publish(q);
	}
	return port_leave(port, err);
}

int plx_txq_stop(struct plx_txq *q)
{
	struct plx_port *port = q->port;
	int err = enter_queue_op(port, port->ops->txq_stop != NULL, "stopping one TX queue");

	if (err < 0)
		return err;
	if (plx_txq_state(q, NULL) != PLX_QUEUE_STOPPED || port->ctl->tx[q->index].stopping)
		err = txq_halt(q);
	return port_leave(port, err);
}
