-- Any function or procedure is an activity or an orchestrator: the keys of the
-- input are matched to its arguments, and its result is returned as jsonb.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
-- an orchestrator that makes the calls of its input and tells what came back
CREATE FUNCTION sig_calls(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	call jsonb;
	results jsonb[] := '{}';
	result jsonb;
	message text; detail text; hint text; context text;
BEGIN
	FOR call IN SELECT jsonb_array_elements(input) LOOP
		BEGIN
			result := df_call_activity(call ->> 'f', call -> 'i');
			IF result IS NULL THEN
				result := '"(NULL)"';
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
				hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
			result := to_jsonb(concat_ws(E'\n', SQLSTATE || ': ' || message, 'DETAIL: ' || nullif(detail, ''),
				'HINT: ' || nullif(hint, ''), 'CONTEXT: ' || substring(context FROM '^input of [^\n]*')));
		END;
		results := results || jsonb_build_object('f', call -> 'f', 'i', call -> 'i', 'r', result);
	END LOOP;
	RETURN to_jsonb(results);
END $$;
CREATE VIEW sig_result AS
SELECT r ->> 'f' AS function, r -> 'i' AS input,
	CASE jsonb_typeof(r -> 'r') WHEN 'string' THEN r ->> 'r' ELSE (r -> 'r')::text END AS result
FROM df_wait_for_completion('sig') s, jsonb_array_elements(s.output) WITH ORDINALITY e(r, n)
ORDER BY n;

-- arguments: several, with defaults, none, variadic
CREATE FUNCTION sig_sum(a int, b int) RETURNS int LANGUAGE sql AS $$ SELECT a + b $$;
CREATE FUNCTION sig_greet(name text, greeting text DEFAULT 'Hello', mark text DEFAULT upper('!')) RETURNS text
LANGUAGE plpgsql AS $$ BEGIN RETURN greeting || ', ' || name || mark; END $$;
CREATE FUNCTION sig_none() RETURNS text LANGUAGE sql AS $$ SELECT 'nothing needed' $$;
CREATE FUNCTION sig_variadic(separator text, VARIADIC parts int[] DEFAULT '{0}') RETURNS text
LANGUAGE sql AS $$ SELECT array_to_string(parts, separator) $$;
CREATE FUNCTION "sig Quoted"("Order Id" int, "select" text, "a ""quote""" int) RETURNS text
LANGUAGE sql AS $$ SELECT concat_ws('/', $1, $2, $3) $$;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_sum", "i": {"a": 1, "b": 2}},
	{"f": "public.sig_sum", "i": {"b": null, "a": 2}},
	{"f": "sig_greet", "i": {"name": "you"}},
	{"f": "sig_greet", "i": {"mark": "?", "name": "you"}},
	{"f": "sig_greet", "i": {"name": "you", "mark": "?", "greeting": "Bye"}},
	{"f": "sig_none"},
	{"f": "sig_none", "i": {}},
	{"f": "sig_variadic", "i": {"separator": "-", "parts": [1, 2, 3]}},
	{"f": "sig_variadic", "i": {"separator": "-", "parts": []}},
	{"f": "sig_variadic", "i": {"separator": "-"}},
	{"f": "\"sig Quoted\"", "i": {"Order Id": 1, "select": "*", "a \"quote\"": 3}},
	{"f": "make_date", "i": {"year": 2020, "month": 2, "day": 29}},
	{"f": "make_interval", "i": {"hours": 30, "secs": 0.5}}
]$$);
SELECT * FROM sig_result;

-- results: void, NULL, all kinds of types, OUT arguments, rows
CREATE TYPE sig_mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE sig_point AS (x int, y numeric(6,2));
CREATE DOMAIN sig_positive AS int CHECK (VALUE > 0);
CREATE DOMAIN sig_required AS text NOT NULL;
CREATE TABLE sig_item (id int, name text);
CREATE FUNCTION sig_void(a int) RETURNS void LANGUAGE sql AS $$ INSERT INTO sig_item VALUES (a, 'by sig_void') $$;
CREATE FUNCTION sig_null(a int) RETURNS date LANGUAGE sql AS $$ SELECT NULL::date $$;
CREATE FUNCTION sig_null_jsonb(a int) RETURNS jsonb LANGUAGE sql AS $$ SELECT NULL::jsonb $$;
CREATE FUNCTION sig_json_null(a int) RETURNS jsonb LANGUAGE sql AS $$ SELECT 'null'::jsonb $$;
CREATE FUNCTION sig_json(a int) RETURNS json LANGUAGE sql AS $$ SELECT '{"b" : 1,  "a":2}'::json $$;
CREATE FUNCTION sig_date(a int) RETURNS date LANGUAGE sql AS $$ SELECT date '2020-01-01' + a $$;
CREATE FUNCTION sig_mood(a int) RETURNS sig_mood LANGUAGE sql AS $$ SELECT 'happy'::sig_mood $$;
CREATE FUNCTION sig_positive(a int) RETURNS sig_positive LANGUAGE sql AS $$ SELECT a::sig_positive $$;
CREATE FUNCTION sig_array(a int) RETURNS text[] LANGUAGE sql AS $$ SELECT ARRAY['x', NULL, a::text] $$;
CREATE FUNCTION sig_point(a int) RETURNS sig_point LANGUAGE sql AS $$ SELECT a, a / 3.0 $$;
CREATE FUNCTION sig_item(a int) RETURNS sig_item LANGUAGE sql AS $$ SELECT a, 'name ' || a $$;
CREATE FUNCTION sig_record(a int) RETURNS record LANGUAGE sql AS $$ SELECT a AS one, 'two' AS two $$;
CREATE FUNCTION sig_out(a int, OUT twice int, OUT half numeric) LANGUAGE plpgsql AS $$
BEGIN
	twice := a * 2;
	half := a / 2.0;
END $$;
CREATE FUNCTION sig_one_out(a int, OUT twice int) LANGUAGE sql AS $$ SELECT a * 2 $$;
CREATE FUNCTION sig_inout(INOUT a int, INOUT t text DEFAULT 'x') LANGUAGE sql AS $$ SELECT a + 1, t || t $$;
SELECT df_start_singleton('sig_calls', 'sig',
	(SELECT jsonb_agg(jsonb_build_object('f', f, 'i', '{"a": 7}'::jsonb) ORDER BY n)
		FROM unnest('{sig_void,sig_null,sig_null_jsonb,sig_json_null,sig_json,sig_date,sig_mood,sig_positive,sig_array,
			sig_point,sig_item,sig_record,sig_out,sig_one_out,sig_inout}'::text[]) WITH ORDINALITY u(f, n)));
SELECT * FROM sig_result;
SELECT * FROM sig_item;

-- a set is an array, also an empty one
CREATE FUNCTION sig_set(n int) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		RETURN NEXT nullif(i, 2);
	END LOOP;
END $$;
CREATE FUNCTION sig_set_sql(n int) RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'row ' || i FROM generate_series(1, n) i $$;
CREATE FUNCTION sig_set_jsonb(n jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('n', i) FROM generate_series(1, n::int) i $$;
CREATE FUNCTION sig_set_item(n int) RETURNS SETOF sig_item LANGUAGE sql AS $$ SELECT i, 'item ' || i FROM generate_series(1, n) i $$;
CREATE FUNCTION sig_set_out(n int, OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql AS $$ SELECT i, 'b' FROM generate_series(1, n) i $$;
CREATE FUNCTION sig_table(n int) RETURNS TABLE (a int, b date) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT i, date '2020-01-01' + i FROM generate_series(1, n) i;
END $$;
CREATE FUNCTION sig_table_one(n int) RETURNS TABLE (a int) LANGUAGE sql AS $$ SELECT generate_series(1, n) $$;
CREATE FUNCTION sig_set_fails(n int) RETURNS SETOF int LANGUAGE sql AS $$ SELECT 1 / (n - i) FROM generate_series(0, n) i $$;
CREATE FUNCTION sig_set_endless() RETURNS SETOF text LANGUAGE sql AS $$ SELECT repeat('x', 10000 + 0 * generate_series(1, 2000000000)) $$;
CREATE FUNCTION sig_set_unknown() RETURNS SETOF record LANGUAGE sql AS $$ SELECT 1, 2 $$;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_set", "i": {"n": 3}},
	{"f": "sig_set", "i": {"n": 0}},
	{"f": "sig_set_sql", "i": {"n": 2}},
	{"f": "sig_set_jsonb", "i": 2},
	{"f": "sig_set_item", "i": {"n": 2}},
	{"f": "sig_set_out", "i": {"n": 2}},
	{"f": "sig_table", "i": {"n": 2}},
	{"f": "sig_table", "i": {"n": null}},
	{"f": "sig_table_one", "i": {"n": 2}},
	{"f": "sig_set_fails", "i": {"n": 1}},
	{"f": "sig_set_endless"},
	{"f": "sig_set_unknown"}
]$$);
SELECT * FROM sig_result;

-- procedures; one that ends the transaction fails and leaves nothing
CREATE PROCEDURE sig_proc(a int, b text DEFAULT 'by sig_proc') LANGUAGE sql AS $$ INSERT INTO sig_item VALUES (a, b) $$;
CREATE PROCEDURE sig_proc_jsonb(input jsonb) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO sig_item VALUES (input::int, 'by sig_proc_jsonb');
END $$;
CREATE PROCEDURE sig_proc_inout(a int, OUT note text, INOUT total int DEFAULT 100) LANGUAGE plpgsql AS $$
BEGIN
	total := total + a;
	note := 'noted';
END $$;
CREATE PROCEDURE sig_proc_commit(a int) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO sig_item VALUES (a, 'by sig_proc_commit');
	COMMIT;
END $$;
CREATE PROCEDURE sig_proc_rollback(input jsonb) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO sig_item VALUES (0, 'by sig_proc_rollback');
	ROLLBACK;
END $$;
CREATE PROCEDURE sig_proc_fails(a int) LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'no luck' USING HINT = 'its own hint', ERRCODE = '2D000';
END $$;
TRUNCATE sig_item;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_proc", "i": {"a": 1}},
	{"f": "sig_proc_jsonb", "i": 2},
	{"f": "sig_proc_inout", "i": {"a": 3}},
	{"f": "sig_proc_inout", "i": {"a": 3, "total": 4}},
	{"f": "sig_proc_inout", "i": {"a": 3, "note": "out"}},
	{"f": "sig_proc_commit", "i": {"a": 5}},
	{"f": "sig_proc_rollback"},
	{"f": "sig_proc_fails", "i": {"a": 6}}
]$$);
SELECT * FROM sig_result;
SELECT * FROM sig_item ORDER BY id;

-- values are converted as jsonb_populate_record does
CREATE TABLE sig_types (i int, l bigint, n numeric, f float8, b boolean, t text, d date, ts timestamp,
	a int[], m int[][], c sig_point, cs sig_point[], e sig_mood, p sig_positive, j jsonb, js json,
	u uuid, by bytea, ch char(3), r int4range);
CREATE FUNCTION sig_types(i int = NULL, l bigint = NULL, n numeric = NULL, f float8 = NULL, b boolean = NULL, t text = NULL, d date = NULL, ts timestamp = NULL,
	a int[] = NULL, m int[][] = NULL, c sig_point = NULL, cs sig_point[] = NULL, e sig_mood = NULL, p sig_positive = NULL, j jsonb = NULL, js json = NULL,
	u uuid = NULL, by bytea = NULL, ch char(3) = NULL, r int4range = NULL)
RETURNS sig_types LANGUAGE sql AS $$ SELECT i, l, n, f, b, t, d, ts, a, m, c, cs, e, p, j, js, u, by, ch, r $$;
CREATE TEMP TABLE sig_inputs (n int GENERATED ALWAYS AS IDENTITY, input jsonb);
INSERT INTO sig_inputs (input) VALUES
	('{"i": 1, "l": 9007199254740993, "n": 12.50, "f": 1.5e3, "b": true, "t": "text", "d": "2020-02-29"}'),
	('{"i": "2", "l": "3", "n": "0.10", "f": "NaN", "b": "yes", "t": 5.0, "d": "20200102"}'),
	('{"t": {"an": ["object"]}, "j": {"k": [1, 2.0]}, "js": [1,  2], "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "by": "\\x00ff"}'),
	('{"ts": "2020-01-02 03:04:05.6", "r": "[1,5)", "e": "ok", "p": 3}'),
	('{"a": [1, null, 3], "m": [[1, 2], [3, 4]], "c": {"x": 1, "y": 2.345, "z": "ignored"}, "cs": [{"x": 1}, {"y": 7}]}'),
	('{"a": "{4,5}", "c": "(6,7)", "j": "a string", "js": "another"}'),
	('{"i": null, "a": null, "c": null, "j": null, "p": null}'),
	('{}');
SELECT df_start_singleton('sig_calls', 'sig', (SELECT jsonb_agg(jsonb_build_object('f', 'sig_types', 'i', input) ORDER BY n) FROM sig_inputs));
SELECT input, jsonb_strip_nulls(result::jsonb) AS result FROM sig_result;
SELECT count(*) FILTER (WHERE result::jsonb = to_jsonb(jsonb_populate_record(NULL::sig_types, input))) AS same, count(*)
FROM sig_result;
-- what cannot be converted fails as it does there
CREATE FUNCTION sig_domains(p sig_positive = 1, q sig_required = 'q') RETURNS text LANGUAGE sql AS $$ SELECT concat_ws(' ', p, q) $$;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_types", "i": {"i": "x"}},
	{"f": "sig_types", "i": {"i": 5.5}},
	{"f": "sig_types", "i": {"i": 3000000000}},
	{"f": "sig_types", "i": {"d": "2020-02-30"}},
	{"f": "sig_types", "i": {"a": 1}},
	{"f": "sig_types", "i": {"a": [1, "x"]}},
	{"f": "sig_types", "i": {"c": [1, 2]}},
	{"f": "sig_types", "i": {"e": "angry"}},
	{"f": "sig_types", "i": {"p": -1}},
	{"f": "sig_domains", "i": {"p": 0}},
	{"f": "sig_domains", "i": {"q": null}},
	{"f": "sig_domains"}
]$$);
SELECT * FROM sig_result;

-- a default is evaluated when its key is missing, and only then
CREATE SEQUENCE sig_sequence;
CREATE FUNCTION sig_default(n bigint DEFAULT nextval('sig_sequence'), who text DEFAULT current_user,
	a int[] DEFAULT ARRAY[length('four'), 5], note text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$ SELECT format('%s %s %s %L', n, who = current_user, a, note) $$;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_default"},
	{"f": "sig_default", "i": {"n": 50}},
	{"f": "sig_default", "i": {"note": "x"}},
	{"f": "sig_default", "i": {"n": null, "who": null, "a": null}}
]$$);
SELECT * FROM sig_result;

-- overloads: (jsonb) first, then the one that needs the fewest defaults
CREATE FUNCTION sig_over(input jsonb) RETURNS text LANGUAGE sql AS $$ SELECT 'jsonb' $$;
CREATE FUNCTION sig_over(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'a' $$;
CREATE FUNCTION sig_over2(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'a' $$;
CREATE FUNCTION sig_over2(b text) RETURNS text LANGUAGE sql AS $$ SELECT 'b' $$;
CREATE FUNCTION sig_over2(a int, b text) RETURNS text LANGUAGE sql AS $$ SELECT 'a, b' $$;
CREATE FUNCTION sig_over2(a int, c text, d date DEFAULT NULL) RETURNS text LANGUAGE sql AS $$ SELECT 'a, c, d' $$;
CREATE FUNCTION sig_over2(a int, c date, e int DEFAULT 1, f int DEFAULT 2) RETURNS text LANGUAGE sql AS $$ SELECT 'a, c, e, f' $$;
CREATE PROCEDURE sig_over2(g date) LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION sig_tie(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'int' $$;
CREATE FUNCTION sig_tie(a text) RETURNS text LANGUAGE sql AS $$ SELECT 'text' $$;
CREATE AGGREGATE sig_mixed(a int) (sfunc = int4pl, stype = int);
CREATE FUNCTION sig_mixed(a text) RETURNS text LANGUAGE sql AS $$ SELECT 'function' $$;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_over", "i": {"a": 1}},
	{"f": "sig_over2", "i": {"a": 1}},
	{"f": "sig_over2", "i": {"b": 1}},
	{"f": "sig_over2", "i": {"a": 1, "b": 2}},
	{"f": "sig_over2", "i": {"c": "2020-01-01", "a": 2}},
	{"f": "sig_over2", "i": {"a": 1, "c": "2020-01-01", "f": 2}},
	{"f": "sig_over2", "i": {"g": "2020-01-01"}},
	{"f": "sig_over2", "i": {"d": "2020-01-01"}},
	{"f": "sig_tie", "i": {"a": 1}},
	{"f": "sig_mixed", "i": {"a": 1}}
]$$);
SELECT * FROM sig_result;

-- an unknown or missing key, and an input that is no object
CREATE FUNCTION sig_card(order_id bigint, amount numeric, currency text DEFAULT 'EUR') RETURNS text
LANGUAGE sql AS $$ SELECT concat_ws(' ', order_id, amount, currency) $$;
CREATE FUNCTION sig_nameless(int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS $$ SELECT $1 + b $$;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_card", "i": {"order_id": 5, "amount": 12.5}},
	{"f": "sig_card", "i": {"order_id": 5, "amount": 12.5, "curency": "USD"}},
	{"f": "sig_card", "i": {"order_id": 5, "Amount": 12.5}},
	{"f": "sig_card", "i": {"order_id": 5}},
	{"f": "sig_card"},
	{"f": "sig_card", "i": 5},
	{"f": "sig_card", "i": "text"},
	{"f": "sig_card", "i": [{"order_id": 5, "amount": 12.5}]},
	{"f": "sig_card", "i": null},
	{"f": "sig_nameless", "i": {"b": 1}},
	{"f": "sig_nameless", "i": {"": 1}},
	{"f": "sig_none", "i": {"a": 1}},
	{"f": "sig_out", "i": {"a": 1, "twice": 2}},
	{"f": "sig_nowhere", "i": {"a": 1}},
	{"f": "sig_card(bigint, numeric, text)"}
]$$);
SELECT * FROM sig_result;

-- kinds of functions that are refused
CREATE FUNCTION sig_any(a anyelement) RETURNS anyelement LANGUAGE sql AS $$ SELECT a $$;
CREATE FUNCTION sig_any_array(a int, VARIADIC b anyarray) RETURNS int LANGUAGE sql AS $$ SELECT a $$;
CREATE FUNCTION sig_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE AGGREGATE sig_aggregate(a int) (sfunc = int4pl, stype = int);
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_any", "i": {"a": 1}},
	{"f": "sig_any_array", "i": {"a": 1, "b": [2]}},
	{"f": "sig_trigger"},
	{"f": "sig_aggregate", "i": {"a": 1}},
	{"f": "sum", "i": {"a": 1}},
	{"f": "row_number"},
	{"f": "num_nulls", "i": {"a": 1}},
	{"f": "int4in", "i": {"a": 1}}
]$$);
SELECT * FROM sig_result;
CREATE FUNCTION pg_temp.sig_temp(a int) RETURNS int LANGUAGE sql AS $$ SELECT a $$;
SELECT error_of($$ SELECT df_start_new('pg_temp.sig_temp', 'sig new', '{"a": 1}') $$);

-- STRICT and a null: it would not be called
CREATE FUNCTION sig_strict(a int, b int DEFAULT 2, c int DEFAULT nullif(1, 1)) RETURNS int STRICT LANGUAGE sql AS $$ SELECT a + b + c $$;
CREATE FUNCTION sig_strict_set(a int) RETURNS SETOF int STRICT LANGUAGE sql AS $$ SELECT a $$;
SELECT df_start_singleton('sig_calls', 'sig', $$[
	{"f": "sig_strict", "i": {"a": 1, "c": 3}},
	{"f": "sig_strict", "i": {"a": 1, "b": null, "c": 3}},
	{"f": "sig_strict", "i": {"a": 1}},
	{"f": "sig_strict_set", "i": {"a": null}}
]$$);
SELECT * FROM sig_result;

-- orchestrators, too: checked at the start, called so at every replay
CREATE FUNCTION sig_orchestrator(first int, rest int[], OUT total int, OUT n int) LANGUAGE plpgsql AS $$
DECLARE
	x int;
BEGIN
	total := first;
	n := 1;
	FOREACH x IN ARRAY rest LOOP
		total := df_call_activity('sig_sum', jsonb_build_object('a', total, 'b', x));
		n := n + 1;
	END LOOP;
END $$;
CREATE PROCEDURE sig_orchestrator_proc(INOUT round int DEFAULT 1, "until" int DEFAULT 4) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('sig_none');
	IF round < "until" THEN
		PERFORM df_continue_as_new(jsonb_build_object('round', round + 1, 'until', "until"));
	END IF;
END $$;
CREATE FUNCTION sig_orchestrator_continues(a int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_continue_as_new('{"b": 1}');
	RETURN a;
END $$;
SELECT df_start_singleton('sig_orchestrator', 'sig o', '{"first": 1, "rest": [2, 3, 4]}');
SELECT df_start_singleton('sig_orchestrator_proc', 'sig proc');
SELECT df_start_singleton('sig_orchestrator_continues', 'sig continues', '{"a": 1}');
SELECT df_start_singleton('sig_proc_commit', 'sig commit', '{"a": 1}');
SELECT df_start_singleton('sig_types', 'sig conversion', '{"i": "x"}');
SELECT runtime_status, output FROM df_wait_for_completion('sig o');
SELECT runtime_status, output FROM df_wait_for_completion('sig proc');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message FROM df_wait_for_completion('sig continues');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'hint' AS hint FROM df_wait_for_completion('sig commit');
SELECT runtime_status, failure ->> 'sqlstate' AS sqlstate, failure ->> 'message' AS message FROM df_wait_for_completion('sig conversion');
SELECT error_of($$ SELECT df_start_singleton('sig_orchestrator', 'sig new', '{"first": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('sig_orchestrator', 'sig new', '{"first": 1, "rest": [], "last": 2}') $$);
SELECT error_of($$ SELECT df_start_singleton('sig_orchestrator', 'sig new', '1') $$);
SELECT error_of($$ SELECT df_start_singleton('sig_tie', 'sig new', '{"a": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('sig_set', 'sig new', '{"n": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('sig_table', 'sig new', '{"n": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('sig_any', 'sig new', '{"a": 1}') $$);
SELECT error_of($$ SELECT df_start_singleton('sig_strict', 'sig new', '{"a": null}') $$);
SELECT count(*) FROM df_get_status('sig new');

-- the EXECUTE right is checked for every signature; defaults are the owner's
CREATE ROLE regress_ds_user LOGIN;
SELECT df_grant_usage('regress_ds_user');
REVOKE EXECUTE ON FUNCTION sig_sum FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE sig_proc FROM PUBLIC;
CREATE FUNCTION sig_owner(who text DEFAULT current_user) RETURNS text LANGUAGE sql AS $$ SELECT who $$;
SET SESSION AUTHORIZATION regress_ds_user;
SELECT error_of($$ SELECT df_start_singleton('sig_sum', 'sig new', '{"a": 1, "b": 2}') $$);
SELECT df_start_singleton('sig_calls', 'sig user', $$[
	{"f": "sig_sum", "i": {"a": 1, "b": 2}},
	{"f": "sig_proc", "i": {"a": 1}},
	{"f": "sig_default", "i": {"note": "no right on the sequence"}},
	{"f": "sig_owner"}
]$$);
RESET SESSION AUTHORIZATION;
SELECT r ->> 'f' AS function, r ->> 'r' AS result
FROM df_wait_for_completion('sig user') s, jsonb_array_elements(s.output) WITH ORDINALITY e(r, n) ORDER BY n;
SELECT df_revoke_usage('regress_ds_user');
DROP OWNED BY regress_ds_user;
DROP ROLE regress_ds_user;

-- what changes between two calls of one execution is seen by the second
CREATE PROCEDURE sig_do(command text) LANGUAGE plpgsql AS $$ BEGIN EXECUTE command; END $$;
CREATE FUNCTION sig_change(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS $$ SELECT a + b $$;
CREATE FUNCTION sig_label() RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'old' $$;
CREATE FUNCTION sig_labelled(label text DEFAULT sig_label()) RETURNS text LANGUAGE sql AS $$ SELECT label $$;
CREATE FUNCTION sig_grown(p sig_point) RETURNS sig_point LANGUAGE plpgsql AS $$ BEGIN RETURN p; END $$;
SELECT df_start_singleton('sig_calls', 'sig', $calls$[
	{"f": "sig_change", "i": {"a": 1}},
	{"f": "sig_do", "i": {"command": "CREATE OR REPLACE FUNCTION sig_change(a int, b int DEFAULT 10) RETURNS int LANGUAGE sql AS $$ SELECT a - b $$"}},
	{"f": "sig_change", "i": {"a": 1}},
	{"f": "sig_do", "i": {"command": "DROP FUNCTION sig_change"}},
	{"f": "sig_change", "i": {"a": 1}},
	{"f": "sig_do", "i": {"command": "CREATE FUNCTION sig_change(c date, a text DEFAULT 'x') RETURNS SETOF text LANGUAGE sql AS $$ SELECT c || a $$"}},
	{"f": "sig_change", "i": {"a": 1}},
	{"f": "sig_change", "i": {"c": "2020-01-01"}},
	{"f": "sig_do", "i": {"command": "ALTER FUNCTION sig_change STRICT"}},
	{"f": "sig_change", "i": {"c": null}},
	{"f": "sig_labelled"},
	{"f": "sig_do", "i": {"command": "CREATE OR REPLACE FUNCTION sig_label() RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'new' $$"}},
	{"f": "sig_labelled"},
	{"f": "sig_grown", "i": {"p": {"x": 1, "y": 2}}},
	{"f": "sig_do", "i": {"command": "ALTER TYPE sig_point ADD ATTRIBUTE z text"}},
	{"f": "sig_grown", "i": {"p": {"x": 1, "y": 2, "z": "new"}}},
	{"f": "sig_set_item", "i": {"n": 1}},
	{"f": "sig_do", "i": {"command": "ALTER TABLE sig_item DROP COLUMN name, ADD COLUMN name varchar(5), ADD COLUMN extra int DEFAULT 9"}},
	{"f": "sig_do", "i": {"command": "CREATE OR REPLACE FUNCTION sig_set_item(n int) RETURNS SETOF sig_item LANGUAGE sql AS 'SELECT 1, 2::varchar, 3'"}},
	{"f": "sig_set_item", "i": {"n": 1}}
]$calls$);
SELECT function, left(input::text, 30) AS input, result FROM sig_result;

DROP VIEW sig_result;
DO $$
DECLARE
	routine text;
BEGIN
	FOREACH routine IN ARRAY (SELECT array_agg(oid::regprocedure::text) FROM pg_proc
		WHERE proname LIKE 'sig%' AND pronamespace = 'public'::regnamespace)
	LOOP
		EXECUTE 'DROP ROUTINE IF EXISTS ' || routine || ' CASCADE';
	END LOOP;
END $$;
DROP SEQUENCE sig_sequence;
DROP TABLE sig_types, sig_item, sig_inputs;
DROP TYPE sig_mood, sig_point;
DROP DOMAIN sig_positive, sig_required;
