// The colours of both themes. Chosen for the common kinds of colour blindness (Okabe and Ito); colour is never the only
// sign: shapes, dashes and words say the same.
import type { Ink, Theme } from "./figure.ts";

/** Is a theme's set of colours, as CSS. */
export type Palette = {
  readonly paper: string;
  readonly text: string;
  readonly quiet: string;
  readonly grid: string;
  readonly inks: Readonly<Record<Ink, string>>;
};

/** Holds the palettes. */
export const PALETTES: Readonly<Record<Theme, Palette>> = {
  dark: {
    paper: "#10151d",
    text: "#f2f5f9",
    quiet: "#a9b4c2",
    grid: "#26303d",
    inks: {
      price: "#e8edf4",
      mean: "#56b4e9",
      band: "#7fa3c4",
      z: "#56b4e9",
      level: "#8a97a8",
      stop: "#ff7a52",
      target: "#2fd0a0",
      entry: "#f0e442",
      exit: "#ff9ed2",
      blocked: "#e69f00",
      gain: "#2fd0a0",
      loss: "#ff7a52",
    },
  },
  light: {
    paper: "#ffffff",
    text: "#15202b",
    quiet: "#4d5b6b",
    grid: "#dde3ea",
    inks: {
      price: "#15202b",
      mean: "#0072b2",
      band: "#5b8db3",
      z: "#0072b2",
      level: "#5f6d7d",
      stop: "#c43c00",
      target: "#00795a",
      entry: "#8a6d00",
      exit: "#a8246f",
      blocked: "#b86e00",
      gain: "#00795a",
      loss: "#c43c00",
    },
  },
};
