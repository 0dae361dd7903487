/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: one row an option. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "plx_dev.h"
#include "plx_opt.h"
#include "testpmd.h"

enum kind {
	K_FLAG,
	K_SET,
	K_PORT,
	K_MODE,
	K_TOPOLOGY,
	K_U16,
	K_U32,
	K_U64,
	K_SECONDS,
	K_CORES,
	K_HUGE,
	K_ISA,
	K_LOG,
	K_TEXT,
	K_MODE_OPT, /* mode_opts.c has it */
	K_HELP,
	K_COMMANDS,
	K_DRIVERS,
	K_VERSION
};

struct row {
	const char *name, *arg, *help;
	enum kind kind;
	size_t offset;
	uint64_t min, max;
};

#define FIELD(f) offsetof(struct options, f)

static const struct row rows[] = {
	{"port", "DEV", "a port, kind:address,key=value,...; repeat it for each port", K_PORT, 0, 0,
		0},
	{"forward-mode", "MODE", "what is done with packets (below); default io", K_MODE, 0, 0, 0},
	{"port-topology", "T", "paired (0-1, 2-3), chained (0-1-2-0), loop (back out of it)",
		K_TOPOLOGY, 0, 0, 0},
	{"nb-cores", "N", "forwarding threads; default 1", K_U16, FIELD(nb_cores), 1, MAX_CORES},
	{"cores", "LIST", "CPUs to pin the threads to: 0,2-5; sets nb-cores too", K_CORES, 0, 0, 0},
	{"rxq", "N", "RX queues of a port; default 1", K_U16, FIELD(rxq), 1, MAX_QUEUES},
	{"txq", "N", "TX queues of a port; default 1", K_U16, FIELD(txq), 1, MAX_QUEUES},
	{"rxd", "N", "descriptors of an RX ring; default the driver's", K_U16, FIELD(rxd), 1,
		32768},
	{"txd", "N", "descriptors of a TX ring; default the driver's", K_U16, FIELD(txd), 1, 32768},
	{"burst", "N", "packets in a burst; default 32", K_U16, FIELD(burst), 1, MAX_BURST},
	{"total-num-mbufs", "N", "mbufs in the pool; default computed from rings and bursts", K_U32,
		FIELD(total_num_mbufs), 64, 1u << 24},
	{"mbuf-size", "BYTES", "data room of an mbuf, headroom included; default 2176", K_U32,
		FIELD(mbuf_size), 192, PLX_MBUF_ROOM_MAX},
	{"mtu", "BYTES", "largest payload of a frame; default 1500", K_U32, FIELD(mtu), 68, 65517},
	{"stats-period", "SECONDS", "a live line so often; default 1 (with -i 0), 0 for none",
		K_SECONDS, FIELD(stats_period_ns), 0, 3600},
	{"duration", "SECONDS", "end after so long", K_SECONDS, FIELD(duration_ns), 0, 1u << 30},
	{"packets", "N", "end after N packets have been received (txonly, flowgen: sent)", K_U64,
		FIELD(packets), 1, UINT64_MAX - 1},
	{"link-wait", "SECONDS", "wait so long for links before starting; default 10", K_SECONDS,
		FIELD(link_wait_ns), 0, 3600},
	{"huge", "SIZE", "pages of memory: auto, 1G, 2M, none; default auto", K_HUGE, 0, 0, 0},
	{"isa", "SET", "best instruction set to use: auto, scalar, avx2, avx512", K_ISA, 0, 0, 0},
	{"json", "FILE", "results as JSON; - for standard output", K_TEXT, FIELD(json), 0, 0},
	{"stats-file", "FILE", "counters to be read from outside while it runs", K_TEXT,
		FIELD(stats_file), 0, 0},
	{"log-level", "LEVEL", "off, err, warn, notice, info, debug; default warn", K_LOG, 0, 0, 0},
	{"eth-peer", "P,MAC", "where packets that leave through port P go (mac, txonly, flowgen)",
		K_MODE_OPT, 0, 0, 0},
	{"txpkts", "L1,L2,...", "txonly, flowgen: bytes of a packet's segments; default 60",
		K_MODE_OPT, 0, 0, 0},
	{"txonly-multi-flow", NULL, "txonly: 256 flows, which differ in the source address", K_SET,
		FIELD(modes.multi_flow), 0, 0},
	{"tx-ip", "SRC,DST", "txonly, flowgen: addresses; default 198.18.0.1,198.18.0.2",
		K_MODE_OPT, 0, 0, 0},
	{"tx-udp", "SRC,DST", "txonly, flowgen: ports; default 9,9", K_MODE_OPT, 0, 0, 0},
	{"flowgen-flows", "N", "flowgen: destination addresses; default 1024", K_U32,
		FIELD(modes.flows), 1, 1u << 24},
	{"flowgen-clones", "N", "flowgen: more packets of a flow before the next; default 0", K_U32,
		FIELD(modes.clones), 0, 1u << 20},
	{"noisy-tx-sw-buffer-size", "N", "noisy: packets kept before sending; default 0", K_U32,
		FIELD(modes.noisy_buffer), 0, 1u << 20},
	{"noisy-tx-sw-buffer-flushtime", "MS", "noisy: what is kept is sent so often; 0: when full",
		K_U64, FIELD(modes.noisy_flush_ms), 0, 1u << 30},
	{"noisy-lkup-memory", "MB", "noisy: memory to look up in; default 0", K_U32,
		FIELD(modes.noisy_memory), 0, 1u << 16},
	{"noisy-lkup-num-reads", "N", "noisy: random reads for each packet; default 0", K_U32,
		FIELD(modes.noisy_reads), 0, 1u << 20},
	{"noisy-lkup-num-writes", "N", "noisy: random writes for each packet; default 0", K_U32,
		FIELD(modes.noisy_writes), 0, 1u << 20},
	{"noisy-lkup-num-reads-writes", "N", "noisy: both at one place for each packet; default 0",
		K_U32, FIELD(modes.noisy_reads_writes), 0, 1u << 20},
	{"noisy-forward-mode", "MODE", "noisy: how it forwards: io, mac, macswap, 5tswap",
		K_MODE_OPT, 0, 0, 0},
	{"csum", "WHAT=HOW,...", "csum: ip udp tcp sctp outer-ip all = auto sw hw", K_MODE_OPT, 0,
		0, 0},
	{"parse-tunnel", NULL, "csum: inner headers of VXLAN, GENEVE, GRE and IPIP, too", K_SET,
		FIELD(modes.parse_tunnel), 0, 0},
	{"tso-segsz", "BYTES", "csum: have ports cut TCP into so much payload; 0: no", K_U16,
		FIELD(modes.tso_segsz), 0, UINT16_MAX},
	{"tunnel-tso-segsz", "BYTES", "csum: the same for TCP in tunnels; 0: no", K_U16,
		FIELD(modes.tunnel_tso_segsz), 0, UINT16_MAX},
	{"echo-addr", "A,...", "icmpecho: answer for these addresses alone; default for any",
		K_MODE_OPT, 0, 0, 0},
	{"rss", "FIELDS", "spread packets over RX queues by a hash of ip, udp, tcp", K_MODE_OPT, 0,
		0, 0},
	{"interactive", NULL, "read commands from standard input; -i", K_FLAG, FIELD(interactive),
		0, 0},
	{"cmdline-file", "FILE", "run the commands of a file first", K_TEXT, FIELD(cmdline_file), 0,
		0},
	{"auto-start", NULL, "with -i: forward at once, as without it; -a", K_FLAG,
		FIELD(auto_start), 0, 0},
	{"commands", NULL, "the commands of -i", K_COMMANDS, 0, 0, 0},
	{"drivers", NULL, "the drivers and the ids of their PCI devices, as JSON", K_DRIVERS, 0, 0,
		0},
	{"help", NULL, "this text", K_HELP, 0, 0, 0},
	{"version", NULL, "the version", K_VERSION, 0, 0, 0},
};
enum { N_ROWS = PLX_ARRAY_SIZE(rows) };

static void help(void)
{
	puts("Usage: plx-testpmd --port DEV [--port DEV]... [OPTION]...\n"
	     "Forwards packets between ports and says how fast.\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name,
			rows[i].arg != NULL ? " " : "", rows[i].arg != NULL ? rows[i].arg : "");
		printf("  %-24s %s\n", left, rows[i].help);
	}
	puts("\nModes:");
	for (size_t i = 0; fwd_modes[i] != NULL; i++)
		printf("  %-24s %s\n", fwd_modes[i]->name, fwd_modes[i]->help);
	puts("\nDrivers:");
	for (size_t i = 0; plx_driver_table[i] != NULL; i++)
		printf("  %-24s %s\n", plx_driver_table[i]->name, plx_driver_table[i]->help);
	puts("\nExit code: 0, 1 when something failed, 2 for wrong usage. Ctrl-C ends it cleanly.");
}

static int usage(const struct row *row, const char *text, const char *why)
{
	if (row != NULL)
		complain("--%s %s: %s", row->name, text, why);
	fputs("Try 'plx-testpmd --help'.\n", stderr);
	return 3;
}

static int number(const struct row *row, const char *text, void *field)
{
	char why[128];
	uint64_t v;

	if (plx_parse_u64(text, &v) < 0)
		return usage(row, text, "is not a number");
	if (v < row->min || v > row->max) {
		snprintf(why, sizeof(why), "must be %llu to %llu", (unsigned long long)row->min,
			(unsigned long long)row->max);
		return usage(row, text, why);
	}
	switch (row->kind) {
	case K_U16:
		*(uint16_t *)field = (uint16_t)v;
		break;
	case K_U32:
		*(uint32_t *)field = (uint32_t)v;
		break;
	default:
		*(uint64_t *)field = v;
		break;
	}
	return 0;
}

static int word(const struct row *row, const char *text, const char *const *names, int *out)
{
	char why[128] = "must be one of";

	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], text) == 0) {
			*out = i;
			return 0;
		}
		snprintf(why + strlen(why), sizeof(why) - strlen(why), " %s", names[i]);
	}
	return usage(row, text, why);
}

static int mode(struct options *o, const struct row *row, const char *text)
{
	const char *names[32] = {NULL};
	int i;

	for (i = 0; fwd_modes[i] != NULL && i < 31; i++)
		names[i] = fwd_modes[i]->name;
	if (word(row, text, names, &i) != 0)
		return 3;
	o->mode = fwd_modes[i];
	return 0;
}

static int apply(struct options *o, const struct row *row, const char *text)
{
	static const char *const topologies[] = {"paired", "chained", "loop", NULL};
	static const char *const pages[] = {"auto", "1G", "2M", "none", NULL};
	void *field = (char *)o + row->offset;
	char why[96];
	int v = 0, err;

	switch (row->kind) {
	case K_PORT:
		if (o->n_ports == MAX_PORTS)
			return usage(row, text, "too many ports");
		o->ports[o->n_ports++] = text;
		return 0;
	case K_MODE:
		return mode(o, row, text);
	case K_TOPOLOGY:
		err = word(row, text, topologies, &v);
		o->topology = (enum topology)v;
		return err;
	case K_HUGE:
		err = word(row, text, pages, &v);
		o->huge = (enum plx_huge)v;
		return err;
	case K_ISA:
		return plx_isa_parse(text, &o->isa) < 0 ? usage(row, text, plx_errmsg()) : 0;
	case K_LOG:
		return plx_log_level_parse(text, &o->log_level) < 0 ? usage(row, text, plx_errmsg())
								    : 0;
	case K_CORES:
		if (plx_cpu_parse_list(text, o->cores, MAX_CORES, &o->n_cores) < 0)
			return usage(row, text, plx_errmsg());
		return 0;
	case K_SECONDS:
		if (cmd_time(text, row->max, field))
			return 0;
		snprintf(why, sizeof(why), "is not a number of seconds (2, 0.5, 200ms) up to %llu",
			(unsigned long long)row->max);
		return usage(row, text, why);
	case K_TEXT:
		*(const char **)field = text;
		return 0;
	case K_SET:
	case K_FLAG:
		*(bool *)field = true;
		return 0;
	case K_MODE_OPT:
		return mode_opts_parse(&o->modes, row->name, text) < 0
			       ? usage(row, text, plx_errmsg())
			       : 0;
	case K_HELP:
		help();
		return 1;
	case K_VERSION:
		puts("plx-testpmd " PLX_VERSION);
		return 1;
	case K_COMMANDS:
		(void)cmd_help(stdout, commands, NULL, 0);
		return 1;
	case K_DRIVERS:
		return drivers_print();
	default:
		return number(row, text, field);
	}
}

/* What only the options together can get wrong. */
static int check(struct options *o)
{
	if (o->stats_period_ns == UINT64_MAX)
		o->stats_period_ns = o->interactive ? 0 : UINT64_C(1000000000);
	if (o->n_ports == 0 && !o->interactive && o->cmdline_file == NULL) {
		complain("no port: give --port DEV, for example --port null: --port null:");
		return usage(NULL, NULL, NULL);
	}
	if (o->n_cores != 0)
		o->nb_cores = (uint16_t)o->n_cores;
	return 0;
}

/* The row of a letter. */
static int short_option(int letter)
{
	const char *name = letter == 'h'   ? "help"
			   : letter == 'V' ? "version"
			   : letter == 'i' ? "interactive"
					   : "auto-start";
	int i = 0;

	while (strcmp(rows[i].name, name) != 0)
		i++;
	return i;
}

int options_parse(struct options *o, int argc, char **argv)
{
	struct option longs[N_ROWS + 1] = {{NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.mode = fwd_modes[0],
		.nb_cores = 1,
		.rxq = 1,
		.txq = 1,
		.burst = 32,
		.mbuf_size = PLX_MBUF_ROOM,
		.mtu = PLX_MTU_DEFAULT,
		.stats_period_ns = UINT64_MAX,
		.link_wait_ns = UINT64_C(10000000000),
		.huge = PLX_HUGE_AUTO,
		.isa = PLX_ISA_AUTO,
		.log_level = PLX_LOG_WARN};
	mode_opts_defaults(&o->modes);
	for (int i = 0; i < (int)N_ROWS; i++)
		longs[i] = (struct option){rows[i].name,
			rows[i].arg != NULL ? required_argument : no_argument, NULL, i + 256};
	while ((c = getopt_long(argc, argv, "hVia", longs, NULL)) != -1) {
		int err;

		if (c == '?')
			return usage(NULL, NULL, NULL);
		if (c < 256)
			c = 256 + short_option(c);
		err = apply(o, &rows[c - 256], optarg);
		if (err != 0)
			return err;
	}
	if (optind < argc) {
		complain("'%s': options start with --", argv[optind]);
		return usage(NULL, NULL, NULL);
	}
	return check(o);
}
