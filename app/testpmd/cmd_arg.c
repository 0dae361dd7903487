/* SPDX-License-Identifier: BSD-3-Clause */
/* The types of arguments: one row each. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

#include "cmd_arg.h"
#include "plx_opt.h"

/* Everything a type may need to look at. */
struct taking {
	struct testpmd *t;
	const struct cmd *row;
	const struct token *tok;
	const char *word;
	struct args *a;
	char *why; /* on false: what is wrong with the word */
	size_t size;
};

PLX_PRINTF(2, 3)
static bool no(struct taking *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->why, k->size, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- words ---- */

static bool is_type(const struct token *tok)
{
	return isupper((unsigned char)tok->text[0]);
}

/* Calls fn with each of a|b|c; stops when it returns true. */
static bool each_word(
	const struct token *tok, bool (*fn)(void *arg, const char *word, size_t len), void *arg)
{
	const char *p = tok->text;

	for (;;) {
		size_t len = strcspn(p, "|");

		if (fn(arg, p, len))
			return true;
		if (p[len] == '\0')
			return false;
		p += len + 1;
	}
}

static bool same(void *arg, const char *word, size_t len)
{
	return strlen(arg) == len && memcmp(arg, word, len) == 0;
}

static bool take_word(const struct token *tok, const char *word, struct args *a)
{
	if (!each_word(tok, same, (void *)word))
		return false;
	if (strcmp(tok->text, "on|off") == 0)
		a->on = strcmp(word, "on") == 0;
	else if (strchr(tok->text, '|') != NULL && a->n_words < PLX_ARRAY_SIZE(a->words))
		a->word = a->words[a->n_words++] = word;
	return true;
}

/* ---- types ---- */

static bool have_port(struct taking *k, uint64_t n)
{
	k->a->ports_given = true;
	if (n < k->t->n_ports && k->t->ports[n].port != NULL) {
		k->a->ports[k->a->n_ports++] = &k->t->ports[n];
		return true;
	}
	if (k->t->n_ports == 0)
		return no(k, "there is no port; 'port attach DEV' makes one");
	return no(k, "there is no port %llu; 'show port' lists them", (unsigned long long)n);
}

static bool take_port(struct taking *k)
{
	uint64_t n;

	if (plx_parse_u64(k->word, &n) < 0)
		return no(k, "expected the number of a port");
	return have_port(k, n);
}

static bool take_ports(struct taking *k)
{
	uint16_t list[MAX_PORTS];
	size_t n;

	k->a->ports_given = true;
	if (strcmp(k->word, "all") == 0) {
		for (uint16_t i = 0; i < k->t->n_ports; i++)
			if (k->t->ports[i].port != NULL)
				k->a->ports[k->a->n_ports++] = &k->t->ports[i];
		return true;
	}
	if (plx_cpu_parse_list(k->word, list, MAX_PORTS, &n) < 0)
		return no(k, "expected numbers of ports (0,2-3) or all");
	for (size_t i = 0; i < n; i++)
		if (!have_port(k, list[i]))
			return false;
	return true;
}

static bool take_number(struct taking *k)
{
	uint64_t v;

	if (plx_parse_u64(k->word, &v) < 0)
		return no(k, "expected a number");
	if (v < k->row->min || v > k->row->max)
		return no(k, "must be %llu to %llu", (unsigned long long)k->row->min,
			(unsigned long long)k->row->max);
	if (k->a->n_n < MAX_NUMBERS)
		k->a->n[k->a->n_n++] = v;
	return true;
}

static bool take_mode(struct taking *k)
{
	const char *names[32], *near;
	size_t n = 0, len = 0;
	char list[256] = "";

	for (size_t i = 0; fwd_modes[i] != NULL; i++) {
		if (strcmp(fwd_modes[i]->name, k->word) == 0) {
			k->a->mode = fwd_modes[i];
			return true;
		}
		if (n == PLX_ARRAY_SIZE(names))
			continue;
		names[n++] = fwd_modes[i]->name;
		len = strlen(list);
		snprintf(list + len, sizeof(list) - len, " %s", fwd_modes[i]->name);
	}
	near = plx_opt_nearest(k->word, names, n);
	return no(k, "expected a mode:%s%s%s%s", list, near != NULL ? "; did you mean '" : "",
		near != NULL ? near : "", near != NULL ? "'?" : "");
}

bool cmd_mac(const char *text, struct plx_mac *mac)
{
	unsigned b[PLX_ETH_ALEN];
	int len = 0;

	/* sscanf() would take blanks and signs, too */
	if (strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17 ||
		sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
			&len) != (int)PLX_ETH_ALEN ||
		len != 17)
		return false;
	for (unsigned i = 0; i < PLX_ETH_ALEN; i++)
		mac->b[i] = (uint8_t)b[i];
	return true;
}

static bool take_mac(struct taking *k)
{
	if (cmd_mac(k->word, &k->a->mac))
		return true;
	return no(k, "expected an Ethernet address, as 02:00:00:00:00:01");
}

bool cmd_time(const char *text, uint64_t max_s, uint64_t *ns)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text)
		return false;
	if (*end != '\0')
		return plx_parse_time(text, ns) == 0 && *ns <= max_s * UINT64_C(1000000000);
	if (!(v >= 0) || v > (double)max_s)
		return false;
	*ns = (uint64_t)(v * 1e9);
	return true;
}

static bool take_time(struct taking *k)
{
	if (cmd_time(k->word, MAX_SECONDS, &k->a->ns))
		return true;
	return no(k, "expected seconds, or a time with a unit: 2, 0.5, 200ms; up to %u s",
		MAX_SECONDS);
}

static bool take_text(struct taking *k)
{
	k->a->text = k->word;
	return true;
}

static const struct type {
	const char *name;
	bool (*take)(struct taking *k);
} types[] = {
	{"PORT", take_port},
	{"PORTS", take_ports},
	{"N", take_number},
	{"MODE", take_mode},
	{"MAC", take_mac},
	{"TIME", take_time},
	{"TEXT", take_text},
};

static bool take(struct taking *k)
{
	for (size_t i = 0; i < PLX_ARRAY_SIZE(types); i++)
		if (arg_is(k->tok, types[i].name))
			return types[i].take(k);
	/* a name of its own for a text */
	return take_text(k);
}

/* ---- for cmd.c ---- */

bool arg_is(const struct token *tok, const char *name)
{
	return strcmp(tok->text, name) == 0;
}

bool arg_take(struct testpmd *t, const struct cmd *row, const struct token *tok, const char *word,
	struct args *a)
{
	char why[256];
	struct taking k = {t, row, tok, word, a, why, sizeof(why)};

	return is_type(tok) ? take(&k) : take_word(tok, word, a);
}

bool arg_why(struct testpmd *t, const struct cmd *row, const struct token *tok, const char *word,
	char *why, size_t size)
{
	struct args a = {0};
	struct taking k = {t, row, tok, word, &a, why, size};

	return is_type(tok) && !take(&k);
}

struct each {
	void (*fn)(void *arg, const char *word);
	void *arg;
	const char *start;
};

static bool tell(void *arg, const char *word, size_t len)
{
	const struct each *e = arg;
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)len, word);
	if (strncmp(text, e->start, strlen(e->start)) == 0)
		e->fn(e->arg, text);
	return false;
}

void arg_list(const struct token *tok, void (*fn)(void *arg, const char *word), void *arg)
{
	struct each e = {fn, arg, ""};

	(void)each_word(tok, tell, &e);
}

void arg_values(struct testpmd *t, const struct token *tok, const char *start,
	void (*fn)(void *arg, const char *word), void *arg)
{
	struct each e = {fn, arg, start};
	char number[8];

	if (!is_type(tok)) {
		(void)each_word(tok, tell, &e);
	} else if (arg_is(tok, "MODE")) {
		for (size_t i = 0; fwd_modes[i] != NULL; i++)
			(void)tell(&e, fwd_modes[i]->name, strlen(fwd_modes[i]->name));
	} else if (arg_is(tok, "PORT") || arg_is(tok, "PORTS")) {
		for (uint16_t i = 0; i < t->n_ports; i++) {
			snprintf(number, sizeof(number), "%u", i);
			if (t->ports[i].port != NULL)
				(void)tell(&e, number, strlen(number));
		}
		if (arg_is(tok, "PORTS"))
			(void)tell(&e, "all", 3);
	}
}

bool arg_named(const struct token *tok, const char *word)
{
	return each_word(tok, same, (void *)word);
}
