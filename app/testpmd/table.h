/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables for people: as wide as their cells, numbers to the right. */
#ifndef TABLE_H
#define TABLE_H

#include <stdio.h>

#include "plx_base.h"

struct table;

/* Headings, with a tab between; NULL when there is no memory, which the others take too. */
struct table *table_new(const char *headings);
/* A row: cells, with a tab between. */
void table_row(struct table *tb, const char *fmt, ...) PLX_PRINTF(2, 3);
/* Prints it, unless f is NULL, and frees it. */
void table_print(struct table *tb, FILE *f);

#endif
