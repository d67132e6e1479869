/** What each process of a device tries from inside its sandbox: the table of processes in systemd/README.md, line by line. */
export type Process = {
  readonly name: 'terminal' | 'link' | 'face' | 'kiosk';
  readonly unit: string;
  /** The screen needs a display, which a container has not: its probe runs, its browser does not. */
  readonly starts: boolean;
};

export const processes: readonly Process[] = [
  { name: 'terminal', unit: 'uketsuke.service', starts: true },
  { name: 'link', unit: 'uketsuke-link.service', starts: true },
  { name: 'face', unit: 'uketsuke-face.service', starts: true },
  { name: 'kiosk', unit: 'uketsuke-kiosk.service', starts: false },
];

/** Whose each device is by the udev rules. */
export const devices = [
  { path: '/dev/uketsuke-face-camera', user: 'uketsuke-face' },
  { path: '/dev/uketsuke-keypad', user: 'uketsuke' },
  { path: '/dev/uketsuke-light', user: 'uketsuke' },
] as const;

export type Try = {
  readonly what: string;
  readonly way: 'read' | 'unix' | 'tcp';
  readonly target: string;
  /** Must be possible: it proves that the probe can. Everything else must be refused. */
  readonly needed: boolean;
};

const provisioning = '/etc/uketsuke/provisioning';
const read = (what: string, target: string): Omit<Try, 'needed'> => ({ what, way: 'read', target });
const unix = (what: string, target: string): Omit<Try, 'needed'> => ({ what, way: 'unix', target });
const tcp = (what: string, target: string): Omit<Try, 'needed'> => ({ what, way: 'tcp', target });

const things = (broker: string, elsewhere: string) => ({
  signingKey: read('signing key', `${provisioning}/terminal/signing-key.jwk.json`),
  sealingKey: read('sealing key', `${provisioning}/terminal/sealing-key.jwk.json`),
  trust: read('trust of the terminal', `${provisioning}/terminal/trust.json`),
  tlsKey: read('TLS key', `${provisioning}/link/tls-key.pem`),
  store: read('outbox', '/var/lib/uketsuke-link/link.sqlite'),
  journal: read('journal of an agent', '/var/lib/uketsuke-agent/journal'),
  camera: read('face camera', '/dev/uketsuke-face-camera'),
  keypad: read('keypad', '/dev/uketsuke-keypad'),
  light: read('status light', '/dev/uketsuke-light'),
  models: read('face models', '/usr/lib/uketsuke/models/manifest.json'),
  cards: unix('card reader (pcscd)', '/run/pcscd/pcscd.comm'),
  link: unix('socket of the link', '/run/uketsuke-link.sock'),
  face: unix('socket of the face process', '/run/uketsuke-face.sock'),
  terminalHealth: unix('health of the terminal', '/run/uketsuke/health.sock'),
  linkHealth: unix('health of the link', '/run/uketsuke-link/health.sock'),
  terminalMemory: read('memory of the terminal', '/proc/@terminal-pid@/mem'),
  linkMemory: read('memory of the link', '/proc/@link-pid@/mem'),
  faceMemory: read('memory of the face process', '/proc/@face-pid@/mem'),
  terminalEnvironment: read('environment of the terminal', '/proc/@terminal-pid@/environ'),
  page: tcp("page of the patient's screen", '127.0.0.1:8480'),
  broker: tcp('broker', `${broker}:8883`),
  elsewhere: tcp('another machine', `${elsewhere}:8883`),
});
type Thing = keyof ReturnType<typeof things>;

const needs: Record<Process['name'], readonly Thing[]> = {
  terminal: ['signingKey', 'sealingKey', 'trust', 'keypad', 'light', 'cards', 'link', 'face', 'terminalHealth'],
  link: ['tlsKey', 'store', 'linkHealth', 'broker'],
  face: ['camera', 'models'],
  kiosk: ['page'],
};
/** Neither needed nor forbidden. */
const indifferent: Record<Process['name'], readonly Thing[]> = {
  terminal: ['models', 'terminalMemory', 'terminalEnvironment', 'page'],
  link: ['models', 'linkMemory'],
  face: ['faceMemory'],
  kiosk: ['models'],
};

export const triesOf = (name: Process['name'], broker: string, elsewhere: string): readonly Try[] =>
  Object.entries(things(broker, elsewhere))
    .filter(([thing]) => !indifferent[name].includes(thing as Thing))
    .map(([thing, attempt]) => ({ ...attempt, needed: needs[name].includes(thing as Thing) }));
