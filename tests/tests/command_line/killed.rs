//! Training that is killed again and again.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use mote_core::random::{NormalSource as _, Stream, Ziggurat};

use super::mote::Place;

/// How often training is killed: enough to meet it at all it does; `MOTE_KILLS` asks for more.
const KILLS: u64 = 12;

#[test]
fn training_killed_at_random_moments_ends_in_the_weights_of_an_unbroken_run() {
    let kills = std::env::var("MOTE_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let place = Place::new();
    place.write("windows.csv", super::tables::windows());
    let steps = 6000 * kills;
    let run =
        format!("train --data windows.csv --label state --hidden 8 --batch 8 --steps {steps} --checkpoint-every 20ms");
    place.ok(&format!("{run} --out unbroken"));
    let mut moments = Ziggurat::new(Stream::new(9));
    let mut arguments = format!("{run} --out broken");
    let (mut killed, mut ends) = (0, 0);
    while killed < kills && ends == 0 {
        let mut child = place.command(&arguments).stderr(Stdio::null()).spawn().expect("mote starts");
        sleep(Duration::from_millis((150.0 + 60.0 * moments.normal()).clamp(5.0, 400.0) as u64));
        match child.try_wait().expect("a process") {
            Some(_) => ends += 1,
            None => {
                child.kill().expect("it can be killed");
                child.wait().expect("it ends");
                killed += 1;
            }
        }
        // Every file that has its name is whole, whatever was being written.
        if place.path("broken/recipe.toml").exists() {
            arguments = "train --resume broken --checkpoint-every 20ms".into();
        } else {
            let _ = std::fs::remove_dir_all(place.path("broken"));
        }
        if place.path("broken/checkpoint.safetensors").exists() {
            place.ok("quantize broken --out early.mote");
        }
    }
    assert!(killed >= kills.min(8), "killed {killed} times: the run is too short");
    place.ok(&arguments);
    for name in ["checkpoint.safetensors", "model.mote", "recipe.toml", "data.json"] {
        assert_eq!(place.bytes(&format!("broken/{name}")), place.bytes(&format!("unbroken/{name}")), "{name}");
    }
    assert_eq!(place.names("broken"), place.names("unbroken"), "nothing half-written is left");
}
