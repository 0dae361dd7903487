/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines in, commands out. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "shell.h"

/* How long the shell may wait for input before it does control work, ms. */
enum { TICK_MS = 5 };

/* The editor of the line that is being typed; of the control thread. */
static struct edit *typing;

void shell_aside(void)
{
	if (typing != NULL)
		edit_aside(typing);
}

void shell_tick(struct testpmd *t)
{
	const struct args none = {.n_ports = 0};

	tick(t);
	if (t->forwarding && forward_over(t)) {
		shell_aside();
		(void)cmd_stop(t, &none);
	}
}

int shell_file(struct testpmd *t, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0;
	int err = 0;

	if (f == NULL) {
		complain("--cmdline-file %s: %s", path, strerror(errno));
		return -1;
	}
	while (err == 0 && !t->quit && !was_interrupted() && getline(&line, &size, f) > 0) {
		complain_at(path, ++n);
		err = cmd_run(t, commands, line);
		shell_tick(t);
	}
	complain_at(NULL, 0);
	if (ferror(f)) {
		complain("--cmdline-file %s: %s", path, strerror(errno));
		err = -1;
	}
	free(line);
	fclose(f);
	return err;
}

/* ---- standard input that is no terminal, or without an editor ---- */

struct input {
	char text[MAX_LINE + 1];
	size_t len;
	size_t used; /* of the line given last */
	bool over;
};

/* Waits for more; does control work meanwhile. false: none will come. */
static bool more(struct testpmd *t, struct input *in)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t got;

	while (poll(&p, 1, TICK_MS) <= 0) {
		if (was_interrupted())
			return false;
		shell_tick(t);
	}
	got = read(STDIN_FILENO, in->text + in->len, MAX_LINE - in->len);
	if (got <= 0)
		return false;
	in->len += (size_t)got;
	return true;
}

/* The next line, also one whose end of line is missing; NULL: none. Too long ones come in parts. */
static char *next_line(struct testpmd *t, struct input *in)
{
	char *end;

	memmove(in->text, in->text + in->used, in->len - in->used);
	in->len -= in->used;
	while ((end = memchr(in->text, '\n', in->len)) == NULL && in->len < MAX_LINE && !in->over)
		in->over = !more(t, in);
	if (in->len == 0 || was_interrupted())
		return NULL;
	in->used = end != NULL ? (size_t)(end - in->text) + 1 : in->len;
	in->text[end != NULL ? in->used - 1 : in->used] = '\0';
	return in->text;
}

static int run_plain(struct testpmd *t, bool terminal)
{
	struct input *in = calloc(1, sizeof(*in));
	unsigned n = 0;
	int err = 0;

	while (in != NULL && !t->quit) {
		char *line;

		if (terminal) {
			fputs("testpmd> ", stdout);
			fflush(stdout);
		}
		line = next_line(t, in);
		if (line == NULL)
			break;
		complain_at("stdin", terminal ? 0 : ++n);
		if (cmd_run(t, commands, line) < 0)
			err = -1;
		/* who writes commands into a pipe waits for what they say */
		fflush(out_file(t));
		shell_tick(t);
	}
	free(in);
	return terminal ? 0 : err;
}

/* ---- a terminal ---- */

static void run_edited(struct testpmd *t, struct edit *e)
{
	complain_at("", 0);
	while (!t->quit) {
		const char *typed;
		char *line;

		typing = e;
		typed = edit_line(e);
		typing = NULL;
		if (typed == NULL)
			break;
		line = strdup(typed);
		if (line != NULL)
			(void)cmd_run(t, commands, line);
		free(line);
	}
	if (!t->quit)
		putchar('\n');
}

int shell_run(struct testpmd *t)
{
	bool terminal = isatty(STDIN_FILENO) != 0;
	struct edit *e = terminal ? edit_open(t) : NULL;
	const struct args none = {.n_ports = 0};
	int err = 0;

	live_open(t);
	if (e != NULL)
		run_edited(t, e);
	else
		err = run_plain(t, terminal);
	edit_close(e);
	live_close(t);
	complain_at(NULL, 0);
	if (t->forwarding && cmd_stop(t, &none) < 0)
		err = -1;
	return err;
}
