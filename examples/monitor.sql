-- Monitor: checks a condition at growing intervals until it holds or a deadline
-- passes.  Each check is a separate execution, so the history stays short no
-- matter how long the monitor waits.
--
--	psql -f examples/monitor.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_port CASCADE;
CREATE SCHEMA df_example_port;

CREATE TABLE df_example_port.vessel (name text PRIMARY KEY, miles_off int, speed int);
CREATE TABLE df_example_port.look (number int GENERATED ALWAYS AS IDENTITY, ship text,
	miles_off int, at timestamptz DEFAULT clock_timestamp());
INSERT INTO df_example_port.vessel VALUES ('Argo', 100, 30), ('Flying Dutchman', 100, 0);

-- The watched condition: at every look the ship is a little closer.
CREATE FUNCTION df_example_port.look_out(ship text) RETURNS int LANGUAGE sql
AS $$
	UPDATE df_example_port.vessel SET miles_off = greatest(miles_off - speed, 0) WHERE name = ship;
	INSERT INTO df_example_port.look (ship, miles_off)
	SELECT name, miles_off FROM df_example_port.vessel WHERE name = ship
	RETURNING miles_off
$$;

-- An orchestrator has arguments like any function; df_continue_as_new passes
-- those of the next execution.
CREATE FUNCTION df_example_port.watch(ship text, give_up_at timestamptz,
	pause interval DEFAULT '50 milliseconds', looks int DEFAULT 1)
RETURNS jsonb LANGUAGE plpgsql
AS $$
BEGIN
	IF df_call_activity('df_example_port.look_out', jsonb_build_object('ship', ship)) = '0' THEN
		RETURN jsonb_build_object('arrived', true, 'looks', looks);
	END IF;
	-- Use the orchestration's clock, not now(): it is the same at every replay.
	IF df_current_utc_datetime() + pause > give_up_at THEN
		RETURN jsonb_build_object('arrived', false, 'looks', looks);
	END IF;
	PERFORM df_create_timer(pause);
	PERFORM df_continue_as_new(jsonb_build_object(
		'ship', ship,
		'give_up_at', give_up_at,
		'pause', least(pause * 2, '1 hour'),
		'looks', looks + 1));
	RETURN NULL;
END
$$;

SELECT df_start_singleton('df_example_port.watch', 'watch for the Argo', jsonb_build_object(
	'ship', 'Argo', 'give_up_at', now() + '1 hour'), on_conflict => 'terminate');
SELECT df_start_singleton('df_example_port.watch', 'watch for the Dutchman', jsonb_build_object(
	'ship', 'Flying Dutchman', 'give_up_at', now() + '1 second'), on_conflict => 'terminate');

SELECT s.instance_id, s.runtime_status, s.output
FROM unnest('{watch for the Argo,watch for the Dutchman}'::text[]) id,
	df_wait_for_completion(id, '1 minute') s;
SELECT miles_off, at - lag(at) OVER (ORDER BY number) AS after
FROM df_example_port.look WHERE ship = 'Argo' ORDER BY number;

-- Check the results.
DO $$
DECLARE
	argo df_status := df_get_status('watch for the Argo');
	dutchman df_status := df_get_status('watch for the Dutchman');
BEGIN
	ASSERT argo.output = '{"arrived": true, "looks": 4}',
		'the Argo must be there at the fourth look';
	ASSERT (SELECT array_agg(miles_off ORDER BY number) FROM df_example_port.look WHERE ship = 'Argo')
		= '{70,40,10,0}', 'each look must be taken once';
	ASSERT (SELECT bool_and(pause >= 0.05 * 2 ^ (n - 1)) FROM (
			SELECT extract(epoch FROM at - lag(at) OVER (ORDER BY number)) AS pause,
				row_number() OVER (ORDER BY number) - 1 AS n
			FROM df_example_port.look WHERE ship = 'Argo') looks),
		'each pause must be twice as long as the one before';
	ASSERT dutchman.runtime_status = 'Completed' AND dutchman.output->'arrived' = 'false',
		'the watch for the Dutchman must give up';
	ASSERT (SELECT count(*) FROM df_history WHERE execution_id = argo.execution_id) < 6,
		'the history must be that of the last look only';
END
$$;
