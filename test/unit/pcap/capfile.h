/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An independent reader of captures, for tests: the driver's results are compared with what this
 * finds. For well-formed files alone; it knows nothing of libpcap and of the driver.
 */
#ifndef CAPFILE_H
#define CAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capfile_pkt {
	const uint8_t *data;
	uint32_t caplen, len;
	uint64_t ts; /* ns; of a pcapng in units of its interface, not converted: see ts_ok */
};

struct capfile {
	uint8_t *bytes;
	size_t size;
	struct capfile_pkt *pkts;
	size_t n;
	uint64_t total; /* captured bytes */
	bool ts_ok;     /* ts are nanoseconds */
};

/* false: cannot be read, or is not what it seems. capfile_free() also then. */
bool capfile_read(struct capfile *c, const char *path);
void capfile_free(struct capfile *c);

/* Writes a classic capture in microseconds, one packet after the other. */
struct capfile_out;
struct capfile_out *capfile_create(const char *path, bool nano);
void capfile_add(
	struct capfile_out *o, uint64_t ts, const void *data, uint32_t caplen, uint32_t len);
void capfile_done(struct capfile_out *o);

#endif
