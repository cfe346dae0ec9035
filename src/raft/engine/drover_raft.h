/* C ABI over TiKV's raft-rs 0.7, a Rust static library. One node is used by one thread at a time; no I/O, no clock, no
 * hidden chance. engine/src/abi.rs has the same structs, field by field: change both and dr_abi_version.
 *
 * The driver's loop:
 *   dr_step / dr_tick / dr_propose ...        feed the engine
 *   while dr_ready(n, &r):                    one ready at a time
 *     send r.msgs; start writing (latest hard state, r.snapshot, r.entries) as ONE atomic record
 *     copy r.committed, r.reads and r.persisted_msgs; dr_advance(n)
 *   when the write of ready k and all before it is durable: send its persisted_msgs, dr_persisted(n, k)
 *   when entries up to i are applied: dr_applied(n, i)
 *
 * A broken invariant calls the panic hook and aborts; nothing unwinds across this boundary.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct dr_node dr_node;

enum {
  DR_OK,
  DR_DROPPED,      /* no leader, transfer under way, over the uncommitted limit */
  DR_NOT_LEADER,
  DR_CONF_PENDING, /* an earlier change is not applied yet, or joint rules forbid this one */
  DR_CONF_INVALID, /* from dr_apply_conf: the change is a no-op, on every server alike */
  DR_UNKNOWN_PEER,
  DR_BAD_ARG,
  DR_UNAVAILABLE   /* from dr_read_index: nothing of the own term is committed yet; ask later */
};
enum { DR_FOLLOWER, DR_PRECANDIDATE, DR_CANDIDATE, DR_LEADER };
enum { DR_ENTRY_NORMAL, DR_ENTRY_CONF, DR_ENTRY_CONF_V2 };
/* The rest of the kinds are eraftpb.proto's; they pass through untouched. */
enum {
  DR_MSG_APPEND = 3,
  DR_MSG_APPEND_RESP = 4,
  DR_MSG_VOTE = 5,
  DR_MSG_VOTE_RESP = 6,
  DR_MSG_SNAPSHOT = 7,
  DR_MSG_HEARTBEAT = 8,
  DR_MSG_HEARTBEAT_RESP = 9,
  DR_MSG_TIMEOUT_NOW = 14,
  DR_MSG_PREVOTE = 17,
  DR_MSG_PREVOTE_RESP = 18
};

typedef struct {
  const uint8_t *p;
  size_t n;
} dr_bytes;

typedef struct {
  uint64_t index, term;
  uint32_t kind, pad; /* DR_ENTRY_* */
  dr_bytes data, ctx;
} dr_entry;

typedef struct {
  uint64_t term, vote, commit;
} dr_hard_state;

typedef struct {
  const uint64_t *voters;
  size_t n_voters;
  const uint64_t *learners;
  size_t n_learners;
  const uint64_t *outgoing; /* voters of the old half of a joint configuration */
  size_t n_outgoing;
  const uint64_t *learners_next;
  size_t n_learners_next;
  uint8_t auto_leave;
} dr_conf_state;

typedef struct {
  uint64_t index, term;
  dr_conf_state conf;
  dr_bytes data; /* the driver's descriptor, not the state */
} dr_snapshot;

typedef struct {
  uint32_t kind;
  uint8_t reject, pad[3];
  uint64_t to, from, term, log_term, index, commit, commit_term, reject_hint, request_snapshot;
  int64_t priority;
  dr_bytes ctx;
  const dr_entry *entries;
  size_t n_entries;
  const dr_snapshot *snapshot;
} dr_msg;

typedef struct {
  uint64_t index;
  dr_bytes ctx;
} dr_read;

typedef struct {
  uint64_t first, term; /* entries from `first` on have `term`, up to the next run */
} dr_term_run;

typedef struct {
  uint64_t number;
  uint32_t role;
  uint8_t has_hs, must_sync, role_changed, pad;
  uint64_t leader;
  dr_hard_state hs;
  const dr_entry *entries;
  size_t n_entries;           /* write these, with hs, as one record */
  const dr_snapshot *snapshot; /* not null: install before the entries */
  const dr_msg *msgs;
  size_t n_msgs; /* send now */
  const dr_msg *persisted_msgs;
  size_t n_persisted_msgs; /* send when this and all earlier readies are durable */
  const dr_entry *committed;
  size_t n_committed; /* apply in order; durable here and committed */
  const dr_read *reads;
  size_t n_reads; /* serve when applied >= index */
} dr_ready_t;

typedef struct {
  uint64_t term, vote, commit, applied, persisted, first, last, leader, transferee, uncommitted_bytes, pending_reads;
  uint32_t role;
  uint8_t promotable, conf_pending, term_committed, snapshot_pending;
} dr_status_t;

typedef struct {
  uint64_t matched, next;
  uint32_t state; /* 0 probe, 1 replicate, 2 snapshot */
  uint8_t active, paused, pad[2];
  uint64_t inflight;
} dr_progress_t;

typedef struct {
  uint32_t kind, pad; /* 0 add voter or promote, 1 remove, 2 add learner or demote */
  uint64_t id;
} dr_conf_change;

typedef struct {
  uint64_t id;
  uint32_t election_tick, heartbeat_tick;
  uint64_t max_msg_bytes;
  uint32_t max_inflight_msgs;
  uint8_t pre_vote, check_quorum, skip_bcast_commit, batch_append;
  uint64_t max_uncommitted_bytes, max_committed_bytes;
  int64_t priority;
} dr_config;

typedef struct {
  dr_hard_state hs;
  dr_conf_state conf; /* that of `applied` */
  uint64_t applied, trunc_index, trunc_term, last_index;
  const dr_term_run *runs;
  size_t n_runs;
} dr_init;

typedef void (*dr_entry_sink)(void *to, const dr_entry *);
typedef struct {
  void *ctx;
  /* Entries [lo, hi) that are not cached any more: at least one, then up to max_bytes, each to sink(to, ...). 0 = ok;
   * anything else ends the process: a log that cannot be read back is the end of this server. */
  int32_t (*entries)(void *ctx, uint64_t lo, uint64_t hi, uint64_t max_bytes, void *to, dr_entry_sink sink);
  /* The newest snapshot for peer `to`, at or after `at_least`. 1 = not now; take one, it is asked for again. */
  int32_t (*snapshot)(void *ctx, uint64_t at_least, uint64_t to, dr_snapshot *out);
  /* Election timeout of the next round in ticks, in [lo, hi). */
  uint32_t (*rand)(void *ctx, uint32_t lo, uint32_t hi);
  /* level: 1 critical .. 6 trace */
  void (*log)(void *ctx, int32_t level, const char *text, size_t n);
} dr_hooks;

uint32_t dr_abi_version(void);
/* Called once with the message and place of a broken invariant, just before abort(); from any thread. */
void dr_set_panic_hook(void (*hook)(const char *text, size_t n));

/* Null: bad configuration (the reason goes to the log hook). Hooks are copied. hs.commit is clamped into
 * [max(trunc_index, applied), last_index]. */
dr_node *dr_create(const dr_config *, const dr_init *, const dr_hooks *);
void dr_destroy(dr_node *);

/* Time passes by one tick. Ticks come from a steady clock, one per firing, never a burst. */
void dr_tick(dr_node *);
/* Starts an election, unless a snapshot is being installed or own log writes are pending. */
void dr_campaign(dr_node *);
/* Views in the message live for the call only. */
int32_t dr_step(dr_node *, const dr_msg *);
/* Appends n entries in one batch, each with `tag` put before its bytes; on DR_OK they have the indexes first.. and `term`. */
int32_t dr_propose(dr_node *, uint8_t tag, const dr_bytes *, size_t n, uint64_t *first_index, uint64_t *term);
/* n = 0 leaves a joint configuration. transition: 0 auto, 1 joint that leaves by itself, 2 joint that the caller leaves.
 * ctx comes back from dr_apply_conf on every server. */
int32_t dr_propose_conf(dr_node *, const dr_conf_change *, size_t n, uint32_t transition, dr_bytes ctx, uint64_t *index);
/* Takes every committed entry of a conf kind, in order, before dr_applied of its index. Also steps a leader down that
 * is no voter any more. out and ctx (may be null) live until the next call of this function or dr_conf. */
int32_t dr_apply_conf(dr_node *, const dr_entry *, dr_conf_state *out, dr_bytes *ctx);
/* ctx must never repeat, not even on a retry. No answer = lost: ask again with a new ctx. */
int32_t dr_read_index(dr_node *, dr_bytes ctx);
/* With skip_bcast_commit: an append to every peer, without entries where it has all of them, so that it learns the commit
 * index at once. Nothing on a server that does not lead. */
void dr_tell_commit(dr_node *);
void dr_transfer_leader(dr_node *, uint64_t to);
void dr_report_unreachable(dr_node *, uint64_t id);
/* Every message of kind DR_MSG_SNAPSHOT sent must end in this call, by a timer at worst. */
void dr_report_snapshot(dr_node *, uint64_t id, uint8_t ok);

uint8_t dr_has_ready(dr_node *);
/* 1 = filled. All views live until dr_advance, which must come before any other call but dr_status, dr_conf, dr_progress. */
uint8_t dr_ready(dr_node *, dr_ready_t *);
void dr_advance(dr_node *);
/* Everything of ready `number` and before is durable. */
void dr_persisted(dr_node *, uint64_t number);
void dr_applied(dr_node *, uint64_t index);
/* The log up to and including `index` is gone: a durable snapshot has it. */
int32_t dr_compact(dr_node *, uint64_t index);
/* Forgets cached durable entries up to index; returns the bytes still cached. */
uint64_t dr_trim_cache(dr_node *, uint64_t index);
/* Keeps at most `bytes` cached, as far as entries are durable and applied; returns the bytes still cached. */
uint64_t dr_trim_cache_to(dr_node *, uint64_t bytes);

/* Term of the entry at index, 0 outside the log. */
uint64_t dr_term(dr_node *, uint64_t index);
void dr_conf(dr_node *, dr_conf_state *out);
void dr_status(dr_node *, dr_status_t *);
int32_t dr_progress(dr_node *, uint64_t id, dr_progress_t *);

/* Tests only: shows what the engine does without the guards of dr_campaign. */
void dr_test_unguard(dr_node *);

#ifdef __cplusplus
}
#endif
