// Takes the pace out of @stoqey/ib, which counts by the machine's own timers: a test that moves its clock by hand would wait
// for it in earnest. Ours (send-gate.ts) stays below it and runs on the test's clock. Import this before anything of ours.
import { createRequire } from "node:module";

const ofLibrary = createRequire(createRequire(import.meta.url).resolve("@stoqey/ib"));
const path = ofLibrary.resolve("function-rate-limit");
ofLibrary(path);
const limiter = ofLibrary.cache[path];
if (limiter === undefined) throw new Error("@stoqey/ib has no limiter any more: this file is of no use");
limiter.exports = (_count: number, _intervalMs: number, send: (...values: unknown[]) => void) => send;
