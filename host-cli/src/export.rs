//! A model as sources that firmware compiles: a blob with constants beside it, in Rust or in C.

mod detector;

use std::fmt::Write as _;

use mote_core::model::Model;

pub use detector::ExportedDetector;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its name, without a folder.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A model to be exported under a name.
#[derive(Clone, Copy, Debug)]
pub struct Export<'m> {
    /// The name of files and of C identifiers: see [`is_name`].
    pub name: &'m str,
    /// The blob.
    pub blob: &'m [u8],
    /// The same, checked.
    pub model: &'m Model<'m>,
    /// A detector that goes with it, in Rust.
    pub detector: Option<ExportedDetector<'m>>,
}

/// Whether a name can stand for files, a module of Rust and identifiers of C: small letters, digits and underscores, a letter first, and
/// not `mote`, whose header and functions are the library's.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(allowed)
        && name.len() <= 40
        && name != "mote"
}

impl Export<'_> {
    /// The blob as it is.
    #[must_use]
    pub fn blob(&self) -> Vec<ExportedFile> {
        vec![self.file("mote", self.blob.to_vec())]
    }

    /// The blob, and a module of Rust that includes it, with the detector's own module in it if there is one.
    #[must_use]
    pub fn rust(&self) -> Vec<ExportedFile> {
        let (name, model) = (self.name, self.model);
        let plans: String = self
            .plans()
            .iter()
            .map(|(constant, plan)| format!("    /// Plan `{plan}`.\n    pub const {constant}: &str = \"{plan}\";\n"))
            .collect();
        let plans = if plans.is_empty() {
            String::new()
        } else {
            format!("\n/// The plans' names, for `Model::plan_named`.\npub mod plan {{\n{plans}}}\n")
        };
        let text = format!(
            "//! The model of `{name}.mote`, for `mote-core`. Made by `mote export --format rust`; changes are lost.\n\
             //!\n//! It needs no heap: `static mut ARENA: Arena<ARENA_BYTES> = Arena::new()` is all its memory.\n\
             \n\
             use mote_core::model::{{Arena, Model, arena_bytes}};\n\
             \n\
             /// Bytes that start at a multiple of 16.\n\
             #[repr(C, align(16))]\n\
             struct Aligned<T>(T);\n\
             \n\
             static ALIGNED: Aligned<[u8; {bytes}]> = Aligned(*include_bytes!(\"{name}.mote\"));\n\
             \n\
             /// The blob, in flash: what `Model::parse` takes.\n\
             pub const BLOB: &[u8] = &ALIGNED.0;\n\
             /// Bytes of the model's working memory.\n\
             pub const ARENA_BYTES: usize = {arena};\n\
             /// Values that the network takes.\n\
             pub const DIM_IN: usize = {dim_in};\n\
             /// Values of a sample.\n\
             pub const DIM: usize = {dim};\n\
             /// Number of classes; 0 for an unconditional model.\n\
             pub const CLASSES: u16 = {classes};\n\
             /// The digest that the self-test gives on every processor.\n\
             pub const SELF_TEST_DIGEST: u64 = 0x{digest:016x};\n\
             {plans}\n\
             // The blob beside this file is the one that it was made with.\n\
             const _: () = assert!(arena_bytes(BLOB) == ARENA_BYTES);\n\
             \n\
             /// Checks the blob, and whether this processor gives the bits that the model was made with.\n\
             ///\n\
             /// # Errors\n\
             /// A line that says what is wrong.\n\
             pub fn self_test(arena: &mut Arena<ARENA_BYTES>) -> Result<(), &'static str> {{\n\
             \x20   let model = Model::parse(BLOB).map_err(|_| \"the model is damaged\")?;\n\
             \x20   let mut bound = model.bind(arena).map_err(|_| \"the model needs more memory\")?;\n\
             \x20   bound.self_test().map_err(|_| \"this processor gives other bits than the model says\")\n\
             }}\n",
            bytes = self.blob.len(),
            arena = model.arena_bytes(),
            dim_in = model.dim_in(),
            dim = model.dim_out(),
            classes = model.classes(),
            digest = model.self_test().digest,
        );
        let text = text + &self.detector.map(|detector| detector.rust()).unwrap_or_default();
        let mut files = self.blob();
        files.push(self.file("rs", text.into_bytes()));
        files
    }

    /// A header, and a source with the blob as an aligned array.
    #[must_use]
    pub fn c(&self) -> Vec<ExportedFile> {
        let (name, model, upper) = (self.name, self.model, self.name.to_ascii_uppercase());
        let numbers: String = self
            .plans()
            .iter()
            .enumerate()
            .map(|(number, (constant, plan))| format!("    {upper}_PLAN_{constant} = {number}, /* {plan} */\n"))
            .collect();
        let numbers = if numbers.is_empty() {
            String::new()
        } else {
            format!("/* Numbers of the plans, for a request. */\nenum {name}_plan {{\n{numbers}}};\n\n")
        };
        let header = format!(
            "/* The model of {name}.mote, for libmote.a. Made by `mote export --format c`; changes are lost. */\n\
             #ifndef {upper}_H\n\
             #define {upper}_H\n\
             \n\
             #include \"mote.h\"\n\
             \n\
             #define {upper}_BLOB_BYTES {bytes}u\n\
             #define {upper}_ARENA_BYTES {arena}u /* working memory: uint32_t arena[{upper}_ARENA_BYTES / 4] */\n\
             #define {upper}_DIM_IN {dim_in}u /* values that the network takes */\n\
             #define {upper}_DIM {dim}u /* values of a sample */\n\
             #define {upper}_CLASSES {classes}u\n\
             #define {upper}_PLANS {plans}u\n\
             #define {upper}_SELF_TEST_DIGEST UINT64_C(0x{digest:016x})\n\
             \n\
             {numbers}\
             #ifdef __cplusplus\n\
             extern \"C\" {{\n\
             #endif\n\
             \n\
             /* The blob, at a multiple of {alignment}. */\n\
             extern const uint8_t {name}_blob[{upper}_BLOB_BYTES];\n\
             \n\
             /* Checks the blob, binds it to an arena of so many bytes, and runs its self-test. */\n\
             mote_status {name}_open(mote_model *model, mote_session *session, uint32_t *arena, size_t arena_bytes);\n\
             \n\
             #ifdef __cplusplus\n\
             }}\n\
             #endif\n\
             \n\
             #endif\n",
            bytes = self.blob.len(),
            arena = model.arena_bytes(),
            dim_in = model.dim_in(),
            dim = model.dim_out(),
            classes = model.classes(),
            plans = model.plan_count(),
            digest = model.self_test().digest,
            alignment = mote_core::model::ALIGNMENT,
        );
        let mut source = format!(
            "/* The model of {name}.mote. Made by `mote export --format c`; changes are lost. */\n\
             #include \"{name}.h\"\n\
             \n\
             mote_status {name}_open(mote_model *model, mote_session *session, uint32_t *arena, size_t arena_bytes)\n\
             {{\n\
             \x20   mote_status status = mote_model_parse(model, {name}_blob, {upper}_BLOB_BYTES);\n\
             \x20   if (status == MOTE_STATUS_OK)\n\
             \x20       status = mote_session_bind(session, model, arena, arena_bytes);\n\
             \x20   return status == MOTE_STATUS_OK ? mote_session_self_test(session) : status;\n\
             }}\n\
             \n\
             _Alignas({alignment}) const uint8_t {name}_blob[{upper}_BLOB_BYTES] = {{\n",
            alignment = mote_core::model::ALIGNMENT,
        );
        for line in self.blob.chunks(16) {
            let _ = write!(source, "   ");
            for byte in line {
                let _ = write!(source, " 0x{byte:02x},");
            }
            source.push('\n');
        }
        source += "};\n";
        vec![self.file("h", header.into_bytes()), self.file("c", source.into_bytes())]
    }

    fn file(&self, extension: &str, bytes: Vec<u8>) -> ExportedFile {
        ExportedFile { name: format!("{}.{extension}", self.name), bytes }
    }

    /// The plans' names, each with a constant: letters and digits in capitals, an underscore for each run of anything else. A constant that
    /// is there already gets the plan's number at its end.
    fn plans(&self) -> Vec<(String, &str)> {
        let mut found: Vec<(String, &str)> = Vec::new();
        for (plan, number) in self.model.plans().zip(0..) {
            let words = plan.name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let mut constant = words.map(str::to_ascii_uppercase).collect::<Vec<_>>().join("_");
            // A name of Rust does not start with a digit.
            if !constant.starts_with(|c: char| c.is_ascii_alphabetic()) {
                constant = format!("P{constant}");
            }
            while found.iter().any(|(other, _)| *other == constant) {
                constant = format!("{constant}_{number}");
            }
            found.push((constant, plan.name));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = include_bytes!("../../core/tests/golden/v1-digits-random.mote");

    #[test]
    fn names_are_those_that_c_and_rust_take() {
        for name in ["model", "m2", "wind_speed"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "2m", "_m", "Model", "a-b", "a b", "mote", "é", &"m".repeat(41), "../m"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn the_array_in_c_is_the_blob() {
        let model = Model::parse(GOLDEN).unwrap();
        let [header, source] = &Export { name: "digits", blob: GOLDEN, model: &model, detector: None }.c()[..] else {
            panic!("two files")
        };
        assert_eq!((&*header.name, &*source.name), ("digits.h", "digits.c"));
        let text = String::from_utf8(source.bytes.clone()).unwrap();
        let array = text.split_once("_Alignas(16) const uint8_t digits_blob[DIGITS_BLOB_BYTES] = {").unwrap().1;
        let bytes: Vec<u8> =
            array.split(',').filter_map(|byte| u8::from_str_radix(byte.trim().strip_prefix("0x")?, 16).ok()).collect();
        assert_eq!(bytes, GOLDEN);
        let header = String::from_utf8(header.bytes.clone()).unwrap();
        // The golden file's figures, which its own test states: 64 * 5 floats and two buffers of 128 lanes.
        for line in [
            "#define DIGITS_BLOB_BYTES 61376u\n",
            "#define DIGITS_ARENA_BYTES 1792u ",
            "#define DIGITS_PLANS 2u\n",
            "#define DIGITS_SELF_TEST_DIGEST UINT64_C(0x46da412ea1866aba)\n",
            "    DIGITS_PLAN_DPM_2M = 0, /* dpm++2m */\n    DIGITS_PLAN_DDPM = 1, /* ddpm */\n",
        ] {
            assert!(header.contains(line), "{line}{header}");
        }
    }
}
