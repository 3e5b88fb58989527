// Holds the checksum to published vectors and to the definition itself.
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "../../src/journal/crc32c.ts";

const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
const readCommand = Buffer.from(
  "01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000",
  "hex",
);

test.each([
  ["nothing", new Uint8Array(0), 0x00000000],
  ["32 zeros (RFC 3720 B.4)", new Uint8Array(32), 0x8a9136aa],
  ["32 ones (RFC 3720 B.4)", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 ascending (RFC 3720 B.4)", ascending, 0x46dd794e],
  ["32 descending (RFC 3720 B.4)", ascending.toReversed(), 0x113fdb5c],
  ["an iSCSI read command (RFC 3720 B.4)", readCommand, 0xd9963a56],
  ["the check string 123456789", Buffer.from("123456789"), 0xe3069283],
])("the checksum of %s is the published one", (_name, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test("the checksum of any slice is the one that its definition gives bit by bit", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), fc.nat(20), (bytes, skipFront, skipBack) => {
      const start = Math.min(skipFront, bytes.length);
      const end = Math.max(start, bytes.length - skipBack);

      expect(crc32c(bytes, start, end)).toBe(bitByBit(bytes.subarray(start, end)));
    }),
  );
});

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
