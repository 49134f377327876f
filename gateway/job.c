/*
 * job.c
 *	  A statement for the database, and its answer.
 */
#include "job.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

Job *
job_new(const Statement *statement)
{
	Job		   *job = gw_alloc(sizeof(Job));

	job->statement = statement;
	return job;
}

void
job_add_text(Job *job, Text text)
{
	assert(job->n_parameters < MAX_PARAMETERS);
	job->parameters[job->n_parameters++] = text;
}

void
job_add_string(Job *job, const char *s)
{
	job_add_text(job, (Text) {gw_strdup(s), s == NULL ? 0 : strlen(s)});
}

void
job_add_body(Job *job, Body *body)
{
	assert(job->body.text.data == NULL);
	job->body = *body;
	job_add_text(job, body->text);
	*body = (Body) {0};
}

void
job_add_boolean(Job *job, int value)
{
	job_add_string(job, value < 0 ? NULL : value ? "true" : "false");
}

void
job_add_integer(Job *job, int value)
{
	char	   *text = value == 0 ? NULL : gw_format("%d", value);

	job_add_text(job, (Text) {text, text == NULL ? 0 : strlen(text)});
}

static char *
copy_value(const PGresult *result, int column)
{
	if (column >= PQnfields(result) || PQgetisnull(result, 0, column))
		return NULL;
	return gw_strdup(PQgetvalue(result, 0, column));
}

/*
 * The result is a row of durable_singleton.http_response and the transaction's
 * id.
 */
void
job_take_answer(Job *job, const PGresult *result)
{
	Answer	   *answer = &job->answer;
	int			n = 0;

	answer_clear(answer);
	if (PQntuples(result) != 1 || PQnfields(result) < 7)
		return;
	answer->status = atoi(PQgetvalue(result, 0, n++));
	answer->body = copy_value(result, n++);
	answer->content_type = copy_value(result, n++);
	answer->location = copy_value(result, n++);
	answer->retry_after = copy_value(result, n++);
	answer->continuation_token = copy_value(result, n++);
	answer->instance_id = copy_value(result, n++);
	if (PQnfields(result) > n && !PQgetisnull(result, 0, n))
		snprintf(job->transaction, sizeof(job->transaction), "%s", PQgetvalue(result, 0, n));
}

void
job_take_error(Job *job, const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (job == NULL || job->error_code[0] != '\0')
		return;					/* only the first one counts */
	answer_clear(&job->answer);
	snprintf(job->error_code, sizeof(job->error_code), "%s", code ? code : "");
	job->error_message = gw_strdup(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	job->error_detail = gw_strdup(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
}

void
answer_clear(Answer *answer)
{
	free(answer->body);
	free(answer->content_type);
	free(answer->location);
	free(answer->retry_after);
	free(answer->continuation_token);
	free(answer->instance_id);
	memset(answer, 0, sizeof(*answer));
}

void
job_clear_result(Job *job)
{
	answer_clear(&job->answer);
	job->transaction[0] = '\0';
	job->error_code[0] = '\0';
	free(job->error_message);
	free(job->error_detail);
	job->error_message = job->error_detail = NULL;
}

void
job_forget_parameters(Job *job)
{
	for (int i = 0; i < job->n_parameters; i++)
	{
		if (job->parameters[i].data != job->body.text.data)
			free(job->parameters[i].data);
	}
	body_free(&job->body);
	job->n_parameters = 0;
}

void
job_free(Job *job)
{
	job_clear_result(job);
	job_forget_parameters(job);
	free(job);
}
