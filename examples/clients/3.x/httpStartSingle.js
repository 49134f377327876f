const { app } = require("@azure/functions");
const df = require("durable-functions");

// The sample for version 3 of the client: getStatus rejects on an unknown id,
// and startNew takes its options as an object.
async function httpStartSingle(request, context) {
    const client = df.getClient(context);

    const instanceId = request.params.instanceId;
    const functionName = request.params.functionName;

    // Check if an instance with the specified ID already exists or an existing one stopped running(completed/failed/terminated).
    let existingInstance;
    try {
        existingInstance = await client.getStatus(instanceId);
    } catch (error) {
        if (!error.message.includes("404")) {
            throw error;
        }
    }
    if (!existingInstance
        || existingInstance.runtimeStatus == "Completed"
        || existingInstance.runtimeStatus == "Failed"
        || existingInstance.runtimeStatus == "Terminated") {
        // An instance with the specified ID doesn't exist or an existing one stopped running, create one.
        const eventData = await request.json();
        await client.startNew(functionName, { instanceId, input: eventData });
        context.log(`Started orchestration with ID = '${instanceId}'.`);
        return client.createCheckStatusResponse(request, instanceId);
    } else {
        // An instance with the specified ID exists or an existing one still running, don't create one.
        return {
            status: 409,
            body: `An instance with ID '${instanceId}' already exists.`,
        };
    }
}

app.http("HttpStartSingle", {
    methods: ["POST"],
    route: "orchestrators/{functionName}/{instanceId}",
    extraInputs: [df.input.durableClient()],
    handler: httpStartSingle,
});

module.exports = httpStartSingle;
