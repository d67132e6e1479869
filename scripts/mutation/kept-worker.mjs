/**
 * A worker of vitest that loads the test files once and stays: one changed place after the other is switched on in it and the
 * tests that reach the place are run again, without a new thread and without loading anything anew. Asked by kept-runner.mjs
 * over a channel. For a change that counts at loading (no tests are named) the changed file, what imports it and the test files
 * among that are loaded anew and run.
 */
import { basename, relative } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { inject, TestRunner } from 'vitest';
import { collectTests } from 'vitest/internal/browser';

const namespace = inject('globalNamespace');
globalThis[namespace] ??= {};
const ns = globalThis[namespace];
const files = [];
const stray = [];

const nameOf = ({ name, suite }) => (suite ? `${nameOf(suite)} > ${name}` : name);
const testsOf = ({ tasks }) => tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task) : [task]));
const idOf = (test) => `${relative(process.cwd(), test.file.filepath)}#${nameOf(test).trim()}`;
const suitesAbove = (task) => (task.suite ? [...suitesAbove(task.suite), task.suite] : [task.file]);

const hooksOf = (suite, name) => TestRunner.getSuiteHooks(suite)[name] ?? [];

/** Runs what tidies up, last first, whatever became of the rest. */
const tidy = async (cleanups) => {
  for (const cleanup of cleanups.reverse()) await cleanup();
};

const begin = async (hooks, args, cleanups) => {
  for (const hook of hooks) {
    const cleanup = await hook(...args);
    if (typeof cleanup === 'function') cleanups.push(cleanup);
  }
};

const idleMs = 3_000;
const lookMs = 100;
/** Before a test may play with them. */
const { setTimeout: later, clearTimeout: forgetTimer } = globalThis;
const underWay = () => process.getActiveResourcesInfo().length;

/**
 * Fails once a test has had nothing under way for 3 s (no timer, file or connection of its own, no work): it waits for what
 * never comes, which a limit of time would tell after a minute. One that only waited for a busy processor fails without the
 * change, too, and is tried in a new worker.
 */
const watchIdle = () => {
  // Ours and the one of vitest's own limit come to those that were there before.
  const most = underWay() + 2;
  let idle = 0;
  let before = performance.eventLoopUtilization();
  let timer;
  const stuck = new Promise((_, fail) => {
    const look = () => {
      const { utilization } = performance.eventLoopUtilization(before);
      before = performance.eventLoopUtilization();
      idle = utilization < 0.05 && underWay() <= most ? idle + lookMs : 0;
      if (idle >= idleMs) fail(new Error('it waits for what never comes'));
      else timer = later(look, lookMs);
    };
    timer = later(look, lookMs);
  });
  return { stuck, end: () => forgetTimer(timer) };
};

/** Told to kept-runner.mjs, which knows how long it should take. */
let sayTest = () => undefined;

const runTest = async (runner, test) => {
  sayTest(idOf(test));
  const suites = suitesAbove(test);
  const cleanups = [];
  test.result = { state: 'run', startTime: Date.now(), retryCount: 0 };
  try {
    runner.onBeforeTryTask(test, { retry: 0, repeats: 0 });
    for (const suite of suites) await begin(hooksOf(suite, 'beforeEach'), [test.context, suite], cleanups);
    const idle = watchIdle();
    await Promise.race([TestRunner.getTestFn(test)(), idle.stuck]).finally(idle.end);
    runner.onAfterTryTask(test);
  } finally {
    for (const suite of suites.toReversed())
      for (const hook of hooksOf(suite, 'afterEach')) await hook(test.context, suite);
    await tidy(cleanups);
    for (const hook of test.onFinished ?? []) await hook(test.context);
    test.onFinished = undefined;
  }
};

/** The first test that fails, its own name or that of the suite whose hook failed; null: all passed. */
const runSuite = async (runner, suite, wanted, count) => {
  const children = suite.tasks.filter((task) =>
    task.type === 'suite' ? testsOf(task).some((test) => wanted.has(idOf(test))) : wanted.has(idOf(task)),
  );
  if (children.length === 0) return null;
  const cleanups = [];
  let failed = null;
  const fail = (task, error) => {
    failed ??= {
      id: idOf(task.type === 'suite' ? (testsOf(task)[0] ?? task) : task),
      message: String(error?.message ?? error),
    };
  };
  try {
    await begin(hooksOf(suite, 'beforeAll'), [suite], cleanups);
    for (const task of children) {
      if (failed !== null) break;
      if (task.type === 'suite') failed = await runSuite(runner, task, wanted, count);
      else {
        count.tests += 1;
        await runTest(runner, task).catch((error) => fail(task, error));
      }
    }
  } catch (error) {
    fail(children[0], error);
  }
  try {
    for (const hook of hooksOf(suite, 'afterAll')) await hook(suite);
    await tidy(cleanups);
  } catch (error) {
    fail(children[0], error);
  }
  return failed;
};

const runFiles = async (runner, wanted, count) => {
  for (const file of files) {
    const failed = await runSuite(runner, file, wanted, count);
    if (failed !== null) return failed;
  }
  return null;
};

/** Those of `first`, each by itself, before all others. */
const runFirst = async (runner, first, wanted, count) => {
  for (const id of first.filter((one) => wanted.has(one))) {
    const failed = await runFiles(runner, new Set([id]), count);
    if (failed !== null) return failed;
  }
  return null;
};

const everyTest = { has: () => true };

const modulesById = () => globalThis.__vitest_worker__.evaluatedModules.idToModuleMap;

/** What loads the changed file, by whatever way, with the test files among it. */
const importersOf = (changed) => {
  const modules = [...modulesById().values()];
  const touched = new Set([changed]);
  for (const id of touched) for (const module of modules) if (module.imports.has(id)) touched.add(module.id);
  return touched;
};

/** As vi.resetModules() does, which knows only all or nothing. */
const forget = (ids) => {
  for (const id of ids) {
    const module = modulesById().get(id);
    Object.assign(module, { promise: undefined, exports: undefined, evaluated: false });
    module.importers.clear();
  }
};

const load = async (runner, filepath) => {
  const [file] = await collectTests([{ filepath }], runner);
  return file.result?.state === 'fail' ? null : file;
};

/** The test of the changed file's own name first, then those that noticed something in it. */
const testsThatLoad = (touched, changed, first) => {
  const isItsOwn = ({ filepath }) => basename(filepath, '.test.ts') === basename(changed, '.ts');
  const hasNoticed = ({ filepath }) => first.some((id) => id.startsWith(`${relative(process.cwd(), filepath)}#`));
  const rank = (file) => (isItsOwn(file) ? 0 : hasNoticed(file) ? 1 : 2);
  return files.filter(({ filepath }) => touched.has(filepath)).sort((a, b) => rank(a) - rank(b));
};

const runLoadedAnew = async (runner, changed, first, count) => {
  const touched = importersOf(changed);
  forget(touched);
  for (const { filepath } of testsThatLoad(touched, changed, first)) {
    const file = await load(runner, filepath);
    if (file === null) return { id: relative(process.cwd(), filepath), message: 'it does not load' };
    const failed = await runSuite(runner, file, everyTest, count);
    if (failed !== null) return failed;
  }
  return null;
};

/** Without the change. */
const runAgainLoadedAnew = async (runner, changed, { id }) => {
  forget(importersOf(changed));
  const { filepath } = files.find((one) => id.startsWith(relative(process.cwd(), one.filepath)));
  const file = await load(runner, filepath);
  if (file === null) return { id, message: 'it does not load' };
  return runSuite(runner, file, id.includes('#') ? new Set([id]) : everyTest, { tests: 0 });
};

const runAgain = (runner, failed, { tests, changed }) =>
  tests === null ? runAgainLoadedAnew(runner, changed, failed) : runFiles(runner, new Set([failed.id]), { tests: 0 });

const settled = () => new Promise((resolve) => setImmediate(resolve));

const serve = async (runner) => {
  const { promise: ended, resolve: leave } = Promise.withResolvers();
  const channel = new BroadcastChannel(inject('keptChannel'));
  sayTest = (test) => channel.postMessage({ test });
  for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, (error) => stray.push(error));
  const answer = async ({ mutant, changed, tests, hitLimit, first }) => {
    stray.length = 0;
    Object.assign(ns, { activeMutant: mutant, hitLimit, hitCount: 0 });
    const count = { tests: 0 };
    const wanted = new Set(tests);
    const failed =
      tests === null
        ? await runLoadedAnew(runner, changed, first, count)
        : ((await runFirst(runner, first, wanted, count)) ?? (await runFiles(runner, wanted, count)));
    const hitCount = ns.hitCount;
    Object.assign(ns, { activeMutant: undefined, hitLimit: undefined, hitCount: undefined });
    // What failed must pass again without the change: else the change, or one before it, left something behind.
    const again = failed === null ? null : await runAgain(runner, failed, { tests, changed });
    // Tests that import only when they run must not find what was changed.
    if (tests === null) forget(importersOf(changed));
    await settled();
    const doubt = again === null ? (stray[0]?.message ?? null) : `${again.id}: ${again.message}`;
    return { failed, hitCount, tests: count.tests, doubt };
  };
  channel.onmessage = async ({ data }) => {
    if (data.end === true) leave();
    if (data.ask === undefined) return;
    const answered = await answer(data).catch((error) => ({ doubt: String(error?.stack ?? error) }));
    channel.postMessage({ answer: data.ask, ...answered });
  };
  // What expect() asks of every test file that runs.
  const { snapshotOptions } = runner.workerState.config;
  for (const { filepath } of files) await runner.snapshotClient.setup(filepath, snapshotOptions);
  // What is loaded anew is for nobody outside.
  runner.onBeforeCollect = runner.onCollected = undefined;
  channel.postMessage({ ready: true });
  return ended.finally(() => channel.close());
};

export default class KeptWorker extends TestRunner {
  async onAfterRunFiles(loaded) {
    files.push(...loaded);
    if (files.length < inject('keptFiles')) return;
    await serve(this);
  }
}
