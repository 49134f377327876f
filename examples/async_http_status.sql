-- Asynchronous request with status, as an HTTP interface would offer it: POST
-- answers at once with 202 and a place to ask, GET tells how far it is, and in
-- the end the result.  Two SQL functions are all that such an interface needs.
--
--	psql -f examples/async_http_status.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS web CASCADE;
CREATE SCHEMA web;

CREATE TABLE web.page (report text, page int, PRIMARY KEY (report, page));

CREATE FUNCTION web.print_page(report text, page int) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO web.page VALUES (report, page)
$$;

-- The long work.  Its custom status is its progress.
CREATE FUNCTION web.make_report(pages int) RETURNS jsonb LANGUAGE plpgsql
AS $$
BEGIN
	FOR page IN 1..pages LOOP
		PERFORM df_set_custom_status(jsonb_build_object('done', page - 1, 'of', pages));
		PERFORM df_call_activity('web.print_page',
			jsonb_build_object('report', df_instance_id(), 'page', page));
		PERFORM df_create_timer('100 milliseconds');
	END LOOP;
	PERFORM df_set_custom_status(jsonb_build_object('done', pages, 'of', pages));
	RETURN jsonb_build_object('pages', pages);
END
$$;

-- POST /reports/ID: of many requests for the same report, one starts it.
CREATE FUNCTION web.post_report(id text, pages int) RETURNS jsonb LANGUAGE sql
AS $$
	SELECT CASE
		WHEN df_start_singleton('web.make_report', id, jsonb_build_object('pages', pages))
		THEN jsonb_build_object('status', 202, 'location', '/reports/' || id)
		ELSE jsonb_build_object('status', 409,
			'error', format('An instance with ID "%s" already exists.', id))
	END
$$;

-- GET /reports/ID
CREATE FUNCTION web.get_report(id text) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	report df_status := df_get_status(id);
BEGIN
	CASE report.runtime_status
		WHEN 'Pending', 'Running', 'Suspended' THEN
			RETURN jsonb_build_object('status', 202, 'progress', report.custom_status);
		WHEN 'Completed' THEN
			RETURN jsonb_build_object('status', 200, 'result', report.output);
		WHEN 'Failed', 'Terminated' THEN
			RETURN jsonb_build_object('status', 500, 'failure', report.failure);
		ELSE
			RETURN jsonb_build_object('status', 404);
	END CASE;
END
$$;

-- A report that an interrupted run of this file has left behind.
SELECT df_terminate(instance_id) FROM df_instances
WHERE instance_id = 'sales' AND runtime_status IN ('Pending', 'Running', 'Suspended');

-- The client: asks for the report, and asks again until it is there.
CREATE TABLE web.answer (number int GENERATED ALWAYS AS IDENTITY, request text, answer jsonb);
BEGIN;
INSERT INTO web.answer (request, answer) VALUES
	('GET /reports/costs', web.get_report('costs'));
INSERT INTO web.answer (request, answer) VALUES
	('POST /reports/sales', web.post_report('sales', 5));
INSERT INTO web.answer (request, answer) VALUES
	('POST /reports/sales', web.post_report('sales', 5));
COMMIT;
DO $$
DECLARE
	answer jsonb;
BEGIN
	LOOP
		answer := web.get_report('sales');
		INSERT INTO web.answer (request, answer) VALUES ('GET /reports/sales', answer);
		COMMIT;
		EXIT WHEN answer->'status' <> '202';
		-- Better than a sleep: it returns at once when the report is done.
		PERFORM df_wait_for_completion('sales', '50 milliseconds');
	END LOOP;
END
$$;

-- Equal answers in a row are shown once.
SELECT request, answer, count(*) AS times FROM web.answer
GROUP BY request, answer ORDER BY min(number);

-- What must have come out of it.
DO $$
DECLARE
	answers jsonb[] := (SELECT array_agg(answer ORDER BY number) FROM web.answer);
	last jsonb := answers[array_length(answers, 1)];
BEGIN
	ASSERT answers[1] = '{"status": 404}', 'an unknown report must be 404';
	ASSERT answers[2] = '{"status": 202, "location": "/reports/sales"}',
		'the first request must be accepted';
	ASSERT answers[3]->'status' = '409', 'the second request must be refused';
	ASSERT last = '{"status": 200, "result": {"pages": 5}}', 'the result must come last';
	ASSERT (SELECT count(*) FROM web.page) = 5, 'each page must be printed once';
	ASSERT (SELECT bool_and(done >= done_before) IS NOT FALSE FROM (
			SELECT (answer->'progress'->>'done')::int AS done,
				lag((answer->'progress'->>'done')::int) OVER (ORDER BY number) AS done_before
			FROM web.answer) progress), 'progress must never go back';
END
$$;
