// pg-boss in batches, woken by NOTIFY.
import { PgBoss } from 'pg-boss'
import { serve } from './common.mjs'

async function start(url, options) {
  const boss = new PgBoss({ connectionString: url, ...options })
  boss.on('error', console.error)
  await boss.start()
  return boss
}

// A client that only sends: no maintenance, no schedules.
const clientOnly = { supervise: false, schedule: false }

serve({
  package: 'pg-boss',
  drained: `SELECT NOT EXISTS (SELECT FROM pgboss.job
              WHERE name = 'noop' AND state < 'completed') AS drained`,
  ended: `SELECT state = 'completed' AS ended FROM pgboss.job WHERE name = 'noop' AND id = $1`,

  async setup(url) {
    const boss = await start(url, clientOnly)
    await boss.createQueue('noop', { policy: 'exclusive', notify: true })
    await boss.stop()
  },

  async client(url, connections) {
    const boss = await start(url, { ...clientOnly, max: connections })
    return {
      start: id => boss.send('noop', { id }, { singletonKey: id }),
      close: () => boss.stop(),
    }
  },

  async preload(url, kind, count) {
    const boss = await start(url, clientOnly)
    const run = Date.now()
    for (let first = 0; first < count; first += 1000) {
      const length = Math.min(1000, count - first)
      await boss.insert(kind, Array.from({ length }, (_, i) => ({
        data: { id: `d${first + i}` }, singletonKey: `${run}-${first + i}`,
      })))
    }
    await boss.stop()
  },

  async worker(url, onStep) {
    const boss = await start(url, { useListenNotify: true })
    await boss.work('noop',
      { batchSize: 500, burstWhenBatchFull: true, localConcurrency: 2 },
      async jobs => { for (const job of jobs) onStep(job.data.id) })
  },
})
