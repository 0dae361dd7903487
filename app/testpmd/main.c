/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>

#include "shell.h"
#include "testpmd.h"

/* Where the command comes from that runs now; of the control thread. */
static struct {
	const char *file; /* NULL: the command line of the program */
	unsigned line;    /* 0: a terminal */
} at;

void complain_at(const char *file, unsigned line)
{
	at.file = file;
	at.line = line;
}

void complain(const char *fmt, ...)
{
	char text[PLX_ERRMSG_SIZE + 256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	shell_aside();
	fflush(stdout);
	/* one call, so that lines of several threads stay whole */
	if (at.file == NULL)
		fprintf(stderr, "plx-testpmd: %s\n", text);
	else if (at.line != 0)
		fprintf(stderr, "%s:%u: %s\n", at.file, at.line, text);
	else
		fprintf(stderr, "%s\n", text);
}

/* A line of the library's, past what is being typed; other threads leave that alone. */
static void log_line(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	const pthread_t *control = arg;

	if (pthread_equal(pthread_self(), *control))
		shell_aside();
	plx_log_stderr(NULL, level, tag, text);
}

static int open_context(struct testpmd *t)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;

	opts.huge = t->opt.huge;
	opts.isa = t->opt.isa;
	opts.log_level = t->opt.log_level;
	t->control = pthread_self();
	opts.log_fn = log_line;
	opts.log_arg = &t->control;
	opts.stats_path = t->opt.stats_file;
	if (plx_ctx_open(&opts, &t->ctx) == 0)
		return 0;
	complain("%s", plx_errmsg());
	return -1;
}

/* Packets that a port took and could not send are a failure, also when it shows only at stop. */
static int check_sent(struct testpmd *t)
{
	int err = 0;

	for (uint16_t i = 0; i < t->n_ports; i++) {
		struct plx_port_stats s = {0};

		if (t->ports[i].port == NULL || plx_port_stats(t->ports[i].port, &s) < 0 ||
			s.tx_errors == 0)
			continue;
		complain("port %u (%s): packets that could not be sent: %llu", i,
			t->ports[i].device, (unsigned long long)s.tx_errors);
		err = -1;
	}
	return err;
}

static unsigned n_ports(const struct testpmd *t)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < t->n_ports; i++)
		n += t->ports[i].port != NULL;
	return n;
}

/* Commands and forwarding; 0 or -1. */
static int work(struct testpmd *t)
{
	int err = 0;

	signals_catch(true);
	if (t->opt.cmdline_file != NULL)
		err = shell_file(t, t->opt.cmdline_file);
	if (err < 0 && !t->opt.interactive) {
		if (t->forwarding)
			(void)forward_stop(t);
		return err;
	}
	if (t->opt.interactive) {
		if (t->opt.auto_start && !t->forwarding && !t->quit && forward_start(t, 0) < 0)
			err = -1;
		if (shell_run(t) < 0)
			err = -1;
	} else if (!t->quit && n_ports(t) == 0) {
		complain("no port: give --port DEV, or 'port attach DEV' in --cmdline-file");
		err = -1;
	} else if (!t->quit && t->end_ns == 0) { /* not when the file ran to its end */
		live_open(t);
		if (run(t) < 0)
			err = -1;
		live_close(t);
	}
	return err;
}

/* From open ports to results; 0 or -1. */
static int forward(struct testpmd *t)
{
	struct totals now, sum;
	int err;

	/* the streams are there from here on, for commands to look at */
	if (ports_start(t) < 0 || plan_update(t) < 0)
		return -1;
	err = work(t);
	signals_catch(false);
	workers_end(t);
	streams_drop_later(t);
	/* packets that the rings still hold go back to the pool: they were not sent */
	if (ports_stop(t) < 0)
		err = -1;
	/* a port that failed while it flushed tells now */
	totals_read(t, &now);
	totals_since(&t->base, &now, &sum);
	if (!t->opt.interactive && t->start_ns != 0 && !t->reported)
		report_end(t, &sum);
	if (check_sent(t) < 0)
		err = -1;
	if (t->opt.json != NULL && json_write(t, &sum) < 0)
		err = -1;
	return err;
}

/* What was printed is there, also on a disk that is full. */
static int check_said(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	/* the errno is that of some call before */
	complain("standard output: not all could be written; is the disk full?");
	return -1;
}

int main(int argc, char **argv)
{
	struct testpmd *t = calloc(1, sizeof(*t));
	int err;

	if (t == NULL)
		return 1;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	err = options_parse(&t->opt, argc, argv);
	if (err != 0) {
		free(t);
		return err - 1;
	}
	err = open_context(t);
	if (err == 0)
		err = ports_open(t);
	if (err == 0)
		err = forward(t);
	if (check_said() < 0)
		err = -1;
	workers_end(t);
	streams_free(t);
	plx_ctx_close(t->ctx);
	ports_forget(t);
	free(t);
	return err == 0 ? 0 : 1;
}
