/*
 * call.c
 *	  Creates the job for a request: the statement and its parameters.
 *
 * Parameters are in the order of the functions in extension/http.sql.
 */
#include "call.h"

#include "query.h"

static void
add_segment(Job *job, Slice segment)
{
	if (segment.length == 0)
		job_add_string(job, NULL);
	else
		job_add_text(job, target_decode(segment));
}

static void
add_value(Job *job, const Call *call, const char *name)
{
	job_add_text(job, query_text(call->connection, name));
}

static void
add_boolean(Job *job, const Call *call, const char *name, bool otherwise)
{
	int			value = query_boolean(call->connection, name);

	job_add_boolean(job, value < 0 ? otherwise : value);
}

/* The parts of links. */
static void
add_origin(Job *job, const Call *call)
{
	job_add_string(job, call->origin);
	add_value(job, call, "taskHub");
	add_value(job, call, "connection");
	job_add_string(job, call->code);
}

static Job *
start(const Call *call, const Statement *statement)
{
	Job		   *job = job_new(statement);

	add_segment(job, call->route->function);
	add_segment(job, call->route->instance);
	job_add_body(job, call->body);
	add_origin(job, call);
	return job;
}

static Job *
status(const Call *call)
{
	Job		   *job = job_new(&statement_status);

	add_segment(job, call->route->instance);
	add_boolean(job, call, "showHistory", false);
	add_boolean(job, call, "showHistoryOutput", false);
	add_boolean(job, call, "showInput", true);
	add_boolean(job, call, "returnInternalServerErrorOnFailure", false);
	return job;
}

static Job *
list(const Call *call)
{
	Job		   *job = job_new(&statement_list);

	add_value(job, call, "createdTimeFrom");
	add_value(job, call, "createdTimeTo");
	job_add_text(job, query_list(call->connection, "runtimeStatus"));
	add_value(job, call, "instanceIdPrefix");
	add_boolean(job, call, "showInput", true);
	job_add_integer(job, query_integer(call->connection, "top"));
	job_add_string(job, call->continuation_token);
	return job;
}

static Job *
purge(const Call *call)
{
	Job		   *job = job_new(&statement_purge);

	add_segment(job, call->route->instance);
	return job;
}

static Job *
purge_by(const Call *call)
{
	Job		   *job = job_new(&statement_purge_by);

	add_value(job, call, "createdTimeFrom");
	add_value(job, call, "createdTimeTo");
	job_add_text(job, query_list(call->connection, "runtimeStatus"));
	return job;
}

static Job *
raise_event(const Call *call)
{
	Job		   *job = job_new(&statement_raise_event);

	add_segment(job, call->route->instance);
	add_segment(job, call->route->event);
	job_add_string(job, call->content_type);
	job_add_body(job, call->body);
	return job;
}

static Job *
control(const Call *call, const char *operation)
{
	Job		   *job = job_new(&statement_control);

	add_segment(job, call->route->instance);
	job_add_string(job, operation);
	add_value(job, call, "reason");
	return job;
}

static Job *
rewind_it(const Call *call)
{
	Job		   *job = job_new(&statement_rewind);

	add_segment(job, call->route->instance);
	add_value(job, call, "reason");
	return job;
}

static Job *
restart(const Call *call)
{
	Job		   *job = job_new(&statement_restart);

	add_segment(job, call->route->instance);
	add_boolean(job, call, "restartWithNewInstanceId", true);
	add_origin(job, call);
	return job;
}

Job *
call_make_job(const Call *call)
{
	Job		   *job = NULL;

	switch (call->route->operation)
	{
		case OP_NONE:
			break;
		case OP_START:
			return start(call, &statement_start);
		case OP_START_SINGLETON:
			return start(call, &statement_start_singleton);
		case OP_RAISE_EVENT:
			return raise_event(call);
		case OP_STATUS:
			job = status(call);
			break;
		case OP_LIST:
			job = list(call);
			break;
		case OP_PURGE:
			job = purge(call);
			break;
		case OP_PURGE_BY:
			job = purge_by(call);
			break;
		case OP_TERMINATE:
			job = control(call, "terminate");
			break;
		case OP_SUSPEND:
			job = control(call, "suspend");
			break;
		case OP_RESUME:
			job = control(call, "resume");
			break;
		case OP_REWIND:
			job = rewind_it(call);
			break;
		case OP_RESTART:
			job = restart(call);
			break;
	}
	/* the other operations do not use a body */
	body_free(call->body);
	return job;
}

Job *
call_make_refusal(const char *sqlstate, const char *message)
{
	Job		   *job = job_new(&statement_error);

	job_add_string(job, "refusal");
	job_add_string(job, NULL);
	job_add_string(job, sqlstate);
	job_add_string(job, message);
	job_add_string(job, NULL);
	return job;
}
