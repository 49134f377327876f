// What a host of Functions hands to a durable client: where to find the
// management API.  gateway: its origin, without a slash; code: a system key.

module.exports = function binding(gateway, code, taskHubName = "hub") {
    const base = `${gateway}/runtime/webhooks/durabletask`;
    const required = `taskHub=${taskHubName}&connection=Storage` +
        (code ? `&code=${encodeURIComponent(code)}` : "");
    const instance = `${base}/instances/INSTANCEID`;

    return {
        taskHubName,
        creationUrls: {
            createNewInstancePostUri:
                `${base}/orchestrators/{functionName}[/{instanceId}]?${required}`,
            createAndWaitOnNewInstancePostUri:
                `${base}/orchestrators/{functionName}[/{instanceId}]` +
                `?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${required}`,
        },
        managementUrls: {
            id: "INSTANCEID",
            statusQueryGetUri: `${instance}?${required}`,
            sendEventPostUri: `${instance}/raiseEvent/{eventName}?${required}`,
            terminatePostUri: `${instance}/terminate?reason={text}&${required}`,
            rewindPostUri: `${instance}/rewind?reason={text}&${required}`,
            purgeHistoryDeleteUri: `${instance}?${required}`,
            suspendPostUri: `${instance}/suspend?reason={text}&${required}`,
            resumePostUri: `${instance}/resume?reason={text}&${required}`,
            restartPostUri: `${instance}/restart?${required}`,
        },
        baseUrl: base,
        requiredQueryStringParameters: required,
        rpcBaseUrl: code ? undefined : `${gateway}/durabletask/`,
    };
};
