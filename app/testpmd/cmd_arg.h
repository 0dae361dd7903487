/* SPDX-License-Identifier: BSD-3-Clause */
/* One word of a syntax: what it takes. */
#ifndef CMD_ARG_H
#define CMD_ARG_H

#include "cmd.h"

struct token {
	char text[64];
	bool optional;
};

bool arg_is(const struct token *tok, const char *name);
/* Stores the value of a word; false: it has none. */
bool arg_take(struct testpmd *t, const struct cmd *row, const struct token *tok, const char *word,
	struct args *a);
/* Why a word is no value of the token's type; false: the token is a word, and this is another. */
bool arg_why(struct testpmd *t, const struct cmd *row, const struct token *tok, const char *word,
	char *why, size_t size);
/* Calls fn with what the token takes: its words, or the name of its type. */
void arg_list(const struct token *tok, void (*fn)(void *arg, const char *word), void *arg);
/* Calls fn with each value that begins with start. */
void arg_values(struct testpmd *t, const struct token *tok, const char *start,
	void (*fn)(void *arg, const char *word), void *arg);
/* Is it the word, one of the words, or the name of the type? */
bool arg_named(const struct token *tok, const char *word);

#endif
