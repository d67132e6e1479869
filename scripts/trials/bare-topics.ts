/** Beside the facility's own topics, so that the agent under test does not hear the bare echo of bench:deliver. */
export const bareTopics = { request: 'bare/request', receipt: 'bare/receipt' } as const;
