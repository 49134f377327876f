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

/* After an asynchronous commit: it shall be flushed soon. */
extern void ds_wal_flusher_request(void);

/* The launcher flushes what was asked for; false: there is nothing left. */
extern bool ds_wal_flusher_flush(void);

/* The launcher has just begun, or is about to end. */
extern void ds_wal_flusher_reset(void);

#endif
