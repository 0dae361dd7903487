/* SPDX-License-Identifier: BSD-3-Clause */
/* The plain runner of unit.h. Prints TAP; arguments are substrings that select tests. */
#include <setjmp.h>
#include "unit.h"

static struct unit_test *tests;
static jmp_buf skip_to;
static const char *skip_why;
static const struct unit_test *running;
static unsigned running_no;

void unit_register(struct unit_test *t)
{
	struct unit_test **p = &tests;

	while (*p != NULL)
		p = &(*p)->next;
	*p = t;
}

_Noreturn void unit_fail(const char *file, int line, const char *what)
{
	printf("not ok %u - %s.%s\n# %s:%d: %s\n", running_no, running->suite, running->name, file,
		line, what);
	fflush(stdout);
	exit(1);
}

_Noreturn void unit_skip(const char *why)
{
	skip_why = why;
	longjmp(skip_to, 1);
}

static int selected(const struct unit_test *t, int argc, char **argv)
{
	char full[256];

	snprintf(full, sizeof(full), "%s.%s", t->suite, t->name);
	for (int i = 1; i < argc; i++)
		if (strstr(full, argv[i]) != NULL)
			return 1;
	return argc < 2;
}

static void run_one(const struct unit_test *t)
{
	running = t;
	if (setjmp(skip_to) != 0) {
		printf("ok %u - %s.%s # SKIP %s\n", running_no, running->suite, running->name,
			skip_why);
	} else {
		t->fn();
		printf("ok %u - %s.%s\n", running_no, running->suite, running->name);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned n = 0;

	for (const struct unit_test *t = tests; t != NULL; t = t->next)
		n += selected(t, argc, argv) != 0;
	printf("1..%u\n", n);
	for (const struct unit_test *t = tests; t != NULL; t = t->next) {
		if (!selected(t, argc, argv))
			continue;
		running_no++;
		run_one(t);
	}
	return n == 0;
}
