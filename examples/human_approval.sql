-- Human interaction: wait for an approval, but not for ever.
--
--	psql -f examples/human_approval.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP TABLE IF EXISTS letter;

CREATE TABLE letter (receiver text, content text);

CREATE OR REPLACE FUNCTION write_letter(input jsonb) RETURNS jsonb LANGUAGE sql
AS $$
	INSERT INTO letter VALUES (input->>'to', input->>'content')
	RETURNING to_jsonb(content)
$$;

CREATE OR REPLACE FUNCTION expense(input jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM df_call_activity('write_letter', jsonb_build_object(
		'to', 'boss', 'content', 'please approve ' || (input->>'what')));

	-- On time-out the default value is the answer.
	answer := df_wait_for_external_event('approval',
		timeout => (input->>'patience')::interval,
		default_value => '{"approved": false, "by": "nobody"}');

	RETURN df_call_activity('write_letter', jsonb_build_object(
		'to', input->>'who',
		'content', CASE WHEN (answer->>'approved')::boolean
			THEN 'approved' ELSE 'refused' END
			|| ' by ' || (answer->>'by')));
END
$$;

SELECT df_start_singleton('expense', 'expense of Ada',
	'{"who": "Ada", "what": "a desk", "patience": "1 hour"}');
SELECT df_start_singleton('expense', 'expense of Bob',
	'{"who": "Bob", "what": "a yacht", "patience": "1 second"}');

-- The boss answers Ada; nobody answers Bob.
SELECT df_raise_event('expense of Ada', 'approval',
	'{"approved": true, "by": "the boss"}');

SELECT s.instance_id, s.runtime_status, s.output
FROM unnest('{Ada,Bob}'::text[]) who,
	df_wait_for_completion('expense of ' || who, '1 minute') s;

-- What must have come out of it.
DO $$
BEGIN
	ASSERT (SELECT output FROM df_get_status('expense of Ada'))
		= '"approved by the boss"', 'the event must reach Ada''s instance';
	ASSERT (SELECT output FROM df_get_status('expense of Bob'))
		= '"refused by nobody"', 'Bob''s instance must time out';
	ASSERT (SELECT count(*) FROM letter) = 4, 'each letter must be written once';
END
$$;
