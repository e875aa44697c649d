//! Small data sets, made where they are needed.

use std::fmt::Write as _;
use std::io::Write as _;

use mote_core::random::{NormalSource, Stream, Ziggurat};

/// Two columns and a label: `busy` rows are hotter and less damp than `idle` ones, two by two, so that
/// even and odd rows are alike.
pub fn windows() -> String {
    let mut noise = Ziggurat::new(Stream::new(1));
    let mut text = String::from("heat,damp,state\n");
    for row in 0..200 {
        let (state, place) = if row / 2 % 2 == 0 { ("busy", 1.0) } else { ("idle", -1.0) };
        let (heat, damp) = (20.0 + place + 0.5 * noise.normal(), -300.0 - 40.0 * place + 10.0 * noise.normal());
        let _ = writeln!(text, "{heat},{damp},{state}");
    }
    text
}

/// Normal numbers as CSV without a header.
pub fn normals(rows: usize, dim: usize) -> String {
    let mut noise = Ziggurat::new(Stream::new(2));
    (0..rows).map(|_| (0..dim).map(|_| noise.normal().to_string()).collect::<Vec<_>>().join(",") + "\n").collect()
}

/// Text, gzipped.
pub fn gzipped(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// An .npy file, version 1.0 of numpy.lib.format, of bytes in C order.
pub fn npy(kind: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

/// The shape's text and the values of an .npy file of f32.
pub fn read_npy(file: &[u8]) -> (String, Vec<f32>) {
    assert!(file.starts_with(b"\x93NUMPY\x01\x00"));
    let start = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let header = std::str::from_utf8(&file[10..start]).unwrap();
    assert!(header.contains("'descr': '<f4'") && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split('(').nth(1).unwrap().split(')').next().unwrap();
    let shape: String = shape.chars().filter(|c| !c.is_whitespace()).collect();
    let (values, rest) = file[start..].as_chunks::<4>();
    assert!(rest.is_empty());
    (shape.trim_end_matches(',').into(), values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// The numbers of a CSV with a header line.
pub fn numbers(csv: &str) -> Vec<Vec<f64>> {
    let cells = |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect();
    csv.lines().skip(1).map(cells).collect()
}

/// A log of two recordings, x and y, whose rows alternate: every hundredth of a second `rows` readings of two slow waves, a and b, with normal noise of
/// deviation `sigma`, and a note.
pub fn log(rows: usize, sigma: f32) -> String {
    let mut noise = Ziggurat::new(Stream::new(3));
    let mut text = String::from("t,who,a,b,note\n");
    for row in 0..rows {
        for (who, phase) in [("x", 0.0), ("y", 1.0)] {
            let angle = row as f32 * 0.15 + phase;
            let (a, b) = (
                2f32.sqrt() * angle.sin() + sigma * noise.normal(),
                2f32.sqrt() * (0.7 * angle).cos() + sigma * noise.normal(),
            );
            let _ = writeln!(text, "{:.2},{who},{a},{b},ok", row as f32 * 0.01);
        }
    }
    text
}

/// [`log`] with no reading in any row.
pub fn log_without_readings(rows: usize) -> String {
    let emptied = |(number, line): (usize, &str)| match line.split(',').collect::<Vec<_>>()[..] {
        [time, who, _, _, note] if number > 0 => format!("{time},{who},,,{note}\n"),
        _ => format!("{line}\n"),
    };
    log(rows, 0.0).lines().enumerate().map(emptied).collect()
}
