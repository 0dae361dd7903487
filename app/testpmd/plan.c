/* SPDX-License-Identifier: BSD-3-Clause */
/* How the workers learn what to do, while they do something else. */
#include <stdlib.h>

#include "testpmd.h"

/* Is it in the plan? During a change only those are that stay as they are. */
static bool planned(const struct stream *s)
{
	return s->now.mode != NULL && !s->changing;
}

static struct plan *plan_make(struct testpmd *t)
{
	struct plan *p = calloc(1, sizeof(*p) + t->n_streams * sizeof(struct stream *));
	size_t at = 0;

	if (p == NULL) {
		complain("no memory");
		return NULL;
	}
	p->number = ++t->n_plans;
	for (uint16_t w = 0; w < MAX_CORES; w++) {
		struct duty *duty = &p->duties[w];

		duty->cpu = w < t->opt.n_cores ? t->opt.cores[w] : -1;
		duty->streams = p->streams + at;
		for (size_t i = 0; i < t->n_streams; i++) {
			struct stream *s = t->streams[i];

			if (!planned(s) || s->now.worker != w)
				continue;
			duty->streams[duty->n++] = s;
			p->mode = s->now.mode;
		}
		at += duty->n;
	}
	return p;
}

static int publish(struct testpmd *t)
{
	struct plan *p = plan_make(t);
	const struct plan *old = t->plan;

	if (p == NULL)
		return -1;
	workers_publish(t, p);
	free((void *)old);
	return 0;
}

/* Does it what it should, or has it been found that it cannot? */
static bool settled(const struct stream *s, const struct wiring *want)
{
	if (s->refused.mode != NULL)
		return wiring_same(&s->refused, want);
	return wiring_same(&s->now, want) && s->now.worker == want->worker;
}

/* Marks the streams that are to change; is any of them in the plan, and is there any? */
static bool mark(struct testpmd *t, const struct wiring *want, bool *any)
{
	bool running = false;

	*any = false;
	for (size_t i = 0; i < t->n_streams; i++) {
		struct stream *s = t->streams[i];

		s->changing = s->gone || !settled(s, &want[i]);
		running |= s->changing && s->now.mode != NULL;
		*any |= s->changing;
	}
	return running;
}

/* Threads for all workers that streams are given to. */
static int enough_workers(struct testpmd *t, const struct wiring *want)
{
	uint16_t n = 0;

	for (size_t i = 0; i < t->n_streams; i++)
		if (want[i].mode != NULL && want[i].worker >= n)
			n = (uint16_t)(want[i].worker + 1);
	return workers_start(t, n);
}

static int rewire(struct testpmd *t, const struct wiring *want)
{
	int err = 0;

	for (size_t i = 0; i < t->n_streams; i++) {
		if (t->streams[i]->changing && stream_rewire(t, t->streams[i], &want[i]) < 0)
			err = -1;
		t->streams[i]->changing = false;
	}
	return err;
}

static int change(struct testpmd *t, const struct wiring *want)
{
	bool any, running = mark(t, want, &any);
	int err;

	if (running && publish(t) < 0)
		return -1;
	err = rewire(t, want);
	if (any)
		streams_sweep(t);
	if (publish(t) < 0 || workers_failed(t))
		err = -1;
	return err;
}

/* Has fn do what the options now ask for. */
static int reach(struct testpmd *t, int (*fn)(struct testpmd *t, const struct wiring *want))
{
	struct wiring *want;
	int err;

	if (streams_match(t) < 0)
		return -1;
	want = calloc(t->n_streams + 1, sizeof(*want));
	if (want == NULL) {
		complain("no memory for what streams are to do");
		return -1;
	}
	streams_want(t, want);
	err = fn(t, want);
	free(want);
	return err;
}

static int update(struct testpmd *t, const struct wiring *want)
{
	if ((t->plan == NULL && publish(t) < 0) || enough_workers(t, want) < 0)
		return -1;
	return change(t, want);
}

int plan_update(struct testpmd *t)
{
	return reach(t, update);
}

static int lend(struct testpmd *t, const struct wiring *want)
{
	bool any;

	(void)mark(t, want, &any);
	return rewire(t, want);
}

int plan_lend(struct testpmd *t, const struct fwd_mode *mode)
{
	const struct fwd_mode *before = t->opt.mode;
	int err;

	t->opt.mode = mode;
	t->forwarding = true;
	err = reach(t, lend);
	t->forwarding = false;
	t->opt.mode = before;
	return err;
}

int plan_sync(struct testpmd *t)
{
	return publish(t);
}

int plan_hold(struct testpmd *t, struct tp_port *p)
{
	p->held = true;
	if (plan_update(t) == 0)
		return 0;
	p->held = false;
	return -1;
}

int plan_release(struct testpmd *t, struct tp_port *p)
{
	p->held = false;
	return plan_update(t);
}

int plan_refresh(struct testpmd *t)
{
	bool forwarding = t->forwarding;
	int err;

	t->forwarding = false;
	err = plan_update(t);
	t->forwarding = forwarding;
	return plan_update(t) < 0 ? -1 : err;
}
