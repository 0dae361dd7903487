/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a QEMU may send. First byte odd: QMP, from the greeting on; even: answers of qtest. It is all
 * there before the first question, and then the socket is closed: no call may hang, and each that
 * fails has a text.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "json_text.h"
#include "qmp_sock.h"
#include "qtest_sock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT_NS UINT64_C(10000000000)

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void judge(int err)
{
	must(err == 0 || (err < 0 && plx_errmsg()[0] != '\0'));
}

static void qmp(int fd)
{
	struct qmp *q;
	int err = qmp_adopt(fd, "fuzz", LIMIT_NS, &q);
	const char *v;
	size_t len;

	judge(err);
	must((err == 0) == (q != NULL));
	for (int i = 0; i < 4 && q != NULL; i++) {
		err = qmp_run(q, "{\"execute\": \"x\"}");
		judge(err);
		if (json_text_member(qmp_return(q), "a", &v, &len))
			must(v > qmp_return(q) && v + len <= qmp_return(q) + strlen(qmp_return(q)));
	}
	qmp_close(q);
}

static void qtest(int fd)
{
	struct plx_log log = {0};
	struct qtest *q;
	uint64_t v;
	uint32_t in;

	must(qtest_adopt(fd, "fuzz", LIMIT_NS, &log, &q) == 0);
	for (int i = 0; i < 4; i++) {
		judge(qtest_read(q, 0x1000, 4, &v));
		judge(qtest_write(q, 0x1000, 8, 1));
		judge(qtest_out(q, 0xcf8, 4, 1));
		judge(qtest_in(q, 0xcfc, 4, &in));
		judge(qtest_write(q, 0x1000, 1, 1));
		judge(qtest_sync(q));
	}
	qtest_close(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd[2];

	if (size < 1 || size > 100000)
		return 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) == 0);
	must(send(fd[0], data + 1, size - 1, 0) == (ssize_t)size - 1);
	must(shutdown(fd[0], SHUT_WR) == 0);
	if ((data[0] & 1) != 0)
		qmp(fd[1]);
	else
		qtest(fd[1]);
	close(fd[0]);
	return 0;
}
