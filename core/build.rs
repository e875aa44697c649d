//! Chooses the kernel of dense layers for the target.
//!
//! The compiler's stable `cfg` tells neither of Arm's DSP and vector extensions, so the choice is made by the target's name and flags, and
//! handed on as `mote_kernel`. Adding a kernel: a file in `src/network/kernel`, a line in its `mod.rs`, a line in [`choose`].

use std::env;

/// The names that `mote_kernel` may have.
const KERNELS: [&str; 7] = ["dsp", "mve", "armv7m", "armv6m", "riscv", "x86", "portable"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let names: Vec<_> = KERNELS.iter().map(|name| format!("{name:?}")).collect();
    println!("cargo::rustc-check-cfg=cfg(mote_kernel, values({}))", names.join(", "));
    println!("cargo::rustc-check-cfg=cfg(mote_tiles, mote_dsp, mote_wide_lanes, mote_armv8m, mote_soft_float)");
    let target = env::var("TARGET").unwrap_or_default();
    // Flags are separated by the byte 0x1f, and the CPU may stand in one flag or two.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let portable = env::var_os("CARGO_FEATURE_PORTABLE").is_some();
    let kernel = if portable { "portable" } else { choose(&target, &flags) };
    println!("cargo::rustc-cfg=mote_kernel={kernel:?}");
    // These share the code that calls an assembly routine for tiles of rows.
    if ["dsp", "mve", "armv7m", "armv6m", "riscv"].contains(&kernel) {
        println!("cargo::rustc-cfg=mote_tiles");
    }
    // A core with vectors has the DSP instructions too, for weights that do not lie as its vectors want them.
    if kernel == "dsp" || kernel == "mve" {
        println!("cargo::rustc-cfg=mote_dsp");
    }
    if target.starts_with("thumbv8m") {
        println!("cargo::rustc-cfg=mote_armv8m");
    }
    // Floats in software: Arm's targets with a float unit end in `eabihf`, and RISC-V's have the letter f.
    let risc_v = ["riscv32im-", "riscv32ima-", "riscv32imc-", "riscv32imac-"];
    if (target.starts_with("thumb") && target.ends_with("eabi"))
        || risc_v.iter().any(|prefix| target.starts_with(prefix))
    {
        println!("cargo::rustc-cfg=mote_soft_float");
    }
    // A core that multiplies one number at a time reads codes fastest as whole words.
    if kernel == "armv7m" || kernel == "armv6m" {
        println!("cargo::rustc-cfg=mote_wide_lanes");
    }
}

fn choose(target: &str, flags: &str) -> &'static str {
    let starts = |prefix: &str| target.starts_with(prefix);
    let cpu = |name: &str| flags.contains(&format!("target-cpu={name}"));
    if starts("thumbv8m.main") && (cpu("cortex-m55") || cpu("cortex-m85")) {
        "mve"
    } else if starts("thumbv7em") || starts("thumbv8m.main") {
        // The extension is optional on ARMv8-M, but every core with this target in its data sheet that is sold has it; the feature
        // `portable` is for one that has not.
        "dsp"
    } else if starts("thumbv7m") {
        "armv7m"
    } else if starts("thumbv6m") || starts("thumbv8m.base") {
        "armv6m"
    } else if starts("riscv32im") {
        "riscv"
    } else if starts("x86_64") {
        "x86"
    } else {
        "portable"
    }
}
