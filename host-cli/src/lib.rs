//! Mote's host side: data, training, quantisation, sampling, reports and the command line.
//!
//! | module | holds |
//! |---|---|
//! | [`data`] | tables, splits and scaling |
//! | [`recipe`], [`run`] | every choice of a run as TOML, and the folder of a run |
//! | [`network`], [`noise`], [`train`], [`checkpoint`] | the float network and its training, the only place that knows dfdx |
//! | [`gaps`] | signals with values taken out, and the autoregression that fills them first |
//! | [`import`] | a network trained elsewhere as a run |
//! | [`training_run`] | training with progress, metrics, interruption and resume |
//! | [`plan`], [`denoiser`], [`pool`] | samplers by name, the float network in core's sampler, many samples at once |
//! | [`quantize`] | calibration and export of a blob |
//! | [`metrics`] | distances between sample sets |
//! | [`likelihood`] | the probability flow's density and the variational bound of test rows |
//! | [`evaluation`], [`inspection`], [`report`] | quality beside the floor, what a blob holds, the page of a run |
//! | [`score_1d`] | the smallest complete diffusion model, on a line |
//! | [`jobs`] | what models are for: signals denoised |
//! | [`synth`] | labelled rows from labelled rows, and whether a classifier is better with them |
//! | [`board`] | a blob under QEMU, beside the host |
//! | [`commands`] | the command line, one verb a file |
//! | [`export`] | a model as sources for firmware |
//! | [`files`] | atomic writing |

pub mod board;
pub mod checkpoint;
pub mod commands;
pub mod data;
pub mod denoiser;
pub mod distill;
pub mod evaluation;
pub mod export;
pub mod files;
pub mod fit;
pub mod gaps;
pub mod import;
pub mod inspection;
pub mod jobs;
pub mod likelihood;
pub mod metrics;
pub mod network;
pub mod noise;
pub mod plan;
pub mod pool;
pub mod quantize;
pub mod recipe;
pub mod report;
pub mod run;
pub mod score_1d;
pub mod search;
pub mod synth;
pub mod train;
pub mod training_run;
