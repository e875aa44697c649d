pub mod data;
pub mod files;
pub mod metrics;
pub mod picture;
