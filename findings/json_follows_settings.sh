#!/bin/bash
# Guess: what to_jsonb() writes does not depend on the session, since dates and
# times come in ISO 8601 whatever DateStyle says.
# In fact only those do.  An interval follows IntervalStyle, and one of mixed
# parts that was written under sql_standard is read under the default style as
# another interval, without an error; a float loses digits under
# extra_float_digits, and a regclass its schema under search_path, so that it
# names another table.  A value kept as JSON between sessions of different roles
# must be written under fixed settings, as pg_dump and postgres_fdw do.
. "$(dirname "$0")/lib.sh"
start_server
run_node "date: \"2026-11-30\", the same under DateStyle = German: true
interval -1 day -2 hours: \"-1 days -02:00:00\", under sql_standard \"-1 2:00:00\"
  the latter read under postgres: -1 days +02:00:00
0.1 + 0.2: 0.30000000000000004, under extra_float_digits = 0 0.3
regclass a.t: \"a.t\", under search_path = a \"t\"
  the latter read under search_path = b: b.t" <<'END'
const { Client } = require('pg');
(async () => {
  const client = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  await client.connect();
  const value = async text => (await client.query({ text, rowMode: 'array' })).rows[0][0];
  const under = async (setting, text) => {
    await client.query('SET ' + setting);
    const seen = await value(text);
    await client.query('RESET ALL');
    return seen;
  };
  await client.query('CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (); CREATE TABLE b.t ()');
  const date = `SELECT to_jsonb(date '2026-11-30')::text`;
  console.log(`date: ${await value(date)}, the same under DateStyle = German: ` +
    (await under('DateStyle = German', date) === await value(date)));
  const interval = `SELECT to_jsonb(interval '-1 day -2 hours')::text`;
  const other = await under('IntervalStyle = sql_standard', interval);
  console.log(`interval -1 day -2 hours: ${await value(interval)}, under sql_standard ${other}`);
  console.log('  the latter read under postgres: ' + (await value(`SELECT interval ${other.replaceAll('"', "'")}::text`)));
  const float = 'SELECT to_jsonb(0.1::float8 + 0.2::float8)::text';
  console.log(`0.1 + 0.2: ${await value(float)}, under extra_float_digits = 0 ` +
    (await under('extra_float_digits = 0', float)));
  const table = `SELECT to_jsonb('a.t'::regclass)::text`;
  console.log(`regclass a.t: ${await value(table)}, under search_path = a ${await under('search_path = a', table)}`);
  console.log('  the latter read under search_path = b: ' + (await under('search_path = b',
    `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 't'::regclass`)));
  await client.end();
})();
END
