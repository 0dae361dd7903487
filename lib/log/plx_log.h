/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log lines and error texts.
 *
 * A struct plx_log says where lines go and which are wanted. It is embedded in the object that owns
 * it (the context); there is no global one. A file that logs names its tag first:
 *
 *	#define PLX_LOG_TAG "e1000"
 *	#include "plx_log.h"
 *	...
 *	plx_logf(log, PLX_LOG_WARN, "link is down after %u ms", ms);
 *
 * A call that fails returns -errno and leaves a text in this thread's message, which the program
 * reads with plx_errmsg(). It says what, which device or file, why, and what to do:
 *
 *	return plx_err(EBUSY, "%s: group %d is in use by another process; close it there", bdf, group);
 */
#ifndef PLX_LOG_H
#define PLX_LOG_H

#include "plx_base.h"

PLX_BEGIN_DECLS

/* --- log ------------------------------------------------------------------------------------- */

/* As a level of a struct plx_log: lines of this level and those before it are wanted. */
enum plx_log_level {
	PLX_LOG_OFF,
	PLX_LOG_ERR,    /* something failed that the program did not ask for by a call */
	PLX_LOG_WARN,   /* it works, but not as it should */
	PLX_LOG_NOTICE, /* what an operator wants to see once */
	PLX_LOG_INFO,   /* what was found and chosen */
	PLX_LOG_DEBUG,
};

/*
 * Receives one line: text has no newline at its end. Called from whichever thread logs, also from
 * several at once. It must not call back into the object that logs.
 */
typedef void (*plx_log_fn)(void *arg, enum plx_log_level level, const char *tag, const char *text);

/* A zeroed one logs nothing. fn = NULL is plx_log_stderr. level may be changed at any time. */
struct plx_log {
	plx_log_fn fn;
	void *arg;
	enum plx_log_level level;
};

/* Lines up to PLX_LOG_NOTICE to standard error. */
/* clang-format off */
#define PLX_LOG_INIT {plx_log_stderr, NULL, PLX_LOG_NOTICE}
/* clang-format on */

/* Size of a line, with its NUL. A longer text is cut, and then ends with "...". */
#define PLX_LOG_LINE_MAX 1024

/*
 * The default sink: "pollux: tag: text" in one write(2) to standard error, so that lines of several
 * threads do not mix. Control characters become '?': text may come from a device or a peer.
 * arg and level are not used. A line that cannot be written is dropped. errno stays as it was.
 */
PLX_API
void plx_log_stderr(void *arg, enum plx_log_level level, const char *tag, const char *text);

/* Whether a line of this level is wanted. log may be NULL: no. */
static inline bool plx_log_wants(const struct plx_log *log, enum plx_log_level level)
{
	return log != NULL && level <= PLX_READ_ONCE(log->level) && level != PLX_LOG_OFF;
}

/* Formats and sends a line without looking at the level: use the macros. errno stays as it was. */
PLX_API
void plx_log_write(const struct plx_log *log, enum plx_log_level level, const char *tag,
	const char *fmt, ...) PLX_PRINTF(4, 5);

/* The arguments are evaluated only if the line is wanted. log may be NULL. Any thread. */
#define plx_log(log, level, tag, ...)                                      \
	do {                                                               \
		if (plx_unlikely(plx_log_wants((log), (level))))           \
			plx_log_write((log), (level), (tag), __VA_ARGS__); \
	} while (0)

/* The same with the file's tag, PLX_LOG_TAG. */
#define plx_logf(log, level, ...) plx_log((log), (level), PLX_LOG_TAG, __VA_ARGS__)

/* "off", "err", "warn", "notice", "info", "debug"; "?" for another value. */
PLX_API
const char *plx_log_level_name(enum plx_log_level level);

/*
 * The level of such a name ("error" and "warning" too, in any case) into *out.
 * -EINVAL: text is none; the message lists the names.
 */
PLX_API
int plx_log_level_parse(const char *text, enum plx_log_level *out);

/* --- log, limited ---------------------------------------------------------------------------- */

/*
 * At most burst lines in an interval. The first line of the next interval says how many were
 * suppressed. Lives in the object that logs (static ones would be shared by all contexts). Any
 * thread; with several at once the limit is approximate.
 */
struct plx_ratelimit {
	uint64_t interval_ns;
	uint32_t burst;
	uint32_t passed;     /* in this interval */
	uint32_t suppressed; /* since the last line that passed */
	uint64_t begin_ns;   /* of this interval; 0: none yet */
};

/* clang-format off */
#define PLX_RATELIMIT_INIT(interval_ns, burst) {(interval_ns), (burst), 0, 0, 0}
/* clang-format on */

/*
 * Whether a line may pass at the time now_ns (plx_clock_ns()); if so, *suppressed is how many did
 * not since the last that did.
 */
PLX_API
bool plx_ratelimit_pass(struct plx_ratelimit *rl, uint64_t now_ns, uint32_t *suppressed);

/* Use the macro. errno stays as it was. */
PLX_API
void plx_log_write_limited(struct plx_ratelimit *rl, const struct plx_log *log,
	enum plx_log_level level, const char *tag, const char *fmt, ...) PLX_PRINTF(5, 6);

/* plx_logf() under a limit; " (N more suppressed)" is added where there were any. */
#define plx_logf_limited(rl, log, level, ...)                                                  \
	do {                                                                                   \
		if (plx_unlikely(plx_log_wants((log), (level))))                               \
			plx_log_write_limited((rl), (log), (level), PLX_LOG_TAG, __VA_ARGS__); \
	} while (0)

/* --- errors ---------------------------------------------------------------------------------- */

/* Size of a message, with its NUL. A longer text is cut, and then ends with "...". */
#define PLX_ERRMSG_SIZE 1024

/*
 * Sets this thread's message and returns -errnum. errnum is a positive errno value; of a negative
 * one the sign is ignored, and 0 (an errno that nobody set) counts as EIO: the result is always
 * negative. plx_errmsg() may be among the arguments.
 */
PLX_API
int plx_err(int errnum, const char *fmt, ...) PLX_PRINTF(2, 3);

/*
 * Puts context before this thread's message, "context: message", and returns err (a negative errno
 * value, see above). If there is no message, that of strerror() is used.
 *
 *	err = plx_dma_alloc(...);
 *	if (err < 0)
 *		return plx_err_prefix(err, "%s: RX ring %u", name, i);
 */
PLX_API
int plx_err_prefix(int err, const char *fmt, ...) PLX_PRINTF(2, 3);

/*
 * Lets the compiler know that the result is negative: after "if (err < 0) return err;" it then sees
 * what is set and what not.
 */
static inline int plx_err_negative_(int err)
{
	if (err >= 0)
		__builtin_unreachable();
	return err;
}
#define plx_err(...)        plx_err_negative_(plx_err(__VA_ARGS__))
#define plx_err_prefix(...) plx_err_negative_(plx_err_prefix(__VA_ARGS__))

/*
 * The text behind the last error of this thread; "" if there was none, never NULL. Calls that work
 * leave it as it is. Valid until this thread's next call that fails.
 */
PLX_API
const char *plx_errmsg(void);

/* Makes this thread's message "". */
PLX_API
void plx_err_clear(void);

PLX_END_DECLS

#endif
