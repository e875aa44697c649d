//! The images for chips that one can buy: the host's bits where an emulator knows the chip, and what a chip's boot wants to see.

use mote_core::model::{Arena, Model};
use mote_core::sampler::{Digest, SampleOptions};
use mote_tests::chips::{CHIPS, address, first_lines, image};
use mote_tests::qemu::forbidden_names;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};
use std::fs;
use std::path::{Path, PathBuf};

fn sources(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Bytes of an image from an address on, and its size in flash.
fn flash_from(elf: &object::File<'_>, address: u64, length: usize) -> Vec<u8> {
    let section = elf.sections().find(|section| section.address() == address && section.size() >= length as u64);
    let section = section.unwrap_or_else(|| panic!("nothing at {address:#x}"));
    section.data().unwrap()[..length].to_vec()
}

/// What the image prints of a model: the line of each sample of its first plan with seed 0.
fn host_lines(blob: &[u8], count: u32) -> Vec<String> {
    let model = Model::parse(blob).unwrap();
    let mut arena = Box::new(Arena::<65536>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let plan = model.plan(0).unwrap();
    let mut sample = vec![0.0; model.dim_out()];
    let mut lines = Vec::new();
    for number in 0..count {
        bound.sample(&plan, SampleOptions::default(), 0, number, &mut sample);
        let mut digest = Digest::new();
        digest.update(&sample);
        model.unscale(&mut sample);
        // By the library's own formatting of decimals; a value halfway between two thousandths would be rounded to even there, and away from 0 on the
        // chip, and none is.
        let values: Vec<_> = sample.iter().map(|value| format!(" {value:.3}").replace(" -0.000", " 0.000")).collect();
        lines.push(format!("sample {number} digest {:016x}:{}", digest.finish(), values.concat()));
    }
    lines
}

#[test]
fn a_chip_prints_the_hosts_samples_on_its_serial_line() {
    let mut run = 0;
    for chip in CHIPS.iter().filter(|chip| chip.machine.is_some()) {
        let Some(image) = image(chip) else { return };
        let (built_in, trained) =
            (sources("firmware-sim/models/built-in.mote"), sources("firmware-sim/models/digits-48-48.mote"));
        for (path, flashed, word) in [(&built_in, None, "built-in"), (&trained, Some(&*trained), "flashed")] {
            let blob = fs::read(path).unwrap();
            let Some(lines) = first_lines(chip, &image, flashed, 5) else { return };
            assert!(lines[0].ends_with(&format!(": {word} model of {} bytes", blob.len())), "{lines:?}");
            assert!(lines[1].starts_with("self-test passed; plan "), "{lines:?}");
            assert_eq!(lines[2..], host_lines(&blob, 3));
        }
        run += 1;
    }
    assert!(run > 0);
}

#[test]
fn a_chip_refuses_a_damaged_model_in_one_line() {
    let chip = &CHIPS[0];
    let Some(image) = image(chip) else { return };
    let mut blob = fs::read(sources("firmware-sim/models/digits-48-48.mote")).unwrap();
    blob[5000] ^= 1;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &blob).unwrap();
    let Some(lines) = first_lines(chip, &image, Some(file.path()), 1) else { return };
    let Err(error) = Model::parse(&blob) else { panic!("the host takes it") };
    assert_eq!(lines[0], format!("error: the model in flash is refused: {error}"));
}

#[test]
fn no_chips_image_holds_a_panic_or_double_precision() {
    for chip in &CHIPS {
        let Some(image) = image(chip) else { return };
        let bytes = fs::read(&image).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        let names: Vec<_> = elf.symbols().filter_map(|symbol| symbol.name().ok()).collect();
        assert!(names.contains(&"Reset") && names.iter().any(|name| name.contains("iggurat")), "no symbols");
        assert_eq!(forbidden_names(&names), Vec::<String>::new(), "{}", chip.board);
        let flash: u64 = elf.segments().map(|segment| segment.file_range().1).sum();
        let built_in = fs::metadata(sources("firmware-sim/models/built-in.mote")).unwrap().len();
        println!("{}: {} bytes of flash without a model", chip.board, flash - built_in);
        assert!(flash - built_in < 40 * 1024, "{}: {flash}", chip.board);
    }
}

#[test]
fn a_chip_finds_its_first_instruction_and_its_stack() {
    for chip in &CHIPS {
        let Some(image) = image(chip) else { return };
        let bytes = fs::read(&image).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        // An STM32F4 boots from the start of its flash (RM0390, section 2.4), an RP2040 through the second stage in the first 256 bytes, which goes on
        // at the vector table behind it (RP2040 Datasheet, section 2.8.1).
        let (flash, vectors) =
            if chip.board == "pico" { (0x1000_0000, 0x1000_0100) } else { (0x0800_0000, 0x0800_0000) };
        let words: Vec<_> = flash_from(&elf, vectors, 8)
            .chunks_exact(4)
            .map(|word| u64::from(u32::from_le_bytes(word.try_into().unwrap())))
            .collect();
        assert_eq!(words[0], address(&image, "_stack_start"), "{}", chip.board);
        assert_eq!(words[1], address(&image, "Reset") | 1, "{}", chip.board);
        assert!((flash..address(&image, "_model_start")).contains(&words[1]), "{}", chip.board);
        if chip.board == "pico" {
            // The ROM runs the second stage only if its last four bytes are the CRC-32 of the rest (section 2.8.1.3.1).
            let stage = flash_from(&elf, flash, 256);
            let sum = crc::Crc::<u32>::new(&crc::CRC_32_MPEG_2).checksum(&stage[..252]);
            assert_eq!(stage[252..], sum.to_le_bytes());
        }
    }
}

#[test]
fn the_flashing_page_names_the_places_of_the_models() {
    let page = fs::read_to_string(sources("docs/flashing.md")).unwrap();
    for chip in &CHIPS {
        let Some(image) = image(chip) else { return };
        let (start, end) = (address(&image, "_model_start"), address(&image, "_model_end"));
        let row = format!("| `{}` | {} KiB at `{start:#010x}` |", chip.board, (end - start) / 1024);
        assert!(page.contains(&row), "docs/flashing.md lacks: {row}");
    }
}
