/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The live table: on the top rows of the terminal, which the scrolling region leaves out. All else
 * that is printed, and what is typed, goes on below it.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "queues.h"
#include "shell.h"
#include "table.h"
#include "testpmd.h"

/* Rows that are left for other lines. */
enum { ROWS_BELOW = 4 };

struct live {
	struct queue_row *before;
	size_t n;
	uint64_t ns;
	struct winsize window;
	unsigned height; /* of the table on the screen; 0: none yet */
};

static bool can(const struct testpmd *t)
{
	const char *term = getenv("TERM");

	return t->opt.stats_period_ns != 0 && out_file(t) == stdout && isatty(STDOUT_FILENO) &&
	       term != NULL && strcmp(term, "dumb") != 0;
}

void live_open(struct testpmd *t)
{
	struct live *l;

	if (t->live != NULL || !can(t))
		return;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return;
	l->before = queues_read(t, &l->n);
	l->ns = plx_clock_ns();
	t->live = l;
}

void live_close(struct testpmd *t)
{
	struct live *l = t->live;

	if (l == NULL)
		return;
	if (l->height != 0)
		fputs("\0337\033[r\0338", stdout);
	fflush(stdout);
	free(l->before);
	free(l);
	t->live = NULL;
}

/* ---- the text ---- */

static void title(
	const struct testpmd *t, FILE *f, const struct queue_row *rows, size_t n, uint64_t ns)
{
	uint64_t rx = 0, tx = 0, dropped = 0;

	for (size_t i = 0; i < n; i++) {
		rx += rows[i].rx;
		tx += rows[i].tx;
		dropped += rows[i].dropped;
	}
	fprintf(f, "mode %s, %s: rx %.3f, tx %.3f Mpps, %.0f drops a second\n", t->opt.mode->name,
		t->forwarding ? "forwarding" : "stopped", per_second(rx, ns) / 1e6,
		per_second(tx, ns) / 1e6, per_second(dropped, ns));
}

static void body(
	const struct testpmd *t, FILE *f, const struct queue_row *rows, size_t n, uint64_t ns)
{
	struct table *tb = table_new("port\tqueue\tcore\trx pps\ttx pps\trx Mbit/s\ttx Mbit/s\t"
				     "drops/s\tcycles/packet\tburst");

	for (size_t i = 0; i < n; i++) {
		const struct queue_row *r = &rows[i];
		char core[16];

		table_row(tb, "%u\t%u\t%s\t%.0f\t%.0f\t%.1f\t%.1f\t%.0f\t%.1f\t%.1f", r->port,
			r->queue, stream_core(t, r->stream, core), per_second(r->rx, ns),
			per_second(r->tx, ns), per_second(r->rx_bytes, ns) * 8 / 1e6,
			per_second(r->tx_bytes, ns) * 8 / 1e6, per_second(r->dropped, ns),
			ratio(r->busy_cycles, r->busy_packets), ratio(r->burst_packets, r->bursts));
	}
	table_print(tb, f);
}

/* All lines of the table in one text to free, or NULL. */
static char *text(struct testpmd *t)
{
	struct live *l = t->live;
	size_t n, size;
	struct queue_row *now = queues_read(t, &n), *rows;
	uint64_t ns = plx_clock_ns();
	char *buf = NULL;
	FILE *f;

	if (now == NULL)
		return NULL;
	rows = malloc((n + 1) * sizeof(*rows));
	f = rows != NULL ? open_memstream(&buf, &size) : NULL;
	if (f != NULL) {
		memcpy(rows, now, n * sizeof(*rows));
		queues_since(rows, n, l->before, l->n);
		title(t, f, rows, n, ns - l->ns);
		body(t, f, rows, n, ns - l->ns);
		fclose(f);
	}
	free(rows);
	free(l->before);
	l->before = now;
	l->n = n;
	l->ns = ns;
	return buf;
}

/* ---- the screen ---- */

/* Makes room for so many rows at the top. */
static void make_room(struct live *l, unsigned height, bool resized)
{
	unsigned rows = l->window.ws_row;

	shell_aside();
	if (l->height == 0 && !resized) {
		/* what is there moves up, into what the terminal remembers */
		printf("\033[%u;1H", rows);
		for (unsigned i = 0; i < height; i++)
			putchar('\n');
		printf("\033[%u;%ur\033[%u;1H", height + 1, rows, rows);
	} else {
		printf("\033[r\033[2J\033[%u;%ur\033[%u;1H", height + 1, rows, height + 1);
	}
	l->height = height;
}

static void paint(struct live *l, const char *p)
{
	fputs("\0337", stdout);
	for (unsigned row = 1; row <= l->height; row++) {
		size_t len = strcspn(p, "\n");

		printf("\033[%u;1H%.*s\033[K", row, (int)PLX_MIN(len, (size_t)l->window.ws_col), p);
		p += p[len] != '\0' ? len + 1 : len;
	}
	fputs("\0338", stdout);
	fflush(stdout);
}

void live_draw(struct testpmd *t)
{
	struct live *l = t->live;
	struct winsize now = {.ws_row = 24, .ws_col = 80};
	unsigned height = 0;
	bool resized;
	char *lines;

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &now);
	resized = l->window.ws_row != 0 &&
		  (l->window.ws_row != now.ws_row || l->window.ws_col != now.ws_col);
	l->window = now;
	lines = text(t);
	if (lines == NULL || now.ws_row <= ROWS_BELOW + 2 || now.ws_col < 20) {
		free(lines);
		return;
	}
	for (const char *p = lines; *p != '\0'; p++)
		height += *p == '\n';
	height = PLX_MIN(height, (unsigned)now.ws_row - ROWS_BELOW);
	if (height != l->height || resized)
		make_room(l, height, resized);
	paint(l, lines);
	free(lines);
}
