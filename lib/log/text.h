/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to lib/log: texts in buffers of a fixed size. */
#ifndef PLX_LOG_TEXT_H
#define PLX_LOG_TEXT_H

#include <stdarg.h>
#include "plx_base.h"

/*
 * Formats into buf[size], size >= 4. A longer text is cut between two UTF-8 characters and ends with
 * "...". Returns the length.
 */
size_t plx_text_format(char *buf, size_t size, const char *fmt, va_list ap) PLX_PRINTF(3, 0);

#endif
