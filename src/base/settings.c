/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  The durable_singleton.* settings: names, units, defaults.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "base/settings.h"
#include "miscadmin.h"
#include "utils/guc.h"

/* The maximum number of backends in PostgreSQL. */
#define MAX_RUNNERS	0x3FFFF

bool		ds_enabled = true;
int			ds_max_workers = 4;
int			ds_workers_per_role = 4;
int			ds_worker_idle_timeout = 60 * 1000;
int			ds_worker_max_lifetime = 3600;
int			ds_rescan_interval = 60;
int			ds_max_payload_size = 16 * 1024;
int			ds_keep_executions = 10;
int			ds_retention = -1;
int			ds_max_active_instances = -1;
int			ds_max_history_size = -1;
bool		ds_fresh_worker = false;
int			ds_crash_limit = 3;
int			ds_on_code_change = DS_ON_CODE_CHANGE_REPLAY;
bool		ds_check_replay_input = true;
int			ds_step_commit = DS_STEP_COMMIT_GROUP;
int			ds_max_activity_time = 0;
int			ds_log_min_duration = -1;
int			ds_max_stat_databases = 256;

static const struct config_enum_entry step_commit_options[] = {
	{"group", DS_STEP_COMMIT_GROUP, false},
	{"on", DS_STEP_COMMIT_ON, false},
	{"off", DS_STEP_COMMIT_OFF, false},
	{NULL, 0, false}
};

static const struct config_enum_entry on_code_change_options[] = {
	{"replay", DS_ON_CODE_CHANGE_REPLAY, false},
	{"fail", DS_ON_CODE_CHANGE_FAIL, false},
	{NULL, 0, false}
};

void
ds_settings_init(void)
{
	DefineCustomBoolVariable("durable_singleton.enabled",
							 "Lets background workers run orchestrations.",
							 "Off for the cluster in postgresql.conf, or for one database with ALTER DATABASE ... SET.",
							 &ds_enabled, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.max_workers",
							"Sets the number of background workers that run orchestrations at the same time.",
							"They count against max_worker_processes, in addition to one launcher and one janitor.",
							&ds_max_workers, 4, 0, MAX_RUNNERS,
							PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.workers_per_role",
							"Sets how many of the workers may serve one role of one database at the same time.",
							NULL,
							&ds_workers_per_role, 4, 1, MAX_RUNNERS,
							PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.worker_idle_timeout",
							"Sets the time after which a worker without work retires.",
							NULL,
							&ds_worker_idle_timeout, 60 * 1000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.worker_max_lifetime",
							"Sets the age at which a worker is replaced by a new one.",
							"Settings made by ALTER ROLE and ALTER DATABASE take effect in new workers. Zero means never.",
							&ds_worker_max_lifetime, 3600, 0, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.rescan_interval",
							"Sets the interval at which every database is searched for instances whose wake-up was lost.",
							"Zero turns the search off; it then happens at the start of the server only.",
							&ds_rescan_interval, 60, 0, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.max_payload_size",
							"Sets the largest input, event, result or custom status of an orchestration.",
							NULL,
							&ds_max_payload_size, 16 * 1024, 1, 256 * 1024,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.max_active_instances",
							"Sets how many instances of one role may be active in a database at the same time.",
							"For a role with ALTER ROLE ... SET. -1 means no limit.",
							&ds_max_active_instances, -1, -1, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.max_history_size",
							"Sets how large the history of an execution may get before its instance fails.",
							"For a role with ALTER ROLE ... SET. -1 means no limit.",
							&ds_max_history_size, -1, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.keep_executions",
							"Sets how many past executions of an instance id are kept.",
							NULL,
							&ds_keep_executions, 10, 0, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.retention",
							"Sets the age after which ended instances are purged.",
							"Counted from the end of the instance; -1 keeps them forever. For the cluster in postgresql.conf, or for one database with ALTER DATABASE ... SET.",
							&ds_retention, -1, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.crash_limit",
							"Sets how many times in a row a step may crash the server process that executes it before its instance fails.",
							"Zero means that such a step is retried forever.",
							&ds_crash_limit, 3, 0, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomEnumVariable("durable_singleton.on_code_change",
							 "Sets what happens when an orchestrator is replaced while an instance of it runs.",
							 "replay: go on with the new code as far as it fits the history; fail: fail the instance.",
							 &ds_on_code_change, DS_ON_CODE_CHANGE_REPLAY,
							 on_code_change_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomBoolVariable("durable_singleton.check_replay_input",
							 "Compares what an orchestrator gives its calls at a replay with what its history has.",
							 "For a function with ALTER FUNCTION ... SET. Off, only the kind and name of each call are compared.",
							 &ds_check_replay_input, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomEnumVariable("durable_singleton.step_commit",
							 "Sets when the commit of a step is flushed to disk.",
							 "group: before the next activity of the same instance begins; on: at once; off: some time later.",
							 &ds_step_commit, DS_STEP_COMMIT_GROUP,
							 step_commit_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.max_activity_time",
							"Sets the longest time an activity, or one pass of an orchestrator, may take in a worker.",
							"It fails with query_canceled then. Zero means no limit other than statement_timeout.",
							&ds_max_activity_time, 0, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);

	DefineCustomBoolVariable("durable_singleton.fresh_worker",
							 "Runs each step in a worker that has run no other code, and that ends after it.",
							 "For a function with ALTER FUNCTION ... SET, or for a role with ALTER ROLE ... SET.",
							 &ds_fresh_worker, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("durable_singleton.log_min_duration",
							"Sets the time above which an activity is logged.",
							"Zero logs all of them, -1 none.",
							&ds_log_min_duration, -1, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);

	/*
	 * it determines the size of shared memory, so it cannot be defined later
	 */
	if (process_shared_preload_libraries_in_progress)
		DefineCustomIntVariable("durable_singleton.max_stat_databases",
								"Sets how many databases have counters of their own in df_stat.",
								"All others are counted together.",
								&ds_max_stat_databases, 256, 1, 65536,
								PGC_POSTMASTER, 0, NULL, NULL, NULL);

	MarkGUCPrefixReserved("durable_singleton");
}
