//! Work compiled several times over, and the choice among the copies while the program runs.
//!
//! The compiler may use no more than SSE2 in a program for any x86-64, which is a half to a quarter of a machine's width. A copy of
//! the hot code for wider vectors has to be asked for, function by function (`#[target_feature]`), and everything that the
//! function calls must be inlined into it, or it falls back to SSE2: hence a trait with a method that is always inlined,
//! where a closure could not promise it. The vectors' width changes no bit: the code has one fixed order of operations, and Rust
//! never contracts a product and a sum to one rounding.
//!
//! Crates for this were weighed: `pulp` brings six more and calls a closure, which was not inlined; `multiversion` generates the
//! same functions by a procedural macro. What remains is the one unsafe block below.

/// A way to compile the hot loops that this machine can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Something to do, compiled for each set.
pub trait Work {
    /// What it gives.
    type Output;

    /// Does it; every implementation needs `#[inline(always)]`, and so does what is hot in it.
    fn run(self) -> Self::Output;
}

impl InstructionSet {
    /// All that this machine has, from the plainest to the widest.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut sets = vec![Self(Set::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                sets.push(Self(Set::Avx2));
            }
            // What every processor with AVX-512 has, but for a line of accelerators.
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
            {
                sets.push(Self(Set::Avx512));
            }
        }
        sets
    }

    /// The widest that this machine has.
    #[must_use]
    pub fn widest() -> Self {
        Self::available().pop().unwrap_or(Self(Set::Portable))
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        }
    }

    /// Does the work by the copy compiled for this set.
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Set::Portable => work.run(),
            // SAFETY: `available` alone makes these values, after the processor and the system said that they have each of the
            // features that the function was compiled with.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { with_avx2(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { with_avx512(work) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
fn with_avx512<W: Work>(work: W) -> W::Output {
    work.run()
}
