// Takes a multipart/form-data body (RFC 7578) apart. Tolerant of what real clients write: any order of part headers,
// quoted or bare values, filename*, a preamble. The body is in memory already (its size is limited by the reader).
import { err, ok, type Result } from "../../result.ts";

/** Is a file that came with a request. */
export type UploadedFile = { name: string; contentType: string; bytes: Buffer };

/** Is what a form held; a later field of the same name replaces an earlier one. */
export type Form = { fields: Map<string, string>; files: Map<string, UploadedFile> };

/** More parts than any client sends; a guard against a body made of boundaries. */
export const FORM_PARTS_MAX = 1_000;

const CRLF = Buffer.from("\r\n");
const HEADERS_END = Buffer.from("\r\n\r\n");

/** Returns the form, or in words what is wrong with the body. */
export function parseMultipart(contentType: string, body: Buffer): Result<Form, string> {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) return err("boundary not found");
  const delimiter = Buffer.from(`--${mark}`);

  const form: Form = { fields: new Map(), files: new Map() };
  let at = body.indexOf(delimiter);
  if (at < 0) return err("boundary not found in the body");
  for (let part = 0; ; part += 1) {
    if (part >= FORM_PARTS_MAX) return err("too many parts");
    at += delimiter.length;
    if (body.subarray(at, at + 2).toString("latin1") === "--") return ok(form);
    // Spaces may follow a boundary (RFC 2046, 5.1.1); the part's headers begin after the line's end.
    const lineEnd = body.indexOf(CRLF, at);
    if (lineEnd < 0) return err("a part has no headers");
    const headersEnd = body.indexOf(HEADERS_END, lineEnd);
    if (headersEnd < 0) return err("a part's headers have no end");
    const next = body.indexOf(Buffer.concat([CRLF, delimiter]), headersEnd + 2);
    if (next < 0) return err("the last part has no end");
    const headers = partHeaders(body.subarray(lineEnd + 2, headersEnd + 2).toString("utf8"));
    takePart(form, headers, body.subarray(Math.min(headersEnd + 4, next), next));
    at = next + 2;
  }
}

function partHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

function takePart(form: Form, headers: ReadonlyMap<string, string>, bytes: Buffer): void {
  const disposition = headers.get("content-disposition") ?? "";
  const name = dispositionValue(disposition, "name");
  if (name === undefined) return;
  const fileName = extendedFileName(disposition) ?? dispositionValue(disposition, "filename");
  if (fileName === undefined) form.fields.set(name, bytes.toString("utf8"));
  else
    form.files.set(name, {
      // A path some clients send is only ever a name here.
      name: fileName.split(/[\\/]/).at(-1) ?? "",
      contentType: headers.get("content-type") ?? "application/octet-stream",
      bytes: Buffer.from(bytes),
    });
}

function dispositionValue(disposition: string, key: string): string | undefined {
  const found = new RegExp(`(?:^|[;\\s])${key}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(disposition);
  if (found === null) return undefined;
  // Browsers and undici write a quote in a name as %22, others as \".
  return (found[1]?.replace(/\\(.)/g, "$1") ?? found[2] ?? "").replace(/%22/g, '"');
}

function extendedFileName(disposition: string): string | undefined {
  const found = /filename\*=utf-8''([^;\s]+)/i.exec(disposition);
  if (found?.[1] === undefined) return undefined;
  try {
    return decodeURIComponent(found[1]);
  } catch (cause) {
    if (cause instanceof URIError) return found[1];
    throw cause;
  }
}
