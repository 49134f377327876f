#!/bin/bash
# Guess: cron libraries of one language agree on a job whose time falls into the
# hour that clocks skip: they all shift it, or all drop it.
# In fact a job at 02:30 runs at 03:30 with cron-parser and at 03:00 with the
# others, and for a job "every 30 minutes between 2 and 3" there are three
# answers: twice (cron-parser), once (cron, cronosjs), not at all (croner).
. "$(dirname "$0")/lib.sh"
install cron-parser@5.10.6 croner@11.0.1 cronosjs@1.7.1 cron@4.4.0 luxon@3.7.2
cp "$(dirname "$0")/cron_libraries.js" "$dir"
run_node "Europe/Paris, local times after 2026-03-28T12:00Z; 02:00 to 03:00 is skipped on the 29th
30 2 * * *
  cron-parser 29 03:30, 30 02:30, 31 02:30
  croner      29 03:00, 30 02:30, 31 02:30
  cron        29 03:00, 30 02:30, 31 02:30
  cronosjs    29 03:00, 30 02:30, 31 02:30
*/30 2 * * *
  cron-parser 29 03:00, 29 03:30, 30 02:00
  croner      30 02:00, 30 02:30, 31 02:00
  cron        29 03:00, 30 02:00, 30 02:30
  cronosjs    29 03:00, 30 02:00, 30 02:30" <<'END'
const libraries = require('./cron_libraries.js');
const { DateTime } = require('luxon');
const zone = 'Europe/Paris';
console.log(`${zone}, local times after 2026-03-28T12:00Z; 02:00 to 03:00 is skipped on the 29th`);
for (const expression of ['30 2 * * *', '*/30 2 * * *']) {
  console.log(expression);
  for (const name of ['cron-parser', 'croner', 'cron', 'cronosjs'])
    console.log(`  ${name.padEnd(11)} ` + libraries[name](expression, zone, '2026-03-28T12:00Z', 3)
      .map(t => DateTime.fromISO(t, { zone }).toFormat('dd HH:mm')).join(', '));
}
END
