/* SPDX-License-Identifier: BSD-3-Clause */
/* Where commands come from: a file, a pipe, a terminal. */
#ifndef SHELL_H
#define SHELL_H

#include "testpmd.h"

/* Runs the commands of a file. -1 after complain(): a command failed, and those after it were not run. */
int shell_file(struct testpmd *t, const char *path);
/* Runs commands from standard input until quit, its end or a signal. -1: one failed, of a pipe. */
int shell_run(struct testpmd *t);
/* Control work while the shell waits for input. */
void shell_tick(struct testpmd *t);
/* Puts what is being typed out of the way of a line that is printed in between. */
void shell_aside(void);

/* edit.c: lines of a terminal; without libedit there is none. */
struct edit;
struct edit *edit_open(struct testpmd *t);
/* The next line, of edit's; NULL at the end of input and after a signal. */
const char *edit_line(struct edit *e);
void edit_close(struct edit *e);
/* The line that is typed must be drawn anew before more is read; on another row if the screen is new. */
void edit_aside(struct edit *e);

#endif
