-- Any function can be an activity or an orchestrator: the keys of the input
-- object are its argument names.  No wrapper and no parsing of jsonb is needed.
--
--	psql -f examples/any_function.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_shop CASCADE;
CREATE SCHEMA df_example_shop;

CREATE TABLE df_example_shop.charge (order_id bigint PRIMARY KEY, amount numeric, currency text);
CREATE TABLE df_example_shop.item (order_id bigint, name text, price numeric);
INSERT INTO df_example_shop.item VALUES (5, 'chair', 9.50), (5, 'cushion', 3);

-- A plain function; it contains nothing specific to durable_singleton.
CREATE FUNCTION df_example_shop.charge_card(order_id bigint, amount numeric, currency text DEFAULT 'EUR')
RETURNS text LANGUAGE sql
AS $$
	INSERT INTO df_example_shop.charge VALUES (order_id, amount, currency)
	RETURNING amount || ' ' || currency
$$;

-- A set is returned as an array of its rows,
CREATE FUNCTION df_example_shop.items(order_id bigint) RETURNS TABLE (name text, price numeric)
LANGUAGE sql
AS $$
	SELECT name, price FROM df_example_shop.item i WHERE i.order_id = $1 ORDER BY name
$$;

-- OUT parameters are returned as an object,
CREATE FUNCTION df_example_shop.total(prices numeric[], OUT net numeric, OUT gross numeric)
LANGUAGE sql
AS $$
	SELECT sum(p), round(sum(p) * 1.2, 2) FROM unnest(prices) p
$$;

-- and a procedure is called with CALL.
CREATE PROCEDURE df_example_shop.forget(order_id bigint) LANGUAGE sql
AS $$
	DELETE FROM df_example_shop.item i WHERE i.order_id = $1
$$;

-- The orchestrator has ordinary arguments, too.
CREATE FUNCTION df_example_shop.check_out(order_id bigint) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	this_order jsonb := jsonb_build_object('order_id', order_id);
	items jsonb := df_call_activity('df_example_shop.items', this_order);
	total jsonb := df_call_activity('df_example_shop.total', jsonb_build_object(
		'prices', jsonb_path_query_array(items, '$[*].price')));
	charged jsonb := df_call_activity('df_example_shop.charge_card',
		this_order || jsonb_build_object('amount', total->'gross'));
BEGIN
	PERFORM df_call_activity('df_example_shop.forget', this_order);
	RETURN jsonb_build_object('items', items, 'total', total, 'charged', charged);
END
$$;

SELECT df_start_singleton('df_example_shop.check_out', 'order 5', '{"order_id": 5}',
	on_conflict => 'terminate');
SELECT runtime_status, jsonb_pretty(output) AS output
FROM df_wait_for_completion('order 5', '1 minute');
SELECT * FROM df_example_shop.charge;

-- A key that matches no argument raises an error that lists the arguments.
CREATE FUNCTION df_example_shop.mistake() RETURNS jsonb LANGUAGE sql
AS $$
	SELECT df_call_activity('df_example_shop.charge_card', '{"order_id": 6, "price": 12.5}')
$$;
SELECT df_start_singleton('df_example_shop.mistake', 'order 6', on_conflict => 'terminate');
SELECT runtime_status, failure->>'sqlstate' AS sqlstate, failure->>'message' AS message,
	failure->>'detail' AS detail, failure->>'hint' AS hint
FROM df_wait_for_completion('order 6', '1 minute') \gx

-- Check the results.
DO $$
DECLARE
	good df_status := df_get_status('order 5');
	bad df_status := df_get_status('order 6');
BEGIN
	ASSERT good.output->'items' = '[{"name": "chair", "price": 9.50}, {"name": "cushion", "price": 3}]',
		'a set must come back as an array';
	ASSERT good.output->'total' = '{"net": 12.50, "gross": 15.00}',
		'OUT parameters must come back as an object';
	ASSERT good.output->>'charged' = '15.00 EUR', 'the default must apply';
	ASSERT (SELECT array_agg(c::text) FROM df_example_shop.charge c) = '{"(5,15.00,EUR)"}',
		'the card must be charged once';
	ASSERT NOT EXISTS (SELECT FROM df_example_shop.item), 'the procedure must have been called';
	ASSERT bad.runtime_status = 'Failed' AND bad.failure->>'sqlstate' = '42883'
		AND concat(bad.failure->>'message', bad.failure->>'detail', bad.failure->>'hint')
			LIKE '%order_id%amount%currency%',
		'the error must list the arguments';
END
$$;
