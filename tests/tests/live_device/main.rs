//! A live device in a thread of this process: right answers over good and bad lines, refusals by name, updates, and what cannot be brought down.

mod chaos;
mod detection;
mod jobs;
mod refusals;
mod storm;
mod updates;

use mote_device::{Client, Line, Patience, slot_image};
use mote_tests::live::{Board, Wire, memory};
use mote_tests::random_model::RandomModel;
use std::time::Duration;

/// Bytes of working memory of the tests' devices.
const ARENA: usize = 4096;
/// The widest window that they take.
const WIDTH: usize = 64;
/// Bytes of a slot.
const ROOM: usize = 16 * 1024;

/// For a line that is good: long enough for a busy machine.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(20), tries: 2, poll: Duration::from_millis(1) };

/// A device that runs this model, and its line.
fn device(blob: &[u8]) -> (Board, Wire) {
    let (ours, theirs) = Wire::pair();
    let slot = if blob.is_empty() { Vec::new() } else { slot_image(blob).unwrap() };
    (Board::start(theirs, memory(ROOM, &slot), ARENA, WIDTH), ours)
}

fn greet<L: Line>(line: L) -> Client<L> {
    Client::greet(line, "a thread", PATIENCE).unwrap()
}

/// Two components, no classes, two plans.
fn tiny() -> Vec<u8> {
    RandomModel::tiny().blob()
}

/// Every feature of the format: classes, a stochastic plan.
fn everything() -> Vec<u8> {
    RandomModel::small_with_everything().blob()
}
