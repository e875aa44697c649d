//! Simulations of the processes by name: settings from the command line, a checked plan, blocks of paths in order, and a table of
//! moments beside what the theory says of them.
//!
//! A process is a file in `process` and a line in [`Processes`].

mod coupling;
mod density;
mod erased;
mod join;
mod moments;
mod oscillator;
mod plan;
mod process;
mod report;
mod rows;
mod run;
mod settings;
mod start;
mod steppers;

pub use join::join;
pub use moments::PairSums;
pub use plan::{Plan, Saved};
pub use process::{Moments, Process};
pub use report::{Line, Quantity, Report};
pub use rows::{Kind, Rows, file_bytes, npy_header, npy_states};
pub use run::{Sink, Stop};
pub use settings::{Save, Settings, Shard, Simulation};
pub use start::{Law, Part, Start};
pub use steppers::{StepperName, Visitor};

use rayon::ThreadPool;

/// A simulation of some process.
pub trait AnySimulation {
    /// The settings that all processes have.
    fn settings(&self) -> &Settings;

    /// Checks the settings.
    ///
    /// # Errors
    /// One line that names the flag and the way out.
    fn plan(&self) -> Result<Plan, String>;

    /// Runs a plan of this simulation on the threads of a pool; the same report for any number.
    ///
    /// # Errors
    /// [`Stop`].
    fn run(&self, plan: &Plan, pool: &ThreadPool, sink: &mut dyn Sink) -> Result<Report, Stop>;
}

impl<P: Process> AnySimulation for Simulation<P> {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn plan(&self) -> Result<Plan, String> {
        Plan::of(self)
    }

    fn run(&self, plan: &Plan, pool: &ThreadPool, sink: &mut dyn Sink) -> Result<Report, Stop> {
        let unfit = || Stop::Io(std::io::Error::other("the plan is of another simulation"));
        let start = self.process.start(plan.start).ok_or_else(unfit)?;
        let times: Vec<f32> = plan.reported.iter().map(|steps| plan.time(*steps)).collect();
        let predicted = pool.install(|| self.process.predict(&start, &times));
        let drive = run::Drive { plan, start: &start, predicted: &predicted, pool, sink };
        let sums = self.process.visit(plan.stepper, drive).ok_or_else(unfit)??;
        let rows = report::lines(plan, &sums, &report::predictions(&predicted));
        Ok(Report { plan: plan.clone(), out: None, rows, sums })
    }
}

/// The list of all processes: what the subcommand is called, its help, and its type.
macro_rules! processes {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// The processes that can be simulated, with their flags.
        #[derive(Clone, Debug, clap::Subcommand)]
        pub enum Processes {
            $($(#[$doc])* $name(Box<Simulation<process::$name>>),)+
        }

        impl Processes {
            /// The simulation.
            #[must_use]
            pub fn get(&self) -> &dyn AnySimulation {
                match self {
                    $(Self::$name(simulation) => &**simulation,)+
                }
            }
        }

        #[cfg(test)]
        mod pairs {
            use super::*;

            #[test]
            fn the_steppers_that_a_process_names_are_those_that_it_can_be_paired_with() {
                $(tests::assert_pairs::<process::$name>();)+
            }
        }
    };
}

processes! {
    /// Brownian motion, dX = scale dW
    #[command(after_help = "Example: mote simulate brownian --scale 2 --horizon 3 --out finals.npy")]
    Brownian,
    /// The Ornstein-Uhlenbeck process, dX = rate (mean - X) dt + diffusion dW
    #[command(after_help = "Example: mote simulate ou --rate 2 --start stationary --stepper exact-ou --steps 10")]
    Ou,
    /// Geometric Brownian motion, dX = growth X dt + volatility X dW
    #[command(after_help = "Example: mote simulate gbm --volatility 0.5 --stepper milstein --dt 0.01")]
    Gbm,
    /// Overdamped Langevin motion in a spring, dX = -stiffness X dt + noise dW
    #[command(after_help = "Example: mote simulate langevin --stiffness 4 --start stationary --horizon 2")]
    Langevin,
    /// Overdamped motion in two wells, U = barrier ((x / half-distance)^2 - 1)^2
    #[command(after_help = "Example: mote simulate double-well --barrier 2 --noise 1.2 --horizon 10 --paths 1000 --save paths --every 10 --out wells.csv")]
    DoubleWell,
    /// Underdamped Langevin motion, dv = -friction v dt - stiffness q dt + noise dW
    #[command(after_help = "Example: mote simulate underdamped --stiffness 4 --friction 0.5 --start 1 --horizon 5 --stepper shark")]
    Underdamped,
    /// The variance-preserving forward process of diffusion models
    #[command(after_help = "Example: mote simulate vp --means=-2,2 --deviations 0.5 --times 10")]
    Vp,
    /// The sub-VP forward process
    #[command(after_help = "Example: mote simulate sub-vp --start 1 --stepper sra1 --steps 100")]
    SubVp,
    /// The variance-exploding forward process
    #[command(after_help = "Example: mote simulate ve --sigma-max 50 --stepper shark")]
    Ve,
    /// Anderson's SDE back from noise to a mixture by its exact score
    #[command(after_help = "Example: mote simulate reverse-vp --means=-3,3 --deviations 0.5 --out samples.npy")]
    ReverseVp,
    /// The probability flow back from noise to a mixture by its exact score
    #[command(after_help = "Example: mote simulate flow-vp --means=-3,3 --weights 1,2 --stepper rk4 --steps 200")]
    FlowVp,
}

#[cfg(test)]
mod tests;
