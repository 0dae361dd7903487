/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to lib/opt: a parsed device string. */
#ifndef PLX_OPTS_PRIVATE_H
#define PLX_OPTS_PRIVATE_H

#include "plx_opt.h"

/* One key=value; value is NULL for a key alone. */
struct plx_opt {
	const char *key, *value;
	bool used;
};

struct plx_opts {
	char *text;    /* as it was given */
	char *strings; /* kind, address, keys and values, unescaped */
	const char *kind, *address;
	struct plx_opt *opt; /* in the order given */
	size_t n, size;
	const char **known; /* the keys that somebody asked for, each once */
	size_t n_known, known_size;
};

/* For messages: the text, shortened. Use: plx_err(EINVAL, OPTS_FMT ": ...", OPTS_ARG(text)). */
#define OPTS_FMT       "%.80s%s"
#define OPTS_ARG(text) (text), strlen(text) > 80 ? "..." : ""

/* The same for a key or a value. */
#define WORD_FMT       "'%.40s%s'"
#define WORD_ARG(text) (text), strlen(text) > 40 ? "..." : ""

/*
 * The number, size or time that is all of text, into *out. -EINVAL: it is none; -ERANGE: it does not
 * fit 64 bits. No message.
 */
int plx_opt_number(const char *text, uint64_t *out);
int plx_opt_size(const char *text, uint64_t *out);
int plx_opt_time(const char *text, uint64_t *out);
int plx_opt_bool(const char *text, bool *out);

/* Makes a[n] one larger if n is *size. -ENOMEM, with a message. */
int plx_opt_grow(void **a, size_t n, size_t *size, size_t element);

#endif
