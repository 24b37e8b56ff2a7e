/* zones/base/epoch.h - read-side epochs: readers never wait, writers free what no reader can see.
 *
 * A thin layer over liburcu's QSBR flavour. A reading thread registers once, says "quiescent"
 * between batches (when it holds no borrowed pointer), and goes offline while it sleeps in the
 * kernel. A writer publishes with epoch_publish and, before it frees the old thing, calls
 * epoch_wait (never from a registered reader that is online).
 *
 * Threads: as said per call. */
#ifndef ZONES_BASE_EPOCH_H
#define ZONES_BASE_EPOCH_H

#include "zones/base/attr.h"

void epoch_register(void);   /* this thread reads from now on (online) */
void epoch_unregister(void); /* and no longer */
void epoch_quiescent(void);  /* holds no borrowed pointer at this moment */
void epoch_offline(void);    /* about to sleep; no borrowed pointers until epoch_online */
void epoch_online(void);
/* Returns when every reader has passed a quiescent state since the call. */
void epoch_wait(void);

/* Pointer store and load with the ordering that readers need. */
#define epoch_publish(ptr_to, value) __atomic_store_n((ptr_to), (value), __ATOMIC_RELEASE)
#define epoch_read(ptr_to)	     __atomic_load_n((ptr_to), __ATOMIC_CONSUME)

#endif
