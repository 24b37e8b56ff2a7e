/* server/jobs.c - the threads that change zones.
 *
 * A keeper with something to do stands in the queue, once; a thread takes it out, takes all of its work, and does that
 * without the lock. When more has come meanwhile, it goes to the end of the queue. */
#include "server/jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "server/clock.h"
#include "server/update.h"
#include "zones/base/log.h"
#include "zones/base/mem.h"

/* When nothing else wakes a thread, it looks so often whether signatures are due. */
#define TICK_S 1

struct jobs {
	pthread_mutex_t lock;	 /* of all that follows, but what is set while paused */
	pthread_cond_t came;	 /* there is work, for one thread */
	pthread_cond_t ended;	 /* a job */
	struct keeper **keepers; /* sorted by name */
	size_t count;
	struct keeper *first, **last; /* the queue */
	struct keeper nowhere;	      /* requests for zones that nobody keeps */
	unsigned waiting;	      /* requests of all */
	unsigned running;
	bool is_paused, is_stopping;
	uint64_t generation; /* of the TSIG keys */
	int64_t ticked;	     /* seconds */
	const struct config *config;
	struct vault *vault;
	void (*changed)(void *arg, const uint8_t *zone);
	void *changed_arg;
	pthread_t *threads;
	unsigned thread_count;
};

/* --- the queue; under the lock --------------------------------------------------------------- */

static void append(struct jobs *j, struct keeper *k)
{
	k->is_queued = true;
	k->next = NULL;
	*j->last = k;
	j->last = &k->next;
}

static void enqueue(struct jobs *j, struct keeper *k)
{
	if (k->is_queued || k->is_busy) {
		return; /* who is busy looks again at the end */
	}
	append(j, k);
	(void)pthread_cond_signal(&j->came);
}

static struct keeper *dequeue(struct jobs *j)
{
	struct keeper *k = j->first;
	j->first = k->next;
	if (j->first == NULL) {
		j->last = &j->first;
	}
	k->is_queued = false;
	k->is_busy = true;
	return k;
}

static struct keeper_work take_work(struct jobs *j, struct keeper *k)
{
	struct keeper_work w = { .load = k->wants_load, .now = clock_now() };
	struct request **end = &w.requests;
	k->wants_load = false;
	while (k->first != NULL && w.count < KEEPER_GROUP_MAX) {
		struct request *r = k->first;
		k->first = r->next;
		r->next = NULL;
		*end = r;
		end = &r->next;
		w.count++;
	}
	if (k->first == NULL) {
		k->last = &k->first;
	}
	j->waiting -= w.count;
	w.orders = k->orders;
	k->orders = NULL;
	k->orders_last = &k->orders;
	return w;
}

static bool has_work(const struct keeper *k, int64_t now)
{
	return k->wants_load || k->first != NULL || k->orders != NULL || k->due <= now;
}

/* Once a second: whose signatures are due? */
static void tick(struct jobs *j)
{
	int64_t now = clock_now();
	if (now == j->ticked) {
		return;
	}
	j->ticked = now;
	for (size_t i = 0; i < j->count; i++) {
		if (j->keepers[i]->due <= now) {
			enqueue(j, j->keepers[i]);
		}
	}
}

/* --- a thread -------------------------------------------------------------------------------- */

struct worker_keys {
	struct tsig_ring *ring;
	uint64_t generation;
};

/* While the jobs are not paused, which they are when keys change. */
static int renew_ring(struct worker_keys *w, uint64_t generation, const struct config *config)
{
	if (w->ring != NULL && w->generation == generation) {
		return E_OK;
	}
	tsig_ring_free(w->ring);
	w->ring = NULL;
	w->generation = generation;
	return tsig_ring_new(config->tsig_keys, config->tsig_key_count, &w->ring);
}

static void fail_orders(struct order *o, const char *why)
{
	while (o != NULL) {
		struct order *next = o->next;
		o->err = err_set(&o->em, E_NOENT, "%s", why);
		o->done(o);
		o = next;
	}
}

static void drop(const struct keeper_work *work)
{
	struct request *r = work->requests;
	while (r != NULL) {
		struct request *next = r->next;
		request_answer(r);
		r = next;
	}
	fail_orders(work->orders, "it was not done: the server stops, or the zone is gone");
}

static void run_one(struct jobs *j, struct keeper *k, struct worker_keys *keys)
{
	struct keeper_work work = take_work(j, k);
	const uint64_t generation = j->generation;
	int64_t due = k->due;
	j->running++;
	(void)pthread_mutex_unlock(&j->lock);
	const int err = renew_ring(keys, generation, j->config);
	const struct keeper_env env = { .config = j->config,
					.vault = j->vault,
					.ring = keys->ring,
					.changed = j->changed,
					.changed_arg = j->changed_arg };
	if (err != E_OK) {
		log_error("job-failed", "reason=\"TSIG keys cannot be prepared\"");
		drop(&work);
	} else if (k == &j->nowhere) {
		keeper_answer(&env, &work, RCODE_NOTAUTH);
	} else {
		due = keeper_run(k, &env, &work);
	}
	(void)pthread_mutex_lock(&j->lock);
	j->running--;
	k->due = due;
	k->is_busy = false;
	if (has_work(k, work.now)) {
		const bool is_next = j->first == NULL;
		append(j, k);
		if (!is_next) { /* else this thread takes it: nobody need wake up for it */
			(void)pthread_cond_signal(&j->came);
		}
	}
	(void)pthread_cond_broadcast(&j->ended);
}

static void *thread_main(void *arg)
{
	struct jobs *j = arg;
	struct worker_keys keys = { NULL, 0 };
	(void)pthread_mutex_lock(&j->lock);
	while (!j->is_stopping) {
		if (!j->is_paused) {
			tick(j);
		}
		if (!j->is_paused && j->first != NULL) {
			run_one(j, dequeue(j), &keys);
			continue;
		}
		struct timespec until;
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += TICK_S;
		(void)pthread_cond_timedwait(&j->came, &j->lock, &until);
	}
	(void)pthread_mutex_unlock(&j->lock);
	tsig_ring_free(keys.ring);
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

int jobs_new(unsigned threads, struct vault *vault, struct jobs **out, struct errmsg *em)
{
	struct jobs *j = mem_zalloc(sizeof(*j));
	(void)pthread_mutex_init(&j->lock, NULL);
	(void)pthread_cond_init(&j->came, NULL);
	(void)pthread_cond_init(&j->ended, NULL);
	j->last = &j->first;
	j->nowhere.last = &j->nowhere.first;
	j->nowhere.orders_last = &j->nowhere.orders;
	j->nowhere.due = INT64_MAX;
	j->is_paused = true;
	j->vault = vault;
	j->threads = mem_array(threads, sizeof(*j->threads));
	while (j->thread_count < threads) {
		if (pthread_create(&j->threads[j->thread_count], NULL, thread_main, j) != 0) {
			jobs_stop(j);
			jobs_free(j);
			return err_set(em, E_LIMIT,
				       "cannot start %u threads for jobs; is there a limit on "
				       "threads? lower server.jobs",
				       threads);
		}
		j->thread_count++;
	}
	*out = j;
	return E_OK;
}

void jobs_tell(struct jobs *j, void (*changed)(void *arg, const uint8_t *zone), void *arg)
{
	j->changed = changed;
	j->changed_arg = arg;
}

void jobs_pause(struct jobs *j)
{
	(void)pthread_mutex_lock(&j->lock);
	j->is_paused = true;
	while (j->running != 0) {
		(void)pthread_cond_wait(&j->ended, &j->lock);
	}
	(void)pthread_mutex_unlock(&j->lock);
}

void jobs_resume(struct jobs *j)
{
	(void)pthread_mutex_lock(&j->lock);
	j->is_paused = false;
	(void)pthread_cond_broadcast(&j->came);
	(void)pthread_mutex_unlock(&j->lock);
}

void jobs_wait(struct jobs *j)
{
	(void)pthread_mutex_lock(&j->lock);
	while (j->first != NULL || j->running != 0) {
		(void)pthread_cond_wait(&j->ended, &j->lock);
	}
	(void)pthread_mutex_unlock(&j->lock);
}

/* Takes all that waits for @k: requests are answered without a word. */
static void drop_waiting(struct jobs *j, struct keeper *k)
{
	while (k->first != NULL || k->orders != NULL) {
		const struct keeper_work w = take_work(j, k);
		drop(&w);
	}
}

void jobs_stop(struct jobs *j)
{
	jobs_pause(j);
	(void)pthread_mutex_lock(&j->lock);
	j->is_stopping = true;
	(void)pthread_cond_broadcast(&j->came);
	drop_waiting(j, &j->nowhere);
	for (size_t i = 0; i < j->count; i++) {
		drop_waiting(j, j->keepers[i]);
	}
	(void)pthread_mutex_unlock(&j->lock);
	for (unsigned i = 0; i < j->thread_count; i++) {
		(void)pthread_join(j->threads[i], NULL);
	}
	j->thread_count = 0;
}

void jobs_free(struct jobs *j)
{
	if (j == NULL) {
		return;
	}
	for (size_t i = 0; i < j->count; i++) {
		keeper_free(j->keepers[i]);
	}
	(void)pthread_mutex_destroy(&j->lock);
	(void)pthread_cond_destroy(&j->came);
	(void)pthread_cond_destroy(&j->ended);
	mem_free(j->keepers);
	mem_free(j->threads);
	mem_free(j);
}

/* --- the zones ------------------------------------------------------------------------------- */

static int compare_keepers(const void *a, const void *b)
{
	const struct keeper *x = *(struct keeper *const *)a;
	const struct keeper *y = *(struct keeper *const *)b;
	return dname_compare(x->zone->apex, y->zone->apex);
}

static int compare_name(const void *name, const void *item)
{
	const struct keeper *x = *(struct keeper *const *)item;
	return dname_compare(name, x->zone->apex);
}

static struct keeper *find(const struct jobs *j, const uint8_t *name)
{
	struct keeper **at = j->count != 0 ? bsearch(name, j->keepers, j->count,
						     sizeof(struct keeper *), compare_name)
					   : NULL;
	return at != NULL ? *at : NULL;
}

void jobs_set(struct jobs *j, const struct config *config, const struct zoneset *zones)
{
	struct keeper **keepers = mem_array(config->zone_count, sizeof(struct keeper *));
	size_t count = 0;
	for (size_t i = 0; i < config->zone_count; i++) {
		const struct config_zone *c = &config->zones[i];
		if (!config_zone_is_kept(c)) {
			continue;
		}
		struct zone *zone = zoneset_get(zones, c->name);
		struct keeper *k = find(j, c->name);
		if (k != NULL && k->zone == zone) {
			keeper_set_config(k, c);
			k->is_kept = true;
		} else {
			k = keeper_new(zone, c);
		}
		keepers[count++] = k;
	}
	(void)pthread_mutex_lock(&j->lock);
	j->first = NULL;
	j->last = &j->first;
	for (size_t i = 0; i < j->count; i++) {
		struct keeper *k = j->keepers[i];
		k->is_queued = false;
		if (!k->is_kept) {
			drop_waiting(j, k);
			keeper_free(k);
		} else {
			k->is_kept = false;
		}
	}
	mem_free(j->keepers);
	qsort(keepers, count, sizeof(struct keeper *), compare_keepers);
	j->keepers = keepers;
	j->count = count;
	j->config = config;
	j->generation++;
	j->nowhere.is_queued = false;
	for (size_t i = 0; i < count; i++) {
		if (has_work(keepers[i], 0)) {
			enqueue(j, keepers[i]);
		}
	}
	if (j->nowhere.first != NULL) {
		enqueue(j, &j->nowhere);
	}
	(void)pthread_mutex_unlock(&j->lock);
}

void jobs_load(struct jobs *j, const struct zone *zone)
{
	(void)pthread_mutex_lock(&j->lock);
	struct keeper *k = find(j, zone->apex);
	if (k != NULL) {
		k->wants_load = true;
		enqueue(j, k);
	}
	(void)pthread_mutex_unlock(&j->lock);
}

bool jobs_look(struct jobs *j, const struct zone *zone, struct board_notes *out)
{
	(void)pthread_mutex_lock(&j->lock);
	struct keeper *k = find(j, zone->apex);
	if (k != NULL) {
		board_read(&k->board, out);
		out->is_waiting = k->is_queued;
	}
	(void)pthread_mutex_unlock(&j->lock);
	return k != NULL;
}

void jobs_order(struct jobs *j, const struct zone *zone, struct order *o)
{
	(void)pthread_mutex_lock(&j->lock);
	struct keeper *k = j->is_stopping ? NULL : find(j, zone->apex);
	o->next = NULL;
	if (k != NULL) {
		*k->orders_last = o;
		k->orders_last = &o->next;
		enqueue(j, k);
	}
	(void)pthread_mutex_unlock(&j->lock);
	if (k == NULL) {
		fail_orders(o, "it was not done: the server stops, or does not keep the zone");
	}
}

void jobs_submit(void *jobs, struct request *r)
{
	struct jobs *j = jobs;
	const uint8_t *zone = update_zone(r);
	(void)pthread_mutex_lock(&j->lock);
	struct keeper *k = zone != NULL ? find(j, zone) : NULL;
	k = k != NULL ? k : &j->nowhere;
	if (j->waiting >= REQUESTS_MAX || j->is_stopping) {
		(void)pthread_mutex_unlock(&j->lock);
		request_answer(r); /* silence: the client tries again */
		return;
	}
	j->waiting++;
	r->next = NULL;
	*k->last = r;
	k->last = &r->next;
	enqueue(j, k);
	(void)pthread_mutex_unlock(&j->lock);
}
