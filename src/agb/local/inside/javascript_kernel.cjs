// The process that evaluates JavaScript cells: node's own inspector gives the rules of its REPL
// (redeclaration, top-level await). A second thread talks to the agent, so that a loop without an end
// can be stopped, and whatever is cut off with it, no request and no reply is.
"use strict";

const fs = require("node:fs");
const inspector = require("node:inspector");
const net = require("node:net");
const path = require("node:path");
const util = require("node:util");
const Module = require("node:module");
const { Worker, isMainThread, parentPort, workerData } = require("node:worker_threads");

const HEADER_BYTES = 4;
// How long the main thread may take to show that its event loop still turns.
const ALIVE_MS = 50;
// Code that comes through the inspector belongs to no file, and node imports nothing for it. So
// `import(...)` becomes a call of a function that has a file, outside of strings and comments.
const IMPORT = "__import";
const STRING_OR_IMPORT =
  /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`|\/\/.*|\/\*[^]*?\*\/)|(?<![\w$.#])import(?=\s*\()/g;

if (isMainThread) main();
else control();

/** Pass cells on to the main thread and its replies to the agent; stop what the agent says. */
function control() {
  const { cells, replies, interrupts, shared } = workerData;
  const stopped = new Int32Array(shared); // [the last cell to be stopped, which may still be to come]
  const session = new inspector.Session();
  session.connectToMainThread();
  let cell = 0; // The last that came.
  let due = false; // Whether it is still to be replied to.
  let terminating = false;
  let last = null; // What the main thread says of it while something is being terminated there.

  read(cells, (length) => length, begin).on("end", () => process.exit());
  read(interrupts, () => 0, (_body, number) => stop(number));
  parentPort.on("message", ({ number, reply }) => {
    if (terminating) last = reply;
    else if (number === cell) answer(reply);
  });
  send({ ready: true });

  function begin(body) {
    cell += 1;
    due = true;
    if (Atomics.load(stopped, 0) === cell) answer(interrupted());
    else parentPort.postMessage({ number: cell, code: JSON.parse(body.toString()).code });
  }

  function stop(number) {
    Atomics.store(stopped, 0, number);
    if (number !== cell || !due) return;
    // A main thread that waits answers by itself. Terminating it then would hit whatever it does
    // next instead.
    parentPort.postMessage({ number });
    setTimeout(() => due && number === cell && terminate(), ALIVE_MS);
  }

  function terminate() {
    terminating = true;
    session.post("Runtime.terminateExecution", () => {
      // Not before: what comes next would be hit by it.
      terminating = false;
      answer(last ?? interrupted());
      last = null;
    });
    // So that there is something to be hit if all is done meanwhile.
    parentPort.postMessage({ number: 0 });
  }

  function answer(reply) {
    if (due) send({ result: [], error: null, execution_count: cell, ...reply });
    due = false;
  }

  function send(message) {
    const body = Buffer.from(JSON.stringify(message));
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(body.length);
    const frame = Buffer.concat([header, body]);
    for (let written = 0; written < frame.length; ) {
      written += fs.writeSync(replies, frame, written);
    }
  }
}

/** Read numbers, each followed by as many bytes as the number says. */
function read(fd, lengthOf, take) {
  let buffer = Buffer.alloc(0);
  return new net.Socket({ fd, readable: true, writable: false }).on("data", (data) => {
    buffer = Buffer.concat([buffer, data]);
    while (buffer.length >= HEADER_BYTES) {
      const number = buffer.readUInt32BE(0);
      const end = HEADER_BYTES + lengthOf(number);
      if (buffer.length < end) break;
      const body = buffer.subarray(HEADER_BYTES, end);
      buffer = buffer.subarray(end);
      take(body, number);
    }
  });
}

/** Evaluate cells until the agent has gone. */
function main() {
  const [cells, replies, interrupts] = process.argv.slice(-3).map(Number);
  process.argv.length = 1;
  const shared = new SharedArrayBuffer(4);
  const stopped = new Int32Array(shared);
  const session = new inspector.Session();
  session.connect();
  const helper = prepare(session);

  const worker = new Worker(__filename, { workerData: { cells, replies, interrupts, shared } });
  worker.on("exit", () => process.exit(0));
  worker.on("message", ({ number, code }) => {
    if (code === undefined) reply(number, interrupted());
    else if (number !== Atomics.load(stopped, 0)) run(number, code);
  });

  function run(number, code) {
    session.post("Runtime.releaseObjectGroup", { objectGroup: "cell" });
    evaluate(session, helper, code).then(
      (outcome) => reply(number, outcome),
      (error) => reply(number, { error: described(error) }),
    );
  }

  function reply(number, outcome) {
    worker.postMessage({ number, reply: outcome });
  }
}

/** Make the global scope look like node's REPL at home; return the helper that shows values. */
function prepare(session) {
  const home = new Module(path.join(process.cwd(), "cell.js"));
  home.filename = home.id;
  home.paths = Module._nodeModulePaths(process.cwd());
  home._compile("module.exports = (name, options) => import(name, options)", home.filename);
  Object.defineProperty(globalThis, IMPORT, { value: home.exports });
  globalThis.require = Module.createRequire(home.filename);
  globalThis.module = { exports: {} };
  globalThis.exports = globalThis.module.exports;
  // As on a terminal, Ctrl-C is for the cell and its child processes.
  process.on("SIGINT", () => {});
  // A mistake in a timer or in a promise nobody waits for costs a message, not the variables.
  process.on("uncaughtException", (error) => console.error("Uncaught", error));
  process.on("unhandledRejection", (reason) => console.error("Uncaught (in promise)", reason));

  const name = "__helper";
  globalThis[name] = (value, threw) => (threw ? described(value) : util.inspect(value));
  const { result } = postSync(session, "Runtime.evaluate", { expression: name });
  delete globalThis[name];
  return result.objectId;
}

/** Evaluate one cell and show its value. */
async function evaluate(session, helper, code) {
  let { result, exceptionDetails } = await post(session, "Runtime.evaluate", {
    expression: code.replace(STRING_OR_IMPORT, (_all, other) => other ?? IMPORT),
    replMode: true,
    awaitPromise: true,
    objectGroup: "cell",
  });
  if (exceptionDetails === undefined && result.subtype === "promise") {
    // What an async function writes belongs to the cell that called it.
    const promise = { promiseObjectId: result.objectId };
    ({ result, exceptionDetails } = await post(session, "Runtime.awaitPromise", promise));
  }
  if (exceptionDetails !== undefined) {
    const { exception, text } = exceptionDetails;
    if (exception === undefined) return interrupted();
    return { error: await call(session, helper, exception, true) };
  }
  if (result.type === "undefined") return {};
  const text = await call(session, helper, result, false);
  return { result: [{ "text/plain": text, isMainResult: true }] };
}

/** Call the helper with a value that lives on the other side of the inspector. */
async function call(session, helper, { objectId, unserializableValue, value }, threw) {
  const argument =
    objectId !== undefined ? { objectId }
    : unserializableValue !== undefined ? { unserializableValue }
    : { value };
  const { result } = await post(session, "Runtime.callFunctionOn", {
    objectId: helper,
    functionDeclaration: "function (value, threw) { return this(value, threw); }",
    arguments: [argument, { value: threw }],
    returnByValue: true,
  });
  return result.value;
}

function post(session, method, params) {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

function postSync(session, method, params) {
  let reply;
  session.post(method, params, (_error, answer) => (reply = answer));
  return reply;
}

/** Describe what a cell threw; anything can be thrown. */
function described(error) {
  if (util.types.isNativeError(error) || error instanceof Error) {
    return { name: String(error.name), value: String(error.message), traceback: traceback(error) };
  }
  return { name: "Error", value: util.inspect(error), traceback: `Uncaught ${util.inspect(error)}` };
}

/** The stack without the part that is ours. */
function traceback(error) {
  const lines = String(error.stack).split("\n");
  const ours = lines.findIndex((line) => /node:inspector|javascript_kernel\.cjs/.test(line));
  return lines.slice(0, ours < 0 ? undefined : ours).join("\n");
}

function interrupted() {
  return { error: { name: "Interrupted", value: "The cell was interrupted", traceback: "" } };
}
