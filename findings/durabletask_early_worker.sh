#!/bin/bash
# Guess: a worker that is started before its server connects when the server is
# there; it does so after a lost connection.
# In fact the JavaScript SDK gives up after its first failure: start() has
# returned, the process lives, and the worker never connects.  Where worker and
# server start together, the worker must be started by something that waits.
. "$(dirname "$0")/lib.sh"
install @microsoft/durabletask-js@0.4.0
cp "$(dirname "$0")/durabletask_server.js" "$dir"
run_node "start() of the early worker: returned
connections of the early worker within 15 seconds of the server's start: 0
connections of a worker started after the server: 1" <<'END'
const { TaskHubGrpcWorker, NoOpLogger } = require('@microsoft/durabletask-js');
const { start } = require('./durabletask_server.js');
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
const workerFor = hostAddress => new TaskHubGrpcWorker({ hostAddress, logger: new NoOpLogger() });
(async () => {
  let streams = 0;
  const first = await start({});          // to learn a free port
  await new Promise(resolve => first.server.tryShutdown(resolve));
  const early = await workerFor(first.address).start().then(() => 'returned', error => 'failed: ' + error.message);
  console.log('start() of the early worker: ' + early);
  await pause(2000);
  await start({ getWorkItems: () => { streams++; } }, first.port);
  await pause(15000);
  console.log("connections of the early worker within 15 seconds of the server's start: " + streams);
  streams = 0;
  await workerFor(first.address).start();
  await pause(2000);
  console.log('connections of a worker started after the server: ' + streams);
  process.exit();
})();
END
