/**
 * Stryker's runner of vitest, made cheap: changes are tried in one worker that stays (kept-worker.mjs). Whatever that is in
 * doubt about is tried in a new one, as Stryker does, and the worker begun anew. A test that takes far longer than without a
 * change hangs: no thread can be told to leave an endless loop, so the whole process ends, and the next one tells it.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { MutantRunStatus } from '@stryker-mutator/api/test-runner';
import { VitestTestRunner } from './node_modules/@stryker-mutator/vitest-runner/dist/src/vitest-test-runner.js';
import { vitestWrapper } from './node_modules/@stryker-mutator/vitest-runner/dist/src/vitest-wrapper.js';

class Kept {
  #channel;
  #vitest;
  #specifications;
  #ended;
  #asked = new Map();
  #ready = () => undefined;
  #limitMs;
  #hangs;
  #watch;

  /** `hangs` is called once a test has taken `limitMs(test)` */
  constructor(limitMs, hangs) {
    this.#limitMs = limitMs;
    this.#hangs = hangs;
  }

  async open({ configFile, globalNamespace }) {
    const name = randomUUID();
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => {
      if (data.ready === true) this.#ready();
      clearTimeout(this.#watch);
      if (data.test !== undefined) this.#watch = setTimeout(this.#hangs, this.#limitMs(data.test));
      this.#asked.get(data.answer)?.(data);
      this.#asked.delete(data.answer);
    };
    this.#vitest = await vitestWrapper.createVitest('test', {
      ...{ config: configFile, pool: 'threads', maxWorkers: 1, isolate: false, watch: false, passWithNoTests: true },
      ...{ runner: resolve('scripts/mutation/kept-worker.mjs'), reporters: [{}], coverage: { enabled: false } },
      // Loaded, and none run: each is run when it is asked for.
      testNamePattern: '^no test has this name$',
    });
    this.#vitest.provide('globalNamespace', globalNamespace);
    this.#vitest.provide('keptChannel', name);
    this.#specifications = await this.#vitest.globTestSpecifications();
    this.#vitest.provide('keptFiles', this.#specifications.length);
  }

  /** A new worker, with everything loaded. */
  async begin() {
    await new Promise((ready, failed) => {
      this.#ready = ready;
      this.#ended = this.#vitest.runTestSpecifications(this.#specifications, true);
      this.#ended.then(() => failed(new Error('the worker ended')), failed);
    });
  }

  ask(request) {
    const ask = randomUUID();
    return new Promise((answered) => {
      this.#asked.set(ask, answered);
      this.#channel.postMessage({ ask, ...request });
    });
  }

  async end() {
    this.#channel.postMessage({ end: true });
    await this.#ended.catch(() => undefined);
  }

  async close() {
    await this.end();
    this.#channel.close();
    await this.#vitest.close();
  }
}

/** In the copy of the project that is changed: a process that takes over from one that hung reads them again. */
const dryRunFile = () => resolve('dry-run.json');
const hungFile = (mutant) => resolve(`hung-${mutant}`);

/** Longer than a busy machine makes a test wait. */
const hungMs = (usualMs) => 6_000 + 8 * usualMs;

/** Which tests noticed changes of a file, the newest first: what they notice next costs none of the others. */
class Noticed {
  #byFile = new Map();

  of(file) {
    return this.#byFile.get(file) ?? [];
  }

  by(file, test) {
    this.#byFile.set(file, [test, ...this.of(file).filter((one) => one !== test)].slice(0, 6));
  }
}

class KeptRunner extends VitestTestRunner {
  static inject = VitestTestRunner.inject;
  #kept = new Kept(
    (test) => hungMs(this.#usualMs?.[test] ?? 0),
    () => {
      writeFileSync(hungFile(this.#mutant), '');
      process.exit(1);
    },
  );
  /** By change, the tests that reach it while they run; of one that none reaches so, what it does at loading is tried. */
  #reached;
  #usualMs;
  #mutant;
  #noticed = new Noticed();
  #configFile;
  #globalNamespace;
  #log;

  constructor(options, log, globalNamespace) {
    super(options, log, globalNamespace);
    this.#configFile = options.vitest?.configFile;
    this.#globalNamespace = globalNamespace;
    this.#log = log;
  }

  async init() {
    await super.init();
    // Before the time of any change is counted.
    await this.#kept.open({ configFile: this.#configFile, globalNamespace: this.#globalNamespace });
    await this.#kept.begin();
  }

  async dryRun(options) {
    const result = await super.dryRun(options);
    const reached = {};
    for (const [test, mutants] of Object.entries(result.mutantCoverage?.perTest ?? {}))
      for (const mutant of Object.keys(mutants)) reached[mutant] = [...(reached[mutant] ?? []), test];
    const usualMs = Object.fromEntries((result.tests ?? []).map(({ id, timeSpentMs }) => [id, timeSpentMs]));
    writeFileSync(dryRunFile(), JSON.stringify({ reached, usualMs }));
    return result;
  }

  async mutantRun(options) {
    const { activeMutant, hitLimit } = options;
    if (this.#reached === undefined) {
      const { reached, usualMs } = JSON.parse(readFileSync(dryRunFile(), 'utf8'));
      this.#reached = reached;
      this.#usualMs = usualMs;
    }
    this.#mutant = activeMutant.id;
    if (existsSync(hungFile(activeMutant.id))) return { status: MutantRunStatus.Timeout, reason: 'a test hangs' };
    const isStatic = options.mutantActivation === 'static';
    /** null: switched on before anything is loaded, where no test reaches it as it runs, or none of those notices */
    const tests = (isStatic ? this.#reached[activeMutant.id] : options.testFilter) ?? null;
    const changed = options.sandboxFileName;
    const change = { mutant: activeMutant.id, changed, hitLimit, first: this.#noticed.of(changed) };
    let answer = await this.#kept.ask({ ...change, tests });
    if (isStatic && tests !== null && answer.doubt === null && answer.failed === null && !(answer.hitCount > hitLimit))
      answer = await this.#kept.ask({ ...change, tests: null });
    if (answer.doubt !== null) {
      this.#log.info(`change ${activeMutant.id} once more in a new worker: ${answer.doubt}`);
      await this.#kept.end();
      const result = await super.mutantRun(
        tests === null ? options : { ...options, mutantActivation: 'runtime', testFilter: tests },
      );
      await this.#kept.begin();
      return result;
    }
    if (hitLimit !== undefined && answer.hitCount > hitLimit)
      return { status: MutantRunStatus.Timeout, reason: `Hit limit reached (${answer.hitCount}/${hitLimit})` };
    if (answer.failed !== null) this.#noticed.by(changed, answer.failed.id);
    return answer.failed === null
      ? { status: MutantRunStatus.Survived, nrOfTests: answer.tests }
      : {
          ...{ status: MutantRunStatus.Killed, nrOfTests: answer.tests },
          ...{ failureMessage: answer.failed.message, killedBy: [answer.failed.id] },
        };
  }

  async dispose() {
    await Promise.race([this.#kept.close(), new Promise((done) => setTimeout(done, 2_000))]);
    await super.dispose();
  }
}

const createKeptRunner = (injector) => injector.provideValue('globalNamespace', '__stryker__').injectClass(KeptRunner);
createKeptRunner.inject = ['$injector'];

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'kept', createKeptRunner)];
