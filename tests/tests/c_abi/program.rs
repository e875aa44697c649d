//! A program in C, as far as calls go: objects in memory of its own, and a blob.

use mote_c::*;
use mote_tests::random_model::RandomModel;
use std::mem::MaybeUninit;
use std::ptr::null;

/// Bytes at a multiple of 16, as an array in C that is told to lie there.
pub struct Blob {
    words: Vec<u128>,
    pub length: usize,
}

impl Blob {
    pub fn of(bytes: &[u8]) -> Self {
        let mut words = vec![0u128; bytes.len() / 16 + 2];
        // SAFETY: the words have room for the bytes.
        unsafe { words.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Self { words, length: bytes.len() }
    }

    pub fn start(&self) -> *const u8 {
        self.words.as_ptr().cast()
    }
}

/// Memory of an object, reached by one pointer as in C: a `Box` that moves would take back what the library holds.
pub struct Object<T>(*mut MaybeUninit<T>);

impl<T> Object<T> {
    pub fn zeroed() -> Self {
        Self(Box::into_raw(Box::new(MaybeUninit::zeroed())))
    }

    pub fn as_ptr(&self) -> *const T {
        self.0.cast_const().cast()
    }

    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.0.cast()
    }
}

impl<T> Drop for Object<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box, and nothing uses it any more.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// What a program in C has: a blob, objects, an arena with whatever was in memory there.
pub struct Program {
    pub blob: Blob,
    pub model: Object<MoteModel>,
    pub session: Object<MoteSession>,
    pub arena: Vec<u32>,
}

impl Program {
    pub fn parsed(bytes: &[u8]) -> Self {
        let mut program = Self {
            blob: Blob::of(bytes),
            model: Object::zeroed(),
            session: Object::zeroed(),
            arena: vec![0xdead_beef; 4096],
        };
        assert_eq!(program.parse(), MoteStatus::Ok);
        program
    }

    pub fn bound(bytes: &[u8]) -> Self {
        let mut program = Self::parsed(bytes);
        assert_eq!(program.bind(4 * program.arena.len()), MoteStatus::Ok);
        program
    }

    pub fn parse(&mut self) -> MoteStatus {
        // SAFETY: object and blob are as long as they are said to be.
        unsafe { mote_model_parse(self.model.as_mut_ptr(), self.blob.start(), self.blob.length) }
    }

    pub fn bind(&mut self, arena_bytes: usize) -> MoteStatus {
        assert!(arena_bytes <= 4 * self.arena.len());
        let (session, arena) = (self.session.as_mut_ptr(), self.arena.as_mut_ptr());
        // SAFETY: objects and arena are as long as they are said to be.
        unsafe { mote_session_bind(session, self.model.as_ptr(), arena, arena_bytes) }
    }

    pub fn info(&self) -> MoteModelInfo {
        let mut info = MaybeUninit::uninit();
        // SAFETY: both objects are there, and the call fills the second if it succeeds.
        unsafe {
            assert_eq!(mote_model_describe(self.model.as_ptr(), info.as_mut_ptr()), MoteStatus::Ok);
            info.assume_init()
        }
    }

    pub fn sample(&mut self, request: &MoteRequest) -> Result<Vec<u32>, MoteStatus> {
        let mut out = vec![MaybeUninit::<f32>::uninit(); self.info().dim_out.into()];
        // SAFETY: what the session was bound to is there; `out` is as long as it is said to be.
        let status =
            unsafe { mote_session_sample(self.session.as_mut_ptr(), request, out.as_mut_ptr().cast(), out.len()) };
        // SAFETY: the call has filled it.
        ok(status).map(|()| out.iter().map(|x| unsafe { x.assume_init() }.to_bits()).collect())
    }

    pub fn start(&mut self, request: &MoteRequest) -> MoteStatus {
        // SAFETY: what the session was bound to is there.
        unsafe { mote_session_start(self.session.as_mut_ptr(), request) }
    }

    pub fn step(&mut self) -> Result<u8, MoteStatus> {
        let mut done = 9;
        // SAFETY: what the session was bound to is there.
        ok(unsafe { mote_session_step(self.session.as_mut_ptr(), &mut done) }).map(|()| done)
    }

    pub fn read(&mut self) -> Result<Vec<u32>, MoteStatus> {
        let mut out = vec![0.0f32; self.info().dim_out.into()];
        // SAFETY: what the session was bound to is there; `out` is as long as it is said to be.
        let status = unsafe { mote_session_read(self.session.as_mut_ptr(), out.as_mut_ptr(), out.len()) };
        ok(status).map(|()| out.iter().map(|x| x.to_bits()).collect())
    }

    pub fn evaluate(
        &mut self,
        level: u16,
        class: Option<u16>,
        x: &[f32],
        count: usize,
    ) -> Result<Vec<u32>, MoteStatus> {
        let mut out = vec![0.0f32; count];
        let class = class.as_ref().map_or(null(), |class| class as *const u16);
        let (session, x, dim, to) = (self.session.as_mut_ptr(), x.as_ptr(), x.len(), out.as_mut_ptr());
        // SAFETY: what the session was bound to is there; buffers are as long as they are said to be.
        ok(unsafe { mote_session_evaluate(session, level, class, x, dim, to, count) })
            .map(|()| out.iter().map(|x| x.to_bits()).collect())
    }

    pub fn self_test(&mut self) -> MoteStatus {
        // SAFETY: what the session was bound to is there.
        unsafe { mote_session_self_test(self.session.as_mut_ptr()) }
    }
}

pub fn ok(status: MoteStatus) -> Result<(), MoteStatus> {
    if status == MoteStatus::Ok { Ok(()) } else { Err(status) }
}

pub fn everything() -> Vec<u8> {
    RandomModel::small_with_everything().blob()
}

pub fn centre() -> Vec<u8> {
    RandomModel { centre: Some(3), ..RandomModel::small_with_everything() }.blob()
}
