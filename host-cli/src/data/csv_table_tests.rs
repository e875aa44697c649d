use super::*;

fn table_with(text: &str, options: LoadOptions) -> Result<Table, DataError> {
    read("f.csv", "f".into(), text.as_bytes(), &options)
}

fn table(text: &str) -> Table {
    table_with(text, LoadOptions::default()).unwrap()
}

fn error_with(text: &str, options: LoadOptions) -> String {
    let message = table_with(text, options).unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

fn error(text: &str) -> String {
    error_with(text, LoadOptions::default())
}

fn label(label: &str) -> LoadOptions {
    LoadOptions { label: Some(label.into()), ..LoadOptions::default() }
}

fn header(header: Header) -> LoadOptions {
    LoadOptions { header, ..LoadOptions::default() }
}

fn dropping() -> LoadOptions {
    LoadOptions { missing: Missing::Drop, ..LoadOptions::default() }
}

#[test]
fn a_header_is_told_from_values() {
    let named = table("x, y\n1,2\n3,4\n");
    assert_eq!(named.columns, ["x", "y"]);
    assert_eq!((named.rows, named.dim), (2, 2));
    let bare = table("1,2\n3,4\n");
    assert_eq!(bare.columns, ["c1", "c2"]);
    assert_eq!(bare.rows, 2);
    let years = table_with("2012,2013\n1,2\n3,4\n", header(Header::Yes)).unwrap();
    assert_eq!(years.columns, ["2012", "2013"]);
    assert_eq!(years.values, [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn a_stray_word_in_line_one_does_not_pass_for_a_header() {
    let message = error("1,two\n3,4\n5,6\n");
    assert!(message.starts_with("f.csv: line 1, column 2 (c2): \"two\" is not a number;"), "{message}");
    assert!(message.contains("--header yes"), "{message}");
    assert!(error_with("x,y\n1,2\n3,4\n", header(Header::No)).contains("line 1, column 1"));
}

#[test]
fn numbers_in_all_spellings_are_read() {
    let read = table("\u{feff}\"1\";-2.5e-3\r\n+.5;1E4\r\n");
    assert_eq!(read.values, [1.0, -0.0025, 0.5, 10_000.0]);
    assert_eq!(table("1\t2\n3\t4").values, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(table("1\n2\n3\n").dim, 1);
}

#[test]
fn a_label_column_is_found_by_name_or_number() {
    let text = "x,kind,y\n1,b,2\n3,a,4\n5,b,6\n";
    for by in ["kind", "2"] {
        let table = table_with(text, label(by)).unwrap();
        assert_eq!(table.columns, ["x", "y"]);
        assert_eq!(table.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let labels = table.labels.unwrap();
        assert_eq!(labels.names, ["a", "b"]);
        assert_eq!(labels.codes, [1, 0, 1]);
    }
    for by in ["species", "0", "4"] {
        let message = error_with(text, label(by));
        assert!(message.contains("the columns are x, kind, y"), "{message}");
    }
    assert!(error_with("x,x\n1,2\n3,4\n", label("x")).contains("several columns"));
    assert!(error_with("x\n1\n2\n", label("x")).contains("no features are left"));
    let wide: Vec<String> = (0..40).map(|c| format!("name{c}")).collect();
    let rows = vec!["1"; 40].join(",");
    let message = error_with(&format!("{}\n{rows}\n", wide.join(",")), label("z"));
    assert!(message.ends_with("name7, …, name39 (40 in all)"), "{message}");
}

#[test]
fn a_word_is_named_with_line_and_column() {
    let message = error("x,y\n1,2\n3,four\n");
    assert!(message.starts_with("f.csv: line 3, column 2 (y): \"four\" is not a number;"), "{message}");
    assert!(message.contains("--label 2"), "{message}");
    // Even among rows that are dropped a word is an error, not a missing value.
    assert!(error_with("x,y\n1,2\n,four\n5,6\n7,8\n", dropping()).contains("\"four\""));
    let long = error(&format!("x,y\n1,2\n3,{}\n", "w".repeat(5000)));
    assert!(long.len() < 200, "{long}");
}

#[test]
fn lines_are_those_of_the_file() {
    // A blank line, a quoted cell over two lines, and CRLF before the bad cell in line 6.
    let text = "x,y\r\n\r\n1,2\r\n\"3\r\n\",4\r\n5,six\r\n";
    assert!(error(text).starts_with("f.csv: line 6, column 2 (y)"), "{}", error(text));
    assert!(error("\n\nx,y\n1,2\n3,z\n").starts_with("f.csv: line 5, column 2"));
}

#[test]
fn a_name_over_two_lines_keeps_the_message_to_one() {
    let message = error("x,\"y\n(mm)\"\n1,2\n3,four\n");
    assert!(message.starts_with("f.csv: line 4, column 2 (y (mm)): "), "{message}");
}

#[test]
fn a_ragged_row_is_named() {
    let message = error("x,y\n1,2\n3\n");
    assert!(message.starts_with("f.csv: line 3: the number of cells is 1, but 2 on line 1;"), "{message}");
    assert!(error("1,2\n3,4,5\n").starts_with("f.csv: line 2: the number of cells is 3,"));
}

#[test]
fn missing_values_are_refused_or_dropped() {
    for (cell, part) in [
        ("", "the cell is empty"),
        ("nan", "\"nan\" is not a finite number"),
        ("-inf", "\"-inf\" is not a finite number"),
        ("Infinity", "\"Infinity\" is not a finite number"),
        ("1e39", "\"1e39\" is too large"),
        ("NA", "\"NA\" stands for a missing value"),
    ] {
        let text = format!("x,y\n1,2\n3,{cell}\n5,6\n");
        let message = error(&text);
        assert!(message.starts_with("f.csv: line 3, column 2 (y): "), "{message}");
        assert!(message.contains(part), "{message}");
        assert!(message.contains("--missing drop"), "{message}");
        let table = table_with(&text, dropping()).unwrap();
        assert_eq!(table.values, [1.0, 2.0, 5.0, 6.0]);
        assert_eq!(table.dropped_rows, 1);
        assert!(table.warnings[0].contains("1 row "), "{:?}", table.warnings);
    }
    let labelled = LoadOptions { label: Some("k".into()), ..dropping() };
    let table = table_with("x,k\n1,a\n2,\n3,b\n", labelled).unwrap();
    assert_eq!((table.rows, table.dropped_rows), (2, 1));
    assert_eq!(table.labels.unwrap().codes, [0, 1]);
    // An empty line in a file of one column cannot be told from layout; a quoted one can.
    assert!(error("x\n1\n\"\"\n2\n").contains("line 3, column 1 (x): the cell is empty"));
}

#[test]
fn too_little_and_too_much_are_refused() {
    assert!(error("\n \n").contains("the file is blank"));
    assert!(error("x,y\n").contains("a header, but no rows"));
    assert!(error("1,2\n").contains("1 of 1 rows can be used"));
    assert!(error_with("1,2\n3,\n", dropping()).contains("1 of 2 rows can be used"));
    let row = |n| vec!["1"; n].join(",");
    let text = |n| format!("{}\n{}\n", row(n), row(n));
    assert_eq!(table(&text(512)).dim, 512);
    assert!(error(&text(513)).contains("513 features in a row, at most 512"));
    // The label does not count.
    assert_eq!(table_with(&text(513), label("7")).unwrap().dim, 512);
}

#[test]
fn bytes_that_are_not_text_are_refused_with_their_line() {
    let error = read("f.csv", "f".into(), b"1,2\n3,\xff\n", &LoadOptions::default());
    assert_eq!(error.unwrap_err().to_string(), "f.csv: line 2: not UTF-8 text; save the file as UTF-8 CSV");
}
