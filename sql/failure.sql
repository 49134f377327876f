-- A failure contains everything that PostgreSQL reports about the error, and
-- the task and instance that it came from.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE SCHEMA failure_schema;
CREATE DOMAIN failure_schema.positive AS int CONSTRAINT is_positive CHECK (VALUE > 0);
CREATE TABLE failure_schema.parent (id int CONSTRAINT parent_key PRIMARY KEY);
CREATE TABLE failure_schema.child (
	id int CONSTRAINT id_is_small CHECK (id < 100),
	parent int CONSTRAINT child_of_parent REFERENCES failure_schema.parent DEFERRABLE INITIALLY DEFERRED,
	amount failure_schema.positive,
	name text NOT NULL DEFAULT '',
	CONSTRAINT once_each EXCLUDE (id WITH =));
CREATE FUNCTION failure_sql(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE input #>> '{}';
	RETURN '"no failure"';
END $$;
-- one activity after the other, each fails, each is caught
CREATE FUNCTION failure_each(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	statement jsonb;
BEGIN
	FOR statement IN SELECT jsonb_array_elements(input) LOOP
		BEGIN
			PERFORM df_call_activity('failure_sql', statement);
		EXCEPTION WHEN OTHERS THEN
			NULL;
		END;
	END LOOP;
	RETURN NULL;
END $$;
CREATE FUNCTION failure_pass(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('failure_sql', '"SELECT 1"');
	RETURN df_call_activity(input ->> 'name', input -> 'input', input -> 'retry');
END $$;

-- constraints name schema, table, column, data type and constraint
SELECT df_start_singleton('failure_each', 'failure each', jsonb_build_array(
	'INSERT INTO failure_schema.parent VALUES (1), (1)',
	'INSERT INTO failure_schema.child VALUES (1000)',
	'INSERT INTO failure_schema.child (name) VALUES (NULL)',
	'INSERT INTO failure_schema.child (amount) VALUES (0)',
	'INSERT INTO failure_schema.child (id) VALUES (1), (1)',
	'INSERT INTO failure_schema.child (parent) VALUES (7)',
	'SELECT * FROM failure_schema.nothing',
	'SELECT 1 / 0'));
SELECT runtime_status, failure FROM df_wait_for_completion('failure each');
SELECT jsonb_pretty(failure - 'context') AS failure FROM df_history
WHERE instance_id = 'failure each' AND event_type = 'TaskFailed' ORDER BY seq;
-- what PostgreSQL does not say is not there at all
SELECT count(*) FROM df_history, jsonb_each_text(failure)
WHERE instance_id = 'failure each' AND (value IS NULL OR value = '');

-- let through by the orchestrator it is the instance's failure, with the task
SELECT df_start_singleton('failure_pass', 'failure pass', jsonb_build_object('name', 'failure_sql',
	'input', 'INSERT INTO failure_schema.parent VALUES (1), (1)', 'retry', df_retry_policy(3, '1 ms')));
SELECT runtime_status, output, jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('failure pass');
SELECT failure = (SELECT failure FROM df_get_status('failure pass')) AS same_at_the_end
FROM df_history WHERE instance_id = 'failure pass' AND event_type = 'ExecutionCompleted';
SELECT failure - 'context' = (SELECT failure - 'context' FROM df_get_status('failure pass')) AS same_of_the_task, failure -> 'attempts' AS attempts
FROM df_history WHERE instance_id = 'failure pass' AND event_type = 'TaskFailed' ORDER BY seq;

-- RAISE with all its options
CREATE FUNCTION failure_raise(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'message "%"', input #>> '{}' USING ERRCODE = 'ZZ123', DETAIL = E'Detail\nof two lines.', HINT = 'Hint.',
		SCHEMA = 'some schema', TABLE = 'some table', COLUMN = 'some column', DATATYPE = 'some type', CONSTRAINT = 'some constraint';
END $$;
SELECT df_start_singleton('failure_pass', 'failure raise', '{"name": "failure_raise", "input": "x"}');
SELECT jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('failure raise');
-- by a function that is an orchestrator and nothing else: it has no task
SELECT df_start_singleton('failure_raise', 'failure own', '"own"');
SELECT jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('failure own');
-- the orchestrator can read all of it
CREATE FUNCTION failure_diagnostics(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text; context text;
	sch text; tab text; col text; typ text; con text;
BEGIN
	PERFORM df_call_activity('failure_raise', '"y"');
EXCEPTION WHEN SQLSTATE 'ZZ123' THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT, sch = SCHEMA_NAME, tab = TABLE_NAME,
		col = COLUMN_NAME, typ = PG_DATATYPE_NAME, con = CONSTRAINT_NAME;
	RETURN jsonb_build_array(state, message, detail, hint, sch, tab, col, typ, con,
		context ~ 'function failure_raise\(jsonb\) line 3 at RAISE' AND context ~ 'function failure_diagnostics\(jsonb\) line 6');
END $$;
SELECT df_start_singleton('failure_diagnostics', 'failure diagnostics');
SELECT output FROM df_wait_for_completion('failure diagnostics');

-- the context: the stack of the activity, and below it that of the orchestrator
CREATE FUNCTION failure_inner(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	RETURN 1 / i;
END $$;
CREATE FUNCTION failure_outer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	-- a remark
	PERFORM failure_inner(0);
	RETURN NULL;
END $$;
CREATE FUNCTION failure_calling(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN

	RETURN df_call_activity('failure_outer');
END $$;
CREATE FUNCTION failure_stack(failure jsonb) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT m[1] FROM regexp_matches(failure ->> 'context', 'function (\S+ line \d+)', 'g') m
$$;
SELECT df_start_singleton('failure_calling', 'failure context');
SELECT df_start_singleton('failure_outer', 'failure context own');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate FROM df_wait_for_completion('failure context');
SELECT failure_stack(failure) FROM df_get_status('failure context');
SELECT failure_stack(failure) FROM df_history WHERE instance_id = 'failure context' AND event_type = 'TaskFailed';
SELECT failure_stack(failure) FROM df_wait_for_completion('failure context own');

-- another error of the orchestrator is its own, also when it is like that of
-- the task; raised again it is the task's
CREATE FUNCTION failure_reraise(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	RETURN df_call_activity('failure_sql', '"SELECT 1 / 0"');
EXCEPTION WHEN division_by_zero THEN
	CASE input #>> '{}'
		WHEN 'again' THEN RAISE;
		WHEN 'other' THEN RAISE EXCEPTION 'gave up: %', SQLERRM USING ERRCODE = 'ZZ001';
		WHEN 'the same state' THEN RAISE EXCEPTION 'gave up: %', SQLERRM USING ERRCODE = 'division_by_zero';
		WHEN 'after another task' THEN
			PERFORM df_call_activity('failure_sql', '"SELECT 1"');
			RAISE EXCEPTION 'gave up' USING ERRCODE = 'ZZ001';
		WHEN 'by itself' THEN RETURN to_jsonb(1 / 0);
		WHEN 'another task' THEN RETURN df_call_activity('failure_raise', '"another"');
	END CASE;
END $$;
SELECT df_start_singleton('failure_reraise', 'failure ' || k, to_jsonb(k))
FROM unnest('{again,other,the same state,after another task,by itself,another task}'::text[]) k;
SELECT k, s.runtime_status, s.failure ->> 'sqlstate' AS sqlstate, s.failure ->> 'message' AS message,
	s.failure -> 'name' AS name, s.failure -> 'seq' AS seq, s.failure -> 'attempts' AS attempts
FROM unnest('{again,other,the same state,after another task,by itself,another task}'::text[]) WITH ORDINALITY x (k, n),
	df_wait_for_completion('failure ' || k) s ORDER BY n;

-- of several tasks the first one in the order of the array
CREATE FUNCTION failure_tasks(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
BEGIN
	tasks := ARRAY[
		df_schedule_activity('failure_sql', '"SELECT 1"'),
		df_schedule_activity('failure_raise', '"second"'),
		df_schedule_activity('failure_sql', '"SELECT 1 / 0"', df_retry_policy(2, '1 ms'))];
	RETURN CASE input #>> '{}'
		WHEN 'all' THEN df_wait_all(tasks)
		WHEN 'all, another order' THEN df_wait_all(ARRAY[tasks[3], tasks[2], tasks[1]])
		WHEN 'one' THEN df_await(tasks[3]) END;
END $$;
SELECT df_start_singleton('failure_tasks', 'failure tasks ' || k, to_jsonb(k)) FROM unnest('{all,"all, another order",one}'::text[]) k;
SELECT k, s.runtime_status, s.failure ->> 'sqlstate' AS sqlstate, s.failure ->> 'message' AS message,
	s.failure -> 'name' AS name, s.failure -> 'seq' AS seq, s.failure -> 'attempts' AS attempts
FROM unnest('{all,"all, another order",one}'::text[]) k, df_wait_for_completion('failure tasks ' || k) s ORDER BY 1;

-- a child's failure is raised in the parent with the child's id, over as many
-- generations as there are
CREATE FUNCTION failure_child(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF input::int > 0 THEN
		RETURN df_call_sub_orchestrator('failure_child', to_jsonb(input::int - 1), format('failure child %s', input::int - 1));
	END IF;
	PERFORM df_call_activity('failure_sql', '"SELECT 1"');
	PERFORM df_call_activity('failure_sql', '"SELECT 2"');
	RETURN df_call_activity('failure_sql', '"INSERT INTO failure_schema.parent VALUES (1), (1)"', df_retry_policy(2, '1 ms'));
END $$;
SELECT df_start_singleton('failure_child', 'failure child 3', '3');
SELECT runtime_status FROM df_wait_for_completion('failure child 3');
SELECT instance_id, parent_instance_id, runtime_status, jsonb_pretty(failure - '{context,detail,schema,table,constraint}'::text[]) AS failure,
	failure - '{context,instance_id,name,seq,attempts}'::text[] = (SELECT failure - '{context,instance_id,name,seq,attempts}'::text[] FROM df_get_status('failure child 0')) AS rest
FROM df_instances WHERE instance_id LIKE 'failure child %' ORDER BY 1;
SELECT instance_id, event_type, name, jsonb_pretty(failure - '{context,detail,schema,table,constraint}'::text[]) AS failure FROM df_history
WHERE instance_id LIKE 'failure child %' AND event_type IN ('TaskFailed', 'SubOrchestrationInstanceFailed') ORDER BY 1, seq;
-- the stacks of all of them
SELECT failure_stack(failure) FROM df_get_status('failure child 3');
-- of a child that failed by itself, one that was terminated, one whose id was
-- given away; caught and let through
CREATE FUNCTION failure_held(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION failure_parent(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_call_sub_orchestrator(input ->> 'name', '"z"', input ->> 'id');
EXCEPTION WHEN SQLSTATE 'ZZ123' OR SQLSTATE 'SD410' OR SQLSTATE 'SD409' THEN
	IF NOT (input -> 'catch')::boolean THEN
		RAISE;
	END IF;
	RETURN jsonb_build_array(SQLSTATE, SQLERRM);
END $$;
SELECT df_start_singleton('failure_held', 'failure taken');
SELECT df_start_singleton('failure_parent', format('failure of %s, %s', k, c), jsonb_build_object('catch', c,
	'name', CASE k WHEN 'own' THEN 'failure_raise' ELSE 'failure_held' END,
	'id', CASE k WHEN 'taken' THEN 'failure taken' ELSE format('failure child of %s, %s', k, c) END))
FROM unnest('{own,terminated,taken}'::text[]) k, unnest('{true,false}'::boolean[]) c;
CALL until($$ (SELECT count(*) = 2 FROM df_instances WHERE instance_id LIKE 'failure child of terminated%' AND waiting_for = 'event go') $$);
SELECT df_terminate('failure child of terminated, ' || c, 'no more') FROM unnest('{t,f}'::text[]) c;
SELECT s.instance_id, s.runtime_status, s.output, jsonb_pretty(s.failure - 'context') AS failure
FROM unnest('{own,terminated,taken}'::text[]) k, unnest('{t,f}'::text[]) c, df_wait_for_completion(format('failure of %s, %s', k, c)) s ORDER BY 1;
SELECT df_terminate('failure taken');

-- a function that is missing, an argument that is wrong
SELECT df_start_singleton('failure_pass', 'failure missing', '{"name": "failure_nowhere"}');
SELECT jsonb_pretty(failure - 'context') AS failure FROM df_wait_for_completion('failure missing');
-- of unreasonable length: it is cut, and an instance with it as any other
CREATE FUNCTION failure_long(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', repeat('é', 10000000) USING DETAIL = repeat('d', 1000000), HINT = repeat('h', 1000000);
END $$;
SELECT df_start_singleton('failure_pass', 'failure long', '{"name": "failure_long"}');
SELECT runtime_status, octet_length(failure ->> 'message') BETWEEN 1000 AND 100000 AS message, octet_length(failure ->> 'detail') BETWEEN 1000 AND 100000 AS detail,
	octet_length(failure ->> 'hint') BETWEEN 1000 AND 100000 AS hint, failure -> 'name' AS name
FROM df_wait_for_completion('failure long');

-- what the orchestrator writes itself fails when it commits
CREATE TABLE failure_unique (i int UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO failure_unique VALUES (1);
CREATE FUNCTION failure_commit(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	INSERT INTO failure_unique VALUES (1), (2);
	RETURN '"written"';
END $$;
SELECT df_start_singleton('failure_commit', 'failure commit');
SELECT runtime_status, output, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message, failure ->> 'detail' AS detail
FROM df_wait_for_completion('failure commit');
TABLE failure_unique;
DROP TABLE failure_unique;

DROP SCHEMA failure_schema CASCADE;
DROP FUNCTION failure_sql, failure_each, failure_pass, failure_raise, failure_diagnostics, failure_inner, failure_outer,
	failure_calling, failure_stack, failure_reraise, failure_tasks, failure_child, failure_held, failure_parent, failure_long, failure_commit;
