// DBOS: workflows from a queue without limits, polled at the shortest interval that
// its worker accepts.
import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk'
import { parallel, serve } from './common.mjs'

const QUEUE = 'bench'
const POLL_MS = 50

let onStep = () => {}

DBOS.registerWorkflow(async id => { onStep(id) }, { name: 'noop' })
DBOS.registerWorkflow(async id => {
  await DBOS.runStep(async () => { onStep(id) }, { name: 'one' })
  await DBOS.runStep(async () => 2, { name: 'two' })
  await DBOS.runStep(async () => 3, { name: 'three' })
}, { name: 'three' })

// Launching also creates the schema.
async function launch(url) {
  DBOS.setConfig({
    name: 'bench', systemDatabaseUrl: url, logLevel: 'error',
    applicationVersion: 'bench', executorID: `bench-${process.pid}`,
  })
  await DBOS.launch()
  await DBOS.registerQueue(QUEUE, {
    minPollingIntervalMs: POLL_MS, onConflict: 'always_update',
  })
}

function connectTo(url, connections) {
  return DBOSClient.create({
    systemDatabaseUrl: url, systemDatabasePoolSize: connections,
    applicationName: 'bench',
  })
}

const enqueue = (client, workflowName, workflowID, id) => client.enqueue(
  { queueName: QUEUE, workflowName, workflowID, appVersion: 'bench' }, id)

serve({
  package: '@dbos-inc/dbos-sdk',
  drained: `SELECT NOT EXISTS (SELECT FROM dbos.workflow_status
              WHERE status IN ('ENQUEUED', 'PENDING')) AS drained`,
  ended: "SELECT status = 'SUCCESS' AS ended FROM dbos.workflow_status WHERE workflow_uuid = $1",

  async setup(url) {
    await launch(url)
    await DBOS.shutdown()
  },

  async client(url, connections) {
    const client = await connectTo(url, connections)
    return {
      async start(id) {
        await enqueue(client, 'noop', id, id)
        return id
      },
      close: () => client.destroy(),
    }
  },

  async preload(url, kind, count) {
    const client = await connectTo(url, 8)
    const run = Date.now()
    await parallel(count, 8, n => enqueue(client, kind, `${run}-${n}`, `d${n}`))
    await client.destroy()
  },

  async worker(url, report) {
    onStep = report
    await launch(url)
  },
})
