use mote_core::ensemble::BLOCK;
use mote_core::random::Span;
use mote_core::schedule::{NoiseLevel, Schedule};
use mote_core::score::{Component, GaussianMixture, PerComponent};
use mote_core::sde::{self, ForwardKernel, ProbabilityFlow, ReverseTime};

use super::forward::BetaRange;
use super::{Law, Mixture, Moments, Process, Start, StepperName, Visitor, steppers};
use crate::simulation::coupling::monotone_covariance;

/// Where both ways back begin.
const NOISE: f32 = 1.0;

/// The score of a mixture that has been through the variance-preserving process.
type Score<'a> = PerComponent<(GaussianMixture<'a>, Schedule)>;

/// What both ways back need.
#[derive(Clone, Debug, clap::Args)]
struct Way {
    #[command(flatten)]
    beta: BetaRange,
    #[command(flatten)]
    data: Mixture,
}

impl Way {
    fn check(&self, name: &str, horizon: f32) -> Result<(), String> {
        self.beta.check()?;
        self.data.check()?;
        if horizon < NOISE {
            return Ok(());
        }
        // At time 0 the score of the exact mixture is a quotient of zeros.
        Err(format!("--horizon {horizon}: {name} runs from time 1 to 1 - horizon, above 0; take less than 1, as 0.999"))
    }

    fn level(&self, t: f32) -> NoiseLevel {
        sde::Vp { schedule: self.beta.schedule() }.kernel(t)
    }

    fn law(&self, t: f32) -> Law {
        self.data.noisy(self.level(t))
    }

    /// Lends the forward process and its exact score.
    fn with<T>(&self, use_them: impl FnOnce(sde::Vp, Score<'_>) -> T) -> T {
        let law = self.data.law();
        let means: Vec<[f32; 1]> = law.parts.iter().map(|part| [part.mean]).collect();
        let component = |(part, mean): (&crate::simulation::Part, _)| Component {
            weight: part.weight as f32,
            mean,
            deviation: part.deviation,
        };
        let components: Vec<_> = law.parts.iter().zip(means.iter().map(|mean| &mean[..])).map(component).collect();
        let schedule = self.beta.schedule();
        let score = (GaussianMixture { components: &components }, Schedule::VpLinear(schedule));
        use_them(sde::Vp { schedule }, PerComponent { score, dim: BLOCK })
    }
}

/// What is the same for the two ways back.
macro_rules! backward {
    () => {
        const HORIZON: &'static str = "0.999";
        const START: &'static str = "noise";
        const STARTS: &'static str = "noise";
        const PREDICTED_BY: &'static str = "mixture";

        fn check(&self, horizon: f32) -> Result<(), String> {
            self.way.check(Self::NAME, horizon)
        }

        fn span(&self, horizon: f32) -> Span {
            Span { t0: NOISE, t1: NOISE - horizon }
        }

        fn start(&self, start: Start) -> Option<Vec<Law>> {
            (start == Start::Noise).then(|| vec![Law::normal(0.0, 1.0)])
        }
    };
}

/// Anderson's SDE back from noise to a mixture, by its exact score, under the variance-preserving process.
#[derive(Clone, Debug, clap::Args)]
pub struct ReverseVp {
    #[command(flatten)]
    way: Way,
}

impl Process for ReverseVp {
    const NAME: &'static str = "reverse-vp";
    backward!();

    fn equation(&self) -> String {
        let (beta, data) = (self.way.beta.equation(), self.way.data.describe());
        format!("dX = (-beta X / 2 - beta score) dt + sqrt(beta) dW backwards, {beta}, data {data}")
    }

    fn predict(&self, _start: &[Law], times: &[f32]) -> Vec<Moments> {
        let end = times.last().copied().unwrap_or(NOISE);
        let (last, at_end) = (self.way.law(end).variance(), self.way.level(end).alpha);
        let of = |t: &f32| {
            let law = self.way.law(*t);
            // Run backwards the path has the law of the forward one: X(t) = alpha(t) / alpha(end) X(end) + fresh noise.
            let share = f64::from(self.way.level(*t).alpha / at_end);
            Moments::scalar(law.mean(), law.variance(), share * last)
        };
        times.iter().map(of).collect()
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        self.way.with(|forward, score| {
            let reverse = ReverseTime::new(forward, score, [0.0; 2 * BLOCK])?;
            steppers::additive(stepper, reverse, visitor)
        })
    }
}

/// The probability flow back from noise to a mixture, by its exact score: an equation without noise.
#[derive(Clone, Debug, clap::Args)]
pub struct FlowVp {
    #[command(flatten)]
    way: Way,
}

impl Process for FlowVp {
    const NAME: &'static str = "flow-vp";
    const STEPPER: &'static str = "heun";
    const STEPPERS: &'static [StepperName] = steppers::NOISE_FREE;
    const NOISE: &'static str = "which has no noise";
    backward!();

    fn equation(&self) -> String {
        let (beta, data) = (self.way.beta.equation(), self.way.data.describe());
        format!("dX = (-beta X / 2 - beta score / 2) dt backwards, {beta}, data {data}")
    }

    fn predict(&self, _start: &[Law], times: &[f32]) -> Vec<Moments> {
        let end = self.way.law(times.last().copied().unwrap_or(NOISE));
        let of = |t: &f32| {
            let law = self.way.law(*t);
            // Paths of a flow in one dimension keep their order.
            let with_end = monotone_covariance(&end, &law);
            Moments::scalar(law.mean(), law.variance(), with_end)
        };
        times.iter().map(of).collect()
    }

    fn visit<V: Visitor>(&self, stepper: StepperName, visitor: V) -> Option<V::Output> {
        self.way.with(|forward, score| {
            let flow = ProbabilityFlow::new(forward, score, [0.0; 2 * BLOCK])?;
            steppers::noise_free(stepper, flow, visitor)
        })
    }
}
