/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A QEMU for a test: a q35 whose CPU is halted, run by any user, ready in some 50 ms, and dead
 * with the test at the latest.
 *
 *	struct qemu_run r;
 *	qemu_run_init(&r);
 *	const char *const args[] = {"-device", "e1000e,addr=2,romfile=", NULL};
 *	qemu_run_start(&r, 256, args);
 *	snprintf(text, sizeof(text), "qemu:%s,slot=2,ram=%s", r.qtest, r.ram);
 *	...
 *	qemu_run_stop(&r);
 *
 * Calls return 0 or -errno with plx_errmsg() set; those on a stopped one are harmless.
 */
#ifndef QEMU_RUN_H
#define QEMU_RUN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plx_log.h"

struct qmp;

struct qemu_run {
	pid_t pid;
	char dir[64];      /**< all files are here; removed at the end */
	char qtest[96];    /**< for `qemu:` */
	char qmp[96];      /**< for `qmp=` */
	char ram[96];      /**< for `ram=` */
	char log[96];      /**< what QEMU printed */
	char program[512]; /**< set it after qemu_run_init() for another than the system's */
	struct qmp *mon;   /**< the test's own QMP connection */
};

/** Why there can be no QEMU here (for SKIP), or NULL. */
const char *qemu_run_missing(void);

/**
 * Finds a QEMU that has a device that not every version has: the system's, or the one of Debian's
 * backports, which is downloaded into the build's folder the first time (guest/qemu_with.py).
 * program gets its path, for qemu_run.program. Why there is none, or NULL.
 */
const char *qemu_run_find(const char *device, char *program, size_t size);

/** Makes the directory and the names in it. */
int qemu_run_init(struct qemu_run *r);

/**
 * Starts QEMU with this much memory in MiB and further arguments, ended by NULL. Less than 2816
 * MiB: DIMMs can be added (qmp=), 32 of them up to 64 GiB. More: half of the file's first 4 GiB
 * shows from address 4 GiB up. Returns when QMP answers.
 */
int qemu_run_start(struct qemu_run *r, unsigned mib, const char *const *args);

/** Kills QEMU if it runs, at once, and waits for its end. The files stay. */
void qemu_run_kill(struct qemu_run *r);
/** Kills it and removes the files; callable at any point after qemu_run_init(). */
void qemu_run_stop(struct qemu_run *r);

/** A QMP command, as JSON. -EREMOTEIO: QEMU refused. */
int qemu_run_qmp(struct qemu_run *r, const char *fmt, ...) PLX_PRINTF(2, 3);
/** A command of the human monitor. */
int qemu_run_hmp(struct qemu_run *r, const char *fmt, ...) PLX_PRINTF(2, 3);

/** Pulls out whatever is in slot 0 behind a root port, without asking: all root ports. */
int qemu_run_pull(struct qemu_run *r);

/** Sets the link of a netdev or device up or down. */
int qemu_run_link(struct qemu_run *r, const char *id, bool up);

/**
 * A wire to the test: a datagram socket, one frame each, non-blocking. arg is for -netdev, with
 * id= as given. Before qemu_run_start(). Returns the socket or -errno.
 */
int qemu_run_wire(struct qemu_run *r, const char *id, char *arg, size_t arg_size);
/** Sends a frame to the device at that wire. */
int qemu_run_send(struct qemu_run *r, int fd, const char *id, const void *frame, size_t len);
/** The next frame from there, within limit_ms: its length, or -errno (-ETIMEDOUT). */
ssize_t qemu_run_recv(int fd, void *frame, size_t size, int limit_ms);

#endif
