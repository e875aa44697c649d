//! Where an image begins.

use core::cell::UnsafeCell;

/// A static that start-up lends to an image's first function.
#[doc(hidden)]
#[derive(Debug)]
pub struct Lent<T>(UnsafeCell<T>);

// SAFETY: the value is reached once, by the function that start-up calls, on a machine with one core.
unsafe impl<T> Sync for Lent<T> {}

impl<T> Lent<T> {
    /// A value that nobody has yet.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value's place.
    pub const fn place(&self) -> *mut T {
        self.0.get()
    }
}

/// Makes a function the one that the board's start-up code calls, and lends it a static: `entry!(run, Statics = Statics::new())`.
///
/// The static should start as zeros, so that it takes no flash.
#[macro_export]
macro_rules! entry {
    ($run:path, $statics:ty = $initial:expr) => {
        const _: () = {
            static STATICS: $crate::entry::Lent<$statics> = $crate::entry::Lent::new($initial);

            #[unsafe(export_name = "main")]
            extern "C" fn image_starts_here() -> ! {
                // SAFETY: start-up calls this function once, and nothing else can name the static.
                $run(unsafe { &mut *STATICS.place() })
            }
        };
    };
}
