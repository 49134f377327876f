-- each id once: client c has the ids c * :share + 1 and so on
\set k :k + 1
\set n :client_id * :share + :k
SELECT df_start_singleton('noop', 'old-' || :n, '{"n": 1}');
