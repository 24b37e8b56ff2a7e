/* zones/base/epoch.c - read-side epochs over liburcu's QSBR flavour. */
#include "zones/base/epoch.h"

#include <urcu-qsbr.h>

void epoch_register(void)
{
	urcu_qsbr_register_thread();
}

void epoch_unregister(void)
{
	urcu_qsbr_unregister_thread();
}

void epoch_quiescent(void)
{
	urcu_qsbr_quiescent_state();
}

void epoch_offline(void)
{
	urcu_qsbr_thread_offline();
}

void epoch_online(void)
{
	urcu_qsbr_thread_online();
}

void epoch_wait(void)
{
	urcu_qsbr_synchronize_rcu();
}
