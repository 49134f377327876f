-- Aggregator: one instance adds up events from many senders.  Senders wait
-- neither for each other nor for the aggregator.
--
--	psql -f examples/aggregator.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_poll CASCADE;
CREATE SCHEMA df_example_poll;

CREATE TABLE df_example_poll.turn (execution_id uuid, votes int);

CREATE FUNCTION df_example_poll.log_turn(execution_id uuid, votes int) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO df_example_poll.turn VALUES (execution_id, votes)
$$;

-- votes, yes: the counts so far.
CREATE FUNCTION df_example_poll.count_votes(votes int DEFAULT 0, yes int DEFAULT 0)
RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	vote jsonb;
BEGIN
	-- After ten events, continue as a new execution with the total as its
	-- input, so that the history stays short.  Events that arrive in
	-- between are kept for the new execution.
	FOR i IN 1..10 LOOP
		PERFORM df_set_custom_status(jsonb_build_object('votes', votes, 'yes', yes));
		vote := df_wait_for_external_event('vote');
		IF vote = '"the poll is closed"' THEN
			RETURN jsonb_build_object('votes', votes, 'yes', yes);
		END IF;
		votes := votes + 1;
		yes := yes + (vote = 'true')::int;
	END LOOP;
	PERFORM df_call_activity('df_example_poll.log_turn', jsonb_build_object(
		'execution_id', df_execution_id(), 'votes', votes));
	PERFORM df_continue_as_new(jsonb_build_object('votes', votes, 'yes', yes));
	RETURN NULL;
END
$$;

SELECT df_start_singleton('df_example_poll.count_votes', 'poll', on_conflict => 'terminate');

-- Send 25 votes; every third one is a no.
SELECT count(df_raise_event('poll', 'vote', to_jsonb(n % 3 <> 0))) AS sent
FROM generate_series(1, 25) n;

-- The total can be read at any time: df_get_status does not wait.  This loop
-- reads it until all votes are counted.
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

-- A last event closes the poll.
SELECT df_raise_event('poll', 'vote', '"the poll is closed"');
SELECT runtime_status, output FROM df_wait_for_completion('poll', '1 minute');
SELECT votes FROM df_example_poll.turn ORDER BY votes;

-- Check the results.
DO $$
DECLARE
	status df_status := df_get_status('poll');
BEGIN
	ASSERT status.runtime_status = 'Completed' AND status.output = '{"votes": 25, "yes": 17}',
		'each vote must be counted once';
	ASSERT (SELECT array_agg(votes ORDER BY votes) FROM df_example_poll.turn) = '{10,20}',
		'there must be a new execution after every ten votes';
	ASSERT (SELECT count(*) FROM df_history WHERE execution_id = status.execution_id
			AND event_type = 'EventRaised') = 6,
		'the history must be that of the last execution only';
END
$$;
