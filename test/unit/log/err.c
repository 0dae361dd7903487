/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "plx_log.h"
#include "unit.h"

TEST(err, message_and_value)
{
	CHECK_EQ(plx_err(EBUSY, "group %d is busy", 12), -EBUSY);
	CHECK_STR(plx_errmsg(), "group 12 is busy");
	CHECK_EQ(plx_err(ENOENT, "%s", ""), -ENOENT);
	CHECK_STR(plx_errmsg(), "");
}

TEST(err, none_at_first_and_after_clear)
{
	plx_err_clear();
	CHECK_STR(plx_errmsg(), "");
	plx_err(EIO, "x");
	plx_err_clear();
	CHECK_STR(plx_errmsg(), "");
}

TEST(err, value_is_always_negative)
{
	CHECK_EQ(plx_err(-ENODEV, "x"), -ENODEV);
	CHECK_EQ(plx_err(0, "x"), -EIO);
	CHECK_EQ(plx_err(INT_MIN, "x"), -EIO);
	CHECK_EQ(plx_err_prefix(EPERM, "y"), -EPERM);
	CHECK_EQ(plx_err_prefix(0, "z"), -EIO);
	CHECK_STR(plx_errmsg(), "z: y: x");
}

TEST(err, own_message_as_argument)
{
	plx_err(EIO, "inner");
	CHECK_EQ(plx_err(EBUSY, "[%s] and [%s]", plx_errmsg(), plx_errmsg()), -EBUSY);
	CHECK_STR(plx_errmsg(), "[inner] and [inner]");
	CHECK_EQ(plx_err_prefix(-EBUSY, "%s", plx_errmsg()), -EBUSY);
	CHECK_STR(plx_errmsg(), "[inner] and [inner]: [inner] and [inner]");
}

TEST(err, prefix)
{
	plx_err(ENOMEM, "no room");
	CHECK_EQ(plx_err_prefix(-ENOMEM, "%s: RX ring %d", "pci:x", 3), -ENOMEM);
	CHECK_STR(plx_errmsg(), "pci:x: RX ring 3: no room");
	CHECK_EQ(plx_err_prefix(-ENOMEM, "open"), -ENOMEM);
	CHECK_STR(plx_errmsg(), "open: pci:x: RX ring 3: no room");
}

TEST(err, prefix_without_message)
{
	plx_err_clear();
	CHECK_EQ(plx_err_prefix(-ENOENT, "pcap"), -ENOENT);
	CHECK_STR(plx_errmsg(), "pcap: No such file or directory");
}

TEST(err, long_text_is_cut)
{
	char want[PLX_ERRMSG_SIZE];

	plx_err(EIO, "%0*d", PLX_ERRMSG_SIZE - 1, 5);
	CHECK_EQ(strlen(plx_errmsg()), PLX_ERRMSG_SIZE - 1);
	CHECK_STR(plx_errmsg() + PLX_ERRMSG_SIZE - 3, "05");
	plx_err(EIO, "%0*d", PLX_ERRMSG_SIZE, 5);
	memset(want, '0', sizeof(want));
	memcpy(want + sizeof(want) - 4, "...", 4);
	CHECK_STR(plx_errmsg(), want);
	plx_err(EIO, "%0*d", 100000, 5);
	CHECK_STR(plx_errmsg(), want);
	plx_err_prefix(-EIO, "prefix");
	CHECK_EQ(strlen(plx_errmsg()), PLX_ERRMSG_SIZE - 1);
	CHECK_HAS(plx_errmsg(), "prefix: 000");
	CHECK_STR(plx_errmsg() + PLX_ERRMSG_SIZE - 5, "0...");
}

TEST(err, cut_leaves_whole_characters)
{
	/* 507 bytes and a character of three: two of it would fit before the dots */
	plx_err(EIO, "%0*d\xe2\x82\xac and more text", PLX_ERRMSG_SIZE - 6, 0);
	CHECK_STR(plx_errmsg() + PLX_ERRMSG_SIZE - 8, "00...");
	/* nothing but continuation bytes is no reason to run off the front */
	plx_err(EIO, "%s", "");
	{
		char text[PLX_ERRMSG_SIZE + 10];

		memset(text, 0x80, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		plx_err(EIO, "%s", text);
		CHECK_STR(plx_errmsg(), "...");
	}
}

static void *err_thread(void *arg)
{
	int n = *(int *)arg;
	char want[64];
	uintptr_t bad = plx_errmsg()[0] != '\0';

	snprintf(want, sizeof(want), "again: thread %d", n);
	for (int i = 0; i < 1000; i++) {
		plx_err(EIO, "thread %d", n);
		plx_err_prefix(-EIO, "again");
		bad += strcmp(plx_errmsg(), want) != 0;
	}
	return (void *)bad;
}

TEST(err, each_thread_has_its_own)
{
	pthread_t t[4];
	int id[4];

	plx_err(EIO, "main");
	for (int i = 0; i < 4; i++) {
		id[i] = i;
		CHECK_EQ(pthread_create(&t[i], NULL, err_thread, &id[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(t[i], &bad);
		CHECK(bad == NULL);
	}
	CHECK_STR(plx_errmsg(), "main");
}

TEST(err, child_of_fork)
{
	int status;
	pid_t pid;

	plx_err(EIO, "parent");
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		int bad = strcmp(plx_errmsg(), "parent") != 0;

		plx_err(EIO, "child");
		_exit(bad || strcmp(plx_errmsg(), "child") != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	CHECK_STR(plx_errmsg(), "parent");
}
