/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of a terminal, with libedit: history, completion. The thread that waits for a key is the one
 * in control, so it does control work between two of them.
 */
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "cmd.h"
#include "shell.h"

enum { TICK_MS = 5, LINES_KEPT = 500, MAX_CHOICES = 128 };

struct edit {
	struct testpmd *t;
	EditLine *el;
	History *history;
	mbstate_t partial; /* of a character of several bytes */
	struct winsize window;
	bool aside; /* the line must be drawn anew */
};

static char *prompt(EditLine *el)
{
	static char text[] = "testpmd> ";

	return text;
}

static struct edit *of(EditLine *el)
{
	void *e = NULL;

	el_get(el, EL_CLIENTDATA, &e);
	return e;
}

void edit_aside(struct edit *e)
{
	if (e->aside)
		return;
	fputs("\r\033[K", stdout);
	fflush(stdout);
	e->aside = true;
}

/* ---- completion ---- */

struct choices {
	char *word[MAX_CHOICES];
	size_t n;
};

static void choose(void *arg, const char *word)
{
	struct choices *c = arg;

	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->word[i], word) == 0)
			return;
	if (c->n < MAX_CHOICES && (c->word[c->n] = strdup(word)) != NULL)
		c->n++;
}

/* Characters that all choices begin with. */
static size_t common(const struct choices *c)
{
	size_t len = strlen(c->word[0]);

	for (size_t i = 1; i < c->n; i++) {
		size_t k = 0;

		while (k < len && c->word[i][k] == c->word[0][k])
			k++;
		len = k;
	}
	return len;
}

static void list(const struct choices *c)
{
	putchar('\n');
	for (size_t i = 0; i < c->n; i++)
		printf("%s%s", i != 0 ? "  " : "", c->word[i]);
	putchar('\n');
	fflush(stdout);
}

/* The words before the cursor; start is what there is of the last. */
static size_t before_cursor(char *line, char *words[MAX_WORDS], const char **start)
{
	size_t n = 0, len = strlen(line);
	bool open = len != 0 && line[len - 1] != ' ';
	char *save = NULL;

	for (char *w = strtok_r(line, " ", &save); w != NULL && n < MAX_WORDS;
		w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	*start = open && n != 0 ? words[--n] : "";
	return n;
}

/* Puts in what all choices have in common, or lists them; the line is drawn anew. */
static void complete(struct edit *e)
{
	const LineInfo *li = el_line(e->el);
	char line[MAX_LINE], *words[MAX_WORDS], text[64];
	struct choices c = {.n = 0};
	const char *start;
	size_t n;

	snprintf(line, sizeof(line), "%.*s", (int)(li->cursor - li->buffer), li->buffer);
	n = before_cursor(line, words, &start);
	cmd_complete(e->t, commands, words, n, start, choose, &c);
	if (c.n == 0) {
		el_beep(e->el);
		return;
	}
	snprintf(text, sizeof(text), "%.*s%s", (int)(common(&c) - strlen(start)),
		c.word[0] + strlen(start), c.n == 1 ? " " : "");
	if (text[0] == '\0')
		list(&c);
	else
		(void)el_insertstr(e->el, text);
	edit_aside(e);
	for (size_t i = 0; i < c.n; i++)
		free(c.word[i]);
}

/* ---- keys ---- */

static void draw_anew(struct edit *e)
{
	if (!e->aside)
		return;
	e->aside = false;
	el_set(e->el, EL_REFRESH);
}

static void between_keys(struct edit *e)
{
	struct winsize now;

	shell_tick(e->t);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 &&
		(now.ws_row != e->window.ws_row || now.ws_col != e->window.ws_col)) {
		e->window = now;
		el_resize(e->el);
	}
	draw_anew(e);
}

/* One character into *c: 1, 0 at the end, -1 after a signal. */
static int get_key(EditLine *el, wchar_t *c)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	struct edit *e = of(el);

	for (;;) {
		char byte;
		size_t n;

		while (poll(&p, 1, TICK_MS) <= 0) {
			if (was_interrupted())
				return -1;
			between_keys(e);
		}
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return 0;
		/* here, and not as a function of libedit's, which never frees its name */
		if (byte == '\t') {
			complete(e);
			draw_anew(e);
			continue;
		}
		n = mbrtowc(c, &byte, 1, &e->partial);
		if (n == (size_t)-2)
			continue;
		if (n == (size_t)-1) {
			memset(&e->partial, 0, sizeof(e->partial));
			*c = L'?';
		}
		return 1;
	}
}

/* ---- for shell.c ---- */

struct edit *edit_open(struct testpmd *t)
{
	struct edit *e = calloc(1, sizeof(*e));
	HistEvent ev;

	if (e == NULL)
		return NULL;
	(void)setlocale(LC_CTYPE, "");
	e->t = t;
	e->el = el_init("plx-testpmd", stdin, stdout, stderr);
	e->history = history_init();
	if (e->el == NULL || e->history == NULL) {
		edit_close(e);
		return NULL;
	}
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &e->window);
	history(e->history, &ev, H_SETSIZE, LINES_KEPT);
	history(e->history, &ev, H_SETUNIQUE, 1);
	el_set(e->el, EL_CLIENTDATA, e);
	el_set(e->el, EL_PROMPT, prompt);
	el_set(e->el, EL_EDITOR, "emacs");
	el_set(e->el, EL_HIST, history, e->history);
	el_set(e->el, EL_GETCFN, get_key);
	el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	return e;
}

const char *edit_line(struct edit *e)
{
	HistEvent ev;
	const char *line;
	int n = 0;

	/* before the prompt: what is typed as soon as it shows would be echoed by the terminal, too */
	el_set(e->el, EL_PREP_TERM, 1);
	line = el_gets(e->el, &n);
	if (line == NULL || n <= 0)
		return NULL;
	if (strspn(line, " \t\n") != strlen(line))
		history(e->history, &ev, H_ENTER, line);
	return line;
}

void edit_close(struct edit *e)
{
	if (e == NULL)
		return;
	if (e->history != NULL)
		history_end(e->history);
	if (e->el != NULL)
		el_end(e->el);
	free(e);
}
