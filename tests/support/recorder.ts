// Keeps what a gateway tells and lets a test wait for it.
import type { GatewayEvent } from "../../src/trading/gateway.ts";

/** Is a listener with a memory. */
export type Recorder = {
  readonly events: readonly GatewayEvent[];
  readonly take: (event: GatewayEvent) => void;
  /** Resolves with the first event, past or future, that `wanted` accepts. */
  event(wanted: (event: GatewayEvent) => boolean): Promise<GatewayEvent>;
  /** Resolves when the link has come to `link` in connection `epoch`. */
  link(link: string, epoch: number): Promise<GatewayEvent>;
};

/** Returns an empty recorder. */
export function createRecorder(): Recorder {
  const events: GatewayEvent[] = [];
  const watchers = new Set<() => void>();
  const event: Recorder["event"] = (wanted) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = events.find(wanted);
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    });
  return {
    events,
    take: (told) => {
      events.push(told);
      for (const watcher of [...watchers]) watcher();
    },
    event,
    link: (link, epoch) => event((told) => told.type === "link_changed" && told.link === link && told.epoch === epoch),
  };
}
