use mote_link::status::Fault;
use std::fmt;

/// What a client saw of its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests.
    pub requests: u32,
    /// Frames sent, repetitions among them.
    pub sent: u32,
    /// Requests sent again because no answer came in time.
    pub timeouts: u32,
    /// Answers that belong to a request of the past.
    pub late: u32,
    /// What arrived and was no frame, in the order of [`Fault::ALL`].
    pub faults: [u32; 6],
    /// What the device says arrived there and was no frame, in the same order.
    pub noticed: [u32; 6],
}

impl Tally {
    pub(crate) fn count(counters: &mut [u32; 6], fault: Fault) {
        for (known, counter) in Fault::ALL.iter().zip(counters) {
            *counter += u32::from(*known == fault);
        }
    }
}

impl fmt::Display for Tally {
    /// What went wrong, by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let here = Fault::ALL.iter().zip(self.faults).map(|(fault, count)| (count, fault.name(), "here"));
        let there = Fault::ALL.iter().zip(self.noticed).map(|(fault, count)| (count, fault.name(), "at the device"));
        let mut all = vec![(self.timeouts, "time-out", "here"), (self.late, "late answer", "here")];
        all.extend(here.chain(there));
        let said: Vec<_> =
            all.iter().filter(|said| said.0 > 0).map(|(count, name, side)| format!("{count} {name} {side}")).collect();
        if said.is_empty() { f.write_str("nothing wrong with the line") } else { f.write_str(&said.join(", ")) }
    }
}
