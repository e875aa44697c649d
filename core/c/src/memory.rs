//! What is asked of every pointer before it is followed.

use crate::MoteStatus;

/// A stretch of the caller's memory, as addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    start: usize,
    end: usize,
}

impl Area {
    /// The area of `count` values, if the pointer could point to them: not null, aligned for its type, within the address space.
    pub fn of<T>(pointer: *const T, count: usize) -> Result<Self, MoteStatus> {
        if pointer.is_null() {
            return Err(MoteStatus::NullPointer);
        }
        if !pointer.is_aligned() {
            return Err(MoteStatus::Misaligned);
        }
        let start = pointer.addr();
        // Slices are at most isize::MAX bytes long.
        let bytes = count.checked_mul(size_of::<T>()).filter(|bytes| isize::try_from(*bytes).is_ok());
        let end = bytes.and_then(|bytes| start.checked_add(bytes)).ok_or(MoteStatus::LengthOutOfRange)?;
        Ok(Self { start, end })
    }

    /// Whether it starts at a multiple of so many bytes.
    pub fn at_multiple_of(self, bytes: usize) -> Result<(), MoteStatus> {
        if self.start.is_multiple_of(bytes) { Ok(()) } else { Err(MoteStatus::Misaligned) }
    }

    /// Whether it has no byte in common with another.
    pub fn apart_from(self, other: Self) -> Result<(), MoteStatus> {
        let common = self.start < other.end && other.start < self.end;
        if common { Err(MoteStatus::Overlap) } else { Ok(()) }
    }
}
