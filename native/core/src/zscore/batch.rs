//! z over whole arrays of floats: numerically stable whatever the prices, exact where they lie on a common binary grid, and
//! as fast as the plain loop that is neither.
//!
//! Prices are taken a chunk at a time through three loops: what arrives and leaves, the running sums, z from the sums. Only
//! the second is serial; the compiler does the others two or more prices at once. The sums are of prices counted from an
//! origin near them and begin anew with each block, so that rounding neither grows with the array nor with the offset. In a
//! chunk where it could still reach the tenth digit of z, z is computed once more from moments that are merged, not
//! subtracted.

/// Prices taken at a time: what is known of them stays in the fastest cache.
const CHUNK: usize = 128;
/// Whole numbers up to this, and sums of them, are exact in a float with a bit to spare.
const EXACT_MAX: f64 = 4_503_599_627_370_496.0;
/// Rounding of the sums, for each price that they have seen since they began, that is allowed for as a share of V = n·Q − S²,
/// against n·Q at its largest: ten roundings of 2^-53 each, within 1e-9 of V, half of which is the error of z.
const SPREAD_SHARE: f64 = 1.1e-6;
/// Squares beyond these have lost digits at an end of the floats' range.
const SPREAD_MIN: f64 = 1e-290;
const SQUARES_MAX: f64 = 1e290;

/// Returns z of each price over the window that ends with it; NaN where it is undefined: the window is not full, holds a NaN
/// or an infinity, is constant, or `window ≤ ddof`.
///
/// Linear in the number of prices whatever the window, and stable whatever the prices. On a common binary grid that is not
/// too fine for their range, as prices of a market are, sums are exact and only z itself is rounded; else its error is below
/// 1e-9, and for prices that move on from where they were far below it.
///
/// ```
/// use scalper_core::zscore::zscore;
///
/// let z = zscore(&[4000.25, 4000.0, 4000.25, 4000.0, 4002.0], 5, 1);
/// assert!(z[3].is_nan());
/// assert!((z[4] - 1.769_303_473_9).abs() < 1e-9);
/// ```
pub fn zscore(prices: &[f64], window: usize, ddof: u32) -> Vec<f64> {
    if window <= ddof as usize || window > prices.len() {
        return vec![f64::NAN; prices.len()];
    }
    let mut z = Vec::with_capacity(prices.len());
    z.resize(window - 1, f64::NAN);
    let mut sums = Sums::new(prices, window, ddof);
    let mut rows = Rows::default();
    let mut of_chunk = [0.0; CHUNK];
    let mut doubtful: Vec<(usize, usize)> = Vec::new();
    let block = window.next_multiple_of(CHUNK);
    let mut from = window - 1;
    while from < prices.len() {
        let block_end = (from + block).min(prices.len());
        if !sums.is_exact {
            sums.begin(&prices[from.saturating_sub(window)..from], prices[from]);
        }
        while from < block_end {
            let to = (from + CHUNK).min(block_end);
            let of_chunk = &mut of_chunk[..to - from];
            if !sums.take(prices, from, &mut rows, of_chunk) {
                match doubtful.last_mut() {
                    Some((_, end)) if *end == from => *end = to,
                    Some(_) | None => doubtful.push((from, to)),
                }
            }
            z.extend_from_slice(of_chunk);
            from = to;
        }
    }
    for (from, to) in doubtful {
        by_moments(
            &prices[from + 1 - window..to],
            window,
            ddof,
            &mut z[from..to],
        );
    }
    z
}

/// What one chunk's loops hand on to each other.
struct Rows {
    /// Prices in units of the grid, from the origin.
    units: [f64; CHUNK],
    /// First what each price changes, then the sums with it.
    sums: [f64; CHUNK],
    /// What the rounding of the sums left out; later the spreads with their sign turned.
    rests: [f64; CHUNK],
    /// As `sums`, of the squares.
    squares: [f64; CHUNK],
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            units: [0.0; CHUNK],
            sums: [0.0; CHUNK],
            rests: [0.0; CHUNK],
            squares: [0.0; CHUNK],
        }
    }
}

/// Running sums over the window that ends before the next price.
struct Sums {
    window: usize,
    /// n.
    count: f64,
    /// n / (n − ddof).
    correction: f64,
    /// See [`SPREAD_SHARE`].
    share: f64,
    /// A power of two that makes whole numbers of prices, where they are on a grid.
    scale: f64,
    /// In units.
    origin: f64,
    /// Have all prices since the sums began been whole numbers, and the sums small enough to be exact.
    is_exact: bool,
    sum: f64,
    /// What the rounding of `sum` left out.
    rest: f64,
    squares: f64,
    /// Largest `squares` since the sums began.
    peak: f64,
}

#[expect(clippy::float_arithmetic, reason = "statistics of dimensionless input")]
impl Sums {
    fn new(prices: &[f64], window: usize, ddof: u32) -> Self {
        let count = window as f64;
        Self {
            window,
            count,
            correction: count / (count - f64::from(ddof)),
            share: (window + window.next_multiple_of(CHUNK)) as f64 * SPREAD_SHARE,
            scale: scale_of_grid(prices),
            origin: 0.0,
            is_exact: false,
            sum: 0.0,
            rest: 0.0,
            squares: 0.0,
            peak: 0.0,
        }
    }

    /// Begins anew with the prices of the window before `next`, four at a time.
    fn begin(&mut self, before: &[f64], next: f64) {
        self.origin = next * self.scale;
        let (mut sums, mut squares, mut odd) = ([0.0; 4], [0.0; 4], 0);
        for four in before.chunks(4) {
            for (lane, &price) in four.iter().enumerate() {
                let units = price * self.scale - self.origin;
                odd |= fraction_bits(units);
                sums[lane] += units;
                squares[lane] += units * units;
            }
        }
        self.sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        self.rest = 0.0;
        self.squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
        self.peak = self.squares;
        self.is_exact = odd == 0 && self.count * self.peak <= EXACT_MAX;
    }

    /// Takes the prices from `from` on, as many as `z` has room for, and writes their z; returns whether it can be trusted.
    fn take(&mut self, prices: &[f64], from: usize, rows: &mut Rows, z: &mut [f64]) -> bool {
        if self.is_exact {
            let odd = self.changes::<true>(prices, from, z.len(), rows);
            if self.take_exact(odd, rows, z) {
                return true;
            }
        }
        self.changes::<false>(prices, from, z.len(), rows);
        self.take_rounded(rows, z)
    }

    /// Writes what each price is in units and what it changes in the sums, together with the one that leaves. Where asked,
    /// returns 0 if all are whole numbers.
    #[inline(always)]
    fn changes<const IS_EXACT: bool>(
        &self,
        prices: &[f64],
        from: usize,
        length: usize,
        rows: &mut Rows,
    ) -> u64 {
        let (scale, origin) = (self.scale, self.origin);
        let arriving = &prices[from..from + length];
        let mut odd = 0;
        // Nothing leaves when the very first window becomes full.
        let filling = usize::from(from < self.window);
        if filling == 1 {
            let units = arriving[0] * scale - origin;
            odd |= fraction_bits(units);
            (rows.units[0], rows.sums[0], rows.squares[0]) = (units, units, units * units);
        }
        let leaving = &prices[from + filling - self.window..][..length - filling];
        let prices = arriving[filling..].iter().zip(leaving);
        let changes = rows.sums[filling..]
            .iter_mut()
            .zip(&mut rows.squares[filling..]);
        let rows = rows.units[filling..].iter_mut().zip(changes);
        for ((units, (sum, square)), (&price, &left)) in rows.zip(prices) {
            let arrives = price * scale - origin;
            let leaves = left * scale - origin;
            if IS_EXACT {
                odd |= fraction_bits(arrives);
            }
            *units = arrives;
            *sum = arrives - leaves;
            *square = (arrives - leaves) * (arrives + leaves);
        }
        odd
    }

    /// Without a rounding until z itself. Returns false, and has changed no sum, where a number was not whole or too large.
    fn take_exact(&mut self, odd: u64, rows: &mut Rows, z: &mut [f64]) -> bool {
        let length = z.len();
        let (mut sum, mut squares) = (self.sum, self.squares);
        let changes = rows.sums[..length].iter_mut().zip(&mut rows.squares);
        for (of_sum, of_squares) in changes {
            sum += *of_sum;
            squares += *of_squares;
            *of_sum = sum;
            *of_squares = squares;
        }
        let peak = largest(&rows.squares[..length]);
        self.is_exact = odd == 0 && self.count * peak <= EXACT_MAX;
        if !self.is_exact {
            return false;
        }
        let (count, correction) = (self.count, self.correction);
        let sums = rows.sums.iter().zip(&rows.squares);
        for ((z, &units), (&sum, &squares)) in z.iter_mut().zip(&rows.units).zip(sums) {
            let spread = count * squares - sum * sum;
            // A constant window has 0 / 0.
            *z = (count * units - sum) / (spread * correction).sqrt();
        }
        (self.sum, self.squares, self.peak) = (sum, squares, self.peak.max(peak));
        true
    }

    /// With what rounding leaves out of the sums kept beside them.
    fn take_rounded(&mut self, rows: &mut Rows, z: &mut [f64]) -> bool {
        let length = z.len();
        let (mut sum, mut rest, mut squares) = (self.sum, self.rest, self.squares);
        let changes = rows.sums[..length].iter_mut().zip(&mut rows.squares);
        for ((of_sum, of_squares), of_rest) in changes.zip(&mut rows.rests) {
            let (total, left_out) = exact_sum(sum, *of_sum);
            sum = total;
            rest += left_out;
            squares += *of_squares;
            *of_sum = sum;
            *of_rest = rest;
            *of_squares = squares;
        }
        let (count, correction) = (self.count, self.correction);
        let sums = rows.sums.iter().zip(&rows.squares);
        let all = z.iter_mut().zip(&rows.units).zip(&mut rows.rests);
        for (((z, &units), rest), (&sum, &squares)) in all.zip(sums) {
            let sum = sum + *rest;
            let spread = count * squares - sum * sum;
            *rest = -spread;
            *z = (count * units - sum) / (spread * correction).sqrt();
        }
        let least_spread = -largest(&rows.rests[..length]);
        self.peak = self.peak.max(largest(&rows.squares[..length]));
        (self.sum, self.rest, self.squares) = (sum, rest, squares);
        let allowed = (self.share * count * self.peak).max(SPREAD_MIN);
        // A NaN or an infinity that has come stays in the sums.
        least_spread >= allowed && self.peak <= SQUARES_MAX && (sum + squares).is_finite()
    }
}

/// Returns 0 where a number below 2^51 is whole, else something else.
#[inline(always)]
#[expect(clippy::float_arithmetic, reason = "statistics of dimensionless input")]
fn fraction_bits(value: f64) -> u64 {
    /// 1.5 · 2^52: a sum with it has no digit after the point.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    ((value + WHOLE) - WHOLE - value).to_bits()
}

/// Returns the largest, eight lanes at a time; NaN counts for nothing, and of nothing it is −∞.
fn largest(values: &[f64]) -> f64 {
    let larger = |one: f64, other: f64| if other > one { other } else { one };
    let mut lanes = [f64::NEG_INFINITY; 8];
    let mut eights = values.chunks_exact(8);
    for eight in &mut eights {
        for (lane, &value) in lanes.iter_mut().zip(eight) {
            *lane = larger(*lane, value);
        }
    }
    let rest = eights.remainder().iter().chain(&lanes).copied();
    rest.fold(f64::NEG_INFINITY, larger)
}

/// Returns the power of two that makes whole numbers of some hundred of these prices, taken evenly: whether of all, shows as
/// they come. 1 where the grid is too fine to be of use.
fn scale_of_grid(prices: &[f64]) -> f64 {
    const SAMPLES: usize = 256;
    const GRID_BITS_MAX: i32 = 50;
    const EXPONENT_MAX: i32 = 900;
    let (mut finest, mut largest) = (i32::MAX, i32::MIN);
    let sample = prices.iter().step_by(prices.len().div_ceil(SAMPLES).max(1));
    for &price in sample.filter(|price| price.is_normal()) {
        let zeros = (price.to_bits() | (1 << MANTISSA_BITS)).trailing_zeros();
        let last_digit = zeros.min(MANTISSA_BITS) as i32 - MANTISSA_BITS as i32;
        finest = finest.min(binary_exponent(price) + last_digit);
        largest = largest.max(binary_exponent(price));
    }
    let is_of_use = (-EXPONENT_MAX..=EXPONENT_MAX).contains(&finest)
        && (-EXPONENT_MAX..=EXPONENT_MAX).contains(&largest)
        && largest - finest <= GRID_BITS_MAX;
    if is_of_use {
        power_of_two(-finest)
    } else {
        1.0
    }
}

/// Writes z of the prices from place `window − 1` on. A window is the tail of one block and the head of the next, whose
/// moments are built by adding only (Welford) and merged (Chan, Golub and LeVeque 1979), so a price that has left leaves
/// nothing behind. Means carry twice the precision, so a small noise on a large offset is kept.
fn by_moments(prices: &[f64], window: usize, ddof: u32, z: &mut [f64]) {
    let mut tails = vec![Moments::EMPTY; window];
    let mut head = Moments::EMPTY;
    let mut fit = Fitness::new(window);
    for (at, &price) in prices.iter().enumerate() {
        let in_block = at % window;
        if in_block == 0 {
            fill_tails(&mut tails, &prices[at.saturating_sub(window)..at]);
            head = Moments::EMPTY;
        }
        head.push(price);
        let is_fit = fit.admits(price);
        let Some(place) = (at + 1).checked_sub(window) else {
            continue;
        };
        // The block before gives what follows its element of the same place.
        let tail = if in_block + 1 == window {
            Moments::EMPTY
        } else {
            tails[in_block + 1]
        };
        z[place] = if is_fit {
            tail.merged(head).z(price, ddof)
        } else {
            f64::NAN
        };
    }
}

/// Writes into `tails[i]` the moments of `block[i..]`.
fn fill_tails(tails: &mut [Moments], block: &[f64]) {
    let mut tail = Moments::EMPTY;
    for (slot, &price) in tails.iter_mut().zip(block).rev() {
        tail.push(price);
        *slot = tail;
    }
}

/// Tells, price by price, whether the window that ends there is full, finite and not constant. Exact: it counts runs.
struct Fitness {
    window: usize,
    finite_run: usize,
    equal_run: usize,
    last: f64,
}

impl Fitness {
    fn new(window: usize) -> Self {
        Self {
            window,
            finite_run: 0,
            equal_run: 0,
            last: f64::NAN,
        }
    }

    fn admits(&mut self, price: f64) -> bool {
        self.finite_run = if price.is_finite() {
            self.finite_run + 1
        } else {
            0
        };
        self.equal_run = if price == self.last {
            self.equal_run + 1
        } else {
            1
        };
        self.last = price;
        self.finite_run >= self.window && self.equal_run < self.window
    }
}

/// Count, mean and sum of squared deviations of some prices, in units of 2^scale so that squares neither overflow nor vanish.
#[derive(Debug, Clone, Copy)]
struct Moments {
    count: u64,
    /// A multiple of [`SCALE_STEP`].
    scale: i32,
    mean: f64,
    /// What the rounding of `mean` left out.
    mean_rest: f64,
    squares: f64,
}

/// Scales are this coarse so that a change is rare; 2^256 squared and summed stays far from the limit of 2^1024.
const SCALE_STEP: i32 = 256;
/// Scales end here: 2^768 and its inverse are ordinary floats, and the smallest float times 2^768 may be squared.
const SCALE_LIMIT: i32 = 768;

impl Moments {
    const EMPTY: Self = Self {
        count: 0,
        scale: -SCALE_LIMIT,
        mean: 0.0,
        mean_rest: 0.0,
        squares: 0.0,
    };

    /// Takes a price in; one that is not finite is left out, as its windows are undefined anyway.
    #[expect(clippy::float_arithmetic, reason = "statistics of dimensionless input")]
    fn push(&mut self, price: f64) {
        if !price.is_finite() {
            return;
        }
        let scale = scale_of(price);
        if scale > self.scale {
            *self = self.rescaled(scale);
        }
        let price = price * power_of_two(-self.scale);
        self.count += 1;
        if self.count == 1 {
            self.mean = price;
            self.mean_rest = 0.0;
            return;
        }
        let count = self.count as f64;
        let deviation = self.deviation(price);
        self.squares += deviation * deviation * ((count - 1.0) / count);
        self.shift_mean(deviation / count);
    }

    /// Returns the moments of both sets together.
    #[expect(clippy::float_arithmetic, reason = "statistics of dimensionless input")]
    fn merged(self, other: Self) -> Self {
        if self.count == 0 {
            return other;
        }
        let scale = self.scale.max(other.scale);
        let (mut all, other) = (self.rescaled(scale), other.rescaled(scale));
        let (ours, theirs) = (self.count as f64, other.count as f64);
        let share = theirs / (ours + theirs);
        let apart = all.deviation(other.mean) + other.mean_rest;
        all.count += other.count;
        all.squares += other.squares + apart * apart * ours * share;
        all.shift_mean(apart * share);
        all
    }

    #[expect(clippy::float_arithmetic, reason = "z is dimensionless")]
    fn z(&self, price: f64, ddof: u32) -> f64 {
        let freedom = self.count as f64 - f64::from(ddof);
        self.deviation(price * power_of_two(-self.scale)) / (self.squares / freedom).sqrt()
    }

    /// Returns `value` − mean, rounded once.
    #[expect(clippy::float_arithmetic, reason = "statistics of dimensionless input")]
    fn deviation(&self, value: f64) -> f64 {
        let (difference, rest) = exact_sum(value, -self.mean);
        difference + (rest - self.mean_rest)
    }

    #[expect(clippy::float_arithmetic, reason = "statistics of dimensionless input")]
    fn shift_mean(&mut self, by: f64) {
        let (sum, rest) = exact_sum(self.mean, by);
        (self.mean, self.mean_rest) = exact_sum(sum, rest + self.mean_rest);
    }

    #[expect(clippy::float_arithmetic, reason = "powers of two change no digit")]
    fn rescaled(self, scale: i32) -> Self {
        if scale == self.scale {
            return self;
        }
        let factor = power_of_two(self.scale - scale);
        Self {
            scale,
            mean: self.mean * factor,
            mean_rest: self.mean_rest * factor,
            squares: self.squares * factor * factor,
            ..self
        }
    }
}

/// Returns a + b rounded, and exactly what the rounding left out (Knuth's two-sum).
#[expect(clippy::float_arithmetic, reason = "statistics of dimensionless input")]
fn exact_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// Returns the scale for a finite price: its binary exponent, rounded down to a step.
fn scale_of(price: f64) -> i32 {
    (binary_exponent(price).div_euclid(SCALE_STEP) * SCALE_STEP).max(-SCALE_LIMIT)
}

const EXPONENT_BIAS: i32 = 1023;
const MANTISSA_BITS: u32 = 52;

fn binary_exponent(value: f64) -> i32 {
    const EXPONENT_MASK: u64 = 0x7ff;
    let biased = (value.to_bits() >> MANTISSA_BITS) & EXPONENT_MASK;
    i32::try_from(biased).expect("11 bits") - EXPONENT_BIAS
}

/// Returns 2^exponent, or 0 where that is below the normal floats. `exponent` ≤ 1023.
fn power_of_two(exponent: i32) -> f64 {
    match u64::try_from(exponent + EXPONENT_BIAS) {
        Ok(biased) if biased > 0 => f64::from_bits(biased << MANTISSA_BITS),
        Ok(_) | Err(_) => 0.0,
    }
}

#[cfg(test)]
#[expect(clippy::float_arithmetic, reason = "compares dimensionless figures")]
mod tests {
    use super::*;
    use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_oneof, proptest};

    /// All by moments.
    fn slow(prices: &[f64], window: usize, ddof: u32) -> Vec<f64> {
        let mut z = vec![f64::NAN; prices.len()];
        by_moments(prices, window, ddof, &mut z[window - 1..]);
        z
    }

    /// Steps of a walk with stretches that stand still, jumps, and prices that are none.
    fn steps() -> impl Strategy<Value = Vec<f64>> {
        let step = prop_oneof![
            60 => -6.0..6.0_f64,
            30 => Just(0.0),
            4 => -4e3..4e3_f64,
            1 => -1e12..1e12_f64,
            1 => Just(f64::NAN),
            1 => Just(f64::INFINITY),
        ];
        prop::collection::vec(step, 1..1_200)
    }

    /// A walk from `offset` on a grid; a step that is not finite is a price of its own.
    fn walk(steps: &[f64], offset: f64, grid: f64) -> Vec<f64> {
        let mut price = offset;
        steps
            .iter()
            .map(|&step| {
                if !step.is_finite() {
                    return step;
                }
                price = ((price + step) / grid).round() * grid;
                price
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_fast_way_is_the_slow_way(
            steps in steps(), window in 2_usize..400, ddof in 0_u32..=1,
            offset in prop_oneof![Just(0.0), Just(4_000.0), Just(-1e9), Just(1e15)],
            grid in prop_oneof![Just(0.25), Just(0.01), Just(1.0), Just(1e-7)],
        ) {
            let prices = walk(&steps, offset, grid);
            let window = window.min(prices.len()).max(2);
            if window > prices.len() {
                return Ok(());
            }
            let (fast, slow) = (zscore(&prices, window, ddof), slow(&prices, window, ddof));

            for (at, (fast, slow)) in fast.iter().zip(&slow).enumerate() {
                prop_assert!(
                    (fast.is_nan() && slow.is_nan()) || (fast - slow).abs() <= 1e-9 * slow.abs().max(1.0),
                    "{at}: {fast} and {slow}"
                );
            }
        }
    }

    #[test]
    fn long_series_stay_exact_in_every_regime() {
        // Quiet ticks, decimals, a jump out of the exact range, a NaN, ticks again; windows below and above a chunk.
        let mut prices: Vec<f64> = (0..3_000)
            .map(|at| 4_000.0 + f64::from(at * 7 % 23) / 4.0)
            .collect();
        prices.extend((0..3_000).map(|at| 4_000.0 + f64::from(at * 13 % 101) / 100.0));
        prices.extend((0..2_000).map(|at| 9e12 + f64::from(at * 5 % 17)));
        prices.push(f64::NAN);
        prices.extend((0..4_000).map(|at| 4_100.0 + f64::from(at * 11 % 31) / 4.0));
        for window in [2, 20, 127, 128, 129, 500, 2_000] {
            let (fast, slow) = (zscore(&prices, window, 1), slow(&prices, window, 1));

            for (at, (fast, slow)) in fast.iter().zip(&slow).enumerate() {
                let is_close = (fast - slow).abs() <= 1e-9 * slow.abs().max(1.0);
                assert!(
                    is_close || (fast.is_nan() && slow.is_nan()),
                    "window {window}, {at}: {fast} and {slow}"
                );
            }
        }
    }

    #[test]
    fn the_grid_of_quarter_points_is_found() {
        assert_eq!(scale_of_grid(&[4_000.25, 4_000.5, f64::NAN]), 4.0);
        assert_eq!(scale_of_grid(&[4_000.0, 8_000.0]), 1.0 / 32.0);
        assert_eq!(scale_of_grid(&[]), 1.0);
        assert_eq!(scale_of_grid(&[0.1, 0.3]), 1.0);
        assert_eq!(scale_of_grid(&[f64::INFINITY, 0.0]), 1.0);
    }
}
