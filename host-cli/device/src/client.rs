use crate::{Error, Line, Tally};
use mote_link::VERSION;
use mote_link::frame::{FRAME_MAX, Kind, Receiver};
use mote_link::message::{self, Answer, Request};
use mote_link::status::{Fault, Status};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::time::{Duration, Instant};

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For an answer, before it asks again.
    pub answer: Duration,
    /// How often it asks.
    pub tries: u32,
    /// Between two questions of how far a job is.
    pub poll: Duration,
}

impl Default for Patience {
    /// A second for an answer, thirty times: a slow chip parses a large model in less.
    fn default() -> Self {
        Self { answer: Duration::from_secs(1), tries: 30, poll: Duration::from_millis(5) }
    }
}

/// A conversation with a device: one question at a time, with a number, asked again in the same words until its answer comes.
///
/// A device carries a question out once, however often it hears it, and its answers bear the question's number. So whatever the line loses,
/// repeats, delays or spoils, a result is the one that was asked for, or an error says that none came.
#[derive(Debug)]
pub struct Client<L> {
    line: L,
    place: String,
    session: u32,
    sequence: u16,
    receiver: Receiver,
    patience: Patience,
    tally: Tally,
    board: String,
}

/// What came in while an answer was waited for.
enum Heard {
    Answer(Vec<u8>),
    /// Something that was broken, here or there: the question should be put again now.
    Broken,
}

impl<L: Line> Client<L> {
    /// Greets a device. `place` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Silent`] when nobody answers, [`Error::OtherVersion`] when the device speaks another version.
    pub fn greet(line: L, place: &str, patience: Patience) -> Result<Self, Error> {
        Self::greet_as(line, place, patience, RandomState::new().hash_one(place) as u32)
    }

    /// Greets a device as a session of this number, which must be new to it.
    ///
    /// # Errors
    /// As [`greet`](Self::greet).
    pub fn greet_as(line: L, place: &str, patience: Patience, session: u32) -> Result<Self, Error> {
        let mut client = Self {
            line,
            place: place.to_owned(),
            session,
            sequence: u16::MAX,
            receiver: Receiver::new(),
            patience,
            tally: Tally::default(),
            board: String::new(),
        };
        let hello = Request::Hello { version: VERSION };
        let board = client.ask(&hello, "a welcome", |answer| match answer {
            Answer::Welcome { board, .. } => Some((*board).to_owned()),
            _ => None,
        });
        client.board = match board {
            Err(Error::Refused { status: Status::OtherVersion, detail }) => {
                return Err(Error::OtherVersion { place: client.place, device: detail, host: VERSION });
            }
            other => other?,
        };
        Ok(client)
    }

    /// The board's name.
    #[must_use]
    pub fn board(&self) -> &str {
        &self.board
    }

    /// What the client saw of its line so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// How long it waits.
    #[must_use]
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// The line.
    pub fn line(&mut self) -> &mut L {
        &mut self.line
    }

    /// Ends the conversation, and gives the line back.
    pub fn into_line(self) -> L {
        self.line
    }

    /// Asks, and takes of the answer what `read` finds in it; `expected` says what that is.
    ///
    /// # Errors
    /// [`Error::Refused`] when the device says no, [`Error::Silent`] or [`Error::Broken`] when no answer comes.
    pub fn ask<T>(
        &mut self,
        request: &Request<'_>,
        expected: &'static str,
        read: impl FnOnce(&Answer<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        let payload = self.exchange(request)?;
        match message::read::<Answer<'_>>(&payload) {
            Some(Answer::Refused { status, detail }) => Err(Error::Refused { status, detail }),
            Some(answer) => read(&answer).ok_or_else(|| Error::Unexpected { expected, found: format!("{answer:?}") }),
            None => Err(Error::Unexpected { expected, found: format!("{payload:?}") }),
        }
    }

    /// Asks for nothing but that it be done.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn tell(&mut self, request: &Request<'_>) -> Result<(), Error> {
        self.ask(request, "done", |answer| matches!(answer, Answer::Done).then_some(()))
    }

    /// Sends a request until its answer comes; gives the answer's payload.
    fn exchange(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Error> {
        self.sequence = self.sequence.wrapping_add(1);
        self.tally.requests += 1;
        let mut frame = [0; FRAME_MAX];
        let length = message::write(Kind::Request, self.session, self.sequence, request, &mut frame);
        let frame = &frame[..length.expect("requests are made to fit a frame")];
        let start = Instant::now();
        for _ in 0..self.patience.tries {
            self.send(frame)?;
            let end = Instant::now() + self.patience.answer;
            let mut again = true;
            loop {
                match self.hear(end)? {
                    Some(Heard::Answer(payload)) => return Ok(payload),
                    // Once, as a line that spoils everything is not to be flooded.
                    Some(Heard::Broken) if again => {
                        again = false;
                        self.send(frame)?;
                    }
                    Some(Heard::Broken) => {}
                    None => break,
                }
            }
            self.tally.timeouts += 1;
        }
        let (tries, seconds) = (self.patience.tries, start.elapsed().as_secs_f64());
        Err(Error::Silent { place: self.place.clone(), tries, seconds, heard: self.tally.to_string() })
    }

    fn broken(&self, source: io::Error) -> Error {
        Error::Broken { place: self.place.clone(), source }
    }

    fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.tally.sent += 1;
        self.line.send(frame).map_err(|source| self.broken(source))
    }

    /// Listens until the answer to the last question, or something broken, or the end of the time.
    fn hear(&mut self, end: Instant) -> Result<Option<Heard>, Error> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let Some(byte) = self.line.receive(left).map_err(|source| self.broken(source))? else { return Ok(None) };
            let frame = match self.receiver.push(byte) {
                None => continue,
                Some(Ok(frame)) => frame,
                Some(Err(fault)) => {
                    Tally::count(&mut self.tally.faults, fault);
                    return Ok(Some(Heard::Broken));
                }
            };
            match frame.kind {
                Kind::Notice => {
                    if let Some(fault) = message::read::<Fault>(frame.payload) {
                        Tally::count(&mut self.tally.noticed, fault);
                    }
                    return Ok(Some(Heard::Broken));
                }
                Kind::Answer if frame.session == self.session && frame.sequence == self.sequence => {
                    return Ok(Some(Heard::Answer(frame.payload.to_vec())));
                }
                Kind::Answer => self.tally.late += 1,
                Kind::Request => Tally::count(&mut self.tally.faults, Fault::Kind),
            }
        }
    }
}
