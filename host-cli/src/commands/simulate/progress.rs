use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on a terminal, a line now and then elsewhere.
pub(super) struct Progress {
    bar: ProgressBar,
    plain: bool,
    paths: u64,
    steps: u32,
    began: Instant,
    said: Instant,
}

impl Progress {
    /// Time between two lines where there is no terminal, as in the log of a job.
    const EVERY: Duration = Duration::from_secs(15);

    pub fn new(paths: u64, steps: u32) -> Self {
        let bar = ProgressBar::with_draw_target(Some(paths), ProgressDrawTarget::stderr_with_hz(10));
        let style =
            ProgressStyle::with_template("simulating {wide_bar} {human_pos}/{human_len} paths, {msg}{eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let plain = bar.is_hidden();
        Self { bar, plain, paths, steps, began: Instant::now(), said: Instant::now() }
    }

    /// Says that so many paths are done.
    pub fn at(&mut self, done: u64) {
        let seconds = self.began.elapsed().as_secs_f64();
        let rate = done as f64 * f64::from(self.steps) / seconds;
        self.bar.set_position(done);
        self.bar.set_message(format!("{rate:.1e} path-steps a second, "));
        if self.plain && done < self.paths && self.said.elapsed() > Self::EVERY {
            let left = seconds * (self.paths - done) as f64 / done as f64;
            eprintln!("simulating: path {done} of {}, {rate:.1e} path-steps a second, {left:.0} s left", self.paths);
            self.said = Instant::now();
        }
        if done == self.paths {
            self.bar.finish_and_clear();
            let (paths, steps) = (self.paths, self.steps);
            eprintln!("simulated {paths} paths of {steps} steps in {seconds:.2} s: {rate:.2e} path-steps a second");
        }
    }
}
