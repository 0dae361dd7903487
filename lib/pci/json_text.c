/* SPDX-License-Identifier: BSD-3-Clause */
/* Walking over the values of JSON text (json_text.h). */
#include <string.h>

#include "json_text.h"

#define DEPTH_MAX 32

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* All skip_*() return where the text goes on, or NULL where it is not JSON. */
static const char *skip_string(const char *p)
{
	if (*p != '"')
		return NULL;
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
	}
	return p + 1;
}

static const char *skip_word(const char *p)
{
	size_t n = strspn(p, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");

	return n == 0 ? NULL : p + n;
}

static const char *skip_value(const char *p, unsigned depth);

/* An object or an array; calls itself through skip_value(), DEPTH_MAX deep at most. */
static const char *skip_group(const char *p, unsigned depth)
{
	const char close = *p == '{' ? '}' : ']';
	const bool object = *p == '{';

	if (depth >= DEPTH_MAX)
		return NULL;
	p = skip_space(p + 1);
	if (*p == close)
		return p + 1;
	for (;;) {
		if (object) {
			p = skip_string(p);
			p = p != NULL ? skip_space(p) : NULL;
			if (p == NULL || *p != ':')
				return NULL;
			p = skip_space(p + 1);
		}
		p = skip_value(p, depth + 1);
		p = p != NULL ? skip_space(p) : NULL;
		if (p == NULL)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p != ',')
			return NULL;
		p = skip_space(p + 1);
	}
}

static const char *skip_value(const char *p, unsigned depth)
{
	if (*p == '"')
		return skip_string(p);
	if (*p == '{' || *p == '[')
		return skip_group(p, depth);
	return skip_word(p);
}

bool json_text_object(const char *text)
{
	const char *p = skip_space(text), *end;

	return *p == '{' && (end = skip_group(p, 0)) != NULL && *skip_space(end) == '\0';
}

bool json_text_member(const char *text, const char *key, const char **value, size_t *len)
{
	const char *p = skip_space(text), *name;
	size_t n;

	if (!json_text_object(text))
		return false;
	/* It is well-formed: from here on nothing is missing. */
	for (p = skip_space(p + 1); *p == '"';) {
		name = p + 1;
		p = skip_string(p);
		n = (size_t)(p - 1 - name);
		*value = skip_space(skip_space(p) + 1);
		p = skip_value(*value, 1);
		*len = (size_t)(p - *value);
		if (n == strlen(key) && strncmp(name, key, n) == 0)
			return true;
		p = skip_space(p);
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return false;
}

bool json_text_quote(char *buf, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~' || n + 3 > size)
			return false;
		if (*s == '"' || *s == '\\')
			buf[n++] = '\\';
		buf[n++] = *s;
	}
	if (n >= size)
		return false;
	buf[n] = '\0';
	return true;
}

bool json_text_u64(const char *value, size_t len, uint64_t *out)
{
	uint64_t v = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)value[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}
