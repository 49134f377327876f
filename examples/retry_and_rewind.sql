-- Retry and rewind: an activity that fails for a temporary reason is retried
-- automatically.  If the reason is permanent, the instance fails; once the cause
-- is fixed, df_rewind continues it where it stopped.
--
--	psql -f examples/retry_and_rewind.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_post CASCADE;
CREATE SCHEMA df_example_post;

CREATE TABLE df_example_post.address (name text PRIMARY KEY);
CREATE TABLE df_example_post.stamp (parcel text);
CREATE TABLE df_example_post.delivery (parcel text, name text REFERENCES df_example_post.address);
INSERT INTO df_example_post.address VALUES ('Ada');

CREATE FUNCTION df_example_post.frank(parcel text) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO df_example_post.stamp VALUES (parcel)
$$;

-- The door is opened only at the third ring.  (A failed activity leaves nothing
-- in the tables, so a sequence counts the rings.)
CREATE SEQUENCE df_example_post.ring;
CREATE FUNCTION df_example_post.deliver(parcel text, name text) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO df_example_post.delivery VALUES (parcel, name);
	IF nextval('df_example_post.ring') < 3 THEN
		RAISE EXCEPTION 'no answer at the door' USING ERRCODE = 'object_in_use';
	END IF;
END
$$;

CREATE FUNCTION df_example_post.send(parcel text, name text) RETURNS text LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM df_call_activity('df_example_post.frank', jsonb_build_object('parcel', parcel));
	-- Up to five attempts, with delays of 50, 100, 200 and 400 milliseconds,
	-- but only for this error (SQLSTATE 55006, object_in_use).
	PERFORM df_call_activity('df_example_post.deliver',
		jsonb_build_object('parcel', parcel, 'name', name),
		retry => df_retry_policy(5, '50 milliseconds', backoff_coefficient => 2,
			retry_on => '{55006}'));
	RETURN 'delivered to ' || name;
END
$$;

-- A temporary reason: two attempts fail, the third one succeeds.
SELECT df_start_singleton('df_example_post.send', 'parcel 1', '{"parcel": "a book", "name": "Ada"}',
	on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('parcel 1', '1 minute');
SELECT h.seq, h.event_type, h.name, h.failure->>'message' AS failure
FROM df_get_status('parcel 1') s JOIN df_history h USING (execution_id) ORDER BY h.seq;

-- A permanent reason: Bob's address is unknown.  It is not retried.
SELECT df_start_singleton('df_example_post.send', 'parcel 2', '{"parcel": "a hat", "name": "Bob"}',
	on_conflict => 'terminate');
SELECT runtime_status, jsonb_pretty(failure - 'context') AS failure
FROM df_wait_for_completion('parcel 2', '1 minute');
CREATE TABLE df_example_post.complaint AS SELECT failure FROM df_get_status('parcel 2');

-- After the fix, rewind the instance: completed activities stay completed, and
-- the failed activity runs again.
INSERT INTO df_example_post.address VALUES ('Bob');
SELECT df_rewind('parcel 2', 'Bob has moved in');
SELECT runtime_status, output FROM df_wait_for_completion('parcel 2', '1 minute');
SELECT * FROM df_example_post.delivery;
SELECT parcel, count(*) AS stamps FROM df_example_post.stamp GROUP BY parcel;

-- Check the results.
DO $$
DECLARE
	one df_status := df_get_status('parcel 1');
	two df_status := df_get_status('parcel 2');
	complaint jsonb := (SELECT failure FROM df_example_post.complaint);
BEGIN
	ASSERT one.output = '"delivered to Ada"', 'parcel 1 must be delivered';
	ASSERT (SELECT array_agg(failure->>'sqlstate' ORDER BY seq) FROM df_history
			WHERE execution_id = one.execution_id AND event_type = 'TaskFailed')
		= '{55006,55006}', 'the history must show both failures';
	ASSERT complaint->>'sqlstate' = '23503' AND complaint->>'name' = 'df_example_post.deliver'
		AND complaint->'attempts' = '1' AND complaint->>'table' = 'delivery',
		'the failure of parcel 2 must name its cause after one attempt';
	ASSERT two.runtime_status = 'Completed' AND two.output = '"delivered to Bob"',
		'parcel 2 must be delivered after the rewind';
	ASSERT (SELECT array_agg(parcel ORDER BY parcel) FROM df_example_post.stamp) = '{a book,a hat}',
		'no parcel must be franked twice';
	ASSERT (SELECT array_agg(name ORDER BY name) FROM df_example_post.delivery) = '{Ada,Bob}',
		'the failed attempts must have left nothing';
END
$$;
