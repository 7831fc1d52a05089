//! Numbers as people read them: three significant digits and a unit that fits.

use lumos_model::quantity::{Quantity, Unit};

/// With fewer samples none lies beyond the 95th percentile.
pub(crate) const P95_NEEDS: usize = 20;
/// With fewer samples none lies beyond the 99th percentile.
pub(crate) const P99_NEEDS: usize = 100;

/// Three significant digits: `1.23`, `12.3`, `123`, `1234`.
fn three_digits(value: f64) -> String {
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// Scales `value` to the largest unit in which it is at least 1 after rounding.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let (factor, unit) =
        units.iter().rev().find(|(factor, _)| value >= factor * 0.9995).unwrap_or(&units[0]);
    format!("{} {unit}", three_digits(value / factor))
}

/// A time: `45 ns`, `1.23 ms`, `12.3 s`.
pub fn duration(ns: u64) -> String {
    if ns < 1_000 {
        return format!("{ns} ns");
    }
    scaled(ns as f64, &[(1e3, "us"), (1e6, "ms"), (1e9, "s")])
}

/// A size: `512 B`, `12.9 MiB`.
pub fn bytes(bytes: u64) -> String {
    if bytes < 1 << 10 {
        return format!("{bytes} B");
    }
    let unit = |power: i32, name| (1024_f64.powi(power), name);
    scaled(bytes as f64, &[unit(1, "KiB"), unit(2, "MiB"), unit(3, "GiB")])
}

/// A quantity in its unit: `1.23 ms`, `12.9 MiB`, `1024`.
pub fn quantity(Quantity { value, unit }: Quantity) -> String {
    match unit {
        Unit::Nanoseconds => duration(value),
        Unit::Microseconds => duration(value.saturating_mul(1_000)),
        Unit::Bytes => bytes(value),
        Unit::Count => value.to_string(),
    }
}

/// A rate: `512`, `51.2`, `0.51`.
pub(crate) fn per_second(rate: f64) -> String {
    three_digits(rate)
}

/// A ratio: `0.98x`, `36.8x`, `1234x`.
pub fn ratio(ratio: f64) -> String {
    if ratio < 0.01 {
        return "<.01x".to_owned();
    }
    format!("{}x", three_digits(ratio))
}

/// An uncertain ratio, with a digit less: `1.2x`, `37x`.
pub fn rough_ratio(ratio: f64) -> String {
    match ratio {
        r if r < 0.095 => format!("{r:.2}x"),
        r if r < 9.95 => format!("{r:.1}x"),
        r => format!("{r:.0}x"),
    }
}

/// A fraction in percent: `0.4 %`, `34 %`.
pub fn percent(fraction: f64) -> String {
    match fraction * 100.0 {
        0.0 => "0 %".to_owned(),
        p if p < 0.05 => "<0.1 %".to_owned(),
        p if p < 9.95 => format!("{p:.1} %").replace(".0 ", " "),
        p => format!("{p:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (ns, expected) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 us"),
            (45_000, "45.0 us"),
            (999_499, "999 us"),
            (999_500, "1.00 ms"),
            (1_234_000, "1.23 ms"),
            (9_996_000, "10.0 ms"),
            (60_000_000_000, "60.0 s"),
            (4_000_000_000_000, "4000 s"),
        ] {
            assert_eq!(duration(ns), expected);
        }
    }

    #[test]
    fn sizes_ratios_and_percentages_have_few_digits() {
        assert_eq!(
            [bytes(512), bytes(1 << 20), bytes(13_526_000)].join(" "),
            "512 B 1.00 MiB 12.9 MiB"
        );
        let of = |value, unit| quantity(Quantity { value, unit });
        assert_eq!(
            [of(7, Unit::Microseconds), of(512, Unit::Bytes), of(1 << 20, Unit::Count)].join(" "),
            "7.00 us 512 B 1048576"
        );
        assert_eq!(
            [ratio(0.984), ratio(36.84), ratio(1234.4), ratio(0.001)].join(" "),
            "0.98x 36.8x 1234x <.01x"
        );
        assert_eq!(
            [rough_ratio(0.04), rough_ratio(1.24), rough_ratio(36.8)].join(" "),
            "0.04x 1.2x 37x"
        );
        assert_eq!(
            [percent(0.0), percent(0.0001), percent(0.01), percent(0.018), percent(0.34)]
                .join(", "),
            "0 %, <0.1 %, 1 %, 1.8 %, 34 %"
        );
    }
}
