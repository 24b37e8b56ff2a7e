/* server/orders_history.c - orders that look at the journal of a zone, or go back in it. */
#include <string.h>

#include "server/history.h"
#include "server/keeper_run.h"
#include "server/orders.h"
#include "server/zone_text.h"
#include "zones/base/log.h"
#include "zones/dns/soa.h"

/* Entries that are listed where nobody says how many. */
#define LISTED_DEFAULT 100
#define LISTED_MAX     100000

static struct history history_of(const struct keeper *k, const struct keeper_env *env)
{
	return (struct history){ env->vault, k->config->name, k->zone->current->serial };
}

/* --- journal --------------------------------------------------------------------------------- */

static int list_entry(void *arg, const struct journal_entry *e, const struct diff *d UNUSED)
{
	struct report *r = arg;
	report_item(r);
	report_number(r, "from", e->serial_from);
	report_number(r, "to", e->serial_to);
	report_time(r, "time", e->time);
	report_text(r, "source", journal_source_text(e->source));
	report_number(r, "removed", e->removed);
	report_number(r, "added", e->added);
	report_number(r, "octets", e->octets);
	return E_OK;
}

int order_journal(struct keeper *k, const struct keeper_env *env, int64_t now UNUSED,
		  struct order *o)
{
	uint32_t most = LISTED_DEFAULT;
	struct journal_zone zone;
	int err = order_check_open(k, env, o);
	if (err == E_OK && o->count != 0) {
		err = order_read_number(o, 0, "how many entries to list", LISTED_MAX, &most);
	}
	if (err != E_OK) {
		return err;
	}
	const struct history h = history_of(k, env);
	report_list(o->report, "entries");
	err = history_newest(&h, most, list_entry, o->report, &zone, &o->em);
	report_list_end(o->report);
	if (err == E_OK) {
		report_number(o->report, "count", zone.last_seq + 1 - zone.first_seq);
		report_number(o->report, "octets", zone.octets);
	}
	return err;
}

/* --- diff ------------------------------------------------------------------------------------ */

/* What IXFR sends (RFC 1995 §4): each change by itself, and the newest SOA around all. */
struct ixfr {
	struct buf changes;
	struct buf soa;
};

static void print_part(const struct diff_part *part, struct buf *out)
{
	const uint8_t *p = (const uint8_t *)part->octets.data;
	for (uint32_t i = 0; i < part->count; i++) {
		struct diff_rr rr;
		p = diff_rr_next(p, &rr);
		diff_rr_print(&rr, out);
		buf_char(out, '\n');
	}
}

static int add_change(void *arg, const struct journal_entry *e UNUSED, const struct diff *d)
{
	struct ixfr *x = arg;
	struct diff_rr rr;
	print_part(&d->removed, &x->changes);
	print_part(&d->added, &x->changes);
	if (d->added.count != 0) {
		(void)diff_rr_next((const uint8_t *)d->added.octets.data, &rr);
		buf_reset(&x->soa);
		diff_rr_print(&rr, &x->soa);
		buf_char(&x->soa, '\n');
	}
	return E_OK;
}

static int print_ixfr(const struct history *h, uint32_t from, uint32_t to, struct buf *out,
		      struct errmsg *em)
{
	struct ixfr x = { 0 };
	int err = history_each(h, from, to, add_change, &x, em);
	if (err == E_OK) {
		buf_add(out, x.soa.data, x.soa.len);
		buf_add(out, x.changes.data, x.changes.len);
		buf_add(out, x.soa.data, x.soa.len);
	}
	buf_clear(&x.changes);
	buf_clear(&x.soa);
	return err;
}

static int print_diff(const struct history *h, uint32_t from, uint32_t to, struct buf *out,
		      struct errmsg *em)
{
	struct diff d = { 0 };
	int err = history_diff(h, from, to, &d, em);
	if (err == E_OK) {
		diff_print(&d, out);
	}
	diff_clear(&d);
	return err;
}

int order_diff(struct keeper *k, const struct keeper_env *env, int64_t now UNUSED, struct order *o)
{
	int err = order_check_open(k, env, o);
	if (err != E_OK) {
		return err;
	}
	const struct history h = history_of(k, env);
	const bool is_ixfr = strcmp(o->words[o->count - 1], "-ixfr") == 0;
	const size_t serials = o->count - is_ixfr;
	struct buf text = { 0 };
	uint32_t from = 0;
	uint32_t to = h.serial;
	if (serials == 0 || serials > 2) {
		o->is_misuse = true;
		return err_set(&o->em, E_SYNTAX, "expected: diff ZONE FROM [TO] [-ixfr]");
	}
	err = order_read_number(o, 0, "a serial", UINT32_MAX, &from);
	if (err == E_OK && serials == 2) {
		err = order_read_number(o, 1, "a serial", UINT32_MAX, &to);
	}
	if (err == E_OK) {
		err = (is_ixfr ? print_ixfr : print_diff)(&h, from, to, &text, &o->em);
	}
	if (err == E_OK) {
		report_number(o->report, "from", from);
		report_number(o->report, "to", to);
		report_lines(o->report, "changes", text.len != 0 ? text.data : "");
	}
	buf_clear(&text);
	return err;
}

/* --- rollback -------------------------------------------------------------------------------- */

/* Is the record the operator's or an update's, and not one that the server makes anew in any case? */
static bool goes_back(const struct keeper *k, uint16_t type)
{
	const bool is_signed = k->config->policy != NULL;
	return !keeper_makes(k, type) && type != RRTYPE_SOA &&
	       !(is_signed &&
		 (type == RRTYPE_DNSKEY || type == RRTYPE_CDS || type == RRTYPE_CDNSKEY)) &&
	       !(type == RRTYPE_ZONEMD && is_signed &&
		 k->config->policy->zonemd != CONFIG_ZONEMD_NO);
}

/* The SOA of back then, with the serial of now. */
static int put_soa_back(struct edit *e, const struct version *base, const struct diff_rr *then)
{
	struct rr now;
	uint8_t rdata[SOA_RDATA_MAX];
	(void)rr_read(rrset_data(base->soa), &now);
	if (then->rdlen > sizeof(rdata)) {
		return E_INVAL;
	}
	memcpy(rdata, then->rdata, then->rdlen);
	soa_serial_put(rdata, then->rdlen, base->serial);
	int err = edit_remove(e, base->apex.wire, RRTYPE_SOA, now.rdata, now.rdlen);
	return err == E_OK ? edit_add(e, base->apex.wire, RRTYPE_SOA, then->ttl, rdata, then->rdlen)
			   : err;
}

/* Takes back in @e what @d, which leads to what is served, has done. */
static int take_back(struct keeper *k, const struct diff *d, struct edit *e)
{
	struct diff_rr rr;
	const uint8_t *p = (const uint8_t *)d->added.octets.data;
	int err = E_OK;
	for (uint32_t i = 0; i < d->added.count && err == E_OK; i++) {
		p = diff_rr_next(p, &rr);
		if (goes_back(k, rr.type)) {
			err = edit_remove(e, rr.owner, rr.type, rr.rdata, rr.rdlen);
		}
	}
	p = (const uint8_t *)d->removed.octets.data;
	for (uint32_t i = 0; i < d->removed.count && err == E_OK; i++) {
		p = diff_rr_next(p, &rr);
		if (rr.type == RRTYPE_SOA) {
			err = put_soa_back(e, k->zone->current, &rr);
		} else if (goes_back(k, rr.type)) {
			k->max_ttl = rr.ttl > k->max_ttl ? rr.ttl : k->max_ttl;
			err = edit_add(e, rr.owner, rr.type, rr.ttl, rr.rdata, rr.rdlen);
		}
	}
	return err;
}

/* Publishes @e (taken). */
static int publish(struct keeper *k, const struct keeper_env *env, int64_t now, struct edit *e,
		   struct order *o)
{
	struct version *old = NULL;
	struct sign_policy policy = keeper_policy(k, edit_state(e), now);
	struct publish p = keeper_publish(k, env, e, &policy, JOURNAL_ROLLBACK);
	int err = publish_run(&p, &old, &o->em);
	if (err == E_OK && k->holder != NULL) {
		o->due = p.signed_.next_due;
	}
	keeper_let_go(old);
	return err;
}

int order_rollback(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o)
{
	struct zone_text name;
	struct diff d = { 0 };
	uint32_t serial = 0;
	int err = order_check_own(k, env, o);
	if (err == E_OK) {
		err = order_read_number(o, 0, "a serial", UINT32_MAX, &serial);
	}
	if (err != E_OK) {
		return err;
	}
	const struct history h = history_of(k, env);
	err = history_diff(&h, serial, h.serial, &d, &o->em);
	if (err != E_OK) {
		return err;
	}
	struct edit *e = edit_begin(k->zone->current, NULL, EDIT_TTL_LAST);
	err = take_back(k, &d, e);
	diff_clear(&d);
	if (err != E_OK) {
		edit_abort(e);
		return err_set(&o->em, err, "the change cannot be taken back: %s", err_text(err));
	}
	if (edit_changes(e) == 0) {
		edit_abort(e);
		(void)err_set(&o->em, E_OK, "the zone has not changed since");
	} else {
		err = publish(k, env, now, e, o);
	}
	if (err == E_OK) {
		order_report_served(k, o);
		log_notice("zone-rolled-back", "zone=%s to=%u serial=%u",
			   zone_text(k->config->name, &name), serial, k->zone->current->serial);
	}
	return err;
}
