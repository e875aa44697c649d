use super::{device, everything};
use mote_core::model::Model;
use mote_device::{Client, Draw, Patience};
use mote_tests::live::{Chaos, Host, Spoilt, bits, normals};
use std::time::Duration;

/// Of 256 frames in each direction, those lost, and as many repeated, delayed and damaged.
const SHARE: u32 = 12;
const CONNECTIONS: u64 = 200;

#[test]
fn two_hundred_bad_connections_give_right_answers_and_count_every_fault() {
    let blob = everything();
    let dim = Model::parse(&blob).unwrap().dim_in();
    let host = Host(&blob);
    let (board, mut line) = device(&blob);
    let brief = Patience { answer: Duration::from_millis(4), tries: 2000, poll: Duration::ZERO };
    let (mut there, mut back, mut requests, mut samples) = (Spoilt::default(), Spoilt::default(), 0, 0);
    let (mut noticed, mut heard, mut late) = (0, 0, 0);
    let mut denoised = None;
    for seed in 0..CONNECTIONS {
        let chaos = Chaos::new(line, seed, SHARE);
        let mut client = Client::greet_as(chaos, "a bad line", brief, seed as u32 + 1).unwrap();
        for number in 0..2 {
            let draw = Draw { plan: (seed % 2) as u16, seed, number, class: Some((seed % 2) as u16), guidance: None };
            assert_eq!(bits(&client.sample(&draw).unwrap()), host.sample(&draw), "connection {seed}");
            samples += 1;
        }
        let window = client.denoise(&normals(1, dim), 0.5, None).unwrap();
        assert_eq!(*denoised.get_or_insert(bits(&window)), bits(&window), "connection {seed}");
        let tally = client.tally();
        requests += tally.requests;
        noticed += tally.noticed.iter().sum::<u32>();
        heard += tally.faults.iter().sum::<u32>();
        late += tally.late;
        let chaos = client.into_line();
        for (sum, spoilt) in [&mut there, &mut back].into_iter().zip(<[Spoilt; 2]>::from(chaos.spoilt())) {
            sum.add(&spoilt);
        }
        line = chaos.into_inner();
    }
    // Over the good line below them: what the device counted.
    let mut client = super::greet(line);
    let counters = client.counters().unwrap();
    println!("{CONNECTIONS} connections, {requests} requests\nto the device {there:?}\nfrom it {back:?}\n{counters:?}");
    println!("host: {noticed} faults noticed by the device, {heard} heard, {late} late answers");
    // Each carried out once: those of the connections, the last greeting, and this question, which is counted after its answer is made.
    assert_eq!((counters.requests, counters.samples, counters.windows), (requests + 1, samples, CONNECTIONS as u32));
    assert_eq!(counters.refused as usize > 0, there.delayed > 0);
    assert!(counters.repeated >= there.repeated / 2 && late > 0);
    // A damaged frame is one fault, or two where a zero was made of a byte.
    let faults = counters.faults.iter().sum::<u32>();
    assert!(there.damaged > 100 && (there.damaged..=2 * there.damaged).contains(&faults), "{faults}");
    // Those that came after a client had its last answer were never read.
    assert!(heard > back.damaged / 2 && heard <= 2 * back.damaged, "{heard}");
    assert!(noticed > faults / 2, "{noticed}");
    drop(client);
    board.end();
}
