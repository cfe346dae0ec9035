//! The engine's log lines, handed to the `log` hook as text.
use crate::abi::Ptr;
use std::os::raw::{c_char, c_void};

pub struct CDrain {
    pub ctx: Ptr,
    pub f: unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize),
}

struct Kv(String);
impl slog::Serializer for Kv {
    fn emit_arguments(&mut self, k: slog::Key, v: &std::fmt::Arguments) -> slog::Result {
        use std::fmt::Write;
        let _ = write!(self.0, " {}={}", k, v);
        Ok(())
    }
}

impl slog::Drain for CDrain {
    type Ok = ();
    type Err = slog::Never;
    fn log(&self, r: &slog::Record, kv: &slog::OwnedKVList) -> Result<(), slog::Never> {
        use slog::KV;
        let mut s = Kv(format!("{}", r.msg()));
        let _ = r.kv().serialize(r, &mut s);
        let _ = kv.serialize(r, &mut s);
        unsafe {
            (self.f)(self.ctx.0, r.level().as_usize() as i32, s.0.as_ptr() as *const c_char, s.0.len())
        };
        Ok(())
    }
}
