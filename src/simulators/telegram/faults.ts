// Faults set by a test or a drill (/simulate/fault): each meets the next calls of its method, in the order they were set.

/** Is what goes wrong. `drop` runs the call and closes the connection: the client can't know that it was done. */
export type FaultKind =
  | { kind: "status"; code: number; description: string; retryAfterSeconds: number | undefined }
  | { kind: "hang" }
  | { kind: "delay"; delayMs: number }
  | { kind: "drop" }
  | { kind: "html"; code: number };

/** Faults waiting at once; more are refused. */
export const FAULTS_MAX = 1_000;

/** Is a fault for the next `times` calls of `method` (any method for "*"). */
export type Fault = { method: string; times: number; fault: FaultKind };

/** Holds the faults and deals them out. */
export class FaultPlan {
  #faults: Fault[] = [];

  /** Adds a fault; false when too many wait already. */
  add(fault: Fault): boolean {
    if (this.#faults.length >= FAULTS_MAX) return false;
    this.#faults.push(fault);
    return true;
  }

  /** Forgets all faults. */
  clear(): void {
    this.#faults = [];
  }

  /** Returns the faults that still wait. */
  waiting(): readonly Fault[] {
    return this.#faults;
  }

  /** Returns the fault that meets this call, used up by one; undefined when the call goes well. */
  next(method: string): FaultKind | undefined {
    const found = this.#faults.find(
      (fault) => fault.method === "*" || fault.method.toLowerCase() === method.toLowerCase(),
    );
    if (found === undefined) return undefined;
    found.times -= 1;
    if (found.times <= 0) this.#faults = this.#faults.filter((fault) => fault !== found);
    return found.fault;
  }
}
