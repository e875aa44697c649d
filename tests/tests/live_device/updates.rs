use super::{ROOM, device, everything, greet, tiny};
use mote_device::{Draw, Error, Status, Verdict};
use mote_link::frame::checksum;
use mote_link::message::Request;
use mote_tests::live::{Host, bits};
use mote_tests::random_model::RandomModel;

fn verdicts(report: &mote_device::BootReport) -> [Verdict; 2] {
    report.slots.map(|slot| slot.verdict)
}

#[test]
fn an_update_replaces_the_model_and_a_restart_finds_it() {
    let (old, new) = (tiny(), everything());
    let (board, line) = device(&old);
    let mut client = greet(line);
    let before = client.boot_report().unwrap();
    assert_eq!((before.running, verdicts(&before)), (Some(0), [Verdict::Good, Verdict::Empty]));
    let mut last = 0;
    client.update(&new, |written| last = written.bytes).unwrap();
    assert_eq!(last, new.len());
    let draw = Draw { seed: 9, ..Draw::default() };
    assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&new).sample(&draw));
    let after = client.boot_report().unwrap();
    assert_eq!((after.running, verdicts(&after)), (Some(1), [Verdict::Standby, Verdict::Good]));
    assert_eq!(client.restart().unwrap(), after);
    // The old one can be had back until the next start.
    client.select(0).unwrap();
    assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&old).sample(&draw));
    assert_eq!(client.restart().unwrap().running, Some(1));
    // Ten more, in turns.
    for turn in 0..10 {
        let blob = if turn % 2 == 0 { &old } else { &new };
        client.update(blob, |_| {}).unwrap();
        let report = client.restart().unwrap();
        assert_eq!(report.running, Some(turn % 2));
        assert_eq!(report.slots[usize::from(turn % 2)].sequence, 3 + u32::from(turn));
        assert_eq!(bits(&client.sample(&draw).unwrap()), Host(blob).sample(&draw));
    }
    drop(client);
    board.end();
}

#[test]
fn a_model_that_fails_a_check_is_never_run_and_the_reason_has_a_name() {
    let old = tiny();
    let (_board, line) = device(&old);
    let mut client = greet(line);
    let mut not_a_model = everything();
    not_a_model[0] ^= 1;
    // A self-test of another machine: its digest is changed, and the blob's own checksum made right.
    let mut other_bits = everything();
    other_bits[64] ^= 1;
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&other_bits[..12]);
    digest.update(&other_bits[16..]);
    let sum = digest.finalize().to_le_bytes();
    other_bits[12..16].copy_from_slice(&sum);
    let large = RandomModel { dim: 65, ..RandomModel::tiny() }.blob();
    let cases = [(not_a_model, Verdict::Model), (other_bits, Verdict::SelfTest), (large, Verdict::Width)];
    for (blob, verdict) in cases {
        let error = client.update(&blob, |_| {}).unwrap_err();
        let Error::Refused { status: Status::UpdateRefused, detail } = error else { panic!("{error}") };
        assert_eq!(detail, verdict.code());
        assert!(error.to_string().contains(verdict.name()), "{error}");
        let report = client.restart().unwrap();
        assert_eq!((report.running, verdicts(&report)), (Some(0), [Verdict::Good, Verdict::Empty]));
        let draw = Draw::default();
        assert_eq!(bits(&client.sample(&draw).unwrap()), Host(&old).sample(&draw));
    }
}

#[test]
fn steps_of_an_update_out_of_their_order_are_refused_by_name() {
    let (_board, line) = device(&tiny());
    let mut client = greet(line);
    let blob = everything();
    let (bytes, crc) = (blob.len() as u32, checksum(&blob));
    let mut refused = |request: Request<'_>| match client.tell(&request) {
        Err(Error::Refused { status, detail }) => Some((status, detail)),
        other => other.map(|()| None).unwrap(),
    };
    let none = Some((Status::NoUpdate, 0));
    assert_eq!(refused(Request::UpdateWrite { offset: 0, bytes: &blob[..32] }), none);
    assert_eq!((refused(Request::UpdateVerify), refused(Request::UpdateAbort)), (none, none));
    let room = ROOM as u32 - 64;
    for (bytes, expected) in [(0, Status::BadLength), (33, Status::BadLength), (room + 16, Status::TooLarge)] {
        assert_eq!(refused(Request::UpdateBegin { bytes, crc }), Some((expected, room)));
    }
    assert_eq!(refused(Request::UpdateBegin { bytes, crc: crc ^ 1 }), None);
    assert_eq!(refused(Request::UpdateCommit), Some((Status::NotVerified, 0)));
    assert_eq!(refused(Request::UpdateWrite { offset: 0, bytes: &blob[..64] }), None);
    for (offset, length) in [(0, 32), (32, 32), (64, 0), (64, 33), (96, 32), (u32::MAX, 32)] {
        let part = &blob[..length];
        assert_eq!(refused(Request::UpdateWrite { offset, bytes: part }), Some((Status::UpdateGap, 64)));
    }
    assert_eq!(refused(Request::UpdateVerify), Some((Status::UpdateIncomplete, 64)));
    for (part, offset) in blob[64..].chunks(224).zip((64..).step_by(224)) {
        assert_eq!(refused(Request::UpdateWrite { offset, bytes: part }), None);
    }
    assert_eq!(refused(Request::UpdateVerify), Some((Status::UpdateRefused, Verdict::Checksum.code())));
    assert_eq!(refused(Request::UpdateCommit), Some((Status::NotVerified, 0)));
    assert_eq!(refused(Request::UpdateAbort), None);
}
