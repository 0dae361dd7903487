/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP packets to be cut into segments, and what must come out, by RFC 791, 8200, 9293 alone: parsed and
 * summed here, apart from library and models.
 */
#ifndef TSO_REF_H
#define TSO_REF_H

#include <stdbool.h>
#include <stdint.h>

enum { TSO_REF_MAX = 65535 };

struct tso_case {
	bool v6;
	uint32_t options; /* bytes of TCP options: 0 to 40, a multiple of 4 */
	uint32_t payload, mss;
	int vlan;    /* tag that the device is to insert; below 0: none */
	bool no_fin; /* neither FIN nor PSH is set */
};

/* The packet as a program makes it, to a station; @return its length. Sums are left at 0. */
uint32_t tso_ref_make(uint8_t *p, const struct tso_case *c, const uint8_t to[6]);
uint32_t tso_ref_headers(const struct tso_case *c);
uint32_t tso_ref_segments(const struct tso_case *c);
/* Is a frame segment i of it? @return "", or what is wrong with it. */
const char *tso_ref_check(const struct tso_case *c, uint32_t i, const uint8_t *frame, uint32_t len);

#endif
