/* SPDX-License-Identifier: BSD-3-Clause */
/* A QEMU for a test (qemu_run.h). */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qemu_run.h"
#include "json_text.h"
#include "qmp_sock.h"

#define QEMU     "qemu-system-x86_64"
#define LIMIT_NS 20000000000u /* QEMU on a loaded machine */
#define ARGS_MAX 64

const char *qemu_run_missing(void)
{
	const char *path = getenv("PATH");
	char file[512];

	for (const char *p = path; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)n, p, QEMU);
		if (access(file, X_OK) == 0)
			return NULL;
		p += n + (p[n] == ':');
	}
	return QEMU " is not installed (Debian: qemu-system-x86)";
}

const char *qemu_run_find(const char *device, char *program, size_t size)
{
	static char why[512];
	char line[1024];
	FILE *f;
	int status;

	snprintf(line, sizeof(line), "'%s' '%s' '%s'", QEMU_WITH, device, QEMU_CACHE);
	f = popen(line, "r"); /* prints the path, or why not */
	if (f == NULL)
		return "the shell does not run";
	if (fgets(why, sizeof(why), f) == NULL)
		snprintf(why, sizeof(why), "%s says nothing", QEMU_WITH);
	status = pclose(f);
	why[strcspn(why, "\n")] = '\0';
	if (status != 0)
		return why;
	snprintf(program, size, "%s", why);
	return NULL;
}

static int write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return plx_err(errno, "%s: %s", path, strerror(errno));
	if (write(fd, data, len) != (ssize_t)len)
		err = plx_err(errno, "%s: %s", path, strerror(errno));
	close(fd);
	return err;
}

/* A "BIOS" whose reset vector is cli; hlt; jmp back: the CPU stays out of the way. */
static int write_bios(const char *path)
{
	static uint8_t image[65536];
	static const uint8_t halt[] = {0xfa, 0xf4, 0xeb, 0xfd};

	memcpy(image + 0xfff0, halt, sizeof(halt));
	return write_file(path, image, sizeof(image));
}

int qemu_run_init(struct qemu_run *r)
{
	memset(r, 0, sizeof(*r));
	r->pid = -1;
	strcpy(r->program, QEMU);
	/* On tmpfs: the machine's RAM is among the files. */
	strcpy(r->dir, "/dev/shm/plx-qemu-XXXXXX");
	if (mkdtemp(r->dir) == NULL) {
		strcpy(r->dir, "/tmp/plx-qemu-XXXXXX");
		if (mkdtemp(r->dir) == NULL) {
			r->dir[0] = '\0';
			return plx_err(errno, "mkdtemp: %s", strerror(errno));
		}
	}
	snprintf(r->qtest, sizeof(r->qtest), "%s/qtest", r->dir);
	snprintf(r->qmp, sizeof(r->qmp), "%s/qmp", r->dir);
	snprintf(r->ram, sizeof(r->ram), "%s/ram", r->dir);
	snprintf(r->log, sizeof(r->log), "%s/log", r->dir);
	return 0;
}

/* In the child: only what is safe after fork in a process with threads. */
static void run(struct qemu_run *r, char *const *argv, pid_t parent)
{
	int fd = open(r->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it ended before that took effect */
		_exit(126);
	if (fd >= 0) {
		dup2(fd, 1);
		dup2(fd, 2);
	}
	execvp(argv[0], argv);
	_exit(127);
}

static void print_log(const struct qemu_run *r)
{
	char line[256];
	FILE *f = fopen(r->log, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		fprintf(stderr, "# qemu: %s", line);
	if (f != NULL)
		fclose(f);
}

static int wait_ready(struct qemu_run *r, const char *sock)
{
	uint64_t end = plx_clock_ns() + LIMIT_NS;
	const struct timespec nap = {.tv_nsec = 2000000};
	int err, status;

	do {
		err = qmp_open(sock, LIMIT_NS, &r->mon);
		if (err == 0)
			return 0;
		if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
			r->pid = -1;
			print_log(r);
			return plx_err(ECHILD, QEMU " ended: status 0x%x", (unsigned)status);
		}
		nanosleep(&nap, NULL);
	} while (plx_clock_ns() < end);
	return plx_err_prefix(err, QEMU " did not come up");
}

int qemu_run_start(struct qemu_run *r, unsigned mib, const char *const *args)
{
	char bios[96], qtest[128], qmp[128], mon[128], mem[160], size[64];
	const char *const fixed[] = {r->program, "-accel", "tcg", "-machine",
		"q35,memory-backend=ram", "-m", size, "-nodefaults", "-display", "none", "-bios",
		bios, "-qtest", qtest, "-qtest-log", "/dev/null", "-qmp", qmp, "-qmp", mon,
		"-object", mem};
	const char *argv[ARGS_MAX + 1];
	size_t n = PLX_ARRAY_SIZE(fixed);
	pid_t parent = getpid();
	int err;

	snprintf(bios, sizeof(bios), "%s/hlt.bin", r->dir);
	snprintf(qtest, sizeof(qtest), "unix:%s,server=on,wait=off", r->qtest);
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", r->qmp);
	snprintf(mon, sizeof(mon), "unix:%s/mon,server=on,wait=off", r->dir);
	snprintf(mem, sizeof(mem), "memory-backend-file,id=ram,share=on,size=%uM,mem-path=%s", mib,
		r->ram);
	snprintf(size, sizeof(size), "%uM%s", mib, mib < 2816 ? ",slots=32,maxmem=64G" : "");
	memcpy(argv, fixed, sizeof(fixed));
	while (args != NULL && *args != NULL && n < ARGS_MAX)
		argv[n++] = *args++;
	argv[n] = NULL;
	err = write_bios(bios);
	if (err < 0)
		return err;
	r->pid = fork();
	if (r->pid == 0)
		run(r, (char *const *)(uintptr_t)argv, parent);
	if (r->pid < 0)
		return plx_err(errno, "fork: %s", strerror(errno));
	snprintf(mon, sizeof(mon), "%s/mon", r->dir);
	err = wait_ready(r, mon);
	if (err < 0)
		qemu_run_kill(r);
	return err;
}

void qemu_run_kill(struct qemu_run *r)
{
	qmp_close(r->mon);
	r->mon = NULL;
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
	r->pid = -1;
}

void qemu_run_stop(struct qemu_run *r)
{
	char path[512];
	struct dirent *e;
	DIR *d;

	qemu_run_kill(r);
	if (r->dir[0] == '\0')
		return;
	d = opendir(r->dir);
	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
		unlink(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(r->dir);
	r->dir[0] = '\0';
}

/* ---- surprises ---- */

int qemu_run_qmp(struct qemu_run *r, const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	if (r->mon == NULL)
		return plx_err(ENODEV, "QEMU does not run");
	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return qmp_run(r->mon, "%s", cmd);
}

int qemu_run_hmp(struct qemu_run *r, const char *fmt, ...)
{
	char cmd[512], quoted[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (!json_text_quote(quoted, sizeof(quoted), cmd))
		return plx_err(EINVAL, "%s: cannot be quoted", cmd);
	return qemu_run_qmp(r,
		"{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": "
		"\"%s\"}}",
		quoted);
}

/*
 * ACPI hotplug of PCI: the bus is selected at 0xcd0 (each root port's bus has a number there, from
 * 0 up), a bit for a slot written to 0xcc8 ejects it.
 */
int qemu_run_pull(struct qemu_run *r)
{
	int err = 0;

	for (unsigned bus = 0; bus < 4 && err == 0; bus++) {
		err = qemu_run_hmp(r, "o /w 0xcd0 %u", bus);
		if (err == 0)
			err = qemu_run_hmp(r, "o /w 0xcc8 1");
	}
	return err;
}

int qemu_run_link(struct qemu_run *r, const char *id, bool up)
{
	return qemu_run_qmp(r,
		"{\"execute\": \"set_link\", \"arguments\": {\"name\": \"%s\", \"up\": %s}}", id,
		up ? "true" : "false");
}

/* ---- wires ---- */

static void address(
	struct sockaddr_un *sa, const struct qemu_run *r, const char *end, const char *id)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	snprintf(sa->sun_path, sizeof(sa->sun_path), "%s/%s-%s", r->dir, end, id);
}

int qemu_run_wire(struct qemu_run *r, const char *id, char *arg, size_t arg_size)
{
	struct sockaddr_un sa, far;
	int size = 1 << 20;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	address(&sa, r, "test", id);
	address(&far, r, "qemu", id);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int err = plx_err(errno, "%s: %s", sa.sun_path, strerror(errno));

		if (fd >= 0)
			close(fd);
		return err;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	snprintf(arg, arg_size,
		"dgram,id=%s,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", id,
		far.sun_path, sa.sun_path);
	return fd;
}

int qemu_run_send(struct qemu_run *r, int fd, const char *id, const void *frame, size_t len)
{
	struct sockaddr_un sa;

	address(&sa, r, "qemu", id);
	if (sendto(fd, frame, len, 0, (struct sockaddr *)&sa, sizeof(sa)) != (ssize_t)len)
		return plx_err(errno, "%s: %s", sa.sun_path, strerror(errno));
	return 0;
}

ssize_t qemu_run_recv(int fd, void *frame, size_t size, int limit_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, limit_ms) == 0)
		return plx_err(ETIMEDOUT, "no frame within %d ms", limit_ms);
	n = recv(fd, frame, size, 0);
	return n < 0 ? plx_err(errno, "receive: %s", strerror(errno)) : n;
}
