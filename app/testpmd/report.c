/* SPDX-License-Identifier: BSD-3-Clause */
/* What is counted from start to stop, and what people read of it. */
#include "shell.h"
#include "testpmd.h"

enum { N_STATS = sizeof(struct plx_port_stats) / sizeof(uint64_t) };

/* All of its fields are counters. */
static void add_port(struct plx_port_stats *sum, const struct plx_port_stats *s, bool minus)
{
	uint64_t *a = (uint64_t *)sum;
	const uint64_t *b = (const uint64_t *)s;

	for (size_t i = 0; i < N_STATS; i++)
		a[i] = minus ? a[i] - PLX_MIN(a[i], b[i]) : a[i] + b[i];
}

static void sum_up(struct totals *out)
{
	struct plx_port_stats sum = out->left;

	out->all_dropped = out->left_dropped;
	for (uint16_t i = 0; i < MAX_PORTS; i++) {
		add_port(&sum, &out->ports[i], false);
		out->all_dropped += out->dropped[i];
	}
	out->rx_packets = sum.rx_packets;
	out->tx_packets = sum.tx_packets;
	out->rx_bytes = sum.rx_bytes;
	out->tx_bytes = sum.tx_bytes;
}

static void read_streams(struct testpmd *t, struct totals *out)
{
	struct counts sum;

	for (size_t i = 0; i < t->n_streams; i++) {
		const struct stream *s = t->streams[i];

		if (s->tx_port != NULL)
			out->dropped[port_number(t, s->tx_port)] +=
				PLX_READ_ONCE(s->dropped) - s->dropped_before;
	}
	streams_count(t, &sum);
	out->busy_cycles = sum.busy_cycles;
	out->busy_packets = sum.busy_packets;
	memcpy(out->ctr, sum.ctr, sizeof(out->ctr));
	for (unsigned n = 1; n <= MAX_BURST; n++) {
		out->by_size[n] = sum.bursts[n];
		out->bursts += sum.bursts[n];
		out->burst_packets += n * sum.bursts[n];
	}
}

void totals_read(struct testpmd *t, struct totals *out)
{
	memset(out, 0, sizeof(*out));
	out->ns = plx_clock_ns();
	out->left = t->left;
	out->left_dropped = t->left_dropped;
	for (uint16_t i = 0; i < MAX_PORTS; i++) {
		out->dropped[i] = t->ports[i].dropped;
		if (t->ports[i].port != NULL)
			(void)plx_port_stats(t->ports[i].port, &out->ports[i]);
	}
	read_streams(t, out);
	sum_up(out);
}

void totals_since(const struct totals *before, const struct totals *now, struct totals *out)
{
	struct totals d = *now;

	for (uint16_t i = 0; i < MAX_PORTS; i++) {
		add_port(&d.ports[i], &before->ports[i], true);
		d.dropped[i] -= before->dropped[i];
	}
	add_port(&d.left, &before->left, true);
	d.left_dropped -= before->left_dropped;
	d.busy_cycles -= before->busy_cycles;
	d.busy_packets -= before->busy_packets;
	for (unsigned i = 0; i < STREAM_CTRS; i++)
		d.ctr[i] -= before->ctr[i];
	d.bursts -= before->bursts;
	d.burst_packets -= before->burst_packets;
	for (unsigned n = 1; n <= MAX_BURST; n++)
		d.by_size[n] -= before->by_size[n];
	d.ns = now->ns - before->ns;
	sum_up(&d);
	*out = d;
}

static void rebase_port(struct totals *base, const struct totals *now, uint16_t i)
{
	base->ports[i] = now->ports[i];
	base->dropped[i] = now->dropped[i];
}

static void stream_from_here(struct stream *s)
{
	s->start_rx = PLX_READ_ONCE(s->rx);
	s->start_tx = PLX_READ_ONCE(s->tx);
	s->start_dropped = PLX_READ_ONCE(s->dropped);
}

void totals_rebase(struct testpmd *t, const struct tp_port *p)
{
	struct totals now;

	totals_read(t, &now);
	if (p == NULL) {
		t->base = now;
		t->before = now;
		for (size_t i = 0; i < t->n_streams; i++)
			stream_from_here(t->streams[i]);
	} else {
		rebase_port(&t->base, &now, port_number(t, p));
		rebase_port(&t->before, &now, port_number(t, p));
	}
}

void totals_leave(struct testpmd *t, struct tp_port *p)
{
	uint16_t i = port_number(t, p);
	struct plx_port_stats s = {0};

	(void)plx_port_stats(p->port, &s);
	add_port(&s, &t->base.ports[i], true);
	add_port(&t->left, &s, false);
	streams_leave(t, p);
	t->left_dropped += p->dropped - t->base.dropped[i];
	p->dropped = 0;
	t->shown[i].rx_packets = UINT64_MAX;
	t->base.ports[i] = (struct plx_port_stats){0};
	t->base.dropped[i] = 0;
	/* no part of the next live line */
	t->before.ports[i] = (struct plx_port_stats){0};
	t->before.dropped[i] = 0;
	t->before.left = t->left;
	t->before.left_dropped = t->left_dropped;
}

double per_second(uint64_t n, uint64_t ns)
{
	return ns != 0 ? (double)n * 1e9 / (double)ns : 0;
}

double ratio(uint64_t a, uint64_t b)
{
	return b != 0 ? (double)a / (double)b : 0;
}

double cycles_per_packet(const struct totals *run)
{
	return ratio(run->busy_cycles, run->busy_packets);
}

/* Does a port have standard output for itself, as pcap:tx=- has? */
static bool writes_stdout(const char *port)
{
	size_t len = strlen(port);

	return strstr(port, "=-,") != NULL || (len >= 2 && strcmp(port + len - 2, "=-") == 0);
}

FILE *out_file(const struct testpmd *t)
{
	bool taken = t->opt.json != NULL && strcmp(t->opt.json, "-") == 0;

	for (uint16_t i = 0; i < t->n_ports; i++)
		taken |= t->ports[i].device != NULL && writes_stdout(t->ports[i].device);
	return taken ? stderr : stdout;
}

void report_live(struct testpmd *t, const struct totals *before, const struct totals *now)
{
	FILE *f = out_file(t);
	struct totals d;

	totals_since(before, now, &d);
	shell_aside();
	fprintf(f, "%6.1f s", (double)(now->ns - t->start_ns) / 1e9);
	for (uint16_t i = 0; i < t->n_ports; i++) {
		const struct plx_port_stats *s = &d.ports[i];

		if (t->ports[i].port == NULL)
			continue;
		fprintf(f, " | port %u: rx %.3f tx %.3f Mpps, %.2f/%.2f Gbit/s", i,
			per_second(s->rx_packets, d.ns) / 1e6,
			per_second(s->tx_packets, d.ns) / 1e6,
			per_second(s->rx_bytes, d.ns) * 8 / 1e9,
			per_second(s->tx_bytes, d.ns) * 8 / 1e9);
	}
	fprintf(f, " | drops %llu, %.1f cycles/packet, burst %.1f\n",
		(unsigned long long)d.all_dropped, cycles_per_packet(&d),
		ratio(d.burst_packets, d.bursts));
	fflush(f);
}

/* What the mode counts beside packets. */
static void report_counters(const struct testpmd *t, const struct totals *run, FILE *f)
{
	const char *between = "";

	if (t->opt.mode->ctrs == 0)
		return;
	for (unsigned i = 0; i < STREAM_CTRS; i++) {
		if (!(t->opt.mode->ctrs & plx_bit32(i)))
			continue;
		fprintf(f, "%s%s %llu", between, stream_ctr_names[i],
			(unsigned long long)run->ctr[i]);
		between = ", ";
	}
	fputc('\n', f);
}

static void end_row(FILE *f, const char *number, const struct plx_port_stats *s, uint64_t dropped,
	const char *name)
{
	fprintf(f, "%4s %14llu %14llu %16llu %16llu %10llu %10llu  %s\n", number,
		(unsigned long long)s->rx_packets, (unsigned long long)s->tx_packets,
		(unsigned long long)s->rx_bytes, (unsigned long long)s->tx_bytes,
		(unsigned long long)(s->rx_missed + s->rx_errors + s->rx_nombuf),
		(unsigned long long)(dropped + s->tx_errors), name);
}

void report_end(struct testpmd *t, const struct totals *run)
{
	static const char *const line =
		"------------------------------------------------------------------------------------------";
	FILE *f = out_file(t);
	uint64_t ns = t->end_ns - t->start_ns;

	fprintf(f, "\n%4s %14s %14s %16s %16s %10s %10s\n%s\n", "port", "rx packets", "tx packets",
		"rx bytes", "tx bytes", "rx lost", "tx dropped", line);
	for (uint16_t i = 0; i < MAX_PORTS; i++) {
		char number[8];

		snprintf(number, sizeof(number), "%u", i);
		if (t->ports[i].port != NULL)
			end_row(f, number, &run->ports[i], run->dropped[i], t->ports[i].device);
	}
	if (run->left.rx_packets + run->left.tx_packets + run->left_dropped != 0)
		end_row(f, "-", &run->left, run->left_dropped, "detached");
	fprintf(f,
		"%s\n%.3f s, mode %s: rx %.3f Mpps, tx %.3f Mpps, %.3f Gbit/s out; "
		"%.1f cycles/packet, average burst %.1f\n",
		line, (double)ns / 1e9, t->opt.mode->name, per_second(run->rx_packets, ns) / 1e6,
		per_second(run->tx_packets, ns) / 1e6, per_second(run->tx_bytes, ns) * 8 / 1e9,
		cycles_per_packet(run), ratio(run->burst_packets, run->bursts));
	report_counters(t, run, f);
	fflush(f);
}
