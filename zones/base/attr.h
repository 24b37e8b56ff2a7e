/* zones/base/attr.h - compiler attributes and small helpers that every file may use. */
#ifndef ZONES_BASE_ATTR_H
#define ZONES_BASE_ATTR_H

#include <stddef.h>
#include <stdint.h>

/* A constant that stress builds (MODE=stress) make @small, so that what happens at its edge happens all
 * the time. */
#ifdef SIGNET_STRESS
# define STRESSED(normal, small) (small)
#else
# define STRESSED(normal, small) (normal)
#endif

/* clang-format off */
#define MUST_USE      __attribute__((warn_unused_result))
#define NONNULL(...)  __attribute__((nonnull(__VA_ARGS__)))
#define PRINTF(a, b)  __attribute__((format(printf, a, b)))
#define UNUSED        __attribute__((unused))
#define NORETURN      __attribute__((noreturn))
#define LIKELY(x)     __builtin_expect(!!(x), 1)
#define UNLIKELY(x)   __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
/* The struct of @type whose member @member is at @ptr. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
/* clang-format on */

#endif
