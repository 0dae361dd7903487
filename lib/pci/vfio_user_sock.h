/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages of vfio-user (QEMU's docs/interop/vfio-user.rst): framing, file descriptors, matching
 * of answers, time limits, and requests that come from the server. What messages mean is elsewhere.
 *
 * A message is a header of 16 bytes and a payload, in the byte order of the host. One question is
 * under way at a time; posted ones (No_reply) are not answered, and done before the question after
 * them is.
 *
 * Nothing that comes in is trusted: a size out of range, an answer to nothing, too many descriptors
 * or no answer within the time limit end the connection for good; every call then fails at once and
 * says why it ended. Descriptors that nobody asked for are closed. Any thread.
 */
#ifndef VFIO_USER_SOCK_H
#define VFIO_USER_SOCK_H

#include "plx_log.h"

enum vu_cmd {
	VU_VERSION = 1,
	VU_DMA_MAP = 2,
	VU_DMA_UNMAP = 3,
	VU_GET_INFO = 4,
	VU_GET_REGION_INFO = 5,
	VU_GET_IRQ_INFO = 7,
	VU_SET_IRQS = 8,
	VU_REGION_READ = 9,
	VU_REGION_WRITE = 10,
	VU_DMA_READ = 11,  /* from the server */
	VU_DMA_WRITE = 12, /* from the server */
	VU_RESET = 13,
};

enum {
	VU_DATA_MAX = 65536, /* of a transfer, in both directions: what we say in VERSION */
	VU_PAYLOAD_MAX = VU_DATA_MAX + 64,
	VU_FDS_MAX = 16, /* in one message: what we say in VERSION */
};

struct vu_sock;

/*
 * Answers a request of the server: in[len] is its payload; out (VU_PAYLOAD_MAX bytes) and *out_len
 * that of the answer. Returns 0 or a positive errno for the server. With the lock of the socket.
 */
typedef int (*vu_serve_fn)(
	void *arg, uint16_t cmd, const uint8_t *in, size_t len, uint8_t *out, size_t *out_len);

struct vu_req {
	enum vu_cmd cmd;
	const void *data; /* payload */
	size_t len;
	const void *more; /* ... and what follows it, or NULL */
	size_t more_len;
	const int *fds; /* to send along */
	unsigned n_fds;
};

struct vu_answer {
	void *data;      /* room for the payload */
	size_t min, max; /* of it; outside of this, the server breaks the protocol */
	size_t len;      /* out: how much came */
	int *fds;        /* room for descriptors, which become the caller's */
	unsigned max_fds, n_fds;
};

/*
 * Connects to the UNIX socket at path. -ENOENT, -ECONNREFUSED, -EACCES ... as connect(2), with what
 * to do; -EBUSY; -ENAMETOOLONG; -ENOMEM.
 */
int vu_open(const char *path, uint64_t limit_ns, const struct plx_log *log, struct vu_sock **out);
/* The same over a connected, non-blocking socket, which it takes; path is for messages. -ENOMEM. */
int vu_adopt(int fd, const char *path, uint64_t limit_ns, const struct plx_log *log,
	struct vu_sock **out);
void vu_close(struct vu_sock *s);

/* Who answers the server's requests; NULL: they are refused. */
void vu_serve(struct vu_sock *s, vu_serve_fn fn, void *arg);
/* From now on the end of the connection means that the device left: -ENODEV and a line in the log. */
void vu_up(struct vu_sock *s);

/*
 * Asks, and waits for the answer. a NULL: it has no payload, or none that matters. -EREMOTEIO: the
 * server refuses (the message has its error); -EBUSY: nobody has ever answered; -EPROTO: it broke
 * the protocol; -ENODEV: the connection ended.
 */
int vu_call(struct vu_sock *s, const struct vu_req *r, struct vu_answer *a);
/* Sends it and wants no answer. */
int vu_post(struct vu_sock *s, const struct vu_req *r);
/* Answers the requests that are there. Never waits for another thread. */
void vu_pump(struct vu_sock *s);
/* Ends the connection because the server broke the protocol; -EPROTO, or -ENODEV once up. */
int vu_broken(struct vu_sock *s, const char *fmt, ...) PLX_PRINTF(2, 3);

/* Has the connection ended? Looks at the socket, too. */
bool vu_dead(struct vu_sock *s);
/* What becomes readable when vu_pump() has something to do. */
int vu_fd(const struct vu_sock *s);
/* Holds what vu_serve_fn reads. Not over a call of the above. */
void vu_lock(struct vu_sock *s);
void vu_unlock(struct vu_sock *s);

#endif
