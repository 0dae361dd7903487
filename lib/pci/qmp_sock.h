/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * QMP, the client: one JSON object a line, a command at a time. Events are skipped.
 * What comes in is bounded and checked; a line that is no JSON object, or no answer within the time
 * limit, ends the connection for good. One thread at a time.
 */
#ifndef QMP_SOCK_H
#define QMP_SOCK_H

#include "plx_log.h"

struct qmp;

/*
 * Connects and negotiates. As qtest_open(); -EBUSY when nobody greets, because another program
 * is connected.
 */
int qmp_open(const char *path, uint64_t limit_ns, struct qmp **out);
/* The same over a connected, non-blocking socket, which it takes; path is for messages. */
int qmp_adopt(int fd, const char *path, uint64_t limit_ns, struct qmp **out);
void qmp_close(struct qmp *q);

/*
 * Runs a command, JSON without a newline, made by the format. 0, -EREMOTEIO (QEMU refused; the
 * message has its words), -ENODEV (the connection ended), -EINVAL (over-long).
 */
int qmp_run(struct qmp *q, const char *fmt, ...) PLX_PRINTF(2, 3);
/* The value of the last command's "return", as JSON text; until the next command. */
const char *qmp_return(const struct qmp *q);

#endif
