/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a vfio-user server may send. The first byte chooses:
 *
 *	0   capabilities of VERSION, as text
 *	1   the answer to DEVICE_GET_REGION_INFO
 *	2   a whole connection: all that the server sends, there before the first question, with its
 *	    numbers right (message ids count from 1), and then the socket is closed
 *	3   the same after a good VERSION, with some descriptors along
 *
 * No call may hang, and each that fails has a text; nothing is left open.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vfio_user.h"

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

static void caps(const uint8_t *data, size_t size)
{
	struct vu_limits limits;
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	(void)vu_parse_caps(text, &limits);
	free(text);
}

static void region(const uint8_t *data, size_t size)
{
	struct vu_region r;

	if (vu_parse_region(data, size, 0, &r) != NULL)
		return;
	must(r.n_areas <= VU_AREAS && r.fd == -1);
	must(r.fd_base <= INT64_MAX && r.len <= INT64_MAX - r.fd_base);
	for (uint32_t i = 0; i < r.n_areas; i++)
		must(r.areas[i].len > 0 && r.areas[i].off <= r.len &&
			r.areas[i].len <= r.len - r.areas[i].off);
}

/* Memory of 64 KiB at 1 MiB, the first half of which is only to be read. */
static uint8_t memory[65536];

static int serve(
	void *arg, uint16_t cmd, const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
	const struct vu_extent ext[2] = {
		{.iova = 1 << 20, .len = 32768, .va = memory, .read_only = true},
		{.iova = (1 << 20) + 32768, .len = 32768, .va = memory + 32768},
	};
	int error = vu_serve_memory(ext, 2, cmd, in, len, out, out_len);

	must(error >= 0 && (error != 0 || *out_len <= VU_PAYLOAD_MAX));
	must(memory[0] == 0 && memory[32767] == 0);
	return error;
}

static void talk(struct vu_sock *s)
{
	struct vu_limits limits;
	struct vu_device_info info;
	struct vu_region r;
	uint64_t v;

	judge(vu_version(s, &limits));
	judge(vu_get_info(s, &info));
	for (uint32_t i = 0; i < 3; i++) {
		judge(vu_get_region(s, i, &r));
		if (r.fd >= 0)
			close(r.fd);
	}
	judge(vu_read(s, 7, 0, 4, &v));
	judge(vu_write(s, 7, 4, 2, 7, false));
	judge(vu_write(s, 0, 0, 4, 1, true));
	vu_pump(s);
	judge(vu_read(s, 0, 0, 8, &v));
	(void)vu_dead(s);
}

/* The server's part of a connection, with n descriptors along. */
static void send_all(int fd, const uint8_t *data, size_t size, unsigned n)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = {0};
	struct iovec iov = {(uint8_t *)(uintptr_t)data, size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (n > 0) {
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (unsigned i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
	}
	must(size == 0 || sendmsg(fd, &m, 0) == (ssize_t)size);
}

static void connection(const uint8_t *data, size_t size, bool negotiated)
{
	/* the answer to VERSION: number 1, 20 bytes, 0.1 */
	static const uint8_t version[20] = {
		1, 0, 1, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
	struct plx_log log = {0};
	struct vu_sock *s;
	int fd[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) == 0);
	if (negotiated)
		send_all(fd[0], version, sizeof(version), 0);
	send_all(fd[0], data, size, negotiated && size > 0 ? data[0] % 8 : 0);
	must(shutdown(fd[0], SHUT_WR) == 0);
	must(vu_adopt(fd[1], "fuzz", LIMIT_NS, &log, &s) == 0);
	vu_serve(s, serve, NULL);
	talk(s);
	vu_close(s);
	close(fd[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 100000)
		return 0;
	switch (data[0] & 3) {
	case 0:
		caps(data + 1, size - 1);
		break;
	case 1:
		region(data + 1, size - 1);
		break;
	default:
		connection(data + 1, size - 1, (data[0] & 1) != 0);
	}
	return 0;
}
