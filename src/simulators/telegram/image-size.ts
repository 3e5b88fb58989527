// Width and height of a picture, from its first bytes: PNG, JPEG, GIF and WebP. It does not decode anything.

/** Is what a picture's header says. */
export type ImageHeader = {
  width: number;
  height: number;
  mime: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
};

/** Returns the header, or undefined when the bytes are none of the four formats or end too early. */
export function readImageHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 10) return undefined;
  const start = bytes.subarray(0, 12).toString("latin1");
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return readPng(bytes);
  if (start.startsWith("GIF8")) return sized(bytes.readUInt16LE(6), bytes.readUInt16LE(8), "image/gif");
  if (start.startsWith("\xff\xd8")) return readJpeg(bytes);
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return readWebp(bytes);
  return undefined;
}

function sized(width: number, height: number, mime: ImageHeader["mime"]): ImageHeader | undefined {
  return width > 0 && height > 0 ? { width, height, mime } : undefined;
}

function readPng(bytes: Buffer): ImageHeader | undefined {
  return bytes.length < 24 ? undefined : sized(bytes.readUInt32BE(16), bytes.readUInt32BE(20), "image/png");
}

/** Walks the segments to the frame header (SOF0…SOF15 without DHT, JPG and DAC). */
function readJpeg(bytes: Buffer): ImageHeader | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return sized(bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5), "image/jpeg");
    }
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

function readWebp(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < 30) return undefined;
  const kind = bytes.subarray(12, 16).toString("latin1");
  if (kind === "VP8X") return sized(bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1, "image/webp");
  if (kind === "VP8 ") {
    return sized(bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff, "image/webp");
  }
  if (kind === "VP8L") {
    const packed = bytes.readUInt32LE(21);
    return sized((packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1, "image/webp");
  }
  return undefined;
}
