-- The result of a function is the same value when it is read, whatever the
-- settings of the writing and the reading role.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE SCHEMA rs_a;
CREATE SCHEMA rs_b;
CREATE TABLE rs_a.t ();
CREATE TABLE rs_b.t ();
CREATE TYPE rs_row AS (span interval, ratio float8, day date);
CREATE FUNCTION rs_interval() RETURNS interval LANGUAGE sql AS $$ SELECT interval '-1 day -2 hours' $$;
CREATE FUNCTION rs_float() RETURNS float8 LANGUAGE sql AS $$ SELECT 0.1::float8 + 0.2::float8 $$;
CREATE FUNCTION rs_floats() RETURNS SETOF float4 LANGUAGE sql AS $$ SELECT 16777216::float4 UNION ALL SELECT 0.3::float4 $$;
CREATE FUNCTION rs_table() RETURNS regclass LANGUAGE sql AS $$ SELECT 'rs_a.t'::regclass $$;
CREATE FUNCTION rs_tables() RETURNS regclass[] LANGUAGE sql AS $$ SELECT ARRAY['rs_a.t', 'rs_b.t']::regclass[] $$;
CREATE FUNCTION rs_row() RETURNS rs_row LANGUAGE sql
AS $$ SELECT (interval '-1 day -2 hours', 0.1::float8 + 0.2::float8, date '2026-02-03')::rs_row $$;
CREATE FUNCTION rs_is(span interval DEFAULT NULL, ratio float8 DEFAULT NULL, rel regclass DEFAULT NULL) RETURNS text LANGUAGE sql
AS $$ SELECT CASE WHEN span IS NOT NULL THEN (extract(epoch FROM span))::text
	WHEN ratio IS NOT NULL THEN (ratio = 0.1::float8 + 0.2::float8)::text
	ELSE (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = rel) END $$;
CREATE FUNCTION rs() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	span jsonb := df_call_activity('rs_interval');
	ratio jsonb := df_call_activity('rs_float');
	rel jsonb := df_call_activity('rs_table');
	results jsonb;
BEGIN
	results := jsonb_build_object('span', span, 'ratio', ratio, 'rel', rel, 'floats', df_call_activity('rs_floats'),
		'tables', df_call_activity('rs_tables'), 'row', df_call_activity('rs_row'));
	-- an ordinary reader
	PERFORM set_config('intervalstyle', 'postgres', true), set_config('search_path', 'rs_b, public', true);
	RETURN results || jsonb_build_object('span is', rs_is(span => (span #>> '{}')::interval),
		'ratio is', rs_is(ratio => ratio::float8), 'rel is', rs_is(rel => (rel #>> '{}')::regclass));
END $$;

-- the settings of the role that writes
ALTER FUNCTION rs_interval() SET intervalstyle = 'sql_standard';
ALTER FUNCTION rs_row() SET intervalstyle = 'sql_standard';
DO $$ BEGIN
	EXECUTE format('ALTER DATABASE %I SET intervalstyle = sql_standard', current_database());
	EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -3', current_database());
	EXECUTE format('ALTER DATABASE %I SET datestyle = German', current_database());
	EXECUTE format('ALTER DATABASE %I SET search_path = public, rs_a', current_database());
END $$;
-- a worker that knows them
CALL workers_leave();
CALL until($$ NOT EXISTS (SELECT FROM df_stat_workers WHERE database = current_database()) $$);
SELECT df_start_singleton('rs', 'rs');
SELECT jsonb_pretty(output) FROM df_wait_for_completion('rs');

-- the settings come back: a function that returns a set runs on between two conversions
CREATE FUNCTION rs_between() RETURNS SETOF interval LANGUAGE sql
AS $$ SELECT make_interval(secs => (current_setting('intervalstyle') = 'sql_standard')::int) FROM generate_series(1, 3) $$;
CREATE FUNCTION rs_after() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity('rs_between') $$;
SELECT df_start_singleton('rs_after', 'rs');
SELECT output FROM df_wait_for_completion('rs');

DO $$ BEGIN
	EXECUTE format('ALTER DATABASE %I RESET intervalstyle', current_database());
	EXECUTE format('ALTER DATABASE %I RESET extra_float_digits', current_database());
	EXECUTE format('ALTER DATABASE %I RESET datestyle', current_database());
	EXECUTE format('ALTER DATABASE %I RESET search_path', current_database());
END $$;
CALL workers_leave();
SELECT df_purge('rs');
DROP FUNCTION rs, rs_after, rs_between, rs_is, rs_interval, rs_float, rs_floats, rs_table, rs_tables, rs_row;
DROP TYPE rs_row;
\set QUIET on
DROP SCHEMA rs_a, rs_b CASCADE;
