/*-------------------------------------------------------------------------
 *
 * wal_flusher.h
 *	  The launcher's second job: flushing the WAL behind the workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_WAL_FLUSHER_H
#define DS_WAL_FLUSHER_H

extern Size ds_wal_flusher_size(void);
extern void ds_wal_flusher_startup(void);

/* After an asynchronous commit: requests that it is flushed soon. */
extern void ds_wal_flusher_request(void);

/*
 * Called by the launcher: flushes what was requested; false if nothing is
 * left.
 */
extern bool ds_wal_flusher_flush(void);

/* The launcher has just started, or is about to exit. */
extern void ds_wal_flusher_reset(void);

#endif
