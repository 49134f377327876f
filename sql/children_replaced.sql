-- A parent that is replaced ends its children by messages.  Its new execution
-- may request a child with the same id before the old one has ended.
\set ECHO none
\i sql/helpers.inc
\i sql/workers_off.inc
\set ECHO all
CREATE FUNCTION repl_grandchild() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_wait_for_external_event('go') $$;
CREATE FUNCTION repl_child() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_sub_orchestrator('repl_grandchild', NULL, 'repl grandchild') $$;
CREATE FUNCTION repl_parent() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_sub_orchestrator('repl_child', NULL, 'repl child') $$;
CREATE FUNCTION repl_other() RETURNS jsonb LANGUAGE sql AS $$ SELECT df_call_sub_orchestrator('repl_child', NULL, 'repl child') $$;
CREATE VIEW repl_state AS
	SELECT instance_id, runtime_status, waiting_for, failure ->> 'sqlstate' AS sqlstate FROM df_instances WHERE instance_id LIKE 'repl %' ORDER BY instance_id COLLATE "C";
SELECT df_start_singleton('repl_parent', 'repl parent');
CALL df_run();
SELECT * FROM repl_state;
SELECT execution_id AS old_child FROM df_get_status('repl child') \gset
SELECT execution_id AS old_grandchild FROM df_get_status('repl grandchild') \gset

-- without workers the parent comes first, and finds the old child
SELECT df_start_singleton('repl_parent', 'repl parent', on_conflict => 'terminate');
CALL df_run();
SELECT * FROM repl_state;
SELECT execution_id <> :'old_child' AS new_child FROM df_get_status('repl child');
SELECT execution_id <> :'old_grandchild' AS new_grandchild FROM df_get_status('repl grandchild');
SELECT instance_id, runtime_status, output FROM df_executions WHERE instance_id LIKE 'repl %' ORDER BY instance_id COLLATE "C";

-- by hand, in two transactions, and told why; another parent takes the child's id
SELECT df_terminate('repl parent', 'enough');
SELECT df_start_singleton('repl_other', 'repl other');
CALL df_run();
SELECT * FROM repl_state;
SELECT instance_id, runtime_status, output FROM df_executions WHERE instance_id = 'repl child' ORDER BY execution_id;

-- a child that was not told to end keeps its id
SELECT df_start_singleton('repl_parent', 'repl parent');
CALL df_run();
SELECT * FROM repl_state;
-- and the family goes on as ever
SELECT df_raise_event('repl grandchild', 'go', '"done"');
CALL df_run();
SELECT instance_id, runtime_status, output FROM df_instances WHERE instance_id LIKE 'repl %' ORDER BY instance_id COLLATE "C";

DROP VIEW repl_state;
DROP FUNCTION repl_grandchild, repl_child, repl_parent, repl_other;
\i sql/workers_on.inc
