\set k :k + 1
\set n :client_id * :share + :k
INSERT INTO job (id, name, input) VALUES ('old-' || :n, 'noop', '{"n": 1}')
ON CONFLICT (id) DO UPDATE SET name = excluded.name, input = excluded.input, output = NULL, status = 'pending', created = excluded.created, ended = NULL
WHERE job.ended IS NOT NULL RETURNING true;
