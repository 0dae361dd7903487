/* SPDX-License-Identifier: BSD-3-Clause */
/* Device strings: "kind:address,key=value,...". */
#include <stdlib.h>

#include "plx_log.h"
#include "opts.h"

/* Where the parser stands. */
struct scan {
	const char *in; /* what is left of the text */
	char *out;      /* where the next unescaped byte goes */
};

static size_t kind_length(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
}

/*
 * Takes one part of the text, up to a ',' or the end, into out with a NUL, unescaped. *value is what
 * follows the first unescaped '=', or NULL. 0, or the character after a bad '\' (which may be NUL).
 */
static int take_part(struct scan *s, char **part, char **value, char *bad)
{
	*part = s->out;
	*value = NULL;
	while (*s->in != '\0' && *s->in != ',') {
		char c = *s->in++;

		if (c == '\\') {
			c = *s->in;
			if (c != ',' && c != '=' && c != '\\') {
				*bad = c;
				return -EINVAL;
			}
			s->in++;
		} else if (c == '=' && *value == NULL) {
			c = '\0';
			*value = s->out + 1;
		}
		*s->out++ = c;
	}
	*s->out++ = '\0';
	return 0;
}

static int bad_escape(const struct plx_opts *o, char bad)
{
	if (bad == '\0')
		return plx_err(EINVAL,
			"device string '" OPTS_FMT "' ends with a '\\'; write '\\\\' for one",
			OPTS_ARG(o->text));
	return plx_err(EINVAL,
		"device string '" OPTS_FMT "': '\\' stands only before ',', '=' and '\\'; "
		"write '\\\\' for one",
		OPTS_ARG(o->text));
}

static int add_option(struct plx_opts *o, const char *key, const char *value)
{
	int err;

	if (*key == '\0')
		return plx_err(EINVAL, "device string '" OPTS_FMT "': option %zu has no key",
			OPTS_ARG(o->text), o->n + 1);
	if (plx_opts_has(o, key))
		return plx_err(EINVAL,
			"device string '" OPTS_FMT "': option " WORD_FMT " is given twice",
			OPTS_ARG(o->text), WORD_ARG(key));
	err = plx_opt_grow((void **)&o->opt, o->n, &o->size, sizeof(*o->opt));
	if (err < 0)
		return err;
	o->opt[o->n++] = (struct plx_opt){.key = key, .value = value};
	return 0;
}

/* All that follows the kind's ':'. */
static int take_parts(struct plx_opts *o, struct scan *s)
{
	bool first = true;

	for (;;) {
		char *part, *value, bad = '\0';
		int err = take_part(s, &part, &value, &bad);

		if (err < 0)
			return bad_escape(o, bad);
		if (first && value == NULL)
			o->address = part;
		else
			err = add_option(o, part, value);
		if (err < 0 || *s->in == '\0')
			return err;
		s->in++; /* the ',' */
		first = false;
	}
}

static int parse(struct plx_opts *o)
{
	size_t n = kind_length(o->text);
	struct scan s = {o->text + n, o->strings};

	if (n == 0 || (*s.in != ':' && *s.in != '\0'))
		return plx_err(EINVAL,
			"device string '" OPTS_FMT
			"' has no kind; it is written kind:address,key=value,...",
			OPTS_ARG(o->text));
	memcpy(s.out, o->text, n);
	o->kind = s.out;
	s.out[n] = '\0';
	o->address = s.out + n; /* "" */
	s.out += n + 1;
	if (*s.in == '\0' || *++s.in == '\0')
		return 0;
	return take_parts(o, &s);
}

int plx_opts_parse(const char *text, struct plx_opts **out)
{
	struct plx_opts *o;
	size_t len;
	int err = -ENOMEM;

	*out = NULL;
	if (text == NULL)
		return plx_err(EINVAL, "device string is NULL");
	len = strnlen(text, PLX_OPTS_TEXT_MAX + 1);
	if (len > PLX_OPTS_TEXT_MAX)
		return plx_err(EINVAL, "device string '" OPTS_FMT "' is longer than %d bytes",
			OPTS_ARG(text), PLX_OPTS_TEXT_MAX);
	o = calloc(1, sizeof(*o));
	if (o != NULL) {
		o->text = strdup(text);
		/* What is unescaped is no longer than the text, and kind gets one more NUL. */
		o->strings = malloc(len + 2);
	}
	if (o == NULL || o->text == NULL || o->strings == NULL)
		plx_err(ENOMEM, "device string '" OPTS_FMT "': out of memory", OPTS_ARG(text));
	else
		err = parse(o);
	if (err < 0) {
		plx_opts_free(o);
		return err;
	}
	*out = o;
	return 0;
}

void plx_opts_free(struct plx_opts *o)
{
	if (o == NULL)
		return;
	free(o->known);
	free(o->opt);
	free(o->strings);
	free(o->text);
	free(o);
}

const char *plx_opts_kind(const struct plx_opts *o)
{
	return o->kind;
}

const char *plx_opts_address(const struct plx_opts *o)
{
	return o->address;
}

const char *plx_opts_text(const struct plx_opts *o)
{
	return o->text;
}
