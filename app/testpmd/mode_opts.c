/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of single forwarding modes that are more than a number. */
#include <arpa/inet.h>
#include <stdio.h>

#include "modes.h"
#include "plx_log.h"
#include "plx_opt.h"

/* 198.18.0.0/15: RFC 2544 sets it apart for such traffic. Port 9 discards. */
#define TX_SRC UINT32_C(0xc6120001)
#define TX_DST UINT32_C(0xc6120002)

enum { TX_PORT = 9, TX_LEN = 60, TX_HEADERS = 42 };

const char *const csum_names[CSUM_KINDS + 1] = {"ip", "udp", "tcp", "sctp", "outer-ip", NULL};

void mode_opts_defaults(struct mode_opts *o)
{
	*o = (struct mode_opts){.tx_segs = {TX_LEN},
		.n_tx_segs = 1,
		.tx_src = TX_SRC,
		.tx_dst = TX_DST,
		.tx_sport = TX_PORT,
		.tx_dport = TX_PORT,
		.flows = 1024,
		.noisy_mode = &fwd_io};
}

uint32_t mode_opts_pkt_len(const struct mode_opts *o)
{
	uint32_t len = 0;

	for (uint16_t i = 0; i < o->n_tx_segs; i++)
		len += o->tx_segs[i];
	return len;
}

/*
 * Text up to the next comma, into part; *text goes on behind it, or becomes NULL.
 * -EINVAL: it is longer than part.
 */
static int next_part(const char **text, char *part, size_t size)
{
	size_t len = strcspn(*text, ",");

	if (len >= size)
		return plx_err(EINVAL, "'%.*s' is too long", (int)PLX_MIN(len, (size_t)64), *text);
	memcpy(part, *text, len);
	part[len] = '\0';
	*text = (*text)[len] == ',' ? *text + len + 1 : NULL;
	return 0;
}

static int part_number(const char **text, uint64_t min, uint64_t max, uint64_t *out)
{
	char part[32];

	if (next_part(text, part, sizeof(part)) < 0 || plx_parse_u64(part, out) < 0)
		return -EINVAL;
	if (*out < min || *out > max)
		return plx_err(EINVAL, "%s must be %llu to %llu", part, (unsigned long long)min,
			(unsigned long long)max);
	return 0;
}

/* The index of a word; -EINVAL with all of them in the message. */
static int find_word(const char *word, const char *const *words)
{
	char known[256] = "";

	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
		snprintf(known + strlen(known), sizeof(known) - strlen(known), " %s", words[i]);
	}
	return plx_err(EINVAL, "'%s' must be one of%s", word, known);
}

static int parse_txpkts(struct mode_opts *o, const char *text)
{
	uint16_t segs[MAX_TX_SEGS], n = 0;
	uint32_t sum = 0;

	while (text != NULL) {
		uint64_t len;

		if (n == MAX_TX_SEGS)
			return plx_err(EINVAL, "more than %u segments", MAX_TX_SEGS);
		if (part_number(&text, n == 0 ? TX_HEADERS : 1, PLX_PKT_LEN_MAX, &len) < 0)
			return -EINVAL;
		segs[n++] = (uint16_t)len;
		sum += (uint32_t)len;
	}
	if (sum > PLX_PKT_LEN_MAX)
		return plx_err(
			EINVAL, "a packet of %u bytes; the longest is %u", sum, PLX_PKT_LEN_MAX);
	memcpy(o->tx_segs, segs, sizeof(segs));
	o->n_tx_segs = n;
	return 0;
}

static int parse_ipv4(const char **text, uint32_t *out)
{
	char part[32];
	uint8_t b[4];

	if (next_part(text, part, sizeof(part)) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET, part, b) != 1)
		return plx_err(EINVAL, "'%s' is not an IPv4 address", part);
	*out = plx_load_be32(b);
	return 0;
}

static int parse_tx_ip(struct mode_opts *o, const char *text)
{
	uint32_t src, dst;

	if (parse_ipv4(&text, &src) < 0)
		return -EINVAL;
	if (text == NULL)
		return plx_err(EINVAL, "must be SRC,DST");
	if (parse_ipv4(&text, &dst) < 0)
		return -EINVAL;
	if (text != NULL)
		return plx_err(EINVAL, "must be SRC,DST: what is '%s'?", text);
	o->tx_src = src;
	o->tx_dst = dst;
	return 0;
}

/* SRC, which is also DST if that is not given. */
static int parse_tx_udp(struct mode_opts *o, const char *text)
{
	uint64_t src, dst;

	if (part_number(&text, 0, UINT16_MAX, &src) < 0)
		return -EINVAL;
	dst = src;
	if (text != NULL && part_number(&text, 0, UINT16_MAX, &dst) < 0)
		return -EINVAL;
	if (text != NULL)
		return plx_err(EINVAL, "must be SRC[,DST]: what is '%s'?", text);
	o->tx_sport = (uint16_t)src;
	o->tx_dport = (uint16_t)dst;
	return 0;
}

static int parse_eth_peer(struct mode_opts *o, const char *text)
{
	unsigned b[PLX_ETH_ALEN];
	uint64_t port;
	int end = 0;

	if (part_number(&text, 0, MAX_PEERS - 1, &port) < 0)
		return -EINVAL;
	if (text == NULL || strspn(text, "0123456789abcdefABCDEF:") != strlen(text) ||
		sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
			&end) != 6 ||
		text[end] != '\0')
		return plx_err(EINVAL, "must be PORT,XX:XX:XX:XX:XX:XX");
	for (unsigned i = 0; i < PLX_ETH_ALEN; i++)
		o->peers[port].b[i] = (uint8_t)b[i];
	o->peers_given |= plx_bit32((unsigned)port);
	return 0;
}

static int parse_noisy_mode(struct mode_opts *o, const char *text)
{
	static const struct fwd_mode *const modes[] = {
		&fwd_io, &fwd_mac, &fwd_macswap, &fwd_5tswap};
	static const char *const names[] = {"io", "mac", "macswap", "5tswap", NULL};
	int i = find_word(text, names);

	if (i < 0)
		return i;
	o->noisy_mode = modes[i];
	return 0;
}

/* WHAT=HOW,...: `all` stands for every one. */
static int parse_csum(struct mode_opts *o, const char *text)
{
	static const char *const hows[] = {"auto", "sw", "hw", NULL};

	while (text != NULL) {
		char part[32], *how;
		int what = CSUM_KINDS, by;

		if (next_part(&text, part, sizeof(part)) < 0)
			return -EINVAL;
		how = strchr(part, '=');
		if (how == NULL)
			return plx_err(EINVAL, "'%s' must be WHAT=HOW, as in ip=sw", part);
		*how++ = '\0';
		by = find_word(how, hows);
		if (by < 0)
			return by;
		if (strcmp(part, "all") != 0)
			what = find_word(part, csum_names);
		if (what < 0)
			return what;
		for (int i = 0; i < CSUM_KINDS; i++)
			if (what == i || what == CSUM_KINDS)
				o->csum[i] = (uint8_t)by;
	}
	return 0;
}

static int parse_echo_addr(struct mode_opts *o, const char *text)
{
	while (text != NULL) {
		struct echo_addr *a = &o->echo[o->n_echo];
		char part[64];

		if (next_part(&text, part, sizeof(part)) < 0)
			return -EINVAL;
		if (o->n_echo == MAX_ECHO_ADDRS)
			return plx_err(EINVAL, "more than %u addresses", MAX_ECHO_ADDRS);
		if (inet_pton(AF_INET, part, a->b) == 1)
			a->version = 4;
		else if (inet_pton(AF_INET6, part, a->b) == 1)
			a->version = 6;
		else
			return plx_err(EINVAL, "'%s' is not an IPv4 or IPv6 address", part);
		o->n_echo++;
	}
	return 0;
}

static int parse_rss(struct mode_opts *o, const char *text)
{
	static const char *const names[] = {"ip", "udp", "tcp", NULL};
	static const uint32_t fields[] = {PLX_RSS_IPV4 | PLX_RSS_IPV6,
		PLX_RSS_IPV4_UDP | PLX_RSS_IPV6_UDP, PLX_RSS_IPV4_TCP | PLX_RSS_IPV6_TCP};

	o->rss = 0;
	while (text != NULL) {
		char part[32];
		int i;

		if (next_part(&text, part, sizeof(part)) < 0)
			return -EINVAL;
		i = find_word(part, names);
		if (i < 0)
			return i;
		o->rss |= fields[i];
	}
	return 0;
}

int mode_opts_parse(struct mode_opts *o, const char *name, const char *text)
{
	static const struct {
		const char *name;
		int (*parse)(struct mode_opts *o, const char *text);
	} table[] = {
		{"txpkts", parse_txpkts},
		{"tx-ip", parse_tx_ip},
		{"tx-udp", parse_tx_udp},
		{"eth-peer", parse_eth_peer},
		{"noisy-forward-mode", parse_noisy_mode},
		{"csum", parse_csum},
		{"echo-addr", parse_echo_addr},
		{"rss", parse_rss},
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].parse(o, text);
	return plx_err(EINVAL, "is not known");
}
