/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include "stats.h"
#include "stats_test.h"

/* Refused, with a message that contains this, and what is at path stays. */
static void refused(const char *path, int want, const char *message)
{
	struct plx_stats *s = (struct plx_stats *)8;
	struct stat before, after;
	bool there = lstat(path, &before) == 0;

	plx_err_clear();
	CHECK_EQ(plx_stats_open(path, 0, &s), want);
	CHECK(s == NULL);
	CHECK_HAS(plx_errmsg(), message);
	CHECK_EQ(lstat(path, &after) == 0, there);
	if (there)
		CHECK(before.st_ino == after.st_ino && before.st_size == after.st_size);
}

static void replaced(const char *path)
{
	struct stat before, after;
	struct plx_stats *s;

	CHECK_EQ(lstat(path, &before), 0);
	s = opened(path);
	CHECK_EQ(lstat(path, &after), 0);
	CHECK(after.st_size > 0);
	plx_stats_close(s);
	CHECK(!exists(path));
}

static void make(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* A child that makes the file and dies without closing it; reaped or not. */
static pid_t leave_behind(const char *path, bool reap)
{
	pid_t pid = fork();
	siginfo_t info;

	CHECK(pid >= 0);
	if (pid == 0) {
		struct plx_stats *s;
		uint64_t *c;

		_exit(plx_stats_open(path, 0, &s) != 0 ||
			plx_stats_object(s, "q", two_names, 2, &c) != 0);
	}
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | (reap ? 0 : WNOWAIT)), 0);
	CHECK_EQ(info.si_status, 0);
	CHECK(exists(path));
	return pid;
}

TEST(stats_file, is_private_and_goes_with_close)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	struct stat st;

	CHECK_EQ(stat(f.file, &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0600);
	plx_stats_close(s);
	CHECK(!exists(f.file));
	folder_remove(&f);
}

TEST(stats_file, descriptors_are_not_inherited)
{
	struct folder f = folder_make();
	bool had[64];
	struct plx_stats *s;
	unsigned n = 0;

	for (int fd = 0; fd < 64; fd++)
		had[fd] = fcntl(fd, F_GETFD) >= 0;
	s = opened(f.file);
	for (int fd = 0; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (had[fd] || flags < 0)
			continue;
		n++;
		CHECK((flags & FD_CLOEXEC) != 0);
	}
	CHECK(n >= 1);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_file, of_a_living_process)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	char want[256];

	snprintf(want, sizeof(want),
		"statistics file %s is of process %d, which is running; choose another path",
		f.file, (int)getpid());
	refused(f.file, -EBUSY, want);
	plx_stats_close(s);
	folder_remove(&f);
}

TEST(stats_file, of_a_dead_process_is_replaced)
{
	struct folder f = folder_make();

	leave_behind(f.file, true);
	replaced(f.file);
	folder_remove(&f);
}

TEST(stats_file, of_a_zombie_is_replaced)
{
	struct folder f = folder_make();
	pid_t pid = leave_behind(f.file, false);

	replaced(f.file);
	CHECK(waitpid(pid, NULL, 0) == pid);
	folder_remove(&f);
}

TEST(stats_file, of_a_pid_that_another_process_has_now)
{
	struct folder f = folder_make();

	leave_behind(f.file, true);
	poke32(f.file, offsetof(struct plx_stats_header, pid), (uint32_t)getpid());
	poke64(f.file, offsetof(struct plx_stats_header, start_ticks), 1);
	replaced(f.file);
	folder_remove(&f);
}

TEST(stats_file, of_an_unknown_start_time_counts_as_living)
{
	struct folder f = folder_make();

	leave_behind(f.file, true);
	poke32(f.file, offsetof(struct plx_stats_header, pid), (uint32_t)getpid());
	poke64(f.file, offsetof(struct plx_stats_header, start_ticks), 0);
	refused(f.file, -EBUSY, "which is running");
	unlink(f.file);
	folder_remove(&f);
}

TEST(stats_file, of_another_boot_is_replaced)
{
	struct folder f = folder_make();

	if (!exists("/proc/sys/kernel/random/boot_id"))
		SKIP("the kernel gives no boot id");
	leave_behind(f.file, true);
	poke32(f.file, offsetof(struct plx_stats_header, pid), (uint32_t)getpid());
	poke64(f.file, offsetof(struct plx_stats_header, start_ticks), 0);
	poke(f.file, offsetof(struct plx_stats_header, boot_id), "x", 1);
	replaced(f.file);
	folder_remove(&f);
}

TEST(stats_file, of_another_pid_namespace)
{
	struct folder f = folder_make();
	char want[256];
	pid_t pid;

	if (!exists("/proc/self/ns/pid"))
		SKIP("the kernel shows no PID namespaces");
	pid = leave_behind(f.file, true);
	poke64(f.file, offsetof(struct plx_stats_header, pid_namespace), 1);
	snprintf(want, sizeof(want),
		"statistics file %s is of process %d of another PID namespace, which may be "
		"running; choose another path, or remove it",
		f.file, (int)pid);
	refused(f.file, -EBUSY, want);
	unlink(f.file);
	folder_remove(&f);
}

TEST(stats_file, empty_one_is_replaced)
{
	struct folder f = folder_make();

	make(f.file, "", 0);
	replaced(f.file);
	folder_remove(&f);
}

TEST(stats_file, something_else_stays)
{
	struct folder f = folder_make();
	char zeros[200] = {0}, want[256];

	snprintf(want, sizeof(want),
		"%s is there already and no statistics file of this version: remove it or choose "
		"another path",
		f.file);
	make(f.file, "hello", 5);
	refused(f.file, -EEXIST, want);
	unlink(f.file);
	make(f.file, zeros, sizeof(zeros));
	refused(f.file, -EEXIST, want);
	unlink(f.file);
	leave_behind(f.file, true);
	poke32(f.file, offsetof(struct plx_stats_header, version), 2);
	refused(f.file, -EEXIST, want);
	unlink(f.file);
	CHECK_EQ(mkdir(f.file, 0700), 0);
	refused(f.file, -EEXIST, want);
	rmdir(f.file);
	CHECK_EQ(mkfifo(f.file, 0600), 0);
	refused(f.file, -EEXIST, want);
	unlink(f.file);
	folder_remove(&f);
}

TEST(stats_file, symbolic_link_is_not_followed)
{
	struct folder f = folder_make();
	char target[128];

	snprintf(target, sizeof(target), "%s/target", f.dir);
	CHECK_EQ(symlink(target, f.file), 0);
	refused(f.file, -EEXIST, "is there already and no statistics file");
	CHECK(!exists(target));
	leave_behind(target, true); /* not even to what could be replaced */
	refused(f.file, -EEXIST, "is there already and no statistics file");
	CHECK(exists(target));
	unlink(target);
	unlink(f.file);
	folder_remove(&f);
}

TEST(stats_file, of_another_user)
{
	struct folder f = folder_make();
	char want[256];

	leave_behind(f.file, true);
	if (chown(f.file, 65533, 65533) < 0) {
		unlink(f.file);
		folder_remove(&f);
		SKIP("only root can give a file away");
	}
	snprintf(want, sizeof(want),
		"statistics file %s is another user's (uid 65533); choose another path", f.file);
	refused(f.file, -EPERM, want);
	unlink(f.file);
	folder_remove(&f);
}

TEST(stats_file, being_replaced_by_another)
{
	struct folder f = folder_make();
	int fd;

	leave_behind(f.file, true);
	fd = open(f.file, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	refused(f.file, -EBUSY, "is being replaced by another process at this moment");
	close(fd);
	replaced(f.file);
	folder_remove(&f);
}

TEST(stats_file, path_that_names_no_file)
{
	refused("", -EINVAL, "statistics file '': the path names no file");
	refused("/tmp/", -EINVAL, "statistics file '/tmp/': the path names no file");
	refused("/nonexistent-folder/x", -ENOENT,
		"statistics file /nonexistent-folder/x: cannot open its folder: No such file or "
		"directory");
	refused("/proc/self/stat/x", -ENOTDIR, "cannot open its folder: Not a directory");
	refused("/proc/plx-stats", -ENOENT,
		"statistics file /proc/plx-stats: cannot make it: No such file or directory");
}

TEST(stats_file, long_path_is_shortened_in_the_message)
{
	char path[PATH_MAX + 100];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	refused(path, -ENAMETOOLONG, "xxx...: cannot make it: File name too long");
}

TEST(stats_file, relative_path_and_chdir)
{
	struct folder f = folder_make();
	struct plx_stats *s;
	char before[PATH_MAX];

	CHECK(getcwd(before, sizeof(before)) != NULL);
	CHECK_EQ(chdir(f.dir), 0);
	s = opened("s");
	CHECK(exists(f.file));
	CHECK_EQ(chdir("/"), 0);
	plx_stats_close(s);
	CHECK(!exists(f.file));
	CHECK_EQ(chdir(before), 0);
	folder_remove(&f);
}

TEST(stats_file, that_another_took_the_place_of_stays)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);

	CHECK_EQ(unlink(f.file), 0);
	make(f.file, "other", 5);
	plx_stats_close(s);
	CHECK(exists(f.file));
	unlink(f.file);
	folder_remove(&f);
}

TEST(stats_file, child_of_fork_leaves_it)
{
	struct folder f = folder_make();
	struct plx_stats *s = opened(f.file);
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		plx_stats_close(s);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	CHECK(exists(f.file));
	plx_stats_close(s);
	CHECK(!exists(f.file));
	folder_remove(&f);
}

/* Whether another process sees the start time of this one as it does itself. */
static bool start_times_agree(void)
{
	struct plx_stats_header h = {0};
	int status = -1;
	pid_t pid;

	plx_stats_sign(&h);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(plx_stats_owner_state(&h) != OWNER_ALIVE);
	CHECK(waitpid(pid, &status, 0) == pid);
	return status == 0;
}

/* Many starters at once on what a dead process left: one gets it, the others hear why not. */
TEST(stats_file, one_of_many_starters_gets_it)
{
	enum { N = 8 };
	struct folder f = folder_make();
	int go[2], done[2];
	pid_t pid[N];
	char results[N];

	/* an emulator's answer is off by a tick or so: it agrees by chance with one child, not with all */
	if (unit_emulated() || !start_times_agree()) {
		folder_remove(&f);
		SKIP("an emulator gives a process another start time than it has");
	}
	leave_behind(f.file, true);
	CHECK(pipe(go) == 0 && pipe(done) == 0);
	for (int i = 0; i < N; i++) {
		pid[i] = fork();
		CHECK(pid[i] >= 0);
		if (pid[i] == 0) {
			struct plx_stats *s;
			char c;
			int err;

			close(go[1]);
			(void)!read(go[0], &c, 1); /* until the parent closes it */
			err = plx_stats_open(f.file, 0, &s);
			c = err == 0 ? 'y' : err == -EBUSY ? 'n' : '?';
			(void)!write(done[1], &c, 1);
			for (;;)
				pause(); /* holds it until it is killed */
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < N; i++)
		CHECK(read(done[0], &results[i], 1) == 1);
	close(done[0]);
	close(done[1]);
	for (int i = 0; i < N; i++) {
		kill(pid[i], SIGKILL);
		CHECK(waitpid(pid[i], NULL, 0) == pid[i]);
	}
	for (int i = 0, yes = 0; i < N; i++) {
		CHECK(results[i] == 'y' || results[i] == 'n');
		yes += results[i] == 'y';
		CHECK(yes <= 1);
	}
	CHECK(memchr(results, 'y', N) != NULL || !exists(f.file));
	if (exists(f.file))
		replaced(f.file);
	folder_remove(&f);
}
