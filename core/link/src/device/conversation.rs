use crate::VERSION;
use crate::frame::{FRAME_MAX, Frame, Kind, checksum};
use crate::message::{self, Answer, Request};
use crate::status::{Fault, Status};

/// How many sessions that ended are remembered, so that a greeting of theirs which arrives late starts nothing.
const REMEMBERED: usize = 8;

/// What a device remembers of what was said: the session, the last request and its answer.
///
/// The host asks one thing at a time and numbers its requests. A request with the next number is carried out; the last one again, byte for byte,
/// has its answer again; everything else is refused. So a frame that is lost, repeated, late or out of order changes no result.
#[derive(Debug)]
pub(super) struct Conversation {
    session: Option<u32>,
    ended: [Option<u32>; REMEMBERED],
    last: u16,
    last_checksum: u32,
    stored: [u8; FRAME_MAX],
    stored_bytes: usize,
    /// Where answers are written that are not kept.
    passing: [u8; FRAME_MAX],
}

/// What is to be done with a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Incoming<'a> {
    /// It is the next request.
    Execute(Request<'a>),
    /// It is the next in number, and its payload is no request.
    Malformed,
    /// It is the last request again.
    Again,
    /// It is refused, and nothing changes.
    Refuse(Status, u32),
    /// It is nothing that a device is told.
    Notice(Fault),
}

impl Conversation {
    pub const fn new() -> Self {
        Self {
            session: None,
            ended: [None; REMEMBERED],
            last: 0,
            last_checksum: 0,
            stored: [0; FRAME_MAX],
            stored_bytes: 0,
            passing: [0; FRAME_MAX],
        }
    }

    /// Judges a frame. A greeting of a new session starts it.
    pub fn incoming<'f>(&mut self, frame: &Frame<'f>) -> Incoming<'f> {
        if frame.kind != Kind::Request {
            return Incoming::Notice(Fault::Kind);
        }
        let request = message::read::<Request<'_>>(frame.payload);
        if self.session != Some(frame.session) {
            return match request {
                _ if self.ended.contains(&Some(frame.session)) => Incoming::Refuse(Status::OldSession, 0),
                Some(Request::Hello { version }) if version != VERSION => {
                    Incoming::Refuse(Status::OtherVersion, VERSION.into())
                }
                Some(request @ Request::Hello { .. }) => {
                    self.ended.rotate_right(1);
                    let [newest, ..] = &mut self.ended;
                    (*newest, self.session) = (self.session, Some(frame.session));
                    self.last = frame.sequence;
                    self.last_checksum = checksum(frame.payload);
                    Incoming::Execute(request)
                }
                _ => Incoming::Refuse(Status::NoSession, 0),
            };
        }
        // Half of the numbers lie ahead, half behind.
        match frame.sequence.wrapping_sub(self.last).cast_signed() {
            0 if checksum(frame.payload) == self.last_checksum => Incoming::Again,
            0 => Incoming::Refuse(Status::Reused, 0),
            1 => {
                self.last = frame.sequence;
                self.last_checksum = checksum(frame.payload);
                request.map_or(Incoming::Malformed, Incoming::Execute)
            }
            2.. => Incoming::Refuse(Status::Gap, self.last.wrapping_add(1).into()),
            _ => Incoming::Refuse(Status::Stale, 0),
        }
    }

    /// Keeps the answer of the request that was carried out.
    pub fn store(&mut self, request: &Frame<'_>, answer: &Answer<'_>) {
        // Every answer fits a frame: the longest, of values, was made to.
        self.stored_bytes =
            message::write(Kind::Answer, request.session, request.sequence, answer, &mut self.stored).unwrap_or(0);
    }

    /// The answer that was kept, as a frame.
    pub fn stored(&self) -> &[u8] {
        self.stored.get(..self.stored_bytes).unwrap_or_default()
    }

    /// An answer that is not kept, as a frame.
    pub fn refuse(&mut self, request: &Frame<'_>, status: Status, detail: u32) -> &[u8] {
        let answer = Answer::Refused { status, detail };
        let bytes = message::write(Kind::Answer, request.session, request.sequence, &answer, &mut self.passing);
        self.passing.get(..bytes.unwrap_or(0)).unwrap_or_default()
    }

    /// A notice of what is wrong with something that arrived, as a frame.
    pub fn notice(&mut self, fault: Fault) -> &[u8] {
        let bytes = message::write(Kind::Notice, self.session.unwrap_or(0), 0, &fault, &mut self.passing);
        self.passing.get(..bytes.unwrap_or(0)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PAYLOAD_MAX;
    use std::vec::Vec;

    struct Line(Conversation);

    impl Line {
        /// What becomes of a request.
        fn say(&mut self, session: u32, sequence: u16, request: &Request<'_>) -> Incoming<'static> {
            let mut payload = [0; PAYLOAD_MAX];
            let payload: Vec<u8> = postcard::to_slice(request, &mut payload).unwrap().to_vec();
            let frame = Frame { kind: Kind::Request, session, sequence, payload: payload.leak() };
            self.0.incoming(&frame)
        }
    }

    const HELLO: Request<'_> = Request::Hello { version: VERSION };
    const NEXT: Request<'_> = Request::Progress;

    #[test]
    fn only_the_next_request_of_the_session_is_carried_out() {
        let mut line = Line(Conversation::new());
        assert_eq!(line.say(1, 0, &NEXT), Incoming::Refuse(Status::NoSession, 0));
        assert_eq!(line.say(1, 7, &HELLO), Incoming::Execute(HELLO));
        assert_eq!(line.say(1, 7, &HELLO), Incoming::Again);
        assert_eq!(line.say(1, 7, &NEXT), Incoming::Refuse(Status::Reused, 0));
        assert_eq!(line.say(1, 9, &NEXT), Incoming::Refuse(Status::Gap, 8));
        assert_eq!(line.say(1, 8, &NEXT), Incoming::Execute(NEXT));
        assert_eq!(line.say(1, 7, &HELLO), Incoming::Refuse(Status::Stale, 0));
        assert_eq!(line.say(2, 8, &NEXT), Incoming::Refuse(Status::NoSession, 0));
        assert_eq!(line.say(1, 9, &NEXT), Incoming::Execute(NEXT));
    }

    #[test]
    fn numbers_start_again_after_the_last_one() {
        let mut line = Line(Conversation::new());
        line.say(1, u16::MAX - 1, &HELLO);
        for sequence in [u16::MAX, 0, 1] {
            assert_eq!(line.say(1, sequence, &NEXT), Incoming::Execute(NEXT));
        }
        assert_eq!(line.say(1, u16::MAX, &NEXT), Incoming::Refuse(Status::Stale, 0));
    }

    #[test]
    fn a_greeting_that_is_late_does_not_end_the_session_after_it() {
        let mut line = Line(Conversation::new());
        for session in 1..=5 {
            assert_eq!(line.say(session, 0, &HELLO), Incoming::Execute(HELLO));
        }
        for session in 1..=4 {
            assert_eq!(line.say(session, 0, &HELLO), Incoming::Refuse(Status::OldSession, 0));
        }
        assert_eq!(line.say(5, 1, &NEXT), Incoming::Execute(NEXT));
    }

    #[test]
    fn another_version_is_refused_with_this_one_and_changes_nothing() {
        let mut line = Line(Conversation::new());
        line.say(1, 0, &HELLO);
        let newer = Request::Hello { version: VERSION + 1 };
        assert_eq!(line.say(2, 0, &newer), Incoming::Refuse(Status::OtherVersion, VERSION.into()));
        assert_eq!(line.say(1, 1, &NEXT), Incoming::Execute(NEXT));
    }

    #[test]
    fn a_payload_that_is_no_request_is_malformed_and_so_is_one_with_something_after_it() {
        for payload in [&[200u8][..], &[], &[6, 0], &[3, 0, 9, 1]] {
            let mut line = Line(Conversation::new());
            line.say(1, 0, &HELLO);
            let frame = Frame { kind: Kind::Request, session: 1, sequence: 1, payload };
            assert_eq!(line.0.incoming(&frame), Incoming::Malformed, "{payload:?}");
            assert_eq!(line.0.incoming(&frame), Incoming::Again, "{payload:?}");
        }
    }

    #[test]
    fn only_requests_are_meant_for_a_device() {
        let mut line = Conversation::new();
        for kind in [Kind::Answer, Kind::Notice] {
            let frame = Frame { kind, session: 1, sequence: 0, payload: &[0, 1] };
            assert_eq!(line.incoming(&frame), Incoming::Notice(Fault::Kind));
        }
    }
}
