// The commands that show what is true now.
import { view } from "../context.ts";
import { healthView, versionView } from "../views/about.ts";
import { contractView, ordersView, positionsView, riskView, statusView, whyView, zscoreView } from "../views/status.ts";
import type { Command } from "./command.ts";

/** /zscore shows the last so many values. */
const RECENT_BARS = 10;

const report = { kind: "report", isEmergency: false, role: "viewer", group: "Look" } as const;

/** Holds them in the order of the help. */
export const LOOK: readonly Command[] = [
  {
    ...report,
    name: "status",
    isEmergency: true,
    description: "State, position, P&L and links",
    usage: "/status",
    example: "/status",
    does: "Shows posture, position, z, the day's result and the links, with the time of the figures.",
    run: async ({ room }) => view(statusView(room.desk.snapshot())),
  },
  {
    ...report,
    name: "positions",
    description: "Open position in detail",
    usage: "/positions",
    example: "/positions",
    does: "Shows the open position with its stop, target and time left.",
    run: async ({ room }) => view(positionsView(room.desk.snapshot())),
  },
  {
    ...report,
    name: "orders",
    description: "Working orders",
    usage: "/orders",
    example: "/orders",
    does: "Lists the working orders; those that are not ours are marked.",
    run: async ({ room }) => view(ordersView(room.desk.snapshot())),
  },
  {
    ...report,
    name: "zscore",
    description: "Z-Score now",
    usage: "/zscore",
    example: "/zscore",
    does: "Shows z, the price, mean and deviation it is made of, and the distance to an entry.",
    run: async ({ room }) => {
      const snap = room.desk.snapshot();
      const barMs = Math.max(snap.settings.strategy.samplingMs, 1_000);
      const recent = room.desk.series(snap.nowMs - 100 * barMs).slice(-RECENT_BARS);
      return view(zscoreView(snap, recent));
    },
  },
  {
    ...report,
    name: "why",
    description: "Why no trade (or why this trade)",
    usage: "/why",
    example: "/why",
    does: "Lists every gate with its value; the first one that is shut is bold.",
    run: async ({ room }) => view(whyView(room.desk.snapshot())),
  },
  {
    ...report,
    name: "risk",
    description: "Limits and what is used",
    usage: "/risk",
    example: "/risk",
    does: "Shows each limit with what is used and left.",
    run: async ({ room }) => view(riskView(room.desk.snapshot())),
  },
  {
    ...report,
    name: "contract",
    description: "Contract, expiry and roll",
    usage: "/contract",
    example: "/contract",
    does: "Shows the listing that is traded, its dates, tick and hours.",
    run: async ({ room }) => view(contractView(room.desk.snapshot())),
  },
  {
    ...report,
    name: "health",
    description: "Links, clocks, lag",
    usage: "/health",
    example: "/health",
    does: "Shows the links, the journal, queues and clocks.",
    run: async ({ room }) => view(healthView(room.desk.snapshot(), room.health())),
  },
  {
    ...report,
    name: "version",
    description: "Version and build",
    usage: "/version",
    example: "/version",
    does: "Shows the versions of program, engine and settings.",
    run: async ({ room }) => view(versionView(room.desk.snapshot())),
  },
];
