-- Retry and rewind: what fails for a passing reason is tried again by itself;
-- what fails for a lasting one goes on where it was once the cause is mended.
--
--	psql -f examples/retry_and_rewind.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS post CASCADE;
CREATE SCHEMA post;

CREATE TABLE post.address (name text PRIMARY KEY);
CREATE TABLE post.stamp (parcel text);
CREATE TABLE post.delivery (parcel text, name text REFERENCES post.address);
INSERT INTO post.address VALUES ('Ada');

CREATE FUNCTION post.frank(parcel text) RETURNS void LANGUAGE sql
AS $$
	INSERT INTO post.stamp VALUES (parcel)
$$;

-- Somebody opens the door at the third ring only.  (A failed activity leaves
-- nothing behind, so it takes a sequence to count the rings.)
CREATE SEQUENCE post.ring;
CREATE FUNCTION post.deliver(parcel text, name text) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO post.delivery VALUES (parcel, name);
	IF nextval('post.ring') < 3 THEN
		RAISE EXCEPTION 'nobody opens' USING ERRCODE = 'object_in_use';
	END IF;
END
$$;

CREATE FUNCTION post.send(parcel text, name text) RETURNS text LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM df_call_activity('post.frank', jsonb_build_object('parcel', parcel));
	-- Up to five attempts, after 50, 100, 200 and 400 milliseconds, but only
	-- for this one reason (SQLSTATE 55006, object_in_use).
	PERFORM df_call_activity('post.deliver',
		jsonb_build_object('parcel', parcel, 'name', name),
		retry => df_retry_policy(5, '50 milliseconds', backoff_coefficient => 2,
			retry_on => '{55006}'));
	RETURN 'delivered to ' || name;
END
$$;

-- A passing reason: two attempts fail, the third is good.
SELECT df_start_singleton('post.send', 'parcel 1', '{"parcel": "a book", "name": "Ada"}',
	on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('parcel 1', '1 minute');
SELECT h.seq, h.event_type, h.name, h.failure->>'message' AS failure
FROM df_get_status('parcel 1') s JOIN df_history h USING (execution_id) ORDER BY h.seq;

-- A lasting reason: nobody knows where Bob lives.  No attempt is wasted on it.
SELECT df_start_singleton('post.send', 'parcel 2', '{"parcel": "a hat", "name": "Bob"}',
	on_conflict => 'terminate');
SELECT runtime_status, jsonb_pretty(failure - 'context') AS failure
FROM df_wait_for_completion('parcel 2', '1 minute');
CREATE TABLE post.complaint AS SELECT failure FROM df_get_status('parcel 2');

-- Once that is mended, the instance is rewound: what was done stays done, and
-- what failed runs again.
INSERT INTO post.address VALUES ('Bob');
SELECT df_rewind('parcel 2', 'Bob has moved in');
SELECT runtime_status, output FROM df_wait_for_completion('parcel 2', '1 minute');
SELECT * FROM post.delivery;
SELECT parcel, count(*) AS stamps FROM post.stamp GROUP BY parcel;

-- What must have come out of it.
DO $$
DECLARE
	one df_status := df_get_status('parcel 1');
	two df_status := df_get_status('parcel 2');
	complaint jsonb := (SELECT failure FROM post.complaint);
BEGIN
	ASSERT one.output = '"delivered to Ada"', 'parcel 1 must be delivered';
	ASSERT (SELECT array_agg(failure->>'sqlstate' ORDER BY seq) FROM df_history
			WHERE execution_id = one.execution_id AND event_type = 'TaskFailed')
		= '{55006,55006}', 'the history must tell of both failures';
	ASSERT complaint->>'sqlstate' = '23503' AND complaint->>'name' = 'post.deliver'
		AND complaint->'attempts' = '1' AND complaint->>'table' = 'delivery',
		'the failure of parcel 2 must name its cause after one attempt';
	ASSERT two.runtime_status = 'Completed' AND two.output = '"delivered to Bob"',
		'parcel 2 must be delivered after the rewind';
	ASSERT (SELECT array_agg(parcel ORDER BY parcel) FROM post.stamp) = '{a book,a hat}',
		'no parcel must be franked twice';
	ASSERT (SELECT array_agg(name ORDER BY name) FROM post.delivery) = '{Ada,Bob}',
		'the failed attempts must have left nothing';
END
$$;
