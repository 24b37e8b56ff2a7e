/* zones/edit.h - the only way to change a zone: begin, add, remove, commit or abort.
 *
 * An edit collects changes and applies them, batch by batch, to a private copy-on-write state;
 * readers see nothing before the new version is published. Loading a zone is an edit of nothing.
 * Adding a record that is there, or removing one that is not, is no error and no change.
 *
 * Threads: one edit of a zone at a time, one thread.
 * Memory:  names and rdata given here are copied. */
#ifndef ZONES_EDIT_H
#define ZONES_EDIT_H

#include "zones/batch.h"
#include "zones/version.h"

struct edit;

/* An edit of @base (borrowed; held until the end), or of an empty zone @apex when @base is NULL. */
struct edit *edit_begin(const struct version *base, const uint8_t *apex, enum edit_ttl ttl);
/* Frees it without a trace. NULL is fine. */
void edit_abort(struct edit *e);
/* Makes the version, with one reference for the caller, and frees the edit. */
struct version *edit_commit(struct edit *e);

const uint8_t *edit_apex(const struct edit *e);

/* E_NOTZONE: the owner is not under the apex. E_LIMIT: the set would pass 65535 octets or records. The
 * rdata must have passed rdata_check. E_INVAL: a meta type. Limits are found when the batch is applied
 * and stay: edit_error. */
MUST_USE int edit_add(struct edit *e, const uint8_t *owner, uint16_t type, uint32_t ttl,
		      const uint8_t *rdata, size_t len);
MUST_USE int edit_remove(struct edit *e, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
			 size_t len);
/* All records of the set, and the signatures that cover it. */
void edit_remove_rrset(struct edit *e, const uint8_t *owner, uint16_t type);
/* The zone's SOA record becomes the first of @soa (which may be the zone's own), with @serial. */
MUST_USE int edit_put_soa(struct edit *e, const struct rrset *soa, uint32_t serial);
/* The sticky error of the batches applied so far; the message names owner and type. */
int edit_error(struct edit *e, struct errmsg *em);

/* Applies @b, changes that were collected elsewhere (its apex and rule are those of the edit), behind
 * what is pending, and resets it. The blocks that batch_make made belong to the zone from then on; so their
 * pool must be handed over too, before the edit ends, by edit_adopt, which leaves it empty. */
void edit_apply(struct edit *e, struct batch *b);
void edit_adopt(struct edit *e, struct pool *pool);

/* How much was changed so far: as long as the number stays, so does the content. */
uint64_t edit_changes(struct edit *e);

/* Applies what is pending, so that the state can be read: a version like any other, valid until
 * the next change of the edit, except that it has no references. */
const struct version *edit_state(struct edit *e);

/* A node made elsewhere (node_build.h) goes in as it is, in the place of the one of its name; one
 * without RRsets takes the name out of the names tree. Nodes with an NSEC3 record go to the NSEC3
 * tree. Copied; the old node of that name is gone. For signing, which rebuilds whole nodes: a walk
 * over edit_state stays good as long as no name is added or taken out. */
void edit_put_node(struct edit *e, const struct node *image);
/* Takes a node out of the NSEC3 tree. */
void edit_drop_nsec3(struct edit *e, const uint8_t *owner);

/* A node that lies in a pool which edit_adopt will take, as batch_make's do, goes into the tree @which as it is, in the
 * place of the one of its name. */
void edit_take_node(struct edit *e, enum batch_tree which, const struct dname_key *key,
		    struct node *n);

#endif
