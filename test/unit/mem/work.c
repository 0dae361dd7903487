/* SPDX-License-Identifier: BSD-3-Clause */
/* Control work: what runs when, from whom, and while others add and delete it. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mem_lib.h"
#include "unit.h"

struct job {
	struct plx_work w;
	struct plx_ctx *ctx;
	struct job *other;
	unsigned runs;
	void (*also)(struct job *j);
};

static void run_job(struct plx_work *w, uint64_t now_ns)
{
	struct job *j = plx_container_of(w, struct job, w);

	(void)now_ns;
	j->runs++;
	if (j->also != NULL)
		j->also(j);
}

#define JOB(context, period)                                                            \
	{                                                                               \
		.w = {.fn = run_job, .period_ns = (period), .fd = -1}, .ctx = (context) \
	}

static struct plx_ctx *open_ctx(bool thread)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;
	struct plx_ctx *ctx = NULL;

	o.control_thread = thread;
	CHECK_EQ(plx_ctx_open(&o, &ctx), 0);
	return ctx;
}

static bool readable(struct plx_ctx *ctx, int ms)
{
	struct pollfd p = {plx_ctx_fd(ctx), POLLIN, 0};

	return poll(&p, 1, ms) == 1;
}

enum { LONG_MS = 20000 }; /* a limit for what does happen */

TEST(work, nothing_to_do)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job j = JOB(ctx, 0);

	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	CHECK_EQ(plx_work_add(ctx, &j.w), -EEXIST);
	CHECK(!readable(ctx, 0));
	CHECK_EQ(plx_ctx_poll(ctx), 0);
	plx_work_del(ctx, &j.w);
	plx_work_del(ctx, &j.w);
	plx_work_kick(ctx, &j.w); /* not in the list: nothing */
	CHECK(!readable(ctx, 0));
	CHECK_EQ(j.runs, 0);
	plx_ctx_close(ctx);
}

TEST(work, a_kick_runs_it_once)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job j = JOB(ctx, 0), k = JOB(ctx, 0);

	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	CHECK_EQ(plx_work_add(ctx, &k.w), 0);
	plx_work_kick(ctx, &k.w);
	plx_work_kick(ctx, &k.w);
	CHECK(readable(ctx, LONG_MS));
	CHECK_EQ(plx_ctx_poll(ctx), 1);
	CHECK(!readable(ctx, 0));
	CHECK_EQ(plx_ctx_poll(ctx), 0);
	CHECK_EQ(j.runs, 0);
	CHECK_EQ(k.runs, 1);
	plx_ctx_close(ctx);
}

TEST(work, a_timer_makes_the_descriptor_readable)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job j = JOB(ctx, 2000000), never = JOB(ctx, UINT64_MAX);

	CHECK_EQ(plx_work_add(ctx, &never.w), 0);
	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	for (unsigned i = 1; i <= 5; i++) {
		uint64_t before = plx_clock_ns();

		while (j.runs < i) {
			CHECK(readable(ctx, LONG_MS));
			plx_ctx_poll(ctx);
		}
		CHECK(i == 1 || plx_clock_ns() > before);
	}
	CHECK_EQ(j.runs, 5);
	CHECK_EQ(never.runs, 0);
	plx_ctx_close(ctx);
}

TEST(work, never_before_its_period)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job j = JOB(ctx, 3000000);
	uint64_t start = plx_clock_ns();

	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	while (j.runs < 4)
		plx_ctx_poll(ctx);
	CHECK(plx_clock_ns() - start >= 4 * UINT64_C(3000000));
	plx_ctx_close(ctx);
}

static void read_fd(struct job *j)
{
	uint64_t n;

	CHECK_EQ(read(j->w.fd, &n, sizeof(n)), sizeof(n));
}

TEST(work, a_descriptor_runs_it)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job j = JOB(ctx, 0), bad = JOB(ctx, 0);
	uint64_t one = 1;

	j.w.fd = eventfd(0, EFD_CLOEXEC);
	j.also = read_fd;
	bad.w.fd = 9999;
	CHECK_EQ(plx_work_add(ctx, &bad.w), -EBADF);
	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(write(j.w.fd, &one, sizeof(one)), sizeof(one));
		CHECK(readable(ctx, LONG_MS));
		CHECK_EQ(plx_ctx_poll(ctx), 1);
		CHECK(!readable(ctx, 0));
	}
	CHECK_EQ(write(j.w.fd, &one, sizeof(one)), sizeof(one));
	plx_work_del(ctx, &j.w);
	CHECK_EQ(plx_ctx_poll(ctx), 0);
	CHECK_EQ(j.runs, 3);
	close(j.w.fd);
	plx_ctx_close(ctx);
}

static void kick_self(struct job *j)
{
	plx_work_kick(j->ctx, &j->w);
}

TEST(work, one_pass_a_call)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job j = JOB(ctx, 0);

	j.also = kick_self;
	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	plx_work_kick(ctx, &j.w);
	for (unsigned i = 1; i <= 10; i++) {
		CHECK(readable(ctx, LONG_MS));
		CHECK_EQ(plx_ctx_poll(ctx), 1);
		CHECK_EQ(j.runs, i);
	}
	plx_ctx_close(ctx);
}

static void kick_other(struct job *j)
{
	plx_work_kick(j->ctx, &j->other->w);
	CHECK_EQ(plx_ctx_poll(j->ctx), 0); /* from within work: nothing */
}

TEST(work, what_is_kicked_by_work_is_not_lost)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job first = JOB(ctx, 0), second = JOB(ctx, 0);

	second.also = kick_other;
	second.other = &first; /* which this pass has gone by already */
	CHECK_EQ(plx_work_add(ctx, &first.w), 0);
	CHECK_EQ(plx_work_add(ctx, &second.w), 0);
	plx_work_kick(ctx, &second.w);
	CHECK_EQ(plx_ctx_poll(ctx), 1);
	CHECK(readable(ctx, LONG_MS));
	CHECK_EQ(plx_ctx_poll(ctx), 1);
	CHECK_EQ(first.runs, 1);
	CHECK(!readable(ctx, 0));
	plx_ctx_close(ctx);
}

static void free_self(struct job *j)
{
	plx_work_del(j->ctx, &j->w);
	free(j);
}

static void free_next(struct job *j)
{
	if (j->other == NULL)
		return;
	plx_work_del(j->ctx, &j->other->w);
	free(j->other);
	j->other = NULL;
}

TEST(work, may_delete_itself_and_others)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b)), *c = malloc(sizeof(*c));
	struct job last = JOB(ctx, 0);

	CHECK(a != NULL && b != NULL && c != NULL);
	*a = *b = *c = (struct job)JOB(ctx, 1);
	a->also = free_next;
	a->other = b;
	c->also = free_self;
	CHECK_EQ(plx_work_add(ctx, &a->w), 0);
	CHECK_EQ(plx_work_add(ctx, &b->w), 0);
	CHECK_EQ(plx_work_add(ctx, &c->w), 0);
	CHECK_EQ(plx_work_add(ctx, &last.w), 0);
	plx_work_kick(ctx, &b->w);
	plx_work_kick(ctx, &last.w);
	CHECK_EQ(plx_ctx_poll(ctx), 3);
	CHECK_EQ(last.runs, 1);
	a->also = NULL;
	plx_work_del(ctx, &a->w);
	free(a);
	CHECK_EQ(plx_ctx_poll(ctx), 0);
	plx_ctx_close(ctx);
}

static void add_again(struct job *j)
{
	plx_work_del(j->ctx, &j->w);
	CHECK_EQ(plx_work_add(j->ctx, &j->w), 0);
	plx_work_kick(j->ctx, &j->w);
	if (j->other != NULL) {
		CHECK_EQ(plx_work_add(j->ctx, &j->other->w), 0);
		plx_work_kick(j->ctx, &j->other->w);
		j->other = NULL;
	}
}

TEST(work, what_is_added_by_work_runs_in_the_next_pass)
{
	struct plx_ctx *ctx = open_ctx(false);
	struct job j = JOB(ctx, 0), new = JOB(ctx, 0);

	j.also = add_again;
	j.other = &new;
	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	plx_work_kick(ctx, &j.w);
	CHECK_EQ(plx_ctx_poll(ctx), 1);
	CHECK_EQ(new.runs, 0);
	CHECK(readable(ctx, LONG_MS));
	CHECK_EQ(plx_ctx_poll(ctx), 2);
	CHECK_EQ(new.runs, 1);
	plx_ctx_close(ctx);
}

/* ---- threads ---- */

static void count_atomic(struct job *j)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	if (!sigismember(&set, SIGTERM) || !sigismember(&set, SIGINT))
		__atomic_fetch_add(&j->other->runs, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&j->ctx, NULL, __ATOMIC_RELEASE);
}

TEST(work, a_thread_of_the_context_does_it)
{
	struct plx_ctx *ctx = open_ctx(true);
	struct job wrong = JOB(ctx, 0), j = JOB(ctx, 0);

	j.also = count_atomic;
	j.other = &wrong;
	CHECK_EQ(plx_ctx_poll(ctx), -EBUSY);
	CHECK_EQ(plx_work_add(ctx, &j.w), 0);
	plx_work_kick(ctx, &j.w);
	while (__atomic_load_n(&j.ctx, __ATOMIC_ACQUIRE) != NULL)
		usleep(100);
	plx_work_del(ctx, &j.w);
	CHECK_EQ(j.runs, 1);
	CHECK_EQ(wrong.runs, 0); /* signals are blocked in it */
	plx_ctx_close(ctx);
}

struct slow {
	struct plx_work w;
	unsigned entered, done;
};

static void run_slow(struct plx_work *w, uint64_t now_ns)
{
	struct slow *s = plx_container_of(w, struct slow, w);

	(void)now_ns;
	__atomic_store_n(&s->entered, 1, __ATOMIC_RELEASE);
	usleep(20000);
	s->done = 1; /* plain: plx_work_del() orders it */
}

TEST(work, deleting_waits_for_its_end)
{
	struct plx_ctx *ctx = open_ctx(true);
	struct slow s = {.w = {.fn = run_slow, .fd = -1}};

	CHECK_EQ(plx_work_add(ctx, &s.w), 0);
	plx_work_kick(ctx, &s.w);
	while (!__atomic_load_n(&s.entered, __ATOMIC_ACQUIRE))
		plx_pause();
	plx_work_del(ctx, &s.w);
	CHECK_EQ(s.done, 1);
	plx_ctx_close(ctx);
}

/*
 * Four threads, each with work of its own: add, kick, wait until it ran, delete, use its memory for
 * something else. A kick that gets lost would hang here.
 */
struct stress {
	struct plx_ctx *ctx;
	unsigned rounds, bad;
	uint64_t period;
};

struct counted {
	struct plx_work w;
	unsigned ran;
	unsigned plain; /* written by work, read after plx_work_del() */
};

static void run_counted(struct plx_work *w, uint64_t now_ns)
{
	struct counted *c = plx_container_of(w, struct counted, w);

	(void)now_ns;
	c->plain++;
	__atomic_fetch_add(&c->ran, 1, __ATOMIC_RELEASE);
}

static void *stress_thread(void *arg)
{
	struct stress *s = arg;

	for (unsigned i = 0; i < s->rounds; i++) {
		struct counted *c = calloc(1, sizeof(*c));
		unsigned seen, kicks = 1 + i % 3;

		if (c == NULL) {
			s->bad++;
			break;
		}
		c->w.fn = run_counted;
		c->w.fd = -1;
		c->w.period_ns = i % 4 == 0 ? s->period : 0;
		s->bad += plx_work_add(s->ctx, &c->w) != 0;
		for (unsigned k = 0; k < kicks && i % 5 != 4; k++) {
			seen = __atomic_load_n(&c->ran, __ATOMIC_ACQUIRE);
			plx_work_kick(s->ctx, &c->w);
			while (__atomic_load_n(&c->ran, __ATOMIC_ACQUIRE) == seen)
				sched_yield();
		}
		plx_work_del(s->ctx, &c->w);
		s->bad += c->plain != c->ran;
		memset(c, 0xff, sizeof(*c));
		free(c);
	}
	return NULL;
}

static void stress(struct plx_ctx *ctx, bool poll_here)
{
	enum { THREADS = 4 };
	struct stress s[THREADS];
	pthread_t t[THREADS];
	unsigned bad = 0, running = 1;

	for (unsigned i = 0; i < THREADS; i++) {
		s[i] = (struct stress){ctx, unit_rounds(400), 0, 1000 * i};
		CHECK_EQ(pthread_create(&t[i], NULL, stress_thread, &s[i]), 0);
	}
	while (poll_here && running != 0) {
		(void)readable(ctx, 1);
		plx_ctx_poll(ctx);
		running = 0;
		for (unsigned i = 0; i < THREADS; i++) {
			if (t[i] != 0 && pthread_tryjoin_np(t[i], NULL) == 0)
				t[i] = 0;
			running += t[i] != 0;
		}
	}
	for (unsigned i = 0; i < THREADS; i++) {
		if (t[i] != 0)
			pthread_join(t[i], NULL);
		bad += s[i].bad;
	}
	CHECK_EQ(bad, 0);
}

TEST(work, four_threads_add_kick_and_delete_while_one_polls)
{
	struct plx_ctx *ctx = open_ctx(false);

	stress(ctx, true);
	plx_ctx_close(ctx);
}

TEST(work, four_threads_add_kick_and_delete_beside_the_contexts_own)
{
	struct plx_ctx *ctx = open_ctx(true);

	stress(ctx, false);
	plx_ctx_close(ctx);
}
