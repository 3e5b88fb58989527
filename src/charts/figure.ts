// What a chart is, as plain data: panes with lines, bars, marks and levels, and the words around them. Nothing here
// knows how it is drawn; figures.ts makes these, draw.ts draws them.

/** Is the palette of a chart. */
export type Theme = "dark" | "light";

/** Says what a thing is, so that the palette can choose its colour; shape, dash or words always tell it apart as well. */
export type Ink =
  | "price"
  | "mean"
  | "band"
  | "z"
  | "level"
  | "stop"
  | "target"
  | "entry"
  | "exit"
  | "blocked"
  | "gain"
  | "loss";

/** Is a point; `y` null breaks the line. `x` is a moment in milliseconds, or an index where the axis has names. */
export type Point = { readonly x: number; readonly y: number | null };

/** Is a line through points. */
export type Line = {
  readonly label: string;
  readonly ink: Ink;
  readonly isDashed: boolean;
  readonly isThin: boolean;
  /** Shades between the line and zero. */
  readonly isFilled: boolean;
  readonly points: readonly Point[];
};

/** Is a set of marks of one shape; `text` is written beside each. */
export type Marks = {
  readonly label: string;
  readonly ink: Ink;
  readonly shape: "up" | "down" | "ring";
  readonly points: readonly { readonly x: number; readonly y: number; readonly text: string }[];
};

/** Is a horizontal line with its words at the right end. */
export type Level = { readonly label: string; readonly ink: Ink; readonly y: number; readonly isDashed: boolean };

/** Is one coordinate system; panes share the x axis. */
export type Pane = {
  /** How the numbers at the axis are printed. */
  readonly unit: "price" | "z" | "usd";
  /** Share of the height. */
  readonly weight: number;
  readonly lines: readonly Line[];
  readonly bars: readonly { readonly label: string; readonly values: readonly number[] }[];
  readonly marks: readonly Marks[];
  readonly levels: readonly Level[];
};

/** Is a whole chart. */
export type Figure = {
  readonly title: string;
  /** Says what the market is, and as of when. */
  readonly subtitle: string;
  readonly theme: Theme;
  /** Moments are shown in this zone; none = the axis has the names. */
  readonly axis:
    | { readonly type: "time"; readonly zone: string }
    | { readonly type: "names"; readonly names: readonly string[] };
  /** The uppermost first; none where there is nothing to draw. */
  readonly panes: readonly Pane[];
  /** What is said in the middle where there is nothing to draw. */
  readonly emptyText: string;
};
