\set n random(100000000000000, 999999999999999)
INSERT INTO job (id, name, input) VALUES ('order-' || :n, 'noop', '{"n": 1}')
ON CONFLICT (id) DO UPDATE SET name = excluded.name, input = excluded.input, output = NULL, status = 'pending', created = excluded.created, ended = NULL
WHERE job.ended IS NOT NULL RETURNING true;
