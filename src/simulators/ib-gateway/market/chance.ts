// Seeded chance, the same bytes on every machine: 32-bit integers, and floats only through + − × ÷ and square root, which
// IEEE 754 fixes to the last bit. Math.log, Math.exp and Math.sin are not so fixed.

/** Draws numbers; its state can be saved. */
export type Chance = {
  /** Returns a number in [0, 1), a multiple of 2^-32. */
  uniform(): number;
  /** Returns a waiting time with mean 1. */
  exponential(): number;
  /** Returns a bell-shaped number with mean 0 and variance 1, within ±3.5. */
  bell(): number;
  /** Returns the state, four 32-bit integers. */
  save(): readonly number[];
};

const LN_2 = Math.LN2;
const UNIT = 1 / 4_294_967_296;
const SQRT_3 = 1.7320508075688772;

/** Returns chance from a seed (any whole numbers below 2^32), by xoshiro128** (Blackman and Vigna) filled by splitmix32. */
export function createChance(...seed: readonly number[]): Chance {
  let mix = 0;
  for (const part of seed) mix = (Math.imul(mix ^ part, 0x9e3779b1) + part) | 0;
  const fill = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let word = Math.imul(mix ^ (mix >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
  return restoreChance([fill(), fill(), fill(), fill() | 1]);
}

/** Returns chance as it was saved. */
export function restoreChance(state: readonly number[]): Chance {
  let [a = 1, b = 0, c = 0, d = 0] = state.map((word) => word | 0);

  const uniform = (): number => {
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result * UNIT;
  };

  return {
    uniform,
    exponential: () => -naturalLog(uniform() + UNIT / 2),
    bell: () => (uniform() + uniform() + uniform() + uniform() - 2) * SQRT_3,
    save: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
}

/** Returns ln x for 0 < x ≤ 1, by halving and the series of artanh; good to 1e-12. */
export function naturalLog(x: number): number {
  let halvings = 0;
  let rest = x;
  while (rest < 0.5) {
    rest *= 2;
    halvings += 1;
  }
  const y = (rest - 1) / (rest + 1);
  const s = y * y;
  let series = 0;
  for (let odd = 21; odd >= 1; odd -= 2) series = series * s + 1 / odd;
  return 2 * y * series - halvings * LN_2;
}
