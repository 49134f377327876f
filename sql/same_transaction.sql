-- Changes that commit together with a start or an event are visible to the
-- step: a function created or replaced in the same transaction, and the rows.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE TABLE same_row (n int, v int);
CREATE TABLE same_answer (n int, first jsonb, second jsonb);
CREATE PROCEDURE same_rounds(rounds int) LANGUAGE plpgsql AS $$
DECLARE
	id text;
	body text := 'CREATE OR REPLACE FUNCTION same_f(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $f$ BEGIN '
		'PERFORM df_wait_for_external_event(''go''); RETURN jsonb_build_array(%s, (SELECT v FROM same_row WHERE n = input::int)); END $f$';
BEGIN
	FOR i IN 1 .. rounds LOOP
		id := 'same ' || i;
		-- made, and started
		EXECUTE format(body, quote_literal('old'));
		INSERT INTO same_row VALUES (i, 1);
		PERFORM df_start_singleton('same_f', id, to_jsonb(i));
		COMMIT;
		CALL until(format('(SELECT waiting_for IS NOT NULL OR runtime_status = ''Failed'' FROM df_instances WHERE instance_id = %L)', id));
		-- replaced, and gone on
		EXECUTE format(body, quote_literal('new'));
		UPDATE same_row SET v = 2 WHERE n = i;
		PERFORM df_raise_event(id, 'go');
		COMMIT;
		PERFORM df_wait_for_completion(id);
		COMMIT;
		INSERT INTO same_answer (n, first) SELECT i, output FROM df_get_status(id);
		-- replaced, and started over
		EXECUTE 'CREATE OR REPLACE FUNCTION same_f(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $f$ BEGIN RETURN ''"newest"''; END $f$';
		PERFORM df_start_singleton('same_f', id);
		COMMIT;
		PERFORM df_wait_for_completion(id);
		COMMIT;
		UPDATE same_answer SET second = output FROM df_get_status(id) WHERE n = i;
		DROP FUNCTION same_f;
		COMMIT;
	END LOOP;
END $$;
CALL same_rounds(100);
SELECT first, second, count(*) FROM same_answer GROUP BY 1, 2;

DROP TABLE same_row, same_answer;
DROP PROCEDURE same_rounds;
