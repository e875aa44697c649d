//! Mote's host side: training, files and the command line.

pub mod checkpoint;
pub mod network;
pub mod train;
