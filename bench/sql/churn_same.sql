-- each client has its own ids, so that it does not meet a running instance of another
\set n random(1, 63)
SELECT df_start_singleton('noop', 'order-' || :client_id || '-' || :n, '{"n": 1}');
SELECT runtime_status FROM df_wait_for_completion('order-' || :client_id || '-' || :n);
