/* zones/base/mem.c - heap allocation that does not fail, and secrets that are wiped. */
#include "zones/base/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((uintptr_t)2 << 20)

static NORETURN void out_of_memory(size_t size)
{
	(void)fprintf(stderr, "signet: out of memory (asked for %zu octets)\n", size);
	abort();
}

/* A block that holds several huge pages asks for them: the first touch of each small page of a zone file of 266 MB, and of
 * what is made of it, was a third of the time that signing it again takes. A wish; nothing depends on it. */
static void *large(void *p, size_t size)
{
	const uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	const uintptr_t end = ((uintptr_t)p + size) & ~(HUGE_PAGE - 1);
	if (size >= 4 * HUGE_PAGE) {
		(void)madvise((void *)from, end - from, MADV_HUGEPAGE);
	}
	return p;
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size != 0 ? size : 1);
	if (p == NULL) {
		out_of_memory(size);
	}
	return large(p, size);
}

void *mem_zalloc(size_t size)
{
	return mem_array(1, size);
}

/* The product, at least 1, as malloc(0) may be NULL. */
static size_t total_of(size_t count, size_t size)
{
	size_t total = 0;
	if (__builtin_mul_overflow(count, size, &total)) {
		out_of_memory(SIZE_MAX);
	}
	return total != 0 ? total : 1;
}

void *mem_array(size_t count, size_t size)
{
	size_t total = total_of(count, size);
	void *p = calloc(1, total);
	if (p == NULL) {
		out_of_memory(total);
	}
	return large(p, total);
}

void *mem_realloc(void *ptr, size_t count, size_t size)
{
	size_t total = total_of(count, size);
	void *p = realloc(ptr, total);
	if (p == NULL) {
		out_of_memory(total);
	}
	return large(p, total);
}

void *mem_dup(const void *src, size_t len)
{
	void *p = mem_alloc(len);
	if (len != 0) {
		memcpy(p, src, len);
	}
	return p;
}

char *mem_str(const char *s, size_t len)
{
	char *p = mem_alloc(len + 1);
	if (len != 0) {
		memcpy(p, s, len);
	}
	p[len] = '\0';
	return p;
}

void mem_free(void *ptr)
{
	free(ptr);
}

void mem_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void secret_set(struct secret *s, const void *data, size_t len)
{
	uint8_t *copy = mem_dup(data, len);
	secret_clear(s);
	s->data = copy;
	s->len = len;
}

void secret_clear(struct secret *s)
{
	if (s->data != NULL) {
		mem_wipe(s->data, s->len);
		mem_free(s->data);
	}
	s->data = NULL;
	s->len = 0;
}

bool secret_equal(const void *a, size_t alen, const void *b, size_t blen)
{
	if (alen != blen) {
		return false;
	}
	const volatile uint8_t *x = a;
	const volatile uint8_t *y = b;
	unsigned diff = 0;
	for (size_t i = 0; i < alen; i++) {
		diff |= (unsigned)(x[i] ^ y[i]);
	}
	return diff == 0;
}

void mem_wipe(void *ptr, size_t len)
{
	if (len != 0) {
		explicit_bzero(ptr, len);
	}
}
