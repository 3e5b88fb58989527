import { expect, test } from "vitest";
import { parseMarketCommand } from "../../../src/simulators/ib-gateway/market-command.ts";

test.each([
  [{ pause: true }, { type: "pause" }],
  [{ pause: {} }, { type: "pause" }],
  [{ resume: 1 }, { type: "resume" }],
  [{ speed: 0 }, { type: "speed", speed: 0 }],
  [{ speed: 0.1 }, { type: "speed", speed: 0.1 }],
  [{ speed: 1_000_000 }, { type: "speed", speed: 1_000_000 }],
  [{ speed: "max" }, { type: "speed", speed: "max" }],
  [{ step: 1 }, { type: "step", stepMs: 1 }],
  [{ step: 604_800_000 }, { type: "step", stepMs: 604_800_000 }],
  [{ jumpTicks: -100_000 }, { type: "jump_ticks", ticks: -100_000 }],
  [{ position: 0 }, { type: "position", position: 0 }],
  [{ position: -1_000 }, { type: "position", position: -1_000 }],
])("%j is understood", (given, command) => {
  expect(parseMarketCommand(given)).toEqual({ ok: true, value: command });
});

test.each([
  [undefined, /is a JSON object with one of pause, resume, speed, step, jumpTicks, position/],
  [[], /is a JSON object/],
  ["pause", /is a JSON object/],
  [{}, /give one of .*, not 0 fields/],
  [{ pause: true, step: 1 }, /give one of .*, not 2 fields/],
  [{ pause: false }, /pause must be true; resume is its opposite/],
  [{ resume: null }, /resume must be true; pause is its opposite/],
  [{ speed: 0.09 }, /speed must be "max" or a number from 0.1 to 1000000; 0 pauses/],
  [{ speed: -1 }, /speed must be/],
  [{ speed: 1_000_001 }, /speed must be/],
  [{ speed: "fast" }, /speed must be/],
  [{ speed: null }, /speed must be/],
  [{ step: 0 }, /step must be a whole number of milliseconds from 1 to 604800000/],
  [{ step: 604_800_001 }, /step must be/],
  [{ step: 1.5 }, /step must be/],
  [{ step: "1000" }, /step must be/],
  [{ jumpTicks: 0.5 }, /jumpTicks must be a whole number of ticks from -100000 to 100000/],
  [{ jumpTicks: 100_001 }, /jumpTicks must be/],
  [{ position: 1_001 }, /position must be a whole number of contracts from -1000 to 1000/],
  [{ position: "1" }, /position must be/],
  [{ rewind: 1 }, /"rewind" is no market command; give one of/],
])("%j is refused: %s", (given, reason) => {
  const read = parseMarketCommand(given);

  expect(read.ok).toBe(false);
  if (!read.ok) expect(read.error).toMatch(reason);
});
