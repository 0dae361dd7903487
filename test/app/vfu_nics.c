/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vfu-nics DIR: two models of the Intel 82574L with a wire between them, as vfio-user servers at DIR/0 and
 * DIR/1. Says "ready", and ends when its input does. What a client did against the protocol or the
 * datasheet is printed, and the exit status is 1.
 */
#include <stdio.h>
#include <unistd.h>

#include "fake_82574.h"
#include "vfu_server.h"

int main(int argc, char **argv)
{
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;
	struct fake_82574 *nic[2];
	struct vfu_server *server[2];
	char path[2][108], c;
	int wrong = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: vfu-nics DIR\n");
		return 2;
	}
	o.wall_clock = true;
	o.link_ns = 2000000;
	for (int i = 0; i < 2; i++) {
		o.mac[5] = (uint8_t)(2 + i);
		nic[i] = fake_82574_new(i == 0 ? "a" : "b", &o);
		snprintf(path[i], sizeof(path[i]), "%.90s/%d", argv[1], i);
	}
	fake_82574_wire(nic[0], nic[1]);
	for (int i = 0; i < 2; i++)
		server[i] = vfu_start(path[i], fake_82574_pci(nic[i]), NULL);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	for (int i = 0; i < 2; i++) {
		const char *said[2] = {vfu_violation(server[i]), fake_82574_violation(nic[i], 0)};

		for (int k = 0; k < 2; k++) {
			wrong |= said[k][0] != '\0';
			if (said[k][0] != '\0')
				printf("%d: %s\n", i, said[k]);
		}
		vfu_leave(server[i]);
	}
	for (int i = 0; i < 2; i++)
		vfu_stop(server[i]);
	for (int i = 0; i < 2; i++)
		fake_82574_free(nic[i]);
	return wrong;
}
