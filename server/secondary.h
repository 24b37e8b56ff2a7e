/* server/secondary.h - what the jobs of a zone do for server/refresh.h, where the zone comes from primaries.
 *
 *     look     what there is of the zone
 *     take     what was transferred in: an edit like others, checked, signed where the zone has a policy, made durable,
 *              published; or held back, where it takes out too much (server/guard.h)
 *     confirm  a primary has nothing newer
 *     expire   no primary has answered for too long: nothing is served (RFC 1035 §3.3.13)
 *
 * When it was heard last that the zone is current, and of which serial of the primary it was made, is kept with the zone,
 * so that a restart knows when it expires and what to ask for.
 *
 * Threads: as struct order has it.
 * Memory:  a visit belongs to who gives it; what it brings, to the job once it is taken. */
#ifndef SERVER_SECONDARY_H
#define SERVER_SECONDARY_H

#include "server/order.h"
#include "server/xfr_in.h"

enum visit_what { VISIT_LOOK, VISIT_TAKE, VISIT_CONFIRM, VISIT_EXPIRE };

struct visit {
	struct order order; /* run is secondary_visit, arg this */
	enum visit_what what;
	/* VISIT_TAKE: what was transferred; freed by the job. */
	struct version *whole;
	struct diff *changes;
	size_t change_count;
	const char *from; /* a name of the primary, for the log; borrowed */
	uint64_t removed; /* records that may go, as somebody has approved it; E_HELD: that would */
	void *arg;	  /* the giver's; and what the primary has said of the time that is left: */
	bool has_expire;
	uint32_t expire_left; /* seconds */
	/* What is known of the zone afterwards. */
	bool has_zone;	 /* though it may be expired */
	bool is_other;	 /* nothing that changes could be of: all of it is to be transferred */
	uint32_t serial; /* the primary's */
	uint32_t refresh, retry, expire; /* seconds, of the SOA */
	int64_t heard_at; /* seconds: when a primary last said that this is current */
};

/* struct order's run. E_MISMATCH: the changes do not fit what there is: transfer all of the zone. E_HELD: it waits for
 * approval; what there is stays. */
int secondary_visit(struct keeper *k, const struct keeper_env *env, int64_t now, struct order *o);

/* The primary's serial of which @state was made: another than its own where the server signs. */
uint32_t secondary_serial(const struct keeper *k, const struct version *state);
/* The zone, as it was @transferred, is signed here from now on. */
void secondary_note_signed(struct keeper *k, const struct version *transferred);

/* Did what there is come from a primary? Else from a file of ours, or we have made it. */
bool secondary_was(const struct keeper *k);

/* What a restart finds of a zone that has primaries: is it too old at @now to be served? */
bool secondary_is_expired(const struct keeper *k, const struct version *v, int64_t now);

#endif
