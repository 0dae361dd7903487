/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines: levels, the default sink, rate limits. */
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "plx_log.h"
#include "text.h"

static const char *const level_names[] = {"off", "err", "warn", "notice", "info", "debug"};

const char *plx_log_level_name(enum plx_log_level level)
{
	return (unsigned)level < PLX_ARRAY_SIZE(level_names) ? level_names[level] : "?";
}

int plx_log_level_parse(const char *text, enum plx_log_level *out)
{
	for (unsigned i = 0; text != NULL && i < PLX_ARRAY_SIZE(level_names); i++) {
		if (strcasecmp(text, level_names[i]) == 0) {
			*out = (enum plx_log_level)i;
			return 0;
		}
	}
	if (text != NULL && strcasecmp(text, "error") == 0) {
		*out = PLX_LOG_ERR;
		return 0;
	}
	if (text != NULL && strcasecmp(text, "warning") == 0) {
		*out = PLX_LOG_WARN;
		return 0;
	}
	return plx_err(EINVAL,
		"log level '%s' is none: it is one of off, err, warn, notice, info, debug",
		text != NULL ? text : "(null)");
}

/* Appends src to line[*len], with control characters replaced, as far as there is room. */
static void put_clean(char *line, size_t size, size_t *len, const char *src)
{
	for (; *src != '\0' && *len < size; src++) {
		unsigned char c = (unsigned char)*src;

		line[(*len)++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
}

void plx_log_stderr(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	char line[PLX_LOG_LINE_MAX + 128];
	int saved = errno;
	size_t len = 0;
	ssize_t n;

	put_clean(line, sizeof(line) - 1, &len, "pollux: ");
	put_clean(line, sizeof(line) - 1, &len, tag);
	put_clean(line, sizeof(line) - 1, &len, ": ");
	put_clean(line, sizeof(line) - 1, &len, text);
	line[len++] = '\n';
	do {
		n = write(STDERR_FILENO, line, len);
	} while (n < 0 && errno == EINTR);
	errno = saved;
}

static void deliver(
	const struct plx_log *log, enum plx_log_level level, const char *tag, const char *text)
{
	plx_log_fn fn = log->fn != NULL ? log->fn : plx_log_stderr;

	fn(log->arg, level, tag, text);
}

void plx_log_write(
	const struct plx_log *log, enum plx_log_level level, const char *tag, const char *fmt, ...)
{
	char text[PLX_LOG_LINE_MAX];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	plx_text_format(text, sizeof(text), fmt, ap);
	va_end(ap);
	deliver(log, level, tag, text);
	errno = saved;
}

bool plx_ratelimit_pass(struct plx_ratelimit *rl, uint64_t now_ns, uint32_t *suppressed)
{
	uint64_t begin = PLX_READ_ONCE(rl->begin_ns);

	*suppressed = 0;
	if (begin == 0 || now_ns - begin >= rl->interval_ns) {
		PLX_WRITE_ONCE(rl->begin_ns, now_ns);
		PLX_WRITE_ONCE(rl->passed, 0);
	}
	if (PLX_READ_ONCE(rl->passed) >= rl->burst) {
		__atomic_fetch_add(&rl->suppressed, 1, __ATOMIC_RELAXED);
		return false;
	}
	__atomic_fetch_add(&rl->passed, 1, __ATOMIC_RELAXED);
	*suppressed = __atomic_exchange_n(&rl->suppressed, 0, __ATOMIC_RELAXED);
	return true;
}

void plx_log_write_limited(struct plx_ratelimit *rl, const struct plx_log *log,
	enum plx_log_level level, const char *tag, const char *fmt, ...)
{
	char text[PLX_LOG_LINE_MAX], tail[48];
	int saved = errno;
	uint32_t suppressed;
	va_list ap;

	if (!plx_ratelimit_pass(rl, plx_clock_ns(), &suppressed))
		return;
	tail[0] = '\0';
	if (suppressed != 0)
		snprintf(tail, sizeof(tail), " (%u more suppressed)", suppressed);
	va_start(ap, fmt);
	plx_text_format(text, sizeof(text) - strlen(tail), fmt, ap);
	va_end(ap);
	strcat(text, tail);
	deliver(log, level, tag, text);
	errno = saved;
}
