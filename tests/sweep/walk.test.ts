// Windows of a walk-forward and blocks of the cross-validation, at their limits.
import { expect, test } from "vitest";
import { blocksOf, readWalkLengths, walkWindows } from "../../src/sweep/walk.ts";

test.each([
  ["60:20", { inside: 60, outside: 20 }],
  [" 2 : 1 ", { inside: 2, outside: 1 }],
])("%j are lengths", (written, lengths) => {
  expect(readWalkLengths(written)).toEqual({ ok: true, value: lengths });
});

test.each(["60", "1:1", "2:0", "60:-5", "a:b", "60:20:5"])("%j are none", (written) => {
  const read = readWalkLengths(written);

  expect(read.ok ? "" : read.error).toMatch(/such as 60:20/);
});

test("windows follow each other by what is judged, and the last may be shorter", () => {
  expect(walkWindows(11, { inside: 4, outside: 3 })).toEqual({
    ok: true,
    value: [
      { inside: { from: 0, to: 4 }, outside: { from: 4, to: 7 } },
      { inside: { from: 3, to: 7 }, outside: { from: 7, to: 10 } },
      { inside: { from: 6, to: 10 }, outside: { from: 10, to: 11 } },
    ],
  });
});

test.each([
  [4, false],
  [5, true],
])("%i sessions for 4:3", (sessions, isEnough) => {
  expect(walkWindows(sessions, { inside: 4, outside: 3 }).ok).toBe(isEnough);
});

test.each([
  [7, 0, 0],
  [8, 4, 2],
  [11, 4, 2],
  [12, 6, 2],
  [31, 14, 2],
  [32, 16, 2],
  [250, 16, 15],
])("%i sessions make %i blocks of %i, over the newest of them", (sessions, count, length) => {
  const blocks = blocksOf(sessions);

  expect(blocks.length).toBe(count);
  for (const [at, block] of blocks.entries()) {
    expect(block.to - block.from).toBe(length);
    expect(blocks[at + 1]?.from ?? sessions).toBe(block.to);
  }
});
