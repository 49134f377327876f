// absurd, with a worker started as in its documentation.  Its schema is not in the
// npm package; see install.sh.
import { readFileSync } from 'node:fs'
import { Absurd } from 'absurd-sdk'
import { once, parallel, pg, serve } from './common.mjs'

const QUEUE = 'bench'

function connectTo(url, connections) {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  return { pool, app: new Absurd({ db: pool, queueName: QUEUE }) }
}

serve({
  package: 'absurd-sdk',
  drained: `SELECT NOT EXISTS (SELECT FROM absurd.t_${QUEUE}
              WHERE state NOT IN ('completed', 'failed', 'cancelled')) AS drained`,
  ended: `SELECT state = 'completed' AS ended FROM absurd.t_${QUEUE} WHERE task_id = $1`,

  async setup(url) {
    const schema = readFileSync(new URL('absurd.sql', import.meta.url), 'utf8')
    await once(url, async client => {
      await client.query(schema)
      await client.query('SELECT absurd.create_queue($1)', [QUEUE])
    })
  },

  async client(url, connections) {
    const { pool, app } = connectTo(url, connections)
    return {
      start: async id => (await app.spawn('noop', { id },
        { queue: QUEUE, idempotencyKey: id })).taskID,
      close: () => pool.end(),
    }
  },

  async preload(url, kind, count) {
    const { pool, app } = connectTo(url, 8)
    const run = Date.now()
    await parallel(count, 8, n => app.spawn(kind, { id: `d${n}` },
      { queue: QUEUE, idempotencyKey: `${run}-${n}` }))
    await pool.end()
  },

  async worker(url, onStep) {
    const { app } = connectTo(url, 10)
    app.registerTask({ name: 'noop' }, async ({ id }) => { onStep(id) })
    app.registerTask({ name: 'three' }, async ({ id }, task) => {
      await task.step('one', async () => { onStep(id) })
      await task.step('two', async () => 2)
      await task.step('three', async () => 3)
    })
    await app.startWorker({ concurrency: 32, claimTimeout: 120, pollInterval: 0.25 })
  },
})
