// Makes the data directory ready before anything is written there, or says what is wrong with it.
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { prepareDirectory } from "../journal/disk.ts";
import { errorCode } from "../journal/files.ts";
import { printJournalProblem } from "../journal/journal.ts";
import { badInput } from "./exit.ts";

/** Creates the directory where it is missing, for this user alone; throws an ExitError where it can't be used or is not safe. */
export function readyDataDir(dataDir: string): void {
  makeParents(dirname(dataDir), dataDir);
  const problem = prepareDirectory(dataDir, []);
  if (problem?.type === "unsafe_directory") throw badInput(printJournalProblem(problem));
  if (problem !== undefined) throw unusable(dataDir, "code" in problem ? problem.code : problem.type);
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    throw unusable(dataDir, errorCode(thrown));
  }
}

/** One at a time: Node's recursive mkdir never returns where a file system refuses with ENOENT, as /proc does. */
function makeParents(directory: string, dataDir: string): void {
  try {
    const stats = statSync(directory, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) return;
    if (stats !== undefined) throw unusable(dataDir, `${directory} is a file`);
    makeParents(dirname(directory), dataDir);
    mkdirSync(directory, { mode: 0o700 });
  } catch (thrown) {
    if (errorCode(thrown) === "unknown") throw thrown;
    throw unusable(dataDir, errorCode(thrown));
  }
}

function unusable(dataDir: string, why: string): Error {
  return badInput(
    `The data directory ${dataDir} can't be made or written (${why}). Set DATA_DIR (or storage.dir) to a folder of the user who runs the bot.`,
  );
}
