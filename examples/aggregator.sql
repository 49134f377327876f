-- Aggregator: one instance collects events from everywhere into a running
-- total.  Senders do not wait for each other, nor for the aggregator.
--
--	psql -f examples/aggregator.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS poll CASCADE;
CREATE SCHEMA poll;

CREATE TABLE poll.turn (execution_id uuid, votes int);

CREATE FUNCTION poll.log_turn(execution_id uuid, votes int) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO poll.turn VALUES (execution_id, votes)
$$;

-- votes, yes: what has been counted up to now.
CREATE FUNCTION poll.count_votes(votes int DEFAULT 0, yes int DEFAULT 0)
RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	vote jsonb;
BEGIN
	-- Ten events, then a new execution with the total as its input: the
	-- history stays short.  Events that came meanwhile are kept for it.
	FOR i IN 1..10 LOOP
		PERFORM df_set_custom_status(jsonb_build_object('votes', votes, 'yes', yes));
		vote := df_wait_for_external_event('vote');
		IF vote = '"the poll is closed"' THEN
			RETURN jsonb_build_object('votes', votes, 'yes', yes);
		END IF;
		votes := votes + 1;
		yes := yes + (vote = 'true')::int;
	END LOOP;
	PERFORM df_call_activity('poll.log_turn', jsonb_build_object(
		'execution_id', df_execution_id(), 'votes', votes));
	PERFORM df_continue_as_new(jsonb_build_object('votes', votes, 'yes', yes));
	RETURN NULL;
END
$$;

SELECT df_start_singleton('poll.count_votes', 'poll', on_conflict => 'terminate');

-- 25 votes, every third of them no.
SELECT count(df_raise_event('poll', 'vote', to_jsonb(n % 3 <> 0))) AS sent
FROM generate_series(1, 25) n;

-- The total is there to be read at any time: df_get_status waits for nobody.
-- Here it is read until it has all votes.
DO $$
DECLARE
	poll df_status;
BEGIN
	LOOP
		SELECT * INTO poll FROM df_get_status('poll');
		EXIT WHEN (poll.custom_status->>'votes')::int = 25
			OR poll.runtime_status IN ('Completed', 'Failed', 'Terminated');
		PERFORM df_wait_for_completion('poll', '50 milliseconds');
	END LOOP;
END
$$;
SELECT runtime_status, custom_status FROM df_get_status('poll');

-- One last event closes the poll.
SELECT df_raise_event('poll', 'vote', '"the poll is closed"');
SELECT runtime_status, output FROM df_wait_for_completion('poll', '1 minute');
SELECT votes FROM poll.turn ORDER BY votes;

-- What must have come out of it.
DO $$
DECLARE
	status df_status := df_get_status('poll');
BEGIN
	ASSERT status.runtime_status = 'Completed' AND status.output = '{"votes": 25, "yes": 17}',
		'each vote must be counted once';
	ASSERT (SELECT array_agg(votes ORDER BY votes) FROM poll.turn) = '{10,20}',
		'there must be a new execution after every ten votes';
	ASSERT (SELECT count(*) FROM df_history WHERE execution_id = status.execution_id
			AND event_type = 'EventRaised') = 6,
		'the history must be that of the last turn only';
END
$$;
