/*
 * job.h
 *	  A statement for the database, and what it answers.
 */
#ifndef GW_JOB_H
#define GW_JOB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "body.h"
#include "statements.h"
#include "target.h"

#define MAX_PARAMETERS	8

/* An answer to a request, as the database made it. */
typedef struct Answer
{
	int			status;			/* 0: there is none */
	char	   *body;			/* NULL: empty */
	char	   *content_type;	/* NULL: JSON */
	char	   *location;
	char	   *retry_after;
	char	   *continuation_token;
	char	   *instance_id;	/* of what was started */
} Answer;

typedef struct Job Job;
struct Job
{
	const Statement *statement;
	Text		parameters[MAX_PARAMETERS]; /* owned; NULL is NULL */
	int			n_parameters;
	Body		body;			/* one of the parameters, which is held */

	/*
	 * Called once, with the answer filled in; its status is 0 if the database
	 * is away and nothing was done.  Whoever is called frees the job.
	 */
	void		(*done) (Job *job);
	void	   *owner;			/* NULL: nobody is interested any more */

	/* Takes the rows of a statement that is no route's; else NULL. */
	void		(*take_rows) (Job *job, const PGresult *result);

	Answer		answer;
	char		transaction[64];	/* its name; empty: it wrote nothing */
	int			attempts;
	int64_t		deadline;		/* of the present stage */
	int64_t		not_before;		/* in doubt: when to ask again */
	char		error_code[6];	/* what went wrong */
	char	   *error_message;
	char	   *error_detail;
	Job		   *next;
};

extern Job *job_new(const Statement *statement);

/* Parameters in the order of the statement; texts and bodies become the job's. */
extern void job_add_text(Job *job, Text text);
extern void job_add_body(Job *job, Body *body);
extern void job_add_string(Job *job, const char *s);	/* copied; NULL is NULL */
extern void job_add_boolean(Job *job, int value);	/* below 0: NULL */
extern void job_add_integer(Job *job, int value);	/* 0: NULL */

/*
 * What the database has sent: the answer, or the first error of an attempt.
 * Errors may also come when there is no job.
 */
extern void job_take_answer(Job *job, const PGresult *result);
extern void job_take_error(Job *job, const PGresult *result);

/* What the last attempt left. */
extern void job_clear_result(Job *job);

/* They are not needed once the job is done. */
extern void job_forget_parameters(Job *job);
extern void job_free(Job *job);
extern void answer_clear(Answer *answer);

/* First in, first out. */
typedef struct JobQueue
{
	Job		   *first;
	Job		   *last;
	int			n;
} JobQueue;

extern void queue_put(JobQueue *queue, Job *job);
extern void queue_put_first(JobQueue *queue, Job *job);
extern Job *queue_take(JobQueue *queue);

#endif
