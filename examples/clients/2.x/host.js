// Plays the host of Functions for the sample: node host.js FUNCTION INSTANCE
// calls it as an HTTP request to orchestrators/FUNCTION/INSTANCE would.

const binding = require("../binding");
const httpStartSingle = require("./HttpStartSingle");

const gateway = process.env.GATEWAY || "http://localhost:7071";
const [functionName, instanceId] = process.argv.slice(2);

// The client takes another origin than localhost:7071 only in the cloud.
process.env.WEBSITE_HOSTNAME = new URL(gateway).host;

const req = {
    method: "POST",
    url: `${gateway}/api/orchestrators/${functionName}/${instanceId}`,
    params: { functionName, instanceId },
    body: { from: "the sample" },
};
const context = {
    bindings: { req, starter: binding(gateway, process.env.CODE) },
    log: console.log,
};

httpStartSingle(context, req).then((response) => {
    console.log(response.status, response.body);
});
