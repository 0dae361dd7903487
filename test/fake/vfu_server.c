/* SPDX-License-Identifier: BSD-3-Clause */
/* The vfio-user test server: its socket and its thread. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vfu_priv.h"

#define LIMIT_MS \
	10000 /* a client that says nothing in the middle of a message, or does not answer */

void vfu_wrong(struct vfu_server *s, const char *fmt, ...)
{
	va_list ap;

	if (s->violation[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(s->violation, sizeof(s->violation), fmt, ap);
	va_end(ap);
}

/* ---- the connection, with the lock ---- */

static void drop_fds(int *fds, unsigned *n)
{
	for (unsigned i = 0; i < *n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*n = 0;
}

static void hang_up(struct vfu_server *s)
{
	if (s->conn < 0)
		return;
	close(s->conn);
	s->conn = -1;
	s->versioned = false;
	s->sent = 0;
	drop_fds(s->in_fds, &s->n_in_fds);
	s->in_len = 0;
	vfu_forget(s);
}

static void send_message(struct vfu_server *s)
{
	struct vfu_out *m = &s->out;
	enum vfu_fate fate = VFU_SEND;
	char control[CMSG_SPACE(VFU_FDS * sizeof(int))];
	struct iovec iov;
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	m->cmd = plx_load_le16(m->data + H_CMD);
	m->number = s->sent++;
	if (s->opts.mangle != NULL)
		fate = s->opts.mangle(s->opts.arg, m);
	if (fate == VFU_CLOSE)
		hang_up(s);
	if (fate == VFU_CLOSE || fate == VFU_DROP)
		return;
	iov = (struct iovec){m->data, m->len};
	if (m->n_fds > 0) {
		struct cmsghdr *c;

		memset(control, 0, sizeof(control));
		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(m->n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(m->n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), m->fds, m->n_fds * sizeof(int));
	}
	if (m->len > 0)
		(void)!sendmsg(s->conn, &h, MSG_NOSIGNAL);
	if (fate == VFU_SEND_AND_CLOSE)
		hang_up(s);
}

/* Exactly n bytes of the message, with what descriptors come. False: the client is gone. */
static bool read_exactly(struct vfu_server *s, size_t n)
{
	char control[CMSG_SPACE(VFU_FDS * sizeof(int))];
	struct pollfd p = {.fd = s->conn, .events = POLLIN};

	while (s->in_len < n) {
		struct iovec iov = {s->in + s->in_len, n - s->in_len};
		struct msghdr h = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t got = recvmsg(s->conn, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (got < 0 && errno == EAGAIN && poll(&p, 1, LIMIT_MS) > 0)
			continue;
		if (got <= 0)
			return false;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c != NULL; c = CMSG_NXTHDR(&h, c)) {
			unsigned k = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

			memcpy(s->in_fds + s->n_in_fds, CMSG_DATA(c), k * sizeof(int));
			s->n_in_fds += k;
		}
		s->in_len += (size_t)got;
	}
	return true;
}

/* Reads one message. */
static bool read_message(struct vfu_server *s)
{
	uint32_t size;

	drop_fds(s->in_fds, &s->n_in_fds);
	s->in_len = 0;
	if (!read_exactly(s, H_LEN))
		return false;
	size = plx_load_le32(s->in + H_SIZE);
	if (size < H_LEN || size > VFU_MESSAGE) {
		vfu_wrong(s, "header: a message of %u bytes", size);
		return false;
	}
	if (!read_exactly(s, size))
		return false;
	if (s->n_in_fds > s->opts.max_fds)
		vfu_wrong(s, "max_msg_fds is %u: %u descriptors in a message", s->opts.max_fds,
			s->n_in_fds);
	return true;
}

/* The message in s->in is a request: does it, and answers. */
static void answer(struct vfu_server *s)
{
	uint32_t flags = plx_load_le32(s->in + H_FLAGS);
	uint16_t cmd = plx_load_le16(s->in + H_CMD);
	uint8_t id[2] = {s->in[0], s->in[1]};
	int error;

	if ((flags & ~(uint32_t)F_NO_REPLY) != 0)
		vfu_wrong(s, "header: flags 0x%x of a command", flags);
	if ((cmd == C_VERSION) != !s->versioned)
		vfu_wrong(s, "VERSION is the first message, and comes once");
	if (cmd < C_COUNT)
		s->count[cmd]++;
	s->out.len = H_LEN;
	s->out.n_fds = 0;
	error = vfu_handle(s, cmd, s->in + H_LEN, s->in_len - H_LEN);
	s->versioned = s->versioned || (cmd == C_VERSION && error == 0);
	if (s->conn < 0 || ((flags & F_NO_REPLY) != 0 && !s->opts.answers_posted))
		return;
	if (error != 0) {
		s->out.len = H_LEN;
		s->out.n_fds = 0;
	}
	memcpy(s->out.data + H_ID, id, 2);
	plx_store_le16(s->out.data + H_CMD, cmd);
	plx_store_le32(s->out.data + H_SIZE, (uint32_t)s->out.len);
	plx_store_le32(s->out.data + H_FLAGS, F_REPLY | (error != 0 ? F_ERROR : 0));
	plx_store_le32(s->out.data + H_ERROR, (uint32_t)error);
	send_message(s);
}

/* ---- memory by message ---- */

static int dma_answer(struct vfu_server *s, uint64_t iova, void *buf, size_t len, bool write)
{
	const uint8_t *p = s->in + H_LEN;

	if ((plx_load_le32(s->in + H_FLAGS) & F_ERROR) != 0)
		return s->in_len == H_LEN ? -(int)plx_load_le32(s->in + H_ERROR) : -EPROTO;
	if (plx_load_le16(s->in + H_ID) != s->dma_id ||
		plx_load_le16(s->in + H_CMD) != (write ? C_DMA_WRITE : C_DMA_READ) ||
		s->in_len != H_LEN + 16 + (write ? 0 : len) || plx_load_le64(p) != iova ||
		plx_load_le64(p + 8) != len)
		return -EPROTO;
	if (!write)
		memcpy(buf, p + 16, len);
	return 0;
}

int vfu_dma(struct vfu_server *s, uint64_t iova, void *buf, size_t len, bool write)
{
	int err = -ENOTCONN;

	pthread_mutex_lock(&s->lock);
	if (s->conn >= 0) {
		memset(s->out.data, 0, H_LEN);
		plx_store_le16(s->out.data + H_ID, ++s->dma_id);
		plx_store_le16(s->out.data + H_CMD, write ? C_DMA_WRITE : C_DMA_READ);
		s->out.len = H_LEN;
		s->out.n_fds = 0;
		vfu_put64(s, iova);
		vfu_put64(s, len);
		if (write)
			vfu_put(s, buf, len);
		plx_store_le32(s->out.data + H_SIZE, (uint32_t)s->out.len);
		send_message(s);
	}
	while (s->conn >= 0) {
		if (!read_message(s)) {
			hang_up(s);
		} else if ((plx_load_le32(s->in + H_FLAGS) & 15) == F_REPLY) {
			err = dma_answer(s, iova, buf, len, write);
			break;
		} else {
			answer(s);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

void vfu_say(struct vfu_server *s, const void *data, size_t len)
{
	pthread_mutex_lock(&s->lock);
	if (s->conn >= 0)
		(void)!send(s->conn, data, len, MSG_NOSIGNAL);
	pthread_mutex_unlock(&s->lock);
}

/* ---- the thread ---- */

static void one_message(struct vfu_server *s)
{
	if (!read_message(s)) {
		hang_up(s);
		return;
	}
	if ((plx_load_le32(s->in + H_FLAGS) & 15) != 0)
		vfu_wrong(s, "a reply to nothing");
	else
		answer(s);
}

static void *serve(void *arg)
{
	struct vfu_server *s = arg;
	uint64_t n;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct pollfd p[2] = {{.fd = s->wake, .events = POLLIN},
			{.fd = s->conn >= 0 ? s->conn : s->listener, .events = POLLIN}};
		int limit = s->conn >= 0 ? 1 : -1; /* a device lives on while nobody talks to it */

		pthread_mutex_unlock(&s->lock);
		(void)poll(p, 2, limit);
		fake_advance(s->f, 0);
		pthread_mutex_lock(&s->lock);
		if (p[0].revents != 0)
			(void)!read(s->wake, &n, sizeof(n));
		if (s->stop || (p[1].revents == 0))
			continue;
		if (s->conn < 0) {
			s->conn = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
			continue;
		}
		/* vfu_dma() may have taken it */
		if (poll(&p[1], 1, 0) > 0)
			one_message(s);
	}
	hang_up(s);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void fail(const char *what)
{
	perror(what);
	abort();
}

static void wake(struct vfu_server *s)
{
	const uint64_t one = 1;

	(void)!write(s->wake, &one, sizeof(one));
}

struct vfu_server *vfu_start(const char *path, struct fake_pci *f, const struct vfu_opts *opts)
{
	static const struct vfu_opts defaults = VFU_OPTS_INIT;
	struct vfu_server *s = calloc(1, sizeof(*s));
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (s == NULL)
		fail("vfio-user test server");
	s->opts = opts != NULL ? *opts : defaults;
	s->f = f;
	s->dev.priv = f;
	s->dev.t = &fake_transport;
	snprintf(s->dev.name, sizeof(s->dev.name), "vfu:%.100s", f->name);
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	pthread_mutex_init(&s->lock, NULL);
	s->conn = s->bar_fd = -1;
	vfu_bar_file(s);
	unlink(path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->nowhere = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
		listen(s->listener, 1) < 0 || s->wake < 0 || s->nowhere < 0)
		fail(path);
	if (pthread_create(&s->thread, NULL, serve, s) != 0)
		fail("thread");
	return s;
}

void vfu_leave(struct vfu_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	hang_up(s);
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

void vfu_stop(struct vfu_server *s)
{
	vfu_leave(s);
	pthread_join(s->thread, NULL);
	close(s->listener);
	close(s->wake);
	close(s->nowhere);
	if (s->bar_fd >= 0)
		close(s->bar_fd);
	unlink(s->path);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const char *vfu_violation(struct vfu_server *s)
{
	vfu_sync(s);
	return s->violation;
}

void vfu_sync(struct vfu_server *s)
{
	pthread_mutex_lock(&s->lock);
	pthread_mutex_unlock(&s->lock);
}

unsigned vfu_count(struct vfu_server *s, uint16_t cmd)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->count[cmd];
	pthread_mutex_unlock(&s->lock);
	return n;
}

int vfu_bar_fd(struct vfu_server *s)
{
	return s->bar_fd;
}

unsigned vfu_extents(struct vfu_server *s, unsigned *without)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	*without = 0;
	for (unsigned i = 0; i < s->n_maps; i++)
		*without += s->maps[i].va == NULL;
	n = s->n_maps;
	pthread_mutex_unlock(&s->lock);
	return n;
}
