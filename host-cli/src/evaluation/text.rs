//! A quality table as text and as CSV.

use super::{Balance, QualityRow};
use crate::metrics::METRICS;

/// The quality table as text; a row that stands for several blocks has its standard errors under it.
#[must_use]
pub fn to_text(rows: &[QualityRow]) -> String {
    let errors = "  standard error";
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(errors.len());
    let labelled = rows.iter().any(|row| row.labels_right.is_some() || row.balance.is_some());
    let mut text = format!("{:width$}", "");
    for (_, metric) in METRICS {
        text += &format!(" {:>9}", metric.title);
    }
    text += &format!(" {:>9}{}\n", "memoris.", if labelled { "   labels balance" } else { "" });
    for row in rows {
        text += &format!("{:width$}", row.name);
        let figures = row.quality.figures();
        for ((_, metric), figure) in METRICS.iter().zip(figures) {
            text += &format!(" {:>9.*}", metric.decimals, figure.mean);
        }
        text += &format!(" {:>9}", row.memorisation_text());
        if labelled {
            let right = row.labels_right.map_or(String::new(), |right| format!("{:.4}", right.mean));
            let balance = row.balance.as_ref().map_or(String::new(), |of| format!("{:.3}", of.total_variation));
            text += &format!(" {right:>8} {balance:>7}");
        }
        text = text.trim_end().to_string() + "\n";
        if figures.iter().any(|figure| figure.standard_error.is_some()) {
            text += &format!("{errors:width$}");
            let memorisation = row.quality.memorisation.and_then(|figure| figure.standard_error);
            let shown =
                METRICS.iter().zip(figures).map(|((_, metric), figure)| (metric.decimals, figure.standard_error));
            for (decimals, error) in shown.chain([(3, memorisation)]) {
                text += &error.map_or(format!(" {:>9}", ""), |error| format!(" {error:>9.decimals$}"));
            }
            if let Some(error) = row.labels_right.and_then(|right| right.standard_error) {
                text += &format!(" {error:>8.4}");
            }
            text = text.trim_end().to_string() + "\n";
        }
    }
    text
}

/// The shares of the classes as text, one column a class.
#[must_use]
pub fn balance_text(rows: &[QualityRow], names: &[String]) -> String {
    let labelled: Vec<(&str, &Balance)> =
        rows.iter().filter_map(|row| Some((row.name.as_str(), row.balance.as_ref()?))).collect();
    let Some((_, first)) = labelled.first() else { return String::new() };
    let width = labelled.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(13);
    let line = |name: &str, shares: &[f64]| {
        let cells: String = shares.iter().map(|share| format!(" {share:>7.4}")).collect();
        format!("{name:width$}{cells}\n")
    };
    let titles: String = names.iter().map(|name| format!(" {name:>7}")).collect();
    let mut text = format!("{:width$}{titles}\n{}", "class", line("training rows", &first.training));
    for (name, balance) in labelled {
        text += &line(name, &balance.shares);
    }
    text
}

/// The quality table as CSV: a line a row, each figure followed by its standard error.
#[must_use]
pub fn to_csv(rows: &[QualityRow]) -> String {
    let mut text = String::from("name,plan,arithmetic,evaluations,blocks,block_rows");
    for name in METRICS.map(|(name, _)| name).into_iter().chain(["memorisation", "labels_right"]) {
        text += &format!(",{name},{name}_standard_error");
    }
    text += ",total_variation\n";
    for row in rows {
        let quality = &row.quality;
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let arithmetic = row.arithmetic.map_or(String::new(), |kind| format!("{kind:?}").to_lowercase());
        let mut cells = vec![
            format!("\"{}\"", row.name.replace('"', "\"\"")),
            row.plan.clone().unwrap_or_default(),
            arithmetic,
            row.evaluations.map_or(String::new(), |count| count.to_string()),
            quality.blocks.to_string(),
            quality.block_rows.to_string(),
        ];
        for figure in quality.figures().map(Some).into_iter().chain([quality.memorisation, row.labels_right]) {
            cells.push(number(figure.map(|figure| figure.mean)));
            cells.push(number(figure.and_then(|figure| figure.standard_error)));
        }
        cells.push(number(row.balance.as_ref().map(|balance| balance.total_variation)));
        text += &(cells.join(",") + "\n");
    }
    text
}
