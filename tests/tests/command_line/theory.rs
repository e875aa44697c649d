//! `mote theory`: the table, its rows chosen by name, and its exit codes.

use serde_json::Value;

use crate::mote::Place;

/// Quick rows without chance.
const ROWS: [&str; 3] = ["order-euler", "order-heun", "order-runge-kutta-4"];

#[test]
fn the_table_has_a_row_for_each_name_and_its_last_line_counts_them() {
    let place = Place::new();
    let table = place.ok("theory --only order-euler --only order-heun --only order-runge --seed 7").stdout;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("Orders of convergence (orders)") && lines[0].ends_with("verdict"), "{table}");
    for name in ROWS {
        let row: Vec<_> = lines.iter().filter(|line| line.split_whitespace().next() == Some(name)).collect();
        assert!(row.len() == 1 && row[0].ends_with("holds"), "{name}: {table}");
    }
    let last = lines.last().unwrap();
    assert!(last.starts_with("3 rows, 0 failed, ") && last.ends_with(" s, seed 7"), "{last}");
    assert!(lines.iter().all(|line| line.chars().count() <= 120), "{table}");
}

#[test]
fn json_has_the_same_rows_for_any_number_of_threads() {
    let place = Place::new();
    let rows = |arguments: &str| {
        let report: Value = serde_json::from_str(&place.ok(arguments).stdout).unwrap();
        assert_eq!((&report["seed"], &report["failed"]), (&Value::from(3), &Value::from(0)));
        report["rows"].clone()
    };
    let one = rows("theory --seed 3 --only strong-milstein --only order-heun --json --threads 1");
    assert_eq!(rows("theory --seed 3 --only strong-milstein --only order-heun --json --threads 3"), one);
    let names: Vec<_> = one.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["strong-milstein", "strong-milstein-derivative-free", "order-heun"]);
    for row in one.as_array().unwrap() {
        assert!(row["chapter"] == "orders" && row["verdict"] == "holds" && row["test"] == "order", "{row}");
        let gap = row["measured"].as_f64().unwrap() - row["predicted"].as_f64().unwrap();
        assert!((-0.1..=0.25).contains(&gap), "{row}");
    }
    assert_ne!(rows("theory --seed 3 --only order-heun --json"), one);
}

#[test]
fn list_names_the_rows_without_running_them() {
    let place = Place::new();
    let all = place.ok("theory --list").stdout;
    assert!(all.contains("orders: Orders of convergence\n  strong-euler-maruyama\n"), "{all}");
    let some: Value = serde_json::from_str(&place.ok("theory --list --json --only order-").stdout).unwrap();
    let names: Vec<_> = some.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ROWS);
}

#[test]
fn wrong_words_and_numbers_are_refused_by_name() {
    let place = Place::new();
    place.refused_with("theory --only strong-milstien", &["--only", "strong-milstien", "strong-milstein", "--list"]);
    place.refused_with("theory --only ordres --list", &["ordres", "orders"]);
    place.refused_with("theory --threads 0", &["--threads", "0"]);
    place.refused_with("theory --seed -1", &["-1"]);
}
