/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands. A command is a row of a table: its syntax, what it does, a function. The syntax is words
 * with a blank between:
 *
 *	set promisc PORTS on|off
 *
 *	lower case   itself; a|b|c: one of them, which struct args has in words (on|off: as on)
 *	PORT PORTS   the number of a port; PORTS: also several, 0,2-3, or all
 *	N            a number, from min to max of the row
 *	MODE         a forwarding mode
 *	MAC          an Ethernet address
 *	TIME         seconds, or a time with a unit
 *	TEXT         any one word; in "double quotes" it may have blanks
 *	WORDS        what is left of the line, at least one word
 *	[X]          X or the end of the line
 */
#ifndef CMD_H
#define CMD_H

#include "testpmd.h"

enum { MAX_WORDS = 40, MAX_LINE = 4096, MAX_NUMBERS = 4, MAX_SECONDS = 1000000000 };

struct args {
	struct tp_port *ports[MAX_PORTS]; /* if none were given: all there are */
	size_t n_ports;
	bool ports_given;
	uint64_t n[MAX_NUMBERS];
	unsigned n_n;
	uint64_t ns;
	bool on;
	struct plx_mac mac;
	const struct fwd_mode *mode;
	const char *words[4]; /* those chosen of a|b|c, in their order; word: the last of them */
	size_t n_words;
	const char *word;
	const char *text;
	char *const *rest; /* of WORDS */
	size_t n_rest;
};

struct cmd {
	const char *syntax, *help;
	/* 0, or -1 after complain() */
	int (*fn)(struct testpmd *t, const struct args *a);
	uint64_t min, max; /* of N */
};

/* commands.c: all of them; ends with a row of NULL. */
extern const struct cmd commands[];

/* A line cut into words, in place: " is taken out, # begins a comment. -1 after complain(). */
int cmd_split(char *line, char *words[MAX_WORDS], size_t *n);
/*
 * The row that the words are, and their values; NULL after complain(), which names the word that is
 * wrong, what was expected there and what is nearest to it.
 */
const struct cmd *cmd_parse(
	struct testpmd *t, const struct cmd *table, char *const *words, size_t n, struct args *a);
/* Does what a line says, which is changed. 0 also for one without words. */
int cmd_run(struct testpmd *t, const struct cmd *table, char *line);

/*
 * What may come next where n words stand before: calls fn with each word that begins with start, once
 * or more often.
 */
void cmd_complete(struct testpmd *t, const struct cmd *table, char *const *words, size_t n,
	const char *start, void (*fn)(void *arg, const char *word), void *arg);
/* Prints the rows that begin with the words; how many they were. */
size_t cmd_help(FILE *f, const struct cmd *table, char *const *words, size_t n);

/* An address; false: it is none. */
bool cmd_mac(const char *text, struct plx_mac *mac);
/* Seconds, also with a fraction, or a time with a unit (2, 0.5, 200ms), up to max_s s; false: it is none. */
bool cmd_time(const char *text, uint64_t max_s, uint64_t *ns);

#endif
