/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A classic pcap that is written: a buffer of whole records, and write(2).
 *
 * (draft-ietf-opsawg-pcap, sections 4 and 5.) The buffer is small enough for the L2 cache and large
 * enough that a system call costs a packet nothing.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcap_pmd.h"

#define FILE_HDR    24u
#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO  0xa1b23c4du
#define LINK_ETHER  1u

/*
 * One write(2): bytes, or -errno. A pipe whose reader has gone is an error and no signal: the
 * program's disposition of SIGPIPE is its own business, so the signal is blocked and taken back.
 */
static ssize_t write_some(const struct capt_write *w, const uint8_t *p, size_t n)
{
	const struct timespec none = {0, 0};
	sigset_t pipe, was, pending;
	ssize_t done;

	if (w->regular) {
		done = write(w->fd, p, n);
		return done < 0 ? -errno : done;
	}
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe, &was);
	done = write(w->fd, p, n);
	if (done < 0)
		done = -errno;
	if (done == -EPIPE && !sigismember(&pending, SIGPIPE))
		while (sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return done;
}

/* All of it, or -errno; *done says how much. */
static int write_all(const struct capt_write *w, const uint8_t *p, size_t n, size_t *done)
{
	for (*done = 0; *done < n;) {
		ssize_t some = write_some(w, p + *done, n - *done);

		if (some == -EAGAIN) {
			struct pollfd pfd = {.fd = w->fd, .events = POLLOUT};

			(void)poll(&pfd, 1, 100);
			continue;
		}
		if (some == -EINTR)
			continue;
		if (some <= 0)
			return some < 0 ? (int)some : -EIO;
		*done += (size_t)some;
	}
	return 0;
}

/* How many whole records of the buffer are in its first done bytes; *end is where they end. */
static uint32_t whole_records(const struct capt_write *w, size_t done, size_t *end)
{
	uint32_t n = 0;

	for (*end = 0; *end < w->len; n++) {
		uint32_t caplen;

		memcpy(&caplen, w->buf + *end + 8, sizeof(caplen));
		if (*end + CAPT_REC_HDR + caplen > done)
			break;
		*end += CAPT_REC_HDR + caplen;
	}
	return n;
}

int capt_write_flush(struct capt_write *w, uint32_t *lost)
{
	size_t done, end = w->len;
	int err;

	*lost = 0;
	if (w->len == 0)
		return 0;
	err = write_all(w, w->buf, w->len, &done);
	if (err < 0) {
		*lost = w->n - whole_records(w, done, &end);
		err = plx_err(-err,
			"%s: writing packets: %s; %u packets are lost, the file ends with the last "
			"whole one before them",
			w->name, strerror(-err), *lost);
	}
	w->good += end;
	if (err < 0 && w->regular &&
		(ftruncate(w->fd, (off_t)w->good) != 0 ||
			lseek(w->fd, (off_t)w->good, SEEK_SET) < 0))
		err = plx_err_prefix(err, "its end could not be repaired (%s)", strerror(errno));
	w->len = 0;
	w->n = 0;
	return err;
}

static int file_header(struct capt_write *w)
{
	const uint32_t magic = w->frac_ns == 1 ? MAGIC_NANO : MAGIC_MICRO;
	const uint16_t version[2] = {2, 4};
	const uint32_t rest[4] = {0, 0, CAPT_CAPLEN_MAX, LINK_ETHER};
	uint8_t h[FILE_HDR];
	size_t done;
	int err;

	/* in this machine's byte order, which the magic tells the reader */
	memcpy(h, &magic, 4);
	memcpy(h + 4, version, 4);
	memcpy(h + 8, rest, 16);
	err = write_all(w, h, sizeof(h), &done);
	if (err < 0)
		return plx_err(-err, "%s: writing the file header: %s", w->name, strerror(-err));
	w->good = FILE_HDR;
	return 0;
}

/* Nothing is thrown away before it is sure that no port reads or writes the file. */
static int claim(struct capt_write *w)
{
	if (!w->regular)
		return 0;
	if (flock(w->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return plx_err(EBUSY,
			"%s: is being read or written by another port or program; writing would "
			"destroy it",
			w->name);
	if (ftruncate(w->fd, 0) != 0)
		return plx_err(errno, "%s: cannot be emptied: %s", w->name, strerror(errno));
	return 0;
}

int capt_write_open(struct capt_write *w, const char *path, bool nano)
{
	bool std = strcmp(path, "-") == 0;
	struct stat st;
	int err;

	capt_short_name(w->name, sizeof(w->name), path);
	w->frac_ns = nano ? 1 : 1000;
	w->fd = std ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
		    : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (w->fd < 0 || fstat(w->fd, &st) != 0)
		return plx_err(
			errno, "%s: cannot be opened for writing: %s", w->name, strerror(errno));
	w->regular = S_ISREG(st.st_mode) && !std;
	w->buf = malloc(CAPT_BUF);
	if (w->buf == NULL)
		return plx_err(ENOMEM, "%s: no memory for writing it", w->name);
	err = claim(w);
	return err < 0 ? err : file_header(w);
}

void capt_write_close(struct capt_write *w)
{
	free(w->buf);
	if (w->fd >= 0)
		close(w->fd);
	w->buf = NULL;
	w->fd = -1;
}
