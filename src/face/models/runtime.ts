import * as ort from 'onnxruntime-node';

// The runtime (seen in 1.30) tells its maker of its use where it has a network, and keeps a number of the machine in the temporary
// folder and a queue below the home folder, unless this says no before the first session.
process.env.ORT_DISABLE_TELEMETRY = '1';

export { ort };
