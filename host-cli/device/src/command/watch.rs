//! `mote device watch`: sample after sample, live.

use super::Choice;
use super::connection::Connection;
use crate::{Client, Counters, Draw, Error, Line};
use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::{IsTerminal as _, Write};
use std::time::Instant;

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "On a terminal: the sample in the making, the last one as a curve, rates, and faults of the line by name. \
    Elsewhere: a line for each sample. Ends after --count samples, or by Ctrl-C."
)]
pub struct Watch {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    choice: Choice,
    /// How many samples. Default: without end.
    #[arg(long)]
    count: Option<u32>,
}

pub(super) fn run(args: &Watch, out: &mut dyn Write) -> Result<()> {
    args.connection.with(|device| {
        let (plan, draw) = args.choice.draw(device, 0)?;
        let view = std::io::stderr().is_terminal().then(|| View::new(device.board(), &plan.name)).transpose()?;
        let start = Instant::now();
        for number in 0..args.count.unwrap_or(u32::MAX) {
            let sample = live_sample(device, &Draw { number, ..draw }, view.as_ref())?;
            let counters = device.counters()?;
            let rate = f64::from(number + 1) / start.elapsed().as_secs_f64();
            match &view {
                Some(view) => view.show(number, &sample, rate, &counters, &device.tally().to_string()),
                None => {
                    let each = counters.instructions.checked_div(counters.steps.into()).unwrap_or(0);
                    writeln!(out, "sample {number} {} {each} instructions a step", curve(&sample))?;
                }
            }
        }
        Ok(())
    })
}

fn live_sample<L: Line>(device: &mut Client<L>, draw: &Draw, view: Option<&View>) -> Result<Vec<f32>, Error> {
    device.start_sample(draw)?;
    device.finish(|progress| {
        if let Some(view) = view {
            view.steps.set_length(progress.total.into());
            view.steps.set_position(progress.done.into());
        }
    })
}

/// The lines of the view, each redrawn in its place.
struct View {
    steps: ProgressBar,
    sample: ProgressBar,
    counters: ProgressBar,
    line: ProgressBar,
}

impl View {
    fn new(board: &str, plan: &str) -> Result<Self> {
        let all = MultiProgress::new();
        let text = |template: &str| -> Result<ProgressBar> {
            Ok(all.add(ProgressBar::no_length().with_style(ProgressStyle::with_template(template)?)))
        };
        let steps = text("{prefix} {bar:30} step {pos}/{len}")?.with_prefix(format!("{board}, {plan}"));
        Ok(Self { steps, sample: text("{msg}")?, counters: text("{msg}")?, line: text("{msg}")? })
    }

    fn show(&self, number: u32, sample: &[f32], rate: f64, counters: &Counters, line: &str) {
        let each = counters.instructions.checked_div(counters.steps.into()).unwrap_or(0);
        self.sample.set_message(format!("sample {number}  {}", curve(sample)));
        self.counters.set_message(format!(
            "{rate:.1} samples/s, {} samples and {} windows since it was switched on, {each} instructions a step",
            counters.samples, counters.windows
        ));
        self.line.set_message(line.to_owned());
    }
}

/// Values as a curve of eight heights, from the least to the greatest.
fn curve(values: &[f32]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let range = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low;
    let height = |x: &f32| if range > 0.0 { ((x - low) / range * 7.999) as usize } else { 0 };
    values.iter().map(|x| HEIGHTS[height(x).min(7)]).collect()
}

#[cfg(test)]
mod tests {
    use super::curve;

    #[test]
    fn a_curve_reaches_from_the_lowest_to_the_highest() {
        assert_eq!(curve(&[0.0, 1.0, 2.0, 7.0, 8.0]), "▁▁▂▇█");
        assert_eq!(curve(&[3.0, 3.0]), "▁▁");
        assert_eq!(curve(&[f32::NAN, 0.0, 1.0]), "▁▁█");
    }
}
