//! The structs that cross the ABI (drover_raft.h has the same, field by field) and their conversions.
//! Every pointer handed out is a view; its life is written at the function that fills it.
use bytes::Bytes;
use raft::eraftpb::*;
use raft::StateRole;
use std::os::raw::{c_char, c_void};

pub const DR_OK: i32 = 0;
pub const DR_DROPPED: i32 = 1; // no leader, transfer under way, uncommitted size limit
pub const DR_NOT_LEADER: i32 = 2;
pub const DR_CONF_PENDING: i32 = 3; // an earlier change is not applied yet, or joint rules forbid it
pub const DR_CONF_INVALID: i32 = 4; // apply: the change is a no-op, on every server alike
pub const DR_UNKNOWN_PEER: i32 = 5;
pub const DR_BAD_ARG: i32 = 6;
pub const DR_UNAVAILABLE: i32 = 7;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrBytes {
    pub p: *const u8,
    pub n: usize,
}

impl DrBytes {
    pub fn of(b: &[u8]) -> Self {
        DrBytes { p: b.as_ptr(), n: b.len() }
    }
    pub unsafe fn get<'a>(&self) -> &'a [u8] {
        if self.n == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(self.p, self.n)
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrEntry {
    pub index: u64,
    pub term: u64,
    pub kind: u32,
    pub pad: u32,
    pub data: DrBytes,
    pub ctx: DrBytes,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct DrHardState {
    pub term: u64,
    pub vote: u64,
    pub commit: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrConf {
    pub voters: *const u64,
    pub n_voters: usize,
    pub learners: *const u64,
    pub n_learners: usize,
    pub outgoing: *const u64,
    pub n_outgoing: usize,
    pub learners_next: *const u64,
    pub n_learners_next: usize,
    pub auto_leave: u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrSnapshot {
    pub index: u64,
    pub term: u64,
    pub conf: DrConf,
    pub data: DrBytes,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrMsg {
    pub kind: u32,
    pub reject: u8,
    pub pad: [u8; 3],
    pub to: u64,
    pub from: u64,
    pub term: u64,
    pub log_term: u64,
    pub index: u64,
    pub commit: u64,
    pub commit_term: u64,
    pub reject_hint: u64,
    pub request_snapshot: u64,
    pub priority: i64,
    pub ctx: DrBytes,
    pub entries: *const DrEntry,
    pub n_entries: usize,
    pub snapshot: *const DrSnapshot,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrRead {
    pub index: u64,
    pub ctx: DrBytes,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrTermRun {
    pub first: u64,
    pub term: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrReady {
    pub number: u64,
    pub role: u32,
    pub has_hs: u8,
    pub must_sync: u8,
    pub role_changed: u8,
    pub pad: u8,
    pub leader: u64,
    pub hs: DrHardState,
    pub entries: *const DrEntry,
    pub n_entries: usize,
    pub snapshot: *const DrSnapshot,
    pub msgs: *const DrMsg,
    pub n_msgs: usize,
    pub pmsgs: *const DrMsg,
    pub n_pmsgs: usize,
    pub committed: *const DrEntry,
    pub n_committed: usize,
    pub reads: *const DrRead,
    pub n_reads: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrStatus {
    pub term: u64,
    pub vote: u64,
    pub commit: u64,
    pub applied: u64,
    pub persisted: u64,
    pub first: u64,
    pub last: u64,
    pub leader: u64,
    pub transferee: u64,
    pub uncommitted_bytes: u64,
    pub pending_reads: u64,
    pub role: u32,
    pub promotable: u8,
    pub conf_pending: u8,
    pub term_committed: u8,
    pub snapshot_pending: u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrProgress {
    pub matched: u64,
    pub next: u64,
    pub state: u32,
    pub active: u8,
    pub paused: u8,
    pub pad: [u8; 2],
    pub inflight: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrConfChange {
    pub kind: u32,
    pub pad: u32,
    pub id: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrConfig {
    pub id: u64,
    pub election_tick: u32,
    pub heartbeat_tick: u32,
    pub max_msg_bytes: u64,
    pub max_inflight_msgs: u32,
    pub pre_vote: u8,
    pub check_quorum: u8,
    pub skip_bcast_commit: u8,
    pub batch_append: u8,
    pub max_uncommitted_bytes: u64,
    pub max_committed_bytes: u64,
    pub priority: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrInit {
    pub hs: DrHardState,
    pub conf: DrConf,
    pub applied: u64,
    pub trunc_index: u64,
    pub trunc_term: u64,
    pub last_index: u64,
    pub runs: *const DrTermRun,
    pub n_runs: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DrHooks {
    pub ctx: *mut c_void,
    /// entries [lo,hi) below the cache; at least one, then up to max bytes; call `sink` for each in order. 0 = ok
    pub entries: Option<
        unsafe extern "C" fn(
            *mut c_void,
            u64,
            u64,
            u64,
            *mut c_void,
            unsafe extern "C" fn(*mut c_void, *const DrEntry),
        ) -> i32,
    >,
    /// the newest snapshot for peer `to`, at or after `at_least`; 0 = filled, 1 = not now (take one, it is asked again)
    pub snapshot: Option<unsafe extern "C" fn(*mut c_void, u64, u64, *mut DrSnapshot) -> i32>,
    /// election timeout in ticks for the next round, in [lo, hi)
    pub rand: Option<unsafe extern "C" fn(*mut c_void, u32, u32) -> u32>,
    pub log: Option<unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize)>,
}

pub struct Ptr(pub *mut c_void);
unsafe impl Send for Ptr {}
unsafe impl Sync for Ptr {}

pub unsafe fn ids(p: *const u64, n: usize) -> Vec<u64> {
    if n == 0 {
        vec![]
    } else {
        std::slice::from_raw_parts(p, n).to_vec()
    }
}

pub unsafe fn to_conf(c: &DrConf) -> ConfState {
    let mut s = ConfState::default();
    s.voters = ids(c.voters, c.n_voters);
    s.learners = ids(c.learners, c.n_learners);
    s.voters_outgoing = ids(c.outgoing, c.n_outgoing);
    s.learners_next = ids(c.learners_next, c.n_learners_next);
    s.auto_leave = c.auto_leave != 0;
    s
}

pub fn of_conf(s: &ConfState) -> DrConf {
    DrConf {
        voters: s.voters.as_ptr(),
        n_voters: s.voters.len(),
        learners: s.learners.as_ptr(),
        n_learners: s.learners.len(),
        outgoing: s.voters_outgoing.as_ptr(),
        n_outgoing: s.voters_outgoing.len(),
        learners_next: s.learners_next.as_ptr(),
        n_learners_next: s.learners_next.len(),
        auto_leave: s.auto_leave as u8,
    }
}

pub unsafe fn to_snap(o: &DrSnapshot) -> Snapshot {
    let mut s = Snapshot::default();
    s.data = Bytes::copy_from_slice(o.data.get());
    let m = s.mut_metadata();
    m.index = o.index;
    m.term = o.term;
    m.set_conf_state(to_conf(&o.conf));
    s
}

pub fn of_snap(s: &Snapshot) -> DrSnapshot {
    let m = s.get_metadata();
    DrSnapshot { index: m.index, term: m.term, conf: of_conf(m.get_conf_state()), data: DrBytes::of(&s.data) }
}

pub fn of_entry(e: &Entry) -> DrEntry {
    DrEntry {
        index: e.index,
        term: e.term,
        kind: e.get_entry_type() as u32,
        pad: 0,
        data: DrBytes::of(&e.data),
        ctx: DrBytes::of(&e.context),
    }
}

pub fn role(s: StateRole) -> u32 {
    match s {
        StateRole::Follower => 0,
        StateRole::PreCandidate => 1,
        StateRole::Candidate => 2,
        StateRole::Leader => 3,
    }
}

pub unsafe extern "C" fn sink(v: *mut c_void, e: *const DrEntry) {
    (*(v as *mut Vec<Entry>)).push(to_entry(&*e, None));
}

pub unsafe fn to_entry(e: &DrEntry, backing: Option<(&Bytes, usize)>) -> Entry {
    let mut r = Entry::default();
    r.index = e.index;
    r.term = e.term;
    r.set_entry_type(match e.kind {
        1 => EntryType::EntryConfChange,
        2 => EntryType::EntryConfChangeV2,
        _ => EntryType::EntryNormal,
    });
    r.data = match backing {
        Some((b, o)) => b.slice(o..o + e.data.n),
        None => Bytes::copy_from_slice(e.data.get()),
    };
    if e.ctx.n != 0 {
        r.context = Bytes::copy_from_slice(e.ctx.get());
    }
    r
}
