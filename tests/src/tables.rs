//! The generated tables of `core`, and where they stand.
//!
//! Everything is computed in `f64` with `libm`, so that every machine writes the same files.

mod normal;
mod silu;

/// A generated source file.
#[derive(Debug)]
pub struct Table {
    /// Its place, from the repository's root.
    pub path: &'static str,
    /// Its text.
    pub text: String,
}

/// All generated tables.
pub fn all() -> Vec<Table> {
    vec![
        Table { path: "core/src/random/tables.rs", text: normal::render() },
        Table { path: "core/src/network/silu_table.rs", text: silu::render() },
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn checked_in_tables_are_the_generated_ones() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for table in super::all() {
            let checked_in = std::fs::read_to_string(root.join(table.path)).unwrap();
            // Not assert_eq!, which would print both files.
            assert!(checked_in == table.text, "{} is not what `cargo xtask tables` writes", table.path);
        }
    }
}
