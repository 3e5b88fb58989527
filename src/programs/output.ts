// What a program that ends leaves behind: files that are whole or not there, and the result on standard output.
import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { causeOf } from "../bar-data/lines.ts";
import { badInput, type ExitError } from "./exit.ts";

/**
 * Prints the result of a program that ends with it. Resolves once it is taken, or where its reader has seen enough; rejects
 * with an ExitError where it can't be written.
 */
export function printResult(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      if ("code" in error && error.code === "EPIPE") resolve();
      else reject(badInput(`The result can't be printed: ${writeCauseOf(error)}.`));
    };
    // It stays: the stream says of each later write that it is gone.
    process.stdout.on("error", failed);
    process.stdout.write(text, (error) => {
      if (error == null) resolve();
      else failed(error);
    });
  });
}

/** Writes a file whole or not at all. Throws an ExitError that names the option. */
export function writeWhole(path: string, text: string, option: string): void {
  // A link stays one, and what it leads to is replaced.
  const target = existsSync(path) ? realpathSync(path) : path;
  const partial = `${target}.partial`;
  try {
    writeFileSync(partial, text);
    renameSync(partial, target);
  } catch (thrown) {
    if (existsSync(partial)) rmSync(partial);
    throw unwritable(path, writeCauseOf(thrown), option);
  }
}

/** Is a path with the option that names it; null = not asked for. */
export type NamedPath = readonly [option: string, path: string | null];

/**
 * Refuses paths that can't be written, or would replace what is no report of ours, before the work is done and not after:
 * what is read, what another option writes, what is no ordinary file.
 */
export function refuseUnwritable(outputs: readonly NamedPath[], inputs: readonly NamedPath[]): void {
  const taken = new Map(inputs.flatMap(([option, path]) => (path === null ? [] : [[placeOf(path), option] as const])));
  const written = new Map<string, string>();
  for (const [option, path] of outputs) {
    if (path === null) continue;
    if (path === "") throw badInput(`${option} has no file name. Give one, or leave it out.`);
    const folder = dirname(resolve(path));
    if (!existsSync(folder))
      throw badInput(
        `${path} can't be written: there is no folder ${folder}. Make it, or give another path with ${option}.`,
      );
    const found = existsSync(path) ? statSync(path) : null;
    if (found?.isDirectory() === true)
      throw badInput(`${path} can't be written: it is a folder. Give a file with ${option}.`);
    if (found?.isFile() === false) throw unwritable(path, "it is no ordinary file", option);
    const input = taken.get(placeOf(path));
    if (input !== undefined) throw unwritable(path, `it is what is read with ${input}`, option);
    const other = written.get(placeOf(path));
    if (other !== undefined) throw badInput(`${other} and ${option} name the same file ${path}. Give each its own.`);
    written.set(placeOf(path), option);
    tryWriting(path, option);
  }
}

/** The same for all names of one file. */
function placeOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

function tryWriting(path: string, option: string): void {
  const partial = `${placeOf(path)}.partial`;
  try {
    writeFileSync(partial, "");
    rmSync(partial);
  } catch (thrown) {
    throw unwritable(path, writeCauseOf(thrown), option);
  }
}

function writeCauseOf(thrown: unknown): string {
  switch ((thrown as { code?: unknown }).code) {
    case "EACCES":
    case "EPERM":
      return "this user may not write there";
    case "EROFS":
      return "nothing can be written on that file system";
    case "ENOSPC":
      return "the disk is full";
    default:
      return causeOf(thrown);
  }
}

function unwritable(path: string, cause: string, option: string): ExitError {
  return badInput(`${path} can't be written: ${cause}. Give another path with ${option}.`);
}
