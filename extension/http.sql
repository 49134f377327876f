-- ---------------------------------------------------------------------------
-- HTTP: what the gateway durable-singleton-http serves.
--
-- The gateway routes a request to one function of this part, which does what
-- is asked for and makes the answer.  An error goes to http_error(), which
-- makes the answer that belongs to it.  docs/http.md tells the routes.
--
-- These functions run as the role of the gateway, so that the rights of that
-- role decide, and see only instances of functions on the list that
-- df_expose_http() and df_hide_http() keep.
-- ---------------------------------------------------------------------------

-- By schema and bare name, not by oid: a dump carries it.
CREATE TABLE durable_singleton.http_function (
	schema_name text COLLATE "C" NOT NULL,
	function_name text COLLATE "C" NOT NULL,
	CONSTRAINT http_function_pkey PRIMARY KEY (function_name, schema_name));

CREATE TRIGGER refuse_strangers
	BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON durable_singleton.http_function
	EXECUTE FUNCTION durable_singleton.refuse_strangers();

SELECT pg_catalog.pg_extension_config_dump('durable_singleton.http_function', '');

CREATE FUNCTION @extschema@.df_expose_http(function_name text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ds_expose_http'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_expose_http IS
	'lets a function be started over HTTP, and its instances be managed; false: it was already so';

CREATE FUNCTION @extschema@.df_hide_http(function_name text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ds_hide_http'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.df_hide_http IS
	'takes back what df_expose_http allowed; false: it was not allowed';

CREATE FUNCTION durable_singleton.http_bare_name(function_name text)
RETURNS text
AS 'MODULE_PATHNAME', 'ds_bare_name'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION durable_singleton.http_bare_name IS
	'the name of a function, as a start gave it, without its schema';

CREATE VIEW @extschema@.df_http_functions AS
	SELECT schema_name, function_name FROM durable_singleton.http_function;
COMMENT ON VIEW @extschema@.df_http_functions IS 'functions that may be started over HTTP';

CREATE VIEW @extschema@.df_http_instances WITH (security_barrier) AS
	SELECT i.instance_id, i.name,
		CASE WHEN i.status = 'Pending'
				AND durable_singleton.is_executing(i.execution_id)
			THEN 'Running' ELSE i.status END AS runtime_status,
		i.created_time, i.owner
	FROM durable_singleton.instance i
	-- no join, and in order, so that a page of a list goes along the ids
	WHERE durable_singleton.access_level(i.owner) > 0
		AND (SELECT true FROM durable_singleton.http_function f
			WHERE f.function_name = durable_singleton.http_bare_name(i.name)
				AND f.schema_name = i.function_schema)
	ORDER BY i.instance_id;
COMMENT ON VIEW @extschema@.df_http_instances IS
	'instances of the functions that may be started over HTTP';

CREATE FUNCTION durable_singleton.http_exposed_status(instance_id text,
	show_history boolean DEFAULT false,
	show_history_output boolean DEFAULT false,
	show_input boolean DEFAULT true)
RETURNS @extschema@.df_status
AS 'MODULE_PATHNAME', 'ds_exposed_status'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION durable_singleton.http_exposed_status IS
	'df_get_status for instances of exposed functions; null for all others';

CREATE FUNCTION durable_singleton.http_purge_exposed_by(created_from timestamptz,
	created_to timestamptz, statuses @extschema@.df_runtime_status[])
RETURNS bigint
AS 'MODULE_PATHNAME', 'ds_purge_exposed_by'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION durable_singleton.http_purge_exposed_by IS
	'df_purge_by for instances of exposed functions';

-- ---------------------------------------------------------------------------
-- Links
-- ---------------------------------------------------------------------------

-- base_url: the origin of the gateway, with or without the path of the webhook
CREATE FUNCTION durable_singleton.http_links(instance_id text, base_url text,
	task_hub text, connection text, code text, with_rewind boolean)
RETURNS json
AS 'MODULE_PATHNAME', 'ds_http_links'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION durable_singleton.http_links IS
	'the id of an instance and the links that manage it';

CREATE FUNCTION @extschema@.df_create_check_status_response(instance_id text, base_url text)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN durable_singleton.http_links(instance_id, base_url, NULL, NULL, NULL, false);
END
$$;
COMMENT ON FUNCTION @extschema@.df_create_check_status_response IS
	'what the gateway answers to a start: the instance''s id and the links that manage it';

CREATE FUNCTION @extschema@.df_create_http_management_payload(instance_id text,
	base_url text, task_hub text DEFAULT NULL, connection text DEFAULT NULL,
	code text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN durable_singleton.http_links(instance_id, base_url, task_hub, connection, code, true);
END
$$;
COMMENT ON FUNCTION @extschema@.df_create_http_management_payload IS
	'all links that manage an instance over HTTP, with parameters of one''s own';

-- ---------------------------------------------------------------------------
-- Values that come as text
-- ---------------------------------------------------------------------------

-- A value that does not parse counts as absent.
CREATE FUNCTION durable_singleton.http_time(t text)
RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
	IF t !~ '^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?$' THEN
		RETURN NULL;
	END IF;
	RETURN replace(t, ',', '.')::timestamptz;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;

CREATE FUNCTION durable_singleton.http_statuses(list text)
RETURNS @extschema@.df_runtime_status[]
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT array_agg(s)
		FROM unnest(enum_range(NULL::@extschema@.df_runtime_status)) s
		WHERE s::text = ANY (SELECT btrim(part) FROM unnest(string_to_array(list, ',')) part));
END
$$;
COMMENT ON FUNCTION durable_singleton.http_statuses IS
	'the known names of a comma list, null if there is none';

-- ---------------------------------------------------------------------------
-- Answers
-- ---------------------------------------------------------------------------

CREATE TYPE durable_singleton.http_response AS (
	status int,
	body text,
	-- null: JSON
	content_type text,
	location text,
	retry_after int,
	continuation_token text,
	-- of what was started
	instance_id text);

CREATE FUNCTION durable_singleton.http_empty(status int)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ROW(status, NULL, NULL, NULL, NULL, NULL, NULL)::durable_singleton.http_response;
END
$$;

CREATE FUNCTION durable_singleton.http_accepted(instance_id text, origin text,
	task_hub text, connection text, code text)
RETURNS durable_singleton.http_response
AS 'MODULE_PATHNAME', 'ds_http_accepted'
LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION durable_singleton.http_accepted IS 'the answer to a start';

CREATE FUNCTION durable_singleton.http_failure(status int, message text,
	exception_message text, exception_type text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ROW(status,
		json_build_object(
			'Message', message,
			'ExceptionMessage', exception_message,
			'ExceptionType', exception_type,
			'StackTrace', '')::text,
		NULL, NULL, NULL, NULL, NULL)::durable_singleton.http_response;
END
$$;

CREATE FUNCTION durable_singleton.http_bad_argument(reason text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN durable_singleton.http_failure(400,
		'One or more of the arguments submitted is incorrect', reason,
		'System.ArgumentException');
END
$$;

CREATE FUNCTION durable_singleton.http_instance(instance_id text,
	show_history boolean DEFAULT false,
	show_history_output boolean DEFAULT false,
	show_input boolean DEFAULT true)
RETURNS json
AS 'MODULE_PATHNAME', 'ds_http_instance'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION durable_singleton.http_instance IS
	'the status object of an instance of an exposed function; null for all others';

-- ---------------------------------------------------------------------------
-- Routes: one function each
-- ---------------------------------------------------------------------------

-- POST orchestrators/{functionName}/{instanceId?}; the function is looked up
-- with that search_path
CREATE FUNCTION durable_singleton.http_start(search_path text, function_name text,
	instance_id text, body text, origin text, task_hub text, connection text,
	code text)
RETURNS durable_singleton.http_response
AS 'MODULE_PATHNAME', 'ds_http_start'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

-- POST /api/orchestrators/{functionName}/{instanceId}: the sample of the
-- Durable Functions singleton documentation, without its race
CREATE FUNCTION durable_singleton.http_start_singleton(search_path text,
	function_name text, instance_id text, body text, origin text, task_hub text,
	connection text, code text)
RETURNS durable_singleton.http_response
AS 'MODULE_PATHNAME', 'ds_http_start_singleton'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

-- GET instances/{instanceId}; the gateway adds the request's URL as Location
-- to a 202
CREATE FUNCTION durable_singleton.http_status(instance_id text, show_history boolean,
	show_history_output boolean, show_input boolean, error_on_failure boolean)
RETURNS durable_singleton.http_response
AS 'MODULE_PATHNAME', 'ds_http_status'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

-- GET instances: in the order of the ids, along the primary key, however many
-- there are.  A page ends early when it has grown large; the token, which is
-- the last id in hex, tells where to go on.
CREATE FUNCTION durable_singleton.http_list(created_from text, created_to text,
	statuses text, id_prefix text, show_input boolean, page_size int, token text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
	large CONSTANT int := 4 * 1024 * 1024;
	wanted CONSTANT int := CASE WHEN page_size > 0 THEN least(page_size, 1000) ELSE 100 END;
	from_time CONSTANT timestamptz := coalesce(durable_singleton.http_time(created_from), '-infinity');
	to_time CONSTANT timestamptz := coalesce(durable_singleton.http_time(created_to), 'infinity');
	status_list CONSTANT @extschema@.df_runtime_status[] := durable_singleton.http_statuses(statuses);
	prefix CONSTANT text := coalesce(id_prefix, '');
	-- no id of 256 bytes that begins like this comes after it
	prefix_end CONSTANT text := CASE WHEN prefix <> '' AND getdatabaseencoding() = 'UTF8'
		THEN prefix || repeat(chr(1114111), 64) END;
	last_id text := '';
	id text;
	item text;
	items text[] := '{}';
	size int := 0;
	more boolean := false;
BEGIN
	IF token <> '' THEN
		IF token !~ '^([0-9a-f]{2})+$' THEN
			RAISE EXCEPTION 'unknown continuation token' USING ERRCODE = 'SD400';
		END IF;
		last_id := convert_from(decode(token, 'hex'), 'UTF8');
	END IF;
	FOR id IN
		SELECT i.instance_id FROM @extschema@.df_http_instances i
		WHERE i.instance_id > last_id COLLATE "C"
			AND i.instance_id >= prefix COLLATE "C"
			AND (prefix_end IS NULL OR i.instance_id <= prefix_end COLLATE "C")
			AND starts_with(i.instance_id, prefix)
			AND i.created_time BETWEEN from_time AND to_time
			AND (status_list IS NULL OR i.runtime_status = ANY (status_list))
		ORDER BY i.instance_id LIMIT wanted + 1
	LOOP
		IF cardinality(items) >= wanted OR size >= large THEN
			more := true;
			EXIT;
		END IF;
		last_id := id;
		item := durable_singleton.http_instance(id, show_input => show_input);
		IF item IS NOT NULL THEN
			items := items || item;
			size := size + length(item);
		END IF;
	END LOOP;
	RETURN ROW(200, '[' || array_to_string(items, ',') || ']', NULL, NULL, NULL,
		CASE WHEN more THEN encode(convert_to(last_id, 'UTF8'), 'hex') ELSE '' END, NULL)::durable_singleton.http_response;
END
$$;

CREATE FUNCTION durable_singleton.http_purged(n bigint)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF n = 0 THEN
		RETURN durable_singleton.http_empty(404);
	END IF;
	RETURN ROW(200, json_build_object('instancesDeleted', n)::text, NULL, NULL,
		NULL, NULL, NULL)::durable_singleton.http_response;
END
$$;

-- DELETE instances/{instanceId}
CREATE FUNCTION durable_singleton.http_purge(instance_id text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF durable_singleton.http_exposed_status(instance_id, show_input => false) IS NULL THEN
		RETURN durable_singleton.http_empty(404);
	END IF;
	RETURN durable_singleton.http_purged(@extschema@.df_purge(instance_id));
END
$$;

-- DELETE instances.  A filter that names no status in which an instance could
-- have ended is refused, not taken for no filter.
CREATE FUNCTION durable_singleton.http_purge_by(created_from text, created_to text,
	statuses text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	from_time CONSTANT timestamptz := durable_singleton.http_time(created_from);
	to_time CONSTANT timestamptz := coalesce(durable_singleton.http_time(created_to), now());
	named CONSTANT @extschema@.df_runtime_status[] := durable_singleton.http_statuses(statuses);
	ended CONSTANT @extschema@.df_runtime_status[] := ARRAY(
		SELECT s FROM unnest(named) s
		WHERE s IN ('Completed', 'Failed', 'Terminated'));
BEGIN
	IF from_time IS NULL THEN
		RETURN ROW(400, to_json('Please provide value for ''createdTimeFrom'' parameter.'::text)::text,
			NULL, NULL, NULL, NULL, NULL)::durable_singleton.http_response;
	END IF;
	IF statuses IS NULL THEN
		RETURN durable_singleton.http_purged(durable_singleton.http_purge_exposed_by(
			from_time, to_time + interval '1 microsecond', '{Completed,Failed,Terminated}'));
	END IF;
	IF ended = '{}' AND 'Canceled' = ANY (named) IS NOT TRUE THEN
		RAISE EXCEPTION 'runtimeStatus names no status in which an instance has ended: Completed, Failed, Terminated or Canceled.'
			USING ERRCODE = 'SD400';
	END IF;
	RETURN durable_singleton.http_purged(durable_singleton.http_purge_exposed_by(
		from_time, to_time + interval '1 microsecond', ended));
END
$$;

-- What all operations on one instance begin with: null, or the answer 404 or
-- 410 with which they end.
CREATE FUNCTION durable_singleton.http_unsuitable(s @extschema@.df_status)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF s.instance_id IS NULL THEN
		RETURN durable_singleton.http_empty(404);
	ELSIF s.runtime_status NOT IN ('Pending', 'Running', 'Suspended') THEN
		RETURN durable_singleton.http_empty(410);
	END IF;
	RETURN NULL;
END
$$;

-- POST instances/{instanceId}/raiseEvent/{eventName}
CREATE FUNCTION durable_singleton.http_raise_event(instance_id text, event_name text,
	content_type text, body text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	refusal durable_singleton.http_response := durable_singleton.http_unsuitable(
		durable_singleton.http_exposed_status(instance_id, show_input => false));
BEGIN
	IF refusal.status IS NOT NULL THEN
		RETURN refusal;
	END IF;
	IF content_type IS NULL OR lower(btrim(split_part(content_type, ';', 1))) <> 'application/json' THEN
		RETURN durable_singleton.http_failure(400,
			'Only application/json request content is supported',
			'Only application/json request content is supported', 'System.ArgumentException');
	END IF;
	PERFORM @extschema@.df_raise_event(instance_id, event_name, coalesce(body, '')::jsonb);
	RETURN durable_singleton.http_empty(202);
END
$$;

-- POST instances/{instanceId}/terminate, suspend, resume
CREATE FUNCTION durable_singleton.http_control(instance_id text, operation text,
	reason text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	refusal durable_singleton.http_response := durable_singleton.http_unsuitable(
		durable_singleton.http_exposed_status(instance_id, show_input => false));
BEGIN
	IF refusal.status IS NOT NULL THEN
		RETURN refusal;
	END IF;
	CASE operation
		WHEN 'terminate' THEN
			PERFORM @extschema@.df_terminate(instance_id, reason);
		WHEN 'suspend' THEN
			PERFORM @extschema@.df_suspend(instance_id, reason);
		WHEN 'resume' THEN
			PERFORM @extschema@.df_resume(instance_id, reason);
	END CASE;
	RETURN durable_singleton.http_empty(202);
END
$$;

-- POST instances/{instanceId}/rewind
CREATE FUNCTION durable_singleton.http_rewind(instance_id text, reason text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF durable_singleton.http_exposed_status(instance_id, show_input => false) IS NULL THEN
		RETURN durable_singleton.http_empty(404);
	END IF;
	PERFORM @extschema@.df_rewind(instance_id, reason);
	RETURN durable_singleton.http_empty(202);
END
$$;

-- POST instances/{instanceId}/restart
CREATE FUNCTION durable_singleton.http_restart(instance_id text, with_new_id boolean,
	origin text, task_hub text, connection text, code text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF durable_singleton.http_exposed_status(instance_id, show_input => false) IS NULL THEN
		RAISE EXCEPTION 'no such instance' USING ERRCODE = 'SD404';
	END IF;
	RETURN durable_singleton.http_accepted(
		@extschema@.df_restart(instance_id, coalesce(with_new_id, true)),
		origin, task_hub, connection, code);
END
$$;

-- For the long polls of starts: waits until one of the instances has ended,
-- and answers those that have.  Instances that are gone answer at once, with
-- the status null.
CREATE FUNCTION durable_singleton.http_wait(instance_ids text[], seconds float8)
RETURNS TABLE (instance_id text, status int, body text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id text;
	present text[] := '{}';
	s @extschema@.df_status;
BEGIN
	FOREACH id IN ARRAY instance_ids LOOP
		s := durable_singleton.http_exposed_status(id, show_input => false);
		IF s.instance_id IS NOT NULL THEN
			present := present || id;
		ELSE
			instance_id := id;
			RETURN NEXT;
		END IF;
	END LOOP;
	IF cardinality(present) < cardinality(instance_ids) THEN
		RETURN;
	END IF;
	FOR s IN
		SELECT * FROM @extschema@.df_wait_for_any(present, make_interval(secs => seconds)) w
		WHERE w.runtime_status NOT IN ('Pending', 'Running', 'Suspended')
	LOOP
		instance_id := s.instance_id;
		status := 200;
		body := CASE s.runtime_status
			WHEN 'Completed' THEN coalesce(s.output, 'null')::text
			ELSE durable_singleton.http_instance(s.instance_id)::text END;
		RETURN NEXT;
	END LOOP;
END
$$;

CREATE FUNCTION durable_singleton.http_call_off(pid int)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ds_call_off'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION durable_singleton.http_call_off IS
	'ends the wait of another session of the same role as if its time were over';

-- A route's transaction by a name that outlives a crash of the server, null if
-- it has not written; and what became of it, as pg_xact_status() tells it.
CREATE FUNCTION durable_singleton.http_transaction()
RETURNS text
AS 'MODULE_PATHNAME', 'ds_http_transaction'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION durable_singleton.http_fate(transaction text)
RETURNS text
AS 'MODULE_PATHNAME', 'ds_http_fate'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

-- The answer to an error that a route's function raised, or the sending of
-- its parameters.  503: it may go well in a moment.
CREATE FUNCTION durable_singleton.http_error(route text, function_name text,
	code text, message text, detail text)
RETURNS durable_singleton.http_response
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	starts CONSTANT boolean := route IN ('start', 'start_singleton');
	answer durable_singleton.http_response;
BEGIN
	-- nothing but a body can be this wrong
	IF code IN ('22P02', '22P05', '54000', '54001') THEN
		RETURN durable_singleton.http_failure(400, 'Invalid JSON content',
			coalesce(detail, message), 'Newtonsoft.Json.JsonReaderException');
	ELSIF starts AND code IN ('42883', '42602', '42501') THEN
		RETURN durable_singleton.http_bad_argument(format(
			'The function ''%s'' doesn''t exist, is disabled, or is not an orchestrator function.',
			function_name));
	ELSIF code = 'SD404' THEN
		IF route <> 'restart' THEN
			RETURN durable_singleton.http_empty(404);
		END IF;
		RETURN durable_singleton.http_failure(400,
			'InstanceId does not match a valid orchestration instance.',
			'InstanceId does not match a valid orchestration instance.',
			'System.ArgumentException');
	ELSIF route = 'rewind' AND code IN ('SD409', 'SD410') THEN
		RETURN ROW(412, to_json('The rewind operation is only supported on failed orchestration instances.'::text)::text,
			NULL, NULL, NULL, NULL, NULL)::durable_singleton.http_response;
	ELSIF code = 'SD410' THEN
		RETURN durable_singleton.http_empty(410);
	ELSIF code = 'SD409' THEN
		RETURN durable_singleton.http_failure(
			CASE WHEN route = 'control' THEN 500 ELSE 409 END,
			'Something went wrong while processing your request', message,
			CASE WHEN route = 'restart'
				THEN 'DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException'
				ELSE 'System.InvalidOperationException' END);
	ELSIF code = 'SD400' OR code LIKE '22%' THEN
		RETURN durable_singleton.http_bad_argument(message);
	ELSIF code = '42501' THEN
		RETURN durable_singleton.http_failure(403, 'Forbidden', message,
			'System.UnauthorizedAccessException');
	END IF;
	answer := durable_singleton.http_failure(500,
		'Something went wrong while processing your request', message,
		'System.Exception');
	IF code IN ('25006', '55P03', '57014', '40001', '40P01') OR code LIKE '53%' THEN
		answer.status := 503;
		answer.retry_after := 5;
	END IF;
	RETURN answer;
END
$$;
