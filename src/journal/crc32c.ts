// CRC-32C (Castagnoli), the checksum of every journal frame: reflected polynomial 0x82F63B78, start and final xor
// 0xFFFFFFFF (RFC 3720 section 12.1, test vectors in B.4). Eight bytes a step by table ("slicing-by-8").

const POLYNOMIAL = 0x82f63b78;

/** Table k holds the checksum of a byte that k more zero bytes follow; the eight lie behind one another. */
const TABLES = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const shorter = tables[index - 256] as number;
    tables[index] = (shorter >>> 8) ^ (tables[shorter & 0xff] as number);
  }
  return tables;
}

/** Returns the CRC-32C of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const tables = TABLES as { readonly [index: number]: number };
  const data = bytes as { readonly [index: number]: number };
  let crc = -1;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    const mixed =
      crc ^
      ((data[at] as number) |
        ((data[at + 1] as number) << 8) |
        ((data[at + 2] as number) << 16) |
        ((data[at + 3] as number) << 24));
    crc =
      (tables[1792 + (mixed & 0xff)] as number) ^
      (tables[1536 + ((mixed >>> 8) & 0xff)] as number) ^
      (tables[1280 + ((mixed >>> 16) & 0xff)] as number) ^
      (tables[1024 + (mixed >>> 24)] as number) ^
      (tables[768 + (data[at + 4] as number)] as number) ^
      (tables[512 + (data[at + 5] as number)] as number) ^
      (tables[256 + (data[at + 6] as number)] as number) ^
      (tables[data[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (tables[(crc ^ (data[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
