//! `mote sample`: formats, units, classes, pictures.

use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::mote::{Place, binary};
use crate::tables::{numbers, read_npy};

#[test]
fn every_format_holds_the_same_samples() {
    let place = Place::new();
    place.trained("run", "");
    let csv = place.ok("sample run --count 30").stdout;
    assert_eq!(csv.lines().next(), Some("heat,damp"));
    for name in ["s.csv", "s.csv.gz", "s.npy"] {
        assert_eq!(place.ok(&format!("sample run/model.mote --count 30 --out {name}")).stdout, "");
    }
    assert_eq!(place.text("s.csv"), csv);
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&place.bytes("s.csv.gz")[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, csv);
    let (shape, values) = read_npy(&place.bytes("s.npy"));
    assert_eq!(shape, "30,2");
    let typed: Vec<f32> = csv.lines().skip(1).flat_map(|line| line.split(',').map(|c| c.parse().unwrap())).collect();
    assert_eq!(values, typed);
}

fn moments(rows: &[Vec<f64>], column: usize) -> (f64, f64) {
    let count = rows.len() as f64;
    let mean = rows.iter().map(|row| row[column]).sum::<f64>() / count;
    let variance = rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[test]
fn samples_have_the_data_s_own_units() {
    let place = Place::new();
    place.trained("run", "--steps 3000 --hidden 32,32 --batch 64 --learning-rate 0.005");
    let data: String = place.text("windows.csv").replace(",busy", "").replace(",idle", "");
    let (data, samples) = (numbers(&data), numbers(&place.ok("sample run --count 2000").stdout));
    let float = numbers(&place.ok("sample run --count 2000 --float").stdout);
    let scaled = numbers(&place.ok("sample run --count 2000 --scaled").stdout);
    for column in [0, 1] {
        let (mean, deviation) = moments(&data, column);
        for samples in [&samples, &float] {
            let (sampled_mean, sampled_deviation) = moments(samples, column);
            // Scales are the point here, not quality: wrong units would miss by factors.
            assert!((sampled_mean - mean).abs() < 0.15 * deviation, "{column}: mean {sampled_mean} for {mean}");
            assert!(
                (sampled_deviation / deviation - 1.0).abs() < 0.15,
                "{column}: {sampled_deviation} for {deviation}"
            );
        }
        let (scaled_mean, scaled_deviation) = moments(&scaled, column);
        assert!(scaled_mean.abs() < 0.15 && (scaled_deviation - 1.0).abs() < 0.15, "{scaled_mean} {scaled_deviation}");
    }
    // One deterministic sampler from the same noise: quantisation moves samples a little, not elsewhere.
    let distance: f64 = samples.iter().zip(&float).map(|(q, f)| (q[0] - f[0]).abs()).sum::<f64>() / 2000.0;
    let (_, deviation) = moments(&data, 0);
    assert!(distance > 0.0 && distance < 0.15 * deviation, "{distance} of {deviation}");
}

#[test]
fn classes_are_sampled_by_name_and_number() {
    let place = Place::new();
    place.trained("run", "--class-conditional --steps 2000 --hidden 32,32 --batch 64 --plan dpm++2m:10");
    let heat =
        |arguments: &str| moments(&numbers(&place.ok(&format!("sample run --count 400 {arguments}")).stdout), 0).0;
    // The table's classes lie at 21 (busy) and 19 (idle), with deviation 0.5.
    assert!(heat("--class busy") > 20.5 && heat("--class idle") < 19.5);
    assert_eq!(heat("--class 0"), heat("--class busy"));
    assert!(heat("--class idle --guidance 2") < 19.7);
    place.refused_with("sample run --class hot", &["--class hot", "busy, idle"]);
    place.refused_with("sample run --class 2", &["busy, idle"]);
    place.refused_with("sample run --guidance 2", &["--class"]);
    place.refused_with("sample run --class busy --guidance nan", &["--guidance", "finite"]);
    place.trained("plain", "");
    place.refused_with("sample plain --class busy", &["no classes", "--class-conditional"]);
}

#[test]
fn classes_named_by_numbers_are_not_taken_for_positions() {
    let place = Place::new();
    let rows: String = (0..40).map(|row| format!("{},{}\n", row % 9, [3, 8][row % 2])).collect();
    place.write("k.csv", format!("x,kind\n{rows}"));
    place.ok("train --data k.csv --label kind --class-conditional --hidden 8 --steps 5 --batch 8 --out run");
    place.ok("sample run --class 8");
    place.refused_with("sample run --class 1", &["3, 8"]);
}

#[test]
fn a_grid_is_a_png_of_all_samples() {
    let place = Place::new();
    place.ok("train --hidden 16 --batch 32 --steps 20 --out run");
    let ended = place.ok("sample run --count 10 --grid grid.png");
    assert_eq!(ended.stdout, "");
    let file = place.bytes("grid.png");
    let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    // Four columns and three rows of 8 x 8 pixels, each four pixels wide, with room between.
    assert!((4 * 32..4 * 32 + 64).contains(&frame.width) && (3 * 32..3 * 32 + 64).contains(&frame.height), "{frame:?}");
    place.ok("sample run --count 10 --grid both.png --out both.npy");
    assert_eq!(place.bytes("both.png"), file);
    assert_eq!(read_npy(&place.bytes("both.npy")).0, "10,64");
    place.trained("table", "");
    place.refused_with("sample table --grid t.png", &["--grid", "not images"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::new();
    place.trained("run", "");
    for count in [1, 20_000] {
        let script = format!("set -o pipefail; '{}' sample run --count {count} | head -1", binary().display());
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(place.path(""))
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .output()
            .expect("bash");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{count}: {stderr}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "heat,damp\n");
        assert!(!stderr.contains("error") && !stderr.contains("panicked"), "{stderr}");
    }
}
