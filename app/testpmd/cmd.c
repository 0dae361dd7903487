/* SPDX-License-Identifier: BSD-3-Clause */
/* From a line to a row of the table, and what to say when it is none. */
#include <ctype.h>
#include <stdlib.h>

#include "cmd.h"
#include "cmd_arg.h"
#include "plx_opt.h"

int cmd_split(char *line, char *words[MAX_WORDS], size_t *n)
{
	char *in = line, *out = line;

	*n = 0;
	for (;;) {
		bool quoted = false;

		while (isspace((unsigned char)*in))
			in++;
		if (*in == '\0' || *in == '#')
			return 0;
		if (*n == MAX_WORDS) {
			complain("more than %d words", MAX_WORDS);
			return -1;
		}
		words[(*n)++] = out;
		for (; *in != '\0' && (quoted || !isspace((unsigned char)*in)); in++) {
			if (*in == '"')
				quoted = !quoted;
			else
				*out++ = *in;
		}
		if (quoted) {
			complain("'%.40s': the second \" is missing", words[*n - 1]);
			return -1;
		}
		if (*in != '\0')
			in++;
		*out++ = '\0';
	}
}

/* ---- a row against words ---- */

/* The next token of a syntax, without the brackets; false at its end. */
static bool next_token(const char **syntax, struct token *tok)
{
	const char *p = *syntax;
	size_t len;

	while (*p == ' ')
		p++;
	len = strcspn(p, " ");
	*syntax = p + len;
	tok->optional = len > 2 && *p == '[';
	if (tok->optional) {
		p++;
		len -= 2;
	}
	snprintf(tok->text, sizeof(tok->text), "%.*s", (int)len, p);
	return len != 0;
}

enum fit { FIT, WRONG, MISSING, TOO_MANY };

/* How a row and words fit; *at is the word (or the end) at which they do not, tok what stands there. */
static enum fit fit(struct testpmd *t, const struct cmd *row, char *const *words, size_t n,
	struct args *a, size_t *at, struct token *tok)
{
	const char *syntax = row->syntax;

	*a = (struct args){0};
	for (*at = 0; next_token(&syntax, tok); ++*at) {
		if (*at == n)
			return tok->optional ? FIT : MISSING;
		if (arg_is(tok, "WORDS")) {
			a->rest = words + *at;
			a->n_rest = n - *at;
			return FIT;
		}
		if (!arg_take(t, row, tok, words[*at], a))
			return WRONG;
	}
	return *at == n ? FIT : TOO_MANY;
}

/* What was expected at the place where most words fitted. */
struct expected {
	size_t at;
	enum fit how;
	char why[256]; /* what is wrong with a value; "": no value is expected */
	char words[48][40];
	size_t n, n_values; /* words, of them names of values */
};

static void expect_word(void *arg, const char *word)
{
	struct expected *e = arg;

	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->words[i], word) == 0)
			return;
	if (e->n < PLX_ARRAY_SIZE(e->words))
		snprintf(e->words[e->n++], sizeof(e->words[0]), "%s", word);
}

/* Takes note of a row that did not fit, if no other fitted better. */
static void miss(struct testpmd *t, const struct cmd *row, struct expected *e, enum fit how,
	size_t at, const struct token *tok, const char *word)
{
	if (at < e->at)
		return;
	if (at > e->at)
		*e = (struct expected){.at = at};
	e->how = how;
	if (how == TOO_MANY)
		return;
	if (how == WRONG && arg_why(t, row, tok, word, e->why, sizeof(e->why)))
		e->n_values++;
	arg_list(tok, expect_word, e);
}

static void complain_expected(const struct expected *e, char *const *words, size_t n)
{
	const char *list[PLX_ARRAY_SIZE(e->words)], *near = NULL;
	char text[1024] = "";

	for (size_t i = 0; i < e->n; i++) {
		size_t len = strlen(text);

		list[i] = e->words[i];
		snprintf(text + len, sizeof(text) - len, "%s%s", i != 0 ? ", " : "", e->words[i]);
	}
	if (e->at == n) {
		complain("after '%s': expected %s", words[n - 1], text);
		return;
	}
	near = plx_opt_nearest(words[e->at], list, e->n);
	/* a number that is none says more than a list of words */
	if (e->n_values != 0 && (e->n == e->n_values || isdigit((unsigned char)*words[e->at])))
		complain("'%.80s': %s", words[e->at], e->why);
	else if (e->how == TOO_MANY && e->n == 0)
		complain("'%.80s': nothing more is expected after '%s'", words[e->at],
			words[e->at - 1]);
	else
		complain("'%.80s': expected %s%s%s%s", words[e->at], text,
			near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
			near != NULL ? "'?" : "");
}

const struct cmd *cmd_parse(
	struct testpmd *t, const struct cmd *table, char *const *words, size_t n, struct args *a)
{
	struct expected e = {0};

	for (const struct cmd *row = table; row->syntax != NULL; row++) {
		struct token tok;
		size_t at;
		enum fit how = fit(t, row, words, n, a, &at, &tok);

		if (how == FIT)
			return row;
		miss(t, row, &e, how, at, &tok, at < n ? words[at] : NULL);
	}
	complain_expected(&e, words, n);
	return NULL;
}

int cmd_run(struct testpmd *t, const struct cmd *table, char *line)
{
	char *words[MAX_WORDS];
	const struct cmd *row;
	struct args a;
	size_t n;

	if (cmd_split(line, words, &n) < 0)
		return -1;
	if (n == 0)
		return 0;
	row = cmd_parse(t, table, words, n, &a);
	if (row == NULL)
		return -1;
	for (uint16_t i = 0; !a.ports_given && i < t->n_ports; i++)
		if (t->ports[i].port != NULL)
			a.ports[a.n_ports++] = &t->ports[i];
	return row->fn(t, &a);
}

/* ---- help ---- */

void cmd_complete(struct testpmd *t, const struct cmd *table, char *const *words, size_t n,
	const char *start, void (*fn)(void *arg, const char *word), void *arg)
{
	for (const struct cmd *row = table; row->syntax != NULL; row++) {
		struct token tok;
		struct args a;
		size_t at;

		/* all words fit, and there is a place for another */
		switch (fit(t, row, words, n, &a, &at, &tok)) {
		case FIT:
			if (at != n || tok.text[0] == '\0')
				continue;
			break;
		case MISSING:
			break;
		default:
			continue;
		}
		arg_values(t, &tok, start, fn, arg);
	}
}

/* Do the words begin the syntax? */
static bool begins(const char *syntax, char *const *words, size_t n)
{
	struct token tok;

	for (size_t i = 0; i < n; i++)
		if (!next_token(&syntax, &tok) || !arg_named(&tok, words[i]))
			return false;
	return true;
}

size_t cmd_help(FILE *f, const struct cmd *table, char *const *words, size_t n)
{
	size_t rows = 0;

	for (const struct cmd *row = table; row->syntax != NULL; row++) {
		if (!begins(row->syntax, words, n))
			continue;
		fprintf(f, "  %-44s %s\n", row->syntax, row->help);
		rows++;
	}
	return rows;
}
