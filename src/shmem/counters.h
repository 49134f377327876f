/*-------------------------------------------------------------------------
 *
 * counters.h
 *	  What happens in each database, in numbers that only grow: df_stat.
 *
 * The numbers are in shared memory and begin anew when that does, at the
 * start of the server and after a crash.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COUNTERS_H
#define DS_COUNTERS_H

#include "datatype/timestamp.h"

/* In the order of df_stat's columns. */
typedef enum DsCounter
{
	DS_INSTANCES_STARTED,
	DS_INSTANCES_COMPLETED,
	DS_INSTANCES_FAILED,
	DS_INSTANCES_TERMINATED,
	DS_INSTANCES_REWOUND,
	DS_INSTANCES_CONTINUED,
	DS_ACTIVITIES_COMPLETED,
	DS_ACTIVITIES_FAILED,
	DS_ACTIVITIES_RETRIED,
	DS_PASSES,
	DS_STEPS_UNDONE,
	DS_CRASHES,
	DS_DUE_SEARCHES,
	DS_FULL_SEARCHES,
	DS_HINTS_LOST
} DsCounter;

#define DS_NUM_COUNTERS	(DS_HINTS_LOST + 1)

typedef enum DsHistogram
{
	DS_LATENCY,					/* from ready until a worker has taken it */
	DS_ACTIVITY_TIME			/* of an attempt at an activity */
} DsHistogram;

#define DS_NUM_HISTOGRAMS	(DS_ACTIVITY_TIME + 1)

/* The upper bounds of the buckets, in microseconds; the last one has none. */
#define DS_NUM_BOUNDS	24
#define DS_NUM_BUCKETS	(DS_NUM_BOUNDS + 1)

extern const int64 ds_counters_bounds[DS_NUM_BOUNDS];

/* What the present database has come to. */
typedef struct DsCounters
{
	bool		common;			/* with others that found no place either */
	TimestampTz since;
	uint64		counters[DS_NUM_COUNTERS];
	/* each bucket by itself, and the sum of what was observed, in us */
	uint64		buckets[DS_NUM_HISTOGRAMS][DS_NUM_BUCKETS];
	uint64		sums[DS_NUM_HISTOGRAMS];
} DsCounters;

/* In the postmaster, when shared memory is set up. */
extern Size ds_counters_size(void);
extern void ds_counters_startup(void);

/*
 * --- These must not be called with the shared lock held; none raises an error. ---
 */

/* For what has committed, or does not depend on a commit. */
extern void ds_counters_add(DsCounter counter, uint64 n);

/* Something has taken so long; a clock that went back counts as no time. */
extern void ds_counters_observe(DsHistogram histogram, int64 microseconds);

extern void ds_counters_read(DsCounters *result);

/*
 * The databases that have a place of their own, and giving one back.  Nobody
 * may be connected to it any more.
 */
extern int	ds_counters_databases(Oid **databases);
extern void ds_counters_forget(Oid database);

#endif
