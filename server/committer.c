/* server/committer.c - makes changes durable: those of many zones with one write. */
#include "server/committer.h"

#include <pthread.h>

#include "zones/base/mem.h"

struct committer {
	struct journal *journal;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t written;
	struct commit *first, **last; /* that wait */
	bool is_writing;
};

/* Puts one commit into the transaction. */
static int put(struct journal_txn *t, struct commit *c, struct errmsg *em)
{
	struct journal_zone zone;
	if (c->is_reset) {
		journal_reset(t, c->apex, c->snapshot_seq);
	}
	if (c->snapshot_seq != 0) {
		journal_snapshot_made(t, c->apex, c->snapshot_seq);
		if (c->snapshot != NULL) {
			journal_snapshot_put(t, c->apex, c->snapshot->data, c->snapshot->len);
		}
	}
	if (c->diff != NULL) {
		(void)journal_append(t, c->apex, &c->entry, c->diff, &c->seq);
	}
	if (c->zone != NULL) {
		journal_zone_put(t, c->apex, c->zone);
	}
	if (c->history_octets != 0 || c->history_from != 0) {
		journal_trim(t, c->apex, c->history_octets != 0 ? c->history_octets : UINT64_MAX,
			     c->history_from != 0 ? c->history_from : INT64_MIN);
	}
	int err = journal_error(t, em);
	if (err == E_OK) {
		err = journal_zone_get(t, c->apex, &zone);
		c->needed_octets = zone.needed_octets;
		err = err == E_NOENT ? E_OK : err;
	}
	return err;
}

/* Writes @list as one transaction. */
static int write_all(struct committer *c, struct commit *list, struct errmsg *em)
{
	struct journal_txn *t = NULL;
	int err = journal_begin(c->journal, STORE_WRITE, &t, em);
	if (err != E_OK) {
		return err;
	}
	for (struct commit *i = list; i != NULL && err == E_OK; i = i->next) {
		err = put(t, i, em);
	}
	if (err != E_OK) {
		journal_abort(t);
		return err;
	}
	return journal_commit(t, em);
}

/* One at a time, so that one that cannot be written does not take the others with it. */
static void write_each(struct committer *c, struct commit *list)
{
	struct commit *next;
	for (struct commit *i = list; i != NULL; i = next) {
		next = i->next;
		i->next = NULL;
		i->err = write_all(c, i, &i->em);
		i->next = next;
	}
}

/* Takes what waits, writes it, and wakes who handed it in. Called and left with the lock held. */
static void write_waiting(struct committer *c)
{
	struct commit *list = c->first;
	struct errmsg em = { "" };
	c->first = NULL;
	c->last = &c->first;
	c->is_writing = true;
	(void)pthread_mutex_unlock(&c->lock);
	int err = write_all(c, list, &em);
	if (err != E_OK && list->next != NULL) {
		write_each(c, list);
	} else if (err != E_OK) {
		list->err = err;
		list->em = em;
	}
	(void)pthread_mutex_lock(&c->lock);
	c->is_writing = false;
	while (list != NULL) {
		struct commit *next = list->next; /* who is woken takes its memory away */
		list->is_done = true;
		list = next;
	}
	(void)pthread_cond_broadcast(&c->written);
}

struct committer *committer_new(struct journal *journal)
{
	struct committer *c = mem_zalloc(sizeof(*c));
	c->journal = journal;
	c->last = &c->first;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->written, NULL);
	return c;
}

void committer_free(struct committer *c)
{
	if (c != NULL) {
		(void)pthread_mutex_destroy(&c->lock);
		(void)pthread_cond_destroy(&c->written);
		mem_free(c);
	}
}

int committer_write(struct committer *c, struct commit *commit, struct errmsg *em)
{
	commit->next = NULL;
	commit->is_done = false;
	commit->err = E_OK;
	commit->em.text[0] = '\0';
	(void)pthread_mutex_lock(&c->lock);
	*c->last = commit;
	c->last = &commit->next;
	while (!commit->is_done) {
		if (c->is_writing) {
			(void)pthread_cond_wait(&c->written, &c->lock);
		} else {
			write_waiting(c);
		}
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (commit->err != E_OK && em != NULL) {
		*em = commit->em;
	}
	return commit->err;
}
