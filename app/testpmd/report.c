/* SPDX-License-Identifier: BSD-3-Clause */
/* What people read: the live line and the table at the end. */
#include <stdio.h>
#include <unistd.h>

#include "testpmd.h"

void totals_read(struct testpmd *t, struct totals *out)
{
	struct counts sum;

	memset(out, 0, sizeof(*out));
	out->ns = plx_clock_ns();
	for (uint16_t i = 0; i < t->n_ports; i++) {
		struct plx_port_stats *s = &out->ports[i];

		if (t->ports[i].port != NULL)
			(void)plx_port_stats(t->ports[i].port, s);
		out->rx_packets += s->rx_packets;
		out->tx_packets += s->tx_packets;
		out->rx_bytes += s->rx_bytes;
		out->tx_bytes += s->tx_bytes;
	}
	for (uint16_t i = 0; i < t->n_ports; i++)
		out->dropped[i] = t->ports[i].dropped;
	for (size_t i = 0; i < t->n_streams; i++) {
		const struct stream *s = t->streams[i];

		if (s->tx_port != NULL)
			out->dropped[s->tx_port - t->ports] +=
				PLX_READ_ONCE(s->dropped) - s->dropped_before;
	}
	streams_count(t, &sum);
	out->all_dropped = sum.dropped;
	out->busy_cycles = sum.busy_cycles;
	out->busy_packets = sum.busy_packets;
	for (unsigned n = 1; n <= MAX_BURST; n++) {
		out->bursts += sum.bursts[n];
		out->burst_packets += n * sum.bursts[n];
	}
}

static double per_second(uint64_t n, uint64_t ns)
{
	return ns != 0 ? (double)n * 1e9 / (double)ns : 0;
}

static double ratio(uint64_t a, uint64_t b)
{
	return b != 0 ? (double)a / (double)b : 0;
}

double cycles_per_packet(const struct totals *before, const struct totals *now)
{
	return ratio(
		now->busy_cycles - before->busy_cycles, now->busy_packets - before->busy_packets);
}

/* Does a port have standard output for itself, as pcap:tx=- has? */
static bool writes_stdout(const char *port)
{
	size_t len = strlen(port);

	return strstr(port, "=-,") != NULL || (len >= 2 && strcmp(port + len - 2, "=-") == 0);
}

/* Standard output, unless the JSON or a port's packets go there. */
static FILE *out_file(const struct testpmd *t)
{
	bool taken = t->opt.json != NULL && strcmp(t->opt.json, "-") == 0;

	for (uint16_t i = 0; i < t->n_ports; i++)
		taken |= writes_stdout(t->ports[i].device);
	return taken ? stderr : stdout;
}

void report_live(struct testpmd *t, const struct totals *before, const struct totals *now)
{
	FILE *f = out_file(t);
	uint64_t ns = now->ns - before->ns;

	fprintf(f, "%6.1f s", (double)(now->ns - t->start_ns) / 1e9);
	for (uint16_t i = 0; i < t->n_ports; i++) {
		const struct plx_port_stats *a = &before->ports[i], *b = &now->ports[i];

		fprintf(f, " | port %u: rx %.3f tx %.3f Mpps, %.2f/%.2f Gbit/s", i,
			per_second(b->rx_packets - a->rx_packets, ns) / 1e6,
			per_second(b->tx_packets - a->tx_packets, ns) / 1e6,
			per_second(b->rx_bytes - a->rx_bytes, ns) * 8 / 1e9,
			per_second(b->tx_bytes - a->tx_bytes, ns) * 8 / 1e9);
	}
	fprintf(f, " | drops %llu, %.1f cycles/packet, burst %.1f\n",
		(unsigned long long)(now->all_dropped - before->all_dropped),
		cycles_per_packet(before, now),
		ratio(now->burst_packets - before->burst_packets, now->bursts - before->bursts));
	fflush(f);
}

/* What the mode counts beside packets. */
static void report_counters(const struct testpmd *t, FILE *f)
{
	const char *between = "";
	struct counts sum;

	if (t->opt.mode->ctrs == 0)
		return;
	streams_count(t, &sum);
	for (unsigned i = 0; i < STREAM_CTRS; i++) {
		if (!(t->opt.mode->ctrs & plx_bit32(i)))
			continue;
		fprintf(f, "%s%s %llu", between, stream_ctr_names[i],
			(unsigned long long)sum.ctr[i]);
		between = ", ";
	}
	fputc('\n', f);
}

void report_end(struct testpmd *t, const struct totals *end)
{
	static const char *const line =
		"------------------------------------------------------------------------------------------";
	FILE *f = out_file(t);
	uint64_t ns = t->end_ns - t->start_ns;
	struct totals zero = {.ns = t->start_ns};

	fprintf(f, "\n%4s %14s %14s %16s %16s %10s %10s\n%s\n", "port", "rx packets", "tx packets",
		"rx bytes", "tx bytes", "rx lost", "tx dropped", line);
	for (uint16_t i = 0; i < t->n_ports; i++) {
		const struct plx_port_stats *s = &end->ports[i];

		fprintf(f, "%4u %14llu %14llu %16llu %16llu %10llu %10llu  %s\n", i,
			(unsigned long long)s->rx_packets, (unsigned long long)s->tx_packets,
			(unsigned long long)s->rx_bytes, (unsigned long long)s->tx_bytes,
			(unsigned long long)(s->rx_missed + s->rx_errors + s->rx_nombuf),
			(unsigned long long)(end->dropped[i] + s->tx_errors), t->ports[i].device);
	}
	fprintf(f,
		"%s\n%.3f s, mode %s: rx %.3f Mpps, tx %.3f Mpps, %.3f Gbit/s out; "
		"%.1f cycles/packet, average burst %.1f\n",
		line, (double)ns / 1e9, t->opt.mode->name, per_second(end->rx_packets, ns) / 1e6,
		per_second(end->tx_packets, ns) / 1e6, per_second(end->tx_bytes, ns) * 8 / 1e9,
		cycles_per_packet(&zero, end), ratio(end->burst_packets, end->bursts));
	report_counters(t, f);
	fflush(f);
}
