-- What the torture runs, and what it writes down.  Everything that an
-- activity does leaves a token in the ledger and the same token in the history
-- of its execution; the ledger has no constraint that would hide a second run.

CREATE TABLE ledger (
	instance_id text NOT NULL,
	execution_id uuid NOT NULL,
	step int NOT NULL,
	token uuid NOT NULL,
	began timestamptz NOT NULL,
	ended timestamptz);
CREATE INDEX ON ledger (token);

-- written by an orchestrator itself, together with its completion
CREATE TABLE finished (execution_id uuid NOT NULL);

-- The activity.  No other process may be in an activity of the same instance,
-- unless both are its tasks; what one that violates this writes would be
-- undone with it, so it tells the server's log.
CREATE FUNCTION work(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	mine uuid := gen_random_uuid();
BEGIN
	IF NOT (input ? 'task')
		AND NOT pg_try_advisory_xact_lock(3, hashtext(input ->> 'id')) THEN
		RAISE LOG 'two at once: an activity of "%" is running already', input ->> 'id';
	END IF;
	INSERT INTO ledger VALUES (input ->> 'id', (input ->> 'execution')::uuid,
		(input ->> 'step')::int, mine, clock_timestamp());
	IF random() < 0.1 THEN
		PERFORM length(repeat('memory', 500000));
	END IF;
	-- Every other one is deaf to a cancel: if its execution was terminated, only
	-- the fence undoes it.
	IF random() < 0.5 THEN
		PERFORM pg_sleep(random() * 0.004);
	ELSE
		BEGIN
			PERFORM pg_sleep(random() * 0.008);
		EXCEPTION WHEN query_canceled THEN
			NULL;
		END;
	END IF;
	IF random() < (input ->> 'risk')::float THEN
		RAISE EXCEPTION 'no luck';
	END IF;
	UPDATE ledger SET ended = clock_timestamp() WHERE token = mine;
	RETURN to_jsonb(mine);
END $$;

CREATE FUNCTION work_input(step int, extra jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_build_object('id', df_instance_id(), 'execution',
		df_execution_id(), 'step', step) || extra
$$;

-- The border to the outside: one activity draws a value, the next one tells it
-- to a file.
CREATE FUNCTION draw(jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(gen_random_uuid()) $$;
CREATE FUNCTION tell(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY (SELECT %L, %L) TO PROGRAM %L', input ->> 'execution',
		input ->> 'value',
		format('cat >> "%s"', current_setting('torture.file')));
	RETURN 'true';
END $$;

-- one step after the other, a timer, an event with a time-out
CREATE FUNCTION chain(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tokens jsonb := '[]';
	value jsonb;
BEGIN
	tokens := tokens || df_call_activity('work', work_input(1));
	value := df_call_activity('draw');
	PERFORM df_call_activity('tell',
		jsonb_build_object('execution', df_execution_id(), 'value', value));
	tokens := tokens || df_call_activity('work', work_input(2));
	PERFORM df_create_timer('5 ms');
	PERFORM df_wait_for_external_event('go', '100 ms');
	tokens := tokens || df_call_activity('work', work_input(3));
	INSERT INTO finished VALUES (df_execution_id());
	RETURN jsonb_build_object('tokens', tokens);
END $$;

-- tasks side by side
CREATE FUNCTION fan(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tasks int[];
BEGIN
	FOR i IN 1 .. 5 LOOP
		tasks[i] := df_schedule_activity('work', work_input(i, '{"task": true, "risk": 0.1}'),
			df_retry_policy(30, '1 ms'));
	END LOOP;
	PERFORM df_wait_any(tasks || df_schedule_timer('3 ms'));
	PERFORM df_wait_all(tasks);
	INSERT INTO finished VALUES (df_execution_id());
	RETURN jsonb_build_object('tokens', df_wait_all(tasks));
END $$;

-- Turns of continue-as-new: the history of a turn goes with it, so the tokens
-- travel in the input.
CREATE FUNCTION eternal(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tokens jsonb := coalesce(input -> 'tokens', '[]');
BEGIN
	tokens := tokens || df_call_activity('work', work_input(1));
	PERFORM df_wait_for_external_event('go', '20 ms');
	tokens := tokens || df_call_activity('work', work_input(2));
	IF jsonb_array_length(tokens) % 8 > 0 THEN
		PERFORM df_continue_as_new(input || jsonb_build_object('tokens', tokens));
		RETURN NULL;
	END IF;
	INSERT INTO finished VALUES (df_execution_id());
	RETURN jsonb_build_object('tokens', tokens);
END $$;

-- a child with an id of its own, a child that it waits for at the end
CREATE FUNCTION kid(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	first jsonb := df_call_activity('work', work_input(1));
	second jsonb := df_call_activity('work', work_input(2));
BEGIN
	INSERT INTO finished VALUES (df_execution_id());
	RETURN jsonb_build_object('tokens', jsonb_build_array(first, second));
END $$;
CREATE FUNCTION family(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	later int := df_schedule_sub_orchestrator('kid');
	tokens jsonb := '[]';
BEGIN
	tokens := tokens || df_call_activity('work', work_input(1));
	BEGIN
		PERFORM df_call_sub_orchestrator('kid', NULL, df_instance_id() || '/kid');
	EXCEPTION WHEN SQLSTATE 'SD409' OR SQLSTATE 'SD410' THEN
		PERFORM df_set_custom_status('"lost a child"');
	END;
	PERFORM df_await(later);
	INSERT INTO finished VALUES (df_execution_id());
	RETURN jsonb_build_object('tokens', tokens);
END $$;

-- fails in the end, and can be rewound
CREATE FUNCTION flaky(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	tokens jsonb := '[]';
BEGIN
	FOR i IN 1 .. 3 LOOP
		tokens := tokens || df_call_activity('work', work_input(i, '{"risk": 0.3}'),
			df_retry_policy(2, '2 ms'));
	END LOOP;
	INSERT INTO finished VALUES (df_execution_id());
	RETURN jsonb_build_object('tokens', tokens);
END $$;

-- What a purge removes is kept here.
CREATE TABLE kept_execution AS
	SELECT instance_id, execution_id, name, runtime_status, input, output,
		parent_instance_id FROM df_instances;
CREATE TABLE kept_history AS SELECT * FROM df_history;

-- Nobody can change the instance between the copies and the purge: its row is
-- locked, and where there is none nothing is purged either.
CREATE FUNCTION purge_keeping(id text) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	ids text[];
	n bigint;
BEGIN
	PERFORM FROM durable_singleton.instance
		WHERE instance_id = id FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	PERFORM FROM durable_singleton.instance
		WHERE parent_instance_id = id ORDER BY instance_id FOR UPDATE;
	SELECT array_agg(instance_id) INTO ids FROM durable_singleton.instance
		WHERE id IN (instance_id, parent_instance_id);
	INSERT INTO kept_execution
		SELECT instance_id, execution_id, name, runtime_status, input, output,
			parent_instance_id FROM df_instances WHERE instance_id = ANY (ids)
		UNION ALL
		SELECT instance_id, execution_id, name, runtime_status, input, output,
			parent_instance_id FROM df_executions WHERE instance_id = ANY (ids);
	INSERT INTO kept_history
		SELECT * FROM df_history WHERE instance_id = ANY (ids);
	n := df_purge(id);
	-- children that the purge has left
	ids := ARRAY(SELECT instance_id FROM durable_singleton.instance
		WHERE instance_id = ANY (ids));
	DELETE FROM kept_execution k WHERE instance_id = ANY (ids)
		AND (EXISTS (SELECT FROM df_instances i WHERE i.execution_id = k.execution_id)
			OR EXISTS (SELECT FROM df_executions x WHERE x.execution_id = k.execution_id));
	DELETE FROM kept_history k WHERE instance_id = ANY (ids)
		AND NOT EXISTS (SELECT FROM kept_execution x WHERE x.execution_id = k.execution_id);
	RETURN n;
END $$;

-- What clients were told, from their logs, and what the file outside holds;
-- loaded when all is over.
CREATE TABLE told (
	client int NOT NULL,
	n int NOT NULL,
	op text NOT NULL,
	instance_id text NOT NULL,
	-- of a start or an event: unique, in its input or data
	token text,
	-- yes: done, acknowledged; no: not done, acknowledged; unknown: the
	-- connection was lost before the answer
	outcome text NOT NULL CHECK (outcome IN ('yes', 'no', 'unknown')),
	sqlstate text,
	-- of a status that was read
	execution_id uuid,
	status text,
	output_md5 text);
CREATE TABLE outside (execution_id uuid NOT NULL, value uuid NOT NULL);
