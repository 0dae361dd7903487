/* SPDX-License-Identifier: BSD-3-Clause */
/* Somebody on the wire who goes on talking, by a packet socket of the kernel. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab.h"

int lab_send(int argc, char **argv)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[0])};
	static unsigned char frame[256] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 7, 0x88, 0xb5};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0));

	(void)argc;
	if (fd < 0 || to.sll_ifindex == 0)
		lab_fail("no packet socket for %s", argv[0]);
	for (unsigned i = 0;; i++) {
		frame[14] = (unsigned char)(i >> 8);
		frame[15] = (unsigned char)i;
		(void)sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to));
		usleep(5000);
	}
}
