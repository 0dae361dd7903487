/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of QEMU's qtest protocol (qtest_sock.h). */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer_sock.h"
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
	struct peer_sock peer;
	unsigned pending;  /* answers to posted writes that are still to come */
	size_t start, end; /* what of in[] was not looked at */
	char in[BUF_SIZE];
};

#define die(q, ...) peer_die(&(q)->peer, ENODEV, __VA_ARGS__)

static int no_answer(struct qtest *q)
{
	uint64_t ms = q->peer.limit_ns / 1000000;

	if (!q->peer.answered)
		return peer_die(&q->peer, EBUSY,
			"nobody answers within %" PRIu64 " ms: a QEMU serves one qtest connection "
			"at a time, and another program (or context) has it; end that one",
			ms);
	return die(q, "no answer within %" PRIu64 " ms; is QEMU stopped?", ms);
}

/* ---- receiving, with the lock ---- */

/* Waits for events until the deadline. 0, or the connection is dead. */
static int wait_for(struct qtest *q, short events, uint64_t deadline)
{
	int err = peer_wait(&q->peer, events, deadline);

	return err == -ETIMEDOUT ? no_answer(q) : err;
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
		n = recv(q->peer.fd, q->in + q->end, sizeof(q->in) - q->end, MSG_DONTWAIT);
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
	q->peer.answered = true;
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

	if (q->peer.dead)
		return peer_gone(&q->peer);
	while (len > 0) {
		n = send(q->peer.fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
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
		deadline = deadline != 0 ? deadline : plx_clock_ns() + q->peer.limit_ns;
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
	deadline = plx_clock_ns() + q->peer.limit_ns;
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
			err = drain(q, PENDING_LOOK, plx_clock_ns() + q->peer.limit_ns);
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
	err = q->peer.dead ? peer_gone(&q->peer) : drain(q, 0, plx_clock_ns() + q->peer.limit_ns);
	pthread_mutex_unlock(&q->lock);
	return err;
}

bool qtest_dead(const struct qtest *q)
{
	return peer_dead(&q->peer);
}

/* ---- open and close ---- */

static int connect_to(const char *path, int *out)
{
	int err = peer_connect("qemu:", path, out);

	if (err == -EAGAIN)
		return plx_err(EBUSY,
			"qemu:%s: others wait for this socket already: a QEMU serves one qtest "
			"connection at a time",
			path);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return plx_err(err,
			"qemu:%s: %s; start QEMU with -qtest unix:%s,server=on,wait=off", path,
			err == -ENOENT ? "there is no such socket" : "no QEMU listens there", path);
	return err;
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
	peer_adopt(&q->peer, "qemu", path, fd, limit_ns, log);
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
	peer_close(&q->peer);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
