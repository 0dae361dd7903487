/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As much JSON (RFC 8259) as the protocols of transports need: is there a member of this name, and
 * where does its value end. Nothing is built, and nothing that comes in is trusted.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "plx_base.h"

/*
 * The member of a JSON object: where its value starts and how long it is. False: no such member,
 * or the text is not one JSON object. text ends at its NUL.
 */
bool json_text_member(const char *text, const char *key, const char **value, size_t *len);

/* Whether the text is one JSON object. */
bool json_text_object(const char *text);

/* A value that is a number without sign, fraction and exponent, and fits. */
bool json_text_u64(const char *value, size_t len, uint64_t *out);

/* s between quotes as a JSON string. False: it does not fit, or is not printable ASCII. */
bool json_text_quote(char *buf, size_t size, const char *s);

#endif
