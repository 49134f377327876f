/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The durable_singleton.* settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DS_SETTINGS_H
#define DS_SETTINGS_H

typedef enum DsStepCommit
{
	DS_STEP_COMMIT_GROUP,
	DS_STEP_COMMIT_ON,
	DS_STEP_COMMIT_OFF
} DsStepCommit;

typedef enum DsOnCodeChange
{
	DS_ON_CODE_CHANGE_REPLAY,
	DS_ON_CODE_CHANGE_FAIL
} DsOnCodeChange;

extern bool ds_enabled;
extern int	ds_max_workers;
extern int	ds_workers_per_role;
extern int	ds_worker_idle_timeout; /* ms */
extern int	ds_worker_max_lifetime; /* s */
extern int	ds_rescan_interval; /* s, 0: off */
extern int	ds_max_payload_size;	/* kB */
extern int	ds_keep_executions;
extern int	ds_retention;		/* s, -1: off */
extern int	ds_max_active_instances;	/* -1: off */
extern int	ds_max_history_size;	/* kB, -1: off */
extern bool ds_fresh_worker;
extern int	ds_crash_limit;		/* 0: off */
extern bool ds_check_replay_input;
extern int	ds_on_code_change;	/* DsOnCodeChange */
extern int	ds_step_commit;		/* DsStepCommit */
extern int	ds_max_activity_time;	/* ms, 0: off */
extern int	ds_log_min_duration;	/* ms, -1: off */
extern int	ds_max_stat_databases;	/* fixed at server start */

extern void ds_settings_init(void);

#endif
