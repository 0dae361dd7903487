/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines of plx-testpmd against a table of every kind of word. Beside not crashing: a line that
 * is refused is so with one line of text, values are in their ranges, and what completion offers
 * begins as was asked.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "cmd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned complaints, calls;

static void must(bool ok)
{
	if (!ok)
		abort();
}

void complain(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	must(vsnprintf(text, sizeof(text), fmt, ap) > 0);
	va_end(ap);
	complaints++;
}

static const struct fwd_mode io = {.name = "io"}, macswap = {.name = "macswap"};
const struct fwd_mode *const fwd_modes[] = {&io, &macswap, NULL};

static int take(struct testpmd *t, const struct args *a)
{
	must(a->n_ports <= MAX_PORTS && a->n_n <= MAX_NUMBERS && a->n_rest <= MAX_WORDS);
	for (size_t i = 0; i < a->n_ports; i++)
		must(a->ports[i]->port != NULL);
	for (unsigned i = 0; i < a->n_n; i++)
		must(a->n[i] >= 1 && a->n[i] <= 100);
	for (size_t i = 0; i < a->n_rest; i++)
		must(strlen(a->rest[i]) <= MAX_LINE);
	must(a->ns <= UINT64_MAX / 2);
	calls++;
	return 0;
}

static const struct cmd table[] = {
	{"start [N]", "", take, 1, 100},
	{"show port [PORTS]", "", take, 1, 100},
	{"show port info PORTS", "", take, 1, 100},
	{"set fwd MODE", "", take, 1, 100},
	{"set promisc PORTS on|off", "", take, 1, 100},
	{"set mac PORT MAC", "", take, 1, 100},
	{"set numbers N N N N N", "", take, 1, 100},
	{"port PORT rxq|txq N start|stop", "", take, 1, 100},
	{"port attach DEV", "", take, 1, 100},
	{"flow WORDS", "", take, 1, 100},
	{NULL, NULL, NULL, 0, 0},
};

static void offered(void *arg, const char *word)
{
	const char *start = arg;

	must(strncmp(word, start, strlen(start)) == 0);
}

static void complete(struct testpmd *t, char *line)
{
	static FILE *nowhere;
	char *words[MAX_WORDS], *last;
	size_t n;

	if (cmd_split(line, words, &n) < 0 || n == 0)
		return;
	last = words[n - 1];
	cmd_complete(t, table, words, n - 1, last, offered, last);
	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "we");
	if (nowhere != NULL)
		(void)cmd_help(nowhere, table, words, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct testpmd t;
	char *line = malloc(size + 1), *copy = malloc(size + 1);

	if (line != NULL && copy != NULL) {
		t.n_ports = 4;
		for (unsigned i = 0; i < 4; i++)
			t.ports[i].port = i != 2 ? (struct plx_port *)&t : NULL;
		memcpy(line, data, size);
		line[size] = '\0';
		memcpy(copy, line, size + 1);
		complaints = calls = 0;
		if (cmd_run(&t, table, line) < 0)
			must(complaints == 1 && calls == 0);
		else
			must(complaints == 0 && calls <= 1);
		complete(&t, copy);
	}
	free(copy);
	free(line);
	return 0;
}
