//! Where an axis begins, ends and is marked.

/// The least and the greatest.
pub(super) fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |span, v| match span {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// A span with a share of its length added at both ends; one of no length gets some.
pub(super) fn widened((low, high): (f64, f64), share: f64) -> (f64, f64) {
    let length = high - low;
    if length > 1e-9 * low.abs().max(high.abs()) {
        (low - share * length, high + share * length)
    } else {
        let room = (0.1 * low.abs()).max(1e-3);
        (low - room, high + room)
    }
}

/// At most about `most` multiples of 1, 2 or 5 times a power of ten between `low` and `high`.
pub(super) fn linear_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let least = (high - low) / most as f64;
    if !(least > 0.0 && least.is_finite()) {
        return Vec::new();
    }
    let power = 10f64.powi(least.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(steps[3]);
    // Rounding must not lose a tick at an end.
    let slack = 1e-9 * (high - low) / step;
    let (first, last) = ((low / step - slack).ceil(), (high / step + slack).floor());
    (0..=(last - first).max(0.0) as usize).map(|i| ((first + i as f64) * step).clamp(low, high)).collect()
}

/// 1, 2 and 5 times each power of ten between `low` and `high`, if they are at most `most`; or else the powers alone, or
/// every few of them.
pub(super) fn log_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let all = |stride: i32, steps: &[f64]| -> Vec<f64> {
        (first..=last)
            .filter(|power| power.rem_euclid(stride) == 0)
            .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
            .filter(|tick| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(tick))
            .map(|tick| tick.clamp(low, high))
            .collect()
    };
    let fine = all(1, &[1.0, 2.0, 5.0]);
    if fine.len() <= most && (high / low).log10() < 3.0 {
        return fine;
    }
    (1..).map(|stride| all(stride, &[1.0])).find(|ticks| ticks.len() <= most).unwrap_or_default()
}

/// A tick value as one would write it: 0, 2500, 0.05, 1e-6.
pub(super) fn tick(value: f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        return "0".into();
    }
    if !(1e-4..1e6).contains(&size) {
        let text = format!("{value:.2e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trim_zeros(digits));
    }
    let decimals = (4 - size.log10().floor() as i32).clamp(0, 8) as usize;
    trim_zeros(&format!("{value:.decimals$}")).to_string()
}

fn trim_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_without_length_gets_some() {
        assert_eq!(span([3.0, -1.0, 2.0].into_iter()), Some((-1.0, 3.0)));
        assert_eq!(span(std::iter::empty()), None);
        assert_eq!(widened((-1.0, 3.0), 0.25), (-2.0, 4.0));
        assert_eq!(widened((10.0, 10.0), 0.25), (9.0, 11.0));
        assert_eq!(widened((0.0, 0.0), 0.25), (-1e-3, 1e-3));
    }

    #[test]
    fn ticks_read_well() {
        let written = [0.0, 2500.0, 0.05, 0.1 + 0.2, 1e-6, 1.5e7, -0.25, 100.0, 1e-18].map(tick);
        assert_eq!(written, ["0", "2500", "0.05", "0.3", "1e-6", "1.5e7", "-0.25", "100", "0"]);
    }

    #[test]
    fn a_log_axis_has_ticks_at_round_numbers() {
        assert_eq!(log_ticks(0.19, 1.6, 9), [0.2, 0.5, 1.0]);
        assert_eq!(log_ticks(3.0, 12.0, 9), [5.0, 10.0]);
        assert_eq!(log_ticks(0.5, 2000.0, 9), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(log_ticks(0.5, 20.0, 4), [1.0, 10.0]);
        // 20 decades: every third.
        let wide = log_ticks(1e-10, 1e10, 9);
        let expected = [1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9];
        assert_eq!(wide.len(), expected.len());
        for (got, expected) in wide.iter().zip(expected) {
            assert!((got / expected - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_linear_axis_has_ticks_at_round_numbers_and_at_its_ends() {
        assert_eq!(linear_ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(linear_ticks(-3.2, 3.2, 4), [-2.0, 0.0, 2.0]);
        assert_eq!(linear_ticks(7.0, 1300.0, 3), [500.0, 1000.0]);
        assert_eq!(linear_ticks(1.0, 1.0, 3), []);
        for (low, high) in [(0.0, 0.3), (-1e-7, 2e-7), (1e9, 1e9 + 1e-3), (-1e38, 1e38)] {
            for most in 2..12 {
                let ticks = linear_ticks(low, high, most);
                assert!((1..=most + 1).contains(&ticks.len()), "{low} {high} {most}: {ticks:?}");
                assert!(ticks.iter().all(|t| (low..=high).contains(t)));
            }
        }
    }
}
