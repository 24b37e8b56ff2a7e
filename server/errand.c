/* server/errand.c - a command whose work jobs do. */
#include "server/errand.h"
#include "server/producer.h"

#include "zones/base/mem.h"

struct part {
	struct order order;
	struct errand *errand;
	char zone[DNAME_TEXT_MAX];
};

struct errand {
	struct loop *loop; /* borrowed */
	struct control_request *request;
	bool is_one;
	size_t count; /* parts */
	size_t left;  /* that are not back yet */
	size_t failed;
	struct part parts[];
};

static enum control_status status_of(const struct order *o)
{
	return o->is_misuse ? CONTROL_MISUSE : o->err != E_OK ? CONTROL_FAILED : CONTROL_DONE;
}

static void finish(struct errand *e)
{
	struct control_request *r = e->request;
	const struct order *first = &e->parts[0].order;
	if (e->is_one) {
		control_reply(r, status_of(first), "%s",
			      first->err == E_OK || first->em.text[0] != '\0'
				      ? first->em.text
				      : err_text(first->err));
		mem_free(e);
		return;
	}
	report_number(r->report, "zones", e->count);
	report_number(r->report, "failed", e->failed);
	report_list(r->report, "failures");
	for (size_t i = 0; i < e->count; i++) {
		const struct part *p = &e->parts[i];
		if (p->order.err != E_OK) {
			report_item(r->report);
			report_text(r->report, "zone", p->zone);
			report_text(r->report, "reason", p->order.em.text);
		}
	}
	report_list_end(r->report);
	control_reply(r, e->failed == 0 ? CONTROL_DONE : CONTROL_FAILED, "%s",
		      e->failed == 0 ? "" : "it did not go well for all zones");
	mem_free(e);
}

/* The control thread. */
static void come_back(void *arg)
{
	struct part *p = arg;
	struct errand *e = p->errand;
	e->failed += p->order.err != E_OK;
	if (!e->is_one) {
		report_free(p->order.report);
	}
	if (--e->left == 0) {
		finish(e);
	}
}

/* The thread of the job. */
static void post_back(struct order *o)
{
	struct part *p = o->arg;
	loop_post(p->errand->loop, come_back, p);
}

static struct errand *errand_new(struct daemon *d, struct control_request *r, size_t count)
{
	struct errand *e = mem_zalloc(sizeof(*e) + count * sizeof(struct part));
	e->loop = daemon_loop(d);
	e->request = r;
	return e;
}

static void send_out(struct daemon *d, struct errand *e, const struct load_zone *z, order_fn *run,
		     struct report *report)
{
	struct part *p = &e->parts[e->count++];
	const struct control_request *r = e->request;
	struct errmsg em;
	p->errand = e;
	p->order = (struct order){ .run = run, .report = report, .done = post_back, .arg = p };
	if (r->count > 2) {
		p->order.words = &r->words[2];
		p->order.count = r->count - 2;
	}
	(void)dname_to_text(z->zone->apex, p->zone);
	e->left++;
	int err = daemon_order(d, z, &p->order, &em);
	if (err != E_OK) {
		p->order.err = err;
		p->order.em = em;
		post_back(&p->order);
	}
}

void errand_one(struct daemon *d, struct control_request *r, const struct load_zone *z,
		order_fn *run)
{
	struct errand *e = errand_new(d, r, 1);
	e->is_one = true;
	send_out(d, e, z, run, r->report);
}

static bool is_meant(const struct load_zone *z, bool only_own)
{
	return z->is_kept && !(only_own && (config_zone_is_secondary(z->config) ||
					    config_zone_is_produced(z->config)));
}

void errand_all(struct daemon *d, struct control_request *r, order_fn *run, bool only_own)
{
	const struct daemon_state s = daemon_look(d);
	size_t count = 0;
	for (size_t i = 0; i < s.zone_count; i++) {
		count += is_meant(&s.zones[i], only_own);
	}
	struct errand *e = errand_new(d, r, count);
	for (size_t i = 0; i < s.zone_count; i++) {
		if (is_meant(&s.zones[i], only_own)) {
			send_out(d, e, &s.zones[i], run, report_new());
		}
	}
	if (e->count == 0) {
		finish(e);
	}
}
