/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines against a table of every kind of word: what is taken, and what is said otherwise. */
#include <stdarg.h>
#include <stdlib.h>

#include "cmd.h"
#include "unit.h"

/* ---- what cmd.c has of the program ---- */

static char said[1024];
static unsigned times;

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	times++;
}

static const struct fwd_mode io = {.name = "io"}, macswap = {.name = "macswap"};
const struct fwd_mode *const fwd_modes[] = {&io, &macswap, NULL};

/* ---- a table ---- */

static struct args got;
static unsigned calls;

static int take(struct testpmd *t, const struct args *a)
{
	got = *a;
	calls++;
	return 0;
}

static int fail(struct testpmd *t, const struct args *a)
{
	return -1;
}

static const struct cmd table[] = {
	{"start", "", take, 0, 0},
	{"start tx_first [N]", "", take, 1, 10},
	{"show port [PORTS]", "", take, 0, 0},
	{"show port info PORTS", "", take, 0, 0},
	{"show one PORT", "", take, 0, 0},
	{"set fwd MODE", "", take, 0, 0},
	{"set promisc PORTS on|off", "", take, 0, 0},
	{"set mac PORT MAC", "", take, 0, 0},
	{"set numbers N N N N", "", take, 5, 50},
	{"port PORT rxq|txq N start|stop", "", take, 0, 63},
	{"port attach DEV", "", take, 0, 0},
	{"sleep TIME", "", take, 0, 0},
	{"flow WORDS", "", take, 0, 0},
	{"fail", "", fail, 0, 0},
	{NULL, NULL, NULL, 0, 0},
};

/* Ports 0, 1 and 3. */
static struct testpmd *program(void)
{
	static struct testpmd t;

	t.n_ports = 4;
	for (unsigned i = 0; i < 4; i++)
		t.ports[i].port = i != 2 ? (struct plx_port *)&t : NULL;
	return &t;
}

static int say(const char *text)
{
	/* what args have of it is looked at afterwards */
	static char line[2 * MAX_LINE];
	int err;

	snprintf(line, sizeof(line), "%s", text);
	said[0] = '\0';
	times = 0;
	calls = 0;
	got = (struct args){0};
	err = cmd_run(program(), table, line);
	/* a function that was not called says nothing, or why */
	CHECK(err == 0 || times == 1 || strcmp(text, "fail") == 0);
	return err;
}

static void refused(const char *text, const char *why)
{
	CHECK_EQ(say(text), -1);
	CHECK_EQ(calls, 0);
	CHECK_HAS(said, why);
}

/* ---- lines ---- */

TEST(cmd, empty_lines_and_comments_are_nothing)
{
	static const char *const lines[] = {"", " ", "\t \n", "# start", "   # x", "\r\n"};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(lines); i++) {
		CHECK_EQ(say(lines[i]), 0);
		CHECK_EQ(calls, 0);
	}
}

TEST(cmd, words_are_cut_at_blanks_and_kept_in_quotes)
{
	CHECK_EQ(say("  port\tattach \"pcap:rx=a b.pcap\"  # a file\n"), 0);
	CHECK_EQ(calls, 1);
	CHECK_EQ(say("flow a \"b c\" d#e \"\""), 0);
	CHECK_EQ(got.n_rest, 4);
	refused("port attach \"pcap:rx=", "the second \" is missing");
}

TEST(cmd, too_many_words_are_refused)
{
	char line[4 * MAX_WORDS] = "flow";
	char *words[MAX_WORDS];
	size_t n;

	for (unsigned i = 1; i < MAX_WORDS; i++)
		strcat(line, " x");
	CHECK_EQ(say(line), 0);
	CHECK_EQ(got.n_rest, MAX_WORDS - 1);
	strcat(line, " x");
	refused(line, "more than 40 words");
	CHECK_EQ(cmd_split(line, words, &n), -1);
}

TEST(cmd, the_row_s_result_is_the_line_s)
{
	CHECK_EQ(say("start"), 0);
	CHECK_EQ(say("fail"), -1);
	CHECK_EQ(times, 0);
}

/* ---- values ---- */

TEST(cmd, ports)
{
	struct testpmd *t = program();

	CHECK_EQ(say("show port"), 0);
	CHECK(!got.ports_given);
	CHECK_EQ(got.n_ports, 3);
	CHECK(got.ports[2] == &t->ports[3]);
	CHECK_EQ(say("show port all"), 0);
	CHECK(got.ports_given);
	CHECK_EQ(got.n_ports, 3);
	CHECK_EQ(say("show port 0-1,3"), 0);
	CHECK_EQ(got.n_ports, 3);
	CHECK_EQ(say("show port info 3"), 0);
	CHECK_EQ(got.n_ports, 1);
	CHECK_EQ(say("show one 1"), 0);
	CHECK(got.ports[0] == &t->ports[1]);
	refused("show one 2", "'2': there is no port 2");
	refused("show one 18446744073709551616", "expected the number of a port");
	refused("show one all", "expected the number of a port");
	refused("show port 0-3", "there is no port 2");
	refused("show port 0,0", "expected");
	refused("show port 0-", "expected numbers of ports (0,2-3) or all");
	refused("show port 4", "there is no port 4");
}

TEST(cmd, numbers_have_the_row_s_range)
{
	CHECK_EQ(say("set numbers 5 0x32 6 7"), 0);
	CHECK_EQ(got.n_n, 4);
	CHECK_EQ(got.n[1], 50);
	refused("set numbers 5 6 7 51", "'51': must be 5 to 50");
	refused("set numbers 4", "'4': must be 5 to 50");
	refused("set numbers five", "'five': expected a number");
	CHECK_EQ(say("start tx_first"), 0);
	CHECK_EQ(got.n_n, 0);
	CHECK_EQ(say("start tx_first 3"), 0);
	CHECK_EQ(got.n[0], 3);
}

TEST(cmd, modes_addresses_and_times)
{
	CHECK_EQ(say("set fwd macswap"), 0);
	CHECK(got.mode == &macswap);
	refused("set fwd macswp", "did you mean 'macswap'?");
	CHECK_EQ(say("set mac 0 0a:1B:00:00:00:ff"), 0);
	CHECK_EQ(got.mac.b[1], 0x1b);
	CHECK_EQ(got.mac.b[5], 0xff);
	refused("set mac 0 a:b:c:d:e:f", "expected an Ethernet address");
	refused("set mac 0 00:00:00:00:00:0", "expected an Ethernet address");
	refused("set mac 0 00:00:00:00:00:000", "expected an Ethernet address");
	refused("set mac 0 +1:-2:00:00:00:001", "expected an Ethernet address");
	CHECK_EQ(say("sleep 1.5"), 0);
	CHECK_EQ(got.ns, 1500000000);
	CHECK_EQ(say("sleep 20ms"), 0);
	CHECK_EQ(got.ns, 20000000);
	CHECK_EQ(say("sleep 2"), 0);
	CHECK_EQ(got.ns, 2000000000);
	refused("sleep inf", "expected seconds");
	refused("sleep nan", "expected seconds");
	refused("sleep 2 s", "nothing more is expected after '2'");
}

TEST(cmd, alternatives)
{
	CHECK_EQ(say("set promisc all on"), 0);
	CHECK(got.on);
	CHECK_EQ(got.n_words, 0);
	CHECK_EQ(say("set promisc 1 off"), 0);
	CHECK(!got.on);
	CHECK_EQ(say("port 3 txq 7 stop"), 0);
	CHECK_EQ(got.n_words, 2);
	CHECK_STR(got.words[0], "txq");
	CHECK_STR(got.word, "stop");
	refused("port 3 txq 7 |", "expected start, stop");
	refused("port 3 rxq|txq 7 stop", "expected rxq, txq");
}

/* ---- what is said ---- */

TEST(cmd, the_place_where_most_words_fit_is_named)
{
	refused("strat",
		"'strat': expected start, show, set, port, sleep, flow, fail; did you mean 'start'?");
	refused("set", "after 'set': expected fwd, promisc, mac, numbers");
	refused("set fwd", "after 'fwd': expected MODE");
	refused("set mac 0", "after '0': expected MAC");
	refused("port 0", "after '0': expected rxq, txq");
	refused("start now", "'now': expected tx_first");
	refused("show port inof 0", "'inof': expected PORTS, info; did you mean 'info'?");
	refused("show port info 0 1", "'1': nothing more is expected after '0'");
	/* a number that is none says more than a list of words */
	refused("show port 9", "there is no port 9");
}

TEST(cmd, long_words_do_no_harm)
{
	char line[MAX_LINE] = "set ";

	memset(line + 4, 'x', sizeof(line) - 5);
	refused(line, "expected fwd");
	memcpy(line, "set fwd ", 8);
	refused(line, "expected a mode: io macswap");
	memcpy(line, "flow    ", 8);
	CHECK_EQ(say(line), 0);
}

/* ---- completion and help ---- */

static char choices[256];

static void choose(void *arg, const char *word)
{
	CHECK(arg == choices);
	snprintf(choices + strlen(choices), sizeof(choices) - strlen(choices), "%s ", word);
}

static const char *complete(const char *before, const char *start)
{
	char line[128], *words[MAX_WORDS];
	size_t n;

	snprintf(line, sizeof(line), "%s", before);
	CHECK_EQ(cmd_split(line, words, &n), 0);
	choices[0] = '\0';
	times = 0;
	cmd_complete(program(), table, words, n, start, choose, choices);
	CHECK_EQ(times, 0);
	return choices;
}

TEST(cmd, what_may_come_next)
{
	CHECK_STR(complete("", "st"), "start start ");
	CHECK_STR(complete("set", ""), "fwd promisc mac numbers ");
	CHECK_STR(complete("set", "m"), "mac ");
	CHECK_STR(complete("set fwd", ""), "io macswap ");
	CHECK_STR(complete("show one", ""), "0 1 3 ");
	CHECK_STR(complete("show port", ""), "0 1 3 all info ");
	CHECK_STR(complete("set promisc 0", "o"), "on off ");
	CHECK_STR(complete("set promisc 2", ""), "");
	CHECK_STR(complete("port 0 rxq 1", ""), "start stop ");
	CHECK_STR(complete("nonsense", ""), "");
	CHECK_STR(complete("set fwd io", ""), "");
	CHECK_STR(complete("sleep", ""), "");
}

static size_t help(const char *before, char **text)
{
	char line[128], *words[MAX_WORDS];
	size_t n, size, rows;
	FILE *f = open_memstream(text, &size);

	CHECK(f != NULL);
	snprintf(line, sizeof(line), "%s", before);
	CHECK_EQ(cmd_split(line, words, &n), 0);
	rows = cmd_help(f, table, words, n);
	fclose(f);
	return rows;
}

TEST(cmd, help_is_of_rows_that_begin_so)
{
	char *text;

	CHECK_EQ(help("", &text), PLX_ARRAY_SIZE(table) - 1);
	free(text);
	CHECK_EQ(help("port PORT txq", &text), 1);
	CHECK_HAS(text, "  port PORT rxq|txq N start|stop");
	free(text);
	CHECK_EQ(help("start tx_first", &text), 1);
	free(text);
	CHECK_EQ(help("star", &text), 0);
	free(text);
}
