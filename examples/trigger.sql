-- Starting from a trigger: each new order starts its instance in the transaction
-- of the INSERT.  If that rolls back, there is no instance; if it commits, the
-- instance sees everything the transaction wrote, the order's lines included.
--
--	psql -f examples/trigger.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_store CASCADE;
CREATE SCHEMA df_example_store;

CREATE TABLE df_example_store.orders (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new');
CREATE TABLE df_example_store.line (order_id int REFERENCES df_example_store.orders, item text);
CREATE TABLE df_example_store.parcel (order_id int, item text);

-- The functions run in a background worker, with the owner's own settings.  So
-- each function that uses unqualified names sets its search_path itself.
CREATE FUNCTION df_example_store.pack(order_id int) RETURNS bigint LANGUAGE sql
SET search_path = df_example_store, pg_temp
AS $$
	WITH packed AS (
		INSERT INTO parcel SELECT l.order_id, l.item FROM line l WHERE l.order_id = $1
		RETURNING item)
	SELECT count(*) FROM packed
$$;

CREATE FUNCTION df_example_store.set_status(order_id int, status text) RETURNS void LANGUAGE sql
SET search_path = df_example_store, pg_temp
AS $$
	UPDATE orders SET status = $2 WHERE id = order_id
$$;

-- The extension's functions are in schema public here, so it is on the path.
CREATE FUNCTION df_example_store.fulfill(order_id int) RETURNS jsonb LANGUAGE plpgsql
SET search_path = df_example_store, public, pg_temp
AS $$
DECLARE
	packed jsonb := df_call_activity('pack', jsonb_build_object('order_id', order_id));
BEGIN
	PERFORM df_call_activity('set_status', jsonb_build_object(
		'order_id', order_id, 'status', 'packed'));
	RETURN jsonb_build_object('items', packed);
END
$$;

-- SECURITY DEFINER: the instance belongs to the owner of this function, no
-- matter which role inserts the order.  Without it, the instance would belong to
-- the inserting role, which would need df_grant_usage and rights on all tables.
--
-- reuse => '{}' allows each id only once, and on_conflict => 'error' makes a
-- second start an error, which rolls back the INSERT.
CREATE FUNCTION df_example_store.on_order() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = df_example_store, public, pg_temp
AS $$
BEGIN
	PERFORM df_start_singleton('fulfill', 'order-' || NEW.id,
		jsonb_build_object('order_id', NEW.id), on_conflict => 'error', reuse => '{}');
	RETURN NULL;
END
$$;
CREATE TRIGGER start_instance AFTER INSERT ON df_example_store.orders
FOR EACH ROW EXECUTE FUNCTION df_example_store.on_order();

-- Remove the instances of an earlier run of this file.
SELECT df_terminate(instance_id) FROM df_instances WHERE instance_id IN ('order-1', 'order-2')
	AND runtime_status IN ('Pending', 'Running', 'Suspended');
SELECT df_purge(id) FROM unnest('{order-1,order-2}'::text[]) id;

-- The lines are inserted after the trigger has fired.  The instance still sees
-- them, because it starts only when the transaction has committed.
BEGIN;
INSERT INTO df_example_store.orders VALUES (1);
INSERT INTO df_example_store.line VALUES (1, 'chair'), (1, 'cushion');
COMMIT;
SELECT runtime_status, output FROM df_wait_for_completion('order-1', '1 minute');
SELECT * FROM df_example_store.orders;

-- No order, no instance.
BEGIN;
INSERT INTO df_example_store.orders VALUES (2);
ROLLBACK;
SELECT count(*) AS instances_of_order_2 FROM df_get_status('order-2');

-- Check the results.
DO $$
DECLARE
	one df_status := df_get_status('order-1');
BEGIN
	ASSERT one.runtime_status = 'Completed' AND one.output = '{"items": 2}',
		'the instance must see both lines';
	ASSERT (SELECT array_agg(item ORDER BY item) FROM df_example_store.parcel) = '{chair,cushion}',
		'each line must be packed once';
	ASSERT (SELECT status FROM df_example_store.orders WHERE id = 1) = 'packed',
		'order 1 must be packed';
	ASSERT NOT EXISTS (SELECT FROM df_get_status('order-2')),
		'a rolled back order must leave no instance';
	ASSERT (SELECT owner FROM df_instances WHERE instance_id = 'order-1')
		= (SELECT proowner::regrole FROM pg_proc
			WHERE oid = 'df_example_store.on_order'::regproc),
		'the owner of the trigger function must own the instance';
END
$$;
