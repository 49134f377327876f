-- Cron expressions: when they are due, in every night of the clock, and what is
-- refused.  sql/cron_cases.tsv has the cases, one a line: the five next moments
-- after "from", or why the expression is not valid.
\set ECHO none
\i sql/helpers.inc
\set ECHO all
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TABLE cron_case (kind text, expression text, zone text, start timestamptz, result text);
\copy cron_case FROM 'sql/cron_cases.tsv' WITH (NULL '')
SELECT kind, count(*) FROM cron_case GROUP BY 1 ORDER BY 1;
SELECT expression, zone, start, result AS wanted, due
FROM cron_case,
	LATERAL (SELECT string_agg(to_char(t, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ' ') AS due
		FROM df_next_runs(expression, zone, 5, start) t) d
WHERE kind = 'next' AND due IS DISTINCT FROM result;
SELECT expression, result AS why, error_of(format('SELECT df_next_runs(%L)', expression)) AS error
FROM cron_case WHERE kind = 'refused' ORDER BY expression COLLATE "C";

-- what other schedulers read differently, and mistakes: each says where, and what to write
SELECT left(expression, 30) AS expression, error_of(format('SELECT df_next_runs(%L)', expression)) AS error
FROM unnest(ARRAY['', ' ', '* * * *', '0/15 * * * *', '*/90 * * * *', '*/60 * * * *', '50-10 * * * *', '5-5/2 * * * *', '1-2-3 * * * *',
	'* * 15W * *', '* * L-3 * *', '* * * * L', '* * * * 5#6', '* * * * FRI-SAT#2', '* * * * FRIDAY', '* * * FRIL *',
	'* * * * H', 'TZ=UTC * * * * *', '@reboot', '@fortnightly', '@', '@daily 5', '@every', '@every soon', '@every 1 month',
	'@every 0.5 seconds', '@every -1 hour', '@every 300000 years', '1,, * * * *', '1, * * * *', '1;2 * * * *', '-1 * * * *', '9999 * * * *',
	'*5 * * * *', '0 0 31 2,4 *', '0 0 */31 2 MON#4', E'0 0 * * *\n', 'é * * * *', repeat('*', 1001)]) expression;
SELECT time_zone, error_of(format('SELECT df_next_runs(''@daily'', %L)', time_zone)) AS error
FROM unnest(ARRAY['', 'CDT', 'FOO+3', 'Foo/Bar+3', '+02', 'UTC+2', 'Europe/Nowhere', '../UTC', 'Etc/GMT+13', 'Etc/GMT-14+2', 'Etc/GMT+1.5', '<+03>-3', 'A/B+3']) time_zone;
SELECT time_zone, df_next_runs('0 12 * * *', time_zone, 1, '2026-07-01 00:00Z')
FROM unnest(ARRAY['europe/berlin', 'Etc/GMT+3', 'etc/gmt-14', 'Etc/GMT0', 'EST5EDT', 'GMT0', 'UTC', 'Asia/Kolkata']) time_zone;
SELECT error_of(call) FROM unnest(ARRAY['SELECT df_next_runs(NULL)', 'SELECT df_next_runs(''@daily'', NULL)',
	'SELECT df_next_runs(''@daily'', n => NULL)', 'SELECT df_next_runs(''@daily'', n => -1)',
	'SELECT df_next_runs(''@daily'', after => NULL)']) call;
SELECT count(*) FROM df_next_runs('@daily', n => 0);

-- names and case, the end of time, times before 1970, fractions of a second
SELECT df_next_runs('0 0 * jan-Mar,DEC fri-SUN', n => 4, after => '2026-01-29 00:00Z');
SELECT df_next_runs('@Hourly', n => 2, after => '1969-12-31 22:30:00.5Z');
SELECT df_next_runs('* * * * * *', n => 2, after => '1910-03-04 05:06:07.999999Z');
SELECT df_next_runs('* * * * * *', n => 2, after => '2026-03-04 05:06:07Z');
SELECT df_next_runs('0 0 1 1 *', n => 3, after => '294275-06-01 00:00Z');
SELECT df_next_runs('@daily', after => 'infinity');
SELECT df_next_runs('0 0 29 2 */7', n => 3, after => '2090-01-01 00:00Z');
SELECT df_next_runs('@every 90 minutes', n => 3, after => '2026-10-25 00:10Z');
SELECT df_next_runs('@every 1 day 00:00:01', 'Europe/Paris', 3, '2026-03-28 12:00Z');

-- the search agrees with trying each second, in the nights of every kind of zone
CREATE FUNCTION cron_by_hand(seconds int[], minutes int[], hours int[], zone text, start timestamptz, length interval)
RETURNS SETOF timestamptz LANGUAGE sql AS $$
	SELECT t FROM generate_series(start + interval '1 second', start + length, '1 second') t,
		LATERAL (SELECT t AT TIME ZONE zone AS wall) w
	WHERE extract(second FROM wall) = ANY (seconds) AND extract(minute FROM wall) = ANY (minutes)
		AND extract(hour FROM wall) = ANY (hours) $$;
SELECT zone, start, (SELECT array_agg(t) FROM cron_by_hand('{0,20}', '{5,40}', array(SELECT generate_series(0, 23)), zone, start, '6 hours') t)
	= (SELECT array_agg(t) FROM df_next_runs('0,20 5,40 * * * *', zone, 100, start) t WHERE t <= start + interval '6 hours') AS agree
FROM (VALUES ('Europe/Paris', timestamptz '2026-03-28 23:00Z'), ('Europe/Paris', '2026-10-24 22:00Z'),
	('Australia/Lord_Howe', '2026-04-04 12:00Z'), ('Australia/Lord_Howe', '2026-10-03 12:00Z'),
	('Antarctica/Troll', '2026-10-24 22:00Z'), ('America/Sao_Paulo', '2018-11-04 00:00Z'),
	('Pacific/Apia', '2011-12-30 07:00Z'), ('Africa/Casablanca', '2026-02-14 23:00Z')) v(zone, start);
-- nothing is due on the day that Apia skipped; the day after it is as ever
SELECT df_next_runs('30 2 * * *', 'Pacific/Apia', 3, '2011-12-28 20:00Z');
\set QUIET on
DROP TABLE cron_case;
DROP FUNCTION cron_by_hand;
