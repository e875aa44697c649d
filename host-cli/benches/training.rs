//! Steps a second of the whole training loop: drawing, noising, forward, backward, AdamW, moving average.
//!
//!     cargo bench -p mote-cli --bench training -- [THREADS ..] [--peers FILE.json]
//!
//! One JSON line for each number of threads (1 and 2 by default): the median and the best of nine rounds of 100 steps, of a
//! 64-128-128-128-64 SiLU network with 32 time features at a batch of 256. A peers' file has JSON lines with a `threads` and any
//! numbers named `med` further in; the line of the same threads then gives the ratio to each.

use std::time::Instant;

use anyhow::{Context as _, bail};
use mote_cli::network::{Activation, Shape};
use mote_cli::recipe::NoiseRecipe;
use mote_cli::train::{Trainer, TrainingOptions, TrainingSet};
use serde_json::{Map, Value, json};

const ROUNDS: usize = 9;
const STEPS: usize = 100;
const ROWS: usize = 898;
const DIM: usize = 64;

fn main() -> anyhow::Result<()> {
    let mut threads: Vec<usize> = Vec::new();
    let mut peers: Vec<Value> = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--peers" {
            let path = arguments.next().context("--peers needs a file")?;
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                peers.push(serde_json::from_str(line).with_context(|| format!("{path} is not JSON lines"))?);
            }
        } else {
            match argument.parse() {
                Ok(count) if count > 0 => threads.push(count),
                _ => bail!("{argument} is neither a number of threads nor --peers FILE.json"),
            }
        }
    }
    if threads.is_empty() {
        threads = vec![1, 2];
    }
    for count in threads {
        let rates = measure(count)?;
        let (median, best) = (rates[ROUNDS / 2], rates[ROUNDS - 1]);
        let mut line = json!({ "threads": count, "steps_per_second": { "med": median, "best": best } });
        let mut ratios = Map::new();
        for peer in peers.iter().filter(|peer| peer["threads"] == count) {
            let name = peer["kind"].as_str().unwrap_or("peer");
            medians(peer, name, &mut |name, rate| {
                ratios.insert(name, json!(median / rate));
            });
        }
        if !ratios.is_empty() {
            line["ratio_of_medians"] = ratios.into();
        }
        println!("{line}");
    }
    Ok(())
}

/// Steps a second of each round, slowest first.
fn measure(threads: usize) -> anyhow::Result<Vec<f64>> {
    let shape = Shape { features: 32, max_frequency: 1000.0, ..Shape::plain(DIM, DIM, &[128; 3], Activation::Silu) };
    let rows: Vec<f32> = (0..ROWS * DIM).map(|i| (i as f32 * 0.618).sin() * std::f32::consts::SQRT_2).collect();
    let set = TrainingSet { dim: DIM, rows: &rows, ..TrainingSet::default() };
    let noise = NoiseRecipe::default().training();
    let mut trainer = Trainer::new(shape, TrainingOptions::default(), set, &noise)?;
    trainer.set_threads(threads)?;
    let mut steps = |count: usize| (0..count).try_for_each(|_| trainer.step().map(drop));
    steps(STEPS / 10)?;
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        steps(STEPS)?;
        rates.push(STEPS as f64 / started.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates)
}

/// Every `med` of a peer's line that counts steps, with the names that lead there.
fn medians(value: &Value, name: &str, found: &mut dyn FnMut(String, f64)) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        match inner.as_f64() {
            Some(rate) if key == "med" => found(name.to_owned(), rate),
            _ if key.starts_with("ddim") || key.starts_with("fwd") => {}
            _ => medians(inner, &format!("{name}.{key}"), found),
        }
    }
}
