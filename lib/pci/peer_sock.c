/* SPDX-License-Identifier: BSD-3-Clause */
/* What the clients of UNIX sockets share (peer_sock.h). */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer_sock.h"

int peer_connect(const char *what, const char *path, int *out)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(sa.sun_path))
		return plx_err(ENAMETOOLONG,
			"%s%s: the path of a socket has at most %zu characters", what, path,
			sizeof(sa.sun_path) - 1);
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return plx_err(errno, "%s%s: socket: %s", what, path, strerror(errno));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		*out = fd;
		return 0;
	}
	err = errno;
	close(fd);
	return plx_err(err, "%s%s: connect: %s", what, path, strerror(err));
}

void peer_adopt(struct peer_sock *p, const char *kind, const char *path, int fd, uint64_t limit_ns,
	const struct plx_log *log)
{
	p->fd = fd;
	p->limit_ns = limit_ns;
	p->log = log;
	p->kind = kind;
	snprintf(p->path, sizeof(p->path), "%s", path);
}

void peer_close(struct peer_sock *p)
{
	close(p->fd);
	p->fd = -1;
}

int peer_gone(const struct peer_sock *p)
{
	return plx_err(p->err, "%s:%s: %s", p->kind, p->path, p->why);
}

bool peer_dead(const struct peer_sock *p)
{
	return PLX_READ_ONCE(p->dead);
}

int peer_die(struct peer_sock *p, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (p->dead)
		return peer_gone(p);
	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	for (char *c = p->why; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
	p->err = errnum;
	PLX_WRITE_ONCE(p->dead, true);
	shutdown(p->fd, SHUT_RDWR);
	if (p->answered)
		plx_log(p->log, PLX_LOG_ERR, p->kind, "%s: %s", p->path, p->why);
	return peer_gone(p);
}

int peer_wait(struct peer_sock *p, short events, uint64_t deadline)
{
	struct pollfd pfd = {.fd = p->fd, .events = events};
	uint64_t now = plx_clock_ns();
	int n;

	if (now >= deadline)
		return -ETIMEDOUT;
	n = poll(&pfd, 1, (int)PLX_MIN((deadline - now) / 1000000 + 1, UINT64_C(60000)));
	if (n < 0 && errno != EINTR)
		return peer_die(p, ENODEV, "poll: %s", strerror(errno));
	return 0;
}
