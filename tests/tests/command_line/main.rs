//! The `mote` command, end to end: what it writes, what it says and how it ends.
//!
//! The tests run the binary, which `cargo build --release -p mote-cli` makes; `MOTE_BIN` names another.

mod bad_arguments;
mod bad_data;
mod damaged_files;
mod demo;
mod denoise;
mod detect;
mod determinism;
mod device;
mod export;
mod few_evaluations;
mod firmware;
mod fit;
mod foreign_files;
mod gallery;
mod gaps;
mod help;
mod import;
mod impute;
mod interruption;
mod killed;
mod mote;
mod quality;
mod report;
mod sampling;
mod score_1d;
mod simulate;
mod synth;
mod tables;
mod theory;
mod training;
