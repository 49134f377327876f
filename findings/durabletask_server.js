// A Durable Task endpoint that answers only what a test gives it: start({ method: handler }).
const grpc = require('@grpc/grpc-js');
const { TaskHubSidecarServiceService: service } =
  require('@microsoft/durabletask-js/dist/proto/orchestrator_service_grpc_pb.js');
const { Empty } = require('google-protobuf/google/protobuf/empty_pb.js');

exports.start = (handlers, port = 0) => new Promise((resolve, reject) => {
  const server = new grpc.Server();
  server.addService(service, { hello: (call, answer) => answer(null, new Empty()), ...handlers });
  server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(),
    (error, bound) => error ? reject(error) : resolve({ server, address: `127.0.0.1:${bound}`, port: bound }));
});
