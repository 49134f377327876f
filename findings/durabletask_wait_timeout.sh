#!/bin/bash
# Guess: when waitForOrchestrationCompletion() times out, or its client is
# stopped, the call at the server is cancelled.
# In fact the time-out is a timer beside the call: the JavaScript SDK leaves the
# call open, and stop() does not end it.  A client that asks again and again
# collects open calls until its connection has no stream left, so a server must
# end old waits by itself.
. "$(dirname "$0")/lib.sh"
install @microsoft/durabletask-js@0.4.0
cp "$(dirname "$0")/durabletask_server.js" "$dir"
run_node "the client: timed out 5 times
calls open at the server, 3 seconds later: 5
calls open after stop() of the client: 5" <<'END'
const { TaskHubGrpcClient, NoOpLogger } = require('@microsoft/durabletask-js');
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
(async () => {
  let open = 0, timeouts = 0;
  const { address } = await require('./durabletask_server.js').start({
    waitForInstanceCompletion(call) {
      open++;
      call.on('cancelled', () => { open--; });
    },
  });
  const client = new TaskHubGrpcClient({ hostAddress: address, logger: new NoOpLogger() });
  for (let i = 0; i < 5; i++)
    await client.waitForOrchestrationCompletion('order-1', true, 1).catch(() => { timeouts++; });
  console.log(`the client: timed out ${timeouts} times`);
  await pause(3000);
  console.log('calls open at the server, 3 seconds later: ' + open);
  await client.stop();
  await pause(3000);
  console.log('calls open after stop() of the client: ' + open);
  process.exit();
})();
END
