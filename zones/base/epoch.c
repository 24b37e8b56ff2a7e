/* zones/base/epoch.c - read-side epochs over liburcu's QSBR flavour.
 *
 * liburcu is not built with the thread sanitizer, which therefore cannot see that epoch_wait comes
 * after each reader's quiescent state. In sanitizer builds the same order is told to it. */
#include "zones/base/epoch.h"

#include <urcu-qsbr.h>

#ifdef __SANITIZE_THREAD__
# include <sanitizer/tsan_interface.h>
static char order; /* only its address means something */
# define READER_IS_DONE()    __tsan_release(&order)
# define READERS_WERE_DONE() __tsan_acquire(&order)
#else
# define READER_IS_DONE()    ((void)0)
# define READERS_WERE_DONE() ((void)0)
#endif

void epoch_register(void)
{
	urcu_qsbr_register_thread();
}

void epoch_unregister(void)
{
	READER_IS_DONE();
	urcu_qsbr_unregister_thread();
}

void epoch_quiescent(void)
{
	READER_IS_DONE();
	urcu_qsbr_quiescent_state();
}

void epoch_offline(void)
{
	READER_IS_DONE();
	urcu_qsbr_thread_offline();
}

void epoch_online(void)
{
	urcu_qsbr_thread_online();
}

void epoch_wait(void)
{
	urcu_qsbr_synchronize_rcu();
	READERS_WERE_DONE();
}
