//! `mote impute`: what is missing comes back near to what it was, with an interval, and what is there stays.

use serde_json::Value;

use super::mote::Place;
use super::tables;

const TRAIN: &str = "train --data log.csv --window 15 --sliding --time-column t --group who --columns a,b --hidden 32,32 --activation silu --noise-range 0.03,8 --levels 16 --steps 1500 --batch 128 --out run";
const LOG: &str = "--time-column t --group who";

#[test]
fn a_gap_in_a_wave_is_filled_by_its_neighbours() {
    let place = Place::new();
    place.write("log.csv", tables::log(800, 0.0));
    place.ok(TRAIN);
    let whole = tables::log(60, 0.0);
    // Every fifth reading of a is empty.
    let gaps: String = whole
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            let hole = number > 0 && number % 5 == 0;
            let a = if hole { "" } else { cells[2] };
            format!("{},{},{a},{},{}\n", cells[0], cells[1], cells[3], cells[4])
        })
        .collect();
    place.write("whole.csv", &whole);
    place.write("gaps.csv", &gaps);
    let ended = place.ok(&format!("impute run --data gaps.csv {LOG} --reference whole.csv --draws 8 --json"));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["missing"], 24);
    // The wave has a deviation of 1 in training: a reading between its neighbours is known far better than by the mean.
    let rmse = report["quality"][0]["rmse"].as_f64().unwrap();
    assert!(rmse < 0.3, "{report}");
    assert_eq!(report["evaluations_a_draw"], 15 * 5 + 1);

    let filled = place.ok(&format!("impute run --data gaps.csv {LOG} --draws 8 --interval spread.csv")).stdout;
    for (number, (after, before)) in filled.lines().zip(whole.lines()).enumerate() {
        let same = |column: usize| after.split(',').nth(column) == before.split(',').nth(column);
        assert!(same(0) && same(1) && same(3) && same(4), "{after} {before}");
        assert!(same(2) || number % 5 == 0, "{after} {before}");
    }
    let spread = place.text("spread.csv");
    assert_eq!(spread.lines().count(), 25);
    for line in spread.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [mean, low, high] = [3, 4, 5].map(|cell| cells[cell].parse::<f64>().unwrap());
        assert!(cells[2] == "a" && low <= mean && mean <= high, "{line}");
    }
    // The same seed gives the same bits, another one other draws.
    let again = |seed: u32| place.ok(&format!("impute run --data gaps.csv {LOG} --draws 8 --seed {seed}")).stdout;
    assert!(again(0) == filled && again(1) != filled);
}

#[test]
fn what_cannot_be_imputed_is_refused_with_the_way_out() {
    let place = Place::new();
    place.write("log.csv", tables::log(200, 0.0));
    place.ok(&TRAIN.replace("--steps 1500", "--steps 20"));
    place.write("empty.csv", tables::log_without_readings(20));
    place.refused_with(&format!("impute run --data empty.csv {LOG}"), &["every value is missing"]);
    place.refused_with(&format!("impute run --data log.csv {LOG} --coverage 1.5"), &["--coverage 1.5"]);
    place.refused_with(&format!("impute run --data log.csv {LOG} --draws 0"), &["--draws"]);
    let ended = place.ok(&format!("impute run --data log.csv {LOG} --out same.csv"));
    assert!(ended.stderr.contains("nothing is missing"), "{}", ended.stderr);
    assert_eq!(place.text("same.csv"), place.text("log.csv"));
}
