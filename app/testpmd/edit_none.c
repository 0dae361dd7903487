/* SPDX-License-Identifier: BSD-3-Clause */
/* Built without libedit: lines are read as the terminal gives them. */
#include "shell.h"

struct edit *edit_open(struct testpmd *t)
{
	return NULL;
}

const char *edit_line(struct edit *e)
{
	return NULL;
}

void edit_close(struct edit *e)
{
}

void edit_aside(struct edit *e)
{
}
