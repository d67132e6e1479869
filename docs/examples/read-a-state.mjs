// What a terminal says of itself on the bus, checked by the schema that both ends use.
import { stateSchema } from 'uketsuke/wire/messages';
import { parseTopic } from 'uketsuke/wire/topics';

const topic = 'uketsuke/v1/sakura-clinic/front-1/state';
const said = { device: 'front-1', lane: 1, version: '0.2.0+wire.2', profile: 'release', status: 'idle', catalogueVersion: '2026-11', since: 0 };
console.log(parseTopic(topic).leaf, stateSchema.safeParse(said).success, stateSchema.safeParse({ ...said, battery: 1 }).success);
// prints: state true false
