/* SPDX-License-Identifier: BSD-3-Clause */
/* The qtest client against a server that answers as the test says, mostly wrong. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "json_text.h"
#include "qmp_sock.h"
#include "qtest_sock.h"
#include "unit.h"

#define LIMIT_NS UINT64_C(2000000000)

/* Sends greeting at once and the n-th answer after the n-th line that came; then closes. */
struct server {
	char dir[32], path[64];
	int listener;
	const char *greeting;
	const char *const *answers; /* ends with NULL */
	bool stay;                  /* after the last answer, say nothing and stay */
	pthread_t thread;
	unsigned lines;
};

static void say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	const char *const *a = s->answers;
	char c;

	if (s->greeting != NULL)
		say(fd, s->greeting);
	while (*a != NULL && recv(fd, &c, 1, 0) == 1) {
		if (c != '\n')
			continue;
		s->lines++;
		say(fd, *a++);
	}
	while (s->stay && recv(fd, &c, 1, 0) == 1)
		s->lines += c == '\n';
	close(fd);
	return NULL;
}

static void server_start(struct server *s)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	strcpy(s->dir, "/tmp/plx-sock-XXXXXX");
	CHECK(mkdtemp(s->dir) != NULL);
	snprintf(s->path, sizeof(s->path), "%s/s", s->dir);
	strcpy(sa.sun_path, s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_EQ(bind(s->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	CHECK_EQ(listen(s->listener, 1), 0);
	CHECK_EQ(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->listener);
	unlink(s->path);
	rmdir(s->dir);
}

TEST(qtest_sock, reads_writes_and_interrupts_between)
{
	static const char *const answers[] = {"OK 0x00000000deadbeef\n", "IRQ raise 3\nOK\n",
		"OK\n", "IRQ lower 3\nIRQ raise 4\nOK 0x12\n", "OK 0xffffffffffffffff\n", "OK\n",
		NULL};
	struct server s = {.answers = answers, .stay = true};
	struct plx_log log = {0};
	struct qtest *q;
	uint64_t v;
	uint32_t in;

	server_start(&s);
	CHECK_EQ(qtest_open(s.path, LIMIT_NS, &log, &q), 0);
	CHECK_EQ(qtest_read(q, 0x1000, 4, &v), 0);
	CHECK_EQ(v, 0xdeadbeef);
	CHECK_EQ(qtest_write(q, 0x1000, 4, 1), 0);
	CHECK_EQ(qtest_out(q, 0xcf8, 4, 2), 0);
	CHECK_EQ(qtest_in(q, 0xcfc, 1, &in), 0);
	CHECK_EQ(in, 0x12);
	CHECK_EQ(qtest_read(q, 0x1000, 8, &v), 0);
	CHECK(v == UINT64_MAX);
	CHECK_EQ(qtest_write(q, 0x1000, 4, 1), 0);
	CHECK_EQ(qtest_sync(q), 0);
	CHECK(!qtest_dead(q));
	qtest_close(q);
	server_stop(&s);
	CHECK_EQ(s.lines, 6);
}

/* One question, one answer: what it says in the end. */
static void asked(const char *answer, int want, const char *says)
{
	const char *const answers[] = {answer, NULL};
	struct server s = {.answers = answers};
	struct plx_log log = {0};
	struct qtest *q;
	uint64_t v = 0;

	server_start(&s);
	CHECK_EQ(qtest_open(s.path, LIMIT_NS, &log, &q), 0);
	CHECK_EQ(qtest_read(q, 0, 4, &v), want);
	CHECK_HAS(plx_errmsg(), says);
	CHECK(qtest_dead(q));
	/* Dead for good, with the same reason. */
	CHECK(qtest_write(q, 0, 4, 0) < 0);
	CHECK_HAS(plx_errmsg(), says);
	CHECK(qtest_sync(q) < 0);
	qtest_close(q);
	server_stop(&s);
}

TEST(qtest_sock, hostile_answers)
{
	static const char *const bad[] = {"FAIL Unknown command 'x'\n", "OK\n", "OK \n", "OK 12\n",
		"OK 0x\n", "OK 0x11112222333344445\n", "OK 0x1 \n", "OK 0x1g\n", "OK -0x1\n", "\n",
		"ok 0x1\n", "OK  0x1\n", "\x01\x02\xff\n", "OK 0x1\r\n"};
	static char longest[5000], irqs[20000];

	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++)
		asked(bad[i], -ENODEV, "is not an answer to that");
	memset(longest, 'x', sizeof(longest) - 1);
	asked(longest, -ENODEV, "line");
	longest[300] = '\n';
	asked(longest, -ENODEV, "too long");
	for (size_t i = 0; i + 7 < sizeof(irqs); i += 6)
		memcpy(irqs + i, "IRQ 1\n", 7);
	asked(irqs, -ENODEV, "interrupts and no answers");
	asked("OK 0x1", -ENODEV, "closed the connection");
	asked("", -ENODEV, "closed the connection");
}

TEST(qtest_sock, a_wrong_answer_to_a_posted_write)
{
	static const char *const answers[] = {"OK 0x0\n", "OK 0x1\n", "OK 0x2\n", NULL};
	struct server s = {.answers = answers, .stay = true};
	struct plx_log log = {0};
	struct qtest *q;
	uint64_t v;

	server_start(&s);
	CHECK_EQ(qtest_open(s.path, LIMIT_NS, &log, &q), 0);
	CHECK_EQ(qtest_read(q, 0, 4, &v), 0);
	CHECK_EQ(qtest_write(q, 0, 4, 0), 0);
	CHECK_EQ(qtest_read(q, 0, 4, &v), -ENODEV);
	CHECK_HAS(plx_errmsg(), "not an answer");
	qtest_close(q);
	server_stop(&s);
}

TEST(qtest_sock, nobody_answers)
{
	static const char *const none[] = {NULL}, *const one[] = {"OK 0x0\n", NULL};
	struct server s = {.answers = none, .stay = true};
	struct plx_log log = {0};
	struct qtest *q;
	uint64_t v;

	server_start(&s);
	CHECK_EQ(qtest_open(s.path, 20000000, &log, &q), 0);
	CHECK_EQ(qtest_read(q, 0, 4, &v), -EBUSY);
	CHECK_HAS(plx_errmsg(), "another program");
	qtest_close(q);
	server_stop(&s);

	s = (struct server){.answers = one, .stay = true};
	server_start(&s);
	CHECK_EQ(qtest_open(s.path, 20000000, &log, &q), 0);
	CHECK_EQ(qtest_read(q, 0, 4, &v), 0);
	CHECK_EQ(qtest_read(q, 0, 4, &v), -ENODEV);
	CHECK_HAS(plx_errmsg(), "is QEMU stopped");
	qtest_close(q);
	server_stop(&s);
}

/* Writes are taken while answers fail to come, up to a limit and never for ever. */
TEST(qtest_sock, posted_writes_without_answers)
{
	static const char *const none[] = {NULL};
	struct server s = {.answers = none, .stay = true};
	struct plx_log log = {0};
	struct qtest *q;
	unsigned n = 0;

	server_start(&s);
	CHECK_EQ(qtest_open(s.path, 20000000, &log, &q), 0);
	while (n < 1000 && qtest_write(q, 0, 4, n) == 0)
		n++;
	CHECK(n >= 64 && n < 1000);
	qtest_close(q);
	server_stop(&s);
}

TEST(qtest_sock, connecting)
{
	char path[200];
	struct plx_log log = {0};
	struct qtest *q;

	CHECK_EQ(qtest_open("/nonexistent/s", LIMIT_NS, &log, &q), -ENOENT);
	CHECK_HAS(plx_errmsg(), "no such socket; start QEMU with -qtest unix:");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CHECK_EQ(qtest_open(path, LIMIT_NS, &log, &q), -ENAMETOOLONG);
	CHECK(q == NULL);
}

/* Several threads at once: every answer goes to who asked. */
struct hammer {
	struct qtest *q;
	unsigned bad;
};

static void *hammer(void *arg)
{
	struct hammer *h = arg;
	uint64_t v;

	for (unsigned i = 0; i < 500; i++) {
		if (qtest_write(h->q, 8, 4, i) != 0)
			h->bad++;
		if (i % 8 == 0 && (qtest_read(h->q, 8, 4, &v) != 0 || v != 0x77))
			h->bad++;
	}
	return NULL;
}

static void *echo(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	char buf[4096];
	bool start = true;
	char kind = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			kind = start ? buf[i] : kind;
			start = buf[i] == '\n';
			if (start)
				say(fd, kind == 'r' ? "OK 0x77\n" : "OK\n");
		}
	close(fd);
	return NULL;
}

TEST(qtest_sock, threads)
{
	struct server s = {.answers = NULL};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct plx_log log = {0};
	struct hammer h[4];
	pthread_t t[4];
	struct qtest *q;

	strcpy(s.dir, "/tmp/plx-sock-XXXXXX");
	CHECK(mkdtemp(s.dir) != NULL);
	snprintf(s.path, sizeof(s.path), "%s/s", s.dir);
	strcpy(sa.sun_path, s.path);
	s.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_EQ(bind(s.listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	CHECK_EQ(listen(s.listener, 1), 0);
	CHECK_EQ(pthread_create(&s.thread, NULL, echo, &s), 0);
	CHECK_EQ(qtest_open(s.path, LIMIT_NS * 10, &log, &q), 0);
	for (int i = 0; i < 4; i++) {
		h[i] = (struct hammer){q, 0};
		CHECK_EQ(pthread_create(&t[i], NULL, hammer, &h[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		CHECK_EQ(h[i].bad, 0);
	}
	CHECK_EQ(qtest_sync(q), 0);
	qtest_close(q);
	server_stop(&s);
}

/* ---- QMP ---- */

#define GREETING                                                                            \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}}, " \
	"\"capabilities\": [\"oob\"]}}\r\n"

TEST(qmp, commands_events_and_refusals)
{
	static const char *const answers[] = {"{\"return\": {}}\r\n",
		"{\"timestamp\": {\"seconds\": 1}, \"event\": \"RESET\", \"data\": {\"return\": "
		"1}}\r\n{\"return\": [{\"name\": \"a]}\\\"\"}, 1.5e3, true, null]}\r\n",
		"{\"error\": {\"class\": \"GenericError\", \"desc\": \"no \\\"room\\\"\"}}\r\n",
		"{\"error\": {}}\r\n", NULL};
	struct server s = {.answers = answers, .greeting = GREETING, .stay = true};
	struct qmp *q;

	server_start(&s);
	CHECK_EQ(qmp_open(s.path, LIMIT_NS, &q), 0);
	CHECK_EQ(qmp_run(q, "{\"execute\": \"x\", \"arguments\": {\"n\": %d}}", 5), 0);
	CHECK_STR(qmp_return(q), "[{\"name\": \"a]}\\\"\"}, 1.5e3, true, null]");
	CHECK_EQ(qmp_run(q, "{\"execute\": \"y\"}"), -EREMOTEIO);
	CHECK_HAS(plx_errmsg(), "QEMU says: no \"room\"");
	CHECK_EQ(qmp_run(q, "{\"execute\": \"y\"}"), -EREMOTEIO);
	CHECK_HAS(plx_errmsg(), "without a reason");
	CHECK_EQ(qmp_run(q, "%3000d", 1), -EINVAL);
	qmp_close(q);
	server_stop(&s);
}

static void qmp_opened(const char *greeting, const char *answer, int want, const char *says)
{
	const char *const answers[] = {answer, NULL};
	struct server s = {.answers = answers, .greeting = greeting, .stay = greeting == NULL};
	struct qmp *q;

	server_start(&s);
	CHECK_EQ(qmp_open(s.path, greeting == NULL ? 20000000 : LIMIT_NS, &q), want);
	CHECK_HAS(plx_errmsg(), says);
	CHECK(q == NULL);
	server_stop(&s);
}

TEST(qmp, hostile_answers)
{
	static char longest[70000], deep[300];

	memset(longest, ' ', sizeof(longest) - 1);
	memset(deep, '[', sizeof(deep) - 2);
	memcpy(deep, "{\"QMP\":", 7);
	deep[sizeof(deep) - 2] = '\n';
	qmp_opened(NULL, NULL, -EBUSY, "another has it");
	qmp_opened("hello\n", NULL, -ENODEV, "is no answer");
	qmp_opened("{\"QMP\": {}\n", NULL, -ENODEV, "is no answer");
	qmp_opened("{\"QMP\": {}} x\n", NULL, -ENODEV, "is no answer");
	qmp_opened("{\"return\": {}}\n", NULL, -ENODEV, "is no answer");
	qmp_opened("{\"QMP\": 1", NULL, -ENODEV, "closed the connection");
	qmp_opened(longest, NULL, -ENODEV, "bytes");
	qmp_opened(deep, NULL, -ENODEV, "is no answer");
	qmp_opened(GREETING, "{\"event\": \"RESET\"}\n", -ENODEV, "closed the connection");
	qmp_opened(GREETING, "{\"error\": {\"desc\": \"no\"}}\n", -EREMOTEIO, "QEMU says: no");
}

/* Every prefix, and every byte of it changed: no read outside (ASan), no loop. */
TEST(qmp, json_of_any_kind)
{
	static const char good[] =
		"{\"a\": [1, {\"b\": \"\\\\\\\"}\"}, []], \"return\" : {\"x\": -1.5E3}, \"c\": null}";
	static const char other[] = "{}[]\":,\\ 0a";
	const char *v;
	size_t len, found = 0;

	CHECK(json_text_member(good, "return", &v, &len));
	CHECK_EQ(len, strlen("{\"x\": -1.5E3}"));
	CHECK(json_text_member(good, "c", &v, &len) && len == 4);
	CHECK(!json_text_member(good, "b", &v, &len));
	CHECK(!json_text_member("[1]", "b", &v, &len));
	CHECK(!json_text_member("{}", "b", &v, &len));
	CHECK(!json_text_member("", "b", &v, &len));
	for (size_t n = 0; n < sizeof(good); n++) {
		for (size_t k = 0; k < sizeof(other); k++) {
			char *text = malloc(sizeof(good));

			CHECK(text != NULL);
			memcpy(text, good, sizeof(good));
			text[n] = other[k]; /* the last one is NUL: a prefix */
			text[sizeof(good) - 1] = '\0';
			if (json_text_member(text, "return", &v, &len)) {
				CHECK(v > text && v + len < text + sizeof(good));
				found++;
			}
			free(text);
		}
	}
	CHECK(found > 0);
}

TEST(qmp, quoting)
{
	char buf[12];

	CHECK(json_text_quote(buf, sizeof(buf), "a\"b\\c"));
	CHECK_STR(buf, "a\\\"b\\\\c");
	CHECK(!json_text_quote(buf, sizeof(buf), "a\nb"));
	CHECK(!json_text_quote(buf, sizeof(buf), "0123456789abc"));
	CHECK(!json_text_quote(buf, sizeof(buf), "\xc3\xa4"));
}
