#!/bin/bash
# Guess: when the server answers UNAVAILABLE to the result of an activity, the
# worker tries again, as clients of gRPC do for a status that means "retry".
# In fact the JavaScript SDK logs the error and forgets the result.  Its stream
# of work stays open, so nothing tells the server either: it must hand the work
# out again by itself whenever its own commit fails, and the activity then runs
# twice.
. "$(dirname "$0")/lib.sh"
install @microsoft/durabletask-js@0.4.0
cp "$(dirname "$0")/durabletask_server.js" "$dir"
run_node "the activity has run: 1
results received in 8 seconds, each refused with UNAVAILABLE: 1
the stream of work is open: true" <<'END'
const grpc = require('@grpc/grpc-js');
const pb = require('@microsoft/durabletask-js/dist/proto/orchestrator_service_pb.js');
const { TaskHubGrpcWorker, NoOpLogger } = require('@microsoft/durabletask-js');
(async () => {
  let runs = 0, results = 0, open = false;
  const { address } = await require('./durabletask_server.js').start({
    getWorkItems(stream) {
      open = true;
      stream.on('cancelled', () => { open = false; });
      const request = new pb.ActivityRequest(), instance = new pb.OrchestrationInstance(), item = new pb.WorkItem();
      instance.setInstanceid('order-1');
      request.setName('charge');
      request.setTaskid(1);
      request.setOrchestrationinstance(instance);
      item.setActivityrequest(request);
      item.setCompletiontoken('token');
      stream.write(item);
    },
    completeActivityTask(call, answer) {
      results++;
      answer({ code: grpc.status.UNAVAILABLE, details: 'the commit failed' });
    },
  });
  const worker = new TaskHubGrpcWorker({ hostAddress: address, logger: new NoOpLogger() });
  worker.addNamedActivity('charge', () => { runs++; });
  await worker.start();
  setTimeout(() => {
    console.log('the activity has run: ' + runs);
    console.log('results received in 8 seconds, each refused with UNAVAILABLE: ' + results);
    console.log('the stream of work is open: ' + open);
    process.exit();
  }, 8000);
})();
END
