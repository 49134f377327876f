-- A start with wrong input gets a clear error and changes nothing.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION bad_good(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION bad_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
CREATE FUNCTION bad_text(input text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
CREATE FUNCTION bad_none() RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
CREATE FUNCTION bad_two(input jsonb, n int) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION bad_default(input jsonb, n int DEFAULT 1) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION bad_variadic(VARIADIC input jsonb[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT input[1] $$;
CREATE FUNCTION bad_any(input anyelement) RETURNS anyelement LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION bad_set(input jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION bad_table(input jsonb) RETURNS TABLE (output jsonb) LANGUAGE sql AS $$ SELECT input $$;
CREATE AGGREGATE bad_aggregate(jsonb) (sfunc = jsonb_concat, stype = jsonb);
CREATE FUNCTION bad_strict(input jsonb) RETURNS jsonb STRICT LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION bad_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

-- the function
SELECT error_of($$ SELECT df_start_singleton('bad_nowhere', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('nowhere.bad_good', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('a.b.c.d', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good(jsonb)', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('"bad_good', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('BAD_good ; DROP TABLE x', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_text', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_none', 'bad', '{"n": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_two', 'bad', '{"input": 1, "N": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_default', 'bad', '{"n": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_variadic', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_any', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_set', 'bad', '1') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_table', 'bad', '1') $$);
SELECT error_of($$ SELECT df_start_singleton('pg_catalog.row_number', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_aggregate', 'bad', '1') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_trigger', 'bad', '1') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_strict', 'bad') $$);
SELECT error_of($$ SELECT df_start_new('bad_strict', 'bad') $$);
SELECT error_of($$ SELECT df_start_new('bad_nowhere', 'bad') $$);
CREATE FUNCTION pg_temp.bad_temp(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
SELECT error_of($$ SELECT df_start_singleton('pg_temp.bad_temp', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_temp', 'bad') $$);
SELECT error_of(format($$ SELECT df_start_singleton('%s.bad_temp', 'bad') $$, pg_my_temp_schema()::regnamespace)) LIKE 'SD400: %' AS by_its_real_name;

-- the EXECUTE right
CREATE ROLE regress_ds_user LOGIN;
SELECT df_grant_usage('regress_ds_user');
REVOKE EXECUTE ON FUNCTION bad_good FROM PUBLIC;
CREATE SCHEMA regress_ds_closed;
CREATE FUNCTION regress_ds_closed.f(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
SET SESSION AUTHORIZATION regress_ds_user;
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad') $$);
SELECT error_of($$ SELECT df_start_new('bad_good', 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('regress_ds_closed.f', 'bad') $$);
RESET SESSION AUTHORIZATION;
SELECT df_revoke_usage('regress_ds_user');
DROP SCHEMA regress_ds_closed CASCADE;
DROP ROLE regress_ds_user;

-- the id
SELECT error_of($$ SELECT df_start_singleton('bad_good', '') $$);
SELECT error_of($$ SELECT df_start_new('bad_good', '') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', repeat('x', 257)) $$);
SELECT error_of($$ SELECT df_start_new('bad_good', repeat('x', 257)) $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', repeat('x', 10000000)) $$);
SELECT c AS code, left(error_of(format($$ SELECT df_start_singleton('bad_good', 'bad' || chr(%s) || 'id') $$, c)), 5) AS state
FROM unnest('{1,9,10,13,27,31,127}'::int[]) c;
SELECT error_of($$ SELECT df_start_singleton('bad_good', E'bad\nid') $$);
SELECT error_of($$ SELECT df_start_new('bad_good', E'bad\tid') $$);

-- NULLs
SELECT error_of($$ SELECT df_start_singleton(NULL, 'bad') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', NULL) $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', on_conflict => NULL) $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => NULL) $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => '{Completed,NULL}') $$);
SELECT error_of($$ SELECT df_start_new(NULL, 'bad') $$);

-- on_conflict
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', on_conflict => 'wait') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', on_conflict => '') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', on_conflict => 'Skip') $$);

-- reuse: ended statuses only
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => '{Running}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => '{Completed,Pending}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => '{Suspended}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => '{ContinuedAsNew}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => '{{Completed},{Running}}') $$);
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', reuse => '{Done}') $$);

-- the payload
SET durable_singleton.max_payload_size = '1kB';
SELECT error_of($$ SELECT df_start_singleton('bad_good', 'bad', to_jsonb(repeat('x', 2000))) $$);
SELECT error_of($$ SELECT df_start_new('bad_good', 'bad', to_jsonb(repeat('x', 2000))) $$);
RESET durable_singleton.max_payload_size;

-- a read-only transaction
BEGIN READ ONLY;
SELECT df_start_singleton('bad_good', 'bad');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT df_start_new('bad_good', 'bad');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT df_raise_event('bad', 'go');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT df_terminate('bad');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- nothing came of all that
SELECT instance_id FROM df_instances WHERE instance_id LIKE 'bad%';
SELECT count(*) FROM df_get_status('bad');

-- the same over an active id, and over an ended one: it stays as it was
SELECT df_start_singleton('bad_hold', 'bad active', '"kept"');
SELECT df_start_singleton('bad_good', 'bad ended', '"kept"');
SELECT runtime_status FROM df_wait_for_completion('bad ended');
SELECT id, error_of(format($$ SELECT df_start_singleton('bad_nowhere', %L) $$, id)),
	error_of(format($$ SELECT df_start_singleton('bad_good', %L, on_conflict => 'wait') $$, id)),
	error_of(format($$ SELECT df_start_singleton('bad_strict', %L, on_conflict => 'terminate') $$, id)),
	error_of(format($$ SELECT df_start_singleton('bad_good', %L, reuse => '{Running}', on_conflict => 'terminate') $$, id))
FROM unnest('{bad active,bad ended}'::text[]) id \gx
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'bad active') $$);
SELECT name, instance_id, runtime_status, input, output FROM df_instances
WHERE instance_id LIKE 'bad%' ORDER BY instance_id COLLATE "C";
SELECT count(*) FROM df_executions WHERE instance_id LIKE 'bad%';
SELECT df_terminate('bad active');

DROP AGGREGATE bad_aggregate(jsonb);
DROP FUNCTION bad_good, bad_hold, bad_text, bad_none, bad_two, bad_default,
	bad_variadic, bad_any, bad_set, bad_table, bad_strict, bad_trigger;
