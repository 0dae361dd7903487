/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "testpmd.h"

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("plx-testpmd: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static int open_context(struct testpmd *t)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;

	opts.huge = t->opt.huge;
	opts.isa = t->opt.isa;
	opts.log_level = t->opt.log_level;
	opts.stats_path = t->opt.stats_file;
	if (plx_ctx_open(&opts, &t->ctx) == 0)
		return 0;
	complain("%s", plx_errmsg());
	return -1;
}

/* Packets that a port took and could not send are a failure, also when it shows only at stop. */
static int check_sent(struct testpmd *t, const struct totals *end)
{
	int err = 0;

	for (uint16_t i = 0; i < t->n_ports; i++) {
		uint64_t lost = end->ports[i].tx_errors;

		if (lost == 0)
			continue;
		complain("port %u (%s): %llu packets could not be sent", i, t->ports[i].device,
			(unsigned long long)lost);
		err = -1;
	}
	return err;
}

/* From open ports to results; 0 or -1. */
static int forward(struct testpmd *t)
{
	struct totals end;
	int err;

	if (ports_start(t) < 0)
		return -1;
	err = run(t);
	/* packets that the rings still hold go back to the pool: they were not sent */
	if (ports_stop(t) < 0)
		err = -1;
	/* a port that failed while it flushed tells now */
	totals_read(t, &end);
	report_end(t, &end);
	if (check_sent(t, &end) < 0)
		err = -1;
	if (t->opt.json != NULL && json_write(t, &end) < 0)
		err = -1;
	return err;
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
	streams_free(t);
	plx_ctx_close(t->ctx);
	ports_forget(t);
	free(t);
	return err == 0 ? 0 : 1;
}
