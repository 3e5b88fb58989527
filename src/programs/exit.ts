// How programs end. The codes are part of the command line's contract.

/** Ended in order. */
export const DONE = 0;
/** The person's to mend: arguments, configuration, environment, data file, busy port, newer journal. */
export const BAD_INPUT = 2;
/** Our fault. */
export const FAULT = 70;
/** Another process has the data directory. */
export const LOCKED = 75;

/** Ends a program with a message for the person, without a stack trace. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Returns the error for something that the person must mend. */
export const badInput = (message: string): ExitError => new ExitError(BAD_INPUT, message);
