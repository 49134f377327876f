// Plays the host of Functions for the sample: node host.js FUNCTION INSTANCE
// calls it as an HTTP request to orchestrators/FUNCTION/INSTANCE would.

const df = require("durable-functions");
const binding = require("../binding");
const httpStartSingle = require("./httpStartSingle");

const gateway = process.env.GATEWAY || "http://localhost:7071";
const [functionName, instanceId] = process.argv.slice(2);

// The client takes another origin than localhost:7071 only in the cloud.
process.env.WEBSITE_HOSTNAME = new URL(gateway).host;

const request = {
    method: "POST",
    url: `${gateway}/api/orchestrators/${functionName}/${instanceId}`,
    params: { functionName, instanceId },
    json: async () => ({ from: "the sample" }),
};
const context = {
    options: { extraInputs: [df.input.durableClient()] },
    extraInputs: { get: () => binding(gateway, process.env.CODE) },
    log: console.log,
};

httpStartSingle(request, context).then(async (response) => {
    console.log(response.status, response.json ? await response.json() : response.body);
});
