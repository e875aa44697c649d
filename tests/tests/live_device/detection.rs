use super::{PATIENCE, WIDTH, device, everything, greet, tiny};
use mote_core::job::{CALIBRATION_NUMBERS, Level};
use mote_core::model::Model;
use mote_device::{By, Calibration, Client, Draw, Error, Status};
use mote_link::frame::{FRAME_MAX, Frame, Kind, Receiver};
use mote_link::message::{self, Answer, Judging, ModelInfo, Request};
use mote_tests::live::{CALIBRATION, Host, Wire, bits, normals};
use std::thread;
use std::time::Duration;

const SLIDE: &[u8] = include_bytes!("../../../core/tests/golden/v1-slide-random.mote");

/// A calibration of some levels of a model, whose numbers are none that a calibration gives and as good as any.
fn calibration(blob: &[u8], channels: usize, by: By, seeds: u32, levels: &[usize]) -> Calibration {
    let model = Model::parse(blob).unwrap();
    let level = |index: &usize| Level { index: *index, noise: model.network().levels().noise(*index).unwrap() };
    let levels: Vec<Level> = levels.iter().map(level).collect();
    let names: Vec<String> = (0..channels).map(|channel| format!("c{channel}")).collect();
    let numbers = normals(31, levels.len() * channels * CALIBRATION_NUMBERS);
    let numbers = numbers.into_iter().map(f32::abs).collect();
    let length = model.dim_in() / channels;
    let made = Calibration::of(blob, &names, length, by, seeds, &levels);
    Calibration { numbers, threshold: 0.0, ..made }
}

#[test]
fn scores_by_a_detector_have_the_bits_of_core_and_tell_alarms() {
    let small = everything();
    for (blob, channels, samples) in [(SLIDE, 2, &[1, 5, WIDTH / 2][..]), (&small[..], 1, &[0])] {
        let model = Model::parse(blob).unwrap();
        let (_board, line) = device(blob);
        let mut client = greet(line);
        let mut evaluations = 0;
        for (by, seeds, levels) in [(By::Sensors, 0, &[0, 2][..]), (By::Pattern, 2, &[1])] {
            let made = calibration(blob, channels, by, seeds, levels);
            for samples in samples {
                let slides = model.dim_out() < model.dim_in();
                let values = if slides { samples * channels } else { model.dim_in() };
                let mut window = normals(values as u64, values);
                window.iter_mut().skip(3).take(1).for_each(|x| *x = f32::NAN);
                let expected = Host(blob).detect(&window, &made);
                // A threshold just below the score, and the score itself.
                for (threshold, alarm) in [(expected.next_down(), true), (expected, false)] {
                    client.calibrate(&Calibration { threshold, ..made.clone() }).unwrap();
                    let found = client.detect(&window).unwrap();
                    assert_eq!((bits(&[found.score]), found.alarm), (bits(&[expected]), alarm), "{by:?} {samples}");
                    evaluations += levels.len() * seeds.max(1) as usize * if slides { *samples } else { 1 };
                }
            }
        }
        // A step an evaluation, so that the device listens between them.
        let counters = client.counters().unwrap();
        assert_eq!(counters.steps as usize, evaluations);
        assert_eq!(counters.windows as usize, 4 * samples.len());
    }
}

/// The reason and the number of a refusal.
fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> (Status, u32) {
    match result {
        Err(Error::Refused { status, detail }) => (status, detail),
        other => panic!("the device was to refuse, but: {other:?}"),
    }
}

#[test]
fn a_detector_that_makes_no_sense_is_refused_by_name() {
    let (_board, line) = device(SLIDE);
    let mut client = greet(line);
    let room = CALIBRATION as u32;
    let set_up = |seeds, channels, threshold, levels| Request::Detector {
        judging: Judging::Sensors,
        seeds,
        channels,
        threshold,
        levels,
    };
    assert_eq!(refusal(client.tell(&Request::Detect)), (Status::NoDetector, 0));
    assert_eq!(refusal(client.tell(&Request::Calibration { from: 0, values: &[0; 4] })), (Status::NoDetector, 0));
    for (request, expected) in [
        (set_up(0, 2, f32::NAN, &[0][..]), (Status::BadNumber, 0)),
        (set_up(65, 2, 0.0, &[0]), (Status::BadNumber, 0)),
        (set_up(0, 1, 0.0, &[0]), (Status::BadChannels, 2)),
        (set_up(0, 0, 0.0, &[0]), (Status::BadChannels, 2)),
        (set_up(0, 2, 0.0, &[]), (Status::NoSuchLevel, 0)),
        (set_up(0, 2, 0.0, &[1, 200]), (Status::NoSuchLevel, 1)),
        (set_up(0, 2, 0.0, &[0, 1, 2, 3, 4]), (Status::CalibrationTooLarge, room)),
        (set_up(0, 2, 0.0, &[0; 17]), (Status::CalibrationTooLarge, room)),
    ] {
        assert_eq!(refusal(client.tell(&request)), expected, "{request:?}");
        assert_eq!(refusal(client.tell(&Request::Detect)).0, Status::NoDetector);
    }
    client.tell(&set_up(1, 2, 0.0, &[0])).unwrap();
    let one = 1f32.to_le_bytes();
    fn part(from: u16, values: &[u8]) -> Request<'_> {
        Request::Calibration { from, values }
    }
    assert_eq!(refusal(client.tell(&part(1, &one))), (Status::CalibrationGap, 0));
    assert_eq!(refusal(client.tell(&part(0, &one[..3]))), (Status::CalibrationGap, 0));
    assert_eq!(refusal(client.tell(&part(0, &[0; 4 * 27]))), (Status::CalibrationTooLarge, 26));
    client.tell(&part(0, &one.repeat(13))).unwrap();
    // A mean square below 0, which any other number may be, and one that is no number.
    assert_eq!(refusal(client.tell(&part(13, &(-1f32).to_le_bytes()))), (Status::BadCalibration, 13));
    let wrong = [one, f32::INFINITY.to_le_bytes()].concat();
    assert_eq!(refusal(client.tell(&part(13, &wrong))), (Status::BadCalibration, 14));
    assert_eq!(refusal(client.tell(&Request::Detect)), (Status::CalibrationIncomplete, 13));
    client.tell(&part(13, &[one, (-1f32).to_le_bytes()].concat())).unwrap();
    client.tell(&part(15, &one.repeat(11))).unwrap();
    assert_eq!(refusal(client.tell(&part(26, &one))), (Status::CalibrationTooLarge, 26));

    assert_eq!(refusal(client.tell(&Request::Detect)), (Status::WindowIncomplete, 0));
    client.tell(&Request::Window { from: 0, values: &one.repeat(3) }).unwrap();
    assert_eq!(refusal(client.tell(&Request::Detect)), (Status::WindowIncomplete, 3));
    assert_eq!(refusal(client.detect(&[f32::NAN; 8])), (Status::AllMissing, 0));
    assert_eq!(refusal(client.detect(&[0.0, 1.0, f32::INFINITY, 0.0])), (Status::NotFinite, 2));
    let whole = client.detect(&[0.5; 8]).unwrap();
    assert!(whole.score.is_finite());
    // The window is used up, and the detector stays.
    assert_eq!(refusal(client.tell(&Request::Detect)), (Status::WindowIncomplete, 0));
    assert_eq!(client.detect(&[0.5; 8]).unwrap(), whole);
}

#[test]
fn a_detector_is_forgotten_with_its_session_and_its_model() {
    let (_board, line) = device(SLIDE);
    let mut client = greet(line);
    let made = calibration(SLIDE, 2, By::Sensors, 0, &[1]);
    client.calibrate(&made).unwrap();
    client.detect(&[0.5; 8]).unwrap();
    let mut next = Client::greet(client.into_line(), "a thread", PATIENCE).unwrap();
    assert_eq!(refusal(next.detect(&[0.5; 8])), (Status::NoDetector, 0));
    next.calibrate(&made).unwrap();
    next.update(&tiny(), |_| {}).unwrap();
    assert_eq!(refusal(next.tell(&Request::Detect)), (Status::NoDetector, 0));
    // And a calibration of the model before is not for this one.
    match next.calibrate(&made) {
        Err(error @ Error::OtherModel { .. }) => {
            let line = error.to_string();
            assert!(line.contains(&made.blob_crc32) && line.contains("--save-calibration"), "{line}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_detector_waits_for_the_job_that_runs() {
    let blob = everything();
    let (_board, line) = device(&blob);
    let mut client = greet(line);
    let made = calibration(&blob, 1, By::Pattern, 1, &[1]);
    client.calibrate(&made).unwrap();
    client.start_sample(&Draw { number: u32::MAX, ..Draw::default() }).unwrap();
    assert_eq!(refusal(client.calibrate(&made)).0, Status::Busy);
    assert_eq!(refusal(client.tell(&Request::Calibration { from: 0, values: &[0; 4] })).0, Status::Busy);
    assert_eq!(refusal(client.tell(&Request::Detect)).0, Status::Busy);
    client.cancel().unwrap();
    let window = normals(2, Model::parse(&blob).unwrap().dim_in());
    assert_eq!(bits(&[client.detect(&window).unwrap().score]), bits(&[Host(&blob).detect(&window, &made)]));
}

#[test]
fn a_device_that_is_older_than_detectors_is_told_of() {
    let (ours, mut theirs) = Wire::pair();
    let made = calibration(SLIDE, 2, By::Sensors, 0, &[1]);
    let crc = u32::from_str_radix(&made.blob_crc32, 16).unwrap();
    let bytes = made.blob_bytes;
    // It knows a model and a greeting, and to it every request of a later number is malformed.
    thread::spawn(move || {
        let mut receiver = Receiver::new();
        while let Ok(Some(byte)) = mote_device::Line::receive(&mut theirs, Duration::from_secs(20)) {
            let Some(Ok(frame)) = receiver.push(byte) else { continue };
            let answer = match frame.payload.first() {
                Some(0) => Answer::Welcome { version: mote_link::VERSION, board: "old", running: Some(0) },
                Some(1) => Answer::Model(ModelInfo { bytes, crc, ..ModelInfo::default() }),
                _ => Answer::Refused { status: Status::Malformed, detail: 0 },
            };
            let mut out = [0; FRAME_MAX];
            let length = message::write(Kind::Answer, frame.session, frame.sequence, &answer, &mut out).unwrap();
            mote_device::Line::send(&mut theirs, &out[..length]).unwrap();
        }
    });
    let error = greet(ours).calibrate(&made).unwrap_err();
    assert!(matches!(error, Error::NoDetection) && error.to_string().contains("image"), "{error}");
}

#[test]
fn the_seed_of_fuzzing_is_a_conversation_that_scores_a_window() {
    // As the fuzz target reads it: a byte of length, and a payload.
    let mut rest: &[u8] = include_bytes!("../../fuzz/seeds/detector");
    let (_board, mut line) = device(&tiny());
    let (mut receiver, mut sequence, mut last) = (Receiver::new(), 0, Vec::new());
    while let Some((length, after)) = rest.split_first() {
        let (payload, after) = after.split_at(usize::from(*length));
        let mut frame = [0; FRAME_MAX];
        let length = Frame { kind: Kind::Request, session: 1, sequence, payload }.write(&mut frame).unwrap();
        mote_device::Line::send(&mut line, &frame[..length]).unwrap();
        (rest, sequence) = (after, sequence + 1);
        last = loop {
            let byte = mote_device::Line::receive(&mut line, Duration::from_secs(20)).unwrap().expect("an answer");
            if let Some(frame) = receiver.push(byte) {
                break frame.unwrap().payload.to_vec();
            }
        };
    }
    // A score, and whether it is an alarm.
    assert!(matches!(message::read(&last), Some(Answer::Values { of: 2, .. })), "{last:?}");
}
