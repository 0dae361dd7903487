/* SPDX-License-Identifier: BSD-3-Clause */
/* The message of each thread. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "plx_log.h"
#include "text.h"

static _Thread_local char message[PLX_ERRMSG_SIZE];

/* A negative errno value of whatever was passed for one. */
static int negative(int err)
{
	if (err == 0 || err == INT_MIN)
		return -EIO;
	return err > 0 ? -err : err;
}

/* In parentheses: the functions, not the macros. */
int(plx_err)(int errnum, const char *fmt, ...)
{
	char text[PLX_ERRMSG_SIZE]; /* apart from message, which may be among the arguments */
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	len = plx_text_format(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(message, text, len + 1);
	return negative(errnum);
}

int(plx_err_prefix)(int err, const char *fmt, ...)
{
	char context[PLX_ERRMSG_SIZE], errno_text[64];
	va_list ap;

	err = negative(err);
	va_start(ap, fmt);
	plx_text_format(context, sizeof(context), fmt, ap);
	va_end(ap);
	return plx_err(err, "%s: %s", context,
		message[0] != '\0' ? message : strerror_r(-err, errno_text, sizeof(errno_text)));
}

const char *plx_errmsg(void)
{
	return message;
}

void plx_err_clear(void)
{
	message[0] = '\0';
}
