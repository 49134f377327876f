/*-------------------------------------------------------------------------
 *
 * utility_hook.h
 *	  Utility commands that concern the workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_UTILITY_HOOK_H
#define DS_UTILITY_HOOK_H

extern void ds_utility_hook_init(void);

#endif
