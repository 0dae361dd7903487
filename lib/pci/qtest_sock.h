/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * QEMU's qtest protocol, the client: lines of text over a socket. `readl ADDR` is answered by
 * `OK VALUE`, `writel ADDR VALUE` by `OK`; lines that start with `IRQ` may come at any time.
 *
 * Writes are posted: sent at once, their answers taken when there are many or before a read. The
 * answers come in order, so a count of those outstanding is all there is to keep.
 *
 * Nothing that comes in is trusted: a line that is too long, or not an answer, or none within the
 * time limit, ends the connection for good; every call then fails at once with -ENODEV and says
 * why it ended. Any thread.
 */
#ifndef QTEST_SOCK_H
#define QTEST_SOCK_H

#include "plx_log.h"

struct qtest;

/*
 * Connects to the UNIX socket at path. log: where the end of the connection is told.
 * -ENOENT, -ECONNREFUSED, -EACCES ... as connect(2), with what to do; -EBUSY: others are waiting
 * for it; -ENAMETOOLONG; -ENOMEM. That another program has the connection shows only in that the
 * first question is not answered: it fails with -EBUSY.
 */
int qtest_open(const char *path, uint64_t limit_ns, struct plx_log *log, struct qtest **out);
/* The same over a connected, non-blocking socket, which it takes; path is for messages. -ENOMEM. */
int qtest_adopt(
	int fd, const char *path, uint64_t limit_ns, struct plx_log *log, struct qtest **out);
void qtest_close(struct qtest *q);

/* Memory of the machine; width 1, 2, 4 or 8. */
int qtest_read(struct qtest *q, uint64_t addr, unsigned width, uint64_t *v);
int qtest_write(struct qtest *q, uint64_t addr, unsigned width, uint64_t v);
/* I/O ports; width 1, 2 or 4. */
int qtest_in(struct qtest *q, uint32_t port, unsigned width, uint32_t *v);
int qtest_out(struct qtest *q, uint32_t port, unsigned width, uint32_t v);
/* Returns when all that was written has been done. */
int qtest_sync(struct qtest *q);

/* Has the connection ended? */
bool qtest_dead(const struct qtest *q);

#endif
