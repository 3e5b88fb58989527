// The bytes of a record, and the buffer between appending, the engine and the disk.
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameBuffer, TAKE_BYTES_MAX } from "../../src/journal/buffer.ts";
import { crc32c } from "../../src/journal/crc32c.ts";
import { decodeHeader, encodeHeader, getInt64, PAYLOAD_BYTES_MAX, putInt64 } from "../../src/journal/format.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("a packed trade has exactly the bytes that the engine reads", () => {
  const buffer = new FrameBuffer(4);

  const seq = buffer.appendTrade(1_000, 999, -7, 3);

  const frame = buffer.take();
  expect(seq).toBe(5);
  expect(hex(frame.subarray(0, 4))).toBe("24000000"); // 20 + 16
  expect(new DataView(frame.buffer, frame.byteOffset).getUint32(4, true)).toBe(crc32c(frame, 8));
  expect(hex(frame.subarray(8))).toBe(
    "01" + "02" + "0000" + "0500000000000000" + "e803000000000000" + "e703000000000000" + "f9ffffff" + "03000000",
  );
});

test("a packed quote has exactly the bytes that the engine reads, an absent price as the least i32", () => {
  const buffer = new FrameBuffer(0);

  buffer.appendQuote(-1, 2 ** 40, null, 21_000, 4, 5);

  expect(hex(buffer.take().subarray(8))).toBe(
    "01" +
      "03" +
      "0000" +
      "0100000000000000" +
      "ffffffffffffffff" +
      "0000000000010000" +
      "00000080" +
      "08520000" +
      "04000000" +
      "05000000",
  );
});

test.each([
  ["input", false, "0000"],
  ["input", true, "0100"],
  ["output", false, "0200"],
  ["note", true, "0500"],
] as const)("a JSON record of kind %s, optional %s, has the flags %s", (kind, optional, flags) => {
  const buffer = new FrameBuffer(0);

  buffer.appendJson(kind, 1, '{"type":"é"}', optional);

  const frame = buffer.take();
  expect(hex(frame.subarray(9, 12))).toBe(`01${flags}`);
  expect(Buffer.from(frame.subarray(28)).toString("utf8")).toBe('{"type":"é"}');
});

test("take gives each frame once, in order, whatever happens between", () => {
  const operation = fc.oneof(
    fc.record({ act: fc.constant("trade" as const) }),
    fc.record({ act: fc.constant("json" as const), length: fc.nat(40_000) }),
    fc.record({ act: fc.constant("take" as const) }),
    fc.record({ act: fc.constant("release" as const) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const buffer = new FrameBuffer(0);
      const taken: Buffer[] = [];
      for (const each of operations) {
        if (each.act === "trade") buffer.appendTrade(1, 2, 3, 4);
        if (each.act === "json") buffer.appendJson("note", 1, JSON.stringify({ x: "y".repeat(each.length) }), false);
        if (each.act === "take") taken.push(Buffer.from(buffer.take()));
        if (each.act === "release") buffer.release(buffer.end);
      }
      taken.push(Buffer.from(buffer.take()));

      const bytes = Buffer.concat(taken);
      let seq = 0;
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt32LE(at) + 8;
        expect(bytes.readUInt32LE(at + 4)).toBe(crc32c(bytes, at + 8, at + length));
        expect(Number(bytes.readBigUInt64LE(at + 12))).toBe(++seq);
        at += length;
      }
      expect(seq).toBe(buffer.lastSeq);
    }),
    { numRuns: 200 },
  );
});

test("frames that the disk has but the engine has not are kept for it", () => {
  const buffer = new FrameBuffer(0);
  for (let index = 0; index < 20_000; index++) {
    buffer.appendTrade(index, index, index, 1);
    buffer.release(buffer.end);
  }

  const frames = Buffer.from(buffer.take());

  expect(frames).toHaveLength(20_000 * 44);
  expect(frames.readBigUInt64LE(12)).toBe(1n);
});

test("frames that nobody takes are let go at a limit, and the next take says so", () => {
  const buffer = new FrameBuffer(0);
  const json = JSON.stringify({ text: "x".repeat(500_000) });
  for (let bytes = 0; bytes <= TAKE_BYTES_MAX + 2_000_000; bytes += json.length) {
    buffer.appendJson("note", 1, json, false);
    buffer.release(buffer.end);
  }

  expect(() => buffer.take()).toThrow(RangeError);
});

test.each([
  ["a price with a fraction", (buffer: FrameBuffer) => buffer.appendTrade(1, 1, 0.5, 1)],
  ["a price past 32 bits", (buffer: FrameBuffer) => buffer.appendTrade(1, 1, 2 ** 31, 1)],
  ["the number that means no price", (buffer: FrameBuffer) => buffer.appendQuote(1, 1, -(2 ** 31), 1, 1, 1)],
  ["a size that is no number", (buffer: FrameBuffer) => buffer.appendQuote(1, 1, 1, 1, Number.NaN, 1)],
  ["a time with a fraction", (buffer: FrameBuffer) => buffer.appendTrade(1.5, 1, 1, 1)],
  ["a time past 2^53", (buffer: FrameBuffer) => buffer.appendTrade(1, 2 ** 53, 1, 1)],
  [
    "a payload of 1 byte too many",
    (buffer: FrameBuffer) => buffer.appendJson("note", 1, `{${" ".repeat(PAYLOAD_BYTES_MAX)}`, false),
  ],
  ["text that is no object", (buffer: FrameBuffer) => buffer.appendJson("note", 1, "[1]", false)],
])("%s is refused and takes no number", (_name, append) => {
  const buffer = new FrameBuffer(7);

  expect(() => append(buffer)).toThrow();

  expect(buffer.lastSeq).toBe(7);
  expect(buffer.take()).toHaveLength(0);
});

test("the largest payload fits", () => {
  const buffer = new FrameBuffer(0);

  buffer.appendJson("note", 1, `{${" ".repeat(PAYLOAD_BYTES_MAX - 2)}}`, false);

  expect(buffer.take()).toHaveLength(1024 * 1024 + 8);
});

test("whole numbers of ±2^53 come back from eight bytes, as BigInt would write them", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const view = new DataView(new ArrayBuffer(8));

      putInt64(view, 0, value);

      expect(getInt64(view, 0)).toBe(value);
      expect(view.getBigInt64(0, true)).toBe(BigInt(value));
    }),
  );
});

test("a segment header comes back, and not with any bit changed", () => {
  const header = { flags: 1, firstSeq: 2 ** 40 + 5, instance: 36 ** 4 - 1 };
  const bytes = encodeHeader(header);
  expect(decodeHeader(bytes)).toEqual(header);

  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(decodeHeader(changed), `bit ${bit}`).toBe("bad");
  }
});
