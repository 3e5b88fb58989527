// What is read from bytes: multipart forms as clients write them, and the heads of pictures.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readImageHeader } from "../../../src/simulators/telegram/image-size.ts";
import { parseMultipart } from "../../../src/simulators/telegram/multipart.ts";
import { pngOf } from "./support.ts";

const form = (...parts: string[]): Buffer =>
  Buffer.from(`${parts.map((part) => `--B\r\n${part}\r\n`).join("")}--B--\r\n`);
const TYPE = "multipart/form-data; boundary=B";

test.each([
  ["quoted names", 'Content-Disposition: form-data; name="a"\r\n\r\n1', { a: "1" }],
  [
    "bare names and other headers first",
    "Content-Length: 1\r\ncontent-disposition: form-data; name=a\r\n\r\n1",
    { a: "1" },
  ],
  ["an empty value", 'Content-Disposition: form-data; name="a"\r\n\r\n', { a: "" }],
  [
    "line ends and dashes inside a value",
    'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n--C\r\n',
    { a: "x\r\n--C\r\n" },
  ],
  ["a part without a name", "Content-Type: text/plain\r\n\r\n1", {}],
])("a form with %s is read", (_what, part, fields) => {
  const parsed = parseMultipart(TYPE, form(part));

  expect(parsed.ok && Object.fromEntries(parsed.value.fields)).toEqual(fields);
});

test.each([
  ['filename="a b.csv"', "a b.csv"],
  ["filename=a.csv", "a.csv"],
  ["filename=\"x.csv\"; filename*=utf-8''%C3%BC.csv", "ü.csv"],
  ['filename="%22q%22.csv"', '"q".csv'],
  ['filename="../../etc/passwd"', "passwd"],
  ['filename="C:\\\\temp\\\\a.csv"', "a.csv"],
  ["filename*=utf-8''%ZZ", "%ZZ"],
])("a file's name is read from %s", (disposition, name) => {
  const parsed = parseMultipart(TYPE, form(`Content-Disposition: form-data; name="f"; ${disposition}\r\n\r\nbytes`));

  expect(parsed.ok && parsed.value.files.get("f")).toMatchObject({ name, bytes: Buffer.from("bytes") });
});

test.each([
  ["multipart/form-data", "x", "boundary not found"],
  [TYPE, "x", "boundary not found in the body"],
  [TYPE, "--B\r\nContent-Disposition: form-data; name=a", "a part's headers have no end"],
  [TYPE, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "the last part has no end"],
])("a broken form (%s, %j) is refused with the reason", (type, body, reason) => {
  expect(parseMultipart(type, Buffer.from(body))).toEqual({ ok: false, error: reason });
});

test("any bytes come out of a form as they went in", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const head = Buffer.from('--QxQ\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n');
      const parsed = parseMultipart(
        "multipart/form-data; boundary=QxQ",
        Buffer.concat([head, bytes, Buffer.from("\r\n--QxQ--")]),
      );

      expect(parsed.ok && parsed.value.files.get("f")?.bytes.equals(bytes)).toBe(true);
    }),
  );
});

test("no bytes at all make the parser fail or run on", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("--B", "\r\n", "\r\n\r\n", "--", "a", "Content-Disposition: form-data; name=a")),
      (parts) => {
        expect(() => parseMultipart(TYPE, Buffer.from(parts.join("")))).not.toThrow();
      },
    ),
  );
});

const bytesOf = (hex: string, length = 40): Buffer =>
  Buffer.concat([Buffer.from(hex.replace(/ /g, ""), "hex"), Buffer.alloc(length)]);

test.each([
  ["PNG", pngOf(640, 480), "image/png"],
  ["GIF", bytesOf("474946383961 8002 e001"), "image/gif"],
  [
    "JPEG with a thumbnail segment before its frame",
    bytesOf("ffd8 ffe0 0004 0000 ffc4 0003 00 ffc2 0011 08 01e0 0280"),
    "image/jpeg",
  ],
  ["WebP, extended", bytesOf("52494646 00000000 57454250 56503858 0a000000 00000000 7f0200 df0100"), "image/webp"],
  ["WebP, lossy", bytesOf("52494646 00000000 57454250 56503820 00000000 000000 9d012a 8002 e001"), "image/webp"],
  ["WebP, lossless", bytesOf("52494646 00000000 57454250 5650384c 00000000 2f 7fc27700"), "image/webp"],
])("the head of a %s tells its size", (_what, bytes, mime) => {
  expect(readImageHeader(bytes)).toEqual({ width: 640, height: 480, mime });
});

test("other bytes, however few, are no picture", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(readImageHeader(Buffer.from(bytes))?.width ?? 1).toBeGreaterThan(0);
    }),
  );
  expect(readImageHeader(Buffer.from("<svg></svg>    "))).toBeUndefined();
});
