import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createFrameReader,
  createFrameWriter,
  message,
  OPENING_BYTES_MAX,
  REQUEST_BYTES_MAX,
  splitFields,
} from "../../../src/simulators/ib-gateway/wire/frames.ts";

const PREFIX = Buffer.from("API\0", "latin1");

function frame(text: string): Buffer {
  const body = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

const fields = fc.array(
  fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => text.replaceAll("\0", "")),
  { minLength: 1, maxLength: 6 },
);

test("whatever the pieces, the same frames come out in order", () => {
  fc.assert(
    fc.property(
      fc.array(fields, { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (messages, cuts) => {
        const texts = messages.map((one) => message(...one));
        const stream = Buffer.concat([PREFIX, ...texts.map(frame)]);
        const reader = createFrameReader();
        const read: string[] = [];

        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const length = cuts[turn % cuts.length] ?? 1;
          const got = reader.push(stream.subarray(at, at + length));
          if (got.ok) read.push(...got.value);
          at += length;
        }

        expect(read).toEqual(texts);
      },
    ),
  );
});

test("fields survive being written and split", () => {
  fc.assert(
    fc.property(fields, (one) => {
      expect(splitFields(message(...one))).toEqual(one.at(-1) === "" && one.length === 1 ? [""] : one);
    }),
  );
});

test("a writer's pieces, read together, are the frames that were written", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 4_000 }), { minLength: 1, maxLength: 60 }),
      (texts) => {
        const pieces: Buffer[] = [];
        const writer = createFrameWriter((piece) => pieces.push(piece));
        for (const text of texts) writer.write(text);
        writer.flush();

        expect(Buffer.concat(pieces)).toEqual(Buffer.concat(texts.map(frame)));
      },
    ),
    { numRuns: 30 },
  );
});

test("a message longer than a piece is written whole", () => {
  const pieces: Buffer[] = [];
  const writer = createFrameWriter((piece) => pieces.push(piece));
  const long = "7".repeat(200_000);
  writer.write("before");
  writer.write(long);
  writer.write("after");
  writer.flush();

  expect(Buffer.concat(pieces)).toEqual(Buffer.concat([frame("before"), frame(long), frame("after")]));
});

test.each([
  ["a web request", "GET / HTTP/1.1\r\n"],
  ["a wrong first byte", "X"],
  ["a wrong fourth byte", "API1"],
])("%s is not the protocol", (_what, text) => {
  expect(createFrameReader().push(Buffer.from(text))).toMatchObject({ ok: false, error: { type: "not_the_protocol" } });
});

test.each([
  ["0 in the opening", 0, 0],
  ["one more than the opening may have", 0, OPENING_BYTES_MAX + 1],
  ["a negative number", 1, -4],
  ["the largest number", 1, 2 ** 31 - 1],
  ["0 in a request", 1, 0],
  ["one more than a request may have", 1, REQUEST_BYTES_MAX + 1],
])("a length of %s ends the reading", (_what, framesBefore, lengthBytes) => {
  const reader = createFrameReader();
  reader.push(PREFIX);
  if (framesBefore === 1) reader.push(frame("v157..178"));
  const length = Buffer.alloc(4);
  length.writeInt32BE(lengthBytes);

  expect(reader.push(length)).toMatchObject({ ok: false, error: { type: "bad_length" } });
});

test("a request of exactly the limit is read", () => {
  const reader = createFrameReader();
  reader.push(Buffer.concat([PREFIX, frame("v157")]));
  const text = "9".repeat(REQUEST_BYTES_MAX);

  expect(reader.push(frame(text))).toEqual({ ok: true, value: [text] });
});

test("any bytes give frames or one refusal, the same whatever the pieces", () => {
  const piece = fc.oneof(
    fields.map((one) => frame(message(...one))),
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      (pieces, isOpened, cut) => {
        const stream = Buffer.concat([...(isOpened ? [PREFIX] : []), ...pieces]);
        const read = (step: number): [texts: string[], problem: string] => {
          const reader = createFrameReader();
          const texts: string[] = [];
          for (let at = 0; at < stream.length; at += step) {
            const got = reader.push(stream.subarray(at, at + step));
            if (!got.ok) return [texts, got.error.type];
            texts.push(...got.value);
          }
          return [texts, ""];
        };
        const [whole, wholeProblem] = read(Math.max(1, stream.length));
        const [cutUp, problem] = read(cut);

        expect(problem).toBe(wholeProblem);
        // Read at once, the frames before a wrong one are lost with it: the connection ends either way.
        expect(cutUp.slice(0, whole.length)).toEqual(whole);
      },
    ),
    { numRuns: 500 },
  );
});
