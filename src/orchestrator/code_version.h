/*-------------------------------------------------------------------------
 *
 * code_version.h
 *	  Whether the code of a function is still the same.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_CODE_VERSION_H
#define DS_CODE_VERSION_H

/*
 * A number that stays the same as long as the function's body does, also over
 * dump and restore, and is never zero.  Needs a transaction; cheap unless the
 * function was replaced since the last call in this session.
 */
extern int64 ds_code_version_of(Oid function);

#endif
