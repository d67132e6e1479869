/**
 * A worker of vitest that loads the test files once and stays: one changed place after the other is switched on in it and the
 * tests that reach the place are run again, without a new thread and without loading anything anew. Asked by kept-runner.mjs
 * over a channel. For a change that counts at loading (no tests are named) one test file after the other is loaded anew with
 * what it imports, and run where the changed place was come by.
 */
import { relative } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { inject, TestRunner, vi } from 'vitest';
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

const runTest = async (runner, test) => {
  const suites = suitesAbove(test);
  const cleanups = [];
  test.result = { state: 'run', startTime: Date.now(), retryCount: 0 };
  try {
    runner.onBeforeTryTask(test, { retry: 0, repeats: 0 });
    for (const suite of suites) await begin(hooksOf(suite, 'beforeEach'), [test.context, suite], cleanups);
    await TestRunner.getTestFn(test)();
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

const everyTest = { has: () => true };

const loadAnew = async (runner, filepath) => {
  vi.resetModules();
  const [file] = await collectTests([{ filepath }], runner);
  return file;
};

const runLoadedAnew = async (runner, count) => {
  for (const { filepath } of files) {
    ns.hitCount = 0;
    const file = await loadAnew(runner, filepath);
    if (file.result?.state === 'fail') return { id: relative(process.cwd(), filepath), message: 'it does not load' };
    if (ns.hitCount === 0) continue;
    const failed = await runSuite(runner, file, everyTest, count);
    if (failed !== null) return failed;
  }
  return null;
};

/** Without the change. What it left in the modules' place is gone. */
const runAgainLoadedAnew = async (runner, { id }) => {
  const { filepath } = files.find((one) => id.startsWith(relative(process.cwd(), one.filepath)));
  const file = await loadAnew(runner, filepath);
  if (file.result?.state === 'fail') return { id, message: 'it does not load' };
  return runSuite(runner, file, id.includes('#') ? new Set([id]) : everyTest, { tests: 0 });
};

const runAgain = (runner, failed, tests) =>
  tests === null ? runAgainLoadedAnew(runner, failed) : runFiles(runner, new Set([failed.id]), { tests: 0 });

const settled = () => new Promise((resolve) => setImmediate(resolve));

const serve = async (runner) => {
  const { promise: ended, resolve: leave } = Promise.withResolvers();
  const channel = new BroadcastChannel(inject('keptChannel'));
  for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, (error) => stray.push(error));
  const answer = async ({ mutant, tests, hitLimit }) => {
    stray.length = 0;
    Object.assign(ns, { activeMutant: mutant, hitLimit, hitCount: 0 });
    const count = { tests: 0 };
    const failed = tests === null ? await runLoadedAnew(runner, count) : await runFiles(runner, new Set(tests), count);
    const hitCount = ns.hitCount;
    Object.assign(ns, { activeMutant: undefined, hitLimit: undefined, hitCount: undefined });
    // What failed must pass again without the change: else the change, or one before it, left something behind.
    const again = failed === null ? null : await runAgain(runner, failed, tests);
    // Tests that import only when they run must not find what was changed.
    if (tests === null) vi.resetModules();
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
