/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which process a statistics file is of. A PID alone does not tell: numbers are used again, after a
 * boot and by other PID namespaces.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "stats.h"

/* All of a small file of /proc, with a NUL at its end; "" if it cannot be read. */
static void read_small(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
}

/*
 * When a process started, in clock ticks since boot, and its state letter: fields 22 and 3 of
 * /proc/PID/stat (proc(5)). 0 and '?': not known.
 */
static uint64_t start_ticks(uint32_t pid, char *state)
{
	char path[64], text[1024];
	const char *p;

	*state = '?';
	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	read_small(path, text, sizeof(text));
	p = strrchr(text, ')'); /* the name before it may hold anything */
	if (p == NULL || p[1] != ' ')
		return 0;
	p += 2;
	*state = *p;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (p == NULL)
			return 0;
		p++;
	}
	return strtoull(p, NULL, 10);
}

static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

static void boot_id(char *buf, size_t size)
{
	read_small("/proc/sys/kernel/random/boot_id", buf, size);
	buf[strcspn(buf, "\n")] = '\0';
}

void plx_stats_sign(struct plx_stats_header *h)
{
	struct timespec ts = {0};
	char state;

	clock_gettime(CLOCK_REALTIME, &ts);
	h->created_ns = (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
	h->pid = (uint32_t)getpid();
	h->start_ticks = start_ticks(h->pid, &state);
	h->pid_namespace = pid_namespace();
	boot_id(h->boot_id, sizeof(h->boot_id));
}

enum owner_state plx_stats_owner_state(const struct plx_stats_header *h)
{
	uint64_t here = pid_namespace(), ticks;
	char boot[sizeof(h->boot_id)], state;

	boot_id(boot, sizeof(boot));
	if (boot[0] != '\0' && h->boot_id[0] != '\0' && strcmp(boot, h->boot_id) != 0)
		return OWNER_DEAD;
	if (here != 0 && h->pid_namespace != 0 && here != h->pid_namespace)
		return OWNER_HIDDEN;
	if (kill((pid_t)h->pid, 0) < 0 && errno == ESRCH)
		return OWNER_DEAD;
	ticks = start_ticks(h->pid, &state);
	if (state == 'Z' || state == 'X') /* has ended, its parent has not looked yet */
		return OWNER_DEAD;
	if (ticks != 0 && h->start_ticks != 0 && ticks != h->start_ticks)
		return OWNER_DEAD; /* another process has its number now */
	return OWNER_ALIVE;
}
