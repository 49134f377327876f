/*
 * job.c
 *	  A statement for the database, and what it answers.
 */
#include "job.h"

#include <assert.h>
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
job_free(Job *job)
{
	job_clear_result(job);
	for (int i = 0; i < job->n_parameters; i++)
		free(job->parameters[i].data);
	free(job);
}

void
queue_put(JobQueue *queue, Job *job)
{
	job->next = NULL;
	if (queue->last != NULL)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
	queue->n++;
}

void
queue_put_first(JobQueue *queue, Job *job)
{
	job->next = queue->first;
	queue->first = job;
	if (queue->last == NULL)
		queue->last = job;
	queue->n++;
}

Job *
queue_take(JobQueue *queue)
{
	Job		   *job = queue->first;

	if (job != NULL)
	{
		queue->first = job->next;
		if (queue->first == NULL)
			queue->last = NULL;
		queue->n--;
		job->next = NULL;
	}
	return job;
}
