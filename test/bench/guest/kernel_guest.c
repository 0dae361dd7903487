/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs by the kernel's driver, beside bench_guest.c: guest-kernel IF IF, two interfaces on one
 * wire in a guest of one CPU whose time stamp counter advances by one with each instruction.
 *
 * Packet sockets; sendmmsg() of 32 from the first interface, recvmmsg() of 32 from the second. All that the CPU
 * executes is counted, interrupts and their delayed work too, but for calls of recvmmsg() that find nothing
 * while the device holds an interrupt back: their number, times what such a call costs, is taken off. The
 * thread never sleeps, for a CPU that idles does not count.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest_clock.h"

enum { BURST = 32, BURSTS = 64, WINDOWS = 9, LEN = 60, ROOM = 2048 };
enum {
	ETHERTYPE = 0x88b5
}; /* local experiments (IEEE 802): no protocol of the kernel looks at it */

struct bench {
	int out, in;
	struct mmsghdr send[BURST], recv[BURST];
	struct iovec iov[2 * BURST];
	uint8_t frame[LEN], room[BURST][ROOM];
	uint64_t empty_cost,
		empty; /* instructions of a call that finds nothing, how many there were */
};

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "guest-kernel: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Turns it on and waits for its link. */
static void up(int fd, const char *name, int *index, uint8_t *mac)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFINDEX, &r) < 0)
		fail(name);
	*index = r.ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, &r) < 0)
		fail(name);
	memcpy(mac, r.ifr_hwaddr.sa_data, ETH_ALEN);
	if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		fail(name);
	r.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		fail(name);
	for (int i = 0; i < 200; i++) {
		if (ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_RUNNING))
			return;
		usleep(50000);
	}
	errno = ENETDOWN;
	fail(name);
}

static int packet_socket(int index, int protocol)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)protocol),
		.sll_ifindex = index};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		fail("packet socket");
	return fd;
}

static void set_up(struct bench *b, const char *first, const char *second)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), from, to;

	up(fd, first, &from, b->frame + ETH_ALEN);
	up(fd, second, &to, b->frame);
	close(fd);
	b->frame[12] = ETHERTYPE >> 8;
	b->frame[13] = ETHERTYPE & 0xff;
	b->out = packet_socket(from, 0); /* receives nothing */
	b->in = packet_socket(to, ETHERTYPE);
	for (int i = 0; i < BURST; i++) {
		b->iov[i] = (struct iovec){b->frame, LEN};
		b->iov[BURST + i] = (struct iovec){b->room[i], ROOM};
		b->send[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i], .msg_iovlen = 1};
		b->recv[i].msg_hdr =
			(struct msghdr){.msg_iov = &b->iov[BURST + i], .msg_iovlen = 1};
	}
}

static int receive(struct bench *b, int n)
{
	int got = recvmmsg(b->in, b->recv, (unsigned)n, MSG_DONTWAIT, NULL);

	if (got < 0 && errno != EAGAIN)
		fail("recvmmsg");
	return got < 0 ? 0 : got;
}

/*
 * Until frames arrive, for what is sent before both devices have done negotiating is lost, whatever their
 * links are said to be; then what is still under way is taken in.
 */
static void reach(struct bench *b)
{
	int got = 0;

	for (int i = 0; i < 100 && got == 0; i++) {
		if (sendmmsg(b->out, b->send, 1, 0) != 1)
			fail("sendmmsg");
		usleep(100000);
		got = receive(b, BURST);
	}
	if (got == 0) {
		errno = ETIMEDOUT;
		fail("nothing arrives");
	}
	usleep(1000000);
	while (receive(b, BURST) > 0)
		;
}

/* The least of many calls that find nothing. */
static uint64_t empty_cost(struct bench *b)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 200; i++) {
		const uint64_t a = guest_now();
		const int got = receive(b, BURST);
		const uint64_t t = guest_now() - a;

		if (got == 0 && t < least)
			least = t;
	}
	return least;
}

/* One burst, through all of it. */
static void one(struct bench *b)
{
	const uint64_t limit = b->empty + 1000000;
	int got = 0;

	if (sendmmsg(b->out, b->send, BURST, 0) != BURST)
		fail("sendmmsg");
	while (got < BURST) {
		const int n = receive(b, BURST - got);

		b->empty += n == 0;
		got += n;
		if (b->empty > limit) {
			errno = ETIMEDOUT;
			fail("packets are lost");
		}
	}
}

static int cmp(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static struct bench b;
	uint64_t found[WINDOWS];

	if (argc != 3) {
		fprintf(stderr, "usage: guest-kernel INTERFACE INTERFACE\n");
		return 2;
	}
	set_up(&b, argv[1], argv[2]);
	reach(&b);
	for (int i = 0; i < BURSTS; i++)
		one(&b);
	b.empty_cost = empty_cost(&b);
	b.empty = 0;
	for (int w = 0; w < WINDOWS; w++) {
		const uint64_t empty = b.empty, begin = guest_now();

		for (int i = 0; i < BURSTS; i++)
			one(&b);
		found[w] = guest_now() - begin - (b.empty - empty) * b.empty_cost;
	}
	qsort(found, WINDOWS, sizeof(found[0]), cmp);
	printf("{\"side\": \"kernel\", \"what\": \"out and in\", \"burst\": %d, \"packets\": %d, "
	       "\"instructions\": %llu, \"least\": %llu, \"most\": %llu, \"empty\": %llu, "
	       "\"empty_cost\": %llu}\n",
		BURST, BURST * BURSTS, (unsigned long long)found[WINDOWS / 2],
		(unsigned long long)found[0], (unsigned long long)found[WINDOWS - 1],
		(unsigned long long)(b.empty / WINDOWS), (unsigned long long)b.empty_cost);
	return 0;
}
