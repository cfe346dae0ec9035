#include "raft/replica.h"

#include "raft/driver.h"

namespace drover::raft {

Replica::Replica(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}
Replica::~Replica() { driver_->stop(); }

Result<std::unique_ptr<Replica>> Replica::open(Options options, Parts parts) {
  auto driver = std::make_shared<Driver>(std::move(options), parts);
  DROVER_CHECK(driver->open());
  return std::unique_ptr<Replica>(new Replica(std::move(driver)));
}

bool Replica::has_state() const { return driver_->has_state(); }
Status Replica::bootstrap(std::vector<Server> servers) { return driver_->bootstrap(servers); }
void Replica::start(Events events) { driver_->start(std::move(events)); }

Async<Result<Applied>> Replica::propose(std::string entry, std::shared_ptr<const void> body) {
  return driver_->propose(kTagUser, std::move(entry), std::move(body));
}
Async<Result<uint64_t>> Replica::read_index() { return driver_->read_index(); }
Async<Status> Replica::barrier() { return driver_->barrier(); }
Async<Result<Applied>> Replica::restore_state(std::unique_ptr<SnapshotReader> state, uint64_t min_index) {
  return driver_->restore_state(std::move(state), min_index);
}
Async<Status> Replica::add_learner(Server server) { return driver_->add_learner(std::move(server)); }
Async<Status> Replica::add_voter(Server server) { return driver_->add_voter(std::move(server)); }
Async<Status> Replica::promote(std::string id) { return driver_->promote(std::move(id)); }
Async<Status> Replica::demote(std::string id) { return driver_->demote(std::move(id)); }
Async<Status> Replica::remove(std::string id) { return driver_->remove(std::move(id)); }
Async<Status> Replica::transfer_leadership(std::string id) { return driver_->transfer_leadership(std::move(id)); }
Async<Status> Replica::take_snapshot() { return driver_->take_snapshot(); }
void Replica::set_snapshot_policy(uint64_t threshold, Duration interval, uint64_t trailing_logs) {
  driver_->set_snapshot_policy(threshold, interval, trailing_logs);
}
bool Replica::receive(std::string_view message) { return driver_->receive(message); }
void Replica::report_unreachable(uint64_t peer) { driver_->report_unreachable(peer); }
Role Replica::role() const { return driver_->role(); }
bool Replica::is_leader() const { return driver_->announced(); }
LeaderInfo Replica::leader() const { return driver_->leader(); }
std::vector<Server> Replica::configuration() const { return driver_->configuration().list(); }
Stats Replica::stats() const { return driver_->stats(); }

}  // namespace drover::raft
