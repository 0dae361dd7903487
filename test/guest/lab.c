/* SPDX-License-Identifier: BSD-3-Clause */
/* guest-lab: what tests in the guest need beside plx-testpmd. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "plx_log.h"

void lab_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void lab_check(int err, const char *what)
{
	if (err < 0)
		lab_fail("%s: %s", what, plx_errmsg());
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(int argc, char **argv);
	} programs[] = {
		{"confine", 4, lab_confine},
		{"contexts", 2, lab_contexts},
		{"irq", 1, lab_irq},
		{"pages", 1, lab_pages},
		{"send", 1, lab_send},
		{"wait", 2, lab_wait},
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(programs); i++)
		if (argc >= 2 + programs[i].args && strcmp(argv[1], programs[i].name) == 0)
			return programs[i].run(argc - 2, argv + 2);
	lab_fail(
		"usage: guest-lab confine SCENARIO DEV DEV DEV [ADDRESS] | contexts DEV DEV | irq DEV... | pages PID | send INTERFACE | wait DEV DEV");
}
