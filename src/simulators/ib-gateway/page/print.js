// Prints values: prices out of ticks, dollars out of cents, times in the exchange's zone.

/** Returns a printer of prices for a tick size: as many decimals as the grid has. */
export function pricePrinter(tickSize) {
  const decimals = String(tickSize).split(".")[1]?.length ?? 0;
  return (ticks) => (ticks === null || ticks === undefined ? "–" : (ticks * tickSize).toFixed(decimals));
}

const USD = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Returns cents as dollars with a sign in front, a real minus for a loss. */
export function dollars(cents) {
  return `${cents < 0 ? "−" : ""}$${USD.format(Math.abs(cents) / 100)}`;
}

/** Returns cents as a gain or loss: with a plus too. */
export function gain(cents) {
  return cents > 0 ? `+${dollars(cents)}` : dollars(cents);
}

const WHOLE = new Intl.NumberFormat("en-US");

/** Returns a count with its thousands apart. */
export function count(value) {
  return WHOLE.format(value);
}

const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** Returns a count short enough for a narrow column. */
export function shortCount(value) {
  return value < 100_000 ? WHOLE.format(value) : COMPACT.format(value);
}

/** Returns bytes in the unit that reads best. */
export function bytes(value) {
  if (value < 1_024) return `${value} B`;
  return value < 1_048_576 ? `${Math.round(value / 1_024)} KiB` : `${(value / 1_048_576).toFixed(1)} MiB`;
}

/** Returns a signed number with a real minus. */
export function signed(value) {
  return value < 0 ? `−${-value}` : value > 0 ? `+${value}` : "0";
}

/** Returns a printer of times of day in a zone. */
export function timePrinter(zone) {
  const withSeconds = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const short = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  return {
    time: (atMs) => withSeconds.format(new Date(atMs)),
    short: (atMs) => short.format(new Date(atMs)),
    day: (atMs) => day.format(new Date(atMs)),
  };
}

/** Returns an element with text and class; children may be texts or elements. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}
