/* SPDX-License-Identifier: BSD-3-Clause */
/* Values: numbers, sizes, times, on and off. */
#include <strings.h>

#include "plx_log.h"
#include "opts.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{"", 1},
	{"k", UINT64_C(1) << 10},
	{"m", UINT64_C(1) << 20},
	{"g", UINT64_C(1) << 30},
};

static const struct unit time_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
};

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

/*
 * The number at the start of text, decimal or after "0x" hexadecimal, into *out; *end is what follows
 * it. strtoull() would take a sign, spaces and octal.
 */
static int take_number(const char *text, const char **end, uint64_t *out)
{
	unsigned base = 10;
	bool over = false;
	const char *start;
	uint64_t v = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	for (start = text; digit_value(*text) < base; text++) {
		over |= __builtin_mul_overflow(v, (uint64_t)base, &v);
		over |= __builtin_add_overflow(v, (uint64_t)digit_value(*text), &v);
	}
	if (text == start)
		return -EINVAL;
	*end = text;
	*out = v;
	return over ? -ERANGE : 0;
}

/* A number and one of the units. A text that is wrong anyway is -EINVAL, however large. */
static int take_unit(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
	const char *end;
	uint64_t v;
	int err = take_number(text, &end, &v);

	if (err == -EINVAL)
		return err;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(end, units[i].name) != 0)
			continue;
		if (err < 0 || __builtin_mul_overflow(v, units[i].factor, &v))
			return -ERANGE;
		*out = v;
		return 0;
	}
	return -EINVAL;
}

int plx_opt_number(const char *text, uint64_t *out)
{
	return take_unit(text, size_units, 1, out);
}

int plx_opt_size(const char *text, uint64_t *out)
{
	return take_unit(text, size_units, PLX_ARRAY_SIZE(size_units), out);
}

int plx_opt_time(const char *text, uint64_t *out)
{
	uint64_t v;

	if (plx_opt_number(text, &v) == 0 && v == 0) {
		*out = 0;
		return 0;
	}
	return take_unit(text, time_units, PLX_ARRAY_SIZE(time_units), out);
}

int plx_opt_bool(const char *text, bool *out)
{
	static const char *const names[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(names); i++) {
		if (strcasecmp(text, names[i]) == 0) {
			*out = i % 2 != 0;
			return 0;
		}
	}
	return -EINVAL;
}

static int report(int err, const char *text, const char *what)
{
	if (err == -ERANGE)
		return plx_err(
			ERANGE, WORD_FMT " is too large: it does not fit 64 bits", WORD_ARG(text));
	return plx_err(EINVAL, WORD_FMT " is not %s", WORD_ARG(text), what);
}

int plx_parse_u64(const char *text, uint64_t *out)
{
	int err = plx_opt_number(text, out);

	return err < 0 ? report(err, text, "a whole number") : 0;
}

int plx_parse_size(const char *text, uint64_t *out)
{
	int err = plx_opt_size(text, out);

	return err < 0 ? report(err, text, "a size: a number with k, m, g or nothing after it") : 0;
}

int plx_parse_time(const char *text, uint64_t *out)
{
	int err = plx_opt_time(text, out);

	return err < 0 ? report(err, text, "a time: a number with ns, us, ms or s after it") : 0;
}

int plx_parse_bool(const char *text, bool *out)
{
	int err = plx_opt_bool(text, out);

	return err < 0 ? report(err, text, "on, off, yes, no, true, false, 1 or 0") : 0;
}
