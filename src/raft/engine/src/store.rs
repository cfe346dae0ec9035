//! What the engine reads back: the terms of the whole log as runs, and the entries of its tail. Older entries come
//! through the `entries` hook.
use crate::abi::*;
use raft::eraftpb::*;
use raft::{Error, GetEntriesContext, RaftState, Storage, StorageError};
use std::collections::VecDeque;
use std::os::raw::c_void;

pub struct Store {
    pub hs: HardState,
    pub cs: ConfState,
    pub trunc: u64,
    pub trunc_term: u64,
    pub last: u64,
    pub runs: VecDeque<(u64, u64)>,
    pub first_cached: u64,
    pub cache: VecDeque<Entry>,
    pub cache_bytes: u64,
    pub h: DrHooks,
}

unsafe impl Send for Store {}
pub fn ebytes(e: &Entry) -> u64 {
    (e.data.len() + e.context.len()) as u64 + 48
}

impl Store {
    /// The term of entry `i`, None outside the log.
    pub fn term_of(&self, i: u64) -> Option<u64> {
        if i == self.trunc {
            return Some(self.trunc_term);
        }
        if i < self.trunc || i > self.last {
            return None;
        }
        if i >= self.first_cached {
            return Some(self.cache[(i - self.first_cached) as usize].term);
        }
        let k = self.runs.partition_point(|r| r.0 <= i);
        if k == 0 {
            None
        } else {
            Some(self.runs[k - 1].1)
        }
    }
    /// Drops the entries at and after `from`: another leader overwrites them.
    pub fn cut(&mut self, from: u64) {
        while let Some(e) = self.cache.back() {
            if e.index >= from {
                self.cache_bytes -= ebytes(e);
                self.cache.pop_back();
            } else {
                break;
            }
        }
        while let Some(r) = self.runs.back() {
            if r.0 >= from {
                self.runs.pop_back();
            } else {
                break;
            }
        }
        self.last = from - 1;
        if self.first_cached > from {
            self.first_cached = from;
        }
    }
    pub fn append(&mut self, ents: Vec<Entry>) {
        if ents.is_empty() {
            return;
        }
        let f = ents[0].index;
        assert!(f > self.trunc && f <= self.last + 1, "append gap");
        if f <= self.last {
            self.cut(f);
        }
        for e in ents {
            if self.runs.back().map_or(true, |r| r.1 != e.term) {
                self.runs.push_back((e.index, e.term));
            }
            self.last = e.index;
            self.cache_bytes += ebytes(&e);
            self.cache.push_back(e);
        }
    }
    /// The log is replaced by a snapshot.
    pub fn install(&mut self, index: u64, term: u64, cs: ConfState) {
        self.cache.clear();
        self.cache_bytes = 0;
        self.runs.clear();
        self.trunc = index;
        self.trunc_term = term;
        self.last = index;
        self.first_cached = index + 1;
        self.cs = cs;
    }
    /// Drops cached entries from the front until at most `bytes` are cached; never one after `upto`.
    pub fn trim_bytes(&mut self, upto: u64, bytes: u64) {
        while self.cache_bytes > bytes && self.first_cached <= upto && self.first_cached <= self.last {
            if let Some(e) = self.cache.pop_front() {
                self.cache_bytes -= ebytes(&e);
            }
            self.first_cached += 1;
        }
    }
    /// Forgets cached entries up to and including `upto`.
    pub fn trim(&mut self, upto: u64) {
        while self.first_cached <= upto && self.first_cached <= self.last {
            if let Some(e) = self.cache.pop_front() {
                self.cache_bytes -= ebytes(&e);
            }
            self.first_cached += 1;
        }
    }
    /// Entries up to and including `upto` are gone.
    pub fn compact(&mut self, upto: u64) {
        if upto <= self.trunc || upto > self.last {
            return;
        }
        let t = self.term_of(upto).unwrap();
        self.trim(upto);
        self.trunc = upto;
        self.trunc_term = t;
        while self.runs.len() > 1 && self.runs[1].0 <= upto + 1 {
            self.runs.pop_front();
        }
        if upto == self.last {
            self.runs.clear();
        }
    }
}

impl Storage for Store {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState { hard_state: self.hs.clone(), conf_state: self.cs.clone() })
    }
    fn entries(
        &self,
        low: u64,
        high: u64,
        max: impl Into<Option<u64>>,
        _c: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        let max = max.into().unwrap_or(u64::MAX);
        if low <= self.trunc {
            return Err(Error::Store(StorageError::Compacted));
        }
        assert!(high <= self.last + 1, "entries beyond last");
        let mut out: Vec<Entry> = Vec::new();
        let mut sz = 0u64;
        let mut i = low;
        if i < self.first_cached {
            let hi = high.min(self.first_cached);
            let f = self.h.entries.expect("entries hook");
            let rc = unsafe { f(self.h.ctx, i, hi, max, &mut out as *mut Vec<Entry> as *mut c_void, sink) };
            assert!(rc == 0 && !out.is_empty() && out[0].index == low, "entries hook failed"); // a log that cannot be read back is the end of this server
            sz = out.iter().map(ebytes).sum();
            i = out.last().unwrap().index + 1;
            if i < hi {
                return Ok(out);
            }
        }
        while i < high {
            let e = &self.cache[(i - self.first_cached) as usize];
            sz += ebytes(e);
            if sz > max && !out.is_empty() {
                break;
            }
            out.push(e.clone());
            i += 1;
        }
        Ok(out)
    }
    fn term(&self, i: u64) -> raft::Result<u64> {
        match self.term_of(i) {
            Some(t) => Ok(t),
            None => Err(Error::Store(if i < self.trunc {
                StorageError::Compacted
            } else {
                StorageError::Unavailable
            })),
        }
    }
    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.trunc + 1)
    }
    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last)
    }
    fn snapshot(&self, at_least: u64, to: u64) -> raft::Result<Snapshot> {
        let f = self.h.snapshot.expect("snapshot hook");
        unsafe {
            let mut o: DrSnapshot = std::mem::zeroed();
            if f(self.h.ctx, at_least, to, &mut o) != 0 {
                return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
            }
            Ok(to_snap(&o))
        }
    }
}
