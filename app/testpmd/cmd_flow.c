/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: flow rules. */
#include <arpa/inet.h>

#include "commands.h"
#include "plx_opt.h"

struct rule {
	struct plx_flow_match match;
	struct plx_flow_action action;
	bool acts;
};

static int number(const char *key, const char *text, uint64_t max, uint64_t *v)
{
	if (plx_parse_u64(text, v) == 0 && *v <= max)
		return 0;
	complain("%s '%s': must be a number, 0 to %llu", key, text, (unsigned long long)max);
	return -1;
}

static int u16(const char *key, const char *text, uint32_t bit, uint16_t *field, struct rule *r)
{
	uint64_t v;

	if (number(key, text, UINT16_MAX, &v) < 0)
		return -1;
	*field = (uint16_t)v;
	r->match.fields |= bit;
	return 0;
}

static int address(const char *key, const char *text, uint32_t bit, uint8_t *field, struct rule *r)
{
	uint8_t version = inet_pton(AF_INET, text, field) == 1    ? 4
			  : inet_pton(AF_INET6, text, field) == 1 ? 6
								  : 0;

	if (version == 0) {
		complain("%s '%s': expected an IPv4 or IPv6 address", key, text);
		return -1;
	}
	if (r->match.ip_version != 0 && r->match.ip_version != version) {
		complain("%s '%s': the rule has an IPv%u address already", key, text,
			r->match.ip_version);
		return -1;
	}
	r->match.ip_version = version;
	r->match.fields |= bit | PLX_FLOW_IP;
	return 0;
}

static int ethertype(const char *key, const char *text, struct rule *r)
{
	return u16(key, text, PLX_FLOW_ETHERTYPE, &r->match.ethertype, r);
}

static int vlan(const char *key, const char *text, struct rule *r)
{
	return u16(key, text, PLX_FLOW_VLAN, &r->match.vlan, r);
}

static int src(const char *key, const char *text, struct rule *r)
{
	return address(key, text, PLX_FLOW_SRC_IP, r->match.src_ip, r);
}

static int dst(const char *key, const char *text, struct rule *r)
{
	return address(key, text, PLX_FLOW_DST_IP, r->match.dst_ip, r);
}

static int src_port(const char *key, const char *text, struct rule *r)
{
	return u16(key, text, PLX_FLOW_SRC_PORT, &r->match.src_port, r);
}

static int dst_port(const char *key, const char *text, struct rule *r)
{
	return u16(key, text, PLX_FLOW_DST_PORT, &r->match.dst_port, r);
}

static int ip(const char *key, const char *text, struct rule *r)
{
	if (strcmp(text, "4") != 0 && strcmp(text, "6") != 0) {
		complain("%s '%s': must be 4 or 6", key, text);
		return -1;
	}
	r->match.ip_version = text[0] == '4' ? 4 : 6;
	r->match.fields |= PLX_FLOW_IP;
	return 0;
}

static int proto(const char *key, const char *text, struct rule *r)
{
	uint64_t v = strcmp(text, "tcp") == 0    ? IPPROTO_TCP
		     : strcmp(text, "udp") == 0  ? IPPROTO_UDP
		     : strcmp(text, "sctp") == 0 ? IPPROTO_SCTP
						 : 0;

	if (v == 0 && number(key, text, UINT8_MAX, &v) < 0)
		return -1;
	r->match.l4_proto = (uint8_t)v;
	r->match.fields |= PLX_FLOW_L4;
	return 0;
}

static int queue(const char *key, const char *text, struct rule *r)
{
	uint64_t v;

	if (number(key, text, MAX_QUEUES - 1, &v) < 0)
		return -1;
	r->action.queue = (uint16_t)v;
	r->acts = true;
	return 0;
}

static int mark(const char *key, const char *text, struct rule *r)
{
	uint64_t v;

	if (number(key, text, UINT32_MAX, &v) < 0)
		return -1;
	r->action.mark = (uint32_t)v;
	r->action.set_mark = true;
	r->acts = true;
	return 0;
}

static const struct key {
	const char *name;
	int (*fn)(const char *key, const char *text, struct rule *r);
} keys[] = {
	{"ethertype", ethertype},
	{"vlan", vlan},
	{"ip", ip},
	{"src", src},
	{"dst", dst},
	{"proto", proto},
	{"src-port", src_port},
	{"dst-port", dst_port},
	{"queue", queue},
	{"mark", mark},
};

/* One key, with its value; how many words that were, or -1. */
static int one(const struct args *a, size_t i, struct rule *r)
{
	const char *names[PLX_ARRAY_SIZE(keys) + 1] = {"drop"}, *near;
	const char *word = a->rest[i];

	if (strcmp(word, "drop") == 0) {
		r->action.drop = r->acts = true;
		return 1;
	}
	for (size_t k = 0; k < PLX_ARRAY_SIZE(keys); k++) {
		names[k + 1] = keys[k].name;
		if (strcmp(word, keys[k].name) != 0)
			continue;
		if (i + 1 == a->n_rest) {
			complain("after '%s': expected its value", word);
			return -1;
		}
		return keys[k].fn(word, a->rest[i + 1], r) < 0 ? -1 : 2;
	}
	near = plx_opt_nearest(word, names, PLX_ARRAY_SIZE(names));
	complain("'%s': expected ethertype, vlan, ip, src, dst, proto, src-port, dst-port, queue, "
		 "drop or mark%s%s%s",
		word, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
		near != NULL ? "'?" : "");
	return -1;
}

int cmd_flow_create(struct testpmd *t, const struct args *a)
{
	struct rule r = {0};
	uint32_t id;

	for (size_t i = 0; i < a->n_rest;) {
		int n = one(a, i, &r);

		if (n < 0)
			return -1;
		i += (size_t)n;
	}
	if (!r.acts) {
		complain("the rule says what matches, but not what to do: queue N, drop or mark N");
		return -1;
	}
	if (plx_flow_create(a->ports[0]->port, &r.match, &r.action, &id) < 0)
		return port_complain(t, a->ports[0], "flow create");
	fprintf(out_file(t), "port %u: flow rule %u\n", port_number(t, a->ports[0]), id);
	return 0;
}

int cmd_flow_destroy(struct testpmd *t, const struct args *a)
{
	return plx_flow_destroy(a->ports[0]->port, (uint32_t)a->n[0]) < 0
		       ? port_complain(t, a->ports[0], "flow destroy")
		       : 0;
}
