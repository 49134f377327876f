\set n random(100000000000000, 999999999999999)
SELECT df_start_singleton('noop', 'order-' || :n, '{"n": 1}');
