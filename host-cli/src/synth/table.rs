use std::fmt::Write as _;

use serde::Serialize;

use super::{Arm, ArmKind, Checked, Gain, NEAR_DUPLICATE, Nearness, Protocol};
use crate::inspection::bytes;

/// A line of the table.
#[derive(Debug, Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    arm: &'a Arm,
    chosen: bool,
    validation_mean: f64,
    validation_gain: Gain,
    test_mean: f64,
    test_gain: Gain,
}

/// A line about copies.
#[derive(Debug, Serialize)]
struct NearLine {
    #[serde(flatten)]
    kind: ArmKind,
    /// Share whose class the nearest of all training rows tell.
    labels_told: f64,
    #[serde(flatten)]
    nearness: Nearness,
}

/// What a check found, for people and as JSON.
#[derive(Debug, Serialize)]
pub struct CheckTable<'a> {
    draws: usize,
    rows: usize,
    per_class: usize,
    blob_bytes: usize,
    sets: Vec<Line<'a>>,
    /// The chosen set beside the best that needs no network.
    against_control: Option<Gain>,
    copies: Vec<NearLine>,
}

impl<'c> CheckTable<'c> {
    /// The table of a check.
    #[must_use]
    pub fn of(checked: &'c Checked, protocol: &Protocol) -> Self {
        let real = &checked.arms[0];
        let chosen = checked.chosen();
        let line = |arm: &'c Arm| Line {
            chosen: chosen == Some(arm) || checked.control() == Some(arm),
            validation_mean: arm.validation_mean(),
            validation_gain: Gain::between(&real.validation, &arm.validation),
            test_mean: arm.test_mean(),
            test_gain: Gain::between(&real.test, &arm.test),
            arm,
        };
        let near = checked.nearness.iter().zip(&checked.labels);
        Self {
            draws: protocol.draws,
            rows: protocol.rows,
            per_class: protocol.per_class,
            blob_bytes: checked.blob_bytes,
            sets: checked.arms.iter().map(line).collect(),
            against_control: chosen
                .zip(checked.control())
                .map(|(chosen, control)| Gain::between(&control.test, &chosen.test)),
            copies: near
                .map(|((kind, nearness), labels)| NearLine {
                    kind: *kind,
                    labels_told: *labels,
                    nearness: nearness.clone(),
                })
                .collect(),
        }
    }

    /// The table as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!(
            "{:<38}{:>7}{:>12}{:>18}{:>9}{:>18}\n",
            "learnt from", "weight", "validation", "gain", "test", "gain"
        );
        let gain = |gain: Gain| format!("{:+.4} +- {:.4}", gain.mean, gain.standard_error);
        for line in &self.sets {
            let weight = if line.arm.weight > 0.0 { line.arm.weight.to_string() } else { String::new() };
            let gains = match line.arm.kind {
                ArmKind::Real => [String::new(), String::new()],
                _ => [gain(line.validation_gain), gain(line.test_gain)],
            };
            let _ = writeln!(
                out,
                "{:<38}{weight:>7}{:>12.4}{:>18}{:>9.4}{:>18}{}",
                line.arm.kind.name(),
                line.validation_mean,
                gains[0],
                line.test_mean,
                gains[1],
                if line.chosen { "  chosen" } else { "" }
            );
        }
        if let Some(against) = self.against_control {
            let _ =
                writeln!(out, "chosen synthetic set beside the chosen one without a network: test {}", gain(against));
        }
        let _ = writeln!(
            out,
            "\n{:<38}{:>9}{:>12}{:>13}{:>14}{:>9}",
            "distance to the nearest real row", "median", "held out", "below 1%", "duplicates", "labels"
        );
        for NearLine { kind, labels_told, nearness } in &self.copies {
            let _ = writeln!(
                out,
                "{:<38}{:>9.3}{:>12.3}{:>13.3}{:>14}{:>9.3}",
                kind.name(),
                nearness.median,
                nearness.held_out_median,
                nearness.share_below,
                format!("{}/{}", nearness.near_duplicates, nearness.rows),
                labels_told
            );
        }
        let _ = writeln!(
            out,
            "in training deviations, root mean square over the values; below 1%: share nearer than the 1st percentile of held-out rows; duplicates: nearer than {NEAR_DUPLICATE}; \
         labels: share whose class the five nearest of all training rows tell\n{} of blob",
            bytes(self.blob_bytes)
        );
        out
    }
}
