/* SPDX-License-Identifier: BSD-3-Clause */
/* Faulty captures: the packets before the fault and then the error, which names the file. */
#include "rig.h"

/* Packets that come, and how it ends: 0, or a positive errno of open or of the queue. */
static unsigned long read_it(struct rig *r, const char *name, const char *more, int *end)
{
	char path[512];
	struct rig_port rx;
	unsigned long n;

	r->log[0] = '\0';
	snprintf(path, sizeof(path), TEST_DATA "/malformed/%s", name);
	*end = -rig_port_open(r, &rx, PLX_RX_OFFLOAD_SCATTER, "pcap:rx=%s%s", path, more);
	if (*end != 0) {
		CHECK_HAS(plx_errmsg(), name);
		return 0;
	}
	n = (unsigned long)rig_forward(&rx, NULL, 1);
	if (plx_rxq_state(rx.rxq, end) == PLX_QUEUE_FAILED) {
		CHECK(!plx_port_drained(rx.port));
		CHECK_HAS(r->log, name);
		CHECK_HAS(r->log, "packet ");
	}
	rig_port_close(&rx);
	return n;
}

static void all(const char *more)
{
	FILE *f = fopen(TEST_DATA "/malformed/expected.txt", "r");
	char line[256], name[128], how[16];
	unsigned long least, most, n;
	unsigned files = 0;
	struct rig r;
	int end;

	CHECK(f != NULL);
	rig_open(&r, 2048, 0);
	while (fgets(line, sizeof(line), f) != NULL) {
		char got[256];

		if (line[0] == '#')
			continue;
		CHECK_EQ(sscanf(line, "%127s %lu %lu %15s", name, &least, &most, how), 4);
		n = read_it(&r, name, more, &end);
		snprintf(got, sizeof(got), "%s: %s", name,
			n < least                                   ? "too few packets"
			: n > most                                  ? "too many packets"
			: strcmp(how, "any") == 0                   ? "as expected"
			: (end != 0) != (strcmp(how, "error") == 0) ? "another end"
								    : "as expected");
		CHECK_HAS(got, "as expected");
		files++;
	}
	fclose(f);
	CHECK(files > 40);
	rig_close(&r);
}

TEST(pcap, every_malformed_capture)
{
	all("");
}

TEST(pcap, every_malformed_capture_preloaded)
{
	all(",preload=1");
}

/* A fault ends a loop, too: the packets after it are never known. */
TEST(pcap, every_malformed_capture_for_ever)
{
	struct rig r;
	int end;

	rig_open(&r, 2048, 0);
	CHECK_EQ(read_it(&r, "packet-data-cut.pcap", ",loop=0", &end), 2);
	CHECK_EQ(end, EBADMSG);
	CHECK_HAS(r.log, "packet 3: the file ends inside the packet: 61 of 62 bytes");
	CHECK_EQ(read_it(&r, "ng-length-0.pcapng", ",loop=0,preload=1", &end), 2);
	CHECK_EQ(end, EBADMSG);
	rig_close(&r);
}

TEST(pcap, messages_say_what_and_what_to_do)
{
	static const struct {
		const char *file, *has;
	} rows[] = {
		{"link-sll.pcap", "LINUX_SLL"},
		{"link-sll.pcap", "tcprewrite"},
		{"link-usb.pcap", "USB_LINUX_MMAPPED"},
		{"link-raw.pcap", "RAW"},
		{"empty.pcap", "is empty"},
		{"version-3.pcap", "version 3.4"},
		{"magic-bad.pcap", "unknown file format"},
		{"header-23.pcap", "truncated"},
	};
	struct rig r;
	int end;

	rig_open(&r, 512, 0);
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		CHECK_EQ(read_it(&r, rows[i].file, "", &end), 0);
		CHECK(end != 0);
		CHECK_HAS(plx_errmsg(), rows[i].has);
	}
	CHECK_EQ(read_it(&r, "over-64k.pcap", "", &end), 2);
	CHECK_EQ(end, 0);
	CHECK_HAS(r.log, "65536 bytes");
	CHECK_EQ(read_it(&r, "caplen-ffffffff.pcap", "", &end), 2);
	CHECK_HAS(r.log, "packet 3 claims 4294967295 captured bytes");
	rig_close(&r);
}

/* What lies of its snap length is whole all the same. */
TEST(pcap, a_packet_longer_than_the_snap_length_is_whole)
{
	struct rig r;
	struct rig_port rx;
	struct plx_mbuf *m[4];

	rig_open(&r, 512, 0);
	CHECK_EQ(rig_port_open(
			 &r, &rx, 0, "pcap:rx=" TEST_DATA "/malformed/caplen-over-snaplen.pcap"),
		0);
	CHECK_EQ(plx_rx_burst(rx.rxq, m, 4), 3);
	CHECK_EQ(m[1]->pkt_len, 128);
	plx_mbuf_free_bulk(m, 3);
	rig_port_close(&rx);
	rig_close(&r);
}
