use super::{ARENA, PATIENCE, WIDTH, device, everything, greet, tiny};
use mote_device::{Client, Draw, Error, Patience, Place, Status};
use mote_link::VERSION;
use mote_link::frame::{FRAME_MAX, Kind, Receiver};
use mote_link::message::{self, Answer, Request};
use mote_tests::live::{Board, Wire, memory};
use mote_tests::random_model::RandomModel;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

/// The reason and the number of a refusal.
fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> (Status, u32) {
    match result {
        Err(Error::Refused { status, detail }) => (status, detail),
        other => panic!("the device was to refuse, but: {other:?}"),
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let (_board, line) = device(&everything());
    let mut client = greet(line);
    let info = client.model().unwrap();
    let (plans, classes, dim) = (info.plans, info.classes, usize::from(info.dim_in));
    let draw = Draw::default();
    let cases = [
        (Draw { plan: plans, ..draw }, (Status::NoSuchPlan, plans.into())),
        (Draw { class: Some(classes), ..draw }, (Status::NoSuchClass, classes.into())),
        (Draw { class: Some(0), guidance: Some(f32::INFINITY), ..draw }, (Status::BadNumber, 0)),
    ];
    for (draw, expected) in cases {
        assert_eq!(refusal(client.sample(&draw)), expected);
    }
    assert!(
        matches!(client.denoise(&vec![0.0; dim - 1], 0.1, None), Err(Error::Width { found, .. }) if found == dim - 1)
    );
    for noise in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(refusal(client.denoise(&vec![0.0; dim], noise, None)).0, Status::BadNumber);
    }
    let mut window = vec![0.0; dim];
    window[2] = f32::NEG_INFINITY;
    assert_eq!(refusal(client.score(&window, 0.1, 0, None)), (Status::NotFinite, 2));
    assert_eq!(refusal(client.denoise(&vec![f32::NAN; dim], 0.1, None)).0, Status::AllMissing);
    let (one, many) = ([0; 4], [0; 4 * 56]);
    let parts: [(u16, &[u8], (Status, u32)); 4] = [
        (1, &one, (Status::WindowGap, dim as u32)),
        (0, &one[..3], (Status::WindowGap, 0)),
        (0, &many, (Status::WindowTooWide, dim as u32)),
        (u16::MAX, &one, (Status::WindowGap, 0)),
    ];
    for (from, values, expected) in parts {
        assert_eq!(refusal(client.tell(&Request::Window { from, values })), expected, "{from}");
    }
    client.tell(&Request::Window { from: 0, values: &one }).unwrap();
    let denoise = Request::Denoise { noise: 0.5, class: None };
    assert_eq!(refusal(client.tell(&denoise)), (Status::WindowIncomplete, 1));
    assert_eq!(refusal(client.tell(&Request::Values { from: 0 })), (Status::NoValues, 0));
    assert_eq!(refusal(client.select(2)), (Status::NoSuchSlot, 2));
    assert_eq!(refusal(client.tell(&Request::UpdateCommit)).0, Status::NoUpdate);
    client.start_sample(&Draw { number: u32::MAX, ..draw }).unwrap();
    let busy = [Request::SelfTest, Request::Window { from: 0, values: &one }, denoise];
    for request in busy {
        assert_eq!(refusal(client.tell(&request)).0, Status::Busy, "{request:?}");
    }
    client.cancel().unwrap();
    assert_eq!(client.counters().unwrap().refused, 20);
}

#[test]
fn a_centre_denoiser_is_no_sampler() {
    let (_board, line) = device(&RandomModel { centre: Some(3), ..RandomModel::small_with_everything() }.blob());
    assert_eq!(refusal(greet(line).sample(&Draw::default())).0, Status::NotASampler);
}

#[test]
fn a_model_that_fills_gaps_neither_denoises_nor_scores() {
    let (_board, line) = device(&RandomModel::gaps().blob());
    let mut client = greet(line);
    let (denoise, score) =
        (Request::Denoise { noise: 0.1, class: None }, Request::Score { noise: 0.1, seed: 0, class: None });
    client.tell(&Request::Window { from: 0, values: &[0; 4] }).unwrap();
    for request in [denoise, score] {
        assert_eq!(refusal(client.tell(&request)), (Status::FillsGaps, 0), "{request:?}");
    }
    assert_eq!(refusal(client.sample(&Draw::default())).0, Status::NotASampler);
}

#[test]
fn a_device_without_a_model_says_so_and_can_be_given_one() {
    let (_board, line) = device(&[]);
    let mut client = greet(line);
    for request in [Request::Model, Request::SelfTest, Request::Denoise { noise: 1.0, class: None }] {
        assert_eq!(refusal(client.tell(&request)).0, Status::NoModel);
    }
    client.update(&tiny(), |_| {}).unwrap();
    assert_eq!(client.model().unwrap().bytes as usize, tiny().len());
}

#[test]
fn a_session_that_another_host_ended_is_told_so() {
    let (_board, line) = device(&tiny());
    let mut first = Client::greet_as(line, "a thread", PATIENCE, 1).unwrap();
    let mut frame = [0; FRAME_MAX];
    let hello = Request::Hello { version: VERSION };
    let length = message::write(Kind::Request, 2, 0, &hello, &mut frame).unwrap();
    mote_device::Line::send(first.line(), &frame[..length]).unwrap();
    assert_eq!(refusal(first.model()).0, Status::OldSession);
}

#[test]
fn another_version_is_told_with_both_versions_and_the_way_out() {
    let (ours, mut theirs) = Wire::pair();
    // A device of the next version, which answers any greeting as the protocol promises for good.
    thread::spawn(move || {
        let mut receiver = Receiver::new();
        while let Ok(Some(byte)) = mote_device::Line::receive(&mut theirs, Duration::from_secs(10)) {
            let Some(Ok(frame)) = receiver.push(byte) else { continue };
            let answer = Answer::Refused { status: Status::OtherVersion, detail: u32::from(VERSION) + 1 };
            let mut out = [0; FRAME_MAX];
            let length = message::write(Kind::Answer, frame.session, frame.sequence, &answer, &mut out).unwrap();
            mote_device::Line::send(&mut theirs, &out[..length]).unwrap();
        }
    });
    let error = Client::greet(ours, "port 9", PATIENCE).unwrap_err().to_string();
    assert!(
        error.starts_with("the device at port 9 speaks version 2 of the protocol, and this program version 1: "),
        "{error}"
    );
    assert!(error.contains("image") && !error.contains('\n'));

    // And this device, greeted by a host of another version.
    let (_board, mut line) = device(&tiny());
    let mut frame = [0; FRAME_MAX];
    let length = message::write(Kind::Request, 5, 0, &Request::Hello { version: 9 }, &mut frame).unwrap();
    mote_device::Line::send(&mut line, &frame[..length]).unwrap();
    let mut receiver = Receiver::new();
    loop {
        let byte = mote_device::Line::receive(&mut line, Duration::from_secs(10)).unwrap().unwrap();
        if let Some(frame) = receiver.push(byte) {
            // The bytes that will never change: refused, of another version, and this device's.
            assert_eq!(frame.unwrap().payload, [0, 0, VERSION as u8]);
            break;
        }
    }
}

#[test]
fn a_line_that_says_nothing_and_one_that_is_not_there_are_told_apart() {
    let brief = Patience { answer: Duration::from_millis(2), tries: 3, ..PATIENCE };
    let (ours, _theirs) = Wire::pair();
    let error = Client::greet(ours, "a wire", brief).unwrap_err();
    assert!(matches!(error, Error::Silent { tries: 3, .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("no answer from the device at a wire, asked 3 times in 0.0 s (3 time-out here); check")
    );

    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let places = [
        Place::Tcp(address),
        Place::Unix("/nowhere/line".into()),
        Place::Serial { port: "/nowhere/tty".into(), baud: 115_200 },
    ];
    for place in places {
        let name = place.name();
        let Err(error) = place.open() else { panic!("{name} is there") };
        assert!(error.to_string().starts_with(&format!("cannot reach the device at {name} (")), "{error}");
    }
}

#[test]
fn a_model_that_the_image_has_no_room_for_is_refused_by_name() {
    let blob = everything();
    for (arena, width, verdict) in [(64, WIDTH, "arena"), (ARENA, 1, "width")] {
        let (ours, theirs) = Wire::pair();
        let _board = Board::start(theirs, memory(super::ROOM, &mote_device::slot_image(&blob).unwrap()), arena, width);
        let mut client = greet(ours);
        let report = client.boot_report().unwrap();
        assert_eq!((report.running, report.slots[0].verdict.name()), (None, verdict));
        assert_eq!(refusal(client.model()).0, Status::NoModel);
    }
}
