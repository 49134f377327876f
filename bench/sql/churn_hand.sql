-- the hand-written version: restart, and the end that a worker would write
\set n random(1, 63)
INSERT INTO job (id, name, input) VALUES ('order-' || :client_id || '-' || :n, 'noop', '{"n": 1}')
ON CONFLICT (id) DO UPDATE SET name = excluded.name, input = excluded.input, output = NULL, status = 'pending', created = excluded.created, ended = NULL
WHERE job.ended IS NOT NULL RETURNING true;
UPDATE job SET status = 'completed', output = input, ended = now() WHERE id = 'order-' || :client_id || '-' || :n;
