// The commands that show what came of it: trades, profit and loss, days, charts.
import { type Reply, view } from "../context.ts";
import { CHART_KINDS, type ChartKind } from "../views/captions.ts";
import { dailyView, type PnlSpan, pnlView, TRADES_MAX, tradesCsv, tradesView } from "../views/results.ts";
import { rich } from "../views/rich.ts";
import { plain, run } from "../views/view.ts";
import type { Command } from "./command.ts";

/** /trades shows so many unless told otherwise. */
const TRADES_DEFAULT = 10;

const report = { kind: "report", isEmergency: false, role: "viewer", group: "Results" } as const;

const refusal = (text: string): Reply => view(plain(rich(text)));

/** Holds them in the order of the help. */
export const RESULTS: readonly Command[] = [
  {
    ...report,
    name: "pnl",
    description: "Profit and loss",
    usage: "/pnl [day|week|month|all]",
    example: "/pnl week",
    does: "Shows gross, fees, net, trades and drawdown of a span; net is always after fees.",
    run: async ({ room, words }) => {
      const span = (words[0] ?? "day").toLowerCase().replace(/^today$/, "day");
      const spans: readonly string[] = ["day", "week", "month", "all"];
      if (!spans.includes(span)) return refusal(`"${span}" is not a span: day, week, month or all.`);
      return view(pnlView(room.desk.snapshot(), room.desk.roundTrips(), span as PnlSpan));
    },
  },
  {
    ...report,
    name: "trades",
    description: "Last closed trades",
    usage: `/trades [1–${TRADES_MAX}|today|csv]`,
    example: "/trades 5",
    does: "Lists closed trades, the newest first, or sends all of them as a CSV file.",
    run: async ({ room, words }) => {
      const snap = room.desk.snapshot();
      const all = room.desk.roundTrips();
      const [first = String(TRADES_DEFAULT), second = "0"] = words;
      if (first.toLowerCase() === "csv") {
        if (all.length === 0) return refusal("There are no closed trades yet, so there is no file to send.");
        return {
          type: "file",
          name: "trades.csv",
          text: tradesCsv(all),
          caption: `${snap.badge} · ${all.length} closed trades`,
        };
      }
      if (first.toLowerCase() === "today") {
        const today = all.filter((trip) => trip.tradeDate === snap.status.today.tradeDate);
        return view(tradesView(snap, today, TRADES_MAX, 0));
      }
      const count = Number(first);
      const page = Number(second);
      if (!Number.isInteger(count) || count < 1 || count > TRADES_MAX || !Number.isInteger(page) || page < 0)
        return refusal(`"${first}" is not a number of trades: 1–${TRADES_MAX}, today or csv.`);
      return view(tradesView(snap, all, count, page));
    },
  },
  {
    ...report,
    name: "daily",
    description: "Daily summary",
    usage: "/daily [YYYY-MM-DD]",
    example: "/daily",
    does: "Shows the summary of a trading day; without a date the running one.",
    run: async ({ room, words }) => {
      const snap = room.desk.snapshot();
      const date = words[0] ?? snap.status.today.tradeDate;
      if (date === "") return refusal("There is no trading day yet: the first one begins with the first market data.");
      if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return refusal(`"${date}" is not a date such as 2026-11-25.`);
      return view(dailyView(snap, room.desk.roundTrips(), date));
    },
  },
  {
    ...report,
    name: "chart",
    description: "Chart picture",
    usage: `/chart [${CHART_KINDS.join("|")}] [dark|light]`,
    example: "/chart today",
    does: "Sends a picture: the day with trades, z, equity, drawdown or the week.",
    run: async ({ room, words }) => {
      const names = words.map((word) => word.toLowerCase());
      const themes: readonly string[] = ["dark", "light"];
      const kinds: readonly string[] = CHART_KINDS;
      const unknown = names.find((name) => !kinds.includes(name) && !themes.includes(name) && name !== "file");
      if (unknown !== undefined) {
        const buttons = CHART_KINDS.map((kind) => run(kind, `/chart ${kind}`));
        return view({
          text: rich(`"${unknown}" is not a chart: ${CHART_KINDS.join(", ")}.`),
          buttons: [buttons.slice(0, 3), buttons.slice(3)],
        });
      }
      const kind = (names.find((name) => kinds.includes(name)) ?? "today") as ChartKind;
      const theme = (names.find((name) => themes.includes(name)) ??
        room.desk.snapshot().settings.telegram.theme ??
        room.theme) as "dark" | "light";
      return { type: "chart", kind, theme, asFile: names.includes("file") };
    },
  },
];
