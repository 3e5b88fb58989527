//! The stationary bootstrap: series made of blocks of the observed one, so that what follows what is kept. Seeded: the same
//! seed and series give the same answer, bit for bit.
#![expect(
    clippy::float_arithmetic,
    reason = "probabilities and resampled ratios have no unit"
)]

use super::count;

/// Resamples of a series of ordinary length.
pub const RESAMPLES_MAX: u32 = 2_000;
/// Resamples of a very long one, whose intervals are narrow anyhow.
const RESAMPLES_MIN: u32 = 200;
/// Picks in all that one study may take: some tenths of a second.
const PICKS_MAX: usize = 20_000_000;
/// A block is at least so long on average.
pub const BLOCK_MEAN_MIN: u32 = 1;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a whole number below `limit` by the high half of the product (Lemire 2019), whose bias is limit / 2^64.
    fn below(&mut self, limit: usize) -> usize {
        let product = u128::from(self.next()) * limit as u128;
        usize::try_from(product >> 64).expect("below the limit")
    }

    /// Returns a number in [0, 1) of 53 bits.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Returns the mean length of a block: the cube root of the series' length, rounded up, which is the order that minimises the
/// error of a variance (Politis and White, "Automatic Block-Length Selection for the Dependent Bootstrap", 2004).
pub(super) fn block_mean(length: usize) -> u32 {
    let mut block = BLOCK_MEAN_MIN;
    while (block as usize).pow(3) < length {
        block += 1;
    }
    block
}

/// Returns how many resamples a series of this length gets.
pub(super) fn resamples(length: usize, wanted: u32) -> u32 {
    let affordable = count(PICKS_MAX / length.max(1)).max(RESAMPLES_MIN);
    wanted.min(affordable)
}

/// Draws `resamples` series as long as `values` by the stationary bootstrap (Politis and Romano, Journal of the American
/// Statistical Association 89, 1994): at each place, with the chance 1 / `block_mean`, a new block begins anywhere; else the
/// value after the last one follows, the first after the last. Calls `each` with every one of them.
pub(super) fn stationary_bootstrap<T: Copy>(
    values: &[T],
    block_mean: u32,
    resamples: u32,
    seed: u64,
    mut each: impl FnMut(&[T]),
) {
    let mut random = SplitMix(seed);
    let begins = 1.0 / f64::from(block_mean);
    let mut sample = Vec::with_capacity(values.len());
    for _ in 0..resamples {
        sample.clear();
        let mut at = random.below(values.len());
        sample.push(values[at]);
        while sample.len() < values.len() {
            at = if random.unit() < begins {
                random.below(values.len())
            } else if at + 1 == values.len() {
                0
            } else {
                at + 1
            };
            sample.push(values[at]);
        }
        each(&sample);
    }
}

/// Returns the quantile of values in order, linear between neighbours (numpy's default, R's type 7).
pub(super) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let place = f64::from(count(sorted.len() - 1)) * probability;
    let below = place.floor();
    // The floor of a place within the series is a place within the series.
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    low + (high - low) * (place - below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_its_published_numbers() {
        let mut random = SplitMix(1_234_567);

        // From the test vector of the reference implementation (Vigna, splitmix64.c).
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        assert_eq!(random.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn a_block_is_the_cube_root_long() {
        for (length, wanted) in [(1, 1), (8, 2), (9, 3), (27, 3), (1_000, 10), (1_001, 11)] {
            assert_eq!(block_mean(length), wanted, "{length}");
        }
    }

    #[test]
    fn long_series_get_fewer_resamples() {
        assert_eq!(resamples(100, 2_000), 2_000);
        assert_eq!(resamples(10_001, 2_000), 1_999);
        assert_eq!(resamples(1_000_000, 2_000), RESAMPLES_MIN);
    }

    #[test]
    fn blocks_keep_neighbours_together_and_wrap_round() {
        let values: Vec<usize> = (0..50).collect();
        let (mut follows, mut wraps, mut pairs) = (0, 0, 0);

        stationary_bootstrap(&values, 10, 200, 7, |sample| {
            assert_eq!(sample.len(), values.len());
            for pair in sample.windows(2) {
                pairs += 1;
                follows += usize::from(pair[1] == (pair[0] + 1) % 50);
                wraps += usize::from(pair == [49, 0]);
            }
        });

        // Nine of ten follow, and of the tenth one in fifty does by chance.
        let share = f64::from(count(follows)) / f64::from(count(pairs));
        assert!((share - (0.9 + 0.1 / 50.0)).abs() < 0.01, "{share}");
        assert!(wraps > 0);
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        for (probability, wanted) in [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (0.1, 1.3)] {
            let found = quantile(&[1.0, 2.0, 3.0, 4.0], probability);
            assert!((found - wanted).abs() < 1e-12, "{probability}: {found}");
        }
    }
}
