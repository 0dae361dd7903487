/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: receive side scaling. */
#include <stdlib.h>

#include "commands.h"
#include "plx_opt.h"

enum { MAX_KEY = RSS_MAX_KEY, MAX_TABLE = RSS_MAX_TABLE };

/* The first six are one bit each. */
static const struct {
	const char *name;
	uint32_t bits;
} fields[] = {
	{"ipv4", PLX_RSS_IPV4},
	{"ipv4-tcp", PLX_RSS_IPV4_TCP},
	{"ipv4-udp", PLX_RSS_IPV4_UDP},
	{"ipv6", PLX_RSS_IPV6},
	{"ipv6-tcp", PLX_RSS_IPV6_TCP},
	{"ipv6-udp", PLX_RSS_IPV6_UDP},
	{"ip", PLX_RSS_IPV4 | PLX_RSS_IPV6},
	{"tcp", PLX_RSS_IPV4_TCP | PLX_RSS_IPV6_TCP},
	{"udp", PLX_RSS_IPV4_UDP | PLX_RSS_IPV6_UDP},
	{"all", PLX_RSS_IPV4 | PLX_RSS_IPV4_TCP | PLX_RSS_IPV4_UDP | PLX_RSS_IPV6 |
			PLX_RSS_IPV6_TCP | PLX_RSS_IPV6_UDP},
	{"none", 0},
};
enum { N_FIELDS = PLX_ARRAY_SIZE(fields), N_SINGLE = 6 };

static int one_field(const char *word, uint32_t *set)
{
	const char *names[N_FIELDS], *near;

	for (size_t i = 0; i < N_FIELDS; i++) {
		names[i] = fields[i].name;
		if (strcmp(fields[i].name, word) != 0)
			continue;
		*set |= fields[i].bits;
		return 0;
	}
	near = plx_opt_nearest(word, names, N_FIELDS);
	complain("'%s': expected ipv4, ipv4-tcp, ipv4-udp, ipv6, ipv6-tcp, ipv6-udp, ip, tcp, udp, "
		 "all or none%s%s%s",
		word, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
		near != NULL ? "'?" : "");
	return -1;
}

/* The fields of a device now, so that the others may be set alone. */
static int current(struct testpmd *t, struct tp_port *p, uint32_t *set)
{
	return plx_port_get_rss(p->port, NULL, NULL, set) < 0 ? port_complain(t, p, "rss") : 0;
}

static int apply(struct testpmd *t, const struct args *a, struct plx_rss *rss, bool keep_fields)
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++) {
		struct tp_port *p = a->ports[i];

		if (keep_fields && current(t, p, &rss->fields) < 0)
			err = -1;
		else if (plx_port_set_rss(p->port, rss) < 0)
			err = port_complain(t, p, "set rss");
	}
	return err;
}

int cmd_rss_fields(struct testpmd *t, const struct args *a)
{
	struct plx_rss rss = {0};
	char list[256], *save = NULL;

	snprintf(list, sizeof(list), "%s", a->text);
	for (char *w = strtok_r(list, ",", &save); w != NULL; w = strtok_r(NULL, ",", &save))
		if (one_field(w, &rss.fields) < 0)
			return -1;
	return apply(t, a, &rss, false);
}

int cmd_rss_key(struct testpmd *t, const struct args *a)
{
	uint8_t key[MAX_KEY];
	size_t len = strlen(a->text);
	struct plx_rss rss = {.key = key, .key_len = (uint16_t)(len / 2)};

	if (len % 2 != 0 || len / 2 > MAX_KEY || strspn(a->text, "0123456789abcdefABCDEF") != len) {
		complain("'%.40s': expected hexadecimal digits, two for each byte of the key",
			a->text);
		return -1;
	}
	for (size_t i = 0; i < len / 2; i++) {
		char byte[3] = {a->text[2 * i], a->text[2 * i + 1], '\0'};

		key[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return apply(t, a, &rss, true);
}

/* Queues as they are given, again and again until the port's table is full. */
static int fill(struct testpmd *t, struct tp_port *p, const char *text)
{
	uint16_t table[MAX_TABLE];
	struct plx_rss rss = {.table = table};
	size_t n = 0, len = PLX_MIN((size_t)p->info.rss_table_len, (size_t)MAX_TABLE);
	char list[MAX_LINE], *save = NULL;
	uint64_t v;

	snprintf(list, sizeof(list), "%s", text);
	for (char *w = strtok_r(list, ",", &save); w != NULL && n < MAX_TABLE;
		w = strtok_r(NULL, ",", &save)) {
		if (plx_parse_u64(w, &v) < 0 || v >= p->n_rxq) {
			complain("'%s': port %u has RX queues 0 to %u", w, port_number(t, p),
				p->n_rxq - 1u);
			return -1;
		}
		table[n++] = (uint16_t)v;
	}
	if (n == 0 || n > PLX_MAX(len, (size_t)1)) {
		complain("port %u: a table of %zu queues, and it has room for %u",
			port_number(t, p), n, p->info.rss_table_len);
		return -1;
	}
	for (size_t i = n; i < len; i++)
		table[i] = table[i % n];
	rss.table_len = (uint16_t)len;
	if (current(t, p, &rss.fields) < 0)
		return -1;
	return plx_port_set_rss(p->port, &rss) < 0 ? port_complain(t, p, "set rss") : 0;
}

int cmd_rss_table(struct testpmd *t, const struct args *a)
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++)
		if (fill(t, a->ports[i], a->text) < 0)
			err = -1;
	return err;
}

static int show(struct testpmd *t, struct tp_port *p)
{
	uint8_t key[MAX_KEY];
	uint16_t table[MAX_TABLE];
	uint32_t set = 0;
	FILE *f = out_file(t);

	if (p->info.rss_key_len > MAX_KEY || p->info.rss_table_len > MAX_TABLE ||
		plx_port_get_rss(p->port, key, table, &set) < 0)
		return port_complain(t, p, "rss");
	fprintf(f, "port %u: RSS fields", port_number(t, p));
	for (size_t i = 0; i < N_SINGLE; i++)
		if ((set & fields[i].bits) != 0)
			fprintf(f, " %s", fields[i].name);
	fputs(set == 0 ? " none\n  key    " : "\n  key    ", f);
	for (uint16_t i = 0; i < p->info.rss_key_len; i++)
		fprintf(f, "%02x", key[i]);
	fputs("\n  table ", f);
	for (uint16_t i = 0; i < p->info.rss_table_len; i++)
		fprintf(f, "%s %u", i != 0 && i % 32 == 0 ? "\n        " : "", table[i]);
	fputc('\n', f);
	return 0;
}

int cmd_show_rss(struct testpmd *t, const struct args *a)
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++)
		if (show(t, a->ports[i]) < 0)
			err = -1;
	return err;
}

void rss_save(const struct tp_port *p, struct rss_saved *r)
{
	r->n_rxq = p->n_rxq;
	r->there = p->info.rss_table_len != 0 && p->info.rss_table_len <= MAX_TABLE &&
		   p->info.rss_key_len <= MAX_KEY &&
		   plx_port_get_rss(p->port, r->key, r->table, &r->fields) == 0 && r->fields != 0;
}

int rss_restore(struct testpmd *t, struct tp_port *p, struct rss_saved *r)
{
	struct plx_rss rss = {.key = r->key,
		.key_len = p->info.rss_key_len,
		.fields = r->fields,
		.table = r->table,
		.table_len = p->info.rss_table_len};

	if (!r->there)
		return 0;
	/* over other queues than before: evenly */
	for (uint16_t i = 0; p->n_rxq != r->n_rxq && i < rss.table_len; i++)
		r->table[i] = i % p->n_rxq;
	return plx_port_set_rss(p->port, &rss) < 0 ? port_complain(t, p, "rss") : 0;
}
