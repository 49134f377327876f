-- Function chaining: each activity gets what the one before it returned.  When
-- one fails, the orchestrator undoes what the earlier ones did.
--
--	psql -f examples/chain.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP TABLE IF EXISTS stock, payment;

CREATE TABLE stock (item text PRIMARY KEY, pieces int CHECK (pieces >= 0));
CREATE TABLE payment (customer text, amount int CHECK (amount < 1000));
INSERT INTO stock VALUES ('chair', 20);

CREATE OR REPLACE FUNCTION reserve(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	UPDATE stock SET pieces = pieces - (an_order->>'pieces')::int
	WHERE item = an_order->>'item'
	RETURNING an_order || jsonb_build_object('price',
		(an_order->>'pieces')::int * 100)
$$;

CREATE OR REPLACE FUNCTION charge(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	INSERT INTO payment
	VALUES (an_order->>'customer', (an_order->>'price')::int)
	RETURNING an_order || '{"paid": true}'
$$;

CREATE OR REPLACE FUNCTION release(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	UPDATE stock SET pieces = pieces + (an_order->>'pieces')::int
	WHERE item = an_order->>'item'
	RETURNING an_order || '{"released": true}'
$$;

CREATE OR REPLACE FUNCTION sell(input jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	an_order jsonb := df_call_activity('reserve', input);
BEGIN
	RETURN df_call_activity('charge', an_order);
EXCEPTION
	WHEN check_violation THEN
		RETURN df_call_activity('release', an_order);
END
$$;

SELECT df_start_singleton('sell', 'order 1',
	'{"customer": "Ada", "item": "chair", "pieces": 4}');
-- Too expensive for the second activity, which fails: the first is undone.
SELECT df_start_singleton('sell', 'order 2',
	'{"customer": "Bob", "item": "chair", "pieces": 12}');
-- More than there are: the first activity fails, and nobody catches that.
SELECT df_start_singleton('sell', 'order 3',
	'{"customer": "Eve", "item": "chair", "pieces": 100}');

SELECT s.instance_id, s.runtime_status, s.output, s.failure->>'message' AS failure
FROM generate_series(1, 3) n, df_wait_for_completion('order ' || n, '1 minute') s;
SELECT * FROM stock;
SELECT * FROM payment;

-- What must have come out of it.
DO $$
DECLARE
	one df_status := df_get_status('order 1');
	two df_status := df_get_status('order 2');
	three df_status := df_get_status('order 3');
BEGIN
	ASSERT one.runtime_status = 'Completed' AND one.output->'paid' = 'true',
		'order 1 must be paid';
	ASSERT two.runtime_status = 'Completed' AND two.output->'released' = 'true',
		'order 2 must be released again';
	ASSERT three.runtime_status = 'Failed' AND three.output IS NULL,
		'order 3 must fail';
	ASSERT (SELECT pieces FROM stock) = 16, 'four chairs must be gone';
	ASSERT (SELECT array_agg(customer) FROM payment) = '{Ada}',
		'only order 1 must be paid';
END
$$;
