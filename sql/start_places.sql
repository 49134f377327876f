-- A start may come from anywhere: triggers, including deferred ones, cursors,
-- COPY, prepared statements.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE FUNCTION place_echo(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input $$;
CREATE FUNCTION place_start() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_start_singleton('place_echo', 'place ' || NEW.id, to_jsonb(NEW));
	RETURN NULL;
END $$;

-- an AFTER trigger, and one that runs in the midst of COMMIT
CREATE TABLE place_order (id text PRIMARY KEY, paid boolean CHECK (paid));
CREATE TRIGGER place_start AFTER INSERT ON place_order FOR EACH ROW EXECUTE FUNCTION place_start();
CREATE TABLE place_deferred (id text PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
CREATE CONSTRAINT TRIGGER place_start AFTER INSERT ON place_deferred DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION place_start();
INSERT INTO place_order VALUES ('1', true), ('2', true);
INSERT INTO place_order VALUES ('3', false);
INSERT INTO place_order VALUES ('1', true);
INSERT INTO place_deferred VALUES ('4'), ('5');
-- it fails after its trigger has run
INSERT INTO place_deferred VALUES ('6'), ('4');
BEGIN;
INSERT INTO place_deferred VALUES ('7');
ROLLBACK;
BEGIN;
INSERT INTO place_deferred VALUES ('8');
PREPARE TRANSACTION 'place 8';
SELECT count(*) FROM df_get_status('place 8');
COMMIT PREPARED 'place 8';
SELECT n, s.runtime_status, s.output FROM unnest('{1,2,4,5,8}'::text[]) n, df_wait_for_completion('place ' || n) s;
SELECT instance_id FROM df_instances WHERE instance_id ~ '^place [367]$';

-- a cursor that outlives its transaction, and is read at its COMMIT
BEGIN;
DECLARE place_cursor CURSOR WITH HOLD FOR
	SELECT n, df_start_singleton('place_echo', 'place cursor ' || n % 2, to_jsonb(n)) FROM generate_series(1, 3) n;
FETCH 1 FROM place_cursor;
COMMIT;
FETCH ALL FROM place_cursor;
CLOSE place_cursor;
SELECT n, s.runtime_status, s.output FROM generate_series(0, 1) n, df_wait_for_completion('place cursor ' || n) s;

-- INSERT ... SELECT, a data-modifying WITH, COPY into a table with a trigger
CREATE TABLE place_answer (id text, started boolean);
WITH i AS (INSERT INTO place_order VALUES ('9', true) RETURNING id)
INSERT INTO place_answer SELECT id, df_start_singleton('place_echo', 'place with ' || id) FROM i;
SELECT * FROM place_answer;
COPY place_order FROM STDIN;
10	t
11	t
\.
SELECT n, s.runtime_status, s.output FROM unnest('{9,with 9,10,11}'::text[]) n, df_wait_for_completion('place ' || n) s;

-- a condition calls it for each row, once
SELECT count(*) FROM generate_series(1, 10) n WHERE df_start_singleton('place_echo', 'place where ' || n % 5);
SELECT count(*) FROM df_instances WHERE instance_id LIKE 'place where %';

-- EXPLAIN does not call it
EXPLAIN (COSTS OFF) SELECT df_start_singleton('place_echo', 'place explained');
SELECT count(*) FROM df_get_status('place explained');
PREPARE place_plan (text) AS SELECT df_start_singleton('place_echo', $1);
EXECUTE place_plan('place prepared');
EXECUTE place_plan('place prepared again');
DEALLOCATE place_plan;
SELECT runtime_status FROM df_wait_for_completion('place prepared again');

DROP TABLE place_order, place_deferred, place_answer;
DROP FUNCTION place_echo, place_start;
