/*
 * job.h
 *	  A statement for the database, and its answer.
 */
#ifndef GW_JOB_H
#define GW_JOB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "body.h"
#include "statements.h"
#include "target.h"

#define MAX_PARAMETERS	8

/* The answer to a request, as built by the database. */
typedef struct Answer
{
	int			status;			/* 0: there is none */
	char	   *body;			/* NULL: empty */
	char	   *content_type;	/* NULL: JSON */
	char	   *location;
	char	   *retry_after;
	char	   *continuation_token;
	char	   *instance_id;	/* of the started instance */
} Answer;

typedef struct Job Job;
struct Job
{
	const Statement *statement;
	Text		parameters[MAX_PARAMETERS]; /* owned; NULL is NULL */
	int			n_parameters;
	Body		body;			/* one of the parameters; counted by held.c */

	/*
	 * Called once, with the answer set; its status is 0 if the database is
	 * unavailable and nothing was done.  The callback frees the job.
	 */
	void		(*done) (Job *job);
	void	   *owner;			/* NULL: the answer is no longer needed */

	/* Takes the rows of a statement that does not answer a route; or NULL. */
	void		(*take_rows) (Job *job, const PGresult *result);

	Answer		answer;
	char		transaction[64];	/* its name; empty if it wrote nothing */
	int			attempts;
	int64_t		deadline;		/* of the current stage */
	int64_t		not_before;		/* of a job in doubt: when to ask again */
	char		error_code[6];	/* the error, if any */
	char	   *error_message;
	char	   *error_detail;
	STAILQ_ENTRY(Job) others;	/* in a queue */
};

extern Job *job_new(const Statement *statement);

/*
 * Add parameters, in the statement's order; the job takes texts and bodies
 * over.
 */
extern void job_add_text(Job *job, Text text);
extern void job_add_body(Job *job, Body *body);
extern void job_add_string(Job *job, const char *s);	/* copied; NULL is NULL */
extern void job_add_boolean(Job *job, int value);	/* below 0: NULL */
extern void job_add_integer(Job *job, int value);	/* 0: NULL */

/*
 * Take over a result from the database: the answer, or the first error of an
 * attempt.  The job may be NULL for an error.
 */
extern void job_take_answer(Job *job, const PGresult *result);
extern void job_take_error(Job *job, const PGresult *result);

/* Clears the result of the last attempt. */
extern void job_clear_result(Job *job);

/* Parameters are not needed once the job is done. */
extern void job_forget_parameters(Job *job);
extern void job_free(Job *job);
extern void answer_clear(Answer *answer);

typedef STAILQ_HEAD(JobQueue, Job) JobQueue;

#endif
