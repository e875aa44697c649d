//! What the whole-system tests share: models with random weights, a second reader of the format, the generators of the
//! tables that `core` holds, the C header, cycles and stack by a program's instructions, the image of the default board, and those of chips that one can buy.

pub mod c_header;
pub mod c_library;
pub mod chips;
pub mod cycles;
pub mod live;
pub mod mutation;
pub mod qemu;
pub mod random_model;
pub mod reader;
pub mod stack;
pub mod tables;
