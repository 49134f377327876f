-- The invariants, each a branch of one view: what it holds is a violation.
-- To be asked when everything has ended.

CREATE VIEW all_executions AS
	SELECT instance_id, execution_id, name, runtime_status, input, output,
		parent_instance_id FROM df_instances
	UNION ALL
	SELECT instance_id, execution_id, name, runtime_status, input, output,
		parent_instance_id FROM df_executions
	UNION ALL
	SELECT * FROM kept_execution;

CREATE VIEW all_history AS
	SELECT * FROM df_history UNION ALL SELECT * FROM kept_history;

CREATE VIEW history_tokens AS
	SELECT instance_id, execution_id, seq, (result #>> '{}')::uuid AS token
	FROM all_history WHERE event_type = 'TaskCompleted' AND name = 'work';

-- tokens of the turns that went before by continue-as-new
CREATE VIEW carried_tokens AS
	SELECT x.execution_id, t.token::uuid
	FROM all_executions x, jsonb_array_elements_text(x.input -> 'tokens') t (token);

-- How often an id was started and terminated: at least what was acknowledged,
-- at most that and what nobody knows.
CREATE VIEW accounts AS
	SELECT id,
		(SELECT count(*) FROM all_executions
			WHERE instance_id = id AND parent_instance_id IS NULL) AS executions,
		count(*) FILTER (WHERE started AND outcome = 'yes') AS acknowledged,
		count(*) FILTER (WHERE started AND outcome = 'unknown') AS unknown,
		(SELECT count(*) FROM all_executions
			WHERE instance_id = id AND runtime_status = 'Terminated') AS terminated,
		count(*) FILTER (WHERE op = 'terminate' AND outcome = 'yes') AS acknowledged_terminates,
		count(*) FILTER (WHERE op IN ('terminate', 'start_terminate')
			AND outcome <> 'no') AS possible_terminates
	FROM (SELECT told.*, told.instance_id AS id, op LIKE 'start%' OR op = 'restart' AS started
		FROM told WHERE instance_id NOT LIKE '%/kid') t
	GROUP BY id;

CREATE VIEW violations (invariant, detail) AS
	SELECT 'an effect is there once',
		format('execution %s, step %s: %s times', execution_id, step, count(*))
	FROM ledger GROUP BY execution_id, step HAVING count(*) > 1
UNION ALL
	SELECT 'an effect is whole', format('execution %s, step %s', execution_id, step)
	FROM ledger WHERE ended IS NULL
UNION ALL
	SELECT 'what history has was done', format('execution %s: token %s', execution_id, token)
	FROM (SELECT execution_id, token FROM history_tokens
		UNION SELECT execution_id, token FROM carried_tokens
		UNION SELECT execution_id, jsonb_array_elements_text(output -> 'tokens')::uuid
			FROM all_executions WHERE runtime_status = 'Completed') t
	WHERE NOT EXISTS (SELECT FROM ledger WHERE ledger.token = t.token)
UNION ALL
	SELECT 'what was done is in history',
		format('"%s", execution %s, step %s', instance_id, execution_id, step)
	FROM ledger WHERE token NOT IN (SELECT token FROM history_tokens
		UNION ALL SELECT token FROM carried_tokens)
UNION ALL
	SELECT 'history has an effect once', format('token %s', token)
	FROM history_tokens GROUP BY token HAVING count(*) > 1
UNION ALL
	SELECT 'one execution at a time',
		format('"%s", execution %s: %s to %s, but another one to %s', instance_id,
			execution_id, began, ended, before)
	FROM (SELECT *, max(ended) OVER (PARTITION BY instance_id ORDER BY began
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
		FROM (SELECT instance_id, execution_id, min(began) AS began, max(ended) AS ended
			FROM ledger GROUP BY 1, 2) r) s
	WHERE began < before
UNION ALL
	SELECT 'an acknowledged start is not lost', format('"%s", %s', instance_id, token)
	FROM told WHERE op LIKE 'start%' AND outcome = 'yes'
		AND token NOT IN (SELECT input ->> 'token' FROM all_executions
			WHERE input ? 'token')
UNION ALL
	SELECT 'what was refused or rolled back was not started',
		format('"%s", %s', instance_id, token)
	FROM told WHERE op LIKE 'start%' AND outcome = 'no'
		AND token IN (SELECT input ->> 'token' FROM all_executions)
UNION ALL
	SELECT 'there are as many executions as starts', accounts::text
	FROM accounts
	WHERE executions NOT BETWEEN acknowledged AND acknowledged + unknown
UNION ALL
	SELECT 'there are as many terminated executions as terminates', accounts::text
	FROM accounts
	WHERE terminated NOT BETWEEN acknowledged_terminates AND possible_terminates
UNION ALL
	SELECT 'an acknowledged end is not undone',
		format('"%s", execution %s: was %s, is %s', t.instance_id, t.execution_id,
			t.status, coalesce(x.runtime_status::text, 'unknown'))
	FROM told t LEFT JOIN all_executions x USING (instance_id, execution_id)
	WHERE t.status IN ('Completed', 'Terminated')
		AND (t.status, t.output_md5)
			IS DISTINCT FROM (x.runtime_status::text, md5(x.output::text))
UNION ALL
	SELECT 'what has completed has its whole history',
		format('"%s", execution %s', instance_id, execution_id)
	FROM all_executions x LEFT JOIN (
			SELECT execution_id, jsonb_agg(token ORDER BY step) AS tokens
			FROM history_tokens JOIN ledger USING (execution_id, token)
			GROUP BY 1) h USING (execution_id)
	WHERE runtime_status = 'Completed'
		AND output -> 'tokens' IS DISTINCT FROM
			coalesce(input -> 'tokens', '[]') || h.tokens
UNION ALL
	SELECT 'what the orchestrator wrote is there if it has completed, once',
		format('execution %s: %s, %s rows', execution_id, runtime_status, n)
	FROM (SELECT execution_id, x.runtime_status, count(f) AS n
		FROM all_executions x FULL JOIN finished f USING (execution_id)
		GROUP BY 1, 2) s
	WHERE n <> CASE WHEN runtime_status = 'Completed' THEN 1 ELSE 0 END
UNION ALL
	SELECT 'what was told outside is what history has',
		format('execution %s: told %s, has %s', o.execution_id, o.value,
			coalesce(h.result::text, 'nothing'))
	FROM outside o LEFT JOIN all_history h ON h.execution_id = o.execution_id
		AND event_type = 'TaskCompleted' AND name = 'draw'
	WHERE h.result #>> '{}' IS DISTINCT FROM o.value::text
UNION ALL
	SELECT 'what history says was told is outside', format('execution %s', execution_id)
	FROM all_history WHERE event_type = 'TaskCompleted' AND name = 'tell'
		AND execution_id NOT IN (SELECT execution_id FROM outside)
UNION ALL
	SELECT 'an event is taken once', format('event %s: %s times', result, count(*))
	FROM all_history WHERE event_type = 'EventRaised' AND result IS NOT NULL
	GROUP BY result HAVING count(*) > 1
UNION ALL
	SELECT 'an event that was refused or rolled back is not taken', format('event %s', token)
	FROM told WHERE op LIKE 'event%' AND outcome = 'no'
		AND to_jsonb(token) IN (SELECT result FROM all_history
			WHERE event_type = 'EventRaised' AND result IS NOT NULL)
UNION ALL
	SELECT 'everything ends', format('"%s": %s', instance_id, runtime_status)
	FROM df_instances
	WHERE runtime_status NOT IN ('Completed', 'Failed', 'Terminated')
UNION ALL
	SELECT 'there is no history without its execution', format('execution %s', execution_id)
	FROM durable_singleton.history
	WHERE execution_id NOT IN (SELECT execution_id FROM df_instances
		UNION ALL SELECT execution_id FROM df_executions)
UNION ALL
	SELECT 'no task is left', task::text FROM durable_singleton.task;
