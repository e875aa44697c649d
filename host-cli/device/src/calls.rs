use crate::{By, Calibration, Client, Error, Line};
use mote_link::message::{
    Answer, BootReport, Counters, Judging, ModelInfo, Progress, Request, State, VALUES_MAX, values,
};
use mote_link::status::Status;
use std::thread;

/// A plan of the device's model.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Its rows, an evaluation each, or two if guided.
    pub rows: u16,
    /// The guidance weight that it was made for; 0 for none.
    pub guidance: f32,
}

/// A sample to be drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draw {
    /// Number of the plan.
    pub plan: u16,
    /// Seed of the noise.
    pub seed: u64,
    /// Number of the sample within the seed.
    pub number: u32,
    /// The class, or none.
    pub class: Option<u16>,
    /// The guidance weight, or none.
    pub guidance: Option<f32>,
}

/// What a device's detector says of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// How little the window looks like normal data.
    pub score: f32,
    /// Whether that is above the threshold.
    pub alarm: bool,
}

/// What can be asked of a device. Each call waits until it has its result.
impl<L: Line> Client<L> {
    /// What the running model is.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), like all that follow.
    pub fn model(&mut self) -> Result<ModelInfo, Error> {
        self.ask(&Request::Model, "a model", |answer| if let Answer::Model(info) = answer { Some(*info) } else { None })
    }

    /// The plans of the running model.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn plans(&mut self) -> Result<Vec<Plan>, Error> {
        let plans = self.model()?.plans;
        (0..plans)
            .map(|number| {
                self.ask(&Request::Plan { number }, "a plan", |answer| match *answer {
                    Answer::Plan { name, rows, guidance } => Some(Plan { number, name: name.into(), rows, guidance }),
                    _ => None,
                })
            })
            .collect()
    }

    /// The plan of this name, or of this number.
    ///
    /// # Errors
    /// [`Error::NoSuchPlan`] with those that there are.
    pub fn plan_named(&mut self, asked: &str) -> Result<Plan, Error> {
        let plans = self.plans()?;
        let known = || plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>().join(", ");
        let number = asked.parse().ok();
        let found = plans.iter().find(|plan| plan.name == asked);
        let found = found.or_else(|| plans.iter().find(|plan| Some(plan.number) == number)).cloned();
        found.ok_or_else(|| Error::NoSuchPlan { asked: asked.into(), known: known() })
    }

    /// A sample, in the data's own units.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn sample(&mut self, draw: &Draw) -> Result<Vec<f32>, Error> {
        self.start_sample(draw)?;
        self.finish(|_| {})
    }

    /// Starts a sample; [`finish`](Self::finish) waits for it, and [`cancel`](Self::cancel) ends it.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn start_sample(&mut self, draw: &Draw) -> Result<(), Error> {
        let Draw { plan, seed, number, class, guidance } = *draw;
        self.tell(&Request::Sample { plan, seed, number, class, guidance })
    }

    /// The clean window behind a noisy one, both in the data's own units and NaN where a value is missing; `noise` is its standard deviation in deviations
    /// of the data. For a network that slides it is a signal of any length that the device has room for.
    ///
    /// # Errors
    /// [`Error::Width`], and as [`ask`](Self::ask).
    pub fn denoise(&mut self, window: &[f32], noise: f32, class: Option<u16>) -> Result<Vec<f32>, Error> {
        self.send_window(window)?;
        self.tell(&Request::Denoise { noise, class })?;
        self.finish(|_| {})
    }

    /// How little a window looks like the data: its error, in variances of the data, when noise of this deviation and seed is put on and taken off.
    ///
    /// # Errors
    /// [`Error::Width`], and as [`ask`](Self::ask).
    pub fn score(&mut self, window: &[f32], noise: f32, seed: u64, class: Option<u16>) -> Result<f32, Error> {
        self.send_window(window)?;
        self.tell(&Request::Score { noise, seed, class })?;
        let values = self.finish(|_| {})?;
        let found = || Error::Unexpected { expected: "a score", found: format!("{} values", values.len()) };
        values.first().copied().ok_or_else(found)
    }

    /// Sets the device's detector up by a calibration, which is for the model that runs there; [`detect`](Self::detect) scores by it for as long as this
    /// session and this model last.
    ///
    /// # Errors
    /// [`Error::OtherModel`], [`Error::NoDetection`] of a device that is older than detectors, and as [`ask`](Self::ask).
    pub fn calibrate(&mut self, calibration: &Calibration) -> Result<(), Error> {
        let model = self.model()?;
        if !calibration.is_for(model.bytes, model.crc) {
            let (made_bytes, made_crc) = (calibration.blob_bytes, calibration.blob_crc32.clone());
            return Err(Error::OtherModel { made_bytes, made_crc, bytes: model.bytes, crc: model.crc });
        }
        let too_large = Error::Refused { status: Status::CalibrationTooLarge, detail: 0 };
        let level = |level: &u32| u8::try_from(*level).ok();
        let levels: Option<Vec<u8>> = calibration.levels.iter().map(level).collect();
        let Some(levels) = levels.filter(|levels| levels.len() <= VALUES_MAX) else { return Err(too_large) };
        let (Ok(channels), Ok(seeds)) = (u16::try_from(calibration.channels.len()), u8::try_from(calibration.seeds))
        else {
            return Err(too_large);
        };
        let judging = match calibration.judgement {
            By::Pattern => Judging::Pattern,
            By::Sensors => Judging::Sensors,
        };
        let set_up = Request::Detector { judging, seeds, channels, threshold: calibration.threshold, levels: &levels };
        self.tell(&set_up).map_err(|error| match error {
            // A request of a number that a device does not know is none to it.
            Error::Refused { status: Status::Malformed, .. } => Error::NoDetection,
            other => other,
        })?;
        self.send_values(&calibration.numbers, |from, values| Request::Calibration { from, values })
    }

    /// The score of a window, in the data's own units and NaN where a value is missing, by the detector that was set up.
    ///
    /// # Errors
    /// [`Error::Width`], and as [`ask`](Self::ask).
    pub fn detect(&mut self, window: &[f32]) -> Result<Detection, Error> {
        self.send_window(window)?;
        self.tell(&Request::Detect)?;
        match self.finish(|_| {})?[..] {
            [score, alarm] => Ok(Detection { score, alarm: alarm != 0.0 }),
            ref other => {
                Err(Error::Unexpected { expected: "a score and an alarm", found: format!("{} values", other.len()) })
            }
        }
    }

    fn send_window(&mut self, window: &[f32]) -> Result<(), Error> {
        let model = self.model()?;
        let expected = model.dim_in;
        // A network that slides takes a signal of any length that the device has room for.
        if model.dim_out == model.dim_in && window.len() != usize::from(expected) {
            return Err(Error::Width { found: window.len(), expected });
        }
        self.send_values(window, |from, values| Request::Window { from, values })
    }

    /// Sends values in parts.
    fn send_values(&mut self, values: &[f32], part: impl Fn(u16, &[u8]) -> Request<'_>) -> Result<(), Error> {
        for (values, from) in values.chunks(VALUES_MAX).zip((0..).step_by(VALUES_MAX)) {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.tell(&part(from, &bytes))?;
        }
        Ok(())
    }

    /// How far the job is.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn progress(&mut self) -> Result<Progress, Error> {
        self.ask(&Request::Progress, "progress", |answer| match answer {
            Answer::Progress(progress) => Some(*progress),
            _ => None,
        })
    }

    /// Waits for the job that was started, and gives its values.
    ///
    /// # Errors
    /// [`Error::Unexpected`] when none was started, and as [`ask`](Self::ask).
    pub fn finish(&mut self, mut seen: impl FnMut(Progress)) -> Result<Vec<f32>, Error> {
        loop {
            let progress = self.progress()?;
            seen(progress);
            match progress.state {
                State::Ready => break,
                State::Running => thread::sleep(self.patience().poll),
                State::Idle => {
                    return Err(Error::Unexpected { expected: "a job", found: "that none runs".into() });
                }
            }
        }
        let mut found: Vec<f32> = Vec::new();
        loop {
            let from = found.len() as u16;
            let (of, part) = self.ask(&Request::Values { from }, "values", |answer| match answer {
                Answer::Values { of, values: bytes } => Some((*of, values(bytes).collect::<Vec<_>>())),
                _ => None,
            })?;
            let enough = part.is_empty();
            found.extend(part);
            if enough || found.len() >= usize::from(of) {
                return Ok(found);
            }
        }
    }

    /// Ends the job that runs, if one does.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn cancel(&mut self) -> Result<(), Error> {
        self.tell(&Request::Cancel)
    }

    /// The digest of the model's self-test, in the model and on the device.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn self_test(&mut self) -> Result<(u64, u64), Error> {
        self.ask(&Request::SelfTest, "a self-test", |answer| match answer {
            Answer::SelfTest { expected, computed } => Some((*expected, *computed)),
            _ => None,
        })
    }

    /// What the device counted since it was switched on.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn counters(&mut self) -> Result<Counters, Error> {
        self.ask(&Request::Counters, "counters", |answer| match answer {
            Answer::Counters(counters) => Some(*counters),
            _ => None,
        })
    }

    /// What the slots held when the device looked last, and which one runs.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn boot_report(&mut self) -> Result<BootReport, Error> {
        self.ask(&Request::Boot, "a boot report", |answer| match answer {
            Answer::Boot(report) => Some(*report),
            _ => None,
        })
    }

    /// Runs the model of a slot, if it passes its checks.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn select(&mut self, slot: u8) -> Result<(), Error> {
        self.tell(&Request::Select { slot })
    }

    /// Has the device start again from its flash, as after a reset, and gives what it found.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn restart(&mut self) -> Result<BootReport, Error> {
        self.tell(&Request::Restart)?;
        self.boot_report()
    }
}
