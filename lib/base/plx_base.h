/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every other header stands on: attributes, bits, types with a byte order, barriers, clocks.
 *
 * Byte order. Whatever a device or a peer reads or writes is declared with the types plx_le16 ...
 * plx_be64. They are structs, so that arithmetic on a value of the wrong order does not compile;
 * plx_le32_get() and plx_le32_make() convert from and to the CPU's order.
 *
 * Memory that a device writes while we look at it is read with plx_le32_read_once() and its kin:
 * exactly one load, so that the value that was checked is the value that is used.
 *
 * Everything here may be called from any thread. Nothing here fails.
 */
#ifndef PLX_BASE_H
#define PLX_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define PLX_BEGIN_DECLS extern "C" {
#define PLX_END_DECLS   }
#else
#define PLX_BEGIN_DECLS
#define PLX_END_DECLS
#endif

/* A symbol of the library's interface: the build hides all others. */
#define PLX_API __attribute__((visibility("default")))

#define PLX_PRINTF(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))
/* The result says whether the call worked: to drop it is a warning. */
#define PLX_NODISCARD                  __attribute__((warn_unused_result))
#define PLX_NOINLINE                   __attribute__((noinline))
#define PLX_ALWAYS_INLINE              inline __attribute__((always_inline))
#define PLX_PACKED                     __attribute__((packed))
#define PLX_UNUSED                     __attribute__((unused))

#define plx_likely(x)   __builtin_expect(!!(x), 1)
#define plx_unlikely(x) __builtin_expect(!!(x), 0)

/* Also on CPUs with larger lines: it is an element of layouts that processes share. */
#define PLX_CACHE_LINE    64
#define PLX_ALIGNED(n)    __attribute__((aligned(n)))
#define PLX_CACHE_ALIGNED PLX_ALIGNED(PLX_CACHE_LINE)

#ifdef __cplusplus
#define PLX_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define PLX_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif

#define PLX_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The object of the given type whose member ptr points to. */
#define plx_container_of(ptr, type, member)                            \
	(__extension__({                                               \
		const volatile void *plx_co_ = (ptr);                  \
		(type *)((uintptr_t)plx_co_ - offsetof(type, member)); \
	}))

/* Bit n of 32 (n < 32) and of 64 (n < 64): constant expressions. */
#define PLX_BIT(n)   (UINT32_C(1) << (n))
#define PLX_BIT64(n) (UINT64_C(1) << (n))

#define PLX_CAT_(a, b) a##b
#define PLX_CAT(a, b)  PLX_CAT_(a, b)
#ifdef __cplusplus
#define PLX_AUTO_ auto
#else
#define PLX_AUTO_ __auto_type
#endif
#define PLX_PICK_(op, a, b, va, vb) \
	(__extension__({            \
		PLX_AUTO_ va = (a); \
		PLX_AUTO_ vb = (b); \
		va op vb ? va : vb; \
	}))
/*
 * Each argument is evaluated once. Arguments of different signedness are a warning
 * (-Wsign-compare). Not constant expressions.
 */
#define PLX_MIN(a, b) PLX_PICK_(<, a, b, PLX_CAT(plx_a_, __COUNTER__), PLX_CAT(plx_b_, __COUNTER__))
#define PLX_MAX(a, b) PLX_PICK_(>, a, b, PLX_CAT(plx_a_, __COUNTER__), PLX_CAT(plx_b_, __COUNTER__))

PLX_BEGIN_DECLS

/* --- bits ------------------------------------------------------------------------------------ */

/* Bit n, for an n known at run time only: 0 for n >= 32. */
static inline uint32_t plx_bit32(unsigned n)
{
	return n < 32 ? UINT32_C(1) << n : 0;
}

/* Bit n, for an n known at run time only: 0 for n >= 64. */
static inline uint64_t plx_bit64(unsigned n)
{
	return n < 64 ? UINT64_C(1) << n : 0;
}

/* 0 is not a power of two. */
static inline bool plx_is_pow2_u64(uint64_t x)
{
	return x != 0 && (x & (x - 1)) == 0;
}

/* x rounded up to a multiple of align, a power of two; 0 if that is past 2^64 - 1. */
static inline uint64_t plx_align_up(uint64_t x, uint64_t align)
{
	return (x + align - 1) & ~(align - 1);
}

/* x rounded down to a multiple of align, a power of two. */
static inline uint64_t plx_align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

/* The largest n with 2^n <= x; 0 for x = 0. */
static inline unsigned plx_log2_u64(uint64_t x)
{
	return x == 0 ? 0 : 63U - (unsigned)__builtin_clzll(x);
}

/* The smallest power of two that is >= x: 1 for x = 0, and 0 for x > 2^63, where there is none. */
static inline uint64_t plx_roundup_pow2_u64(uint64_t x)
{
	if (x <= 1)
		return 1;
	return x > PLX_BIT64(63) ? 0 : UINT64_C(2) << plx_log2_u64(x - 1);
}

/* --- one load, one store --------------------------------------------------------------------- */

/*
 * One load or store of a scalar of up to 8 bytes that another thread, process or device uses at the
 * same time: never torn, repeated or left out by the compiler, and no data race to ThreadSanitizer.
 * No order with other accesses: see the barriers below.
 */
#define PLX_READ_ONCE(x)     __atomic_load_n((const volatile __typeof__(x) *)&(x), __ATOMIC_RELAXED)
#define PLX_WRITE_ONCE(x, v) __atomic_store_n((volatile __typeof__(x) *)&(x), (v), __ATOMIC_RELAXED)

/* --- byte order ------------------------------------------------------------------------------ */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PLX_LE16_(x) ((uint16_t)(x))
#define PLX_LE32_(x) ((uint32_t)(x))
#define PLX_LE64_(x) ((uint64_t)(x))
#define PLX_BE16_(x) __builtin_bswap16((uint16_t)(x))
#define PLX_BE32_(x) __builtin_bswap32((uint32_t)(x))
#define PLX_BE64_(x) __builtin_bswap64((uint64_t)(x))
#else
#define PLX_LE16_(x) __builtin_bswap16((uint16_t)(x))
#define PLX_LE32_(x) __builtin_bswap32((uint32_t)(x))
#define PLX_LE64_(x) __builtin_bswap64((uint64_t)(x))
#define PLX_BE16_(x) ((uint16_t)(x))
#define PLX_BE32_(x) ((uint32_t)(x))
#define PLX_BE64_(x) ((uint64_t)(x))
#endif

/* v is in the byte order that the type names, whatever the CPU's is: use the functions below. */
typedef struct {
	uint16_t v;
} plx_le16;
typedef struct {
	uint32_t v;
} plx_le32;
typedef struct {
	uint64_t v;
} plx_le64;
typedef struct {
	uint16_t v;
} plx_be16;
typedef struct {
	uint32_t v;
} plx_be32;
typedef struct {
	uint64_t v;
} plx_be64;

/* get: the value in the CPU's order. */
static inline uint16_t plx_le16_get(plx_le16 x)
{
	return PLX_LE16_(x.v);
}

static inline uint32_t plx_le32_get(plx_le32 x)
{
	return PLX_LE32_(x.v);
}

static inline uint64_t plx_le64_get(plx_le64 x)
{
	return PLX_LE64_(x.v);
}

static inline uint16_t plx_be16_get(plx_be16 x)
{
	return PLX_BE16_(x.v);
}

static inline uint32_t plx_be32_get(plx_be32 x)
{
	return PLX_BE32_(x.v);
}

static inline uint64_t plx_be64_get(plx_be64 x)
{
	return PLX_BE64_(x.v);
}

/* make: from a value in the CPU's order. */
static inline plx_le16 plx_le16_make(uint16_t v)
{
	plx_le16 x = {PLX_LE16_(v)};

	return x;
}

static inline plx_le32 plx_le32_make(uint32_t v)
{
	plx_le32 x = {PLX_LE32_(v)};

	return x;
}

static inline plx_le64 plx_le64_make(uint64_t v)
{
	plx_le64 x = {PLX_LE64_(v)};

	return x;
}

static inline plx_be16 plx_be16_make(uint16_t v)
{
	plx_be16 x = {PLX_BE16_(v)};

	return x;
}

static inline plx_be32 plx_be32_make(uint32_t v)
{
	plx_be32 x = {PLX_BE32_(v)};

	return x;
}

static inline plx_be64 plx_be64_make(uint64_t v)
{
	plx_be64 x = {PLX_BE64_(v)};

	return x;
}

/* read_once: one load of what a device writes, and the value in the CPU's order. */
static inline uint16_t plx_le16_read_once(const volatile plx_le16 *p)
{
	return PLX_LE16_(PLX_READ_ONCE(p->v));
}

static inline uint32_t plx_le32_read_once(const volatile plx_le32 *p)
{
	return PLX_LE32_(PLX_READ_ONCE(p->v));
}

static inline uint64_t plx_le64_read_once(const volatile plx_le64 *p)
{
	return PLX_LE64_(PLX_READ_ONCE(p->v));
}

/* write_once: one store of v, given in the CPU's order, where a device may be reading. */
static inline void plx_le16_write_once(volatile plx_le16 *p, uint16_t v)
{
	PLX_WRITE_ONCE(p->v, PLX_LE16_(v));
}

static inline void plx_le32_write_once(volatile plx_le32 *p, uint32_t v)
{
	PLX_WRITE_ONCE(p->v, PLX_LE32_(v));
}

static inline void plx_le64_write_once(volatile plx_le64 *p, uint64_t v)
{
	PLX_WRITE_ONCE(p->v, PLX_LE64_(v));
}

/* load: from any address, aligned or not. */
static inline uint16_t plx_load_le16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return PLX_LE16_(v);
}

static inline uint32_t plx_load_le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return PLX_LE32_(v);
}

static inline uint64_t plx_load_le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return PLX_LE64_(v);
}

static inline uint16_t plx_load_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return PLX_BE16_(v);
}

static inline uint32_t plx_load_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return PLX_BE32_(v);
}

static inline uint64_t plx_load_be64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return PLX_BE64_(v);
}

/* store: to any address, aligned or not. */
static inline void plx_store_le16(void *p, uint16_t v)
{
	v = PLX_LE16_(v);
	memcpy(p, &v, sizeof(v));
}

static inline void plx_store_le32(void *p, uint32_t v)
{
	v = PLX_LE32_(v);
	memcpy(p, &v, sizeof(v));
}

static inline void plx_store_le64(void *p, uint64_t v)
{
	v = PLX_LE64_(v);
	memcpy(p, &v, sizeof(v));
}

static inline void plx_store_be16(void *p, uint16_t v)
{
	v = PLX_BE16_(v);
	memcpy(p, &v, sizeof(v));
}

static inline void plx_store_be32(void *p, uint32_t v)
{
	v = PLX_BE32_(v);
	memcpy(p, &v, sizeof(v));
}

static inline void plx_store_be64(void *p, uint64_t v)
{
	v = PLX_BE64_(v);
	memcpy(p, &v, sizeof(v));
}

/* --- barriers between the CPU and a device ---------------------------------------------------- */

/*
 * Between threads use __atomic operations; these are for memory and registers that a device shares.
 * x86: ordinary (write-back) memory and uncached registers keep the order of stores with stores and
 * of loads with loads (Intel SDM volume 3, "Memory Ordering in P6 and More Recent Processor
 * Families"), so only the compiler has to be held. arm64: nothing is ordered, and the observer is
 * outside the CPUs' inner domain: the "outer shareable" forms (Arm ARM, DMB).
 */

/* The compiler moves no memory access across it; the CPU may. */
static inline void plx_compiler_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

/*
 * Stores before it are seen by a device before stores after it: descriptors in memory, then the
 * doorbell. Not enough on x86 for a write-combining mapping: plx_io_mb() is.
 */
static inline void plx_io_wmb(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb oshst" ::: "memory");
#elif defined(__x86_64__) || defined(__i386__)
	plx_compiler_barrier();
#else
	__sync_synchronize();
#endif
}

/*
 * Loads before it are done before loads after it: the "done" bit of a descriptor, then the rest of
 * the descriptor and the data.
 */
static inline void plx_io_rmb(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb oshld" ::: "memory");
#elif defined(__x86_64__) || defined(__i386__)
	plx_compiler_barrier();
#else
	__sync_synchronize();
#endif
}

/*
 * All before it, then all after it. The one order that x86 does not keep by itself is a store, then
 * a load from elsewhere: an index published, then the peer's "do not notify" flag read.
 */
static inline void plx_io_mb(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb osh" ::: "memory");
#elif defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("mfence" ::: "memory");
#else
	__sync_synchronize();
#endif
}

/* In a loop that waits for another thread or a device: leaves the core to its sibling for a bit. */
static inline void plx_pause(void)
{
#if defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#elif defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	plx_compiler_barrier();
#endif
}

/*
 * The cache line of p will be read soon. Any address will do, it is never faulted on. Forced inline:
 * gcc takes a function that only prefetches for one that does nothing, and drops its calls.
 */
static PLX_ALWAYS_INLINE void plx_prefetch(const void *p)
{
	__builtin_prefetch(p, 0, 3);
}

/* The cache line of p will be written soon. */
static PLX_ALWAYS_INLINE void plx_prefetchw(const void *p)
{
	__builtin_prefetch(p, 1, 3);
}

/* --- clocks ---------------------------------------------------------------------------------- */

/*
 * The CPU's time-stamp counter: x86 TSC, arm64 CNTVCT_EL0. It counts at plx_tsc_hz(), whatever the
 * core's frequency, and costs a few nanoseconds. It may be read a little early: nothing orders it
 * with the instructions around it.
 */
static inline uint64_t plx_tsc(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
#else
#error "plx_tsc: add this architecture's time-stamp counter"
#endif
}

/*
 * Ticks of plx_tsc() in a second, never 0. The first call of a process may take 10 ms to measure it,
 * later ones are a load. Any thread.
 */
PLX_API
uint64_t plx_tsc_hz(void);

/* CLOCK_MONOTONIC in nanoseconds. Any thread. */
PLX_API
uint64_t plx_clock_ns(void);

PLX_END_DECLS

#endif
