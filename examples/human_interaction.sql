-- Human interaction: an approval that is given from outside.  If a person does
-- not answer in time, the next superior is asked as well.  If no one answers,
-- the request is refused.
--
--	psql -f examples/human_interaction.sql DATABASE
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS durable_singleton;
DROP SCHEMA IF EXISTS df_example_office CASCADE;
CREATE SCHEMA df_example_office;

CREATE TABLE df_example_office.letter (number int GENERATED ALWAYS AS IDENTITY,
	subject text, receiver text, content text);

CREATE FUNCTION df_example_office.write_letter(subject text, receiver text, content text)
RETURNS void LANGUAGE sql
AS $$
	INSERT INTO df_example_office.letter (subject, receiver, content)
	VALUES (subject, receiver, content)
$$;

CREATE FUNCTION df_example_office.approve(who text, what text, superiors text[], patience interval[])
RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
	answers int[] := '{}';		-- tasks: one answer from each person asked
	timer int;
	winner int;
	answer jsonb := '{"approved": false, "by": "nobody"}';
BEGIN
	FOR i IN 1..cardinality(superiors) LOOP
		PERFORM df_set_custom_status(to_jsonb('waits for the ' || superiors[i]));
		PERFORM df_call_activity('df_example_office.write_letter', jsonb_build_object(
			'subject', what, 'receiver', superiors[i], 'content', 'please approve'));

		-- Wait for an answer or the timer, whichever comes first.  A late
		-- answer from a person asked earlier counts, too.
		answers := answers || df_schedule_event('answer of the ' || superiors[i]);
		timer := df_schedule_timer(patience[i]);
		winner := df_wait_any(answers || timer);
		IF winner <> timer THEN
			answer := df_await(winner);
			EXIT;
		END IF;
	END LOOP;

	PERFORM df_call_activity('df_example_office.write_letter', jsonb_build_object(
		'subject', what, 'receiver', who, 'content',
		CASE WHEN (answer->>'approved')::boolean THEN 'approved' ELSE 'refused' END));
	RETURN answer->>'by';
END
$$;

-- Ada's manager answers in time.
SELECT df_start_singleton('df_example_office.approve', 'a desk', '{"who": "Ada", "what": "a desk",
	"superiors": ["manager", "director"], "patience": ["1 hour", "1 hour"]}',
	on_conflict => 'terminate');
SELECT df_raise_event('a desk', 'answer of the manager',
	'{"approved": true, "by": "manager"}');

-- Bob's manager does not answer, so the director is asked.  The director's
-- answer may arrive early: an event is kept until the instance waits for it.
SELECT df_start_singleton('df_example_office.approve', 'a car', '{"who": "Bob", "what": "a car",
	"superiors": ["manager", "director"], "patience": ["200 milliseconds", "1 hour"]}',
	on_conflict => 'terminate');
SELECT df_raise_event('a car', 'answer of the director',
	'{"approved": true, "by": "director"}');

-- Eve gets no answer at all.
SELECT df_start_singleton('df_example_office.approve', 'a yacht', '{"who": "Eve", "what": "a yacht",
	"superiors": ["manager", "director"], "patience": ["200 milliseconds", "200 milliseconds"]}',
	on_conflict => 'terminate');

SELECT s.instance_id, s.runtime_status, s.output AS answer_of
FROM unnest('{a desk,a car,a yacht}'::text[]) id, df_wait_for_completion(id, '1 minute') s;
SELECT subject, receiver, content FROM df_example_office.letter
ORDER BY array_position('{a desk,a car,a yacht}'::text[], subject), number;

-- Check the results.
DO $$
DECLARE
	story text[] := (SELECT array_agg(receiver || ': ' || content ORDER BY
		array_position('{a desk,a car,a yacht}'::text[], subject), number) FROM df_example_office.letter);
BEGIN
	ASSERT (SELECT array_agg(output #>> '{}' ORDER BY instance_id) FROM df_instances
			WHERE instance_id IN ('a desk', 'a car', 'a yacht')) = '{director,manager,nobody}',
		'the desk must be the manager''s, the car the director''s, the yacht nobody''s decision';
	ASSERT story = ARRAY['manager: please approve', 'Ada: approved',
		'manager: please approve', 'director: please approve', 'Bob: approved',
		'manager: please approve', 'director: please approve', 'Eve: refused'],
		'each letter must be written once, and none too many';
END
$$;
