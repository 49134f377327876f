-- Monitor: looks again and again, at growing intervals, until a condition holds
-- or patience ends.  Each look is an execution of its own, so the history stays
-- as short as it is, however long the monitor has to wait.
--
--	psql -f examples/monitor.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS port CASCADE;
CREATE SCHEMA port;

CREATE TABLE port.vessel (name text PRIMARY KEY, miles_off int, speed int);
CREATE TABLE port.look (number int GENERATED ALWAYS AS IDENTITY, ship text,
	miles_off int, at timestamptz DEFAULT clock_timestamp());
INSERT INTO port.vessel VALUES ('Argo', 100, 30), ('Flying Dutchman', 100, 0);

-- What is watched: every look finds the ship a little nearer.
CREATE FUNCTION port.look_out(ship text) RETURNS int LANGUAGE sql
AS $$
	UPDATE port.vessel SET miles_off = greatest(miles_off - speed, 0) WHERE name = ship;
	INSERT INTO port.look (ship, miles_off)
	SELECT name, miles_off FROM port.vessel WHERE name = ship
	RETURNING miles_off
$$;

-- An orchestrator has arguments like any function; df_continue_as_new gives
-- those of the next turn.
CREATE FUNCTION port.watch(ship text, give_up_at timestamptz,
	pause interval DEFAULT '50 milliseconds', looks int DEFAULT 1)
RETURNS jsonb LANGUAGE plpgsql
AS $$
BEGIN
	IF df_call_activity('port.look_out', jsonb_build_object('ship', ship)) = '0' THEN
		RETURN jsonb_build_object('arrived', true, 'looks', looks);
	END IF;
	-- The orchestration's clock, not now(): the same at each replay.
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

SELECT df_start_singleton('port.watch', 'watch for the Argo', jsonb_build_object(
	'ship', 'Argo', 'give_up_at', now() + '1 hour'), on_conflict => 'terminate');
SELECT df_start_singleton('port.watch', 'watch for the Dutchman', jsonb_build_object(
	'ship', 'Flying Dutchman', 'give_up_at', now() + '1 second'), on_conflict => 'terminate');

SELECT s.instance_id, s.runtime_status, s.output
FROM unnest('{watch for the Argo,watch for the Dutchman}'::text[]) id,
	df_wait_for_completion(id, '1 minute') s;
SELECT miles_off, at - lag(at) OVER (ORDER BY number) AS after
FROM port.look WHERE ship = 'Argo' ORDER BY number;

-- What must have come out of it.
DO $$
DECLARE
	argo df_status := df_get_status('watch for the Argo');
	dutchman df_status := df_get_status('watch for the Dutchman');
BEGIN
	ASSERT argo.output = '{"arrived": true, "looks": 4}',
		'the Argo must be there at the fourth look';
	ASSERT (SELECT array_agg(miles_off ORDER BY number) FROM port.look WHERE ship = 'Argo')
		= '{70,40,10,0}', 'each look must be taken once';
	ASSERT (SELECT bool_and(pause >= 0.05 * 2 ^ (n - 1)) FROM (
			SELECT extract(epoch FROM at - lag(at) OVER (ORDER BY number)) AS pause,
				row_number() OVER (ORDER BY number) - 1 AS n
			FROM port.look WHERE ship = 'Argo') looks),
		'each pause must be twice as long as the one before';
	ASSERT dutchman.runtime_status = 'Completed' AND dutchman.output->'arrived' = 'false',
		'the watch for the Dutchman must give up';
	ASSERT (SELECT count(*) FROM df_history WHERE execution_id = argo.execution_id) < 6,
		'the history must be that of the last look only';
END
$$;
