-- Function chaining: activities one after the other, each with what the one
-- before it returned.  A crash in between loses nothing: the chain goes on
-- after the last link that is done.
--
--	psql -f examples/function_chaining.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS chain CASCADE;
CREATE SCHEMA chain;

CREATE TABLE chain.stock (item text PRIMARY KEY, pieces int CHECK (pieces >= 0));
CREATE TABLE chain.payment (customer text, amount int);
CREATE TABLE chain.parcel (customer text, item text, pieces int);
INSERT INTO chain.stock VALUES ('chair', 20);

-- Three activities.  Each commits in a transaction of its own.
CREATE FUNCTION chain.reserve(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	UPDATE chain.stock SET pieces = pieces - (an_order->>'pieces')::int
	WHERE item = an_order->>'item'
	RETURNING an_order || jsonb_build_object('price',
		(an_order->>'pieces')::int * 100)
$$;

CREATE FUNCTION chain.charge(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	INSERT INTO chain.payment
	VALUES (an_order->>'customer', (an_order->>'price')::int)
	RETURNING an_order || '{"paid": true}'
$$;

CREATE FUNCTION chain.pack(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	INSERT INTO chain.parcel
	VALUES (an_order->>'customer', an_order->>'item', (an_order->>'pieces')::int)
	RETURNING an_order || '{"packed": true}'
$$;

CREATE FUNCTION chain.sell(an_order jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$
BEGIN
	an_order := df_call_activity('chain.reserve', an_order);
	an_order := df_call_activity('chain.charge', an_order);
	RETURN df_call_activity('chain.pack', an_order);
END
$$;

SELECT df_start_singleton('chain.sell', 'order 1',
	'{"customer": "Ada", "item": "chair", "pieces": 4}', on_conflict => 'terminate');
-- More than there are: the first link fails, and the chain ends there.  What
-- to do when a later link fails is told in saga.sql and retry_and_rewind.sql.
SELECT df_start_singleton('chain.sell', 'order 2',
	'{"customer": "Eve", "item": "chair", "pieces": 100}', on_conflict => 'terminate');

SELECT s.instance_id, s.runtime_status, s.output, s.failure->>'message' AS failure
FROM unnest('{order 1,order 2}'::text[]) id, df_wait_for_completion(id, '1 minute') s;
SELECT * FROM chain.stock;
SELECT * FROM chain.payment;
SELECT * FROM chain.parcel;

-- What must have come out of it.
DO $$
DECLARE
	one df_status := df_get_status('order 1');
	two df_status := df_get_status('order 2');
BEGIN
	ASSERT one.runtime_status = 'Completed' AND one.output
		= '{"customer": "Ada", "item": "chair", "pieces": 4, "price": 400, "paid": true, "packed": true}',
		'order 1 must have gone through all three';
	ASSERT two.runtime_status = 'Failed' AND two.failure->>'sqlstate' = '23514',
		'order 2 must fail for want of chairs';
	ASSERT (SELECT pieces FROM chain.stock) = 16, 'four chairs must be gone';
	ASSERT (SELECT array_agg(customer) FROM chain.payment) = '{Ada}'
		AND (SELECT array_agg(customer) FROM chain.parcel) = '{Ada}',
		'only order 1 must be paid and packed';
END
$$;
