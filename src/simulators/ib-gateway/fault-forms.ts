// What the page says of each fault and asks for: a title, an explanation, its fields with a value to begin with.
import type { Fault } from "./faults.ts";
import { MESSAGE_KINDS, type MessageKind, wayOf } from "./wire/kinds.ts";

/** Is one field of a fault on the page; one whose value is null may be left empty. */
export type FaultField = {
  readonly name: string;
  readonly label: string;
} & ( // A value of null may be left empty.
  | { readonly kind: "number"; readonly value: number | null }
  | { readonly kind: "text"; readonly value: string | null }
  | { readonly kind: "choice"; readonly value: string; readonly choices: readonly string[] }
);

/** Is a fault on the page. */
export type FaultForm = {
  readonly group: FaultGroup;
  readonly title: string;
  readonly says: string;
  readonly fields: readonly FaultField[];
};

type FaultGroup = "Connection" | "Bytes" | "Messages" | "Broker" | "Orders" | "Market";

const number = (name: string, label: string, value: number | null): FaultField => ({
  name,
  label,
  kind: "number",
  value,
});
const text = (name: string, label: string, value: string | null): FaultField => ({ name, label, kind: "text", value });
const choice = (name: string, label: string, choices: readonly string[], value: string): FaultField => ({
  name,
  label,
  kind: "choice",
  choices,
  value,
});
const forMs = (value: number): FaultField => number("forMs", "for, ms", value);
const kind = (value: MessageKind): FaultField => choice("message", "kind", MESSAGE_KINDS, value);
const count = number("count", "how many", 1);

/** Is every fault that the control knows. */
export const FAULT_FORMS: Readonly<Record<Fault["fault"], FaultForm>> = {
  drop_connection: {
    group: "Connection",
    title: "Drop the connection",
    says: "The line is reset, as when a router dies.",
    fields: [number("clientId", "client id, empty for all", null)],
  },
  refuse_connections: {
    group: "Connection",
    title: "Refuse connections",
    says: "The port is closed for a while; who is connected stays.",
    fields: [forMs(10_000)],
  },
  no_handshake: {
    group: "Connection",
    title: "Never answer the handshake",
    says: "New connections are accepted and hear nothing.",
    fields: [forMs(30_000)],
  },
  client_id_in_use: {
    group: "Connection",
    title: "Client id in use",
    says: "The next connections are told error 326 and closed.",
    fields: [count],
  },
  restart: {
    group: "Connection",
    title: "Restart of the gateway",
    says: "All are disconnected and refused; order ids may come back lower.",
    fields: [forMs(30_000), number("idsBack", "order ids lower by", 0)],
  },
  silence: {
    group: "Bytes",
    title: "Silence",
    says: "Bytes are lost, the socket stays open: a half-dead line.",
    fields: [
      choice("direction", "which way", ["both", "in", "out"], "both"),
      choice("reach", "of whom", ["connected", "everybody"], "connected"),
      forMs(20_000),
    ],
  },
  delay: {
    group: "Bytes",
    title: "Delay",
    says: "Everything is late, both ways.",
    fields: [number("delayMs", "by, ms", 2_000), forMs(30_000)],
  },
  split_stream: {
    group: "Bytes",
    title: "Small pieces",
    says: "Bytes come in pieces of that size; no client should notice.",
    fields: [number("bytes", "bytes", 1), forMs(10_000)],
  },
  glue_stream: {
    group: "Bytes",
    title: "Lumps",
    says: "Bytes are gathered and come in one lump each so often.",
    fields: [number("everyMs", "every, ms", 2_000), forMs(20_000)],
  },
  truncated_frame: {
    group: "Bytes",
    title: "Truncated frame",
    says: "Everybody gets half a frame, then the end.",
    fields: [],
  },
  bad_length: {
    group: "Bytes",
    title: "Impossible length",
    says: "A frame that claims a length which no message has.",
    fields: [number("length", "bytes", 2_147_483_647)],
  },
  drop_message: {
    group: "Messages",
    title: "Lose a message",
    says: "The next of that kind never arrives.",
    fields: [kind("orderStatus"), count],
  },
  repeat_message: {
    group: "Messages",
    title: "Repeat a message",
    says: "The next of that kind comes twice.",
    fields: [kind("orderStatus"), count],
  },
  hold_message: {
    group: "Messages",
    title: "Hold a message back",
    says: "The next of that kind comes late; others overtake it.",
    fields: [kind("openOrder"), count, forMs(3_000)],
  },
  swap_message: {
    group: "Messages",
    title: "Swap a message",
    says: "The next of that kind comes after the one behind it.",
    fields: [kind("openOrder"), count],
  },
  cut_message: {
    group: "Messages",
    title: "Cut a message",
    says: "Half of the next of that kind, then the end of the line.",
    fields: [
      choice(
        "message",
        "kind",
        MESSAGE_KINDS.filter((each) => wayOf(each) === "out"),
        "orderStatus",
      ),
    ],
  },
  link_lost: {
    group: "Broker",
    title: "Broker's link lost",
    says: "1100, silence, then 1102 or 1101. What the exchange does meanwhile is told to nobody.",
    fields: [forMs(40_000), choice("restored", "comes back", ["data_kept", "data_lost", "never"], "data_kept")],
  },
  farm_broken: {
    group: "Broker",
    title: "Market data farm broken",
    says: "2103, no ticks, then 2104.",
    fields: [forMs(20_000)],
  },
  wrong_account: {
    group: "Broker",
    title: "Another account",
    says: "The account has this name from now on.",
    fields: [text("account", "name", "U7654321")],
  },
  clock_skew: {
    group: "Broker",
    title: "Wrong clock",
    says: "The gateway's own time is so far ahead from now on; 0 mends it.",
    fields: [number("skewMs", "ahead by, ms", 90_000)],
  },
  broker_error: {
    group: "Broker",
    title: "Any error message",
    says: "Message 4 to everybody, with this id, code and text.",
    fields: [number("id", "id", -1), number("code", "code", 2_110), text("text", "text", "Connectivity is broken.")],
  },
  swallow_order: {
    group: "Orders",
    title: "Swallow orders",
    says: "The next orders vanish without an answer.",
    fields: [count],
  },
  reject_next_order: {
    group: "Orders",
    title: "Reject orders",
    says: "The next orders of that leg are refused.",
    fields: [
      choice("leg", "leg", ["any", "entry", "stop", "limit"], "any"),
      number("code", "code", 201),
      text("text", "text", "Order rejected - reason:by the page"),
      count,
    ],
  },
  warn_next_order: {
    group: "Orders",
    title: "Warn about orders",
    says: "Warning 399 on orders that work all the same.",
    fields: [count],
  },
  drop_execution: {
    group: "Orders",
    title: "Lose executions",
    says: "Filled by status; the execution is not told. A request finds it.",
    fields: [count],
  },
  repeat_execution: {
    group: "Orders",
    title: "Repeat executions",
    says: "The next executions are told twice.",
    fields: [count],
  },
  fill_before_ack: {
    group: "Orders",
    title: "Fill before the answer",
    says: "The execution comes before the order's first answer.",
    fields: [count],
  },
  part_fill: {
    group: "Orders",
    title: "Fill in two parts",
    says: "The next larger fill is told in two: so many contracts at once, the rest later.",
    fields: [number("contracts", "contracts at once", 1), forMs(3_000)],
  },
  correct_execution: {
    group: "Orders",
    title: "Correct an execution",
    says: "The latest execution again under its next number, at another price or size.",
    fields: [number("ticks", "ticks", 4), number("contracts", "contracts more", 0)],
  },
  position_shift: {
    group: "Orders",
    title: "Shift the position",
    says: "Contracts that no order explains, as after a trade elsewhere.",
    fields: [number("contracts", "contracts", 1)],
  },
  order_by_hand: {
    group: "Orders",
    title: "Order by hand",
    says: "An order that no client placed, as from the broker's own program.",
    fields: [
      choice("action", "side", ["BUY", "SELL"], "BUY"),
      number("quantity", "contracts", 1),
      text("limitPrice", "limit: a price, last-8, or empty for market", null),
    ],
  },
  price_jump: {
    group: "Market",
    title: "Price jump",
    says: "The market is so much higher from its next record on.",
    fields: [number("ticks", "ticks", -40)],
  },
  stale_data: {
    group: "Market",
    title: "Stale data",
    says: "No ticks for a while; the market goes on.",
    fields: [forMs(20_000)],
  },
  bad_tick: {
    group: "Market",
    title: "Bad trade print",
    says: "One trade that never was: NaN, -1, 9999, last+800 …",
    fields: [text("price", "price", "last+800"), text("size", "size", "1")],
  },
  bad_quote: {
    group: "Market",
    title: "Bad quote",
    says: "One quote that never was: crossed, zero, absent.",
    fields: [
      text("bid", "bid", "last+4"),
      text("ask", "ask", "last-4"),
      text("bidSize", "bid size", "1"),
      text("askSize", "ask size", "1"),
    ],
  },
};
