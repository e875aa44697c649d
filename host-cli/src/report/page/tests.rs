//! The page as a whole, of a small run made up for it.

use super::*;
use crate::inspection::{Flash, LayerLine, PlanLine};
use crate::metrics::QualityTable;
use crate::report::EfficiencyPoint;

fn quality(name: &str, sliced_w2: f64, frechet: f64) -> QualityRow {
    let figure = |mean| Figure { mean, deviation: 0.1 * mean, standard_error: Some(0.1 * mean) };
    QualityRow {
        name: name.into(),
        plan: None,
        arithmetic: None,
        evaluations: None,
        fresh_memorisation: None,
        labels_right: None,
        balance: None,
        quality: QualityTable {
            blocks: 2,
            block_rows: 10,
            sliced_w2: figure(sliced_w2),
            energy: figure(0.01),
            mmd2: figure(0.002),
            c2st: figure(0.6),
            nearest_neighbour: figure(0.7),
            frechet: figure(frechet),
            precision: figure(0.8),
            recall: figure(0.7),
            density: figure(0.9),
            coverage: figure(0.8),
            memorisation: Some(figure(0.6)),
        },
    }
}

fn inspection() -> Inspection {
    let layer = LayerLine {
        inputs: 2,
        outputs: 8,
        activation: "relu".into(),
        residual: false,
        input_codes: (-127, 127),
        level_biases: true,
        class_biases: false,
        weight_bytes: 16,
    };
    let plan = PlanLine {
        name: "ddim:5".into(),
        evaluations: 5,
        stochastic: false,
        history: 1,
        start_scale: 1.0,
        multiply_accumulates: 80,
    };
    Inspection {
        name: "n".into(),
        role: "Sampler".into(),
        prediction: "V".into(),
        quantisation: "8-bit weights".into(),
        dim: 2,
        image: None,
        classes: 0,
        layers: vec![layer],
        noise_levels: 5,
        log_snr: (-3.0, 3.0),
        gaps: None,
        plans: vec![plan],
        multiply_accumulates: 16,
        flash: Flash { total: 2048, weights: 16, level_table: 100, plans: 32, rest: 1900 },
        arena_bytes: 640,
        self_test: "0123456789abcdef".into(),
    }
}

fn point(sampler: &'static str, evaluations: usize, value: Option<f64>) -> EfficiencyPoint {
    let plan = format!("{sampler}:{evaluations}");
    EfficiencyPoint { sampler, plan, evaluations, sliced_w2: value, frechet: value }
}

/// The page with everything in it.
fn page() -> String {
    let rows = [
        quality("floor (training rows)", 0.04, 0.3),
        quality("ddim:5, float", 0.1, 2.0),
        quality("ddim:5, int8", 0.11, 1.9),
    ];
    let efficiency = Efficiency {
        samplers: vec!["ddim", "langevin"],
        points: vec![point("ddim", 2, Some(0.3)), point("ddim", 5, Some(0.1)), point("langevin", 6, None)],
        left_out: vec!["ddpm:5: it <does> not suit the schedule".into()],
        blocks: 3,
    };
    let frontier = [("decay .1", 0.62, 0.7), ("decay .1", 0.66, 0.6), ("dropout", 0.6, 0.8)].map(
        |(label, memorisation, frechet)| FrontierPoint {
            steps: 1000,
            regularisation: label.into(),
            memorisation,
            frechet,
            sliced_w2: 0.07,
            nearest_neighbour: 0.7,
        },
    );
    let metrics = [200, 400].map(|step| Metric { step, loss: 0.5, validation_loss: 0.6, seconds: 1.0 });
    let picture = Picture { png: vec![1, 2, 3], alt: "an \"alt\" text".into(), caption: "c".into(), pixels: true };
    let board = BoardReport { board: "b".into(), lines: vec![("stack".into(), "9 B".into())], bits_equal: true };
    Report {
        name: "a < b & c",
        commands: &["mote train --recipe a&b".to_owned()],
        metrics: &metrics,
        samples: std::slice::from_ref(&picture),
        trajectory: std::slice::from_ref(&picture),
        quality: &rows,
        quantisation_difference: Some(0.0123),
        efficiency: Some(&efficiency),
        frontier: &frontier,
        inspection: &inspection(),
        board: Some(&board),
        facts: &[("seed of training", "7".into())],
        recipe: "[data]\nsource = \"<x>\"\n",
    }
    .to_html()
    .unwrap()
}

#[test]
fn the_page_shows_every_part_and_escapes_what_it_is_given() {
    let page = page();
    for part in [
        "a &lt; b &amp; c",
        "alt=\"an &quot;alt&quot; text\"",
        "From noise to samples",
        "ddpm:5: it &lt;does&gt; not suit the schedule",
        "langevin:6",
        "not finite",
        "Sliced W2 against network evaluations for 2 samplers. The least is 0.1000, ddim at 5 evaluations.",
        "Fréchet distance against memorisation for 3 trained networks",
        // 0.11 / 0.1 and 1.9 / 2.
        "<td>0.1000</td><td>0.1100</td><td>+10.0%</td><td>2.000</td><td>1.900</td><td>-5.0%</td>",
        "differ from float samples by 1.2%",
        "2048 B (2.0 KiB)",
        "every bit equal",
        "mote train --recipe a&amp;b",
        "seed of training",
        "&lt;x&gt;",
    ] {
        assert!(page.contains(part), "no {part}");
    }
    for foreign in ["src=\"http", "<link", "<script", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let images = page.matches("<img ").count();
    assert_eq!((images, page.matches(" alt=\"").count()), (2, images));
    // Two of efficiency, three of the frontier, the loss; each with its words.
    assert_eq!((page.matches("<svg ").count(), page.matches("role=\"img\" aria-label=\"").count()), (6, 6));
}

#[test]
fn parts_that_were_not_made_are_left_out() {
    let page = Report {
        name: "n",
        commands: &[],
        metrics: &[],
        samples: &[],
        trajectory: &[],
        quality: &[],
        quantisation_difference: None,
        efficiency: None,
        frontier: &[],
        inspection: &inspection(),
        board: None,
        facts: &[],
        recipe: "",
    }
    .to_html()
    .unwrap();
    for part in
        ["<h2>Samples", "<h2>From", "<h2>Quality", "<h2>What", "<h2>On the board", "<h2>Training", "<svg", "<img"]
    {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("<h2>Sizes"));
}
