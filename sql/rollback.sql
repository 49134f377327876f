-- Starts, events and terminates obey ROLLBACK, ROLLBACK TO SAVEPOINT, PL/pgSQL
-- exception blocks and PREPARE TRANSACTION like everything in PostgreSQL.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION undo_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('echo', input) $$;
CREATE FUNCTION undo_hold(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;

-- a start
BEGIN;
SELECT df_start_singleton('undo_echo', 'undo a');
SELECT runtime_status FROM df_get_status('undo a');
ROLLBACK;
SELECT count(*) FROM df_get_status('undo a');
BEGIN;
SAVEPOINT s;
SELECT df_start_singleton('undo_echo', 'undo a', '1');
ROLLBACK TO SAVEPOINT s;
SELECT count(*) FROM df_get_status('undo a');
COMMIT;
SELECT count(*) FROM df_get_status('undo a');
DO $$
BEGIN
	BEGIN
		PERFORM df_start_singleton('undo_echo', 'undo a', '2');
		RAISE EXCEPTION 'never mind';
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
END $$;
SELECT count(*) FROM df_get_status('undo a');
-- undone and done again in one transaction
BEGIN;
SAVEPOINT s;
SELECT df_start_singleton('undo_echo', 'undo a', '3');
ROLLBACK TO SAVEPOINT s;
SELECT df_start_singleton('undo_echo', 'undo a', '4');
SAVEPOINT t;
SELECT df_start_singleton('undo_echo', 'undo a', '5');
ROLLBACK TO SAVEPOINT t;
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('undo a');
-- released savepoints count
BEGIN;
SAVEPOINT s;
SELECT df_start_singleton('undo_echo', 'undo released', '1');
RELEASE SAVEPOINT s;
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('undo released');

-- a start over an ended instance: the old one is as it was
BEGIN;
SELECT df_start_singleton('undo_hold', 'undo a', '6');
SELECT name, input, runtime_status, output FROM df_get_status('undo a');
ROLLBACK;
SELECT name, input, runtime_status, output FROM df_get_status('undo a');
SELECT count(*) FROM df_executions WHERE instance_id = 'undo a';
BEGIN;
SAVEPOINT s;
SELECT df_start_singleton('undo_hold', 'undo a', '7');
ROLLBACK TO SAVEPOINT s;
COMMIT;
SELECT name, input, runtime_status, output FROM df_get_status('undo a');
SELECT count(*) FROM df_executions WHERE instance_id = 'undo a';
-- over an active one
SELECT df_start_singleton('undo_hold', 'undo b', '1');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'undo b') $$);
BEGIN;
SELECT df_start_singleton('undo_hold', 'undo b', '2', on_conflict => 'terminate');
SELECT input FROM df_get_status('undo b');
ROLLBACK;
SELECT input, runtime_status FROM df_get_status('undo b');
SELECT count(*) FROM df_executions WHERE instance_id = 'undo b';

-- twice in one transaction
BEGIN;
SELECT df_start_singleton('undo_hold', 'undo twice', '1');
SELECT df_start_singleton('undo_hold', 'undo twice', '2');
SELECT error_of($$ SELECT df_start_new('undo_hold', 'undo twice', '2') $$);
COMMIT;
SELECT input, runtime_status IN ('Pending', 'Running') AS active FROM df_get_status('undo twice');
SELECT df_raise_event('undo twice', 'go');
SELECT runtime_status FROM df_wait_for_completion('undo twice');
-- started, ended, and started again in one transaction
BEGIN;
SELECT df_start_singleton('undo_hold', 'undo thrice', '1');
SELECT df_terminate('undo thrice', 'one');
SELECT runtime_status, output FROM df_get_status('undo thrice');
SELECT df_start_singleton('undo_hold', 'undo thrice', '2');
SELECT df_start_singleton('undo_echo', 'undo thrice', '3', on_conflict => 'terminate');
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('undo thrice');
SELECT runtime_status, input, output FROM df_executions WHERE instance_id = 'undo thrice' ORDER BY input;

-- an event
SELECT df_start_singleton('undo_hold', 'undo event');
BEGIN;
SELECT df_raise_event('undo event', 'go', '"rolled back"');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT df_raise_event('undo event', 'go', '"rolled back to a savepoint"');
ROLLBACK TO SAVEPOINT s;
COMMIT;
DO $$
BEGIN
	BEGIN
		PERFORM df_raise_event('undo event', 'go', '"rolled back by an exception"');
		RAISE EXCEPTION 'never mind';
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
END $$;
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'undo event') $$);
SELECT df_raise_event('undo event', 'go', '"committed"');
SELECT runtime_status, output FROM df_wait_for_completion('undo event');
-- start and event in one transaction
BEGIN;
SELECT df_start_singleton('undo_hold', 'undo both');
SELECT df_raise_event('undo both', 'go', '"together"');
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('undo both');

-- a terminate
SELECT df_start_singleton('undo_hold', 'undo terminate');
BEGIN;
SELECT df_terminate('undo terminate', 'rolled back');
SELECT runtime_status, output FROM df_get_status('undo terminate');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT df_terminate('undo terminate', 'rolled back to a savepoint');
ROLLBACK TO SAVEPOINT s;
COMMIT;
DO $$
BEGIN
	BEGIN
		PERFORM df_terminate('undo terminate', 'rolled back by an exception');
		RAISE EXCEPTION 'never mind';
	EXCEPTION WHEN raise_exception THEN
		NULL;
	END;
END $$;
SELECT df_raise_event('undo terminate', 'go', '"it lives"');
SELECT runtime_status, output FROM df_wait_for_completion('undo terminate');

-- with tables of one's own: all or nothing
CREATE TABLE undo_order (id int PRIMARY KEY);
BEGIN;
INSERT INTO undo_order VALUES (1);
SELECT df_start_singleton('undo_echo', 'undo order 1');
COMMIT;
BEGIN;
SELECT df_start_singleton('undo_echo', 'undo order 2');
INSERT INTO undo_order VALUES (1);
COMMIT;
SELECT runtime_status FROM df_wait_for_completion('undo order 1');
SELECT count(*) FROM df_get_status('undo order 2');

-- a prepared transaction: nothing before COMMIT PREPARED
BEGIN;
SELECT df_start_singleton('undo_echo', 'undo prepared 1', '"committed"');
SELECT df_terminate('undo b', 'prepared');
PREPARE TRANSACTION 'undo 1';
BEGIN;
SELECT df_start_singleton('undo_echo', 'undo prepared 2', '"rolled back"');
PREPARE TRANSACTION 'undo 2';
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'undo prepared %';
SELECT runtime_status FROM df_get_status('undo b');
ROLLBACK PREPARED 'undo 2';
COMMIT PREPARED 'undo 1';
SELECT runtime_status, output FROM df_wait_for_completion('undo prepared 1');
SELECT runtime_status, output FROM df_get_status('undo b');
SELECT count(*) FROM df_get_status('undo prepared 2');
-- an event in one
SELECT df_start_singleton('undo_hold', 'undo prepared 3');
CALL until($$ (SELECT waiting_for = 'event go' FROM df_instances WHERE instance_id = 'undo prepared 3') $$);
BEGIN;
SELECT df_raise_event('undo prepared 3', 'go', '"prepared"');
PREPARE TRANSACTION 'undo 3';
SELECT runtime_status FROM df_get_status('undo prepared 3');
COMMIT PREPARED 'undo 3';
SELECT runtime_status, output FROM df_wait_for_completion('undo prepared 3');
SELECT count(*) FROM pg_prepared_xacts;

-- chained transactions
BEGIN;
SELECT df_start_singleton('undo_echo', 'undo chain 1', '1');
ROLLBACK AND CHAIN;
SELECT df_start_singleton('undo_echo', 'undo chain 2', '2');
COMMIT AND CHAIN;
SELECT df_start_singleton('undo_echo', 'undo chain 3', '3');
ROLLBACK;
SELECT runtime_status, output FROM df_wait_for_completion('undo chain 2');
SELECT instance_id FROM df_instances WHERE instance_id LIKE 'undo chain %';

DROP TABLE undo_order;
DROP FUNCTION undo_echo, undo_hold;
