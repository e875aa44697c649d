//! Few evaluations: a student that learns to go in one step where its teacher takes many.
//!
//! The probability flow is a map from noise to data. The teacher walks it in small steps; a student of N levels learns, at each of
//! its levels, the network output with which one DDIM step lands where the teacher's walk from there passes the next level,
//! and after the last level the data. With one level this is the distillation of Luhman and Luhman 2021 ("Knowledge distillation in
//! iterative generative models for improved sampling speed"); the targets are those of progressive distillation (Salimans
//! and Ho 2022, "Progressive distillation for fast sampling of diffusion models", appendix G), taken from the first teacher at once
//! instead of over halvings, so that errors do not add up from student to student.
//!
//! The student has the teacher's shape and prediction and starts from its weights. It is a network like any other: quantised, sampled
//! (by `ddim` over its levels) and shipped in the same way.

mod student;
mod targets;
mod trajectories;

pub use student::{Student, StudentOptions};
pub use targets::{Targets, student_rows};
pub use trajectories::{Trajectories, Walk, trajectories};
