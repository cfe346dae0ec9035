//! Drover's C ABI over raft-rs `RawNode`. One node = one thread at a time. Nothing here does I/O, reads a clock or
//! draws randomness that matters: time is `dr_tick`, election timeouts come from the `rand` hook.
//! drover_raft.h is the contract.
#![allow(clippy::missing_safety_doc, clippy::not_unsafe_ptr_arg_deref)]
mod abi;
mod log;
mod store;

use abi::*;
use bytes::Bytes;
use log::CDrain;
use protobuf::{Message as PbMessage, ProtobufEnum};
use raft::eraftpb::*;
use raft::{Config, Error, RawNode, Ready, SnapshotStatus, StateRole};
use std::collections::VecDeque;
use std::os::raw::c_char;
use std::ptr;
use store::Store;

#[derive(Default)]
struct Views {
    ents: Vec<DrEntry>,
    comm: Vec<DrEntry>,
    ments: Vec<DrEntry>,
    snaps: Vec<DrSnapshot>,
    msgs: Vec<DrMsg>,
    pmsgs: Vec<DrMsg>,
    reads: Vec<DrRead>,
    conf: ConfState,
    conf_ctx: Bytes,
}

unsafe impl Send for Views {}
pub struct DrNode {
    rn: RawNode<Store>,
    cur: Option<Ready>,
    v: Views,
    rto: u32,
    et: u32,
    key: (u32, u64, u64),
    installing: u64,
    unguard: bool,
    h: DrHooks,
}

impl DrNode {
    /// no campaign while a snapshot is being installed (the engine would read entries the snapshot replaced and panic),
    /// nor while own log writes are under way (a single voter would win at once and trip the engine's persisted == last assert)
    fn may_campaign(&self) -> bool {
        self.unguard
            || (self.installing == 0 && self.rn.raft.raft_log.persisted == self.rn.raft.raft_log.last_index())
    }
    fn draw(&mut self) {
        self.rto = match self.h.rand {
            Some(f) => unsafe { f(self.h.ctx, self.et, self.et * 2) },
            None => self.et,
        };
    }
    /// a new election timeout whenever the engine would draw one: role, term or leader changed
    fn post(&mut self) {
        let k = (role(self.rn.raft.state), self.rn.raft.term, self.rn.raft.leader_id);
        if k != self.key {
            self.key = k;
            self.draw();
        }
    }
}

static PANIC: std::sync::OnceLock<extern "C" fn(*const c_char, usize)> = std::sync::OnceLock::new();
/// called once with the message and place of a broken invariant, just before abort(); from any thread
#[no_mangle]
pub extern "C" fn dr_set_panic_hook(f: extern "C" fn(*const c_char, usize)) {
    if PANIC.set(f).is_ok() {
        std::panic::set_hook(Box::new(|i| {
            let s = i.to_string();
            if let Some(f) = PANIC.get() {
                f(s.as_ptr() as *const c_char, s.len());
            }
        }));
    }
}

/// Tests only: shows what the engine does without our campaign guards
#[no_mangle]
pub unsafe extern "C" fn dr_test_unguard(n: *mut DrNode) {
    (*n).unguard = true;
}

#[no_mangle]
pub extern "C" fn dr_abi_version() -> u32 {
    3
}

/// null: bad configuration (message to the log hook). hs.commit is clamped into [max(trunc, applied), last].
#[no_mangle]
pub unsafe extern "C" fn dr_create(c: *const DrConfig, i: *const DrInit, h: *const DrHooks) -> *mut DrNode {
    let (c, i, h) = (&*c, &*i, *h);
    let mut hs = HardState::default();
    hs.term = i.hs.term;
    hs.vote = i.hs.vote;
    hs.commit = i.hs.commit.max(i.applied).max(i.trunc_index).min(i.last_index);
    let mut st = Store {
        hs,
        cs: to_conf(&i.conf),
        trunc: i.trunc_index,
        trunc_term: i.trunc_term,
        last: i.last_index,
        runs: VecDeque::new(),
        first_cached: i.last_index + 1,
        cache: VecDeque::new(),
        cache_bytes: 0,
        h,
    };
    for k in 0..i.n_runs {
        let r = *i.runs.add(k);
        st.runs.push_back((r.first, r.term));
    }
    let big = 1usize << 40; // the engine's own election timer never fires; ours does, with the caller's randomness
    let cfg = Config {
        id: c.id,
        election_tick: c.election_tick as usize,
        heartbeat_tick: c.heartbeat_tick as usize,
        applied: i.applied,
        max_size_per_msg: c.max_msg_bytes,
        max_inflight_msgs: c.max_inflight_msgs as usize,
        check_quorum: c.check_quorum != 0,
        pre_vote: c.pre_vote != 0,
        min_election_tick: big,
        max_election_tick: big + 1,
        skip_bcast_commit: c.skip_bcast_commit != 0,
        batch_append: c.batch_append != 0,
        priority: c.priority,
        max_uncommitted_size: c.max_uncommitted_bytes,
        max_committed_size_per_ready: c.max_committed_bytes,
        ..Default::default()
    };
    let lg = match h.log {
        Some(f) => slog::Logger::root(CDrain { ctx: Ptr(h.ctx), f }, slog::o!()),
        None => slog::Logger::root(slog::Discard, slog::o!()),
    };
    match RawNode::new(&cfg, st, &lg) {
        Ok(rn) => {
            let mut n = Box::new(DrNode {
                rn,
                cur: None,
                v: Views::default(),
                rto: 0,
                et: c.election_tick,
                key: (9, 0, 0),
                installing: 0,
                unguard: false,
                h,
            });
            n.post();
            Box::into_raw(n)
        }
        Err(e) => {
            slog::error!(lg, "create: {}", e);
            ptr::null_mut()
        }
    }
}

#[no_mangle]
pub unsafe extern "C" fn dr_destroy(n: *mut DrNode) {
    if !n.is_null() {
        drop(Box::from_raw(n));
    }
}

#[no_mangle]
pub unsafe extern "C" fn dr_tick(n: *mut DrNode) {
    let n = &mut *n;
    n.rn.tick();
    let r = &n.rn.raft;
    if r.state != StateRole::Leader && r.promotable() && r.election_elapsed >= n.rto as usize {
        if n.may_campaign() {
            n.rn.raft.election_elapsed = 0;
            n.draw();
            let _ = n.rn.campaign();
        }
    }
    n.post();
}

#[no_mangle]
pub unsafe extern "C" fn dr_campaign(n: *mut DrNode) {
    let n = &mut *n;
    if n.may_campaign() {
        let _ = n.rn.campaign();
        n.post();
    }
}

/// views in m must live for the call only
#[no_mangle]
pub unsafe extern "C" fn dr_step(n: *mut DrNode, m: *const DrMsg) -> i32 {
    let (n, m) = (&mut *n, &*m);
    if m.kind == MessageType::MsgTimeoutNow as u32 && !n.may_campaign() {
        return DR_DROPPED;
    }
    let mut o = Message::default();
    o.set_msg_type(match MessageType::from_i32(m.kind as i32) {
        Some(t) => t,
        None => return DR_BAD_ARG,
    });
    o.to = m.to;
    o.from = m.from;
    o.term = m.term;
    o.log_term = m.log_term;
    o.index = m.index;
    o.commit = m.commit;
    o.commit_term = m.commit_term;
    o.reject = m.reject != 0;
    o.reject_hint = m.reject_hint;
    o.request_snapshot = m.request_snapshot;
    o.priority = m.priority;
    if m.ctx.n != 0 {
        o.context = Bytes::copy_from_slice(m.ctx.get());
    }
    if m.n_entries != 0 {
        let es = std::slice::from_raw_parts(m.entries, m.n_entries);
        let mut all = Vec::with_capacity(es.iter().map(|e| e.data.n).sum()); // one allocation for the whole message
        for e in es {
            all.extend_from_slice(e.data.get());
        }
        let all = Bytes::from(all);
        let mut off = 0;
        let mut v = Vec::with_capacity(es.len());
        for e in es {
            v.push(to_entry(e, Some((&all, off))));
            off += e.data.n;
        }
        o.set_entries(v.into());
    }
    if !m.snapshot.is_null() {
        o.set_snapshot(to_snap(&*m.snapshot));
    }
    let r = n.rn.step(o);
    n.post();
    match r {
        Ok(()) => DR_OK,
        Err(Error::StepPeerNotFound) => DR_UNKNOWN_PEER,
        Err(Error::ProposalDropped) => DR_DROPPED,
        Err(_) => DR_BAD_ARG,
    }
}

/// appends n entries in one batch, each with `tag` put before its bytes; on DR_OK they have indexes *first.. and the current term
#[no_mangle]
pub unsafe extern "C" fn dr_propose(
    n: *mut DrNode,
    tag: u8,
    d: *const DrBytes,
    k: usize,
    first: *mut u64,
    term: *mut u64,
) -> i32 {
    let n = &mut *n;
    if n.rn.raft.state != StateRole::Leader {
        return DR_NOT_LEADER;
    }
    if k == 0 {
        return DR_BAD_ARG;
    }
    let ds = std::slice::from_raw_parts(d, k);
    let mut all = Vec::with_capacity(ds.iter().map(|e| e.n + 1).sum()); // one allocation for the batch
    for e in ds {
        all.push(tag);
        all.extend_from_slice(e.get());
    }
    let all = Bytes::from(all);
    let mut off = 0;
    let mut v = Vec::with_capacity(k);
    for e in ds {
        let mut x = Entry::default();
        x.data = all.slice(off..off + e.n + 1);
        off += e.n + 1;
        v.push(x);
    }
    let mut m = Message::default();
    m.set_msg_type(MessageType::MsgPropose);
    m.from = n.rn.raft.id;
    m.set_entries(v.into());
    let f = n.rn.raft.raft_log.last_index() + 1;
    let r = n.rn.raft.step(m);
    n.post();
    match r {
        Ok(()) => {
            *first = f;
            *term = n.rn.raft.term;
            DR_OK
        }
        Err(_) => DR_DROPPED,
    }
}

/// kinds: 0 add voter (or promote), 1 remove, 2 add learner (or demote). k = 0 leaves joint. transition: 0 auto, 1 joint and leave by itself, 2 joint, caller leaves
#[no_mangle]
pub unsafe extern "C" fn dr_propose_conf(
    n: *mut DrNode,
    c: *const DrConfChange,
    k: usize,
    transition: u32,
    ctx: DrBytes,
    index: *mut u64,
) -> i32 {
    let n = &mut *n;
    if n.rn.raft.state != StateRole::Leader {
        return DR_NOT_LEADER;
    }
    let joint = !n.rn.raft.prs().conf().to_conf_state().voters_outgoing.is_empty();
    if n.rn.raft.has_pending_conf() || joint != (k == 0) {
        return DR_CONF_PENDING;
    }
    let mut cc = ConfChangeV2::default();
    cc.set_transition(match transition {
        1 => ConfChangeTransition::Implicit,
        2 => ConfChangeTransition::Explicit,
        _ => ConfChangeTransition::Auto,
    });
    cc.context = Bytes::copy_from_slice(ctx.get());
    for i in 0..k {
        let x = *c.add(i);
        let mut s = ConfChangeSingle::default();
        s.node_id = x.id;
        s.set_change_type(match x.kind {
            0 => ConfChangeType::AddNode,
            1 => ConfChangeType::RemoveNode,
            2 => ConfChangeType::AddLearnerNode,
            _ => return DR_BAD_ARG,
        });
        cc.mut_changes().push(s);
    }
    let f = n.rn.raft.raft_log.last_index() + 1;
    let r = n.rn.propose_conf_change(vec![], cc);
    n.post();
    match r {
        Ok(()) => {
            *index = f;
            DR_OK
        }
        Err(_) => DR_DROPPED,
    }
}

/// give every committed entry of kind 1 or 2 here, in order, before dr_applied of its index. out and ctx (the bytes given to dr_propose_conf; may be null): valid until the next call of this function or dr_conf
#[no_mangle]
pub unsafe extern "C" fn dr_apply_conf(
    n: *mut DrNode,
    e: *const DrEntry,
    out: *mut DrConf,
    ctx: *mut DrBytes,
) -> i32 {
    let (n, e) = (&mut *n, &*e);
    let r = if e.kind == 1 {
        let mut cc = ConfChange::default();
        if cc.merge_from_bytes(e.data.get()).is_err() {
            return DR_BAD_ARG;
        }
        n.v.conf_ctx = cc.context.clone();
        n.rn.apply_conf_change(&cc)
    } else {
        let mut cc = ConfChangeV2::default();
        if cc.merge_from_bytes(e.data.get()).is_err() {
            return DR_BAD_ARG;
        }
        n.v.conf_ctx = cc.context.clone();
        n.rn.apply_conf_change(&cc)
    };
    if !ctx.is_null() {
        *ctx = DrBytes::of(&n.v.conf_ctx);
    }
    let rc = match r {
        Ok(_) => DR_OK,
        Err(_) => DR_CONF_INVALID,
    };
    // a leader that is no voter any more: the engine would go on and panic at its next commit (no progress of its own)
    let me = n.rn.raft.id;
    if n.rn.raft.state == StateRole::Leader && !n.rn.raft.prs().conf().voters().contains(me) {
        let t = n.rn.raft.term;
        n.rn.raft.become_follower(t, 0);
    }
    n.v.conf = n.rn.raft.prs().conf().to_conf_state();
    sort(&mut n.v.conf);
    *out = of_conf(&n.v.conf);
    n.post();
    rc
}

fn sort(c: &mut ConfState) {
    c.voters.sort_unstable();
    c.learners.sort_unstable();
    c.voters_outgoing.sort_unstable();
    c.learners_next.sort_unstable();
}

#[no_mangle]
pub unsafe extern "C" fn dr_conf(n: *mut DrNode, out: *mut DrConf) {
    let n = &mut *n;
    n.v.conf = n.rn.raft.prs().conf().to_conf_state();
    sort(&mut n.v.conf);
    *out = of_conf(&n.v.conf);
}

/// ctx must be unique for ever (server epoch + counter); no answer = lost, ask again with a NEW ctx
#[no_mangle]
pub unsafe extern "C" fn dr_read_index(n: *mut DrNode, ctx: DrBytes) -> i32 {
    let n = &mut *n;
    if n.rn.raft.state != StateRole::Leader {
        return DR_NOT_LEADER;
    }
    if !n.rn.raft.commit_to_current_term() {
        return DR_UNAVAILABLE;
    }
    n.rn.read_index(ctx.get().to_vec());
    n.post();
    DR_OK
}

#[no_mangle]
pub unsafe extern "C" fn dr_transfer_leader(n: *mut DrNode, to: u64) {
    let n = &mut *n;
    n.rn.transfer_leader(to);
    n.post();
}

/// for skip_bcast_commit: one append to every peer, empty where it has all, so that it learns the commit index
#[no_mangle]
pub unsafe extern "C" fn dr_tell_commit(n: *mut DrNode) {
    let n = &mut *n;
    if n.rn.raft.state == StateRole::Leader {
        n.rn.raft.bcast_append();
    }
    n.post();
}

#[no_mangle]
pub unsafe extern "C" fn dr_report_unreachable(n: *mut DrNode, id: u64) {
    let n = &mut *n;
    n.rn.report_unreachable(id);
    n.post();
}

#[no_mangle]
pub unsafe extern "C" fn dr_report_snapshot(n: *mut DrNode, id: u64, ok: u8) {
    let n = &mut *n;
    n.rn.report_snapshot(id, if ok != 0 { SnapshotStatus::Finish } else { SnapshotStatus::Failure });
    n.post();
}

#[no_mangle]
pub unsafe extern "C" fn dr_has_ready(n: *mut DrNode) -> u8 {
    let n = &mut *n;
    (n.cur.is_none() && n.rn.has_ready()) as u8
}

fn views(src: &[Message], v: &mut Vec<DrMsg>, ents: &mut Vec<DrEntry>, snaps: &mut Vec<DrSnapshot>) {
    for m in src {
        let o = ents.len();
        for e in m.get_entries() {
            ents.push(of_entry(e));
        }
        let sp = if m.has_snapshot() {
            snaps.push(of_snap(m.get_snapshot()));
            &snaps[snaps.len() - 1] as *const DrSnapshot
        } else {
            ptr::null()
        };
        v.push(DrMsg {
            kind: m.get_msg_type() as u32,
            reject: m.reject as u8,
            pad: [0; 3],
            to: m.to,
            from: m.from,
            term: m.term,
            log_term: m.log_term,
            index: m.index,
            commit: m.commit,
            commit_term: m.commit_term,
            reject_hint: m.reject_hint,
            request_snapshot: m.request_snapshot,
            priority: m.priority,
            ctx: DrBytes::of(&m.context),
            entries: unsafe { ents.as_ptr().add(o) },
            n_entries: ents.len() - o,
            snapshot: sp,
        });
    }
}

/// 1 = *out filled; all views in it valid until dr_advance, which must come before any other call but dr_status, dr_conf and dr_progress
#[no_mangle]
pub unsafe extern "C" fn dr_ready(n: *mut DrNode, out: *mut DrReady) -> u8 {
    let n = &mut *n;
    assert!(n.cur.is_none(), "dr_ready before dr_advance");
    if !n.rn.has_ready() {
        return 0;
    }
    let rd = n.rn.ready();
    let v = &mut n.v;
    v.ents.clear();
    v.comm.clear();
    v.ments.clear();
    v.snaps.clear();
    v.msgs.clear();
    v.pmsgs.clear();
    v.reads.clear();
    v.ents.extend(rd.entries().iter().map(of_entry));
    v.comm.extend(rd.committed_entries().iter().map(of_entry));
    let (a, b) = (rd.messages(), rd.persisted_messages());
    v.ments.reserve(a.iter().chain(b).map(|m| m.get_entries().len()).sum()); // reserved: the pointers into it stay
    v.snaps.reserve(a.iter().chain(b).filter(|m| m.has_snapshot()).count() + 1);
    views(a, &mut v.msgs, &mut v.ments, &mut v.snaps);
    views(b, &mut v.pmsgs, &mut v.ments, &mut v.snaps);
    v.reads
        .extend(rd.read_states().iter().map(|r| DrRead { index: r.index, ctx: DrBytes::of(&r.request_ctx) }));
    let sp = if rd.snapshot().get_metadata().index != 0 {
        v.snaps.push(of_snap(rd.snapshot()));
        &v.snaps[v.snaps.len() - 1] as *const DrSnapshot
    } else {
        ptr::null()
    };
    let hs = rd.hs().map(|h| DrHardState { term: h.term, vote: h.vote, commit: h.commit });
    *out = DrReady {
        number: rd.number(),
        role: role(n.rn.raft.state),
        has_hs: hs.is_some() as u8,
        must_sync: rd.must_sync() as u8,
        role_changed: rd.ss().is_some() as u8,
        pad: 0,
        leader: n.rn.raft.leader_id,
        hs: hs.unwrap_or_default(),
        entries: v.ents.as_ptr(),
        n_entries: v.ents.len(),
        snapshot: sp,
        msgs: v.msgs.as_ptr(),
        n_msgs: v.msgs.len(),
        pmsgs: v.pmsgs.as_ptr(),
        n_pmsgs: v.pmsgs.len(),
        committed: v.comm.as_ptr(),
        n_committed: v.comm.len(),
        reads: v.reads.as_ptr(),
        n_reads: v.reads.len(),
    };
    n.cur = Some(rd);
    1
}

/// the caller has copied out what it needs; the write of `number` may still be under way
#[no_mangle]
pub unsafe extern "C" fn dr_advance(n: *mut DrNode) {
    let n = &mut *n;
    let mut rd = n.cur.take().expect("dr_advance without dr_ready");
    if rd.snapshot().get_metadata().index != 0 {
        let m = rd.snapshot().get_metadata();
        let (i, t, c) = (m.index, m.term, m.get_conf_state().clone());
        n.installing = i;
        n.rn.mut_store().install(i, t, c);
    }
    let e = rd.take_entries();
    n.rn.mut_store().append(e);
    n.rn.advance_append_async(rd);
    n.post();
}

/// everything of ready `number` and before is durable
#[no_mangle]
pub unsafe extern "C" fn dr_persisted(n: *mut DrNode, number: u64) {
    let n = &mut *n;
    n.rn.on_persist_ready(number);
    n.post();
}

#[no_mangle]
pub unsafe extern "C" fn dr_applied(n: *mut DrNode, index: u64) {
    let n = &mut *n;
    n.rn.advance_apply_to(index);
    if index >= n.installing {
        n.installing = 0;
    }
    n.post();
}

/// the log before and at index is gone (its entries are in a snapshot); index <= applied and <= persisted
#[no_mangle]
pub unsafe extern "C" fn dr_compact(n: *mut DrNode, index: u64) -> i32 {
    let n = &mut *n;
    if index > n.rn.raft.raft_log.applied || index > n.rn.raft.raft_log.persisted {
        return DR_BAD_ARG;
    }
    n.rn.mut_store().compact(index);
    DR_OK
}

/// forget cached entries up to index: they are durable and the entries hook can read them. Returns bytes still cached
#[no_mangle]
pub unsafe extern "C" fn dr_trim_cache(n: *mut DrNode, index: u64) -> u64 {
    let n = &mut *n;
    let p = n.rn.raft.raft_log.persisted;
    n.rn.mut_store().trim(index.min(p));
    n.rn.store().cache_bytes
}

/// keeps at most `bytes` of cached entries, as far as durable entries can be dropped. Returns bytes still cached
#[no_mangle]
pub unsafe extern "C" fn dr_trim_cache_to(n: *mut DrNode, bytes: u64) -> u64 {
    let n = &mut *n;
    let p = n.rn.raft.raft_log.persisted.min(n.rn.raft.raft_log.applied);
    n.rn.mut_store().trim_bytes(p, bytes);
    n.rn.store().cache_bytes
}

/// term of index, 0 if outside the log
#[no_mangle]
pub unsafe extern "C" fn dr_term(n: *mut DrNode, index: u64) -> u64 {
    let n = &*n;
    n.rn.raft.raft_log.term(index).unwrap_or(0)
}

#[no_mangle]
pub unsafe extern "C" fn dr_status(n: *mut DrNode, o: *mut DrStatus) {
    let r = &(*n).rn.raft;
    *o = DrStatus {
        term: r.term,
        vote: r.vote,
        commit: r.raft_log.committed,
        applied: r.raft_log.applied,
        persisted: r.raft_log.persisted,
        first: r.raft_log.first_index(),
        last: r.raft_log.last_index(),
        leader: r.leader_id,
        transferee: r.lead_transferee.unwrap_or(0),
        uncommitted_bytes: r.uncommitted_size() as u64,
        pending_reads: r.pending_read_count() as u64,
        role: role(r.state),
        promotable: r.promotable() as u8,
        conf_pending: r.has_pending_conf() as u8,
        term_committed: r.commit_to_current_term() as u8,
        snapshot_pending: r.snap().is_some() as u8,
    };
}

#[no_mangle]
pub unsafe extern "C" fn dr_progress(n: *mut DrNode, id: u64, o: *mut DrProgress) -> i32 {
    match (*n).rn.raft.prs().get(id) {
        Some(p) => {
            *o = DrProgress {
                matched: p.matched,
                next: p.next_idx,
                state: match p.state {
                    raft::ProgressState::Probe => 0,
                    raft::ProgressState::Replicate => 1,
                    raft::ProgressState::Snapshot => 2,
                },
                active: p.recent_active as u8,
                paused: p.is_paused() as u8,
                pad: [0; 2],
                inflight: p.ins.count() as u64,
            };
            DR_OK
        }
        None => DR_UNKNOWN_PEER,
    }
}
