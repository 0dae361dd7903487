/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands: ports come, change and go while others forward. Each one holds its port first: the
 * streams from and to it are in no plan then, and its queues are this thread's.
 */
#include "commands.h"

static struct tp_port *free_slot(struct testpmd *t)
{
	for (uint16_t i = 0; i < MAX_PORTS; i++)
		if (t->ports[i].port == NULL)
			return &t->ports[i];
	complain("there are %d ports already", MAX_PORTS);
	return NULL;
}

int cmd_port_attach(struct testpmd *t, const struct args *a)
{
	struct tp_port *p = free_slot(t);
	uint16_t before = t->n_ports;

	if (p == NULL || port_open(t, p, a->text) < 0)
		return -1;
	if (port_number(t, p) >= t->n_ports)
		t->n_ports = (uint16_t)(port_number(t, p) + 1);
	if (port_feed(t, p) < 0 || port_set_up(t, p) < 0 || port_start(t, p) < 0) {
		(void)port_close(t, p);
		t->n_ports = before;
		return -1;
	}
	fprintf(out_file(t), "port %u: %s\n", port_number(t, p), p->device);
	return plan_update(t);
}

static int detach(struct testpmd *t, struct tp_port *p)
{
	int err;

	if (plan_hold(t, p) < 0)
		return -1;
	if (p->started && port_stop(t, p) < 0) {
		(void)plan_release(t, p);
		return -1;
	}
	totals_leave(t, p);
	err = port_close(t, p);
	return plan_release(t, p) < 0 ? -1 : err;
}

static int stop(struct testpmd *t, struct tp_port *p)
{
	int err;

	if (!p->started)
		return 0;
	if (plan_hold(t, p) < 0)
		return -1;
	err = port_stop(t, p);
	return plan_release(t, p) < 0 ? -1 : err;
}

static int start(struct testpmd *t, struct tp_port *p)
{
	if (p->started)
		return 0;
	return port_start(t, p) < 0 ? -1 : plan_update(t);
}

static int reset(struct testpmd *t, struct tp_port *p)
{
	int err = 0;

	if (plan_hold(t, p) < 0)
		return -1;
	if (plx_port_reset(p->port) < 0)
		err = port_complain(t, p, "reset");
	else
		p->failed = false;
	p->started = plx_port_started(p->port);
	return plan_release(t, p) < 0 ? -1 : err;
}

static int each(
	struct testpmd *t, const struct args *a, int (*fn)(struct testpmd *t, struct tp_port *p))
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++)
		if (fn(t, a->ports[i]) < 0)
			err = -1;
	return err;
}

int cmd_port_detach(struct testpmd *t, const struct args *a)
{
	return each(t, a, detach);
}

int cmd_port_start(struct testpmd *t, const struct args *a)
{
	return each(t, a, start);
}

int cmd_port_stop(struct testpmd *t, const struct args *a)
{
	return each(t, a, stop);
}

int cmd_port_reset(struct testpmd *t, const struct args *a)
{
	return each(t, a, reset);
}

/* ---- configuring ---- */

static uint16_t *setting(struct tp_port *p, const char *name)
{
	static const char *const names[] = {"rxq", "txq", "rxd", "txd", "mtu"};
	uint16_t *const fields[] = {&p->n_rxq, &p->n_txq, &p->rxd, &p->txd, &p->mtu};
	size_t i = 0;

	while (strcmp(names[i], name) != 0)
		i++;
	return fields[i];
}

/* Set up and started again, if it was started. */
static int set_up_anew(struct testpmd *t, struct tp_port *p, bool started, struct rss_saved *rss)
{
	if (port_set_up(t, p) < 0 || rss_restore(t, p, rss) < 0)
		return -1;
	return started ? port_start(t, p) : 0;
}

int port_anew(struct testpmd *t, struct tp_port *p, const char *name, uint16_t value)
{
	uint16_t none = 0, before, *field = name != NULL ? setting(p, name) : &none;
	bool started = p->started;
	struct rss_saved rss;
	int err = 0;

	before = *field;
	rss_save(p, &rss);
	if (plan_hold(t, p) < 0)
		return -1;
	if (port_stop(t, p) < 0) {
		(void)plan_release(t, p);
		return -1;
	}
	*field = value;
	if (port_feed(t, p) < 0 || set_up_anew(t, p, started, &rss) < 0) {
		err = -1;
		*field = before;
		(void)set_up_anew(t, p, started, &rss);
	}
	return plan_release(t, p) < 0 ? -1 : err;
}

int cmd_port_config(struct testpmd *t, const struct args *a)
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++)
		if (port_anew(t, a->ports[i], a->word, (uint16_t)a->n[0]) < 0)
			err = -1;
	return err;
}

/* ---- one queue ---- */

bool queue_there(const struct testpmd *t, const struct tp_port *p, bool rx, uint64_t queue)
{
	uint16_t n = rx ? p->n_rxq : p->n_txq;

	if (queue < n)
		return true;
	complain("port %u has no %s queue %llu: it has %u, numbered from 0", port_number(t, p),
		rx ? "RX" : "TX", (unsigned long long)queue, n);
	return false;
}

int cmd_port_queue(struct testpmd *t, const struct args *a)
{
	struct tp_port *p = a->ports[0];
	bool rx = strcmp(a->words[0], "rxq") == 0, on = strcmp(a->words[1], "start") == 0;
	uint16_t i = (uint16_t)a->n[0];
	int err;

	if (!queue_there(t, p, rx, i))
		return -1;
	if (rx)
		err = on ? plx_rxq_start(plx_port_rxq(p->port, i))
			 : plx_rxq_stop(plx_port_rxq(p->port, i));
	else
		err = on ? plx_txq_start(plx_port_txq(p->port, i))
			 : plx_txq_stop(plx_port_txq(p->port, i));
	return err < 0 ? port_complain(t, p, NULL) : 0;
}
