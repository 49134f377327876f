\set n random(100000000000000, 999999999999999)
INSERT INTO bare (id, name, input) VALUES ('order-' || :n, 'noop', '{"n": 1}')
ON CONFLICT DO NOTHING;
