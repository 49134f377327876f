#!/bin/bash
# Guess: "every 30 minutes" runs every 30 minutes, also in the night when clocks
# go back; in the hour that comes twice a library runs such a job twice.
# In fact cronosjs is silent for the whole second hour, and cron-parser, which
# pg-boss uses, drops the run at the instant of the change in a zone whose
# clocks go back by 30 minutes.  A schedule that moves from one library to
# another gets other runs in that night.
. "$(dirname "$0")/lib.sh"
install cron-parser@5.10.6 croner@11.0.1 cronosjs@1.7.1 cron@4.4.0 luxon@3.7.2
cp "$(dirname "$0")/cron_libraries.js" "$dir"
run_node "Europe/Paris, */30 * * * *, from 2026-10-25T00:10Z
  cron-parser 00:30 01:00 01:30 02:00
  croner      00:30 01:00 01:30 02:00
  cron        00:30 01:00 01:30 02:00
  cronosjs    00:30 02:00 02:30 03:00
Australia/Lord_Howe, */30 * * * *, from 2026-04-04T14:10Z
  cron-parser 14:30 15:30 16:00 16:30
  croner      14:30 15:00 15:30 16:00
  cron        14:30 15:00 15:30 16:00
  cronosjs    15:00 15:30 16:00 16:30" <<'END'
const libraries = require('./cron_libraries.js');
for (const [zone, from] of [['Europe/Paris', '2026-10-25T00:10Z'], ['Australia/Lord_Howe', '2026-04-04T14:10Z']]) {
  console.log(`${zone}, */30 * * * *, from ${from}`);
  for (const name of ['cron-parser', 'croner', 'cron', 'cronosjs'])
    console.log(`  ${name.padEnd(11)} ` + libraries[name]('*/30 * * * *', zone, from, 4).map(t => t.slice(11, 16)).join(' '));
}
END
