/* zones/journal_check.c - is all of the journal as it should be? */
#include "zones/journal_row.h"

#include <stdarg.h>
#include <stdio.h>

#include "zones/dns/soa.h"

struct check {
	struct journal_txn *t;
	void (*fault)(void *arg, const char *message);
	void *arg;
	unsigned faults;
	const struct journal_row *zone;
	const char *name;
};

PRINTF(2, 3) static void fault(struct check *c, const char *fmt, ...)
{
	char text[2 * DNAME_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->faults++;
	c->fault(c->arg, text);
}

/* Each key of the zone is of an entry that should be there. */
static int check_key(void *arg, struct store_octets key, struct store_octets value)
{
	struct check *c = arg;
	const struct journal_zone *z = &c->zone->z;
	size_t apex = c->zone->key.apex;
	(void)value;
	uint64_t seq = key.len == apex + 12 ? be64_get(key.data + apex) : 0;
	if (seq != JOURNAL_SEQ_ROW && seq != JOURNAL_SEQ_SNAPSHOT &&
	    (seq < z->first_seq || seq > z->last_seq)) {
		fault(c, "%s: has an entry that should not be there, %llu", c->name,
		      (unsigned long long)seq);
	}
	return E_OK;
}

/* Do the serials of the SOA records, which come first, agree with the head? */
static bool serials_agree(const struct diff_part *part, uint32_t serial)
{
	struct diff_rr rr;
	if (part->count == 0) {
		return true; /* a zone that comes or goes */
	}
	(void)diff_rr_next((const uint8_t *)part->octets.data, &rr);
	return rr.type != RRTYPE_SOA || soa_numbers_of(rr.rdata, rr.rdlen).serial == serial;
}

static void check_entries(struct check *c, struct journal_row *zone, const uint8_t *apex)
{
	const struct journal_zone *z = &zone->z;
	struct diff d = { 0 };
	uint64_t octets = 0;
	uint64_t needed = 0;
	uint32_t serial = 0;
	bool chained = false;
	for (uint64_t seq = z->first_seq; seq <= z->last_seq; seq++) {
		struct journal_entry e;
		struct store_octets v;
		unsigned long long number = seq;
		int err = journal_value_at(c->t, &zone->key, seq, &v);
		err = err != E_OK ? err : journal_entry_read(v, apex, &e, &d);
		if (err != E_OK) {
			fault(c, "%s: entry %llu is %s", c->name, number,
			      err == E_NOENT ? "not there" : "damaged");
			chained = false;
			continue;
		}
		if (chained && e.serial_from != serial) {
			fault(c, "%s: entry %llu begins at serial %u, the one before ended at %u",
			      c->name, number, e.serial_from, serial);
		}
		if (!serials_agree(&d.removed, e.serial_from) ||
		    !serials_agree(&d.added, e.serial_to)) {
			fault(c, "%s: entry %llu has a SOA of another serial than it says", c->name,
			      number);
		}
		octets += e.octets;
		needed += seq > z->snapshot_seq ? e.octets : 0;
		serial = e.serial_to;
		chained = true;
	}
	if (chained && serial != z->last_serial) {
		fault(c, "%s: ends at serial %u, expected %u", c->name, serial, z->last_serial);
	}
	if (octets != z->octets || needed != z->needed_octets) {
		fault(c, "%s: has %llu octets, expected %llu", c->name, (unsigned long long)octets,
		      (unsigned long long)z->octets);
	}
	if (z->first_seq > z->snapshot_seq + 1) {
		fault(c, "%s: begins at entry %llu, the snapshot ends at %llu", c->name,
		      (unsigned long long)z->first_seq, (unsigned long long)z->snapshot_seq);
	}
	diff_clear(&d);
}

int journal_check(struct journal_txn *t, void (*on_fault)(void *arg, const char *message),
		  void *arg)
{
	struct check c = { .t = t, .fault = on_fault, .arg = arg };
	char name[DNAME_TEXT_MAX];
	uint64_t octets = 0;
	struct dname apex;
	int err = journal_row_next(t, NULL, &apex);
	while (err == E_OK) {
		struct journal_row zone;
		(void)dname_to_text(apex.wire, name);
		c.zone = &zone;
		c.name = name;
		int got = journal_row_load(t, apex.wire, &zone);
		if (got == E_OK) {
			check_entries(&c, &zone, apex.wire);
			octets += zone.z.octets;
			(void)!store_each(t->txn,
					  (struct store_octets){ zone.key.data, zone.key.apex },
					  NULL, check_key, &c);
		} else if (got == E_NOENT) {
			fault(&c, "%s: has entries and no record of its own", name);
		}
		err = journal_is_there(got) ? journal_row_next(t, &zone.key, &apex) : got;
	}
	uint64_t total = 0;
	if (err == E_NOENT) {
		err = journal_total_get(t, &total);
	}
	if (err == E_OK && total != octets) {
		fault(&c, "all zones: have %llu octets, expected %llu", (unsigned long long)octets,
		      (unsigned long long)total);
	}
	struct errmsg em;
	if (err != E_OK && journal_error(t, &em) != E_OK) {
		fault(&c, "%s", em.text);
	}
	return c.faults != 0 ? E_CHECK : err;
}
