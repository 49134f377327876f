-- Saga: several bookings that belong together, each committed separately.  If
-- one fails, the earlier ones are compensated, the latest first, and the books
-- balance again.
--
-- Two operations do not fit together with compensation:
--
--	df_terminate runs no handler, so it compensates nothing.  To cancel with
--	compensation, send an event that the orchestrator waits for; see "Steering
--	an instance" in docs/programming.md.
--
--	df_rewind repeats only failures that the code has not caught.  Here the
--	handler has caught the failure and compensated; even if it raised the
--	error again, a rewind would find nothing to repeat and fail with the same
--	error.  Start such an instance over instead.
--
--	psql -f examples/saga.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_bank CASCADE;
CREATE SCHEMA df_example_bank;

CREATE TABLE df_example_bank.account (
	name text PRIMARY KEY,
	balance numeric NOT NULL CHECK (balance >= 0),
	highest numeric NOT NULL DEFAULT 'infinity', CHECK (balance <= highest));
CREATE TABLE df_example_bank.booking (number int GENERATED ALWAYS AS IDENTITY,
	trip text, payer text, payee text, amount numeric);
INSERT INTO df_example_bank.account VALUES ('Ada', 1000), ('Bob', 1000), ('airline', 0), ('hotel', 0);
INSERT INTO df_example_bank.account VALUES ('car rental', 0, 200);

-- One step.  An activity is one transaction: if the second update fails, the
-- first one is rolled back.  Only completed steps need compensation.
CREATE FUNCTION df_example_bank.pay(trip text, payer text, payee text, amount numeric)
RETURNS void LANGUAGE sql
AS $$
	UPDATE df_example_bank.account SET balance = balance - amount WHERE name = payer;
	UPDATE df_example_bank.account SET balance = balance + amount WHERE name = payee;
	INSERT INTO df_example_bank.booking (trip, payer, payee, amount)
	VALUES (trip, payer, payee, amount)
$$;

CREATE FUNCTION df_example_bank.book_trip(traveller text, steps jsonb)
RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	step jsonb;
	paid jsonb[] := '{}';
BEGIN
	FOR step IN SELECT * FROM jsonb_array_elements(steps) LOOP
		PERFORM df_call_activity('df_example_bank.pay', jsonb_build_object(
			'trip', df_instance_id(), 'payer', traveller,
			'payee', step->'payee', 'amount', step->'amount'));
		paid := step || paid;
	END LOOP;
	RETURN '{"booked": true}';
EXCEPTION WHEN OTHERS THEN
	FOREACH step IN ARRAY paid LOOP
		-- Compensation must not fail for a temporary reason.
		PERFORM df_call_activity('df_example_bank.pay', jsonb_build_object(
			'trip', df_instance_id(), 'payer', step->'payee',
			'payee', traveller, 'amount', step->'amount'),
			retry => df_retry_policy(10, '1 second', backoff_coefficient => 2));
	END LOOP;
	RETURN jsonb_build_object('booked', false, 'reason', SQLERRM);
END
$$;

SELECT sum(balance) AS in_the_books FROM df_example_bank.account;

SELECT df_start_singleton('df_example_bank.book_trip', 'trip of Ada', '{"traveller": "Ada", "steps": [
	{"payee": "airline", "amount": 400},
	{"payee": "hotel", "amount": 300},
	{"payee": "car rental", "amount": 150}]}', on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('trip of Ada', '1 minute');

-- The third step of Bob's trip exceeds the limit of the car rental's account.
SELECT df_start_singleton('df_example_bank.book_trip', 'trip of Bob', '{"traveller": "Bob", "steps": [
	{"payee": "airline", "amount": 400},
	{"payee": "hotel", "amount": 300},
	{"payee": "car rental", "amount": 100}]}', on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('trip of Bob', '1 minute');

SELECT payer, payee, amount FROM df_example_bank.booking WHERE trip = 'trip of Bob' ORDER BY number;
SELECT name, balance FROM df_example_bank.account ORDER BY name;
SELECT sum(balance) AS in_the_books FROM df_example_bank.account;

-- Check the results.
DO $$
DECLARE
	bob df_status := df_get_status('trip of Bob');
BEGIN
	ASSERT (SELECT output FROM df_get_status('trip of Ada')) = '{"booked": true}',
		'the trip of Ada must be booked';
	ASSERT bob.runtime_status = 'Completed' AND bob.output->'booked' = 'false'
		AND bob.output->>'reason' LIKE '%"account_check"', 'the trip of Bob must be canceled';
	ASSERT (SELECT array_agg(payer || '->' || payee || ' ' || amount ORDER BY number)
			FROM df_example_bank.booking WHERE trip = 'trip of Bob')
		= '{Bob->airline 400,Bob->hotel 300,hotel->Bob 300,airline->Bob 400}',
		'Bob''s payments must be returned, the latest first';
	ASSERT (SELECT array_agg(balance::int ORDER BY name) FROM df_example_bank.account)
		= '{150,1000,400,150,300}', 'Bob must have his money back';
	ASSERT (SELECT sum(balance) FROM df_example_bank.account) = 2000, 'the books must be balanced';
END
$$;
