/* SPDX-License-Identifier: BSD-3-Clause */
/* What programs of guest-lab share: each runs in the guest, prints "ok" at its end, or says what is wrong. */
#ifndef GUEST_LAB_H
#define GUEST_LAB_H

#include <stdbool.h>

/* Says what is wrong and ends the program: for tests alone. */
__attribute__((noreturn, format(printf, 1, 2))) void lab_fail(const char *fmt, ...);

/* Ends the program with what and plx_errmsg() if err is one. */
void lab_check(int err, const char *what);

/* confine SCENARIO DEV DEV DEV [ADDRESS]: one access of the first device where it may not. */
int lab_confine(int argc, char **argv);
/* contexts DEV DEV: two contexts in this process, each with a port; frames both ways. */
int lab_contexts(int argc, char **argv);
/* irq DEV...: each type of interrupt that a device (e1000e) has, raised by its ICS register. */
int lab_irq(int argc, char **argv);
/* pages PID: where the memory that PID has from memfd_create(2) lies: "ADDRESS BYTES" a line, huge pages only. */
int lab_pages(int argc, char **argv);
/* send INTERFACE: broadcasts frames through a network interface of the kernel until it is killed. */
int lab_send(int argc, char **argv);
/* wait DEV DEV: frames from one to the other, whose thread sleeps till one comes. */
int lab_wait(int argc, char **argv);

#endif
