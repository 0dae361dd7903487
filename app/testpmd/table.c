/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows are kept as text until the widths are known. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

enum { MAX_COLUMNS = 16 };

struct table {
	char **rows; /* the first: the headings */
	size_t n, size;
	size_t width[MAX_COLUMNS];
	bool text[MAX_COLUMNS]; /* has a cell that is no number */
};

/* The next cell of a row; false at its end. */
static bool cell(const char **row, const char **text, size_t *len)
{
	if (*row == NULL)
		return false;
	*text = *row;
	*len = strcspn(*row, "\t");
	*row = (*row)[*len] != '\0' ? *row + *len + 1 : NULL;
	return true;
}

static void measure(struct table *tb, const char *row, bool heading)
{
	const char *text;
	size_t len;

	for (size_t i = 0; i < MAX_COLUMNS && cell(&row, &text, &len); i++) {
		if (tb->width[i] < len)
			tb->width[i] = len;
		if (!heading && len != 0 && !isdigit((unsigned char)*text) && *text != '-')
			tb->text[i] = true;
	}
}

static void add(struct table *tb, char *row)
{
	if (tb->n == tb->size) {
		size_t size = tb->size != 0 ? 2 * tb->size : 16;
		char **rows = realloc(tb->rows, size * sizeof(*rows));

		if (rows == NULL) {
			free(row);
			return;
		}
		tb->rows = rows;
		tb->size = size;
	}
	measure(tb, row, tb->n == 0);
	tb->rows[tb->n++] = row;
}

struct table *table_new(const char *headings)
{
	struct table *tb = calloc(1, sizeof(*tb));
	char *row = strdup(headings);

	if (tb == NULL || row == NULL) {
		free(tb);
		free(row);
		return NULL;
	}
	add(tb, row);
	return tb;
}

void table_row(struct table *tb, const char *fmt, ...)
{
	char *row = NULL;
	va_list ap;
	int len;

	if (tb == NULL)
		return;
	va_start(ap, fmt);
	len = vasprintf(&row, fmt, ap);
	va_end(ap);
	if (len >= 0)
		add(tb, row);
}

static void print_row(const struct table *tb, const char *row, FILE *f)
{
	const char *text;
	size_t len;

	for (size_t i = 0; i < MAX_COLUMNS && cell(&row, &text, &len); i++) {
		int pad = (int)(tb->width[i] - len);

		if (i != 0)
			fputs("  ", f);
		/* nothing behind the last cell of a row */
		if (tb->text[i])
			fprintf(f, "%.*s%*s", (int)len, text, row != NULL ? pad : 0, "");
		else
			fprintf(f, "%*s%.*s", pad, "", (int)len, text);
	}
	fputc('\n', f);
}

void table_print(struct table *tb, FILE *f)
{
	if (tb == NULL)
		return;
	for (size_t i = 0; i < tb->n; i++) {
		if (f != NULL)
			print_row(tb, tb->rows[i], f);
		free(tb->rows[i]);
	}
	free(tb->rows);
	free(tb);
	if (f != NULL)
		fflush(f);
}
