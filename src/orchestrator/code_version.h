/*-------------------------------------------------------------------------
 *
 * code_version.h
 *	  Detects whether the code of a function has changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CODE_VERSION_H
#define DS_CODE_VERSION_H

/*
 * A number that stays the same as long as the function's body does, also
 * across dump and restore, and is never zero.  Needs a transaction; cheap
 * unless the function was replaced since the last call in this session.
 */
extern int64 ds_code_version_of(Oid function);

#endif
