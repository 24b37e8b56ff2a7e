/* server/publish.c - the pipeline by which a zone changes. */
#include "server/publish.h"

#include "zones/base/log.h"

static int sign(struct publish *p, struct errmsg *em)
{
	if (p->holder == NULL) {
		return sign_bump_serial(p->edit, p->policy->serial, p->policy->now);
	}
	if (p->base == NULL) {
		return sign_zone(p->edit, p->holder, p->policy, &p->signed_, em);
	}
	return sign_change(p->edit, p->base, p->due, p->due_count, p->holder, p->policy,
			   &p->signed_, em);
}

static int verify(const struct publish *p, struct errmsg *em)
{
	const struct verify_options opt = { .now = p->policy->now,
					    .threads = p->policy->threads,
					    .holder = p->holder,
					    .memory = p->memory };
	const struct version *v = edit_state(p->edit);
	struct verify_stats stats;
	struct findings f = { 0 };
	if (p->holder == NULL) {
		return E_OK;
	}
	int err = p->base == NULL ? verify_version(v, &opt, &stats, &f)
				  : verify_change(p->base, v, &opt, &stats, &f);
	if (err != E_OK) {
		err_set(em, err, "what was signed does not validate, and is not served: %s",
			findings_first_error(&f, err_text(err)));
	} else if (stats.first_expiration < p->valid_until) {
		err = err_set(em, E_CHECK,
			      "a signature would expire while secondaries still serve it; make "
			      "policies.validity longer than the SOA's expire and the TTLs");
	}
	findings_clear(&f);
	return err;
}

static int keep(const struct publish *p, struct errmsg *em)
{
	const struct version *v = edit_state(p->edit);
	const struct vault_change change = { .apex = edit_apex(p->edit),
					     .base = p->base,
					     .next = v,
					     .source = p->source,
					     .is_zone_new = p->is_kept_new,
					     .is_anew = p->is_anew,
					     .from = p->from,
					     .now = p->policy->now,
					     .history_octets = p->history_octets,
					     .history_from = p->history_from };
	if (p->base == NULL) {
		return vault_begin(p->vault, change.apex, v, p->source, p->kept, em);
	}
	return vault_write(p->vault, &change, p->kept, em);
}

int publish_run(struct publish *p, struct version **old, struct errmsg *em)
{
	*old = NULL;
	int err = edit_error(p->edit, em);
	if (err == E_OK) {
		err = sign(p, em);
	}
	if (err == E_OK) {
		err = verify(p, em);
	}
	if (err == E_OK && p->vault != NULL) {
		err = keep(p, em);
	}
	if (err != E_OK) {
		edit_abort(p->edit);
		return err;
	}
	struct version *next = edit_commit(p->edit);
	*old = zone_publish(p->zone, next);
	if (p->changed != NULL) {
		p->changed(p->changed_arg, p->zone->apex);
	}
	return E_OK;
}
