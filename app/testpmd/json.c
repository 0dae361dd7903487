/* SPDX-License-Identifier: BSD-3-Clause */
/* What programs read. */
#include <json-c/json.h>
#include <stdio.h>

#include "testpmd.h"

static void put(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void put_double(struct json_object *o, const char *key, double v)
{
	json_object_object_add(o, key, json_object_new_double(v));
}

static struct json_object *port_json(const struct testpmd *t, const struct totals *run, uint16_t i)
{
	const struct plx_port_stats *s = &run->ports[i];
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "device", json_object_new_string(t->ports[i].device));
	json_object_object_add(o, "driver", json_object_new_string(t->ports[i].info.driver));
	put(o, "rx_packets", s->rx_packets);
	put(o, "tx_packets", s->tx_packets);
	put(o, "rx_bytes", s->rx_bytes);
	put(o, "tx_bytes", s->tx_bytes);
	put(o, "rx_missed", s->rx_missed);
	put(o, "rx_errors", s->rx_errors);
	put(o, "rx_nombuf", s->rx_nombuf);
	put(o, "tx_errors", s->tx_errors);
	put(o, "tx_nolink", s->tx_nolink);
	/* not taken by this port's queues, whatever port they came from */
	put(o, "tx_dropped", run->dropped[i]);
	return o;
}

static struct json_object *total_json(const struct testpmd *t, const struct totals *run)
{
	double s = (double)(t->end_ns - t->start_ns) / 1e9;
	struct json_object *o = json_object_new_object();

	put(o, "rx_packets", run->rx_packets);
	put(o, "tx_packets", run->tx_packets);
	put(o, "tx_dropped", run->all_dropped);
	put_double(o, "rx_pps", s > 0 ? (double)run->rx_packets / s : 0);
	put_double(o, "tx_pps", s > 0 ? (double)run->tx_packets / s : 0);
	put_double(o, "cycles_per_packet", cycles_per_packet(run));
	put_double(o, "duration_s", s);
	return o;
}

/* {"1": bursts of one packet, "32": ...}: those sizes that occurred, 0 left out. */
static struct json_object *bursts_json(const struct totals *run)
{
	struct json_object *o = json_object_new_object();

	for (unsigned n = 1; n <= MAX_BURST; n++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", n);
		if (run->by_size[n] != 0)
			put(o, key, run->by_size[n]);
	}
	return o;
}

/* What the mode counts. */
static struct json_object *counters_json(const struct testpmd *t, const struct totals *run)
{
	struct json_object *o = json_object_new_object();

	for (unsigned i = 0; i < STREAM_CTRS; i++)
		if (t->opt.mode->ctrs & plx_bit32(i))
			put(o, stream_ctr_names[i], run->ctr[i]);
	return o;
}

int json_write(struct testpmd *t, const struct totals *run)
{
	const int flags =
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
	bool to_stdout = strcmp(t->opt.json, "-") == 0;
	struct json_object *root = json_object_new_object();
	struct json_object *ports = json_object_new_array();
	FILE *f = to_stdout ? stdout : fopen(t->opt.json, "we");
	int err = -1;

	for (uint16_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].port != NULL)
			json_object_array_add(ports, port_json(t, run, i));
	json_object_object_add(root, "mode", json_object_new_string(t->opt.mode->name));
	json_object_object_add(root, "ports", ports);
	json_object_object_add(root, "total", total_json(t, run));
	json_object_object_add(root, "bursts", bursts_json(run));
	if (t->opt.mode->ctrs != 0)
		json_object_object_add(root, "counters", counters_json(t, run));
	if (f != NULL && fprintf(f, "%s\n", json_object_to_json_string_ext(root, flags)) > 0 &&
		fflush(f) == 0)
		err = 0;
	if (err != 0)
		complain("--json %s: %s", t->opt.json, strerror(errno));
	if (f != NULL && !to_stdout && fclose(f) != 0 && err == 0) {
		complain("--json %s: %s", t->opt.json, strerror(errno));
		err = -1;
	}
	json_object_put(root);
	return err;
}
