// Takes a real client of Durable Functions through every call it has:
//	node http_clients.js FOLDER VERSION GATEWAY rpc|webhook
// FOLDER has VERSION/node_modules and binding.js.  Prints a line for each check.

const path = require("path");
const assert = require("assert");
const [folder, version, gateway, way] = process.argv.slice(2);
const df = require(path.join(folder, version, "node_modules", "durable-functions"));
const binding = require(path.join(folder, "binding.js"));

process.env.WEBSITE_HOSTNAME = new URL(gateway).host;
const data = binding(gateway);
if (way === "webhook") {
    delete data.rpcBaseUrl;
}
const is3 = version.startsWith("3");
const input = is3 ? df.input.durableClient() : null;
const client = df.getClient(is3
    ? { options: { extraInputs: [input] }, extraInputs: { get: () => data } }
    : { bindings: { starter: data } });
const prefix = `${version} ${way} `;

function start(name, id, value) {
    return is3 ? client.startNew(name, { instanceId: id, input: value }) : client.startNew(name, id, value);
}

async function until(id, ...statuses) {
    for (;;) {
        const status = await client.getStatus(id);
        if (statuses.includes(status.runtimeStatus)) {
            return status;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

const since = new Date(Date.now() - 3600 * 1000);
const later = new Date(Date.now() + 3600 * 1000);

const checks = {
    "getStatus of an unknown id": async () => {
        if (is3) {
            await assert.rejects(client.getStatus(prefix + "nobody"), /404/);
        } else {
            assert(!(await client.getStatus(prefix + "nobody")));
        }
    },
    "startNew": async () => {
        assert.strictEqual(await start("waits", prefix + "one", { a: [1, "ä"] }), prefix + "one");
        const status = await until(prefix + "one", "Running", "Pending");
        assert.strictEqual(status.name, "waits");
        assert.strictEqual(status.instanceId, prefix + "one");
        assert(new Date(status.createdTime) > since);
    },
    "startNew without an id": async () => {
        const id = await (is3 ? client.startNew("echo") : client.startNew("echo"));
        assert.match(id, /^[0-9a-f]{32}$/);
        await until(id, "Completed");
    },
    "startNew of a live one is rejected": async () => {
        await assert.rejects(start("waits", prefix + "one"), /already exists/);
    },
    "startNew of an unknown function is rejected": async () => {
        await assert.rejects(start("nothing", prefix + "x"), /nothing/);
    },
    "getStatus with history and input": async () => {
        const status = is3
            ? await client.getStatus(prefix + "one", { showHistory: true, showHistoryOutput: true, showInput: true })
            : await client.getStatus(prefix + "one", true, true, true);
        assert.deepStrictEqual(status.input, { a: [1, "ä"] });
        await until(prefix + "one", "Running");
        const again = is3
            ? await client.getStatus(prefix + "one", { showHistory: true })
            : await client.getStatus(prefix + "one", true);
        assert.strictEqual((again.history || again.historyEvents)[0].EventType, "ExecutionStarted");
    },
    "createCheckStatusResponse": async () => {
        const response = client.createCheckStatusResponse({ method: "GET", url: `${gateway}/api/x` }, prefix + "one");
        assert.strictEqual(response.status, 202);
        const links = is3 ? await response.json() : response.body;
        const answer = await fetch(links.statusQueryGetUri);
        assert.strictEqual(answer.status, 202);
        assert.strictEqual((await answer.json()).instanceId, prefix + "one");
    },
    "createHttpManagementPayload": async () => {
        const links = client.createHttpManagementPayload(prefix + "one");
        for (const name of ["suspendPostUri", "resumePostUri"]) {
            const answer = await fetch(links[name].replace("{text}", "why not"), { method: "POST" });
            assert.strictEqual(answer.status, 202, name);
        }
    },
    "suspend and resume": async () => {
        if (is3) {
            await client.suspend(prefix + "one", "a while");
            await until(prefix + "one", "Suspended");
            await assert.rejects(client.suspend(prefix + "one", "again"));
            await client.resume(prefix + "one", "go on");
            await until(prefix + "one", "Running", "Pending");
            await assert.rejects(client.suspend(prefix + "nobody", "x"), /No instance with ID/);
        }
    },
    "waitForCompletionOrCreateCheckStatusResponse, not in time": async () => {
        const request = { method: "GET", url: `${gateway}/api/x` };
        const response = is3
            ? await client.waitForCompletionOrCreateCheckStatusResponse(request, prefix + "one",
                { timeoutInMilliseconds: 200, retryIntervalInMilliseconds: 50 })
            : await client.waitForCompletionOrCreateCheckStatusResponse(request, prefix + "one", 200, 50);
        assert.strictEqual(response.status, 202);
    },
    "raiseEvent": async () => {
        await client.raiseEvent(prefix + "one", "go", { done: true });
        assert.deepStrictEqual((await until(prefix + "one", "Completed")).output, { done: true });
    },
    "raiseEvent for an ended one is ignored, for nobody rejected": async () => {
        await client.raiseEvent(prefix + "one", "go", 1);
        await assert.rejects(client.raiseEvent(prefix + "nobody", "go", 1), /No instance with ID/);
    },
    "waitForCompletionOrCreateCheckStatusResponse, completed": async () => {
        const request = { method: "GET", url: `${gateway}/api/x` };
        const response = is3
            ? await client.waitForCompletionOrCreateCheckStatusResponse(request, prefix + "one",
                { timeoutInMilliseconds: 5000, retryIntervalInMilliseconds: 50 })
            : await client.waitForCompletionOrCreateCheckStatusResponse(request, prefix + "one", 5000, 50);
        assert.strictEqual(response.status, 200);
        const output = is3 ? await response.json() : JSON.parse(JSON.stringify(response.body));
        assert.deepStrictEqual(typeof output === "string" ? JSON.parse(output) : output, { done: true });
    },
    "waitForCompletionOrCreateCheckStatusResponse, failed": async () => {
        const request = { method: "GET", url: `${gateway}/api/x` };
        await start("fails", prefix + "bad");
        const response = is3
            ? await client.waitForCompletionOrCreateCheckStatusResponse(request, prefix + "bad",
                { timeoutInMilliseconds: 5000, retryIntervalInMilliseconds: 50 })
            : await client.waitForCompletionOrCreateCheckStatusResponse(request, prefix + "bad", 5000, 50);
        assert.strictEqual(response.status, 500);
        assert.match((await until(prefix + "bad", "Failed")).output, /no luck/);
    },
    "rewind": async () => {
        await client.rewind(prefix + "bad", "mended");
        await until(prefix + "bad", "Failed");
        await assert.rejects(client.rewind(prefix + "one", "x"));
        await assert.rejects(client.rewind(prefix + "nobody", "x"), /No instance with ID/);
    },
    "terminate": async () => {
        await start("waits", prefix + "two");
        await client.terminate(prefix + "two", "enough of it");
        assert.strictEqual((await until(prefix + "two", "Terminated")).output, "enough of it");
        await client.terminate(prefix + "two", "again");
        await assert.rejects(client.terminate(prefix + "nobody", "x"), /No instance with ID/);
    },
    "startNew over an ended one": async () => {
        await start("echo", prefix + "two", "again");
        assert.strictEqual((await until(prefix + "two", "Completed")).output, "again");
    },
    "getStatusAll": async () => {
        const ids = (await client.getStatusAll()).map((status) => status.instanceId);
        assert.strictEqual(new Set(ids).size, ids.length);
        assert(ids.length > 250, `more than two pages: ${ids.length}`);
        for (const id of ["one", "two", "bad"]) {
            assert(ids.includes(prefix + id));
        }
    },
    "getStatusBy": async () => {
        const found = is3
            ? await client.getStatusBy({ createdTimeFrom: since, createdTimeTo: later, runtimeStatus: ["Failed"] })
            : await client.getStatusBy(since, later, ["Failed"]);
        assert(found.some((status) => status.instanceId === prefix + "bad"));
        assert(found.every((status) => status.runtimeStatus === "Failed"));
    },
    "purgeInstanceHistory": async () => {
        assert.strictEqual((await client.purgeInstanceHistory(prefix + "two")).instancesDeleted, 1);
        assert.strictEqual((await client.purgeInstanceHistory(prefix + "two")).instancesDeleted, 0);
    },
    "purgeInstanceHistoryBy": async () => {
        const purge = () => is3
            ? client.purgeInstanceHistoryBy({ createdTimeFrom: since, createdTimeTo: later, runtimeStatus: ["Failed"] })
            : client.purgeInstanceHistoryBy(since, later, ["Failed"]);
        assert((await purge()).instancesDeleted >= 1);
        assert.strictEqual((await purge()).instancesDeleted, 0);
    },
    "entities: none": async () => {
        const id = new df.EntityId("counter", "c");
        assert.strictEqual((await client.readEntityState(id)).entityExists, false);
        await assert.rejects(client.signalEntity(id, "add", 1));
    },
};

(async () => {
    for (const [name, check] of Object.entries(checks)) {
        try {
            await check();
            console.log(`passed: ${name}`);
        } catch (error) {
            console.log(`failed: ${name}: ${String(error.stack || error).replace(/\n/g, " | ")}`);
        }
    }
})();
