/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: what there is, and what it counted. */
#include <stdlib.h>

#include "commands.h"
#include "queues.h"
#include "table.h"

typedef unsigned long long ull;

/* ---- ports ---- */

static void print_offloads(FILE *f, const char *name, uint32_t set, const char *(*bit)(uint32_t))
{
	fprintf(f, "  %-18s", name);
	for (uint32_t b = 0; b < 32; b++)
		if ((set & PLX_BIT(b)) != 0 && bit(b) != NULL)
			fprintf(f, " %s", bit(b));
	fputs(set == 0 ? " none\n" : "\n", f);
}

static void print_link(FILE *f, struct plx_port *port)
{
	struct plx_link link;

	if (plx_port_link(port, false, &link) < 0)
		fprintf(f, "  %-18s %s\n", "link", plx_errmsg());
	else if (!link.up)
		fprintf(f, "  %-18s down\n", "link");
	else if (link.speed_mbps == 0)
		fprintf(f, "  %-18s up\n", "link");
	else
		fprintf(f, "  %-18s up, %u Mbit/s, %s duplex%s\n", "link", link.speed_mbps,
			link.full_duplex ? "full" : "half", link.autoneg ? ", negotiated" : "");
}

static void print_port(FILE *f, const struct testpmd *t, const struct tp_port *p)
{
	const struct plx_port_info *i = &p->info;
	const uint8_t *m = i->mac.b;

	fprintf(f, "port %u: %s\n  %-18s %s, NUMA node %d\n", port_number(t, p), p->device,
		"driver", i->driver, i->node);
	fprintf(f, "  %-18s %s%s\n", "state", p->started ? "started" : "stopped",
		p->failed ? ", failed: 'port reset' may help" : "");
	print_link(f, p->port);
	fprintf(f, "  %-18s %02x:%02x:%02x:%02x:%02x:%02x\n", "MAC", m[0], m[1], m[2], m[3], m[4],
		m[5]);
	fprintf(f, "  %-18s %u (%u to %u)\n", "MTU", p->mtu, i->min_mtu, i->max_mtu);
	fprintf(f, "  %-18s promiscuous %s, all-multicast %s, VLAN strip %s\n", "receives",
		p->promisc ? "on" : "off", p->allmulti ? "on" : "off", p->strip ? "on" : "off");
	fprintf(f, "  %-18s %u RX (of %u), %u TX (of %u)\n", "queues", p->n_rxq, i->max_rxq,
		p->n_txq, i->max_txq);
	fprintf(f, "  %-18s %u RX, %u TX (%u to %u, multiples of %u)\n", "descriptors",
		p->rxd != 0 ? p->rxd : i->def_rx_desc, p->txd != 0 ? p->txd : i->def_tx_desc,
		i->min_desc, i->max_desc, i->desc_align);
	if (i->rss_table_len != 0)
		fprintf(f, "  %-18s key of %u bytes, table of %u\n", "RSS", i->rss_key_len,
			i->rss_table_len);
	print_offloads(f, "RX offloads", i->rx_offloads, plx_rx_offload_name);
	print_offloads(f, "TX offloads", i->tx_offloads, plx_tx_offload_name);
}

int cmd_show_port(struct testpmd *t, const struct args *a)
{
	FILE *f = out_file(t);
	struct table *tb;

	for (size_t i = 0; a->ports_given && i < a->n_ports; i++)
		print_port(f, t, a->ports[i]);
	if (a->ports_given)
		return 0;
	tb = table_new("port\tdriver\tstate\tlink\tRX queues\tTX queues\tMTU\tdevice");
	for (size_t i = 0; i < a->n_ports; i++) {
		const struct tp_port *p = a->ports[i];
		struct plx_link link = {0};

		(void)plx_port_link(p->port, false, &link);
		table_row(tb, "%u\t%s\t%s\t%s\t%u\t%u\t%u\t%s", port_number(t, p), p->info.driver,
			p->failed ? "failed" : (p->started ? "started" : "stopped"),
			link.up ? "up" : "down", p->n_rxq, p->n_txq, p->mtu, p->device);
	}
	table_print(tb, f);
	return 0;
}

/* ---- counters ---- */

int cmd_show_stats(struct testpmd *t, const struct args *a)
{
	uint64_t now = plx_clock_ns(), ns = t->shown_ns != 0 ? now - t->shown_ns : 0;
	struct table *tb = table_new("port\trx packets\ttx packets\trx bytes\ttx bytes\trx missed\t"
				     "rx errors\trx nombuf\ttx errors\ttx nolink\ttx dropped");
	struct table *rates = table_new("port\trx pps\ttx pps\trx Mbit/s\ttx Mbit/s");
	struct totals all;

	totals_read(t, &all);
	for (size_t k = 0; k < a->n_ports; k++) {
		uint16_t i = port_number(t, a->ports[k]);
		const struct plx_port_stats *s = &all.ports[i], *b = &t->shown[i];

		table_row(tb, "%u\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu\t%llu", i,
			(ull)s->rx_packets, (ull)s->tx_packets, (ull)s->rx_bytes, (ull)s->tx_bytes,
			(ull)s->rx_missed, (ull)s->rx_errors, (ull)s->rx_nombuf, (ull)s->tx_errors,
			(ull)s->tx_nolink, (ull)(all.dropped[i] - t->base.dropped[i]));
		if (s->rx_packets >= b->rx_packets)
			table_row(rates, "%u\t%.0f\t%.0f\t%.2f\t%.2f", i,
				per_second(s->rx_packets - b->rx_packets, ns),
				per_second(s->tx_packets - b->tx_packets, ns),
				per_second(s->rx_bytes - b->rx_bytes, ns) * 8 / 1e6,
				per_second(s->tx_bytes - b->tx_bytes, ns) * 8 / 1e6);
		t->shown[i] = *s;
	}
	t->shown_ns = now;
	table_print(tb, out_file(t));
	if (ns != 0)
		fprintf(out_file(t), "in the last %.3f s:\n", (double)ns / 1e9);
	table_print(rates, ns != 0 ? out_file(t) : NULL);
	return 0;
}

/* Names and values of up to many; fn as plx_port_xstats(). */
int show_values(struct testpmd *t, const struct args *a, const char *format, const char *what,
	int (*fn)(struct plx_port *, struct plx_xstat *, size_t, size_t *))
{
	enum { MANY = 4096 };
	struct plx_xstat *x = calloc(MANY, sizeof(*x));
	int err = x != NULL ? 0 : -1;

	for (size_t k = 0; x != NULL && k < a->n_ports; k++) {
		FILE *f = out_file(t);
		size_t n = 0;

		if (fn(a->ports[k]->port, x, MANY, &n) < 0) {
			err = port_complain(t, a->ports[k], what);
			continue;
		}
		fprintf(f, "port %u: %zu %s\n", port_number(t, a->ports[k]), n, what);
		for (size_t i = 0; i < PLX_MIN(n, (size_t)MANY); i++)
			fprintf(f, format, x[i].name, (ull)x[i].value);
	}
	free(x);
	return err;
}

int cmd_show_xstats(struct testpmd *t, const struct args *a)
{
	return show_values(t, a, "  %-32s %llu\n", "xstats", plx_port_xstats);
}

static const char *state_name(enum plx_queue_state s)
{
	static const char *const names[] = {[PLX_QUEUE_STOPPED] = "stopped",
		[PLX_QUEUE_RUNNING] = "running",
		[PLX_QUEUE_FAILED] = "failed",
		[PLX_QUEUE_GONE] = "gone"};

	return names[s];
}

static bool named(const struct testpmd *t, const struct args *a, uint16_t port)
{
	for (size_t i = 0; i < a->n_ports; i++)
		if (port_number(t, a->ports[i]) == port)
			return true;
	return false;
}

int cmd_show_queue(struct testpmd *t, const struct args *a)
{
	struct table *tb = table_new("port\tqueue\trx\trx packets\trx nombuf\trx descriptors\ttx\t"
				     "tx packets\ttx nolink\ttx descriptors\tcore");
	size_t n;
	struct queue_row *rows = queues_read(t, &n);

	for (size_t i = 0; rows != NULL && i < n; i++) {
		const struct queue_row *r = &rows[i];
		const struct plx_rxq *rx = r->rxq;
		const struct plx_txq *tx = r->txq;
		char core[16];

		if (!named(t, a, r->port))
			continue;
		table_row(tb, "%u\t%u\t%s\t%llu\t%llu\t%u\t%s\t%llu\t%llu\t%u\t%s", r->port,
			r->queue, rx != NULL ? state_name(plx_rxq_state(rx, NULL)) : "-",
			(ull)r->rx, (ull)r->nombuf, rx != NULL ? rx->n_desc : 0,
			tx != NULL ? state_name(plx_txq_state(tx, NULL)) : "-", (ull)r->tx,
			(ull)r->nolink, tx != NULL ? tx->n_desc : 0,
			stream_core(t, r->stream, core));
	}
	free(rows);
	table_print(tb, out_file(t));
	return 0;
}

/* ---- forwarding ---- */

int cmd_show_fwd(struct testpmd *t, const struct args *a)
{
	struct table *tb = table_new("from\tto\trx\ttx\tdropped\twaiting\tcore");
	struct totals now, run;
	FILE *f = out_file(t);

	for (size_t i = 0; i < t->n_streams; i++) {
		const struct stream *s = t->streams[i];
		char core[16], to[16] = "-";

		if (s->now.txq != NULL)
			snprintf(to, sizeof(to), "%u/%u", port_number(t, s->now.tx_port),
				s->now.txq->index);
		table_row(tb, "%u/%u\t%s\t%llu\t%llu\t%llu\t%u\t%s", port_number(t, s->rx_port),
			s->queue, to, (ull)(PLX_READ_ONCE(s->rx) - s->start_rx),
			(ull)(PLX_READ_ONCE(s->tx) - s->start_tx),
			(ull)(PLX_READ_ONCE(s->dropped) - s->start_dropped),
			PLX_READ_ONCE(s->n_later), stream_core(t, s, core));
	}
	table_print(tb, f);
	if (t->start_ns == 0)
		return 0;
	totals_read(t, &now);
	totals_since(&t->base, &now, &run);
	fprintf(f, "since start: rx %llu, tx %llu, dropped %llu; %.1f cycles/packet, burst %.1f\n",
		(ull)run.rx_packets, (ull)run.tx_packets, (ull)run.all_dropped,
		cycles_per_packet(&run), ratio(run.burst_packets, run.bursts));
	return 0;
}

int cmd_show_config(struct testpmd *t, const struct args *a)
{
	static const char *const topologies[] = {"paired", "chained", "loop"};
	FILE *f = out_file(t);

	fprintf(f, "mode %s (%s), topology %s, burst %u, %u %s, %s\n", t->opt.mode->name,
		t->opt.mode->help, topologies[t->opt.topology], t->opt.burst, t->opt.nb_cores,
		t->opt.nb_cores == 1 ? "thread" : "threads",
		t->forwarding ? "forwarding" : "stopped");
	for (uint16_t w = 0; w < t->opt.nb_cores; w++) {
		fprintf(f, "core %u", w);
		if (w < t->opt.n_cores)
			fprintf(f, " on CPU %u", t->opt.cores[w]);
		fputc(':', f);
		for (size_t i = 0; i < t->n_streams; i++) {
			const struct stream *s = t->streams[i];

			if (s->now.mode == NULL || s->now.worker != w)
				continue;
			fprintf(f, " %u/%u", port_number(t, s->rx_port), s->queue);
			if (s->now.txq != NULL)
				fprintf(f, "->%u/%u", port_number(t, s->now.tx_port),
					s->now.txq->index);
		}
		fputc('\n', f);
	}
	return 0;
}

int cmd_show_mempool(struct testpmd *t, const struct args *a)
{
	struct table *tb = table_new("pool\tmbufs\tin the depot\troom");

	table_row(tb, "testpmd\t%u\t%u\t%u", t->n_mbufs, plx_mbuf_pool_avail(t->pool),
		t->opt.mbuf_size);
	for (uint16_t i = 0; i < MAX_PORTS; i++)
		if (t->ports[i].own_pool != NULL)
			table_row(tb, "port %u\t%u\t%u\t%u", i, t->ports[i].own_mbufs,
				plx_mbuf_pool_avail(t->ports[i].own_pool), t->opt.mbuf_size);
	table_print(tb, out_file(t));
	return 0;
}
