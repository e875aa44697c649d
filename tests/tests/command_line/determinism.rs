//! One seed, one result: over runs, threads and batches.

use crate::mote::{Ended, Place};

fn digest(ended: &Ended) -> &str {
    ended.stderr.split("digest ").nth(1).expect("a digest").split_whitespace().next().unwrap()
}

#[test]
fn a_seed_decides_checkpoint_and_blob_on_any_number_of_threads() {
    let place = Place::new();
    place.trained("first", "--batch 300 --seed 3 --plan ddpm:9");
    for threads in ["1", "2", "5"] {
        let arguments = "train --data windows.csv --label state --hidden 16 --batch 300 --steps 60 --seed 3 --plan ddpm:9 --out again --force";
        let ended = Ended::of(place.command(arguments).env("RAYON_NUM_THREADS", threads).output().unwrap());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        for name in ["checkpoint.safetensors", "model.mote"] {
            assert_eq!(
                place.bytes(&format!("first/{name}")),
                place.bytes(&format!("again/{name}")),
                "{threads}: {name}"
            );
        }
    }
    place.trained("other", "--batch 300 --seed 4 --plan ddpm:9");
    assert_ne!(place.bytes("first/model.mote"), place.bytes("other/model.mote"));
}

#[test]
fn a_sample_is_the_same_alone_and_in_any_batch() {
    let place = Place::new();
    place.trained("run", "--class-conditional");
    for more in ["--plan dpm++2m:20", "--plan ddpm:20", "--plan ddpm:20 --class idle --guidance 2", "--float"] {
        let batch = place.ok(&format!("sample run --seed 9 --count 40 {more}"));
        let rows: Vec<_> = batch.stdout.lines().skip(1).collect();
        assert_eq!(rows.len(), 40);
        for number in [0, 1, 17, 39] {
            let alone = place.ok(&format!("sample run --seed 9 --first {number} --count 1 {more}"));
            assert_eq!(alone.stdout.lines().skip(1).collect::<Vec<_>>(), [rows[number]], "{more} {number}");
        }
        let tail = place.ok(&format!("sample run --seed 9 --first 30 --count 10 {more}"));
        assert_eq!(tail.stdout.lines().skip(1).collect::<Vec<_>>(), rows[30..]);
        assert_ne!(digest(&tail), digest(&batch));
        let again =
            place.command(&format!("sample run --seed 9 --count 40 {more}")).env("RAYON_NUM_THREADS", "1").output();
        let again = Ended::of(again.unwrap());
        assert_eq!((digest(&again), &again.stdout), (digest(&batch), &batch.stdout));
        let other = place.ok(&format!("sample run --seed 10 --count 40 {more}"));
        assert_ne!(other.stdout.lines().nth(1), batch.stdout.lines().nth(1));
    }
}

#[test]
fn quantising_a_run_again_makes_its_blob_again() {
    let place = Place::new();
    place.trained("run", "--class-conditional");
    place.ok("quantize run --out again.mote");
    assert_eq!(place.bytes("again.mote"), place.bytes("run/model.mote"));
}
