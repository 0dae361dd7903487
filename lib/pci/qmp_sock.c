/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of QMP (qmp_sock.h). */
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "json_text.h"
#include "peer_sock.h"
#include "qmp_sock.h"

enum {
	LINE_SIZE = 65536, /* of an answer */
	CMD_SIZE = 2048,
	EVENTS = 1000, /* before one answer */
};

struct qmp {
	int fd;
	bool dead, greeted;
	uint64_t limit_ns;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	size_t start, end; /* what of in[] was not looked at */
	char in[LINE_SIZE];
	char ret[LINE_SIZE]; /* the last "return" */
};

PLX_PRINTF(2, 3) static int die(struct qmp *q, const char *fmt, ...)
{
	char why[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	q->dead = true;
	return plx_err(ENODEV, "QMP %s: %s", q->path, why);
}

static int no_answer(struct qmp *q)
{
	if (q->greeted)
		return die(q, "no answer within %" PRIu64 " ms", q->limit_ns / 1000000);
	q->dead = true;
	return plx_err(EBUSY,
		"QMP %s: nobody greets within %" PRIu64 " ms: a QMP socket serves one program at a "
		"time, and another has it; give QEMU a second one (-qmp)",
		q->path, q->limit_ns / 1000000);
}

/* Waits for more, until the deadline. */
static int receive(struct qmp *q, uint64_t deadline)
{
	struct pollfd p = {.fd = q->fd, .events = POLLIN};
	ssize_t n;

	if (q->start > 0) {
		memmove(q->in, q->in + q->start, q->end - q->start);
		q->end -= q->start;
		q->start = 0;
	}
	if (q->end == sizeof(q->in))
		return die(q, "a line of more than %d bytes", LINE_SIZE);
	for (;;) {
		uint64_t now = plx_clock_ns();

		n = recv(q->fd, q->in + q->end, sizeof(q->in) - q->end, MSG_DONTWAIT);
		if (n > 0)
			break;
		if (n == 0)
			return die(q, "QEMU closed the connection");
		if (errno != EAGAIN && errno != EINTR)
			return die(q, "receive: %s", strerror(errno));
		if (now >= deadline)
			return no_answer(q);
		(void)poll(&p, 1, (int)PLX_MIN((deadline - now) / 1000000 + 1, UINT64_C(60000)));
	}
	q->end += (size_t)n;
	return 0;
}

/* The next line, NUL-terminated. */
static int next_line(struct qmp *q, uint64_t deadline, char **line)
{
	char *nl;
	int err;

	while ((nl = memchr(q->in + q->start, '\n', q->end - q->start)) == NULL) {
		err = receive(q, deadline);
		if (err < 0)
			return err;
	}
	*nl = '\0';
	*line = q->in + q->start;
	q->start = (size_t)(nl + 1 - q->in);
	return strlen(*line) == (size_t)(nl - *line) ? 0 : die(q, "a line with a NUL in it");
}

static int refused(struct qmp *q, const char *error, size_t len)
{
	const char *desc;
	char text[1024], words[256];
	size_t n = 0, desc_len;

	snprintf(text, sizeof(text), "%.*s", (int)PLX_MIN(len, sizeof(text) - 1), error);
	if (!json_text_member(text, "desc", &desc, &desc_len))
		return plx_err(EREMOTEIO, "QMP %s: QEMU refuses without a reason", q->path);
	for (size_t i = 0; i < desc_len && n + 1 < sizeof(words); i++) {
		unsigned char c = (unsigned char)desc[i];

		if (c == '\\' || ((i == 0 || i + 1 == desc_len) && c == '"'))
			continue;
		words[n++] = c >= ' ' && c < 0x7f ? (char)c : '?';
	}
	words[n] = '\0';
	return plx_err(EREMOTEIO, "QMP %s: QEMU says: %s", q->path, words);
}

/* Reads up to the answer; member: what a good one has ("return", or "QMP" for the greeting). */
static int answer(struct qmp *q, uint64_t deadline, const char *member)
{
	const char *v;
	char *line = NULL;
	size_t len;

	for (unsigned events = 0; events < EVENTS; events++) {
		int err = next_line(q, deadline, &line);

		if (err < 0)
			return err;
		if (json_text_member(line, "event", &v, &len))
			continue;
		if (json_text_member(line, member, &v, &len)) {
			q->greeted = true;
			memcpy(q->ret, v, len);
			q->ret[len] = '\0';
			return 0;
		}
		if (json_text_member(line, "error", &v, &len))
			return refused(q, v, len);
		return die(q, "'%.60s' is no answer", line);
	}
	return die(q, "events and no answer");
}

int qmp_run(struct qmp *q, const char *fmt, ...)
{
	uint64_t deadline = plx_clock_ns() + q->limit_ns;
	char cmd[CMD_SIZE];
	va_list ap;
	size_t len, sent = 0;
	ssize_t n;
	int r;

	q->ret[0] = '\0';
	if (q->dead)
		return plx_err(ENODEV, "QMP %s: the connection ended", q->path);
	va_start(ap, fmt);
	r = vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (r < 0 || (size_t)r + 1 >= sizeof(cmd))
		return plx_err(EINVAL, "QMP %s: a command of %d bytes is too long", q->path, r);
	len = (size_t)r;
	cmd[len++] = '\n';
	while (sent < len) {
		/* Commands are short and one at a time: there is room, or QEMU is stuck. */
		n = send(q->fd, cmd + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return die(q, "send: %s", strerror(errno));
		sent += (size_t)n;
	}
	return answer(q, deadline, "return");
}

const char *qmp_return(const struct qmp *q)
{
	return q->ret;
}

int qmp_adopt(int fd, const char *path, uint64_t limit_ns, struct qmp **out)
{
	struct qmp *q = calloc(1, sizeof(*q));
	int err;

	*out = NULL;
	if (q == NULL) {
		close(fd);
		return plx_err(ENOMEM, "QMP %s: no memory", path);
	}
	q->fd = fd;
	q->limit_ns = limit_ns;
	snprintf(q->path, sizeof(q->path), "%s", path);
	err = answer(q, plx_clock_ns() + limit_ns, "QMP");
	if (err == 0)
		err = qmp_run(q, "{\"execute\": \"qmp_capabilities\"}");
	if (err < 0) {
		qmp_close(q);
		return err;
	}
	*out = q;
	return 0;
}

int qmp_open(const char *path, uint64_t limit_ns, struct qmp **out)
{
	int fd = -1, err = peer_connect("QMP ", path, &fd);

	*out = NULL;
	if (err == 0)
		return qmp_adopt(fd, path, limit_ns, out);
	if (err == -ENAMETOOLONG)
		return err;
	return plx_err(err, "QMP %s: %s; start QEMU with -qmp unix:%s,server=on,wait=off", path,
		strerror(-err), path);
}

void qmp_close(struct qmp *q)
{
	if (q == NULL)
		return;
	close(q->fd);
	free(q);
}
