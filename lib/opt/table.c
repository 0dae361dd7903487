/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of options applied to a parsed device string. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "plx_log.h"
#include "opts.h"

int plx_opt_grow(void **a, size_t n, size_t *size, size_t element)
{
	size_t more = *size == 0 ? 8 : *size * 2;
	void *p;

	if (n < *size)
		return 0;
	p = reallocarray(*a, more, element);
	if (p == NULL)
		return plx_err(ENOMEM, "device string: out of memory for %zu options", more);
	*a = p;
	*size = more;
	return 0;
}

static struct plx_opt *find(const struct plx_opts *o, const char *key)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->opt[i].key, key) == 0)
			return &o->opt[i];
	return NULL;
}

bool plx_opts_has(const struct plx_opts *o, const char *key)
{
	return find(o, key) != NULL;
}

/* Adds a key to the list that plx_opts_finish() prints. */
static int make_known(struct plx_opts *o, const char *key)
{
	int err;

	for (size_t i = 0; i < o->n_known; i++)
		if (strcmp(o->known[i], key) == 0)
			return 0;
	err = plx_opt_grow((void **)&o->known, o->n_known, &o->known_size, sizeof(*o->known));
	if (err < 0)
		return err;
	o->known[o->n_known++] = key;
	return 0;
}

const char *plx_opts_take_str(struct plx_opts *o, const char *key)
{
	struct plx_opt *opt = find(o, key);

	if (make_known(o, key) < 0)
		plx_err_clear(); /* the key is taken all the same */
	if (opt == NULL)
		return NULL;
	opt->used = true;
	return opt->value != NULL ? opt->value : "";
}

static uint64_t upper_limit(const struct plx_opt_def *def)
{
	uint64_t max = def->max != 0 ? def->max : UINT64_MAX;

	return def->type == PLX_OPT_U32 ? PLX_MIN(max, (uint64_t)UINT32_MAX) : max;
}

/* v in the largest unit that it is a whole number of. */
static void print_unit(char *buf, size_t size, enum plx_opt_type type, uint64_t v)
{
	static const char *const sizes[] = {"", "k", "m", "g"}, *const times[] = {
									"ns", "us", "ms", "s"};
	const char *const *units = type == PLX_OPT_TIME ? times : sizes;
	uint64_t step = type == PLX_OPT_TIME ? 1000 : 1024;
	unsigned i = 0;

	for (; i < 3 && v != 0 && v % step == 0 && type != PLX_OPT_U32 && type != PLX_OPT_U64; i++)
		v /= step;
	snprintf(buf, size, "%" PRIu64 "%s", v,
		type == PLX_OPT_SIZE || type == PLX_OPT_TIME ? units[i] : "");
}

static void print_range(char *buf, size_t size, const struct plx_opt_def *def)
{
	const char *what = "a whole number";
	char min[32], max[32];

	if (def->type == PLX_OPT_SIZE)
		what = "a size (a number with k, m, g or nothing after it)";
	else if (def->type == PLX_OPT_TIME)
		what = "a time (a number with ns, us, ms or s after it)";
	print_unit(min, sizeof(min), def->type, def->min);
	print_unit(max, sizeof(max), def->type, upper_limit(def));
	if (upper_limit(def) != UINT64_MAX)
		snprintf(buf, size, "%s from %s to %s", what, min, max);
	else if (def->min != 0)
		snprintf(buf, size, "%s of at least %s", what, min);
	else
		snprintf(buf, size, "%s", what);
}

static void print_names(char *buf, size_t size, const char *const *names)
{
	size_t len = (size_t)snprintf(buf, size, "one of");

	for (size_t i = 0; names != NULL && names[i] != NULL && len < size; i++)
		len += (size_t)snprintf(
			buf + len, size - len, "%s %s", i == 0 ? "" : ",", names[i]);
}

/* The error of a value that is not as the table wants it. */
static int bad_value(
	const struct plx_opts *o, const struct plx_opt *opt, const struct plx_opt_def *def, int err)
{
	char want[256];

	if (def->type == PLX_OPT_ENUM)
		print_names(want, sizeof(want), def->names);
	else if (def->type == PLX_OPT_BOOL)
		snprintf(want, sizeof(want), "on or off");
	else if (def->type == PLX_OPT_STR)
		snprintf(want, sizeof(want), "a text");
	else
		print_range(want, sizeof(want), def);
	if (opt->value == NULL)
		return plx_err(-err, OPTS_FMT ": option '%s' needs a value: %s", OPTS_ARG(o->text),
			opt->key, want);
	return plx_err(-err, OPTS_FMT ": option '%s' is " WORD_FMT ": it must be %s",
		OPTS_ARG(o->text), opt->key, WORD_ARG(opt->value), want);
}

/* A number of any kind, in its range. */
static int store_number(const char *value, const struct plx_opt_def *def, void *field)
{
	uint64_t v = 0;
	int err;

	if (def->type == PLX_OPT_SIZE)
		err = plx_opt_size(value, &v);
	else if (def->type == PLX_OPT_TIME)
		err = plx_opt_time(value, &v);
	else
		err = plx_opt_number(value, &v);
	if (err < 0)
		return err;
	if (v < def->min || v > upper_limit(def))
		return -ERANGE;
	if (def->type == PLX_OPT_U32)
		*(uint32_t *)field = (uint32_t)v;
	else
		*(uint64_t *)field = v;
	return 0;
}

static int store_enum(const char *value, const struct plx_opt_def *def, void *field)
{
	for (int i = 0; def->names != NULL && def->names[i] != NULL; i++) {
		if (strcmp(def->names[i], value) == 0) {
			*(int *)field = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int store(const char *value, const struct plx_opt_def *def, void *out)
{
	void *field = (char *)out + def->offset;

	if (value == NULL && def->type != PLX_OPT_BOOL)
		return -EINVAL;
	switch (def->type) {
	case PLX_OPT_U32:
	case PLX_OPT_U64:
	case PLX_OPT_SIZE:
	case PLX_OPT_TIME:
		return store_number(value, def, field);
	case PLX_OPT_BOOL:
		return plx_opt_bool(value != NULL ? value : "on", field);
	case PLX_OPT_STR:
		*(const char **)field = value;
		return 0;
	case PLX_OPT_ENUM:
		return store_enum(value, def, field);
	}
	return -EINVAL;
}

int plx_opts_apply(struct plx_opts *o, const struct plx_opt_def *defs, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++) {
		int err = make_known(o, defs[i].key);

		if (err < 0)
			return err;
	}
	for (size_t i = 0; i < n; i++) {
		struct plx_opt *opt = find(o, defs[i].key);
		int err;

		if (opt == NULL)
			continue;
		err = store(opt->value, &defs[i], out);
		if (err < 0)
			return bad_value(o, opt, &defs[i], err);
		opt->used = true;
	}
	return 0;
}

static int unknown_option(const struct plx_opts *o, const char *key)
{
	const char *nearest = plx_opt_nearest(key, o->known, o->n_known);
	char list[PLX_ERRMSG_SIZE] = "";
	size_t len = 0;

	if (o->n_known == 0)
		return plx_err(EINVAL, OPTS_FMT ": unknown option " WORD_FMT "; it has no options",
			OPTS_ARG(o->text), WORD_ARG(key));
	for (size_t i = 0; i < o->n_known && len < sizeof(list); i++)
		len += (size_t)snprintf(
			list + len, sizeof(list) - len, "%s%s", i == 0 ? "" : ", ", o->known[i]);
	/* The nearest one comes first: a long list is cut. */
	return plx_err(EINVAL, OPTS_FMT ": unknown option " WORD_FMT "%s%s%s; known are: %s",
		OPTS_ARG(o->text), WORD_ARG(key), nearest != NULL ? " (did you mean '" : "",
		nearest != NULL ? nearest : "", nearest != NULL ? "'?)" : "", list);
}

int plx_opts_finish(struct plx_opts *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (!o->opt[i].used)
			return unknown_option(o, o->opt[i].key);
	return 0;
}
