-- Function chaining: activities that run one after another; each gets the
-- result of the previous one.  A crash in between loses nothing: the chain
-- continues after the last completed activity.
--
--	psql -f examples/function_chaining.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_chain CASCADE;
CREATE SCHEMA df_example_chain;

CREATE TABLE df_example_chain.stock (item text PRIMARY KEY, pieces int CHECK (pieces >= 0));
CREATE TABLE df_example_chain.payment (customer text, amount int);
CREATE TABLE df_example_chain.parcel (customer text, item text, pieces int);
INSERT INTO df_example_chain.stock VALUES ('chair', 20);

-- Three activities.  Each one runs in its own transaction.
CREATE FUNCTION df_example_chain.reserve(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	UPDATE df_example_chain.stock SET pieces = pieces - (an_order->>'pieces')::int
	WHERE item = an_order->>'item'
	RETURNING an_order || jsonb_build_object('price',
		(an_order->>'pieces')::int * 100)
$$;

CREATE FUNCTION df_example_chain.charge(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	INSERT INTO df_example_chain.payment
	VALUES (an_order->>'customer', (an_order->>'price')::int)
	RETURNING an_order || '{"paid": true}'
$$;

CREATE FUNCTION df_example_chain.pack(an_order jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	INSERT INTO df_example_chain.parcel
	VALUES (an_order->>'customer', an_order->>'item', (an_order->>'pieces')::int)
	RETURNING an_order || '{"packed": true}'
$$;

CREATE FUNCTION df_example_chain.sell(an_order jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$
BEGIN
	an_order := df_call_activity('df_example_chain.reserve', an_order);
	an_order := df_call_activity('df_example_chain.charge', an_order);
	RETURN df_call_activity('df_example_chain.pack', an_order);
END
$$;

SELECT df_start_singleton('df_example_chain.sell', 'order 1',
	'{"customer": "Ada", "item": "chair", "pieces": 4}', on_conflict => 'terminate');
-- More chairs than are in stock: the first activity fails, and the chain ends.
-- For failures later in the chain see saga.sql and retry_and_rewind.sql.
SELECT df_start_singleton('df_example_chain.sell', 'order 2',
	'{"customer": "Eve", "item": "chair", "pieces": 100}', on_conflict => 'terminate');

SELECT s.instance_id, s.runtime_status, s.output, s.failure->>'message' AS failure
FROM unnest('{order 1,order 2}'::text[]) id, df_wait_for_completion(id, '1 minute') s;
SELECT * FROM df_example_chain.stock;
SELECT * FROM df_example_chain.payment;
SELECT * FROM df_example_chain.parcel;

-- Check the results.
DO $$
DECLARE
	one df_status := df_get_status('order 1');
	two df_status := df_get_status('order 2');
BEGIN
	ASSERT one.runtime_status = 'Completed' AND one.output
		= '{"customer": "Ada", "item": "chair", "pieces": 4, "price": 400, "paid": true, "packed": true}',
		'order 1 must have passed all three activities';
	ASSERT two.runtime_status = 'Failed' AND two.failure->>'sqlstate' = '23514',
		'order 2 must fail because there are too few chairs';
	ASSERT (SELECT pieces FROM df_example_chain.stock) = 16, 'four chairs must be gone';
	ASSERT (SELECT array_agg(customer) FROM df_example_chain.payment) = '{Ada}'
		AND (SELECT array_agg(customer) FROM df_example_chain.parcel) = '{Ada}',
		'only order 1 must be paid and packed';
END
$$;
