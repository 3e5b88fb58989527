// The length check before the library: it must see through any cut of the stream, and stop at the first wrong length.

import { describe, expect, test } from "vitest";
import { createFrameCheck, FRAME_BYTES_MAX } from "../../../src/trading/ib/frame-check.ts";
import { fc, property } from "../../support/properties.ts";

const prefix = (length: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  return bytes;
};

const frame = (length: number): Buffer => Buffer.concat([prefix(length), Buffer.alloc(length, 0x31)]);

describe("a length", () => {
  test.each([1, 2, 200, FRAME_BYTES_MAX - 1, FRAME_BYTES_MAX])(
    "of %d is taken, and the frame behind it too",
    (length) => {
      const check = createFrameCheck();

      expect(check.take(frame(length))).toBeNull();
      expect(check.take(frame(7))).toBeNull();
    },
  );

  test.each([-2_147_483_648, -4, -1, 0, FRAME_BYTES_MAX + 1, 2_147_483_647])(
    "of %d is refused with its figure",
    (length) => {
      const check = createFrameCheck();

      expect(check.take(prefix(length))).toBe(`a frame of ${length} bytes`);
    },
  );
});

test("a wrong length behind sound frames is found in the same bytes", () => {
  const check = createFrameCheck();

  expect(check.take(Buffer.concat([frame(3), frame(90), prefix(-4), Buffer.alloc(50)]))).toBe("a frame of -4 bytes");
});

test("half a length is no verdict yet", () => {
  const check = createFrameCheck();

  expect(check.take(Buffer.from([0xff, 0xff, 0xff]))).toBeNull();
  expect(check.take(Buffer.from([0xfc]))).toBe("a frame of -4 bytes");
});

test("no bytes are no verdict", () => {
  expect(createFrameCheck().take(Buffer.alloc(0))).toBeNull();
});

const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, -1, -4, 2_147_483_647)), {
  minLength: 1,
  maxLength: 12,
});

property(
  "gives the same verdict however the stream is cut",
  [lengths, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 })],
  (given, cuts) => {
    const stream = Buffer.concat(given.map((length) => (length > 0 && length <= 40 ? frame(length) : prefix(length))));
    const whole = createFrameCheck().take(stream);

    const check = createFrameCheck();
    let verdict: string | null = null;
    for (let at = 0, piece = 0; at < stream.length && verdict === null; piece++) {
      const end = at + (cuts[piece % cuts.length] as number);
      verdict = check.take(stream.subarray(at, end));
      at = end;
    }

    const firstWrong = given.find((length) => length < 1 || length > FRAME_BYTES_MAX);
    expect(verdict).toBe(whole);
    expect(whole).toBe(firstWrong === undefined ? null : `a frame of ${firstWrong} bytes`);
  },
);
