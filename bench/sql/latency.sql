-- Orchestrators that return the server's clock, in seconds, and the table for
-- the commit with which they are compared.

CREATE FUNCTION stamp(input jsonb) RETURNS jsonb LANGUAGE sql
AS $$ SELECT to_jsonb(extract(epoch FROM clock_timestamp())) $$;

CREATE FUNCTION stamp_event(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_wait_for_external_event('go');
	RETURN to_jsonb(extract(epoch FROM clock_timestamp()));
END $$;

-- input: the due time; returns the delay
CREATE FUNCTION stamp_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	due timestamptz := (input #>> '{}')::timestamptz;
BEGIN
	PERFORM df_create_timer(fire_at => due);
	RETURN to_jsonb(extract(epoch FROM clock_timestamp() - due));
END $$;

CREATE TABLE plain (id text PRIMARY KEY);
