/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device strings and tables of options.
 *
 *	kind:address,key=value,key,...		pci:0000:03:00.0,isa=avx2	pcap:rx=in.pcap,loop=3
 *
 * kind is what stands before the first ':' (letters, digits, '-', '_'); a string without ':' is a
 * kind alone. The first part after it is the address, unless it has a '=' in it. The other parts
 * are options; a key without '=' is the value true. '\' before ',', '=' or '\' takes away its
 * meaning; the first unescaped '=' of a part ends its key, later ones belong to the value.
 *
 * Order of calls: plx_opts_parse(); plx_opts_apply() by each layer that has options, with its own
 * table; plx_opts_finish(), which refuses a key that nobody took; plx_opts_free(). One thread at a
 * time. Parsed text may come from anywhere: it is bounded and never trusted.
 */
#ifndef PLX_OPT_H
#define PLX_OPT_H

#include "plx_base.h"

PLX_BEGIN_DECLS

/* Longest device string, in bytes without its NUL. */
#define PLX_OPTS_TEXT_MAX 4096

struct plx_opts;

/*
 * Parses text into *out, which plx_opts_free() frees; on an error *out is NULL.
 * -EINVAL: text is NULL, over-long, without a kind, has an empty or repeated key, a '\' at its end
 *	or before another character than those above; -ENOMEM.
 */
PLX_API
int plx_opts_parse(const char *text, struct plx_opts **out);

/* Frees what plx_opts_parse() gave, with all strings that came from it. NULL is fine. */
PLX_API
void plx_opts_free(struct plx_opts *o);

/* Kind, address ("" if there is none), and the text as it was given. Valid until plx_opts_free(). */
PLX_API
const char *plx_opts_kind(const struct plx_opts *o);
PLX_API
const char *plx_opts_address(const struct plx_opts *o);
PLX_API
const char *plx_opts_text(const struct plx_opts *o);

enum plx_opt_type {
	PLX_OPT_U32,  /* uint32_t: decimal or 0x hexadecimal */
	PLX_OPT_U64,  /* uint64_t: the same */
	PLX_OPT_SIZE, /* uint64_t, bytes: a number and k, m or g (powers of 1024) or nothing */
	PLX_OPT_BOOL, /* bool: on off yes no true false 1 0, or the key alone */
	PLX_OPT_STR,  /* const char *: owned by the struct plx_opts */
	PLX_OPT_ENUM, /* int: index in names */
	PLX_OPT_TIME, /* uint64_t, nanoseconds: a number and ns, us, ms or s; 0 needs no unit */
};

/* One option: a row of a table that is constant and outlives the struct plx_opts. */
struct plx_opt_def {
	const char *key;
	enum plx_opt_type type;
	size_t offset;            /* of the field in the structure given to plx_opts_apply() */
	uint64_t min, max;        /* numbers, sizes, times: inclusive; max = 0: no upper limit */
	const char *const *names; /* PLX_OPT_ENUM: ends with NULL */
	const char *help;         /* one line, for lists of options */
};

/*
 * Stores the value of each key of the table that was given into its field of *out; fields of other
 * keys stay as they are (so: fill in the defaults first). The keys of the table become known.
 * -EINVAL: a value is not of its type; -ERANGE: it is outside its range; the message names the
 * option, the value and what is allowed; fields before it are already stored. -ENOMEM.
 */
PLX_API
int plx_opts_apply(struct plx_opts *o, const struct plx_opt_def *defs, size_t n, void *out);

/* Whether the key was given. Does not take it. */
PLX_API
bool plx_opts_has(const struct plx_opts *o, const char *key);

/*
 * The value of a key as text, "" for a key alone, NULL if it was not given. Takes the key: it
 * becomes known (if memory allows, else it is missing in the list of plx_opts_finish()).
 * key must outlive o. Valid until plx_opts_free().
 */
PLX_API
const char *plx_opts_take_str(struct plx_opts *o, const char *key);

/*
 * -EINVAL: a key was given that nobody took; the message names it, the nearest known one and all
 * known ones.
 */
PLX_API
int plx_opts_finish(struct plx_opts *o);

/*
 * The number, size or time that is all of text, as the types above have it, into *out.
 * -EINVAL: it is none; -ERANGE: it does not fit 64 bits. The message quotes the text.
 */
PLX_API
int plx_parse_u64(const char *text, uint64_t *out);
PLX_API
int plx_parse_size(const char *text, uint64_t *out);
PLX_API
int plx_parse_time(const char *text, uint64_t *out);
/* -EINVAL: text is not on, off, yes, no, true, false, 1 or 0. */
PLX_API
int plx_parse_bool(const char *text, bool *out);

/* For "did you mean": the one of known[n] that word is a slip away from, or NULL. */
PLX_API
const char *plx_opt_nearest(const char *word, const char *const *known, size_t n);

PLX_END_DECLS

#endif
