/* signer/schedule.c - when signatures have to be renewed. */
#include "signer/schedule.h"

#include <stdlib.h>

#include "signer/rrsig.h"
#include "zones/base/mem.h"
#include "zones/base/time.h"

struct due {
	int64_t expires;
	const struct node *node;
};

struct list {
	struct due *items;
	size_t count, cap;
};

/* When the first signature of @n expires. */
static int64_t expires(const struct node *n, int64_t now)
{
	int64_t first = INT64_MAX;
	const struct rrset *rs = node_rrsets(n);
	for (unsigned i = 0; i < n->rrsets; i++) {
		const uint8_t *p = rrset_sig_data(&rs[i]);
		for (unsigned k = 0; k < rs[i].sigs; k++) {
			struct rr rr;
			struct rrsig s;
			p = rr_read(p, &rr);
			if (rrsig_read(rr.rdata, rr.rdlen, &s) == E_OK) {
				int64_t t = time_unwrap32(s.expiration, now);
				first = t < first ? t : first;
			}
		}
	}
	return first;
}

static int due_compare(const void *a, const void *b)
{
	const struct due *x = a;
	const struct due *y = b;
	return (x->expires > y->expires) - (x->expires < y->expires);
}

/* Keeps the @most that expire first; when the list is twice as long, the others are let go. */
static void list_add(struct list *l, const struct due *d, size_t most)
{
	if (l->count != 0 && l->count == 2 * most) {
		qsort(l->items, l->count, sizeof(*l->items), due_compare);
		l->count = most;
	}
	if (l->count == l->cap) {
		l->cap = l->cap != 0 ? l->cap * 2 : 64;
		l->items = mem_realloc(l->items, l->cap, sizeof(*l->items));
	}
	l->items[l->count++] = *d;
}

void schedule_make(const struct version *v, int64_t now, int64_t limit, size_t most,
		   struct schedule *out)
{
	struct list l = { 0 };
	struct version_walk *walk = mem_alloc(sizeof(*walk));
	*out = (struct schedule){ .next = INT64_MAX };
	for (const struct node *n = version_first(v, walk); n != NULL; n = version_next(walk)) {
		const struct due d = { expires(n, now), n };
		if (d.expires < limit) {
			list_add(&l, &d, most);
		} else if (d.expires < out->next) {
			out->next = d.expires;
		}
	}
	mem_free(walk);
	if (l.count > 1) {
		qsort(l.items, l.count, sizeof(*l.items), due_compare);
	}
	out->count = l.count < most ? l.count : most;
	out->due = mem_array(out->count, sizeof(const struct node *));
	for (size_t i = 0; i < out->count; i++) {
		out->due[i] = l.items[i].node;
	}
	mem_free(l.items);
}

void schedule_clear(struct schedule *s)
{
	mem_free(s->due);
	*s = (struct schedule){ 0 };
}
