-- df_retry_policy returns a value for retry, and refuses arguments that make
-- no sense.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
\pset format unaligned
\pset tuples_only on
-- what is not given is absent, or has its default
SELECT df_retry_policy(3);
SELECT df_retry_policy(5, '10 s', 2.5, '5 min', '1 hour', '{40001,08}');
SELECT df_retry_policy(max_attempts => 2, retry_on => '{P0001}');
SELECT df_retry_policy(1, '0', 1e-3, '0', '0');
SELECT df_retry_policy(2147483647, backoff_coefficient => 1e10);
-- intervals keep their units; the session's settings have no say
SELECT df_retry_policy(3, '1 mon 1 day -2 hours', 0.1, '1.5 us', '1 year 14 mons');
SET IntervalStyle = sql_standard;
SET extra_float_digits = -15;
SELECT df_retry_policy(3, '1 mon 1 day -2 hours', 0.123456789, '1.5 us', '1 year 14 mons');
RESET IntervalStyle;
RESET extra_float_digits;
-- the order of the list is kept
SELECT df_retry_policy(3, retry_on => '{XX000,08,40P01,08}') -> 'retry_on';
SELECT df_retry_policy(3, retry_on => '{{40001,40P01},{08,57}}') -> 'retry_on';

-- NULLs
SELECT error_of($$ SELECT df_retry_policy(NULL) $$);
SELECT error_of($$ SELECT df_retry_policy(3, first_interval => NULL) $$);
SELECT error_of($$ SELECT df_retry_policy(3, backoff_coefficient => NULL) $$);
SELECT error_of($$ SELECT df_retry_policy(3, retry_on => '{40001,NULL}') $$);
SELECT df_retry_policy(3, '1 s', 1, NULL, NULL, NULL);

-- attempts
SELECT error_of($$ SELECT df_retry_policy(0) $$);
SELECT error_of($$ SELECT df_retry_policy(-1) $$);

-- intervals
SELECT error_of($$ SELECT df_retry_policy(3, '-1 us') $$);
SELECT error_of($$ SELECT df_retry_policy(3, max_interval => '-1 day') $$);
SELECT error_of($$ SELECT df_retry_policy(3, max_interval => '1 mon -31 days') $$);
SELECT error_of($$ SELECT df_retry_policy(3, retry_timeout => '1 hour -61 min') $$);

-- the coefficient
SELECT error_of($$ SELECT df_retry_policy(3, backoff_coefficient => 0) $$);
SELECT error_of($$ SELECT df_retry_policy(3, backoff_coefficient => -2) $$);
SELECT error_of($$ SELECT df_retry_policy(3, backoff_coefficient => 'NaN') $$);
SELECT error_of($$ SELECT df_retry_policy(3, backoff_coefficient => 'Infinity') $$);

-- SQLSTATEs and classes
SELECT error_of($$ SELECT df_retry_policy(3, retry_on => '{}') $$);
SELECT state, error_of(format($$ SELECT df_retry_policy(3, retry_on => ARRAY['08', %L]) $$, state))
FROM unnest('{"",4,400,4000,400011,40p01,"08 ",deadlock_detected,"0*"}'::text[]) state;
