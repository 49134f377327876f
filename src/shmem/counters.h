/*-------------------------------------------------------------------------
 *
 * counters.h
 *	  Counters of each database: df_stat.
 *
 * The counters are in shared memory and start at zero with it, at server start
 * and after a crash.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_COUNTERS_H
#define DS_COUNTERS_H

#include "datatype/timestamp.h"

/* In the order of the columns of df_stat. */
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
	DS_LATENCY,					/* from ready until a worker takes it */
	DS_ACTIVITY_TIME			/* of an attempt at an activity */
} DsHistogram;

#define DS_NUM_HISTOGRAMS	(DS_ACTIVITY_TIME + 1)

/* The upper bounds of the buckets, in microseconds; the last one has none. */
#define DS_NUM_BOUNDS	24
#define DS_NUM_BUCKETS	(DS_NUM_BOUNDS + 1)

extern const int64 ds_counters_bounds[DS_NUM_BOUNDS];

/* The counters of the current database. */
typedef struct DsCounters
{
	bool		common;			/* shared with others that have no entry
								 * either */
	TimestampTz since;
	uint64		counters[DS_NUM_COUNTERS];
	/* separate for each bucket; and the sum of the observed times, in us */
	uint64		buckets[DS_NUM_HISTOGRAMS][DS_NUM_BUCKETS];
	uint64		sums[DS_NUM_HISTOGRAMS];
} DsCounters;

/* Called in the postmaster, when shared memory is set up. */
extern Size ds_counters_size(void);
extern void ds_counters_startup(void);

/* Do not call these with the shared lock held; none raises an error. */

/* For committed work, or work that does not depend on a commit. */
extern void ds_counters_add(DsCounter counter, uint64 n);

/* Records a duration; if the clock went back, it counts as zero. */
extern void ds_counters_observe(DsHistogram histogram, int64 microseconds);

extern void ds_counters_read(DsCounters *result);

/*
 * The databases that have an entry, and freeing an entry.  No process may be
 * connected to the database any more.
 */
extern int	ds_counters_databases(Oid **databases);
extern void ds_counters_forget(Oid database);

#endif
