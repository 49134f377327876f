// The next n runs of a cron expression after a time, as ISO strings in UTC, by each library.
const { CronExpressionParser } = require('cron-parser');
const { Cron } = require('croner');
const { CronosExpression } = require('cronosjs');
const { CronTime } = require('cron');
const { DateTime } = require('luxon');

const iso = date => date.toISOString();

module.exports = {
  'cron-parser': (expression, tz, from, n) => {
    const runs = CronExpressionParser.parse(expression, { tz, currentDate: new Date(from) });
    return Array.from({ length: n }, () => iso(runs.next().toDate()));
  },
  croner: (expression, timezone, from, n) =>
    new Cron(expression, { timezone, paused: true }).nextRuns(n, new Date(from)).map(iso),
  cronosjs: (expression, timezone, from, n) =>
    CronosExpression.parse(expression, { timezone }).nextNDates(new Date(from), n).map(iso),
  cron: (expression, zone, from, n) => {
    const time = new CronTime(expression, zone);
    let run = DateTime.fromISO(from, { zone });
    return Array.from({ length: n }, () => iso((run = time.getNextDateFrom(run, zone)).toJSDate()));
  },
};
