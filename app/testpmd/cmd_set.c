/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: how packets are forwarded. All of it takes effect while they are. */
#include "commands.h"

/* Offloads that the mode wants and that the port has, but was set up without. */
static int get_offloads(struct testpmd *t)
{
	for (uint16_t i = 0; i < t->n_ports; i++) {
		struct tp_port *p = &t->ports[i];

		if (p->port != NULL && port_lacks_offloads(p, t->opt.mode) &&
			port_anew(t, p, NULL, 0) < 0)
			return -1;
	}
	return 0;
}

int cmd_set_fwd(struct testpmd *t, const struct args *a)
{
	const struct fwd_mode *before = t->opt.mode;

	t->opt.mode = a->mode;
	if (get_offloads(t) == 0 && plan_update(t) == 0)
		return 0;
	/* a mode that could not begin is not half there */
	t->opt.mode = before;
	(void)plan_update(t);
	return -1;
}

int cmd_set_burst(struct testpmd *t, const struct args *a)
{
	t->opt.burst = (uint16_t)a->n[0];
	return plan_update(t);
}

int cmd_set_topology(struct testpmd *t, const struct args *a)
{
	t->opt.topology = strcmp(a->word, "loop") == 0      ? TOPOLOGY_LOOP
			  : strcmp(a->word, "chained") == 0 ? TOPOLOGY_CHAINED
							    : TOPOLOGY_PAIRED;
	return plan_update(t);
}

/* So many threads, pinned to these CPUs; when they cannot be had, it is as it was. */
static int set_cores(struct testpmd *t, uint16_t nb_cores, const uint16_t *cores, size_t n)
{
	const struct options before = t->opt;

	t->opt.nb_cores = nb_cores;
	memmove(t->opt.cores, cores, n * sizeof(*cores));
	t->opt.n_cores = n;
	if (plan_update(t) == 0)
		return 0;
	t->opt = before;
	(void)plan_update(t);
	return -1;
}

int cmd_set_nbcore(struct testpmd *t, const struct args *a)
{
	uint16_t n = (uint16_t)a->n[0];

	/* threads beyond the list are not pinned */
	return set_cores(t, n, t->opt.cores, PLX_MIN(t->opt.n_cores, (size_t)n));
}

/* Are these CPUs open to the process? Says which is not. */
static bool allowed(const uint16_t *cores, size_t n)
{
	static uint16_t open[PLX_CPU_MAX];
	size_t n_open;

	if (plx_cpu_allowed(open, PLX_CPU_MAX, &n_open) < 0) {
		complain("%s", plx_errmsg());
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < n_open && open[k] != cores[i])
			k++;
		if (k < n_open)
			continue;
		complain("CPU %u is not there, or not open to this process", cores[i]);
		return false;
	}
	return true;
}

int cmd_set_cores(struct testpmd *t, const struct args *a)
{
	uint16_t cores[MAX_CORES];
	size_t n = 0;

	if (strcmp(a->text, "none") != 0) {
		if (plx_cpu_parse_list(a->text, cores, MAX_CORES, &n) < 0) {
			complain("%s", plx_errmsg());
			return -1;
		}
		if (!allowed(cores, n))
			return -1;
	}
	return set_cores(t, n != 0 ? (uint16_t)n : t->opt.nb_cores, cores, n);
}

/* Streams that share a TX queue share the thread. */
static bool goes_along(const struct stream *s, const struct stream *other)
{
	return s == other ||
	       (s->rx_port == other->rx_port && s->now.txq != NULL && s->now.txq == other->now.txq);
}

int cmd_set_queue_core(struct testpmd *t, const struct args *a)
{
	struct stream *s = stream_find(t, a->ports[0], (uint16_t)a->n[0]);
	int core = a->n_n > 1 ? (int)a->n[1] : -1;

	if (s == NULL) {
		complain("port %u has no queue %llu", port_number(t, a->ports[0]),
			(unsigned long long)a->n[0]);
		return -1;
	}
	if (core >= t->opt.nb_cores) {
		complain("core %d: forwarding threads are numbered 0 to %u; 'set nbcore N' makes "
			 "more",
			core, t->opt.nb_cores - 1u);
		return -1;
	}
	for (size_t i = 0; i < t->n_streams; i++)
		if (goes_along(s, t->streams[i]))
			t->streams[i]->core = core;
	return plan_update(t);
}

int cmd_set_stats_period(struct testpmd *t, const struct args *a)
{
	live_close(t);
	t->opt.stats_period_ns = a->ns;
	t->next_live_ns = plx_clock_ns() + a->ns;
	if (a->ns != 0) {
		totals_read(t, &t->before);
		live_open(t);
	}
	return 0;
}
