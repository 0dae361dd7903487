/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One test body, two runners.
 *
 * By default a test is a Criterion test. Compiled with -DPLX_PLAIN_RUNNER the same file is linked
 * with plain_runner.c instead: one process, no fork, for ThreadSanitizer, valgrind and qemu-user,
 * under which Criterion does not run.
 *
 *   TEST(opt, escapes_comma) { CHECK_EQ(plx_opts_parse(...), 0); }
 *
 * A CHECK that fails ends the test (and, in the plain runner, the process with status 1). It must
 * be called from the thread that runs the test; other threads count their failures and the test
 * checks the count. SKIP says why and ends the test.
 */
#ifndef UNIT_H
#define UNIT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plx_log.h"

#ifdef PLX_PLAIN_RUNNER

struct unit_test {
	const char *suite, *name;
	void (*fn)(void);
	struct unit_test *next;
};
void unit_register(struct unit_test *t);
_Noreturn void unit_fail(const char *file, int line, const char *what);
_Noreturn void unit_skip(const char *why);

#define TEST(s, n)                                                          \
	static void unit_##s##_##n(void);                                   \
	__attribute__((constructor)) static void unit_reg_##s##_##n(void)   \
	{                                                                   \
		static struct unit_test t = {#s, #n, unit_##s##_##n, NULL}; \
		unit_register(&t);                                          \
	}                                                                   \
	static void unit_##s##_##n(void)
#define UNIT_FAIL(buf) unit_fail(__FILE__, __LINE__, buf)
#define SKIP(why)      unit_skip(why)

#else

#include <criterion/criterion.h>
#define TEST(s, n)     Test(s, n)
#define UNIT_FAIL(buf) cr_assert_fail("%s", buf)
#define SKIP(why)      cr_skip_test("%s", why)

#endif

#define CHECK(cond)                       \
	do {                              \
		if (!(cond))              \
			UNIT_FAIL(#cond); \
	} while (0)

#define CHECK_EQ(a, b)                                                                           \
	do {                                                                                     \
		long long unit_a = (long long)(a), unit_b = (long long)(b);                      \
		if (unit_a != unit_b) {                                                          \
			char unit_buf[512];                                                      \
			snprintf(unit_buf, sizeof(unit_buf),                                     \
				"%s == %s: %lld (0x%llx) != %lld (0x%llx)", #a, #b, unit_a,      \
				(unsigned long long)unit_a, unit_b, (unsigned long long)unit_b); \
			UNIT_FAIL(unit_buf);                                                     \
		}                                                                                \
	} while (0)

#define CHECK_STR(a, b)                                                                      \
	do {                                                                                 \
		const char *unit_a = (a), *unit_b = (b);                                     \
		if (strcmp(unit_a, unit_b) != 0) {                                           \
			char unit_buf[2048];                                                 \
			snprintf(unit_buf, sizeof(unit_buf), "%s: \"%s\" is not \"%s\"", #a, \
				unit_a, unit_b);                                             \
			UNIT_FAIL(unit_buf);                                                 \
		}                                                                            \
	} while (0)

/*
 * How often a stress test repeats: few times in the default run, UNIT_FACTOR times as often in the
 * long one (test/run.sh --all).
 */
static inline unsigned unit_rounds(unsigned few)
{
	const char *s = getenv("UNIT_FACTOR");

	return s != NULL ? few * (unsigned)strtoul(s, NULL, 10) : few;
}

/*
 * Whether the process runs under an emulator or valgrind, whose own memory and mappings show in
 * /proc/self: test/run.sh says so.
 */
static inline int unit_emulated(void)
{
	return getenv("UNIT_EMULATED") != NULL;
}

/* Open descriptors of the process (and a few more, always the same). */
static inline unsigned unit_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

/* Whether malloc() and some mappings are a sanitizer's, which keeps what was freed for a while. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNIT_SANITIZED 1
#endif
#endif
#ifndef UNIT_SANITIZED
#define UNIT_SANITIZED 0
#endif

/* a contains b */
#define CHECK_HAS(a, b)                                                                            \
	do {                                                                                       \
		const char *unit_a = (a), *unit_b = (b);                                           \
		if (strstr(unit_a, unit_b) == NULL) {                                              \
			char unit_buf[2048];                                                       \
			snprintf(unit_buf, sizeof(unit_buf), "%s: \"%s\" does not contain \"%s\"", \
				#a, unit_a, unit_b);                                               \
			UNIT_FAIL(unit_buf);                                                       \
		}                                                                                  \
	} while (0)

/* Whether a call succeeded; one that failed has said why. */
static inline bool unit_fine(int err)
{
	if (err == 0)
		return true;
	CHECK(err < 0);
	CHECK(plx_errmsg()[0] != '\0');
	return false;
}

#endif
