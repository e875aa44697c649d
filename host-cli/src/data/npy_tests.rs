use super::*;

/// An .npy file, version 1.0, written by hand from the format's specification (numpy.lib.format).
fn file(descr: &str, fortran: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(body);
    bytes
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn load_with(bytes: &[u8], options: &LoadOptions) -> Result<Table, DataError> {
    read("f.npy", "f".into(), bytes, options)
}

fn load(bytes: &[u8]) -> Table {
    load_with(bytes, &LoadOptions::default()).unwrap()
}

fn error_with(bytes: &[u8], options: &LoadOptions) -> String {
    let message = load_with(bytes, options).unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

fn error(bytes: &[u8]) -> String {
    error_with(bytes, &LoadOptions::default())
}

#[test]
fn every_numeric_type_is_read_in_either_byte_order() {
    // -2 and 3, or 2 and 3 where there is no sign; bytes worked out by hand.
    let signed = [-2.0, 3.0];
    let cases: [(&str, &[u8], [f32; 2]); 15] = [
        ("'|b1'", &[0, 1], [0.0, 1.0]),
        ("'|i1'", &[0xfe, 3], signed),
        ("'|u1'", &[0xfe, 3], [254.0, 3.0]),
        ("'<i2'", &[0xfe, 0xff, 3, 0], signed),
        ("'>i2'", &[0xff, 0xfe, 0, 3], signed),
        ("'<u2'", &[0xfe, 0xff, 3, 0], [65534.0, 3.0]),
        ("'<i4'", &[0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0], signed),
        ("'>u4'", &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3], [4294967296.0, 3.0]), // rounded to f32
        ("'<i8'", &[0xfe, 255, 255, 255, 255, 255, 255, 255, 3, 0, 0, 0, 0, 0, 0, 0], signed),
        ("'>u8'", &[0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3], [2.0, 3.0]),
        ("'<f2'", &[0x00, 0xc0, 0x00, 0x42], signed),
        ("'>f2'", &[0xc0, 0x00, 0x42, 0x00], signed),
        ("'<f4'", &[0, 0, 0, 0xc0, 0, 0, 0x40, 0x40], signed),
        ("'>f4'", &[0xc0, 0, 0, 0, 0x40, 0x40, 0, 0], signed),
        ("'<f8'", &[0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 8, 0x40], signed),
    ];
    for (descr, body, expected) in cases {
        let table = load(&file(descr, "False", "(2,)", body));
        assert_eq!(table.values, expected, "{descr}");
        assert_eq!((table.rows, table.dim), (2, 1));
    }
}

#[test]
fn half_floats_are_exact() {
    // IEEE 754-2019 binary16: 1, 65504 (largest), 2^-14 (smallest normal), 2^-24 (smallest), -0, infinity.
    for (bits, expected) in [
        (0x3c00, 1.0),
        (0x7bff, 65504.0),
        (0x0400, 6.103_515_6e-5),
        (0x0001, 5.960_464_5e-8),
        (0x03ff, 6.097_555e-5),
        (0x7c00, f32::INFINITY),
        (0xfc00, f32::NEG_INFINITY),
    ] {
        assert_eq!(half(bits), expected, "{bits:#x}");
    }
    assert!(half(0x8000).is_sign_negative() && half(0x7e00).is_nan());
}

#[test]
fn shapes_become_rows_features_and_images() {
    let six = floats(&[1., 2., 3., 4., 5., 6.]);
    let flat = load(&file("'<f4'", "False", "(3, 2)", &six));
    assert_eq!((flat.rows, flat.dim, flat.image), (3, 2, None));
    assert_eq!(flat.columns, ["c1", "c2"]);
    let image = load(&file("'<f4'", "False", "(2, 1, 3)", &six));
    assert_eq!((image.rows, image.dim, image.image), (2, 3, Some((1, 3))));
    assert_eq!(image.columns, ["r0c0", "r0c1", "r0c2"]);
}

#[test]
fn fortran_order_is_turned_round() {
    // numpy: np.asfortranarray([[1,2,3],[4,5,6]]) stores 1 4 2 5 3 6.
    let stored = floats(&[1., 4., 2., 5., 3., 6.]);
    let flat = load(&file("'<f4'", "True", "(2, 3)", &stored));
    assert_eq!(flat.values, [1., 2., 3., 4., 5., 6.]);
    // numpy: np.arange(8).reshape(2,2,2).ravel(order="F") is 0 4 2 6 1 5 3 7.
    let stored = floats(&[0., 4., 2., 6., 1., 5., 3., 7.]);
    let image = load(&file("'<f4'", "True", "(2, 2, 2)", &stored));
    assert_eq!(image.values, [0., 1., 2., 3., 4., 5., 6., 7.]);
}

#[test]
fn values_that_are_not_finite_are_refused_or_dropped() {
    let drop = LoadOptions { missing: Missing::Drop, ..LoadOptions::default() };
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let bytes = file("'<f4'", "False", "(3, 2)", &floats(&[1., 2., 3., bad, 5., 6.]));
        let message = error(&bytes);
        assert!(message.starts_with("f.npy: row 2, column 2: "), "{message}");
        assert!(message.contains("--missing drop"), "{message}");
        let table = load_with(&bytes, &drop).unwrap();
        assert_eq!(table.values, [1., 2., 5., 6.]);
        assert_eq!(table.dropped_rows, 1);
    }
    let wide: Vec<u8> = [1.0f64, 1e39, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert!(error(&file("'<f8'", "False", "(3,)", &wide)).contains("inf is not a finite 32-bit"));
}

#[test]
fn a_column_of_whole_numbers_can_be_the_label() {
    let label = |by: &str| LoadOptions { label: Some(by.into()), ..LoadOptions::default() };
    let bytes = file("'<f4'", "False", "(3, 2)", &floats(&[1.5, 7., 2.5, -1., 3.5, 7.]));
    let table = load_with(&bytes, &label("2")).unwrap();
    assert_eq!((table.values, table.columns), (vec![1.5, 2.5, 3.5], vec!["c1".to_string()]));
    let labels = table.labels.unwrap();
    assert_eq!((labels.codes, labels.names), (vec![1, 0, 1], vec!["-1".to_string(), "7".into()]));
    assert!(error_with(&bytes, &label("1")).contains("labels are whole numbers"));
    assert!(error_with(&bytes, &label("3")).contains("numbered 1 to 2"));
    assert!(error_with(&bytes, &label("kind")).contains("numbered 1 to 2"));
    let image = file("'<f4'", "False", "(2, 1, 1)", &floats(&[1., 2.]));
    assert!(error_with(&image, &label("1")).contains("no label column"));
}

#[test]
fn other_types_are_refused_by_name() {
    for (descr, part) in [
        ("'<c8'", "complex numbers (<c8)"),
        ("'<U3'", "text"),
        ("'|S3'", "text"),
        ("'|O'", "Python objects"),
        ("'<M8[s]'", "dates or times"),
        ("'<f16'", "of a type that is not read"),
        ("[('a', '<f4'), ('b', '<i4')]", "records"),
    ] {
        let message = error(&file(descr, "False", "(2,)", &[0; 64]));
        assert!(message.contains(part), "{descr}: {message}");
    }
}

#[test]
fn bad_shapes_are_refused() {
    let four = floats(&[1., 2., 3., 4.]);
    let with = |shape| error(&file("'<f4'", "False", shape, &four));
    assert!(with("(2, 1, 1, 2)").contains("4 dimensions"));
    assert!(with("()").contains("0 dimensions"));
    assert!(with("(0, 4)").contains("holds no values"));
    assert!(with("(1, 4)").contains("1 of 1 rows"));
    assert!(with("(2, 600)").contains("600 features in a row"));
    assert!(with("(2, 30, 30)").contains("900 features in a row"));
    assert!(with("(9223372036854775807, 4)").contains("impossible size"));
    assert!(with("(99999999999999999999, 4)").contains("impossible size"));
    assert!(with("(100000000000000, 4)").contains("cut short"));
    assert!(with("(2,)").contains("8 bytes follow the array"));
    let message = error(&file("'<f4'", "False", "(2, 2", &four));
    assert!(message.contains("the .npy header makes no sense"), "{message}");
}

#[test]
fn a_file_cut_anywhere_is_refused_and_says_so() {
    let whole = file("'<f4'", "False", "(2, 2)", &floats(&[1., 2., 3., 4.]));
    for length in 1..whole.len() {
        let message = error(&whole[..length]);
        assert!(message.contains("cut short"), "{length}: {message}");
    }
    assert!(error(b"1,2\n3,4\n").contains("does not start as an .npy file"));
    assert!(error(b"PK\x03\x04").contains("does not start as an .npy file"));
    assert!(error(b"\x93NUMPY\x09\x00\x10\x00").contains("version 9"));
}

#[test]
fn a_hostile_header_is_refused_without_a_fault() {
    let body = floats(&[1., 2., 3., 4.]);
    let whole = file("'<f4'", "False", "(2, 2)", &body);
    // Every byte before the values, with every value: an answer or one line, never a panic.
    for position in 0..whole.len() - body.len() {
        for value in 0..=255u8 {
            let mut bytes = whole.clone();
            bytes[position] = value;
            if let Err(error) = load_with(&bytes, &LoadOptions::default()) {
                assert_eq!(error.to_string().lines().count(), 1, "{position} {value}: {error}");
            }
        }
    }
    let deep = "(".repeat(900);
    assert!(error(&file("'<f4'", "False", &deep, &body)).contains("nested too deep"));
    assert!(error(&file("'<f4'", "False", &" ".repeat(5000), &body)).contains("too long"));
}
