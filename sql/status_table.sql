-- The effect of each call in each status: one cell for every call and status,
-- created by a loop so that none is forgotten; for the owner and for others.
\set ECHO none
\i sql/helpers.inc
\i sql/workers_off.inc
\set ECHO all
CREATE TABLE table_mended (mended boolean);
INSERT INTO table_mended VALUES (false);
CREATE FUNCTION table_mended(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF NOT (SELECT mended FROM table_mended) THEN
		RAISE EXCEPTION 'no luck';
	END IF;
	RETURN '"mended"';
END $$;
CREATE FUNCTION table_work(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE input ->> 'becomes'
		WHEN 'Completed' THEN '"done"'
		WHEN 'Failed' THEN df_call_activity('table_mended')
		ELSE df_wait_for_external_event('go') END;
END $$;

CREATE TABLE table_state (place int, state text, becomes text);
INSERT INTO table_state VALUES
	(1, 'unknown id', NULL),
	(2, 'Pending', 'Pending'),
	(3, 'Running', 'Running'),
	(4, 'Suspended (Pending)', 'Pending'),
	(5, 'Suspended (Running)', 'Running'),
	(6, 'Completed', 'Completed'),
	(7, 'Failed', 'Failed'),
	(8, 'Terminated', 'Running');
CREATE TABLE table_call (line int GENERATED ALWAYS AS IDENTITY, call text, statement text);
INSERT INTO table_call (call, statement) VALUES
	('start_singleton', $$ df_start_singleton('table_work', %L, '{"becomes": "Completed"}') $$),
	('start, error', $$ df_start_singleton('table_work', %L, '{"becomes": "Completed"}', 'error') $$),
	('start, terminate', $$ df_start_singleton('table_work', %L, '{"becomes": "Completed"}', 'terminate') $$);
-- each with what reuse may hold
INSERT INTO table_call (call, statement)
	SELECT 'start, ' || coalesce(conflict || ', ', '') || 'reuse ' || reuse,
		format($$ df_start_singleton('table_work', %%L, '{"becomes": "Completed"}', %L, %L) $$, coalesce(conflict, 'skip'), reuse)
	FROM unnest('{NULL,error,terminate}'::text[]) WITH ORDINALITY c(conflict, i),
		unnest('{"{}","{Completed}","{Failed}","{Terminated}"}'::text[]) WITH ORDINALITY r(reuse, j)
	ORDER BY i, j;
INSERT INTO table_call (call, statement) VALUES
	('start_new', $$ df_start_new('table_work', %L, '{"becomes": "Completed"}') $$),
	('raise_event', $$ df_raise_event(%L, 'go', '"went"') $$),
	('terminate', $$ df_terminate(%L, 'why') $$),
	('suspend', $$ df_suspend(%L, 'why') $$),
	('resume', $$ df_resume(%L, 'why') $$),
	('rewind', $$ df_rewind(%L, 'why') $$),
	('restart, same id', $$ df_restart(%L, false) $$),
	('restart, new id', $$ df_restart(%L) $$),
	('purge', $$ df_purge(%L) $$),
	('get_status', $$ (SELECT runtime_status FROM df_get_status(%L)) $$);
-- a cell is an id of its own; caller: who makes the call
CREATE VIEW table_cell AS
	SELECT *, format('table %s %s %s', caller, line, place) AS id
	FROM table_call, table_state, unnest('{owner,other}'::text[]) caller;
-- what a row of the table shows
CREATE TABLE table_result (id text, result text, cell text, untouched boolean, new_id text);

-- what a call returns, or its SQLSTATE
CREATE FUNCTION table_try(statement text, id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT ' || statement, id) INTO answer;
	RETURN CASE answer WHEN 't' THEN 'true' WHEN 'f' THEN 'false' WHEN '' THEN 'done' ELSE answer END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
-- everything there is to see of an instance
CREATE TYPE table_facts AS (status text, execution_id uuid, events int, past int, story text);
CREATE FUNCTION table_facts(id text) RETURNS table_facts LANGUAGE plpgsql AS $$
DECLARE
	facts table_facts;
BEGIN
	SELECT s.runtime_status, s.execution_id, s::text INTO facts.status, facts.execution_id, facts.story
	FROM df_instances s WHERE instance_id = id;
	SELECT count(*) INTO facts.events FROM durable_singleton.inbox b WHERE b.instance_id = table_facts.id;
	SELECT count(*) INTO facts.past FROM df_executions WHERE instance_id = id;
	facts.story := concat(facts.story, (SELECT string_agg(h::text, ' ' ORDER BY seq) FROM df_history h WHERE instance_id = id));
	RETURN facts;
END $$;
-- one cell: the answer, and the status if the call has changed it
CREATE FUNCTION table_do(c table_cell) RETURNS table_result LANGUAGE plpgsql AS $$
DECLARE
	before table_facts := table_facts(c.id);
	after table_facts;
	r table_result;
BEGIN
	IF c.caller = 'other' THEN
		SET LOCAL ROLE regress_ds_other;
	END IF;
	r.id := c.id;
	r.result := table_try(c.statement, c.id);
	RESET ROLE;
	after := table_facts(c.id);
	r.untouched := before IS NOT DISTINCT FROM after;
	IF r.result = c.id THEN
		r.result := 'the id';
	ELSIF EXISTS (SELECT FROM df_instances WHERE instance_id = r.result) THEN
		r.new_id := r.result;
		r.result := 'new id';
	END IF;
	r.cell := r.result
		|| CASE WHEN after.status IS NULL AND before.status IS NOT NULL THEN ', gone'
			WHEN after.execution_id <> before.execution_id THEN ', new ' || after.status
			WHEN after.status IS DISTINCT FROM before.status THEN ', ' || after.status
			ELSE '' END
		|| CASE WHEN after.past > before.past THEN ', archived' ELSE '' END
		|| CASE WHEN after.events > before.events THEN ', kept' ELSE '' END
		|| coalesce(', ' || (SELECT s.runtime_status FROM df_instances s WHERE s.instance_id = r.new_id), '');
	RETURN r;
END $$;

-- bring every cell's instance into its status
CREATE ROLE regress_ds_other LOGIN;
SELECT df_grant_usage('regress_ds_other');
CREATE FUNCTION table_start(c table_cell) RETURNS boolean LANGUAGE sql AS $$
	SELECT df_start_singleton('table_work', c.id, jsonb_build_object('becomes', c.becomes)) $$;
SELECT count(*) FROM table_cell c WHERE becomes <> 'Pending' AND table_start(c);
CALL df_run();
SELECT count(df_terminate(id, 'ended')) FROM table_cell WHERE state = 'Terminated';
SELECT count(*) FROM table_cell c WHERE becomes = 'Pending' AND table_start(c);
SELECT count(df_suspend(id)) FROM table_cell WHERE state LIKE 'Suspended%';
SELECT state, runtime_status, count(*) / (SELECT count(*) FROM table_call) AS callers
FROM table_cell c LEFT JOIN df_instances i ON i.instance_id = c.id GROUP BY place, state, runtime_status ORDER BY place;

-- the table
DO $$
DECLARE
	c table_cell;
BEGIN
	FOR c IN SELECT * FROM table_cell ORDER BY caller DESC, line, place LOOP
		INSERT INTO table_result SELECT * FROM table_do(c);
		COMMIT;
	END LOOP;
END $$;
\pset null '-'
SELECT call, state, cell, place FROM table_cell NATURAL JOIN table_result WHERE caller = 'owner' ORDER BY line, place
\crosstabview call state cell place
-- no cell is missing
SELECT (SELECT count(*) FROM table_result) = (SELECT count(*) FROM table_call) * (SELECT count(*) FROM table_state) * 2 AS complete;
-- a call that is refused, or answers false or 0, has touched nothing
SELECT call, state FROM table_cell NATURAL JOIN table_result
WHERE NOT untouched AND (result IN ('false', '0') OR result ~ '^(SD|42)');
-- and one that is not has done something
SELECT call, state FROM table_cell NATURAL JOIN table_result
WHERE untouched AND call <> 'get_status' AND new_id IS NULL AND NOT (result IN ('false', '0') OR result ~ '^(SD|42)');
-- a restart has the function and the input of what it restarts
SELECT state, n.name, n.input, n.parent_instance_id FROM table_cell c NATURAL JOIN table_result r JOIN df_instances n ON n.instance_id = coalesce(r.new_id, r.id)
WHERE call LIKE 'restart%' AND result IN ('new id', 'the id') AND caller = 'owner' ORDER BY line, place;

-- the messages
SELECT c.call, c.state, error_of(format('SELECT ' || statement, id))
FROM (VALUES ('suspend', 'unknown id'), ('suspend', 'Suspended (Running)'), ('suspend', 'Completed'),
	('resume', 'unknown id'), ('resume', 'Pending'), ('resume', 'Running'), ('resume', 'Failed'),
	('rewind', 'unknown id'), ('rewind', 'Running'), ('rewind', 'Suspended (Running)'), ('rewind', 'Completed'), ('rewind', 'Terminated'),
	('restart, same id', 'unknown id'), ('restart, same id', 'Running'), ('restart, same id', 'Suspended (Running)'), ('restart, new id', 'unknown id'),
	('purge', 'Running'), ('purge', 'Suspended (Pending)')) m(call, state)
	JOIN table_cell c USING (call, state) WHERE caller = 'other' ORDER BY c.line, c.place;

-- what becomes of them when they run on, with the cause of the failures mended
UPDATE table_mended SET mended = true;
CALL df_run();
SELECT call, state, coalesce(i.runtime_status::text, '') || coalesce(' ' || i.output::text, '') || coalesce(', ' || n.runtime_status, '') || coalesce(' ' || n.output::text, '') AS then, place
FROM table_cell c NATURAL JOIN table_result r LEFT JOIN df_instances i ON i.instance_id = c.id LEFT JOIN df_instances n ON n.instance_id = r.new_id
WHERE caller = 'owner' ORDER BY line, place
\crosstabview call state then place

-- a role that has nothing to do with the owner: 42501 in every status
SELECT call, state, cell, place FROM table_cell NATURAL JOIN table_result WHERE caller = 'other' ORDER BY line, place
\crosstabview call state cell place
SET ROLE regress_ds_other;
SELECT c, error_of(format('SELECT df_%s(''table other 1 3'')', c)) FROM unnest('{suspend,resume,rewind,restart,purge}'::text[]) c;
RESET ROLE;
-- a member of the owner role does what the owner does
CREATE ROLE regress_ds_owner LOGIN;
CREATE ROLE regress_ds_member LOGIN IN ROLE regress_ds_owner;
SELECT df_grant_usage(r) FROM unnest('{regress_ds_owner,regress_ds_member}'::name[]) r;
SET ROLE regress_ds_owner;
SELECT df_start_singleton('table_work', 'table member', '{"becomes": "Pending"}');
SET ROLE regress_ds_member;
SELECT df_suspend('table member');
SELECT df_resume('table member');
SELECT df_terminate('table member');
SELECT df_restart('table member', false);
SELECT df_terminate('table member');
SELECT df_restart('table member') <> 'table member' AS new_id;
SELECT df_purge('table member');
RESET ROLE;
-- what was restarted belongs to whom it belonged to
SELECT owner, runtime_status FROM df_instances WHERE owner IN ('regress_ds_owner'::regrole, 'regress_ds_member'::regrole);

-- a NULL id is no id
SELECT call, table_try(statement, NULL) FROM table_call WHERE call <> 'start_new' ORDER BY line;
SELECT c, error_of(format('SELECT df_%s(NULL)', c)) FROM unnest('{suspend,resume,rewind,restart,purge}'::text[]) c;
-- nor is an empty, an overlong one, or one with control characters
SELECT call, table_try(statement, '') AS empty, table_try(statement, repeat('x', 257)) AS overlong, table_try(statement, E'a\nb') AS control
FROM table_call WHERE call !~ '^start,' ORDER BY line;

SELECT count(df_terminate(instance_id)) > 0 AS ended FROM df_instances WHERE runtime_status IN ('Pending', 'Running', 'Suspended') AND name = 'table_work';
SELECT count(df_purge(instance_id)) > 0 AS gone FROM df_instances WHERE name = 'table_work';
SELECT df_revoke_usage(r) FROM unnest('{regress_ds_other,regress_ds_owner,regress_ds_member}'::name[]) r;
DROP OWNED BY regress_ds_other, regress_ds_owner, regress_ds_member;
DROP ROLE regress_ds_other, regress_ds_owner, regress_ds_member;
DROP FUNCTION table_start, table_do, table_facts, table_try;
DROP TYPE table_facts;
DROP VIEW table_cell;
DROP TABLE table_state, table_call, table_result, table_mended;
DROP FUNCTION table_work, table_mended;
\set ECHO none
\i sql/workers_on.inc
