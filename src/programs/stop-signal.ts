// Waits for the signal that ends a program that serves.

/** Resolves at the first SIGINT, SIGTERM or SIGHUP with its name; a second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isTold = false;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        if (isTold) process.exit(130);
        isTold = true;
        resolve(name);
      });
    }
  });
}
