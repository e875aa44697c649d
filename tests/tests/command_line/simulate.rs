//! `mote simulate`: tables, files, threads, shards, and everything that cannot be meant.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::mote::Place;

/// Rows of a JSON report: (quantity, time, measured, standard error, predicted).
fn rows(json: &str) -> Vec<(String, f64, f64, f64, f64)> {
    let report: Value = serde_json::from_str(json).expect("JSON");
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or(f64::NAN);
    let of = |row: &Value| {
        let quantity = row["quantity"].as_str().expect("a quantity").to_string();
        (quantity, number(row, "t"), number(row, "measured"), number(row, "standard_error"), number(row, "predicted"))
    };
    report["rows"].as_array().expect("rows").iter().map(of).collect()
}

/// The data of a .npy file, past its header, and the header's text.
fn npy(bytes: &[u8]) -> (String, &[u8]) {
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    (String::from_utf8(bytes[10..10 + length].to_vec()).unwrap(), &bytes[10 + length..])
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(bytes), &mut text).unwrap();
    text
}

#[test]
fn the_table_stands_beside_the_closed_form_and_its_json_has_the_same_numbers() {
    let place = Place::new();
    let run = "simulate ou --rate 2 --start 2 --paths 20000 --steps 200 --stepper shark --seed 3";
    let text = place.ok(run).stdout;
    for part in [
        "ou: dX = 2 (0 - X) dt + 1 dW",
        "20000 paths from 2, 200 steps",
        "std error",
        "closed form",
        "covariance of x, x(1)",
    ] {
        assert!(text.contains(part), "no \"{part}\" in\n{text}");
    }
    let rows = rows(&place.ok(&format!("{run} --json")).stdout);
    assert_eq!(rows.len(), 5 * 3 - 1);
    for (quantity, t, measured, error, predicted) in rows {
        // The moments of dX = -2X dt + dW from 2; 4.9 standard errors, false alarm 1e-6 a line.
        let variance = (1.0 - (-4.0 * t).exp()) / 4.0;
        let expected = match quantity.as_str() {
            "mean" => 2.0 * (-2.0 * t).exp(),
            "variance" => variance,
            "covariance-with-end" => variance * (-2.0 * (1.0 - t)).exp(),
            other => panic!("{other}"),
        };
        assert!((predicted - expected).abs() < 1e-6, "{quantity} {t}: {predicted} {expected}");
        assert!((measured - expected).abs() <= 4.9 * error, "{quantity} {t}: {measured} {expected} {error}");
    }
}

#[test]
fn every_process_runs_and_has_help_with_an_example() {
    let place = Place::new();
    for process in [
        "brownian",
        "ou",
        "gbm",
        "langevin",
        "double-well",
        "underdamped",
        "vp",
        "sub-vp",
        "ve",
        "reverse-vp",
        "flow-vp",
    ] {
        let ended = place.ok(&format!("simulate {process} --paths 300 --steps 40"));
        assert!(
            ended.stdout.starts_with(&format!("{process}: ")) && ended.stdout.lines().count() > 14,
            "{}",
            ended.stdout
        );
        let help = place.ok(&format!("simulate {process} --help")).stdout;
        assert!(help.contains(&format!("Example: mote simulate {process}")), "{help}");
    }
    let help = place.ok("simulate --help").stdout;
    assert!(help.contains("double-well") && help.contains("join"), "{help}");
}

#[test]
fn threads_change_neither_file_nor_table() {
    let place = Place::new();
    for (run, name) in [
        ("simulate double-well --paths 3000 --steps 40 --save paths --every 20", "a.npy"),
        ("simulate underdamped --paths 3000 --steps 40 --json", "a.csv"),
        ("simulate ou --paths 3000 --steps 40 --save paths", "a.csv.gz"),
    ] {
        let one = place.ok(&format!("{run} --threads 1 --out {name}")).stdout;
        let file = place.bytes(name);
        for threads in ["2", "5"] {
            assert_eq!(place.ok(&format!("{run} --threads {threads} --out {name}")).stdout, one);
            assert_eq!(place.bytes(name), file, "{name} on {threads} threads");
        }
    }
    assert_eq!(place.names(""), ["a.csv", "a.csv.gz", "a.npy"]);
}

#[test]
fn files_have_the_shapes_that_the_page_tells() {
    let place = Place::new();
    for (flags, shape) in [
        ("ou --steps 20", "(300, )"),
        ("underdamped --steps 20", "(300, 2, )"),
        ("ou --steps 20 --save paths --every 5", "(300, 5, )"),
        ("underdamped --steps 20 --save paths", "(300, 21, 2, )"),
    ] {
        place.ok(&format!("simulate {flags} --paths 300 --out a.npy"));
        place.ok(&format!("simulate {flags} --paths 300 --out a.csv"));
        let bytes = place.bytes("a.npy");
        let (header, data) = npy(&bytes);
        assert!(header.contains(&format!("'shape': {shape}")) && header.contains("'<f4'"), "{header}");
        let text = place.text("a.csv");
        let values: Vec<u8> = text
            .lines()
            .skip(1)
            .flat_map(|line| line.split(',').skip(2).map(|x| x.parse::<f32>().unwrap().to_le_bytes()))
            .flatten()
            .collect();
        assert_eq!(values, data, "{flags}");
        assert!(text.starts_with(if flags.starts_with("ou") { "path,t,x\n0," } else { "path,t,q,v\n0," }));
    }
}

#[test]
fn shards_join_to_the_unsharded_run() {
    let place = Place::new();
    let run = "simulate underdamped --paths 3000 --steps 40 --seed 9 --save paths --every 10";
    for ending in ["npy", "csv", "csv.gz"] {
        let whole = place.ok(&format!("{run} --out whole.{ending}")).stdout;
        let mut reports = Vec::new();
        let mut data = Vec::new();
        for shard in 0..4 {
            let printed = place.ok(&format!("{run} --shard {shard}/4 --out {shard}.{ending} --json")).stdout;
            place.write(&format!("{shard}.json"), printed);
            reports.insert(0, format!("{shard}.json"));
            data.push(place.bytes(&format!("{shard}.{ending}")));
        }
        let file = place.bytes(&format!("whole.{ending}"));
        // What comes after the headers, put one after the other.
        match ending {
            "npy" => assert_eq!(data.iter().flat_map(|bytes| npy(bytes).1).copied().collect::<Vec<_>>(), npy(&file).1),
            "csv" => {
                let line = data[0].iter().position(|byte| *byte == b'\n').unwrap() + 1;
                assert_eq!(data.iter().flat_map(|bytes| &bytes[line..]).copied().collect::<Vec<_>>(), file[line..]);
            }
            _ => {}
        }
        let joined = place.ok(&format!("simulate join {} --out joined.{ending}", reports.join(" "))).stdout;
        assert_eq!(joined, whole);
        let again = place.bytes(&format!("joined.{ending}"));
        if ending == "csv.gz" {
            assert_eq!(unpacked(&again), unpacked(&file))
        } else {
            assert!(again == file, "{ending}")
        }
    }
}

#[test]
fn shards_that_do_not_make_a_run_are_refused() {
    let place = Place::new();
    let shard = |name: &str, flags: &str| {
        let printed = place.ok(&format!("simulate ou --paths 1000 --steps 10 --json {flags}")).stdout;
        place.write(name, printed);
    };
    shard("0.json", "--shard 0/2 --out 0.npy");
    shard("1.json", "--shard 1/2 --out 1.npy");
    shard("other.json", "--shard 1/2 --seed 4");
    let report = place.text("0.json");
    place.write("text.json", "ou: dX");
    place.write("damaged.json", report.replace("\"count\": 2", "\"count\": 0"));
    for (arguments, parts) in [
        ("", &["required"][..]),
        ("none.json", &["cannot read none.json"]),
        ("text.json", &["text.json is not what `mote simulate --json` prints"]),
        ("damaged.json", &["damaged.json", "run the shard again"]),
        ("0.json", &["shard 1/2 is missing"]),
        ("0.json 1.json 0.json", &["shard 0/2 is given twice"]),
        ("0.json other.json", &["shard 1/2 is of another run", "seed 4, not 0"]),
        ("0.json 1.json --out all.csv", &["all.csv", "another kind"]),
        ("0.json 1.json --out all.txt", &["all.txt", ".npy, .csv or .csv.gz"]),
    ] {
        place.refused_with(&format!("simulate join {arguments}"), parts);
    }
    let file = place.bytes("1.npy");
    place.write("1.npy", &file[..file.len() - 4]);
    place.refused_with("simulate join 0.json 1.json --out all.npy", &["1.npy", "run the shard again"]);
    std::fs::remove_file(place.path("1.npy")).unwrap();
    place.refused_with("simulate join 0.json 1.json --out all.npy", &["1.json", "1.npy is not there"]);
}

#[test]
fn what_cannot_be_meant_is_one_line_with_the_way_out() {
    let place = Place::new();
    for (arguments, parts) in [
        ("browniam", &["browniam", "similar subcommand exists: 'brownian'"][..]),
        ("oo", &["oo", "the nearest is 'ou'; there are brownian, "]),
        ("gmb", &["gmb", "the nearest is 'gbm'"]),
        ("double_well", &["double_well", "double-well"]),
        ("ou --rates 1", &["--rates", "'--rate'"]),
        ("ou --dt 0", &["--dt", "above 0"]),
        ("ou --dt=-0.1", &["--dt", "above 0"]),
        ("ou --dt -0.1", &["--dt", "above 0"]),
        ("ou --dt nan", &["--dt", "above 0"]),
        ("ou --dt 0.1 --steps 10", &["--dt", "--steps"]),
        ("ou --dt 0.3", &["--horizon 1", "--dt 0.3", "0.9 or 1.2", "0.33333333 or 0.25"]),
        ("ou --steps 0", &["--steps", "1..=16777216"]),
        ("ou --steps -5", &["--steps", "-5"]),
        ("ou --steps nan", &["--steps", "nan"]),
        ("ou --paths 0", &["--paths", "1..="]),
        ("ou --paths -7", &["--paths", "-7"]),
        ("ou --paths many", &["--paths", "many"]),
        ("ou --horizon 0", &["--horizon", "above 0"]),
        ("ou --horizon -1", &["--horizon", "above 0"]),
        ("ou --horizon NaN", &["--horizon", "above 0"]),
        ("brownian --scale 0", &["--scale", "above 0"]),
        ("ou --diffusion -1", &["--diffusion", "above 0"]),
        ("gbm --volatility nan", &["--volatility", "above 0"]),
        ("langevin --noise 0", &["--noise", "above 0"]),
        ("double-well --barrier -2", &["--barrier", "above 0"]),
        ("underdamped --friction 0", &["--friction", "above 0"]),
        ("ve --sigma-min -1", &["--sigma-min", "above 0"]),
        ("ve --sigma-min 3 --sigma-max 2", &["--sigma-min 3 must be below --sigma-max 2"]),
        ("vp --beta-min 5 --beta-max 5", &["--beta-min 5 must be below --beta-max 5"]),
        ("vp --horizon 1.5", &["schedule of vp ends at time 1"]),
        ("reverse-vp --horizon 1", &["take less than 1"]),
        ("flow-vp --means 1,2 --weights 1,2,3", &["--weights has 3 values for 2 --means"]),
        ("vp --deviations 0", &["--deviations", "above 0"]),
        ("gbm --stepper sra1", &["sra1 does not fit gbm", "depends on the state", "sriw1, stochastic-heun"]),
        ("brownian --stepper exact-ou", &["exact-ou does not fit brownian", "euler-maruyama"]),
        ("flow-vp --stepper milstein", &["no noise", "euler, heun, rk4"]),
        ("ou --stepper sra2", &["sra2", "'sra1'"]),
        ("ou --start nan", &["--start", "stationary"]),
        ("brownian --start stationary", &["--start stationary", "brownian"]),
        ("ou --shard 5/4", &["--shard", "0/4 to 3/4"]),
        ("ou --shard 4/4", &["--shard", "0/4 to 3/4"]),
        ("ou --shard 0/0", &["--shard", "at least 1"]),
        ("ou --shard 1", &["--shard", "I/N"]),
        ("ou --paths 256 --shard 0/2", &["shard 0/2 of 256 paths is empty", "at most 1"]),
        ("ou --threads 0", &["--threads"]),
        ("ou --times 0", &["--times"]),
        ("ou --seed -1", &["--seed"]),
        ("ou --save paths", &["--out"]),
        ("ou --save all --out a.npy", &["all", "final, paths"]),
        ("ou --every 5 --out a.npy", &["--save paths"]),
        ("ou --save paths --every 3 --out a.npy", &["--every 3 does not divide the 500 steps", "2 or 4"]),
        ("ou --save paths --every 0 --out a.npy", &["--every"]),
        ("ou --out a.txt", &["a.txt", ".npy, .csv or .csv.gz"]),
        ("ou --out none/a.npy", &["none/a.npy", "does not exist"]),
    ] {
        place.refused_with(&format!("simulate {arguments}"), parts);
    }
    assert_eq!(place.mote("simulate").code, Some(2));
}

#[test]
fn a_file_that_would_not_fit_the_disk_is_refused_before_the_work() {
    let place = Place::new();
    let began = Instant::now();
    for name in ["a.npy", "a.csv", "a.csv.gz"] {
        // 2 PB and more.
        let line = place.refused(&format!("simulate ou --paths 1000000000000 --save paths --out {name}"));
        assert!(
            line.contains(name) && line.contains(" bytes, and ") && line.contains(" free; take fewer --paths"),
            "{line}"
        );
    }
    let line = place.refused("simulate ou --paths 1000000000000 --steps 500 --save paths --out a.npy");
    assert!(line.contains("needs 2004000000000128 bytes"), "{line}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_explosion_ends_the_run_with_its_path_step_and_time_and_leaves_nothing() {
    let place = Place::new();
    let run = "simulate double-well --barrier 100 --noise 8 --horizon 10 --steps 200 --paths 3000 --out a.npy";
    let mut told = Vec::new();
    for threads in [1, 3] {
        let ended = place.mote(&format!("{run} --threads {threads}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
        assert!(place.names("").is_empty(), "{:?}", place.names(""));
        told.push(ended.stderr);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].lines().count(), 1);
    for part in ["error: path ", " left the finite numbers in step ", " of 200, at t = ", "--steps"] {
        assert!(told[0].contains(part), "{}", told[0]);
    }
}

#[test]
fn an_interrupted_run_leaves_no_part_of_a_file() {
    let place = Place::new();
    place.write("a.csv", "before");
    let mut child =
        place.command("simulate ou --paths 5000000 --steps 4000 --threads 1 --out a.csv").spawn().expect("mote starts");
    // The part is there from the beginning; wait until it holds something, so that the work is under way.
    let began = Instant::now();
    let at_work = || place.names("").iter().any(|name| name.ends_with(".part") && !place.bytes(name).is_empty());
    while !at_work() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was begun");
        std::thread::yield_now();
    }
    assert!(Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap().success());
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("error: interrupted after ") && said.contains("nothing was written"), "{said}");
    assert_eq!((place.names(""), place.text("a.csv")), (vec!["a.csv".to_string()], "before".to_string()));
}
