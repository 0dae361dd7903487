/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of QEMU's qtest protocol (qtest_sock.h). */
#define PLX_LOG_TAG "qemu"
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qtest_sock.h"

enum {
	LINE_SIZE = 256, /* no answer to what is asked here has more than 22 bytes */
	BUF_SIZE = 4096,
	/*
	 * Posted writes whose answers were not taken. Each answer sits in a socket buffer of its
	 * own, of which the kernel's default limit allows some 250; a QEMU that cannot answer
	 * blocks. So: look for answers from the lower mark on, wait for them at the upper.
	 */
	PENDING_LOOK = 64,
	PENDING_MAX = 128,
	IRQ_LINES = 1000, /* before one answer */
};

struct qtest {
	pthread_mutex_t lock;
	int fd;
	uint64_t limit_ns;
	struct plx_log *log;
	unsigned pending; /* answers to posted writes that are still to come */
	bool answered;    /* ever */
	bool dead;
	int err; /* why it is dead, and in words: */
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char why[200];
	size_t start, end; /* what of in[] was not looked at */
	char in[BUF_SIZE];
};

/* ---- the end of a connection ---- */

static int gone(const struct qtest *q)
{
	return plx_err(q->err, "qemu:%s: %s", q->path, q->why);
}

PLX_PRINTF(2, 3) static int die(struct qtest *q, const char *fmt, ...)
{
	va_list ap;

	if (q->dead)
		return gone(q);
	va_start(ap, fmt);
	vsnprintf(q->why, sizeof(q->why), fmt, ap);
	va_end(ap);
	for (char *c = q->why; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
	q->err = q->err != 0 ? q->err : ENODEV;
	PLX_WRITE_ONCE(q->dead, true);
	shutdown(q->fd, SHUT_RDWR);
	if (q->answered) /* otherwise the caller of open tells */
		plx_logf(q->log, PLX_LOG_ERR, "%s: %s", q->path, q->why);
	return gone(q);
}

static int no_answer(struct qtest *q)
{
	q->err = q->answered ? ENODEV : EBUSY;
	if (!q->answered)
		return die(q,
			"nobody answers within %" PRIu64 " ms: a QEMU serves one qtest connection "
			"at a time, and another program (or context) has it; end that one",
			q->limit_ns / 1000000);
	return die(q, "no answer within %" PRIu64 " ms; is QEMU stopped?", q->limit_ns / 1000000);
}

/* ---- receiving, with the lock ---- */

/* Waits for events until the deadline. 0, or the connection is dead. */
static int wait_for(struct qtest *q, short events, uint64_t deadline)
{
	struct pollfd p = {.fd = q->fd, .events = events};
	uint64_t now = plx_clock_ns();
	int n;

	if (now >= deadline)
		return no_answer(q);
	n = poll(&p, 1, (int)PLX_MIN((deadline - now) / 1000000 + 1, UINT64_C(60000)));
	if (n < 0 && errno != EINTR)
		return die(q, "poll: %s", strerror(errno));
	return 0;
}

/* Takes what there is. deadline 0: -EAGAIN instead of waiting. */
static int receive(struct qtest *q, uint64_t deadline)
{
	ssize_t n;
	int err;

	if (q->start > 0) {
		memmove(q->in, q->in + q->start, q->end - q->start);
		q->end -= q->start;
		q->start = 0;
	}
	for (;;) {
		n = recv(q->fd, q->in + q->end, sizeof(q->in) - q->end, MSG_DONTWAIT);
		if (n > 0)
			break;
		if (n == 0)
			return die(q, "QEMU closed the connection");
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return die(q, "receive: %s", strerror(errno));
		if (deadline == 0)
			return -EAGAIN;
		err = wait_for(q, POLLIN, deadline);
		if (err < 0)
			return err;
	}
	q->end += (size_t)n;
	return 0;
}

/* The next line, NUL-terminated, valid until the next call. */
static int next_line(struct qtest *q, uint64_t deadline, char **line)
{
	char *nl;
	int err;

	while ((nl = memchr(q->in + q->start, '\n', q->end - q->start)) == NULL) {
		if (q->end - q->start >= LINE_SIZE)
			return die(q, "QEMU sent a line without end");
		err = receive(q, deadline);
		if (err < 0)
			return err;
	}
	*nl = '\0';
	*line = q->in + q->start;
	q->start = (size_t)(nl + 1 - q->in);
	if (strlen(*line) != (size_t)(nl - *line) || nl - *line > LINE_SIZE)
		return die(q, "QEMU sent a line that is too long or has a NUL in it");
	return 0;
}

/* "0x" and 1 to 16 hexadecimal digits, nothing else. */
static bool parse_value(const char *s, uint64_t *v)
{
	size_t n;

	if (s[0] != '0' || s[1] != 'x')
		return false;
	n = strspn(s + 2, "0123456789abcdefABCDEF");
	if (n == 0 || n > 16 || s[2 + n] != '\0')
		return false;
	*v = strtoull(s + 2, NULL, 16);
	return true;
}

/* One answer, with a value where v is given. */
static int answer(struct qtest *q, uint64_t deadline, uint64_t *v)
{
	unsigned irqs = 0;
	char *line = NULL;
	int err;

	do {
		if (irqs++ == IRQ_LINES)
			return die(q, "QEMU sends interrupts and no answers");
		err = next_line(q, deadline, &line);
		if (err < 0)
			return err;
		if (deadline != 0 && plx_clock_ns() > deadline)
			return no_answer(q);
	} while (strncmp(line, "IRQ ", 4) == 0);
	if (v == NULL ? strcmp(line, "OK") != 0
		      : strncmp(line, "OK ", 3) != 0 || !parse_value(line + 3, v))
		return die(q, "QEMU answered '%.60s', which is not an answer to that", line);
	q->answered = true;
	return 0;
}

/* Takes answers to posted writes until at most max are to come. */
static int drain(struct qtest *q, unsigned max, uint64_t deadline)
{
	int err = 0;

	while (err == 0 && q->pending > max) {
		err = answer(q, deadline, NULL);
		if (err == 0)
			q->pending--;
	}
	return err;
}

/* ---- sending, with the lock ---- */

static int send_line(struct qtest *q, const char *buf, size_t len)
{
	uint64_t deadline = 0;
	ssize_t n;
	int err;

	if (q->dead)
		return gone(q);
	while (len > 0) {
		n = send(q->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			buf += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return die(q, "QEMU closed the connection (%s)", strerror(errno));
		/* QEMU does not read. It may wait for us to take its answers. */
		deadline = deadline != 0 ? deadline : plx_clock_ns() + q->limit_ns;
		err = drain(q, 0, 0);
		if (err == -EAGAIN || err == 0)
			err = wait_for(q, q->pending > 0 ? POLLIN | POLLOUT : POLLOUT, deadline);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Sends a command and waits for its value. */
static int ask(struct qtest *q, const char *cmd, int len, uint64_t *v)
{
	uint64_t deadline;
	int err;

	pthread_mutex_lock(&q->lock);
	err = send_line(q, cmd, (size_t)len);
	deadline = plx_clock_ns() + q->limit_ns;
	if (err == 0)
		err = drain(q, 0, deadline);
	if (err == 0)
		err = answer(q, deadline, v);
	pthread_mutex_unlock(&q->lock);
	return err;
}

/* Sends a command and leaves its answer for later. */
static int post(struct qtest *q, const char *cmd, int len)
{
	int err;

	pthread_mutex_lock(&q->lock);
	err = send_line(q, cmd, (size_t)len);
	if (err == 0) {
		q->pending++;
		if (q->pending >= PENDING_MAX)
			err = drain(q, PENDING_LOOK, plx_clock_ns() + q->limit_ns);
		else if (q->pending >= PENDING_LOOK)
			err = drain(q, 0, 0);
		if (err == -EAGAIN)
			err = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return err;
}

/* ---- commands ---- */

static char letter(unsigned width)
{
	return width == 1 ? 'b' : width == 2 ? 'w' : width == 4 ? 'l' : 'q';
}

int qtest_read(struct qtest *q, uint64_t addr, unsigned width, uint64_t *v)
{
	char cmd[64];
	int n = snprintf(cmd, sizeof(cmd), "read%c 0x%" PRIx64 "\n", letter(width), addr);

	return ask(q, cmd, n, v);
}

int qtest_write(struct qtest *q, uint64_t addr, unsigned width, uint64_t v)
{
	char cmd[64];
	int n = snprintf(
		cmd, sizeof(cmd), "write%c 0x%" PRIx64 " 0x%" PRIx64 "\n", letter(width), addr, v);

	return post(q, cmd, n);
}

int qtest_in(struct qtest *q, uint32_t port, unsigned width, uint32_t *v)
{
	char cmd[64];
	int n = snprintf(cmd, sizeof(cmd), "in%c 0x%" PRIx32 "\n", letter(width), port);
	uint64_t got = 0;
	int err = ask(q, cmd, n, &got);

	*v = (uint32_t)got;
	return err;
}

int qtest_out(struct qtest *q, uint32_t port, unsigned width, uint32_t v)
{
	char cmd[64];
	int n = snprintf(
		cmd, sizeof(cmd), "out%c 0x%" PRIx32 " 0x%" PRIx32 "\n", letter(width), port, v);

	return post(q, cmd, n);
}

int qtest_sync(struct qtest *q)
{
	int err;

	pthread_mutex_lock(&q->lock);
	err = q->dead ? gone(q) : drain(q, 0, plx_clock_ns() + q->limit_ns);
	pthread_mutex_unlock(&q->lock);
	return err;
}

bool qtest_dead(const struct qtest *q)
{
	return PLX_READ_ONCE(q->dead);
}

/* ---- open and close ---- */

static int connect_to(const char *path, int *out)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(sa.sun_path))
		return plx_err(ENAMETOOLONG,
			"qemu:%s: the path of a socket has at most %zu characters", path,
			sizeof(sa.sun_path) - 1);
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return plx_err(errno, "qemu:%s: socket: %s", path, strerror(errno));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		*out = fd;
		return 0;
	}
	err = errno;
	close(fd);
	if (err == EAGAIN)
		return plx_err(EBUSY,
			"qemu:%s: others wait for this socket already: a QEMU serves one qtest "
			"connection at a time",
			path);
	if (err == ENOENT || err == ECONNREFUSED)
		return plx_err(err,
			"qemu:%s: %s; start QEMU with -qtest unix:%s,server=on,wait=off", path,
			err == ENOENT ? "there is no such socket" : "no QEMU listens there", path);
	return plx_err(err, "qemu:%s: connect: %s", path, strerror(err));
}

int qtest_adopt(
	int fd, const char *path, uint64_t limit_ns, struct plx_log *log, struct qtest **out)
{
	struct qtest *q = calloc(1, sizeof(*q));

	*out = q;
	if (q == NULL) {
		close(fd);
		return plx_err(ENOMEM, "qemu:%s: no memory", path);
	}
	pthread_mutex_init(&q->lock, NULL);
	q->fd = fd;
	q->limit_ns = limit_ns;
	q->log = log;
	snprintf(q->path, sizeof(q->path), "%s", path);
	return 0;
}

int qtest_open(const char *path, uint64_t limit_ns, struct plx_log *log, struct qtest **out)
{
	int fd = -1, err = connect_to(path, &fd);

	*out = NULL;
	return err < 0 ? err : qtest_adopt(fd, path, limit_ns, log, out);
}

void qtest_close(struct qtest *q)
{
	if (q == NULL)
		return;
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
