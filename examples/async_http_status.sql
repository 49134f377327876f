-- Asynchronous request with status polling, as an HTTP interface would offer
-- it: POST answers immediately with 202 and a location, GET returns the progress
-- and finally the result.  Such an interface needs only two SQL functions.
--
--	psql -f examples/async_http_status.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_web CASCADE;
CREATE SCHEMA df_example_web;

CREATE TABLE df_example_web.page (report text, page int, PRIMARY KEY (report, page));

CREATE FUNCTION df_example_web.print_page(report text, page int) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO df_example_web.page VALUES (report, page)
$$;

-- The long-running work.  It reports progress in its custom status.
CREATE FUNCTION df_example_web.make_report(pages int) RETURNS jsonb LANGUAGE plpgsql
AS $$
BEGIN
	FOR page IN 1..pages LOOP
		PERFORM df_set_custom_status(jsonb_build_object('done', page - 1, 'of', pages));
		PERFORM df_call_activity('df_example_web.print_page',
			jsonb_build_object('report', df_instance_id(), 'page', page));
		PERFORM df_create_timer('100 milliseconds');
	END LOOP;
	PERFORM df_set_custom_status(jsonb_build_object('done', pages, 'of', pages));
	RETURN jsonb_build_object('pages', pages);
END
$$;

-- POST /reports/ID: if many clients request the same report, one of them starts it.
CREATE FUNCTION df_example_web.post_report(id text, pages int) RETURNS jsonb LANGUAGE sql
AS $$
	SELECT CASE
		WHEN df_start_singleton('df_example_web.make_report', id, jsonb_build_object('pages', pages))
		THEN jsonb_build_object('status', 202, 'location', '/reports/' || id)
		ELSE jsonb_build_object('status', 409,
			'error', format('An instance with ID "%s" already exists.', id))
	END
$$;

-- GET /reports/ID
CREATE FUNCTION df_example_web.get_report(id text) RETURNS jsonb LANGUAGE plpgsql
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

-- Clean up after an earlier run of this file that was interrupted.
SELECT df_terminate(instance_id) FROM df_instances
WHERE instance_id = 'sales' AND runtime_status IN ('Pending', 'Running', 'Suspended');

-- The client requests the report and asks again until it is complete.
CREATE TABLE df_example_web.answer (number int GENERATED ALWAYS AS IDENTITY, request text, answer jsonb);
BEGIN;
INSERT INTO df_example_web.answer (request, answer) VALUES
	('GET /reports/costs', df_example_web.get_report('costs'));
INSERT INTO df_example_web.answer (request, answer) VALUES
	('POST /reports/sales', df_example_web.post_report('sales', 5));
INSERT INTO df_example_web.answer (request, answer) VALUES
	('POST /reports/sales', df_example_web.post_report('sales', 5));
COMMIT;
DO $$
DECLARE
	answer jsonb;
BEGIN
	LOOP
		answer := df_example_web.get_report('sales');
		INSERT INTO df_example_web.answer (request, answer) VALUES ('GET /reports/sales', answer);
		COMMIT;
		EXIT WHEN answer->'status' <> '202';
		-- Better than a sleep: this returns as soon as the report is complete.
		PERFORM df_wait_for_completion('sales', '50 milliseconds');
	END LOOP;
END
$$;

-- Show consecutive equal answers once.
SELECT request, answer, count(*) AS times FROM df_example_web.answer
GROUP BY request, answer ORDER BY min(number);

-- Check the results.
DO $$
DECLARE
	answers jsonb[] := (SELECT array_agg(answer ORDER BY number) FROM df_example_web.answer);
	last jsonb := answers[array_length(answers, 1)];
BEGIN
	ASSERT answers[1] = '{"status": 404}', 'an unknown report must be 404';
	ASSERT answers[2] = '{"status": 202, "location": "/reports/sales"}',
		'the first request must be accepted';
	ASSERT answers[3]->'status' = '409', 'the second request must be refused';
	ASSERT last = '{"status": 200, "result": {"pages": 5}}', 'the result must come last';
	ASSERT (SELECT count(*) FROM df_example_web.page) = 5, 'each page must be printed once';
	ASSERT (SELECT bool_and(done >= done_before) IS NOT FALSE FROM (
			SELECT (answer->'progress'->>'done')::int AS done,
				lag((answer->'progress'->>'done')::int) OVER (ORDER BY number) AS done_before
			FROM df_example_web.answer) progress), 'progress must never go back';
END
$$;
