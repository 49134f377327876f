-- Functions are exposed over HTTP by name and schema; links have the form that
-- SQL and the gateway agree on.  Requests are tested by t/030 to t/034.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE SCHEMA http_a;
CREATE SCHEMA http_b;
CREATE FUNCTION http_plain(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION http_a.http_twice(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION http_b.http_twice(a int) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION http_b."Http Quoted"(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE PROCEDURE http_procedure(a int) LANGUAGE sql AS '';
CREATE AGGREGATE http_aggregate(int) (SFUNC = int4pl, STYPE = int);

SELECT count(*) FROM df_http_functions;
SELECT df_expose_http('http_plain'), df_expose_http('public.http_plain'), df_expose_http('HTTP_Procedure'),
	df_expose_http('http_b."Http Quoted"'), df_expose_http('http_a.http_twice');
-- a name must mean one schema, and something that can be started
SET search_path = http_a, http_b, public;
SELECT error_of($$ SELECT df_expose_http('http_twice') $$);
SET search_path = http_b, public;
SELECT df_expose_http('http_twice');
RESET search_path;
SELECT error_of($$ SELECT df_expose_http('http_twice') $$);
SELECT error_of($$ SELECT df_expose_http('http_aggregate') $$);
SELECT error_of($$ SELECT df_expose_http('http_nothing') $$);
SELECT error_of($$ SELECT df_expose_http('http_plain(jsonb)') $$);
SELECT error_of($$ SELECT df_expose_http('a.b.c') $$);
SELECT error_of($$ SELECT df_expose_http(NULL) $$);
SELECT error_of($$ SELECT df_hide_http(NULL) $$);
SELECT * FROM df_http_functions ORDER BY 1, 2;
-- hiding needs no function, but a clear name
SELECT error_of($$ SELECT df_hide_http('http_twice') $$);
SELECT df_hide_http('http_b.http_twice'), df_hide_http('http_b.http_twice');
DROP FUNCTION http_a.http_twice;
SELECT df_hide_http('http_twice'), df_hide_http('http_twice'), df_hide_http('http_nothing');
-- as other changes, both are part of the transaction
BEGIN;
SELECT df_hide_http('http_plain');
ROLLBACK;
SELECT function_name FROM df_http_functions ORDER BY 1;

-- only for those who were given them
CREATE ROLE regress_ds_http LOGIN;
SELECT df_grant_usage('regress_ds_http');
SET SESSION AUTHORIZATION regress_ds_http;
SELECT error_of($$ SELECT df_expose_http('http_plain') $$), error_of($$ SELECT df_hide_http('http_plain') $$);
SELECT count(*) FROM df_http_functions;
SELECT error_of($$ DELETE FROM durable_singleton.http_function $$), error_of($$ DELETE FROM df_http_functions $$);
-- the functions behind the routes are as strict as the gateway
SELECT (durable_singleton.http_start('public', 'http_plain', 'http one', '1', 'http://h', NULL, NULL, NULL)).status;
SELECT error_of($$ SELECT durable_singleton.http_start('public', 'http_aggregate', 'x', '1', 'http://h', NULL, NULL, NULL) $$);
SELECT error_of($$ SELECT durable_singleton.http_start('http_b', 'http_twice', 'x', '1', 'http://h', NULL, NULL, NULL) $$);
SELECT error_of($$ SELECT durable_singleton.http_start(NULL, 'http_plain', 'x', '1', 'http://h', NULL, NULL, NULL) $$);
SELECT error_of($$ SELECT durable_singleton.http_start('public', 'http_plain', 'x', '1', NULL, NULL, NULL, NULL) $$);
SELECT error_of($$ SELECT durable_singleton.http_status(NULL, NULL, NULL, NULL, NULL) $$);
SELECT runtime_status FROM df_wait_for_completion('http one');
SELECT status, retry_after, body::jsonb - 'createdTime' - 'lastUpdatedTime' AS body FROM durable_singleton.http_status('http one', NULL, NULL, NULL, NULL);
SELECT instance_id, name, runtime_status, owner FROM df_http_instances;
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION df_hide_http TO regress_ds_http;
SET SESSION AUTHORIZATION regress_ds_http;
SELECT df_hide_http('http_plain');
SELECT status, body FROM durable_singleton.http_status('http one', NULL, NULL, NULL, NULL);
RESET SESSION AUTHORIZATION;

-- links
\pset format unaligned
SELECT jsonb_pretty(df_create_check_status_response('a b/ä', 'https://h:1/'));
SELECT df_create_check_status_response('x', 'http://h') = df_create_check_status_response('x', 'http://h/runtime/webhooks/durabletask/') AS same;
SELECT df_create_http_management_payload('x', 'http://h', 'my hub', 'c&d', 'k=1') ->> 'rewindPostUri' AS rewind;
\pset format aligned
SELECT error_of($$ SELECT df_create_check_status_response(NULL, 'http://h') $$), error_of($$ SELECT df_create_check_status_response('x', NULL) $$);

-- the fate of a transaction
SELECT durable_singleton.http_transaction() IS NULL AS nothing_written;
BEGIN;
CREATE TABLE http_fate AS SELECT durable_singleton.http_transaction() AS before, pg_current_xact_id() IS NULL AS assigned;
SELECT durable_singleton.http_transaction() AS name \gset
SELECT durable_singleton.http_fate(:'name');
COMMIT;
SELECT durable_singleton.http_fate(:'name');
BEGIN;
DROP TABLE http_fate;
SELECT durable_singleton.http_transaction() AS name \gset
ROLLBACK;
SELECT durable_singleton.http_fate(:'name');
-- one of another incarnation, with an id that this one has assigned since
SELECT durable_singleton.http_fate('1/' || pg_current_xact_id()) AS fate;
SELECT error_of($$ SELECT durable_singleton.http_fate('1') $$), error_of($$ SELECT durable_singleton.http_fate(NULL) $$);

DROP TABLE http_fate;
SELECT df_revoke_usage('regress_ds_http');
SELECT df_purge('http one');
DROP OWNED BY regress_ds_http;
DROP ROLE regress_ds_http;
SELECT df_hide_http(quote_ident(schema_name) || '.' || quote_ident(function_name)) FROM df_http_functions;
DROP FUNCTION http_plain;
DROP AGGREGATE http_aggregate(int);
DROP PROCEDURE http_procedure;
DROP SCHEMA http_a, http_b CASCADE;
