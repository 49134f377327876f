-- Converting arguments and results runs no code of other roles: casts created
-- by the owner of a type, CHECK constraints created by the owner of a domain.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
CREATE ROLE regress_ds_bob LOGIN;
CREATE ROLE regress_ds_alice LOGIN;
CREATE ROLE regress_ds_app LOGIN;
SELECT df_grant_usage(r) FROM unnest('{regress_ds_bob,regress_ds_alice,regress_ds_app}'::name[]) r;
CREATE SCHEMA bob AUTHORIZATION regress_ds_bob;
GRANT USAGE ON SCHEMA bob TO PUBLIC;
CREATE TABLE seen (code text, role name DEFAULT current_user);
GRANT ALL ON seen TO PUBLIC;
CREATE FUNCTION saw(text) RETURNS boolean LANGUAGE sql AS $$ INSERT INTO public.seen VALUES ($1) RETURNING true $$;

-- casts of every kind of type, by functions of every kind
SET SESSION AUTHORIZATION regress_ds_bob;
CREATE TYPE bob.mood AS ENUM ('good', 'bad');
CREATE FUNCTION bob.mood_json(bob.mood) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen VALUES ('mood');
	RETURN '"cast"';
END $$;
CREATE CAST (bob.mood AS json) WITH FUNCTION bob.mood_json;
CREATE TYPE bob.inlined AS ENUM ('good', 'bad');
CREATE FUNCTION bob.inlined_json(bob.inlined) RETURNS json LANGUAGE sql AS $$ SELECT to_json(public.saw('inlined')) $$;
CREATE CAST (bob.inlined AS json) WITH FUNCTION bob.inlined_json;
CREATE TYPE bob.set AS ENUM ('good', 'bad');
CREATE FUNCTION bob.set_json(bob.set) RETURNS json LANGUAGE sql SET work_mem = '5MB' AS $$ SELECT to_json(public.saw('set')) $$;
CREATE CAST (bob.set AS json) WITH FUNCTION bob.set_json;
CREATE TYPE bob.definer AS ENUM ('good', 'bad');
CREATE FUNCTION bob.definer_json(bob.definer) RETURNS json LANGUAGE sql SECURITY DEFINER AS $$ SELECT to_json(public.saw('definer')) $$;
CREATE CAST (bob.definer AS json) WITH FUNCTION bob.definer_json;
CREATE TYPE bob.pair AS (a int, b int);
CREATE FUNCTION bob.pair_json(bob.pair) RETURNS json LANGUAGE sql AS $$ SELECT to_json(public.saw('pair')) $$;
CREATE CAST (bob.pair AS json) WITH FUNCTION bob.pair_json;
CREATE DOMAIN bob.pair_domain AS bob.pair;
CREATE TYPE bob.span AS RANGE (subtype = int4);
CREATE FUNCTION bob.span_json(bob.span) RETURNS json LANGUAGE sql AS $$ SELECT to_json(public.saw('span')) $$;
CREATE CAST (bob.span AS json) WITH FUNCTION bob.span_json;
CREATE TABLE bob.orders (id int, m bob.mood);
INSERT INTO bob.orders VALUES (1, 'good'), (2, 'bad');
GRANT ALL ON bob.orders TO PUBLIC;
CREATE TYPE bob.nested AS (i int, o bob.orders);
RESET SESSION AUTHORIZATION;

CREATE PROCEDURE make_activities() LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES
		('mood', 'bob.mood', $q$SELECT 'good'::bob.mood$q$),
		('inlined', 'bob.inlined', $q$SELECT 'good'::bob.inlined$q$),
		('with_set', 'bob.set', $q$SELECT 'good'::bob.set$q$),
		('definer', 'bob.definer', $q$SELECT 'good'::bob.definer$q$),
		('pair', 'bob.pair', 'SELECT ROW(1, 2)::bob.pair'),
		('pair_domain', 'bob.pair_domain', 'SELECT ROW(1, 2)::bob.pair::bob.pair_domain'),
		('span', 'bob.span', $q$SELECT '[1,2)'::bob.span$q$),
		('moods', 'bob.mood[]', $q$SELECT '{good,bad}'::bob.mood[]$q$),
		('one_row', 'bob.orders', 'SELECT * FROM bob.orders WHERE id = 1'),
		('rows', 'SETOF bob.orders', 'SELECT * FROM bob.orders'),
		('nested', 'bob.nested', 'SELECT ROW(1, o)::bob.nested FROM bob.orders o LIMIT 1'),
		('columns', 'TABLE(i int, m bob.mood)', 'SELECT * FROM bob.orders'),
		('anonymous', 'record', $q$SELECT ROW(1, 'good'::bob.mood)$q$)) v(name, type, body)
	LOOP
		EXECUTE format('CREATE FUNCTION %I() RETURNS %s LANGUAGE sql AS %L', 'give_' || r.name, r.type, r.body);
	END LOOP;
END $$;
CREATE FUNCTION run_all(path text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	r text;
	o jsonb := '{}';
	result jsonb;
BEGIN
	FOREACH r IN ARRAY ARRAY['mood','inlined','with_set','definer','pair','pair_domain','span','moods','one_row','rows','nested','columns','anonymous']
	LOOP
		BEGIN
			result := df_call_activity(path || '.give_' || r);
		EXCEPTION WHEN insufficient_privilege THEN
			result := to_jsonb(SQLERRM);
		END;
		o := o || jsonb_build_object(r, result);
	END LOOP;
	RETURN o;
END $$;
CALL make_activities();
SELECT * FROM give_rows();
SELECT df_start_singleton('run_all', 'of superuser', '{"path": "public"}');
SELECT key, replace(value::text, session_user, 'me') AS value FROM df_wait_for_completion('of superuser'), jsonb_each(output);
SELECT * FROM seen;
-- as a task, as an orchestrator, in a session
CREATE FUNCTION run_task() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_await(df_schedule_activity('give_rows')) $$;
SELECT df_start_singleton('run_task', 'task');
SELECT df_start_singleton('give_one_row', 'orchestrator');
SELECT s.runtime_status, s.failure->>'sqlstate' AS state, replace(s.failure->>'message', session_user, 'me') AS message, s.failure->>'detail' AS detail, s.failure->>'hint' AS hint
FROM unnest('{task,orchestrator}'::text[]) i, df_wait_for_completion(i) s;
SELECT * FROM seen;
\i sql/workers_off.inc
SELECT df_start_singleton('run_task', 'session');
CALL df_run();
SELECT runtime_status, failure->>'sqlstate' AS state FROM df_get_status('session');
\i sql/workers_on.inc
SELECT * FROM seen;

-- of an ordinary role likewise, unless the function is that owner's as well
CREATE SCHEMA alice AUTHORIZATION regress_ds_alice;
SET SESSION AUTHORIZATION regress_ds_alice;
CREATE FUNCTION alice.give_rows() RETURNS SETOF bob.orders LANGUAGE sql AS $$ SELECT * FROM bob.orders $$;
CREATE FUNCTION alice.run(f text) RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_activity(f) $$;
SELECT df_start_singleton('alice.run', 'of alice', '{"f": "alice.give_rows"}');
SELECT runtime_status, failure->>'message' FROM df_wait_for_completion('of alice');
RESET SESSION AUTHORIZATION;
SELECT * FROM seen;
SET SESSION AUTHORIZATION regress_ds_bob;
CREATE FUNCTION bob.give_rows() RETURNS SETOF bob.orders LANGUAGE sql AS $$ SELECT * FROM bob.orders $$;
SET SESSION AUTHORIZATION regress_ds_alice;
SELECT df_start_singleton('alice.run', 'by bob', '{"f": "bob.give_rows"}');
SELECT runtime_status, output FROM df_wait_for_completion('by bob');
RESET SESSION AUTHORIZATION;
SELECT * FROM seen;
TRUNCATE seen;
-- a superuser's cast runs in every name, whatever it calls
ALTER FUNCTION bob.mood_json OWNER TO CURRENT_USER;
SELECT df_start_singleton('run_task', 'trusted');
SELECT runtime_status, output FROM df_wait_for_completion('trusted');
SELECT code, role = current_user FROM seen;
TRUNCATE seen;

-- CHECK constraints
SET SESSION AUTHORIZATION regress_ds_bob;
CREATE DOMAIN bob.checked AS int CHECK (public.saw('check'));
CREATE DOMAIN bob.unchecked AS int;
CREATE DOMAIN bob.outer AS bob.checked;
CREATE TABLE bob.checks (i int, c bob.checked);
CREATE TYPE bob.checks_span AS RANGE (subtype = bob.checked);
RESET SESSION AUTHORIZATION;
CREATE DOMAIN over_bobs AS bob.checked;
CREATE DOMAIN trusted AS int CHECK (saw('trusted'));
CREATE FUNCTION take(a bob.checked) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(b bob.unchecked) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(c bob.outer) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(d bob.checked[]) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(e bob.checks) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(f bob.checks_span) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(g over_bobs) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(h int, i bob.checked DEFAULT 1) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(k trusted) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take(l bob.orders) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION take_all() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	r record;
	o jsonb := '{}';
	result text;
BEGIN
	FOR r IN SELECT * FROM jsonb_each('{"a": 1, "b": 1, "c": 1, "d": [1], "e": {"i": 1, "c": 1}, "f": "[1,2)", "g": 1, "h": 1, "k": 1,
		"l": {"id": 1, "m": "good"}}')
	LOOP
		BEGIN
			result := df_call_activity('take', jsonb_build_object(r.key, r.value));
		EXCEPTION WHEN insufficient_privilege THEN
			GET STACKED DIAGNOSTICS result = PG_EXCEPTION_DETAIL;
		END;
		o := o || jsonb_build_object(r.key, result);
	END LOOP;
	RETURN o;
END $$;
SELECT df_start_singleton('take_all', 'arguments');
SELECT key, value FROM df_wait_for_completion('arguments'), jsonb_each(output);
SELECT code, role = current_user FROM seen;
TRUNCATE seen;

-- what can never run is refused at the start: by a trigger, for a superuser
SELECT replace(error_of($$SELECT df_start_singleton('take', 'argument', '{"a": 1}')$$), session_user, 'me') AS error;
SET SESSION AUTHORIZATION regress_ds_bob;
CREATE FUNCTION bob.process() RETURNS jsonb LANGUAGE sql AS $$ SELECT '1'::jsonb $$;
CREATE FUNCTION bob.ordered() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN PERFORM df_start_singleton('bob.process', 'order ' || NEW.id); RETURN NULL; END $$;
CREATE TRIGGER ordered AFTER INSERT ON bob.orders FOR EACH ROW EXECUTE FUNCTION bob.ordered();
INSERT INTO bob.orders VALUES (3);
RESET SESSION AUTHORIZATION;
SELECT replace(error_of('INSERT INTO bob.orders VALUES (4)'), session_user, 'me') AS error;
SELECT count(*) FROM bob.orders WHERE id = 4;
SELECT count(*) FROM df_instances WHERE instance_id = 'order 4';
SELECT replace(error_of($$SELECT df_start_new('bob.process', 'new')$$), session_user, 'me') AS error;
SELECT replace(error_of($$SELECT df_start_singleton('bob.process', 'later', start_at => '2200-01-01')$$), session_user, 'me') AS error;
-- its child is refused likewise, before it is an instance
CREATE FUNCTION has_child() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_sub_orchestrator('bob.process', instance_id => 'child') $$;
SELECT df_start_singleton('has_child', 'parent');
SELECT runtime_status, failure->>'sqlstate' AS state FROM df_wait_for_completion('parent');
SELECT count(*) FROM df_instances WHERE instance_id = 'child';
-- in the name of a role that may
SELECT runtime_status FROM df_wait_for_completion('order 3');
SELECT df_restart('order 3', false);
SELECT runtime_status FROM df_wait_for_completion('order 3');
SELECT owner FROM df_instances WHERE instance_id = 'order 3';

SELECT count(df_purge(i)) FROM unnest('{of superuser,task,orchestrator,session,of alice,by bob,trusted,arguments,parent,order 3}'::text[]) i;
DROP SCHEMA bob, alice CASCADE;
DROP FUNCTION give_anonymous, run_all, run_task, take_all, has_child;
DROP DOMAIN trusted CASCADE;
DROP PROCEDURE make_activities;
DROP TABLE seen;
DROP FUNCTION saw;
DROP OWNED BY regress_ds_bob, regress_ds_alice, regress_ds_app;
DROP ROLE regress_ds_bob, regress_ds_alice, regress_ds_app;
