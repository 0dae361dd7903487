/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making and removing a statistics file.
 *
 * Two programs that start at once may both find what a dead one left. Who removes a file holds a
 * lock on it (flock), and so does who made one, until its header is written: so neither removes what
 * the other has just made.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plx_log.h"
#include "stats.h"

/* How often to try again when the file at path changes under us. */
#define TRIES 10

int plx_stats_check_header(const struct plx_stats_header *h, const char *path)
{
	if (memcmp(h->magic, PLX_STATS_MAGIC, sizeof(h->magic)) != 0)
		return plx_err(EINVAL, PATH_FMT " is none: it does not begin with %s",
			PATH_ARG(path), PLX_STATS_MAGIC);
	if (h->order != PLX_STATS_ORDER)
		return plx_err(EINVAL, PATH_FMT " is of a machine with another byte order",
			PATH_ARG(path));
	if (h->version != PLX_STATS_VERSION)
		return plx_err(EINVAL, PATH_FMT " has version %u; this program reads version %u",
			PATH_ARG(path), h->version, PLX_STATS_VERSION);
	if (h->pid == 0 || h->pid > INT_MAX || h->boot_id[sizeof(h->boot_id) - 1] != '\0' ||
		h->first < sizeof(*h) || h->first % PLX_CACHE_LINE != 0)
		return plx_err(EINVAL, PATH_FMT " has a damaged header", PATH_ARG(path));
	return 0;
}

static int not_ours(const char *path)
{
	return plx_err(EEXIST,
		"%.200s is there already and no statistics file of this version: remove it or choose "
		"another path",
		path);
}

/* 0: what fd has open, whose state is *st, may be removed. */
static int may_replace(int fd, const struct stat *st, const char *path)
{
	struct plx_stats_header h;

	if (st->st_size == 0)
		return 0; /* its maker died before it wrote the header: we hold the lock */
	if (pread(fd, &h, sizeof(h), 0) != sizeof(h) || plx_stats_check_header(&h, path) < 0)
		return not_ours(path);
	switch (plx_stats_owner_state(&h)) {
	case OWNER_DEAD:
		return 0;
	case OWNER_HIDDEN:
		return plx_err(EBUSY,
			PATH_FMT
			" is of process %u of another PID namespace, which may be running; "
			"choose another path, or remove it",
			PATH_ARG(path), h.pid);
	case OWNER_ALIVE:
		break;
	}
	return plx_err(EBUSY, PATH_FMT " is of process %u, which is running; choose another path",
		PATH_ARG(path), h.pid);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether name is still the file of *st. */
static bool still_there(int dir, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && same_file(&now, st);
}

/* Removes the file that fd has open if it may be; it is locked then, so nobody else does. */
static int replace_locked(const struct stats_file *f, int fd, const char *path)
{
	struct stat st;
	int err;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return plx_err(EBUSY,
			PATH_FMT " is being replaced by another process at this moment",
			PATH_ARG(path));
	if (fstat(fd, &st) < 0)
		return plx_err(
			errno, PATH_FMT ": fstat: %s", PATH_ARG(path), strerrordesc_np(errno));
	if (!still_there(f->dir, f->name, &st))
		return 0; /* somebody was faster: look again */
	err = may_replace(fd, &st, path);
	if (err < 0)
		return err;
	if (unlinkat(f->dir, f->name, 0) < 0 && errno != ENOENT)
		return plx_err(errno, PATH_FMT ": cannot remove what a dead process left: %s",
			PATH_ARG(path), strerrordesc_np(errno));
	return 0;
}

/* 0: nothing is at f->name any more, or something else: try again. */
static int remove_stale(const struct stats_file *f, const char *path)
{
	struct stat st;
	int fd, err;

	if (fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : plx_err(errno, PATH_FMT ": %s", PATH_ARG(path),
						 strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		return not_ours(path);
	if (st.st_uid != geteuid())
		return plx_err(EPERM, PATH_FMT " is another user's (uid %u); choose another path",
			PATH_ARG(path), st.st_uid);
	fd = openat(f->dir, f->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : plx_err(errno, PATH_FMT ": %s", PATH_ARG(path),
						 strerrordesc_np(errno));
	err = replace_locked(f, fd, path);
	close(fd);
	return err;
}

static int make_in_dir(struct stats_file *f, const char *path)
{
	for (int i = 0; i < TRIES; i++) {
		int err;

		f->fd = openat(
			f->dir, f->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (f->fd >= 0)
			return 0;
		if (errno != EEXIST)
			return plx_err(errno, PATH_FMT ": cannot make it: %s", PATH_ARG(path),
				strerrordesc_np(errno));
		err = remove_stale(f, path);
		if (err < 0)
			return err;
	}
	return plx_err(
		EBUSY, PATH_FMT " is made and removed by others all the time", PATH_ARG(path));
}

static int open_dir(struct stats_file *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *dir;

	if (*name == '\0')
		return plx_err(EINVAL, "statistics file '%.200s': the path names no file", path);
	f->name = strdup(name);
	/* "x": "."; "/x": "/"; "a/b/x": "a/b/" */
	dir = slash != NULL ? strndup(path, (size_t)(name - path)) : strdup(".");
	if (f->name != NULL && dir != NULL)
		f->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		errno = ENOMEM;
	free(dir);
	if (f->dir < 0)
		return plx_err(errno, PATH_FMT ": cannot open its folder: %s", PATH_ARG(path),
			strerrordesc_np(errno));
	return 0;
}

int plx_stats_file_make(const char *path, struct stats_file *f)
{
	int err;

	*f = (struct stats_file){.fd = -1, .dir = -1, .pid = (uint32_t)getpid()};
	err = open_dir(f, path);
	if (err == 0)
		err = make_in_dir(f, path);
	if (err == 0 && fstat(f->fd, &f->st) < 0)
		err = plx_err(
			errno, PATH_FMT ": fstat: %s", PATH_ARG(path), strerrordesc_np(errno));
	/* Between the two calls another may have taken the empty file for a dead one's. */
	if (err == 0 &&
		(flock(f->fd, LOCK_EX | LOCK_NB) < 0 || !still_there(f->dir, f->name, &f->st)))
		err = plx_err(EBUSY,
			PATH_FMT " is being replaced by another process at this moment",
			PATH_ARG(path));
	if (err < 0)
		plx_stats_file_drop(f);
	return err;
}

void plx_stats_file_memory(struct stats_file *f)
{
	*f = (struct stats_file){.dir = -1, .pid = (uint32_t)getpid()};
	f->fd = memfd_create(PLX_STATS_MEMFD, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	/* A reader that opens it for writing cannot take the pages from under the counting threads. */
	if (f->fd >= 0)
		fcntl(f->fd, F_ADD_SEALS, F_SEAL_SHRINK);
}

void plx_stats_file_ready(const struct stats_file *f)
{
	flock(f->fd, LOCK_UN);
}

void plx_stats_file_drop(struct stats_file *f)
{
	if (f->fd >= 0) {
		/*
		 * A child of fork() closes its copy; the file is its parent's. Who removes it holds
		 * the lock: if another has that, it looked at this file, may be about to remove it,
		 * and would remove the next one's instead. What stays is replaced as a dead one's.
		 */
		if (f->name != NULL && f->pid == (uint32_t)getpid() &&
			flock(f->fd, LOCK_EX | LOCK_NB) == 0 &&
			still_there(f->dir, f->name, &f->st))
			unlinkat(f->dir, f->name, 0);
		close(f->fd);
	}
	if (f->dir >= 0)
		close(f->dir);
	free(f->name);
	*f = (struct stats_file){.fd = -1, .dir = -1};
}
