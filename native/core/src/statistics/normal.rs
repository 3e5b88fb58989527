//! The standard normal distribution, to about 1e-15.
#![expect(clippy::float_arithmetic, reason = "probabilities have no unit")]

/// Beyond this the smaller side is below 1e-15.
const Z_MAX: f64 = 8.0;

/// Returns Φ(z), by the series of Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11(4), 2004.
pub(super) fn normal_cdf(z: f64) -> f64 {
    if z.abs() > Z_MAX {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut odd) = (z, z, 3.0);
    loop {
        term *= z * z / odd;
        let next = sum + term;
        if next == sum {
            break;
        }
        sum = next;
        odd += 2.0;
    }
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (0.5 + sum * density).clamp(0.0, 1.0)
}

/// Returns the z with Φ(z) = `probability`, which is above 0 and below 1, by halving: what it is for asks twice a run.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-Z_MAX, Z_MAX);
    loop {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if normal_cdf(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_meets_its_tables() {
        // mpmath.ncdf with 30 digits.
        for (z, wanted) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.959_963_984_540_054, 0.025),
            (3.0, 0.998_650_101_968_369_9),
            (-6.0, 9.865_876_450_376_98e-10),
            (9.0, 1.0),
            (-9.0, 0.0),
        ] {
            assert!((normal_cdf(z) - wanted).abs() < 1e-15, "{z}");
        }
    }

    #[test]
    fn the_quantile_turns_the_distribution_round() {
        for probability in [1e-6, 0.01, 0.3, 0.5, 0.9, 0.999, 1.0 - 1e-9] {
            let z = normal_quantile(probability);

            assert!((normal_cdf(z) - probability).abs() < 1e-15, "{probability}");
        }
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
    }
}
