//! Samplers as tables of rows, and the one loop that runs them.
//!
//! A [`PlanBuilder`] turns a solver and a list of noise levels into rows of coefficients, so the loop ([`Run`]) knows none of them and
//! needs no exponential, logarithm or sine. A sampler is one file with one type that implements [`PlanBuilder`] and the names it goes
//! by, and one line in the list below.

mod builder;
mod digest;
#[cfg(test)]
mod moments;
mod named;
mod plan;
mod pure_noise;
mod run;
mod straight_flow;

pub use ancestral::AncestralVariance;
pub use builder::{PlanBuilder, start_scale};
pub use digest::Digest;
pub use named::Named;
pub use plan::{HISTORY_MAX, Plan, ROW_BYTES, Row};
pub use run::{Run, SampleOptions, Workspace};

/// Declares each sampler's module, its variant of [`Sampler`] and its names from one line `file::Type`.
macro_rules! samplers {
    ($($file:ident :: $sampler:ident,)*) => {
        $(
            mod $file;
            pub use $file::$sampler;
        )*

        /// The samplers, as one closed list.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Sampler {
            $(#[doc = concat!("[`", stringify!($sampler), "`].")] $sampler($sampler),)*
        }

        impl Sampler {
            fn solver(&self) -> &dyn PlanBuilder {
                match self {
                    $(Self::$sampler(solver) => solver,)*
                }
            }

            fn solver_mut(&mut self) -> &mut dyn PlanBuilder {
                match self {
                    $(Self::$sampler(solver) => solver,)*
                }
            }
        }

        /// What the samplers are called, file after file.
        const NAMES: &[&[Named]] = &[$($file::NAMES,)*];
    };
}

// The list: a new sampler is a file beside this one and a line here.
samplers! {
    ancestral::Ancestral,
    ddim::Ddim,
    dpm_solver::DpmSolver2M,
    unipc::UniPc2,
    ipndm::Ipndm,
    heun::Heun,
    reverse_sde::ReverseSde,
    flow_euler::FlowEuler,
    flow_midpoint::FlowMidpoint,
    flow_rk4::FlowRk4,
    annealed_langevin::AnnealedLangevin,
    predictor_corrector::PredictorCorrector,
}
