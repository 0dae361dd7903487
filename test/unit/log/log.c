/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#define PLX_LOG_TAG "tagged"
#include "plx_log.h"
#include "unit.h"

struct sink {
	unsigned n;
	enum plx_log_level level;
	char tag[32], text[PLX_LOG_LINE_MAX];
};

static void sink_fn(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	struct sink *s = arg;

	s->n++;
	s->level = level;
	snprintf(s->tag, sizeof(s->tag), "%s", tag);
	snprintf(s->text, sizeof(s->text), "%s", text);
	errno = ENOTTY; /* a sink that spoils errno */
}

static int calls;

static int called(void)
{
	return ++calls;
}

TEST(log, line_reaches_the_sink)
{
	struct sink s = {0};
	struct plx_log log = {sink_fn, &s, PLX_LOG_INFO};

	errno = 0;
	plx_log(&log, PLX_LOG_INFO, "tag", "n is %d", 7);
	CHECK_EQ(errno, 0);
	CHECK_EQ(s.n, 1);
	CHECK_EQ(s.level, PLX_LOG_INFO);
	CHECK_STR(s.tag, "tag");
	CHECK_STR(s.text, "n is 7");
	plx_logf(&log, PLX_LOG_ERR, "plain");
	CHECK_EQ(s.n, 2);
	CHECK_STR(s.tag, "tagged");
	CHECK_STR(s.text, "plain");
}

TEST(log, level_is_tested_before_the_arguments)
{
	struct sink s = {0};
	struct plx_log log = {sink_fn, &s, PLX_LOG_WARN}, none = {0}, *null = NULL;

	calls = 0;
	plx_logf(&log, PLX_LOG_NOTICE, "%d", called());
	plx_logf(&log, PLX_LOG_OFF, "%d", called());
	plx_logf(&none, PLX_LOG_ERR, "%d", called());
	plx_logf(null, PLX_LOG_ERR, "%d", called());
	CHECK_EQ(calls, 0);
	CHECK_EQ(s.n, 0);
	plx_logf(&log, PLX_LOG_WARN, "%d", called());
	CHECK_EQ(s.n, 1);
	log.level = PLX_LOG_OFF;
	plx_logf(&log, PLX_LOG_ERR, "%d", called());
	CHECK_EQ(s.n, 1);
	CHECK_EQ(calls, 1);
}

TEST(log, long_line_is_cut)
{
	struct sink s = {0};
	struct plx_log log = {sink_fn, &s, PLX_LOG_INFO};

	plx_logf(&log, PLX_LOG_INFO, "%0*d", PLX_LOG_LINE_MAX - 1, 1);
	CHECK_EQ(strlen(s.text), PLX_LOG_LINE_MAX - 1);
	CHECK(s.text[PLX_LOG_LINE_MAX - 2] == '1');
	plx_logf(&log, PLX_LOG_INFO, "%0*d", PLX_LOG_LINE_MAX, 1);
	CHECK_EQ(strlen(s.text), PLX_LOG_LINE_MAX - 1);
	CHECK_STR(s.text + PLX_LOG_LINE_MAX - 5, "0...");
}

/* What fn() writes to standard error while it is a pipe. */
static void capture_stderr(void (*fn)(void), char *out, size_t size)
{
	int p[2], saved = dup(2);
	ssize_t n;

	CHECK_EQ(pipe(p), 0);
	CHECK(saved >= 0 && dup2(p[1], 2) == 2);
	fn();
	CHECK(dup2(saved, 2) == 2);
	close(saved);
	close(p[1]);
	n = read(p[0], out, size - 1);
	close(p[0]);
	CHECK(n >= 0);
	out[n] = '\0';
}

static void log_to_default(void)
{
	struct plx_log log = PLX_LOG_INIT, null_fn = {NULL, NULL, PLX_LOG_NOTICE};

	errno = EDOM;
	plx_log(&log, PLX_LOG_NOTICE, "t", "one %s", "\x1b[2Jx\ny");
	plx_log(&null_fn, PLX_LOG_ERR, "t", "two \xc3\xa9");
	plx_log(&log, PLX_LOG_INFO, "t", "not wanted");
	CHECK_EQ(errno, EDOM);
}

TEST(log, default_sink_writes_clean_lines)
{
	char got[512];

	capture_stderr(log_to_default, got, sizeof(got));
	CHECK_STR(got, "pollux: t: one ?[2Jx?y\npollux: t: two \xc3\xa9\n");
}

static void log_to_closed(void)
{
	close(2);
	errno = EDOM;
	plx_log_stderr(NULL, PLX_LOG_ERR, "t", "x");
	CHECK_EQ(errno, EDOM);
}

TEST(log, default_sink_without_stderr)
{
	char got[64];

	capture_stderr(log_to_closed, got, sizeof(got));
	CHECK_STR(got, "");
}

static void log_longest(void)
{
	char text[2 * PLX_LOG_LINE_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	plx_log_stderr(NULL, PLX_LOG_ERR, text, text);
}

TEST(log, default_sink_bounds_the_line)
{
	char got[4096];

	capture_stderr(log_longest, got, sizeof(got));
	CHECK_EQ(strlen(got), PLX_LOG_LINE_MAX + 128);
	CHECK(got[strlen(got) - 1] == '\n');
}

TEST(log, level_names)
{
	static const char *const names[] = {"off", "err", "warn", "notice", "info", "debug"};
	enum plx_log_level level;

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(names); i++) {
		CHECK_EQ(plx_log_level_parse(names[i], &level), 0);
		CHECK_EQ(level, i);
		CHECK_STR(plx_log_level_name(level), names[i]);
	}
	CHECK_EQ(plx_log_level_parse("ERROR", &level), 0);
	CHECK_EQ(level, PLX_LOG_ERR);
	CHECK_EQ(plx_log_level_parse("Warning", &level), 0);
	CHECK_EQ(level, PLX_LOG_WARN);
	CHECK_STR(plx_log_level_name((enum plx_log_level)6), "?");
	CHECK_STR(plx_log_level_name((enum plx_log_level) - 1), "?");
}

TEST(log, level_that_is_none)
{
	static const char *const bad[] = {"", "debu", "debugg", "7", " info"};
	enum plx_log_level level = PLX_LOG_INFO;

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
		CHECK_EQ(plx_log_level_parse(bad[i], &level), -EINVAL);
		CHECK_HAS(plx_errmsg(), bad[i]);
		CHECK_HAS(plx_errmsg(), "is one of off, err, warn, notice, info, debug");
	}
	CHECK_EQ(plx_log_level_parse(NULL, &level), -EINVAL);
	CHECK_STR(plx_errmsg(),
		"log level '(null)' is none: it is one of off, err, warn, notice, info, debug");
	CHECK_EQ(level, PLX_LOG_INFO);
}

TEST(log, rate_limit_passes_a_burst_an_interval)
{
	struct plx_ratelimit rl = PLX_RATELIMIT_INIT(100, 2);
	uint32_t suppressed = 9;

	CHECK(plx_ratelimit_pass(&rl, 1000, &suppressed));
	CHECK_EQ(suppressed, 0);
	CHECK(plx_ratelimit_pass(&rl, 1001, &suppressed));
	CHECK(!plx_ratelimit_pass(&rl, 1002, &suppressed));
	CHECK(!plx_ratelimit_pass(&rl, 1099, &suppressed));
	CHECK(plx_ratelimit_pass(&rl, 1100, &suppressed));
	CHECK_EQ(suppressed, 2);
	CHECK(plx_ratelimit_pass(&rl, 1199, &suppressed));
	CHECK_EQ(suppressed, 0);
	CHECK(!plx_ratelimit_pass(&rl, 1199, &suppressed));
	CHECK(plx_ratelimit_pass(&rl, 5000, &suppressed));
	CHECK_EQ(suppressed, 1);
}

TEST(log, rate_limit_of_nothing_passes_nothing)
{
	struct plx_ratelimit rl = PLX_RATELIMIT_INIT(1, 0);
	uint32_t suppressed;

	for (uint64_t t = 1; t < 10; t++)
		CHECK(!plx_ratelimit_pass(&rl, t, &suppressed));
}

TEST(log, limited_line_says_what_was_suppressed)
{
	struct sink s = {0};
	struct plx_log log = {sink_fn, &s, PLX_LOG_INFO};
	struct plx_ratelimit rl = PLX_RATELIMIT_INIT(UINT64_MAX, 1);

	errno = EDOM;
	for (int i = 0; i < 5; i++)
		plx_logf_limited(&rl, &log, PLX_LOG_WARN, "drop %d", i);
	CHECK_EQ(errno, EDOM);
	CHECK_EQ(s.n, 1);
	CHECK_STR(s.text, "drop 0");
	rl.interval_ns = 0; /* every call begins a new interval */
	plx_logf_limited(&rl, &log, PLX_LOG_WARN, "drop %d", 5);
	CHECK_EQ(s.n, 2);
	CHECK_STR(s.text, "drop 5 (4 more suppressed)");
	plx_logf_limited(&rl, &log, PLX_LOG_DEBUG, "drop %d", called());
	CHECK_EQ(s.n, 2);
	rl.suppressed = 3;
	plx_logf_limited(&rl, &log, PLX_LOG_WARN, "%0*d", 2 * PLX_LOG_LINE_MAX, 0);
	CHECK_EQ(strlen(s.text), PLX_LOG_LINE_MAX - 1);
	CHECK_HAS(s.text, "0... (3 more suppressed)");
}

static struct plx_ratelimit shared_rl = PLX_RATELIMIT_INIT(UINT64_MAX, 1000);

static uint32_t shared_told; /* suppressed ones that a thread heard of when it passed */

static void *limited_thread(void *arg)
{
	uintptr_t passed = 0;
	uint32_t suppressed;

	for (int i = 0; i < 1000; i++) {
		passed += plx_ratelimit_pass(&shared_rl, 1, &suppressed);
		__atomic_fetch_add(&shared_told, suppressed, __ATOMIC_RELAXED);
	}
	return (void *)passed;
}

TEST(log, rate_limit_shared_by_threads)
{
	pthread_t t[4];
	uintptr_t passed = 0;

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, limited_thread, NULL), 0);
	for (int i = 0; i < 4; i++) {
		void *n;

		pthread_join(t[i], &n);
		passed += (uintptr_t)n;
	}
	/* approximate: a thread may pass beside the one that used the burst up */
	CHECK(passed >= 1 && passed <= 1000 + 3 * 1000);
	CHECK_EQ(passed + shared_told + shared_rl.suppressed, 4000);
}
