/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control work. One epoll descriptor holds a timer (the earliest due time), an event (kicks) and
 * the descriptors of the work; it is what plx_ctx_fd() gives.
 *
 * The lock guards list and flags and is never held over a call of work. A pass goes once over the
 * list: a piece of work runs at most once in it, and what becomes due meanwhile leaves the timer
 * set in the past, so that the descriptor is readable and the next pass takes it.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "mem_priv.h"

#define NEVER UINT64_MAX
enum { BATCH = 32 };

static uint64_t due_after(uint64_t now, uint64_t period)
{
	return period == 0 || now > NEVER - period ? NEVER : now + period;
}

static void set_timer(struct work_state *s)
{
	struct itimerspec t = {{0, 0}, {0, 0}};
	uint64_t due = NEVER;

	for (struct plx_work *w = s->head; w != NULL; w = w->next)
		due = w->ready ? 1 : PLX_MIN(due, w->due_ns); /* 1: in the past, fires at once */
	if (due == NEVER)
		due = 0; /* off */
	if (due == s->armed_ns)
		return;
	t.it_value.tv_sec = (time_t)(due / 1000000000);
	t.it_value.tv_nsec = (long)(due % 1000000000);
	if (timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &t, NULL) == 0)
		s->armed_ns = due;
}

static void drain(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof(n)); /* not blocking: EAGAIN means that it is drained */
}

static void signal_event(struct work_state *s)
{
	const uint64_t one = 1;

	(void)!write(s->event, &one, sizeof(one)); /* EAGAIN: it is signalled already */
}

/* Turns readable descriptors into flags. The lock is held: what epoll names is in the list. */
static void harvest(struct work_state *s)
{
	struct epoll_event ev[BATCH];
	int n = epoll_wait(s->epoll, ev, BATCH, 0);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == &s->timer) {
			drain(s->timer);
			s->armed_ns = 0;
		} else if (ev[i].data.ptr == &s->event) {
			drain(s->event);
		} else {
			((struct plx_work *)ev[i].data.ptr)->ready = true;
		}
	}
}

static void run(struct work_state *s, struct plx_work *w, uint64_t now)
{
	w->pass = s->pass;
	w->ready = false;
	s->running = w;
	s->deleted = false;
	pthread_mutex_unlock(&s->lock);
	w->fn(w, now);
	pthread_mutex_lock(&s->lock);
	if (!s->deleted)
		w->due_ns = due_after(now, w->period_ns);
	s->running = NULL;
	pthread_cond_broadcast(&s->idle);
}

static int pass(struct plx_ctx *ctx)
{
	struct work_state *s = &ctx->work;
	uint64_t now = plx_clock_ns();
	int n = 0;

	pthread_mutex_lock(&s->lock);
	if (s->polling) { /* another thread, or work that polls */
		pthread_mutex_unlock(&s->lock);
		return 0;
	}
	s->polling = true;
	s->runner = pthread_self();
	s->pass++;
	harvest(s);
	for (struct plx_work *w = s->head; w != NULL; w = s->cursor) {
		s->cursor = w->next; /* plx_work_del() moves it on */
		if (w->pass == s->pass || (!w->ready && w->due_ns > now))
			continue;
		run(s, w, now);
		n++;
	}
	s->cursor = NULL;
	set_timer(s);
	s->polling = false;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int plx_ctx_poll(struct plx_ctx *ctx)
{
	if (ctx->work.has_thread)
		return plx_err(EBUSY, "plx_ctx_poll: the context's own thread does this");
	return pass(ctx);
}

int plx_ctx_fd(const struct plx_ctx *ctx)
{
	return ctx->work.epoll;
}

int plx_work_add(struct plx_ctx *ctx, struct plx_work *work)
{
	struct work_state *s = &ctx->work;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = work};
	int err = 0;

	pthread_mutex_lock(&s->lock);
	if (work->linked)
		err = plx_err(EEXIST, "control work: is in the list already");
	else if (work->fd >= 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, work->fd, &ev) < 0)
		err = plx_err(errno, "control work: waiting for descriptor %d: %s", work->fd,
			strerror(errno));
	if (err == 0) {
		work->due_ns = due_after(plx_clock_ns(), work->period_ns);
		work->pass = s->pass; /* not in the pass that is running */
		work->ready = false;
		work->linked = true;
		work->next = NULL;
		work->prev = s->tail;
		if (s->tail != NULL)
			s->tail->next = work;
		else
			s->head = work;
		s->tail = work;
		set_timer(s);
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

static void unlink_work(struct work_state *s, struct plx_work *work)
{
	if (work->fd >= 0)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, work->fd, NULL);
	if (s->cursor == work)
		s->cursor = work->next;
	if (work->prev != NULL)
		work->prev->next = work->next;
	else
		s->head = work->next;
	if (work->next != NULL)
		work->next->prev = work->prev;
	else
		s->tail = work->prev;
	work->prev = work->next = NULL;
	work->linked = false;
	work->ready = false;
}

void plx_work_del(struct plx_ctx *ctx, struct plx_work *work)
{
	struct work_state *s = &ctx->work;

	pthread_mutex_lock(&s->lock);
	if (work->linked)
		unlink_work(s, work);
	if (s->running == work) {
		s->deleted = true;
		while (s->running == work && !pthread_equal(s->runner, pthread_self()))
			pthread_cond_wait(&s->idle, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
}

void plx_work_kick(struct plx_ctx *ctx, struct plx_work *work)
{
	struct work_state *s = &ctx->work;

	pthread_mutex_lock(&s->lock);
	if (work->linked) {
		work->ready = true;
		signal_event(s);
	}
	pthread_mutex_unlock(&s->lock);
}

static int watch(struct work_state *s, int fd, void *ptr)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = ptr};

	return fd < 0 ? -1 : epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
}

int plx_work_open(struct plx_ctx *ctx)
{
	struct work_state *s = &ctx->work;

	s->timer = s->event = -1;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll >= 0) {
		s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	if (s->epoll < 0 || watch(s, s->timer, &s->timer) < 0 || watch(s, s->event, &s->event) < 0)
		return plx_err(errno, "context: descriptors for control work: %s", strerror(errno));
	return 0;
}

static void *thread(void *arg)
{
	struct plx_ctx *ctx = arg;
	struct work_state *s = &ctx->work;
	struct epoll_event ev;

	pthread_setname_np(pthread_self(), "plx-ctl");
	while (!PLX_READ_ONCE(s->stop)) {
		(void)epoll_wait(s->epoll, &ev, 1, -1);
		(void)pass(ctx);
	}
	return NULL;
}

int plx_work_thread(struct plx_ctx *ctx)
{
	struct work_state *s = &ctx->work;
	sigset_t all, before;
	int err;

	/* The program's handlers run on the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&s->thread, NULL, thread, ctx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != 0)
		return plx_err(err, "context: starting the control thread: %s", strerror(err));
	s->has_thread = true;
	return 0;
}

void plx_work_stop(struct plx_ctx *ctx)
{
	struct work_state *s = &ctx->work;

	if (!s->has_thread)
		return;
	PLX_WRITE_ONCE(s->stop, true);
	signal_event(s);
	pthread_join(s->thread, NULL);
	s->has_thread = false;
}

void plx_work_close(struct plx_ctx *ctx)
{
	struct work_state *s = &ctx->work;

	if (s->event >= 0)
		close(s->event);
	if (s->timer >= 0)
		close(s->timer);
	if (s->epoll >= 0)
		close(s->epoll);
}
