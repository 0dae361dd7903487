/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of vfio-user (vfio_user_sock.h). */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer_sock.h"
#include "vfio_user_sock.h"

struct header {
	uint16_t id, cmd;
	uint32_t size; /* with the header */
	uint32_t flags;
	uint32_t error;
};

enum {
	HEADER = sizeof(struct header),
	MSG_MAX = HEADER + VU_PAYLOAD_MAX,
	TYPE = 15,
	TYPE_COMMAND = 0,
	TYPE_REPLY = 1,
	NO_REPLY = 1 << 4,
	FAILED = 1 << 5,
	LOOK = 64, /* posted messages between two looks at what came in */
	PUMP = 64, /* messages that one vu_pump() takes */
};

struct vu_sock {
	pthread_mutex_t lock;
	struct peer_sock peer;
	bool up;
	vu_serve_fn serve;
	void *serve_arg;
	uint16_t id;     /* of the last question */
	uint64_t posted; /* questions that the server should not, and may, have answered */

	/* the question under way */
	bool asked, answered;
	uint16_t cmd;

	/* the message that comes in */
	size_t got, need;
	bool whole; /* it is there, and not looked at */
	int fds[VU_FDS_MAX];
	unsigned n_fds;
	union {
		struct header h;
		uint8_t b[MSG_MAX];
	} in, out;
};

/* ---- the end of a connection ---- */

static const char *cmd_name(unsigned cmd)
{
	static const char *const names[] = {
		[VU_VERSION] = "VERSION",
		[VU_DMA_MAP] = "DMA_MAP",
		[VU_DMA_UNMAP] = "DMA_UNMAP",
		[VU_GET_INFO] = "DEVICE_GET_INFO",
		[VU_GET_REGION_INFO] = "DEVICE_GET_REGION_INFO",
		[VU_GET_IRQ_INFO] = "DEVICE_GET_IRQ_INFO",
		[VU_SET_IRQS] = "DEVICE_SET_IRQS",
		[VU_REGION_READ] = "REGION_READ",
		[VU_REGION_WRITE] = "REGION_WRITE",
		[VU_DMA_READ] = "DMA_READ",
		[VU_DMA_WRITE] = "DMA_WRITE",
		[VU_RESET] = "DEVICE_RESET",
	};

	return cmd < PLX_ARRAY_SIZE(names) && names[cmd] != NULL ? names[cmd] : "?";
}

static int end_error(const struct vu_sock *s, int errnum)
{
	return s->up ? ENODEV : errnum;
}

#define broken(s, ...) peer_die(&(s)->peer, end_error(s, EPROTO), "the server " __VA_ARGS__)
#define lost(s, ...)   peer_die(&(s)->peer, ENODEV, __VA_ARGS__)

static int no_answer(struct vu_sock *s)
{
	uint64_t ms = s->peer.limit_ns / 1000000;

	if (!s->peer.answered)
		return peer_die(&s->peer, EBUSY,
			"nobody answers within %" PRIu64 " ms: a vfio-user server serves one "
			"client at a time, and another program (or context) has it; end that one",
			ms);
	return lost(s, "no answer to %s within %" PRIu64 " ms; is the server stopped?",
		s->asked ? cmd_name(s->cmd) : "messages", ms);
}

static int wait_for(struct vu_sock *s, short events, uint64_t deadline)
{
	int err = peer_wait(&s->peer, events, deadline);

	return err == -ETIMEDOUT ? no_answer(s) : err;
}

/* ---- receiving, with the lock ---- */

/* Done with the message that came in. */
static void next(struct vu_sock *s)
{
	for (unsigned i = 0; i < s->n_fds; i++)
		close(s->fds[i]);
	s->n_fds = 0;
	s->got = 0;
	s->need = HEADER;
	s->whole = false;
}

/* Takes over the descriptors that came along. */
static int keep_fds(struct vu_sock *s, struct msghdr *m)
{
	int fds[VU_FDS_MAX];
	bool many = (m->msg_flags & MSG_CTRUNC) != 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(fds, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (s->n_fds < VU_FDS_MAX) {
				s->fds[s->n_fds++] = fds[0];
			} else {
				close(fds[0]);
				many = true;
			}
		}
	}
	return many ? broken(s, "sends more than %d descriptors in a message", VU_FDS_MAX) : 0;
}

/* Takes what there is of this message, and no byte of the next. -EAGAIN: nothing. */
static int take(struct vu_sock *s)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(VU_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {s->in.b + s->got, s->need - s->got};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.b,
		.msg_controllen = sizeof(control.b),
	};
	ssize_t n;

	if (s->peer.dead)
		return peer_gone(&s->peer);
	do
		n = recvmsg(s->peer.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return s->peer.answered
			       ? lost(s, "the server closed the connection")
			       : lost(s, "the server closed the connection at once: is it a "
					 "vfio-user server that speaks version 0.1?");
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : lost(s, "receive: %s", strerror(errno));
	s->got += (size_t)n;
	return keep_fds(s, &m);
}

/* The header is there. */
static int check_header(struct vu_sock *s)
{
	uint32_t size = s->in.h.size, type = s->in.h.flags & TYPE;

	if (type != TYPE_COMMAND && type != TYPE_REPLY)
		return broken(s, "sends a message of type %u", type);
	if (size < HEADER || size > MSG_MAX)
		return broken(s, "sends a message of %u bytes", size);
	s->need = size;
	return 0;
}

/* Until a message is whole. deadline 0: -EAGAIN instead of waiting. */
static int receive(struct vu_sock *s, uint64_t deadline)
{
	bool header = s->need == HEADER;
	int err;

	while (!s->whole) {
		err = take(s);
		if (err == -EAGAIN)
			err = deadline == 0 ? -EAGAIN : wait_for(s, POLLIN, deadline);
		if (err == 0 && header && s->got == HEADER) {
			header = false;
			err = check_header(s);
		}
		if (err < 0)
			return err;
		s->whole = !header && s->got == s->need;
	}
	return 0;
}

/* ---- sending, with the lock ---- */

static void attach(struct msghdr *m, char *control, const int *fds, unsigned n)
{
	struct cmsghdr *c;

	if (n == 0)
		return;
	m->msg_control = control;
	m->msg_controllen = CMSG_SPACE(n * sizeof(int));
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
}

static int dispatch(struct vu_sock *s);

/*
 * The server does not read. It may wait for us to read: answers are taken, its next request is left
 * until ours is out.
 */
static int stuck(struct vu_sock *s, uint64_t deadline)
{
	int err = s->whole ? -EAGAIN : receive(s, 0);

	if (err == 0 && (s->in.h.flags & TYPE) == TYPE_REPLY)
		return dispatch(s);
	if (err < 0 && err != -EAGAIN)
		return err;
	return wait_for(s, s->whole ? POLLOUT : POLLIN | POLLOUT, deadline);
}

/* Sends out[len], which has a header. */
static int send_out(
	struct vu_sock *s, size_t len, const int *fds, unsigned n_fds, uint64_t deadline)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(VU_FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {s->out.b, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;
	int err;

	attach(&m, control.b, fds, n_fds);
	while (iov.iov_len > 0) {
		if (s->peer.dead)
			return peer_gone(&s->peer);
		n = sendmsg(s->peer.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			iov.iov_base = (uint8_t *)iov.iov_base + n;
			iov.iov_len -= (size_t)n;
			m.msg_control = NULL;
			m.msg_controllen = 0;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return lost(s, "the server closed the connection (%s)", strerror(errno));
		err = stuck(s, deadline);
		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- what came in ---- */

/* A request of the server. */
static int serve(struct vu_sock *s)
{
	struct header h = s->in.h;
	size_t len = 0;
	int error = EOPNOTSUPP;

	if (s->serve != NULL)
		error = s->serve(s->serve_arg, h.cmd, s->in.b + HEADER, h.size - HEADER,
			s->out.b + HEADER, &len);
	next(s);
	if ((h.flags & NO_REPLY) != 0)
		return 0;
	if (error != 0)
		len = 0;
	s->out.h = (struct header){
		.id = h.id,
		.cmd = h.cmd,
		.size = (uint32_t)(HEADER + len),
		.flags = TYPE_REPLY | (error != 0 ? FAILED : 0),
		.error = (uint32_t)error,
	};
	return send_out(s, HEADER + len, NULL, 0, plx_clock_ns() + s->peer.limit_ns);
}

static int reply(struct vu_sock *s)
{
	struct header h = s->in.h;

	if (s->asked && !s->answered && h.id == s->id && h.cmd == s->cmd) {
		s->answered = s->peer.answered = true;
		return 0; /* the message stays for who asked */
	}
	/* Some servers answer what they were asked not to. */
	if (h.cmd == VU_REGION_WRITE && s->posted > 0) {
		s->posted--;
		next(s);
		return 0;
	}
	return broken(s, "answers %s, number %u, which nobody asked", cmd_name(h.cmd), h.id);
}

static int dispatch(struct vu_sock *s)
{
	return (s->in.h.flags & TYPE) == TYPE_REPLY ? reply(s) : serve(s);
}

/* ---- asking ---- */

static int send_req(struct vu_sock *s, const struct vu_req *r, uint32_t flags, uint64_t deadline)
{
	size_t len = r->len + r->more_len;

	if (s->peer.dead)
		return peer_gone(&s->peer);
	if (len > VU_PAYLOAD_MAX || r->n_fds > VU_FDS_MAX)
		return plx_err(EINVAL, "%s:%s: %s of %zu bytes", s->peer.kind, s->peer.path,
			cmd_name(r->cmd), len);
	s->out.h = (struct header){
		.id = ++s->id,
		.cmd = (uint16_t)r->cmd,
		.size = (uint32_t)(HEADER + len),
		.flags = TYPE_COMMAND | flags,
	};
	if (r->len > 0)
		memcpy(s->out.b + HEADER, r->data, r->len);
	if (r->more_len > 0)
		memcpy(s->out.b + HEADER + r->len, r->more, r->more_len);
	return send_out(s, HEADER + len, r->fds, r->n_fds, deadline);
}

static int wait_answer(struct vu_sock *s, const struct vu_req *r, uint64_t deadline)
{
	int err = 0;

	s->asked = true;
	s->answered = false;
	s->cmd = (uint16_t)r->cmd;
	while (err == 0 && !s->answered) {
		err = receive(s, deadline);
		if (err == 0)
			err = dispatch(s);
		/* Requests of the server do not make the wait longer. */
		if (err == 0 && !s->answered && plx_clock_ns() > deadline)
			err = no_answer(s);
	}
	s->asked = false;
	return err;
}

/* Gives the answer, which is in in[], to who asked. */
static int give(struct vu_sock *s, const struct vu_req *r, struct vu_answer *a)
{
	size_t len = s->in.h.size - HEADER;
	uint32_t error = s->in.h.error;

	if ((s->in.h.flags & FAILED) != 0)
		return plx_err(EREMOTEIO, "%s:%s: the server refuses %s: %s", s->peer.kind,
			s->peer.path, cmd_name(r->cmd),
			error > 0 && error < 4096 ? strerror((int)error) : "it does not say why");
	if (a == NULL)
		return 0;
	if (len < a->min || len > a->max)
		return broken(s, "answers %s with %zu bytes, not %zu to %zu", cmd_name(r->cmd), len,
			a->min, a->max);
	memcpy(a->data, s->in.b + HEADER, len);
	a->len = len;
	while (a->n_fds < a->max_fds && a->n_fds < s->n_fds) {
		a->fds[a->n_fds] = s->fds[a->n_fds];
		a->n_fds++;
	}
	/* next() closes the others */
	memmove(s->fds, s->fds + a->n_fds, (s->n_fds - a->n_fds) * sizeof(int));
	s->n_fds -= a->n_fds;
	return 0;
}

int vu_call(struct vu_sock *s, const struct vu_req *r, struct vu_answer *a)
{
	uint64_t deadline = plx_clock_ns() + s->peer.limit_ns;
	int err;

	if (a != NULL) {
		a->len = 0;
		a->n_fds = 0;
	}
	pthread_mutex_lock(&s->lock);
	err = send_req(s, r, 0, deadline);
	if (err == 0)
		err = wait_answer(s, r, deadline);
	if (err == 0) {
		err = give(s, r, a);
		next(s);
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

/* Takes up to max messages that are there. */
static int drain(struct vu_sock *s, unsigned max)
{
	int err = 0;

	while (err == 0 && max-- > 0) {
		err = receive(s, 0);
		if (err == 0)
			err = dispatch(s);
	}
	return err == -EAGAIN ? 0 : err;
}

int vu_post(struct vu_sock *s, const struct vu_req *r)
{
	int err;

	pthread_mutex_lock(&s->lock);
	err = send_req(s, r, NO_REPLY, plx_clock_ns() + s->peer.limit_ns);
	if (err == 0)
		s->posted++;
	if (err == 0 && (s->posted % LOOK == 0 || s->whole))
		err = drain(s, LOOK);
	pthread_mutex_unlock(&s->lock);
	return err;
}

void vu_pump(struct vu_sock *s)
{
	/* Whoever has the lock takes what comes. */
	if (pthread_mutex_trylock(&s->lock) != 0)
		return;
	(void)drain(s, PUMP);
	pthread_mutex_unlock(&s->lock);
}

/* ---- open and close ---- */

int vu_broken(struct vu_sock *s, const char *fmt, ...)
{
	char why[160];
	va_list ap;
	int err;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&s->lock);
	err = broken(s, "%s", why);
	pthread_mutex_unlock(&s->lock);
	return err;
}

bool vu_dead(struct vu_sock *s)
{
	struct pollfd p = {.fd = s->peer.fd, .events = POLLRDHUP};

	if (peer_dead(&s->peer))
		return true;
	if (poll(&p, 1, 0) <= 0 || pthread_mutex_trylock(&s->lock) != 0)
		return false;
	/* What it sent before it left does not matter any more. */
	(void)lost(s, "the server closed the connection");
	pthread_mutex_unlock(&s->lock);
	return true;
}

int vu_fd(const struct vu_sock *s)
{
	return s->peer.fd;
}

void vu_lock(struct vu_sock *s)
{
	pthread_mutex_lock(&s->lock);
}

void vu_unlock(struct vu_sock *s)
{
	pthread_mutex_unlock(&s->lock);
}

void vu_serve(struct vu_sock *s, vu_serve_fn fn, void *arg)
{
	pthread_mutex_lock(&s->lock);
	s->serve = fn;
	s->serve_arg = arg;
	pthread_mutex_unlock(&s->lock);
}

void vu_up(struct vu_sock *s)
{
	pthread_mutex_lock(&s->lock);
	s->up = true;
	pthread_mutex_unlock(&s->lock);
}

int vu_adopt(int fd, const char *path, uint64_t limit_ns, const struct plx_log *log,
	struct vu_sock **out)
{
	struct vu_sock *s = calloc(1, sizeof(*s));

	*out = s;
	if (s == NULL) {
		close(fd);
		return plx_err(ENOMEM, "vfio-user:%s: no memory", path);
	}
	pthread_mutex_init(&s->lock, NULL);
	peer_adopt(&s->peer, "vfio-user", path, fd, limit_ns, log);
	next(s);
	return 0;
}

int vu_open(const char *path, uint64_t limit_ns, const struct plx_log *log, struct vu_sock **out)
{
	int fd = -1, err = peer_connect("vfio-user:", path, &fd);

	*out = NULL;
	if (err == 0)
		return vu_adopt(fd, path, limit_ns, log, out);
	if (err == -EAGAIN)
		return plx_err(EBUSY,
			"vfio-user:%s: others wait for this socket already: a server serves one "
			"client at a time",
			path);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return plx_err(err, "vfio-user:%s: %s; start the server, or give its socket%s",
			path,
			err == -ENOENT ? "there is no such socket" : "no server listens there",
			" (SPDK's is DIR/cntrl)");
	if (err == -EACCES)
		return plx_err(err, "vfio-user:%s: %s; the socket has to be writable for this user",
			path, strerror(-err));
	return err;
}

void vu_close(struct vu_sock *s)
{
	if (s == NULL)
		return;
	next(s);
	peer_close(&s->peer);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
