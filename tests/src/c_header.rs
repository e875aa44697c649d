//! The generator of `mote.h`: cbindgen over the sources of the C library.

use cbindgen::{Builder, Config, DocumentationStyle, EnumConfig, ExportConfig, Language, RenameRule, Style};
use std::path::Path;

/// Where the header is kept, from the repository's root.
pub const PATH: &str = "core/c/include/mote.h";

/// The files that hold what C sees, from the repository's root.
const SOURCES: [&str; 5] = ["status.rs", "memory.rs", "model.rs", "session.rs", "version.rs"];

/// The names of types in C; functions and constants keep theirs.
const TYPES: [(&str, &str); 6] = [
    ("MoteStatus", "mote_status"),
    ("MoteModel", "mote_model"),
    ("MoteModelInfo", "mote_model_info"),
    ("MotePlanInfo", "mote_plan_info"),
    ("MoteRequest", "mote_request"),
    ("MoteSession", "mote_session"),
];

/// The header's text.
///
/// # Errors
/// What cbindgen says of sources that it cannot read.
pub fn text(root: &Path) -> Result<String, cbindgen::Error> {
    let config = Config {
        language: Language::C,
        cpp_compat: true,
        include_guard: Some("MOTE_H".into()),
        header: Some(HEAD.into()),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        after_includes: Some(POINTERS.into()),
        style: Style::Both,
        documentation_style: DocumentationStyle::Doxy,
        usize_is_size_t: true,
        line_length: 120,
        tab_width: 4,
        defines: [("target_pointer_width = 64", "MOTE_POINTERS_64"), ("target_pointer_width = 32", "MOTE_POINTERS_32")]
            .map(|(cfg, define)| (cfg.into(), define.into()))
            .into(),
        export: ExportConfig {
            rename: TYPES.map(|(from, to)| (from.into(), to.into())).into(),
            include: vec!["MoteStatus".into()],
            ..ExportConfig::default()
        },
        enumeration: EnumConfig { rename_variants: RenameRule::QualifiedScreamingSnakeCase, ..EnumConfig::default() },
        ..Config::default()
    };
    let sources = SOURCES.iter().map(|name| root.join("core/c/src").join(name));
    let builder = sources.fold(Builder::new().with_config(config), Builder::with_src);
    let mut bytes = Vec::new();
    builder.generate()?.write(&mut bytes);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What stands above everything.
const HEAD: &str = "\
/* Mote for C: sample from diffusion models on microcontrollers, in memory that the caller lends.
 *
 * Made from core/c/src by `cargo xtask header`; changes belong there. docs/c-library.md says how to build, link and call. */";

/// Objects hold pointers, so their size depends on those.
const POINTERS: &str = "
#if UINTPTR_MAX > 0xffffffff
#define MOTE_POINTERS_64
#else
#define MOTE_POINTERS_32
#endif";
