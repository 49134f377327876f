#!/bin/bash
# Guess: "0 5 1-7 * */7" is the first Sunday of the month, as in cron(8) of
# Debian and in pg_cron, where a field that begins with "*" does not count as
# restricted, so that both day fields must match.
# In fact the libraries of Node.js take "*/7" as a restriction and then let
# either field match: seven runs in a row, and the other Sundays, too.
. "$(dirname "$0")/lib.sh"
install cron-parser@5.10.6 croner@11.0.1 cronosjs@1.7.1 cron@4.4.0 luxon@3.7.2
cp "$(dirname "$0")/cron_libraries.js" "$dir"
run_node "0 5 1-7 * */7, UTC, days of January 2026; its Sundays: 4, 11, 18, 25
  cron-parser 01 02 03 04 05 06 07 11
  croner      01 02 03 04 05 06 07 11
  cron        01 02 03 04 05 06 07 11
  cronosjs    01 02 03 04 05 06 07 11" <<'END'
const libraries = require('./cron_libraries.js');
console.log('0 5 1-7 * */7, UTC, days of January 2026; its Sundays: 4, 11, 18, 25');
for (const name of ['cron-parser', 'croner', 'cron', 'cronosjs'])
  console.log(`  ${name.padEnd(11)} ` + libraries[name]('0 5 1-7 * */7', 'UTC', '2026-01-01T00:00Z', 8)
    .map(t => t.slice(8, 10)).join(' '));
END
