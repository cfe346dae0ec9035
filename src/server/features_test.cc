// Dispatched and periodic jobs, variables and their keys, on a whole server in virtual time; keys in files; page tokens.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/snappy.h"
#include "base/strings.h"
#include "codec/msgpack.h"
#include "model/feature_requests.h"
#include "model/status.h"
#include "raft/disk.h"
#include "server/dispatch.h"
#include "server/keyring.h"
#include "server/leader.h"
#include "server/periodic.h"
#include "server/lookup.h"
#include "server/root_keys.h"
#include "server/server_testing.h"

namespace drover::server {
namespace {

struct TempDir {
  TempDir() {
    char name[] = "/tmp/drover-keys-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TempDir() { (void)!::system(("rm -rf " + path).c_str()); }
  std::string path;
};

// ---- keys ----------------------------------------------------------------------------------------------------------

RootKeyMeta meta(std::string id) {
  RootKeyMeta m;
  m.KeyID = std::move(id);
  m.Algorithm = Keyring::kAlgorithm;
  m.State = "active";
  return m;
}
const std::string kKey1 = "11111111-1111-1111-1111-111111111111", kKey2 = "22222222-2222-2222-2222-222222222222";

TEST(KeyringTest, WhatIsSealedOpensWithItsKeyOnly) {
  auto ring = Keyring::open("", raft::real_disk()).value();
  ASSERT_TRUE(ring->add(meta(kKey1), std::string(32, 'k')));
  ASSERT_TRUE(ring->add(meta(kKey2), std::string(32, 'k')));
  auto sealed = ring->encrypt(kKey1, "secret").value();
  EXPECT_EQ(sealed.size(), 12 + 6 + 16);
  EXPECT_NE(ring->encrypt(kKey1, "secret").value(), sealed);  // another nonce
  EXPECT_EQ(ring->decrypt(kKey1, sealed).value(), "secret");
  EXPECT_FALSE(ring->decrypt(kKey2, sealed));  // the same bytes, under another name
  sealed.back() ^= 1;
  EXPECT_FALSE(ring->decrypt(kKey1, sealed));
  EXPECT_EQ(ring->decrypt("x", sealed).error().message, "no such key \"x\" in keyring");
}

TEST(KeyringTest, KeysAreFoundAgainInTheirFiles) {
  TempDir dir;
  auto sealed = [&] {
    auto ring = Keyring::open(dir.path + "/keystore", raft::real_disk()).value();
    EXPECT_TRUE(ring->add(meta(kKey1), Keyring::random_key().value()));
    return ring->encrypt(kKey1, "secret").value();
  }();
  auto again = Keyring::open(dir.path + "/keystore", raft::real_disk()).value();
  EXPECT_EQ(again->decrypt(kKey1, sealed).value(), "secret");
  again.reset();
  auto file = dir.path + "/keystore/" + kKey1 + ".nks.json", other = dir.path + "/keystore/" + kKey2 + ".nks.json";
  ASSERT_EQ(::rename(file.c_str(), other.c_str()), 0);
  EXPECT_EQ(Keyring::open(dir.path + "/keystore", raft::real_disk()).error().message, "root key ID " + kKey1 + " must match key file " + kKey2);
}

TEST(KeyringTest, TokensHaveThreePartsAndNameTheirKey) {
  auto ring = Keyring::open("", raft::real_disk()).value();
  ASSERT_TRUE(ring->add(meta(kKey1), std::string(32, 'k')));
  auto token = ring->sign(kKey1, R"({"nomad_task":"t"})").value();
  auto parts = split(token, '.');
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(token.find_first_of("+/="), std::string::npos);
  while (parts[0].size() % 4) parts[0] += '=';
  EXPECT_EQ(base64_decode(parts[0]).value(), R"({"alg":"EdDSA","kid":")" + kKey1 + R"(","typ":"JWT"})");
  EXPECT_EQ(parts[2].size(), 86u);  // 64 bytes
}

TEST(KeyringTest, TokensHoldOnlyAsTheyWereSigned) {
  auto ring = Keyring::open("", raft::real_disk()).value(), other = Keyring::open("", raft::real_disk()).value();
  ASSERT_TRUE(ring->add(meta(kKey1), std::string(32, 'k')));
  ASSERT_TRUE(ring->add(meta(kKey2), std::string(32, 'l')));
  ASSERT_TRUE(other->add(meta(kKey2), std::string(32, 'l')));
  const std::string claims = R"({"nomad_task":"t"})";
  auto token = ring->sign(kKey1, claims).value(), second = ring->sign(kKey2, claims).value();
  EXPECT_EQ(ring->verify(token).value(), claims);
  EXPECT_EQ(other->verify(second).value(), claims);
  EXPECT_FALSE(other->verify(token));  // a key it has not
  auto parts = split(token, '.'), foreign = split(second, '.');
  auto unsigned_head = std::string("eyJhbGciOiJub25lIiwia2lkIjoiMTExMTExMTEtMTExMS0xMTExLTExMTEtMTExMTExMTExMTExIn0");  // alg: none
  for (auto& bad : {std::string(), std::string("x"), std::string("a.b.c"), parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".",
                    parts[0] + "." + parts[1] + "." + foreign[2], foreign[0] + "." + parts[1] + "." + parts[2],
                    unsigned_head + "." + parts[1] + ".", unsigned_head + "." + parts[1] + "." + parts[2], token + "=", token + "." + parts[2],
                    std::string("e30.") + parts[1] + "." + parts[2]})
    EXPECT_FALSE(ring->verify(bad)) << bad;
}

// ---- pages ---------------------------------------------------------------------------------------------------------

TEST(PageTokens, GoByNumberThenText) {
  EXPECT_TRUE(token_before("9.b", "10.a"));
  EXPECT_FALSE(token_before("10.a", "9.b"));
  EXPECT_TRUE(token_before("10.a", "10.b"));
  EXPECT_TRUE(token_before("default.a", "default.b"));
  EXPECT_FALSE(token_before("10.a", "10.a"));
}

// ---- children ------------------------------------------------------------------------------------------------------

Job parameterized() {
  Job j;
  j.ID = j.Name = "p";
  j.Namespace = "default";
  j.Version = 3;
  j.Stable = true;
  j.Meta = {{"kept", "1"}, {"who", "nobody"}};
  auto& p = j.ParameterizedJob.ensure();
  p.Payload = "optional";
  p.MetaRequired = {"who"};
  p.MetaOptional = {"mood"};
  return j;
}

TEST(Dispatch, RefusesWhatTheJobDoesNotTake) {
  auto job = parameterized();
  auto refusal = [&](JobDispatchRequest r) {
    auto done = check_dispatch(job, r);
    return done ? std::string() : done.error().message;
  };
  JobDispatchRequest good;
  good.Meta = {{"who", "me"}};
  EXPECT_EQ(refusal(good), "");
  EXPECT_EQ(refusal({}), "Dispatch did not provide required meta keys: [who]");
  auto more = good;
  more.Meta["b"] = more.Meta["a"] = "x";
  EXPECT_EQ(refusal(more), "Dispatch request included unpermitted metadata keys: [a b]");
  auto big = good;
  big.Payload.data.assign(kDispatchPayloadMax + 1, 'x');
  EXPECT_EQ(refusal(big), "Payload exceeds maximum size; 16385 > 16384");
  job.ParameterizedJob->Payload = "required";
  EXPECT_EQ(refusal(good), "Payload is not provided but required by parameterized job");
  job.ParameterizedJob->Payload = "forbidden";
  good.Payload.data = "x";
  EXPECT_EQ(refusal(good), "Payload provided but forbidden by parameterized job");
}

TEST(Dispatch, AChildIsItsParentWithItsOwnNameAndInput) {
  JobDispatchRequest r;
  r.Meta = {{"who", "me"}};
  r.Payload.data = "input";
  r.IdPrefixTemplate = "nightly";
  r.IdempotencyToken = "once";
  auto child = dispatched_child(parameterized(), r, Time::from_unix_seconds(1700), "0a1b2c3d");
  EXPECT_EQ(child.ID, "p/dispatch-nightly-1700-0a1b2c3d");
  EXPECT_EQ(child.Name, child.ID);
  EXPECT_EQ(child.ParentID, "p");
  EXPECT_TRUE(child.Dispatched);
  EXPECT_FALSE(child.Stable);
  EXPECT_EQ(child.Version, 0u);
  EXPECT_EQ(child.Meta.get_or("who"), "me");
  EXPECT_EQ(child.Meta.get_or("kept"), "1");
  EXPECT_EQ(child.DispatchIdempotencyToken, "once");
  EXPECT_EQ(snappy_decode(child.Payload.data).value(), "input");
}

class FeaturesTest : public ServerTest {
 protected:
  FeaturesTest() {
    config.gc.root_key_rotation = 2h;  // a month of virtual ticks takes its time
    open();
  }
  // Jobs that wait for their launch make no evaluation.
  void run_waiting(Job j) { EXPECT_EQ(run(std::move(j)).EvalID, ""); }
  static Job batch(std::string id) { return job(std::move(id), 1, std::string(job_type::kBatch)); }
  static Job periodic(std::string spec, bool prohibit_overlap = false) {
    auto j = batch("cron");
    auto& p = j.Periodic.ensure();
    p.Enabled = true;
    p.Spec = std::move(spec);
    p.SpecType = "cron";
    p.TimeZone = "UTC";
    p.ProhibitOverlap = prohibit_overlap;
    return j;
  }
  size_t children() { return server->snapshot().jobs().by_prefix("default", "cron/periodic-").count(); }
};

TEST_F(FeaturesTest, APeriodicJobLaunchesByTheClock) {
  run_waiting(periodic("*/10 * * * *"));
  EXPECT_EQ(children(), 0u);
  sim.loop.advance(10min);
  EXPECT_EQ(children(), 1u);
  sim.loop.advance(20min);
  EXPECT_EQ(children(), 3u);
  auto child = server->snapshot().jobs().by_prefix("default", "cron/").next();
  EXPECT_EQ(child->ParentID, "cron");
  EXPECT_FALSE(child->Periodic);
  rpc::JobDeregisterRequest stop;
  stop.JobID = "cron";
  ASSERT_TRUE(call<JobDeregisterResponse>("Job.Deregister", stop));
  sim.loop.advance(30min);
  EXPECT_EQ(children(), 3u);
}

TEST_F(FeaturesTest, AClockThatIsSetBackLaunchesNothingAgain) {
  run_waiting(periodic("*/10 * * * *"));
  sim.loop.advance(601s);
  ASSERT_EQ(children(), 1u);
  auto child = server->snapshot().jobs().by_prefix("default", "cron/periodic-").next();
  sim.clock.jump_wall(-60s);
  server->leader()->periodic().add(server->snapshot().jobs().get("default", "cron"));
  sim.loop.advance(120s);
  EXPECT_EQ(children(), 1u);
  EXPECT_EQ(server->snapshot().jobs().get("default", child->ID)->JobModifyIndex, child->JobModifyIndex);
}

TEST_F(FeaturesTest, OverlapIsProhibitedForTheClockOnly) {
  // No node: the first child waits for ever.
  run_waiting(periodic("*/10 * * * *", true));
  sim.loop.advance(30min);
  EXPECT_EQ(children(), 1u);
  rpc::PeriodicForceRequest force;
  force.JobID = "cron";
  sim.loop.advance(3s);
  auto r = call<PeriodicForceResponse>("Periodic.Force", force);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(children(), 2u);
  EXPECT_EQ(server->snapshot().evals().get(*Uuid::parse(r->EvalID))->TriggeredBy, eval_trigger::kPeriodicJob);
}

TEST_F(FeaturesTest, TheSameTokenDispatchesOnce) {
  auto p = batch("p");
  p.ParameterizedJob.ensure().Payload = "optional";
  run_waiting(p);
  JobDispatchRequest req;
  req.JobID = "p";
  req.IdempotencyToken = "one";
  auto first = call<JobDispatchResponse>("Job.Dispatch", req), again = call<JobDispatchResponse>("Job.Dispatch", req);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->DispatchedJobID, again->DispatchedJobID);
  EXPECT_NE(first->EvalID, "");
  EXPECT_EQ(again->EvalID, "");
  EXPECT_EQ(server->snapshot().job_summaries().get("default", "p")->Children->Pending, 1);
}

TEST_F(FeaturesTest, VariablesSurviveAFullRotation) {
  rpc::VariablesApplyRequest set;
  set.Op = "set";
  set.Var.ensure().Path = "a/b";
  set.Var->Items = {{"k", "v"}};
  auto written = call<rpc::VariablesApplyResponse>("Variables.Apply", set);
  ASSERT_TRUE(written) << written.error().message;
  auto stored = server->snapshot().variables().get("default", "a/b");
  EXPECT_EQ(stored->Data.data.find("\"v\""), std::string::npos);
  rpc::KeyringRotateRootKeyRequest rotate;
  rotate.Full = true;
  auto rotated = call<KeyringRotateRootKeyResponse>("Keyring.Rotate", rotate);
  ASSERT_TRUE(rotated) << rotated.error().message;
  auto rekeyed = [&] { return server->snapshot().variables().get("default", "a/b")->KeyID == rotated->Key->KeyID; };
  ASSERT_TRUE(sim.loop.run_until(rekeyed, 1min));
  sim.loop.advance(1s);
  EXPECT_EQ(server->snapshot().root_keys().get(stored->KeyID)->State, "deprecated");
  rpc::VariablesReadRequest read;
  read.Path = "a/b";
  auto back = call<rpc::VariablesReadResponse>("Variables.Read", read);
  ASSERT_TRUE(back && back->Data);
  EXPECT_EQ(back->Data->Items.get_or("k"), "v");
  EXPECT_EQ(back->Data->CreateIndex, written->Output->CreateIndex);
}

// A node of the reference asks whose token it is before it renders a template.
TEST_F(FeaturesTest, WhoSomebodyIsFollowsFromALivingAllocationsToken) {
  add_node(1);
  run(job("web", 1));
  auto find = [&] { return server->snapshot().allocs().by_job("default", "web").next(); };
  ASSERT_TRUE(sim.loop.run_until([&] { return find() != nullptr; }, 10s));
  auto alloc = find();
  auto who = [&](std::string token) {
    rpc::GenericRequest req;
    req.AuthToken = std::move(token);
    req.MinQueryIndex = 1'000'000;  // of the blocking query that it comes with
    req.MaxQueryTime = 1min;
    auto before = sim.clock.monotonic();
    auto r = call<rpc::ACLWhoAmIResponse>("ACL.WhoAmI", req);
    EXPECT_LT(sim.clock.monotonic() - before, 1s);
    EXPECT_TRUE(r && r->Identity) << (r ? "nobody" : r.error().message);
    return r && r->Identity ? r->Identity->Claims : Box<rpc::IdentityClaims>();
  };
  auto token = alloc->SignedIdentities.begin()->second;
  auto claims = who(token);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->Namespace, "default");
  EXPECT_EQ(claims->JobID, "web");
  EXPECT_EQ(claims->AllocationID, alloc->ID.str());
  EXPECT_EQ(claims->TaskName, alloc->SignedIdentities.begin()->first);
  EXPECT_EQ(claims->IssuedAt->unix_seconds(), sim.clock.now().unix_seconds());
  EXPECT_FALSE(who(""));
  EXPECT_FALSE(who(kKey1));
  EXPECT_FALSE(who(token.substr(0, token.size() - 4)));
  rpc::JobDeregisterRequest stop;
  stop.JobID = "web";
  ASSERT_TRUE(call<JobDeregisterResponse>("Job.Deregister", stop));
  ASSERT_TRUE(sim.loop.run_until([&] { return is_terminal(*find()); }, 10s));
  EXPECT_FALSE(who(token));
}

// A Go error travels as null or not at all: a reader of the reference stops at text in its stead.
TEST_F(FeaturesTest, TheAnswerToAWrittenVariableHasANullError) {
  rpc::VariablesApplyRequest set;
  set.Op = "set";
  set.Var.ensure().Path = "a/b";
  set.Var->Items = {{"k", "v"}};
  auto written = call<rpc::VariablesApplyResponse>("Variables.Apply", set);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_NE(to_msgpack(*written).find("\xa5" "Error\xc0"), std::string::npos);
}

// Agents of the reference print what an allocation was given from the older shape, and end without it.
TEST_F(FeaturesTest, AnAllocationIsAnsweredWithItsOlderResources) {
  auto node = add_node(1);
  run(job("web", 1));
  auto find = [&] { return server->snapshot().allocs().by_job("default", "web").next(); };
  ASSERT_TRUE(sim.loop.run_until([&] { return find() != nullptr; }, 10s));
  EXPECT_FALSE(find()->Resources);
  rpc::AllocSpecificRequest one;
  one.AllocID = find()->ID.str();
  auto alloc = call<rpc::SingleAllocResponse>("Alloc.GetAlloc", one);
  ASSERT_TRUE(alloc && alloc->Alloc);
  ASSERT_TRUE(alloc->Alloc->Resources);
  EXPECT_EQ(alloc->Alloc->Resources->DiskMB, find()->AllocatedResources->Shared.DiskMB);
  rpc::NodeSpecificRequest of_node;
  of_node.NodeID = node.str();
  auto allocs = call<rpc::NodeAllocsResponse>("Node.GetAllocs", of_node);
  ASSERT_TRUE(allocs && allocs->Allocs.size() == 1);
  EXPECT_TRUE(allocs->Allocs.begin()->get()->Resources);
}

TEST_F(FeaturesTest, ListsCarryWhatTheRequestNames) {
  add_node(1);
  auto web = job("web", 1);
  web.Meta = {{"a", "b"}};
  run(std::move(web));
  auto find = [&] { return server->snapshot().allocs().by_job("default", "web").next(); };
  ASSERT_TRUE(sim.loop.run_until([&] { return find() != nullptr; }, 10s));
  // As the reference writes it: {"Fields": {"Resources": true, "TaskStates": true}}, {"Fields": {"Meta": true}}.
  auto allocs = from_msgpack<rpc::AllocListRequest>("\x81\xa6" "Fields\x82\xa9" "Resources\xc3\xaa" "TaskStates\xc3");
  ASSERT_TRUE(allocs);
  auto with = call<rpc::AllocListResponse>("Alloc.List", *allocs), without = call<rpc::AllocListResponse>("Alloc.List", rpc::AllocListRequest());
  ASSERT_TRUE(with && without);
  EXPECT_TRUE(with->Allocations.begin()->AllocatedResources);
  EXPECT_FALSE(without->Allocations.begin()->AllocatedResources);
  auto jobs = from_msgpack<rpc::JobListRequest>("\x81\xa6" "Fields\x81\xa4" "Meta\xc3");
  ASSERT_TRUE(jobs);
  EXPECT_EQ(call<rpc::JobListResponse>("Job.List", *jobs)->Jobs.begin()->Meta.get_or("a"), "b");
  EXPECT_TRUE(call<rpc::JobListResponse>("Job.List", rpc::JobListRequest())->Jobs.begin()->Meta.empty());
}

TEST_F(FeaturesTest, AStaleWriteOfAVariableShowsWhatIsThere) {
  rpc::VariablesApplyRequest set;
  set.Op = "cas";
  set.Var.ensure().Path = "x";
  set.Var->Items = {{"k", "1"}};
  ASSERT_EQ(call<rpc::VariablesApplyResponse>("Variables.Apply", set)->Result, "ok");
  set.Var->Items = {{"k", "2"}};
  auto r = call<rpc::VariablesApplyResponse>("Variables.Apply", set);
  ASSERT_TRUE(r && r->Conflict);
  EXPECT_EQ(r->Result, "conflict");
  EXPECT_EQ(r->Conflict->Items.get_or("k"), "1");
}

TEST_F(FeaturesTest, TheActiveKeyIsReplacedWhenItIsOldAndGoesWhenNothingUsesIt) {
  auto first = active_key(*server).value();
  sim.loop.advance(config.gc.root_key_rotation + 2 * config.gc.root_key_interval);
  auto second = active_key(*server).value();
  EXPECT_NE(second, first);
  sim.loop.advance(config.gc.root_key + 2 * config.gc.root_key_interval);
  EXPECT_FALSE(server->snapshot().root_keys().get(first));
  EXPECT_EQ(active_key(*server).value(), second);
}

}  // namespace
}  // namespace drover::server
