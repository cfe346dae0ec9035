// Operator snapshots through the streaming procedures: out of any server, into all of them, and what is refused.
#include "archive/snapshot_archive.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "model/snapshot_rpc.h"
#include "net/rpc_wire.h"
#include "server/cluster_testing.h"
#include "server/streaming.h"

namespace drover::server {
namespace {

struct SnapshotTest : ClusterTest {
  void one() {
    add(1, 1);
    ASSERT_TRUE(until([&] { return leader(); }));
  }

  struct Saved {
    std::string error, archive;
    rpc::SnapshotSaveResponse response;
  };
  Saved save(Node& at, bool stale = false) {
    auto flow = [](Server& server, bool stale) -> Async<Saved> {
      Saved out;
      auto stream = open_stream(server, "Operator.SnapshotSave");
      net::RpcWire wire(**stream);
      rpc::SnapshotSaveRequest request;
      request.Region = server.config().region;
      request.AllowStale = stale;
      (void)co_await wire.write(to_msgpack(request));
      auto value = co_await wire.read_value();
      if (!value) co_return out.error = value.error().message, std::move(out);
      out.response = *from_msgpack<rpc::SnapshotSaveResponse>(*value);
      out.error = out.response.ErrorMsg;
      out.archive = wire.take_unread();
      std::string piece(64 * 1024, '\0');
      for (;;) {
        auto n = co_await net::read_some(**stream, piece.data(), piece.size());
        if (!n || *n == 0) co_return std::move(out);
        out.archive.append(piece, 0, *n);
      }
    };
    auto saved = run_async(sim.loop, flow(*at.server, stale), 60s);
    EXPECT_TRUE(saved);
    return saved ? std::move(*saved) : Saved{"the save did not end", {}, {}};
  }

  // "": restored; else the error. `end`: how the body ends.
  std::string restore(Node& at, std::string archive, std::string end = "EOF") {
    auto flow = [](Server& server, std::string archive, std::string end) -> Async<std::string> {
      auto stream = open_stream(server, "Operator.SnapshotRestore");
      net::RpcWire wire(**stream);
      rpc::SnapshotRestoreRequest request;
      request.Region = server.config().region;
      (void)co_await wire.write(to_msgpack(request));
      auto send = [](net::Stream& stream, std::string archive, std::string end) -> Async<void> {
        for (size_t at = 0; at < archive.size(); at += 1000) {
          rpc::StreamErrWrapper frame;
          frame.Payload.data = archive.substr(at, 1000);
          auto bytes = to_msgpack(frame);
          if (!co_await net::write_all(stream, bytes)) co_return;
        }
        rpc::StreamErrWrapper last;
        last.Error.ensure().Message = end;
        auto bytes = to_msgpack(last);
        (void)co_await net::write_all(stream, bytes);
      };
      Running sending(send(**stream, std::move(archive), std::move(end)));
      auto value = co_await wire.read_value();
      if (!value) co_return "no answer: " + value.error().message;
      auto response = from_msgpack<rpc::SnapshotRestoreResponse>(*value);
      if (response->ErrorMsg.empty()) EXPECT_GT(response->Index, 0u);
      else EXPECT_EQ(response->ErrorCode, 500);
      co_return response->ErrorMsg;
    };
    auto said = run_async(sim.loop, flow(*at.server, std::move(archive), std::move(end)), 120s);
    return said.value_or("the restore did not end");
  }
  uint64_t hash(Node& node) { return state::state_hash(node.server->snapshot()); }
  bool all_have(const std::string& name) {
    for (auto& [n, node] : nodes)
      if (!has_namespace(node, name)) return false;
    return true;
  }
};

// An archive with this state stream.
std::string archive_of(const std::string& state) {
  archive::SnapshotMeta meta;
  meta.Index = 5;
  auto saved = archive::save_archive(meta, Time(), [&](const archive::BytesFn& out) { return out(state); }, testing::TempDir());
  EXPECT_TRUE(saved);
  std::string bytes(saved->size(), '\0');
  EXPECT_EQ(saved->read_at(0, bytes.data(), bytes.size()).value_or(0), bytes.size());
  return bytes;
}

std::string state_bin(const std::string& archive) {
  std::string state;
  archive::ArchiveReader reader([&](std::string_view b) { return state += b, Status(); });
  EXPECT_TRUE(reader.write(archive));
  EXPECT_TRUE(reader.finish());
  return state;
}

TEST_F(SnapshotTest, TheStateComesBackAndTheLeaderStartsOver) {
  one();
  auto& node = nodes[1];
  ASSERT_TRUE(put_namespace(node, "kept"));
  auto saved = save(node);
  ASSERT_EQ(saved.error, "");
  EXPECT_TRUE(saved.response.SnapshotChecksum.starts_with("sha-256="));
  EXPECT_TRUE(saved.response.KnownLeader);
  EXPECT_GT(saved.response.Index, 0u);
  ASSERT_TRUE(put_namespace(node, "later"));
  auto index = node.server->snapshot().index();
  EXPECT_EQ(restore(node, saved.archive), "");
  EXPECT_TRUE(has_namespace(node, "kept"));
  EXPECT_FALSE(has_namespace(node, "later"));
  ASSERT_TRUE(node.server->leader());
  EXPECT_TRUE(node.server->leader()->ready());
  // Indexes go on above what there was.
  ASSERT_TRUE(put_namespace(node, "after"));
  EXPECT_GT(node.server->snapshot().index(), index);
}

TEST_F(SnapshotTest, AFollowerPassesOnAndEveryServerTakesItOver) {
  three();
  ASSERT_TRUE(put_namespace(*leader(), "kept"));
  ASSERT_TRUE(until([&] { return all_have("kept"); }));
  auto saved = save(follower());
  ASSERT_EQ(saved.error, "");
  auto stale = save(follower(), true);
  EXPECT_EQ(stale.error, "");
  ASSERT_TRUE(put_namespace(*leader(), "later"));
  ASSERT_TRUE(until([&] { return all_have("later"); }));
  EXPECT_EQ(restore(follower(), saved.archive), "");
  ASSERT_TRUE(until([&] { return !has_namespace(nodes[1], "later") && !has_namespace(nodes[2], "later") && !has_namespace(nodes[3], "later"); }));
  ASSERT_TRUE(until([&] { return leader(); }));
  ASSERT_TRUE(put_namespace(follower(), "after"));
  ASSERT_TRUE(until([&] { return all_have("after"); }));
  EXPECT_EQ(hash(nodes[1]), hash(nodes[2]));
  EXPECT_EQ(hash(nodes[1]), hash(nodes[3]));
  // It survives the death of the server that led.
  auto* old = leader();
  kill(*old);
  ASSERT_TRUE(until([&] { return leader(); }));
  EXPECT_TRUE(has_namespace(*leader(), "kept"));
  boot(*old);
  ASSERT_TRUE(until([&] { return all_have("after"); }));
  EXPECT_FALSE(has_namespace(*old, "later"));
}

TEST_F(SnapshotTest, RecordsOfFeaturesThatAreNotThereAreKept) {
  one();
  auto& node = nodes[1];
  auto state = state_bin(save(node).archive);
  auto pool = std::string("\x1c") + "\x81\xa4Name\xa3gpu";  // a node pool
  ASSERT_EQ(restore(node, archive_of(state + pool)), "");
  EXPECT_EQ(node.server->snapshot().opaque_records().size(), 1u);
  EXPECT_NE(state_bin(save(node).archive).find(pool), std::string::npos);
  // Through our own log and snapshots too.
  ASSERT_TRUE(run_async(sim.loop, node.server->replica().take_snapshot(), 30s));
  kill(node);
  boot(node);
  ASSERT_TRUE(until([&] { return leader(); }));
  EXPECT_NE(state_bin(save(node).archive).find(pool), std::string::npos);
}

TEST_F(SnapshotTest, WhatIsRefusedChangesNothing) {
  one();
  auto& node = nodes[1];
  ASSERT_TRUE(put_namespace(node, "kept"));
  auto good = save(node).archive;
  auto state = state_bin(good);
  auto index = node.server->snapshot().index();
  auto before = hash(node);
  auto bad = [&](std::string archive, const std::string& why, std::string end = "EOF") {
    EXPECT_EQ(restore(node, std::move(archive), std::move(end)), "failed to restore from snapshot: " + why);
    EXPECT_EQ(hash(node), before) << why;
    EXPECT_EQ(node.server->snapshot().index(), index) << why;
    EXPECT_TRUE(node.server->leader() && node.server->leader()->ready()) << why;
  };
  bad("", "failed to decompress snapshot: EOF");
  bad("not an archive", "failed to decompress snapshot: gzip: invalid header");
  bad(good.substr(0, 5), "failed to decompress snapshot: unexpected EOF");
  bad(good.substr(0, good.size() / 2), "failed to read snapshot file: failed to read or write snapshot data: unexpected EOF");
  bad(good.substr(0, 4), "failed to decompress snapshot: failed to read after 4: unexpected EOF", "unexpected EOF");
  bad(archive_of(state + "\x7f\x80"), "Unrecognized snapshot type: 127");
  bad(archive_of(state + "\x01\x81"), "snapshot ends within a record");
  bad(archive_of(""), "snapshot ends within a record");
  EXPECT_EQ(restore(node, good), "");
}

}  // namespace
}  // namespace drover::server
