//! `mote train --gaps` and what `mote impute` makes of it.

use serde_json::Value;

use super::mote::Place;
use super::tables;

const TRAIN: &str = "train --data log.csv --gaps --window 9 --around 5 --order 2 --stretch 24 --time-column t --group who --columns a,b --hidden 24,16 --activation silu --steps 300 --batch 128 --levels 6 --out run";
const LOG: &str = "--time-column t --group who";

/// A log without the readings of `a` in some rows.
fn with_gaps(log: &str, gone: impl Fn(usize) -> bool) -> String {
    let row = |(number, line): (usize, &str)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if number > 0 && gone(number) {
            cells[2] = "";
        }
        cells.join(",") + "\n"
    };
    log.lines().enumerate().map(row).collect()
}

#[test]
fn gaps_are_drawn_with_intervals_beside_the_linear_model() {
    let place = Place::new();
    place.write("log.csv", tables::log(800, 0.3));
    let ended = place.ok(TRAIN);
    assert!(
        ended.stderr.contains("signals with gaps") && ended.stderr.contains("intervals of 90%"),
        "{}",
        ended.stderr
    );
    // What is found by halving lies near to what was asked for.
    let (_, share) = ended.stderr.split_once("intervals of 90% hold ").unwrap();
    let share: f64 = share.split('%').next().unwrap().parse().unwrap();
    assert!((88.0..=92.0).contains(&share), "{share}");
    let whole = tables::log(200, 0.3);
    place.write("whole.csv", &whole);
    place.write("gaps.csv", with_gaps(&whole, |number| number % 7 < 2));
    let ended = place.ok(&format!("impute run --data gaps.csv {LOG} --reference whole.csv --draws 40 --json"));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["evaluations_a_draw"], 6);
    let missing = report["missing"].as_u64().unwrap();
    assert!(missing > 50);
    let of = |model: &str, what: &str| report[model][0][what].as_f64().unwrap();
    assert_eq!(of("quality", "values"), missing as f64);
    assert_eq!(of("autoregression_alone", "values"), missing as f64);
    // Noise of .3 on a wave of deviation 1 is .29 in the scale of training, and nothing knows it: the error cannot be below. A few hundred values: 10% about it.
    let best = 0.3 / (1.0f64 + 0.09).sqrt();
    for model in ["quality", "autoregression_alone"] {
        let rmse = of(model, "rmse");
        assert!((0.85 * best..1.6 * best).contains(&rmse), "{model}: {rmse}");
        assert!((0.75..=1.0).contains(&of(model, "coverage")), "{model}");
    }

    let filled = place.ok(&format!("impute run --data gaps.csv {LOG} --draws 8 --interval spread.csv")).stdout;
    for (number, (after, before)) in filled.lines().zip(whole.lines()).enumerate() {
        let same = |column: usize| after.split(',').nth(column) == before.split(',').nth(column);
        assert!(same(0) && same(1) && same(3), "{after} {before}");
        assert!(same(2) || number % 7 < 2, "{after} {before}");
    }
    assert_eq!(place.text("spread.csv").lines().count() as u64, missing + 1);
    let again = |seed: u32| place.ok(&format!("impute run --data gaps.csv {LOG} --draws 8 --seed {seed}")).stdout;
    assert!(again(0) == filled && again(1) != filled);

    place.ok(&format!(
        "impute run --data gaps.csv {LOG} --reference whole.csv --draws 4 --plot picture.svg --out filled.csv"
    ));
    let picture = place.text("picture.svg");
    assert!(["known", "filled in", "as it was", "interval"].iter().all(|name| picture.contains(name)));
    let other = format!("impute run --data gaps.csv {LOG} --draws 4 --plot picture.svg --signal 9 --out filled.csv");
    place.refused_with(&other, &["--signal 9", "0 to 1"]);

    // The mean of a draw and its mirror is nearer to the mean of many than one draw.
    let values = |draws: u32, seed: u32| -> Vec<f64> {
        let text = place.ok(&format!("impute run --data gaps.csv {LOG} --draws {draws} --seed {seed}")).stdout;
        let cells = text.lines().enumerate().filter(|(number, _)| *number > 0 && number % 7 < 2);
        cells.map(|(_, line)| line.split(',').nth(2).unwrap().parse().unwrap()).collect()
    };
    let (many, pair, one) = (values(64, 5), values(2, 9), values(1, 9));
    let distance = |a: &[f64]| a.iter().zip(&many).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    assert!(distance(&pair) < 0.5 * distance(&one), "{} {}", distance(&pair), distance(&one));
}

#[test]
fn a_board_draws_what_is_missing_as_the_host_does() {
    let place = Place::new();
    place.write("log.csv", tables::log(400, 0.3));
    place.ok(&TRAIN.replace("--steps 300", "--steps 60"));
    let whole = tables::log(30, 0.3);
    place.write("whole.csv", &whole);
    place.write("gaps.csv", with_gaps(&whole, |number| number % 7 < 2));
    let data = format!("--data gaps.csv {LOG} --reference whole.csv");
    let report =
        |arguments: &str| -> Value { serde_json::from_str(&place.ok(&format!("{arguments} --json")).stdout).unwrap() };
    let board = report(&format!("verify run --impute 7 --draws 4 {data}"));
    let host = report(&format!("impute run --seed 7 --draws 4 {data}"));
    assert_eq!(board["same_bits"], true, "{board}");
    // Measured on the board's own draws: the host's to the last digit.
    assert_eq!(board["imputation"][0]["rmse"], host["quality"][0]["rmse"]);
    assert!(board["fill_instructions"].as_f64().unwrap() > 1000.0);
    place.refused_with(&format!("verify run --data gaps.csv {LOG}"), &["--impute"]);
}

#[test]
fn the_same_recipe_makes_the_same_blob_and_a_run_that_goes_on_keeps_its_data() {
    let place = Place::new();
    place.write("log.csv", tables::log(400, 0.3));
    place.ok(&TRAIN.replace("--steps 300", "--steps 60"));
    place.ok(&TRAIN.replace("--steps 300", "--steps 30").replace("--out run", "--out broken"));
    place.ok("train --resume broken --steps 60");
    // The learning rate of the first half ended earlier, so only what does not depend on it is the same: the recipe, the data and the linear model.
    assert_eq!(place.bytes("run/data.json"), place.bytes("broken/data.json"));
    place.ok(&TRAIN.replace("--steps 300", "--steps 60").replace("--out run", "--out again"));
    assert_eq!(place.bytes("run/model.mote"), place.bytes("again/model.mote"));
}

#[test]
fn what_does_not_fit_is_refused_with_the_way_out() {
    let place = Place::new();
    place.write("log.csv", tables::log(400, 0.3));
    let with = |change: (&str, &str)| TRAIN.replace(change.0, change.1);
    for (change, parts) in [
        (("--window 9", "--window 10"), ["must be odd", "--window 10"]),
        (("--around 5", "--around 4"), ["must be odd", "--around 4"]),
        (("--window 9", "--window 255"), ["at most 512", "--window 255"]),
        (("--order 2", "--order 9"), ["--order 9", "1 to 8"]),
        (("--order 2", "--order 0"), ["--order 0", "1 to 8"]),
        (("--stretch 24", "--stretch 0"), ["--stretch 0", "at least one"]),
        (("--stretch 24", "--stretch 5000"), ["train part", "5000"]),
        (("--gaps", "--gaps --schedule edm"), ["preserves variance", "cosine"]),
        (("--gaps", "--gaps --sliding"), ["--gaps", "--sliding"]),
        (("--levels 6", "--levels 0"), ["noise_levels", "1 to 64"]),
        (("--gaps", ""), ["--gaps", "required"]),
        (("--gaps", "--gaps --means 1,2,3 --deviations 1,1,1"), ["--means", "3 means"]),
    ] {
        place.refused_with(&with(change), &parts);
        assert!(!place.path("run").exists(), "{change:?}");
    }
    place.ok(&TRAIN.replace("--steps 300", "--steps 20"));
    place.refused_with(&format!("impute run --data log.csv {LOG} --repeats 3"), &["--repeats", "--gaps"]);
    for verb in ["denoise", "detect"] {
        place.refused_with(&format!("{verb} run --data log.csv {LOG}"), &["mote impute"]);
    }
    place.refused_with("sample run", &["no plan", "mote impute"]);
    place.refused_with("evaluate run", &["samples nothing", "mote impute"]);
    let told = place.ok("inspect run").stdout;
    // (n C + 1) (p + 1) C floats: twelve for each sample of two values.
    assert!(
        told.contains("linear model of order 2, 9 samples seen and 5 drawn, 6 steps")
            && told.contains(" 48 B a sample"),
        "{told}"
    );
    place.write("empty.csv", tables::log_without_readings(20));
    place.refused_with(&format!("impute run --data empty.csv {LOG}"), &["every value is missing"]);
}
