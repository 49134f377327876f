/*-------------------------------------------------------------------------
 *
 * shared_memory.h
 *	  The list of all pieces of shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SHARED_MEMORY_H
#define DS_SHARED_MEMORY_H

/* Installs the hooks; only while shared_preload_libraries are loaded. */
extern void ds_shared_memory_init(void);

#endif
