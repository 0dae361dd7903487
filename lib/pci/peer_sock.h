/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the clients of UNIX sockets in lib/pci share: connecting, waiting with a limit, and the end
 * of a connection, which is for good and has a reason that every later call repeats.
 *
 * All but peer_connect() and peer_dead() with the lock of the client.
 */
#ifndef PEER_SOCK_H
#define PEER_SOCK_H

#include <sys/un.h>

#include "plx_log.h"

struct peer_sock {
	int fd;
	uint64_t limit_ns;
	const struct plx_log *log;
	const char *kind; /* of the transport: "qemu" */
	bool answered;    /* ever: before that, whoever opens tells */
	bool dead;
	int err; /* why it is dead, and in words: */
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char why[200];
};

/*
 * A non-blocking stream socket connected to path. -errno as connect(2), with a text (what: what
 * stands before the path there) that the caller may better; -EAGAIN: others are waiting for it.
 */
int peer_connect(const char *what, const char *path, int *fd);

/* Takes a connected, non-blocking socket. */
void peer_adopt(struct peer_sock *p, const char *kind, const char *path, int fd, uint64_t limit_ns,
	const struct plx_log *log);
void peer_close(struct peer_sock *p);

/* Ends the connection; errnum is what calls return from now on. The first reason stays. */
int peer_die(struct peer_sock *p, int errnum, const char *fmt, ...) PLX_PRINTF(3, 4);
/* The error of a connection that has ended. */
int peer_gone(const struct peer_sock *p);
/* Any thread. */
bool peer_dead(const struct peer_sock *p);

/* Waits for events. 0: look again; -ETIMEDOUT (without a text): the deadline has passed. */
int peer_wait(struct peer_sock *p, short events, uint64_t deadline);

#endif
