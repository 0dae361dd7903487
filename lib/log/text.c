/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "text.h"

size_t plx_text_format(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(buf, size, fmt, ap);
	size_t len;

	if (n < 0) { /* a format that libc refuses: say so rather than nothing */
		n = snprintf(buf, size, "(text that cannot be formatted)");
		if (n < 0)
			n = 0;
	}
	len = (size_t)n;
	if (len < size)
		return len;
	len = size - 4;
	while (len > 0 && ((unsigned char)buf[len] & 0xc0) == 0x80)
		len--;
	memcpy(buf + len, "...", 4);
	return len + 3;
}
