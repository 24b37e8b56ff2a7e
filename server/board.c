/* server/board.c - what a keeper tells of itself while it works. */
#include "server/board.h"

#include <string.h>

void board_init(struct board *b)
{
	(void)pthread_mutex_init(&b->lock, NULL);
	b->notes = (struct board_notes){ 0 };
	b->notes.end.retry = b->notes.end.due = b->notes.end.key_event = INT64_MAX;
}

void board_destroy(struct board *b)
{
	(void)pthread_mutex_destroy(&b->lock);
}

void board_begin(struct board *b, const char *job, int64_t now)
{
	(void)pthread_mutex_lock(&b->lock);
	b->notes.job = job;
	b->notes.since = now;
	(void)pthread_mutex_unlock(&b->lock);
}

void board_fail(struct board *b, const char *job, const struct errmsg *why)
{
	(void)pthread_mutex_lock(&b->lock);
	b->notes.failed = job;
	b->notes.failed_at = b->notes.since;
	b->notes.reason = *why;
	(void)pthread_mutex_unlock(&b->lock);
}

void board_succeed(struct board *b, const char *job)
{
	(void)pthread_mutex_lock(&b->lock);
	if (b->notes.failed != NULL && strcmp(b->notes.failed, job) == 0) {
		b->notes.failed = NULL;
	}
	(void)pthread_mutex_unlock(&b->lock);
}

void board_loaded(struct board *b, int64_t now)
{
	(void)pthread_mutex_lock(&b->lock);
	b->notes.loaded_at = now;
	(void)pthread_mutex_unlock(&b->lock);
}

void board_keys(struct board *b, const struct holder *h)
{
	(void)pthread_mutex_lock(&b->lock);
	const size_t there = h != NULL ? holder_count(h) : 0;
	b->notes.key_count = there < SIGN_KEYS_MAX ? there : SIGN_KEYS_MAX;
	for (size_t i = 0; i < b->notes.key_count; i++) {
		struct board_key *to = &b->notes.keys[i];
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
	b->notes.job = NULL;
	b->notes.end = *end;
	(void)pthread_mutex_unlock(&b->lock);
}

void board_read(struct board *b, struct board_notes *out)
{
	(void)pthread_mutex_lock(&b->lock);
	*out = b->notes;
	(void)pthread_mutex_unlock(&b->lock);
}
