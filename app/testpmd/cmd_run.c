/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: start, stop, quit, help. */
#include <time.h>

#include "commands.h"
#include "shell.h"

int cmd_start(struct testpmd *t, const struct args *a)
{
	if (!t->forwarding)
		return forward_start(t, a->n_n != 0 ? a->n[0] : 0);
	complain("packets are forwarded already");
	return -1;
}

int cmd_start_tx_first(struct testpmd *t, const struct args *a)
{
	struct args once = {.n = {1}, .n_n = 1};

	return cmd_start(t, a->n_n != 0 ? a : &once);
}

int cmd_stop(struct testpmd *t, const struct args *a)
{
	struct totals now, run;
	int err;

	if (!t->forwarding) {
		complain("packets are not forwarded");
		return -1;
	}
	err = forward_stop(t);
	totals_read(t, &now);
	totals_since(&t->base, &now, &run);
	report_end(t, &run);
	t->reported = true;
	return err;
}

int cmd_quit(struct testpmd *t, const struct args *a)
{
	t->quit = true;
	return t->forwarding ? cmd_stop(t, a) : 0;
}

int cmd_help_words(struct testpmd *t, const struct args *a)
{
	if (cmd_help(out_file(t), commands, a->rest, a->n_rest) != 0)
		return 0;
	complain("no command begins with '%s%s%s'; 'help' lists all", a->rest[0],
		a->n_rest > 1 ? " " : "", a->n_rest > 1 ? a->rest[1] : "");
	return -1;
}

int cmd_sleep(struct testpmd *t, const struct args *a)
{
	const struct timespec nap = {0, 1000000};
	uint64_t until = plx_clock_ns() + a->ns;

	while (!was_interrupted() && plx_clock_ns() < until) {
		shell_tick(t);
		nanosleep(&nap, NULL);
	}
	return 0;
}

int cmd_clear_stats(struct testpmd *t, const struct args *a)
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++) {
		t->shown[port_number(t, a->ports[i])].rx_packets = UINT64_MAX;
		if (plx_port_stats_reset(a->ports[i]->port) < 0)
			err = port_complain(t, a->ports[i], "clear stats");
		totals_rebase(t, a->ports[i]);
	}
	return err;
}
