//! Times the quality protocol: ten blocks of 898 digits against 898 held-out ones.
//!
//!     cargo run --release -p mote-cli --example protocol_bench

use std::time::Instant;

use mote_cli::data::{LoadOptions, Split, load};
use mote_cli::metrics::{Points, digit_units, protocol};

fn main() -> anyhow::Result<()> {
    let digits = load("digits", &LoadOptions::default())?;
    let parts = Split::Alternate.parts(digits.rows)?;
    let points = |pixels: &[f32]| Points::new(&digit_units(pixels), digits.dim);
    let (train, held_out) = (digits.gather(&parts.train), digits.gather(&parts.test));
    // Averages of two training rows, so that the samples are neither training rows nor held-out ones.
    let pool: Vec<f32> = (0..8980)
        .flat_map(|k| {
            let (a, b) = (k % 899 * 64, (k % 899 + 1 + k / 899) % 899 * 64);
            let pair = train[a..a + 64].iter().zip(&train[b..b + 64]);
            pair.map(|(x, y)| (x + y) / 2.0).collect::<Vec<f32>>()
        })
        .collect();
    let (train, held_out, pool) = (points(&train)?, points(&held_out)?, points(&pool)?);
    for threads in [1, 2] {
        let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let start = Instant::now();
        let table = workers.install(|| protocol(&pool, &train, &held_out))?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{threads} thread(s): {seconds:.2} s for {} blocks of {} rows; sliced W2 {:.4}",
            table.blocks, table.block_rows, table.sliced_w2.mean
        );
    }
    Ok(())
}
