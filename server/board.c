/* server/board.c - what a keeper tells of itself while it works. */
#include "server/board.h"

#include <string.h>

#include "zones/base/mem.h"

void board_init(struct board *b)
{
	(void)pthread_mutex_init(&b->lock, NULL);
	b->facts = (struct board_facts){ 0 };
	b->facts.end.retry = b->facts.end.due = b->facts.end.key_event = INT64_MAX;
	b->reason = NULL;
	b->keys = NULL;
	b->key_count = 0;
}

void board_destroy(struct board *b)
{
	(void)pthread_mutex_destroy(&b->lock);
	mem_free(b->reason);
	mem_free(b->keys);
}

void board_begin(struct board *b, const char *job, int64_t now)
{
	(void)pthread_mutex_lock(&b->lock);
	b->facts.job = job;
	b->facts.since = now;
	(void)pthread_mutex_unlock(&b->lock);
}

void board_fail(struct board *b, const char *job, const struct errmsg *why)
{
	(void)pthread_mutex_lock(&b->lock);
	b->facts.failed = job;
	b->facts.failed_at = b->facts.since;
	mem_free(b->reason);
	b->reason = mem_dup(why, sizeof(*why));
	(void)pthread_mutex_unlock(&b->lock);
}

void board_succeed(struct board *b, const char *job)
{
	(void)pthread_mutex_lock(&b->lock);
	if (b->facts.failed != NULL && strcmp(b->facts.failed, job) == 0) {
		b->facts.failed = NULL;
		mem_free(b->reason);
		b->reason = NULL;
	}
	(void)pthread_mutex_unlock(&b->lock);
}

void board_loaded(struct board *b, int64_t now)
{
	(void)pthread_mutex_lock(&b->lock);
	b->facts.loaded_at = now;
	(void)pthread_mutex_unlock(&b->lock);
}

void board_keys(struct board *b, const struct holder *h)
{
	(void)pthread_mutex_lock(&b->lock);
	const size_t there = h != NULL ? holder_count(h) : 0;
	b->key_count = there < SIGN_KEYS_MAX ? there : SIGN_KEYS_MAX;
	mem_free(b->keys);
	b->keys = b->key_count != 0 ? mem_array(b->key_count, sizeof(*b->keys)) : NULL;
	for (size_t i = 0; i < b->key_count; i++) {
		struct board_key *to = &b->keys[i];
		to->key = *holder_key(h, i);
		to->key.pair = NULL;
		to->key.path = to->key.extra = NULL;
		to->can_sign = holder_can_sign(h, i);
	}
	(void)pthread_mutex_unlock(&b->lock);
}

void board_end(struct board *b, const struct board_end *end)
{
	(void)pthread_mutex_lock(&b->lock);
	b->facts.job = NULL;
	b->facts.end = *end;
	(void)pthread_mutex_unlock(&b->lock);
}

void board_read(struct board *b, struct board_notes *out)
{
	(void)pthread_mutex_lock(&b->lock);
	*out = (struct board_notes){ .facts = b->facts, .key_count = b->key_count };
	if (b->reason != NULL) {
		out->reason = *b->reason;
	}
	if (b->key_count != 0) {
		memcpy(out->keys, b->keys, b->key_count * sizeof(*b->keys));
	}
	(void)pthread_mutex_unlock(&b->lock);
}
