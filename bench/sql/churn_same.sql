-- each client has ids of its own, so that none finds another's running
\set n random(1, 63)
SELECT df_start_singleton('noop', 'order-' || :client_id || '-' || :n, '{"n": 1}');
SELECT runtime_status FROM df_wait_for_completion('order-' || :client_id || '-' || :n);
