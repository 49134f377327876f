/*-------------------------------------------------------------------------
 *
 * http_outcome.h
 *	  What became of a transaction whose client was cut off in its COMMIT.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_HTTP_OUTCOME_H
#define DS_HTTP_OUTCOME_H

/*
 * To be called by the launcher as the first thing it does: nobody has
 * assigned a transaction id yet since the server came up.
 */
extern void ds_http_fate_note_first_xid(void);

#endif
