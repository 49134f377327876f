// The measurements shared by all peers.
//
// Each peer is a program, `node PEER.mjs COMMAND JSON`, that passes serve() an
// object with a few functions:
//
//   package          its npm package
//   setup(url)       creates its schema
//   client(url, n)   {start(id), close()}: the client library on n connections
//   preload(url, kind, count)
//                    queues that many at once
//   worker(url, onStep)
//                    runs queued workflows; calls onStep(id) in the first step
//                    of each
//   drained          SQL: true once nothing is left
//   ended            SQL: true once the workflow $1 (what start() gave) ended
//
// A kind is "noop" or "three" (three durable steps).  durable_singleton, whose
// workers are in the server, replaces the commands drain and latency.  The last
// line on stdout is "RESULT " and JSON.
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

export { pg, sleep }

const DRAIN_LIMIT_MS = 300000

const here = new URL('.', import.meta.url)

export function versionOf(name) {
  const file = new URL(`node_modules/${name}/package.json`, here)
  return JSON.parse(readFileSync(file)).version
}

// Milliseconds of a clock shared by all processes of the machine.
export const now = () => Number(process.hrtime.bigint()) / 1e6

export async function connect(url) {
  const client = new pg.Client(url)
  await client.connect()
  return client
}

// n connections that all run the same prepared statement.
export async function statementOn(url, n, name, text) {
  const free = await Promise.all(Array.from({ length: n }, () => connect(url)))
  const all = [...free]
  return {
    async run(...values) {
      const client = free.pop()
      try {
        return (await client.query({ name, text, values })).rows
      } finally {
        free.push(client)
      }
    },
    close: () => Promise.all(all.map(client => client.end())),
  }
}

export async function once(url, work) {
  const client = await connect(url)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

// At most `width` of count calls at a time.
export async function parallel(count, width, call) {
  let next = 0
  const lane = async () => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: width }, lane))
}

// Calls per second of `width` closed loops.
async function rate(seconds, width, call) {
  const end = now() + seconds * 1000
  let calls = 0
  const lane = async () => {
    while (now() < end) {
      await call()
      calls++
    }
  }
  const begun = now()
  await Promise.all(Array.from({ length: width }, lane))
  return calls / ((now() - begun) / 1000)
}

// Starts of new ids between two halves of the same number of raw INSERTs with the
// same driver, so that a disk that changes its speed affects both.
async function starts(peer, { url, connections, seconds }) {
  await once(url, client => client.query(
    'CREATE TABLE IF NOT EXISTS bench_raw (id text PRIMARY KEY, v jsonb)'))
  const raw = await statementOn(url, connections, 'raw',
    "INSERT INTO bench_raw VALUES ($1, '{\"n\": 1}') ON CONFLICT DO NOTHING")
  const client = await peer.client(url, connections)
  const prefix = `s${Date.now()}-`
  let n = 0
  const insert = () => raw.run(prefix + n++)
  const start = () => client.start(prefix + n++)
  await rate(0.2, connections, insert)
  await rate(0.3, connections, start)
  const before = await rate(seconds / 2, connections, insert)
  const started = await rate(seconds, connections, start)
  const after = await rate(seconds / 2, connections, insert)
  await raw.close()
  await client.close()
  return { raw: (before + after) / 2, start: started }
}

// A worker in a separate process.  It counts the workflows whose first step ran, and
// reports the time of each on request.
function forkWorker(url, each = () => {}) {
  const child = fork(process.argv[1], ['work', JSON.stringify({ url, messages: true })])
  const worker = { first: Infinity, count: 0 }
  worker.ready = new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the worker ended with ${code}`)))
    child.on('message', message => {
      if (message.ready) resolve()
      if (message.first) worker.first = message.first
      if (message.count) worker.count = message.count
      if (message.step) each(message.step, message.at)
    })
  })
  worker.ready.catch(() => {})
  worker.stop = () => new Promise(resolve => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
  return worker
}

// Runs a worker until the process is killed.  The count is sent only every 10 ms, so
// that messages cost nothing while many workflows run.
async function work(peer, { url, messages }) {
  const send = message => { if (messages && process.connected) process.send(message) }
  let count = 0, told = 0
  const onStep = id => {
    const at = now()
    if (count++ === 0) send({ first: at })
    if (id !== undefined && id.startsWith('lat-')) send({ step: id, at })
  }
  setInterval(() => {
    if (count > told) send({ count: told = count })
  }, 10)
  process.on('disconnect', () => process.exit())
  await peer.worker(url, onStep)
  send({ ready: true })
  if (!messages) result({ ready: true })
  await new Promise(() => {})
}

// Seconds from the first step to "nothing is left" in the database.  The
// database is queried only after all first steps have run.
async function drain(peer, { url, kind, count, workers = 1 }) {
  await peer.preload(url, kind, count)
  const children = Array.from({ length: workers }, () => forkWorker(url))
  const watcher = await connect(url)
  const ran = () => children.reduce((sum, child) => sum + child.count, 0)
  const empty = async () => (await watcher.query(peer.drained)).rows[0].drained
  try {
    await Promise.all(children.map(child => child.ready))
    const limit = now() + DRAIN_LIMIT_MS
    while (ran() < count || !await empty()) {
      if (now() > limit) throw new Error(`only ${ran()} of ${count} ran in five minutes`)
      await sleep(2)
    }
    const first = Math.min(...children.map(child => child.first))
    return { seconds: (now() - first) / 1000 }
  } finally {
    await watcher.end()
    await Promise.all(children.map(child => child.stop()))
  }
}

// One start at a time on an idle system: milliseconds from the start's return
// (it is committed then) to the step, and to the end as another connection sees
// it.  The random pause prevents starts in step with a poller.
async function latency(peer, { url, count, pause }) {
  const steps = new Map()
  const worker = forkWorker(url, (id, at) => steps.get(id)?.(at))
  await worker.ready
  const client = await peer.client(url, 1)
  const watcher = await connect(url)
  const hasEnded = async key => (await watcher.query(
    { name: 'ended', text: peer.ended, values: [key] })).rows[0]?.ended
  const prefix = `lat-${Date.now()}-`
  const samples = { commit: [], step: [], done: [] }
  await sleep(1000)
  for (let i = -3; i < count; i++) {
    await sleep(20 + Math.random() * pause)
    const id = prefix + i
    const stepped = new Promise(resolve => steps.set(id, resolve))
    const before = now()
    const key = await client.start(id)
    const started = now()
    const at = await stepped
    steps.delete(id)
    while (!await hasEnded(key)) await sleep(1)
    const done = now()
    if (i < 0) continue                 // the first ones find everything cold
    samples.commit.push(started - before)
    samples.step.push(at - started)
    samples.done.push(done - started)
  }
  await client.close()
  await watcher.end()
  await worker.stop()
  return samples
}

function result(value) {
  process.stdout.write('RESULT ' + JSON.stringify(value) + '\n')
}

const commands = {
  version: peer => ({ version: peer.version ?? versionOf(peer.package) }),
  setup: (peer, { url }) => peer.setup(url),
  starts, drain, latency, work,
}

export async function serve(peer) {
  const [name, text] = process.argv.slice(2)
  try {
    const command = peer[name + 'Command'] ?? commands[name]
    result(await command(peer, JSON.parse(text)) ?? {})
    process.exit()
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
}
