// durable_singleton itself, started through the same driver as the peers.
//
// Its workers belong to the server.  They are switched off, and then on by reloading
// the configuration, so the caller measures a drain, not this program.
import { connect, now, once, serve, sleep, statementOn } from './common.mjs'

const START = "SELECT df_start_singleton('bench_noop', $1) AS started"

// A step's time comes from the server's clock, the rest from this process's:
// the difference of the two on one machine.
const clockOffset = () => Date.now() - now()

serve({
  version: '1.0',

  // Not LANGUAGE sql: before PostgreSQL 18 such a function is parsed and
  // planned again in every transaction.
  async setup(url) {
    await once(url, client => client.query(`
      CREATE FUNCTION bench_noop(input jsonb) RETURNS jsonb LANGUAGE plpgsql
        AS 'BEGIN RETURN NULL; END';
      CREATE FUNCTION bench_step(input jsonb) RETURNS jsonb LANGUAGE plpgsql
        AS 'BEGIN RETURN input; END';
      CREATE FUNCTION bench_three(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM df_call_activity('bench_step', '1');
        PERFORM df_call_activity('bench_step', '2');
        PERFORM df_call_activity('bench_step', '3');
        RETURN NULL;
      END $$;
      CREATE FUNCTION bench_clock(input jsonb) RETURNS jsonb LANGUAGE sql
        AS 'SELECT to_jsonb(extract(epoch FROM clock_timestamp()) * 1000)';`))
  },

  async client(url, connections) {
    const statement = await statementOn(url, connections, 'start', START)
    return { start: id => statement.run(id), close: statement.close }
  },

  // Waits for the end as an application would, with df_wait_for_completion on
  // another connection.
  async latencyCommand(peer, { url, count, pause }) {
    const client = await connect(url)
    const watcher = await connect(url)
    const prefix = `lat-${Date.now()}-`
    const samples = { commit: [], step: [], done: [] }
    const offset = await preciseOffset()
    for (let i = -3; i < count; i++) {
      await sleep(20 + Math.random() * pause)
      const id = prefix + i
      const before = now()
      await client.query({
        name: 'start', text: "SELECT df_start_singleton('bench_clock', $1)", values: [id],
      })
      const started = now()
      const { rows } = await watcher.query({
        name: 'wait', values: [id],
        text: 'SELECT output::float8 AS at FROM df_wait_for_completion($1)',
      })
      const done = now()
      if (i < 0) continue
      samples.commit.push(started - before)
      samples.step.push(rows[0].at - offset - started)
      samples.done.push(done - started)
    }
    await client.end()
    await watcher.end()
    return samples
  },
})

// Date.now() counts whole milliseconds, so wait until the next one begins.
async function preciseOffset() {
  let best = -Infinity
  for (let i = 0; i < 20; i++) {
    const before = Date.now()
    while (Date.now() === before);
    best = Math.max(best, clockOffset())
  }
  return best
}
