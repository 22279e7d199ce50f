// The process that evaluates JavaScript cells: node's own inspector gives the rules of its REPL
// (redeclaration, top-level await), and a second thread can stop a loop without an end.
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
else watch();

/** Stop what the main thread runs, when the agent says so. */
function watch() {
  const { interrupts, shared } = workerData;
  const state = new Int32Array(shared); // [number of the running cell, last cell acknowledged]
  const session = new inspector.Session();
  session.connectToMainThread();
  let buffer = Buffer.alloc(0);
  new net.Socket({ fd: interrupts, readable: true, writable: false }).on("data", (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (; buffer.length >= HEADER_BYTES; buffer = buffer.subarray(HEADER_BYTES)) {
      stop(buffer.readUInt32BE(0));
    }
  });
  parentPort.postMessage("ready");

  function stop(cell) {
    if (Atomics.load(state, 0) !== cell) return;
    parentPort.postMessage(cell);
    // A main thread that waits answers by itself. Terminating it then would hit whatever it does
    // next instead.
    const seen = Atomics.load(state, 1);
    if (seen !== cell && Atomics.wait(state, 1, seen, ALIVE_MS) === "timed-out") {
      session.post("Runtime.terminateExecution");
    }
  }
}

/** Evaluate cells until the agent has gone. */
function main() {
  const [cells, replies, interrupts] = process.argv.slice(-3).map(Number);
  process.argv.length = 1;
  const shared = new SharedArrayBuffer(8);
  const state = new Int32Array(shared);
  const session = new inspector.Session();
  session.connect();
  const helper = prepare(session);
  let count = 0;
  let finish = null;

  const worker = new Worker(__filename, { workerData: { interrupts, shared } });
  worker.on("message", (message) => {
    if (message === "ready") {
      listen();
      return;
    }
    Atomics.store(state, 1, message);
    Atomics.notify(state, 1);
    if (message === Atomics.load(state, 0) && finish !== null) finish(interrupted());
  });

  function listen() {
    let buffer = Buffer.alloc(0);
    const input = new net.Socket({ fd: cells, readable: true, writable: false });
    input.on("data", (data) => {
      buffer = Buffer.concat([buffer, data]);
      while (buffer.length >= HEADER_BYTES) {
        const end = HEADER_BYTES + buffer.readUInt32BE(0);
        if (buffer.length < end) break;
        const request = JSON.parse(buffer.toString("utf8", HEADER_BYTES, end));
        buffer = buffer.subarray(end);
        run(request.code);
      }
    });
    input.on("end", () => process.exit(0));
    send({ ready: true });
  }

  function run(code) {
    count += 1;
    Atomics.store(state, 0, count);
    finish = (reply) => {
      finish = null;
      Atomics.store(state, 0, 0);
      session.post("Runtime.releaseObjectGroup", { objectGroup: "cell" });
      send({ result: [], error: null, execution_count: count, ...reply });
    };
    const mine = finish;
    evaluate(session, helper, code).then(
      (reply) => finish === mine && finish(reply),
      (error) => finish === mine && finish({ error: described(error) }),
    );
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
