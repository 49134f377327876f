-- The measured orchestrators and activities.  They only request durable
-- operations, so that the figures are those of the extension.  All are in
-- PL/pgSQL: before PostgreSQL 18 a function in SQL is parsed and planned again in
-- every transaction.

CREATE FUNCTION noop(input jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$ BEGIN RETURN input; END $$;

-- an activity
CREATE FUNCTION touch(input jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$ BEGIN RETURN input; END $$;

-- each gets the result of the previous one
CREATE FUNCTION three(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	r jsonb;
BEGIN
	r := df_call_activity('touch', input);
	r := df_call_activity('touch', r);
	RETURN df_call_activity('touch', r);
END $$;

CREATE FUNCTION ten(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	r jsonb := input;
BEGIN
	FOR i IN 1 .. 10 LOOP
		r := df_call_activity('touch', r);
	END LOOP;
	RETURN r;
END $$;

CREATE FUNCTION fan_out(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
BEGIN
	FOR i IN 1 .. 100 LOOP
		tasks := tasks || df_schedule_activity('touch', to_jsonb(i));
	END LOOP;
	RETURN to_jsonb(jsonb_array_length(df_wait_all(tasks)));
END $$;

-- A timer that is already due: its cost, not its duration.
CREATE FUNCTION timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 ms');
	RETURN input;
END $$;

-- Two instances alternately send each other an event.  An orchestrator must not
-- write, so an activity sends.
CREATE FUNCTION send(target text, turn int) RETURNS void LANGUAGE sql
AS $$ SELECT df_raise_event(target, 'ball', to_jsonb(turn)) $$;

CREATE FUNCTION player(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	other text := input ->> 'other';
	turns int := input ->> 'turns';
BEGIN
	FOR turn IN 1 .. turns LOOP
		IF (input ->> 'serves')::boolean THEN
			PERFORM df_call_activity('send',
				jsonb_build_object('target', other, 'turn', turn));
			PERFORM df_wait_for_external_event('ball');
		ELSE
			PERFORM df_wait_for_external_event('ball');
			PERFORM df_call_activity('send',
				jsonb_build_object('target', other, 'turn', turn));
		END IF;
	END LOOP;
	RETURN to_jsonb(turns);
END $$;

-- input: remaining events
CREATE FUNCTION eternal(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF (input ->> 'turns')::int > 1 THEN
		PERFORM df_continue_as_new(
			jsonb_build_object('turns', (input ->> 'turns')::int - 1));
	END IF;
	RETURN input;
END $$;

CREATE FUNCTION wait_event(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;
