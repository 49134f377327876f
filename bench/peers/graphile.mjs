// graphile-worker, with the settings that its documentation recommends for throughput:
// jobs are fetched into a local queue and completed in batches.
import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker'
import { once, pg, serve } from './common.mjs'

// Otherwise it writes a line for each job.
const logger = new Logger(() => () => {})

function preset(url) {
  return {
    worker: {
      logger,
      connectionString: url,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  }
}

serve({
  package: 'graphile-worker',
  setup: url => runMigrations({ connectionString: url }),
  drained: 'SELECT NOT EXISTS (SELECT FROM graphile_worker._private_jobs) AS drained',
  ended: 'SELECT NOT EXISTS (SELECT FROM graphile_worker._private_jobs WHERE key = $1) AS ended',

  async client(url, connections) {
    const pgPool = new pg.Pool({ connectionString: url, max: connections })
    pgPool.on('error', console.error)
    pgPool.on('connect', connection => connection.on('error', console.error))
    const utils = await makeWorkerUtils({ pgPool, logger })
    return {
      async start(id) {
        await utils.addJob('noop', { id }, { jobKey: id, jobKeyMode: 'unsafe_dedupe' })
        return id
      },
      async close() {
        await utils.release()
        await pgPool.end()
      },
    }
  },

  preload: (url, kind, count) => once(url, client => client.query(
    `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
       SELECT json_populate_record(NULL::graphile_worker.job_spec,
         json_build_object('identifier', $1::text, 'payload', json_build_object('id', 'd' || n),
                           'job_key', gen_random_uuid()::text))
       FROM generate_series(1, $2::int) n))`, [kind, count])),

  worker: (url, onStep) => run({
    preset: preset(url),
    noHandleSignals: true,
    taskList: { noop: async ({ id }) => onStep(id) },
  }),
})
