//! A live device in QEMU, over its serial port: the host's bits, an update from end to end, a storm of frames, bad connections.

use mote_core::job::CALIBRATION_NUMBERS;
use mote_core::model::Model;
use mote_device::{By, Calibration, Client, Draw, EmulatedBoard, Line, Patience, Place, Verdict};
use mote_qemu::BOARDS;
use mote_tests::live::{Chaos, Host, Storm, bits, normals};
use mote_tests::qemu::{forbidden_symbols, serve_images};
use mote_tests::random_model::RandomModel;
use std::time::Duration;

/// For a good line; the emulator may have to wait for the machine.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(20), tries: 3, poll: Duration::from_millis(2) };

/// The default board, running this model, or `None`, loudly, where a tool is missing.
fn board(blob: &[u8]) -> Option<(Box<dyn Line>, Option<EmulatedBoard>)> {
    mote_tests::qemu::image()?;
    let place = Place::Emulated { board: Box::new(BOARDS[0]), model: Some(blob.to_vec()), arena_bytes: 16384 };
    Some(place.open().unwrap())
}

fn greet<L: Line>(line: L) -> Client<L> {
    Client::greet(line, "QEMU", PATIENCE).unwrap()
}

#[test]
fn every_board_gives_the_hosts_bits_over_its_serial_port_and_takes_an_update() {
    let old = RandomModel::tiny().blob();
    let new = RandomModel::small_with_everything().blob();
    let images = serve_images();
    for image in &images {
        let name = image.board().name;
        assert_eq!(forbidden_symbols(image, "mote_link"), Vec::<String>::new(), "{name}");
        let size = image.size().unwrap();
        println!("{name}: {} bytes of flash, {} of statics", size.flash, size.statics);
        let arena_bytes = if image.board().ram.bytes < 0x1_0000 { 4096 } else { 16384 };
        let place = Place::Emulated { board: Box::new(*image.board()), model: Some(old.clone()), arena_bytes };
        let (line, _board) = place.open().unwrap();
        let mut client = greet(line);
        assert_eq!(client.board(), name);
        let draw = Draw { seed: 5, number: 3, plan: 1, ..Draw::default() };
        assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&old).sample(&draw), "{name}");
        client.update(&new, |_| {}).unwrap();
        let report = client.restart().unwrap();
        assert_eq!((report.running, report.slots[0].verdict), (Some(1), Verdict::Standby), "{name}");
        let draw = Draw { class: Some(1), guidance: Some(2.0), ..draw };
        assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&new).sample(&draw), "{name}");
        let (expected, computed) = client.self_test().unwrap();
        assert_eq!(expected, computed, "{name}");
        let window = normals(8, Model::parse(&new).unwrap().dim_in());
        let clean = client.denoise(&window, 0.4, None).unwrap();
        for (found, expected) in clean.iter().zip(Host(&new).denoise(&window, 0.4, None)) {
            assert!((f64::from(*found) - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{name}: {found} {expected}");
        }
        // A detector of one channel: its window has the bits of the host, whole at once.
        let made = calibration(&new);
        client.calibrate(&made).unwrap();
        let found = client.detect(&window).unwrap();
        let expected = Host(&new).detect(&window, &made);
        assert_eq!((found.score.to_bits(), found.alarm), (expected.to_bits(), expected > made.threshold), "{name}");
        let counters = client.counters().unwrap();
        assert_eq!((counters.samples, counters.windows, counters.faults), (2, 2, [0; 6]), "{name}");
        assert!(counters.instructions > 1000 * u64::from(counters.steps), "{name}: {counters:?}");
    }
}

/// A detector of two levels, with numbers that are none of its model's.
fn calibration(blob: &[u8]) -> Calibration {
    let model = Model::parse(blob).unwrap();
    let levels = [model.nearest_level(0.5), model.nearest_level(0.1)];
    let made = Calibration::of(blob, &["x".into()], model.dim_in(), By::Sensors, 1, &levels);
    let numbers = normals(6, levels.len() * CALIBRATION_NUMBERS).into_iter().map(f32::abs).collect();
    Calibration { numbers, ..made }
}

#[test]
fn ten_thousand_bad_frames_on_the_port_change_nothing() {
    // Thirty microseconds a byte, in a machine that has time.
    let frames = if cfg!(debug_assertions) && std::env::var_os("MOTE_LONG").is_none() { 2_000 } else { 10_000 };
    let blob = RandomModel::tiny().blob();
    let Some((mut line, _board)) = board(&blob) else { return };
    let mut storm = Storm::of_short_frames(7);
    let mut heard = 0u64;
    for frame in 0..frames {
        line.send(&storm.next_frame()).unwrap();
        // What comes back is taken now and then, so that neither side has to wait for the other.
        if frame % 16 == 0 {
            while line.receive(Duration::from_millis(1)).unwrap().is_some() {
                heard += 1;
            }
        }
    }
    // The line may still hold frames, and the device their answers.
    while line.receive(Duration::from_secs(1)).unwrap().is_some() {
        heard += 1;
    }
    let mut client = greet(line);
    let draw = Draw { seed: 5, number: 3, plan: 1, ..Draw::default() };
    assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&blob).sample(&draw));
    let counters = client.counters().unwrap();
    println!("{frames} frames, {heard} bytes of answers and notices while they came: {counters:?}");
    let faults: u32 = counters.faults.iter().sum();
    assert!(counters.frames > frames / 3 && faults > frames / 4, "{counters:?}");
    assert!(counters.faults.iter().take(5).all(|count| *count > 0) && counters.faults[5] == 0, "{counters:?}");
}

#[test]
fn bad_connections_to_the_port_give_right_answers() {
    // All 200 take some minutes.
    let connections = if std::env::var_os("MOTE_LONG").is_some() { 200 } else { 12 };
    let blob = RandomModel::tiny().blob();
    let Some((mut line, _board)) = board(&blob) else { return };
    let brief = Patience { answer: Duration::from_millis(60), tries: 500, poll: Duration::ZERO };
    let (mut requests, mut damaged) = (0, 0);
    for seed in 0..connections {
        let mut client = Client::greet_as(Chaos::new(line, seed, 12), "QEMU", brief, seed as u32 + 1).unwrap();
        let draw = Draw { seed, plan: (seed % 2) as u16, ..Draw::default() };
        assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&blob).sample(&draw), "connection {seed}");
        requests += client.tally().requests;
        let chaos = client.into_line();
        damaged += chaos.spoilt().0.damaged;
        line = chaos.into_inner();
    }
    let mut client = greet(line);
    let counters = client.counters().unwrap();
    println!("{connections} connections, {requests} requests, {damaged} damaged on the way there: {counters:?}");
    assert_eq!((counters.requests, u64::from(counters.samples)), (requests + 1, connections));
    let faults: u32 = counters.faults.iter().sum();
    assert!((damaged..=2 * damaged).contains(&faults) && damaged > 0, "{damaged} {faults}");
}
