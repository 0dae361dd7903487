/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#include "icount.h"

#define TRAP_FLAG UINT64_C(0x100)

/* The region that is being stepped through. */
static struct {
	struct icount *out;
	uint64_t entry, back, top; /* where it begins; where it returns to, with which stack */
	uint64_t last;             /* the instruction before */
	bool inside;
} now;

static void note(struct icount *c, uint64_t rip)
{
	unsigned i = (unsigned)((rip * UINT64_C(0x9e3779b97f4a7c15)) >> 51);

	c->instructions++;
	while (c->at[i] != rip && c->at[i] != 0)
		i = (i + 1) % ICOUNT_SLOTS;
	if (c->at[i] == 0) {
		if (c->used == ICOUNT_SLOTS / 2)
			return; /* the table has fewer than instructions says: icount_print() fails */
		c->used++;
	}
	c->at[i] = rip;
	c->times[i]++;
}

/* A repeated instruction (prefix f2 or f3) traps after each round. */
static bool repeated(uint64_t rip)
{
	return rip == now.last && (*(const uint8_t *)(uintptr_t)rip & 0xfe) == 0xf2;
}

/* Before each instruction but the first after the flag was set. */
static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint64_t rip = (uint64_t)r[REG_RIP], rsp = (uint64_t)r[REG_RSP];

	(void)sig;
	(void)info;
	if (!now.inside) {
		if (rip != now.entry)
			return;
		now.inside = true;
		now.top = rsp + 8;
		now.back = *(const uint64_t *)(uintptr_t)rsp;
	} else if (rip == now.back && rsp == now.top) {
		r[REG_EFL] &= ~(greg_t)TRAP_FLAG;
		return;
	}
	if (!repeated(rip))
		note(now.out, rip);
	now.last = rip;
}

int icount_init(void)
{
	struct sigaction sa = {.sa_flags = SA_SIGINFO};

	sa.sa_sigaction = on_trap;
	return sigaction(SIGTRAP, &sa, NULL) == 0 ? 0 : -errno;
}

void icount_call(struct icount *c, icount_fn fn, void *arg)
{
	memset(&now, 0, sizeof(now));
	now.out = c;
	now.entry = (uintptr_t)fn;
	c->regions++;
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
	fn(arg);
}

int icount_print(const struct icount *c, FILE *f)
{
	const char *comma = "";
	uint64_t sum = 0;

	fputc('[', f);
	for (unsigned i = 0; i < ICOUNT_SLOTS; i++) {
		Dl_info in;

		if (c->at[i] == 0)
			continue;
		if (dladdr((void *)(uintptr_t)c->at[i], &in) == 0)
			return -1;
		fprintf(f, "%s[\"%s\", %llu, %llu]", comma, in.dli_fname,
			(unsigned long long)(c->at[i] - (uintptr_t)in.dli_fbase),
			(unsigned long long)c->times[i]);
		comma = ", ";
		sum += c->times[i];
	}
	fputc(']', f);
	return sum == c->instructions ? 0 : -1;
}
