-- Saga: several bookings that belong together, each committed on its own.  When
-- one fails, those before it are taken back, the latest first: the books are
-- balanced again.
--
--	psql -f examples/saga.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS bank CASCADE;
CREATE SCHEMA bank;

CREATE TABLE bank.account (
	name text PRIMARY KEY,
	balance numeric NOT NULL CHECK (balance >= 0),
	highest numeric NOT NULL DEFAULT 'infinity', CHECK (balance <= highest));
CREATE TABLE bank.booking (number int GENERATED ALWAYS AS IDENTITY,
	trip text, payer text, payee text, amount numeric);
INSERT INTO bank.account VALUES ('Ada', 1000), ('Bob', 1000), ('airline', 0), ('hotel', 0);
INSERT INTO bank.account VALUES ('car rental', 0, 200);

-- One step.  If the second update fails, the first is undone with it: an
-- activity is one transaction.  Only whole steps have to be compensated.
CREATE FUNCTION bank.pay(trip text, payer text, payee text, amount numeric)
RETURNS void LANGUAGE sql
AS $$
	UPDATE bank.account SET balance = balance - amount WHERE name = payer;
	UPDATE bank.account SET balance = balance + amount WHERE name = payee;
	INSERT INTO bank.booking (trip, payer, payee, amount)
	VALUES (trip, payer, payee, amount)
$$;

CREATE FUNCTION bank.book_trip(traveller text, steps jsonb)
RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	step jsonb;
	paid jsonb[] := '{}';
BEGIN
	FOR step IN SELECT * FROM jsonb_array_elements(steps) LOOP
		PERFORM df_call_activity('bank.pay', jsonb_build_object(
			'trip', df_instance_id(), 'payer', traveller,
			'payee', step->'payee', 'amount', step->'amount'));
		paid := step || paid;
	END LOOP;
	RETURN '{"booked": true}';
-- OTHERS does not catch an activity that ran into statement_timeout.
EXCEPTION WHEN query_canceled OR OTHERS THEN
	FOREACH step IN ARRAY paid LOOP
		-- Taking back must not fail for a passing reason.
		PERFORM df_call_activity('bank.pay', jsonb_build_object(
			'trip', df_instance_id(), 'payer', step->'payee',
			'payee', traveller, 'amount', step->'amount'),
			retry => df_retry_policy(10, '1 second', backoff_coefficient => 2));
	END LOOP;
	RETURN jsonb_build_object('booked', false, 'reason', SQLERRM);
END
$$;

SELECT sum(balance) AS in_the_books FROM bank.account;

SELECT df_start_singleton('bank.book_trip', 'trip of Ada', '{"traveller": "Ada", "steps": [
	{"payee": "airline", "amount": 400},
	{"payee": "hotel", "amount": 300},
	{"payee": "car rental", "amount": 150}]}', on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('trip of Ada', '1 minute');

-- The third step of Bob's trip is more than the car rental's account takes.
SELECT df_start_singleton('bank.book_trip', 'trip of Bob', '{"traveller": "Bob", "steps": [
	{"payee": "airline", "amount": 400},
	{"payee": "hotel", "amount": 300},
	{"payee": "car rental", "amount": 100}]}', on_conflict => 'terminate');
SELECT runtime_status, output FROM df_wait_for_completion('trip of Bob', '1 minute');

SELECT payer, payee, amount FROM bank.booking WHERE trip = 'trip of Bob' ORDER BY number;
SELECT name, balance FROM bank.account ORDER BY name;
SELECT sum(balance) AS in_the_books FROM bank.account;

-- What must have come out of it.
DO $$
DECLARE
	bob df_status := df_get_status('trip of Bob');
BEGIN
	ASSERT (SELECT output FROM df_get_status('trip of Ada')) = '{"booked": true}',
		'the trip of Ada must be booked';
	ASSERT bob.runtime_status = 'Completed' AND bob.output->'booked' = 'false'
		AND bob.output->>'reason' LIKE '%"account_check"', 'the trip of Bob must be cancelled';
	ASSERT (SELECT array_agg(payer || '->' || payee || ' ' || amount ORDER BY number)
			FROM bank.booking WHERE trip = 'trip of Bob')
		= '{Bob->airline 400,Bob->hotel 300,hotel->Bob 300,airline->Bob 400}',
		'what Bob paid must be taken back, the latest first';
	ASSERT (SELECT array_agg(balance::int ORDER BY name) FROM bank.account)
		= '{150,1000,400,150,300}', 'Bob must have his money again';
	ASSERT (SELECT sum(balance) FROM bank.account) = 2000, 'the books must be balanced';
END
$$;
