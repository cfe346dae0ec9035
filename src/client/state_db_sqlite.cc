#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>

#include "base/strings.h"
#include "client/state_db.h"

namespace drover::client {

namespace {

constexpr std::string_view kVersion = "1";
constexpr int kBusyMillis = 5000;

struct CloseDb {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using Db = std::unique_ptr<sqlite3, CloseDb>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Error db_error(sqlite3* db, std::string_view what) {
  int code = sqlite3_errcode(db) & 0xff;
  auto kind = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ErrorCode::kCorrupt
              : code == SQLITE_BUSY || code == SQLITE_LOCKED  ? ErrorCode::kTimeout
                                                              : ErrorCode::kIo;
  auto text = std::string(what) + ": " + sqlite3_errmsg(db);
  if (int why = sqlite3_system_errno(db); why != 0 && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN))
    text = errno_error(text, why).message;
  return {kind, std::move(text)};
}

Status run(sqlite3* db, const std::string& sql) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return db_error(db, sql);
  return {};
}

class SqliteState final : public StateDb {
 public:
  explicit SqliteState(Db db) : db_(std::move(db)) {}
  ~SqliteState() override { statements_.clear(); }

  Status prepare_schema() {
    for (auto* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"})
      DROVER_CHECK(run(db_.get(), sql));
    for (auto table : kTables)
      DROVER_CHECK(run(db_.get(), "CREATE TABLE IF NOT EXISTS " + std::string(table) +
                                      " (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"));
    DROVER_TRY(auto found, value("version"));
    if (found.empty()) return put_value("version", kVersion);
    if (found != kVersion)
      return internal("incompatible state version. expected " + go_quote(kVersion) + " but found " + go_quote(found));
    return {};
  }

 protected:
  Status write(const std::vector<Write>& batch) override {
    bool several = batch.size() > 1;
    if (several) DROVER_CHECK(run(db_.get(), "BEGIN IMMEDIATE"));
    for (auto& w : batch) {
      auto status = write_one(w);
      if (!status) {
        if (several) (void)run(db_.get(), "ROLLBACK");
        return status;
      }
    }
    if (!several) return {};
    auto committed = run(db_.get(), "COMMIT");
    if (!committed && !sqlite3_get_autocommit(db_.get())) (void)run(db_.get(), "ROLLBACK");
    return committed;
  }

  Result<std::vector<Row>> read(std::string_view table, std::string_view prefix) override {
    DROVER_TRY(auto* s, statement("SELECT key, value FROM " + std::string(table) +
                                  " WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key"));
    bind(s, 1, prefix, false);
    std::vector<Row> out;
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) out.push_back({column(s, 0), column(s, 1)});
    sqlite3_reset(s);
    if (rc != SQLITE_DONE) return db_error(db_.get(), "reading " + std::string(table));
    return out;
  }

 private:
  static void bind(sqlite3_stmt* s, int at, std::string_view text, bool blob) {
    auto size = static_cast<int>(text.size());
    if (blob) sqlite3_bind_blob(s, at, text.empty() ? "" : text.data(), size, SQLITE_STATIC);
    else sqlite3_bind_text(s, at, text.empty() ? "" : text.data(), size, SQLITE_STATIC);
  }
  static std::string column(sqlite3_stmt* s, int at) {
    auto* p = static_cast<const char*>(sqlite3_column_blob(s, at));
    return p ? std::string(p, static_cast<size_t>(sqlite3_column_bytes(s, at))) : std::string();
  }

  Result<sqlite3_stmt*> statement(const std::string& sql) {
    auto& s = statements_[sql];
    if (!s) {
      sqlite3_stmt* made = nullptr;
      if (sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &made, nullptr) != SQLITE_OK) return db_error(db_.get(), sql);
      s.reset(made);
    }
    return s.get();
  }

  Status write_one(const Write& w) {
    std::string table(w.table);
    DROVER_TRY(auto* s, statement(w.kind == Write::Kind::kPut ? "INSERT OR REPLACE INTO " + table + " VALUES (?1, ?2)"
                                  : w.kind == Write::Kind::kErase
                                      ? "DELETE FROM " + table + " WHERE key = ?1"
                                      : "DELETE FROM " + table + " WHERE substr(key, 1, length(?1)) = ?1"));
    bind(s, 1, w.key, false);
    if (w.kind == Write::Kind::kPut) bind(s, 2, w.value, true);
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    if (rc != SQLITE_DONE) return db_error(db_.get(), "writing " + table);
    return {};
  }

  Db db_;
  std::map<std::string, Statement> statements_;
};

std::string parent_dir(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Status check_integrity(sqlite3* db) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &made, nullptr) != SQLITE_OK) return db_error(db, "quick_check");
  Statement s(made);
  if (sqlite3_step(made) != SQLITE_ROW) return db_error(db, "quick_check");
  std::string answer(reinterpret_cast<const char*>(sqlite3_column_text(made, 0)));
  if (answer != "ok") return Error(ErrorCode::kCorrupt, answer);
  return {};
}

Error opening_error(Error why, const std::string& path) {
  if (why.code != ErrorCode::kTimeout) return why;
  return Error(ErrorCode::kTimeout, "timed out while opening database, is another Nomad process accessing data_dir " +
                                        parent_dir(path) + "?");
}

Result<std::unique_ptr<StateDb>> open_once(const std::string& path) {
  sqlite3* raw = nullptr;
  int rc = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Db db(raw);
  if (rc != SQLITE_OK) return db_error(raw, "opening " + path);
  ::chmod(path.c_str(), 0600);
  sqlite3_busy_timeout(raw, kBusyMillis);
  auto state = std::make_unique<SqliteState>(std::move(db));
  // First of all: the index of the log is then kept in memory, not in a file that a full disk may have no room for.
  auto status = run(raw, "PRAGMA locking_mode=EXCLUSIVE");
  if (status) status = check_integrity(raw);
  if (status) status = state->prepare_schema();
  if (status) return state;
  return opening_error(std::move(status).error(), path);
}

}  // namespace

Result<std::unique_ptr<StateDb>> read_sqlite_state(const std::string& path) {
  sqlite3* raw = nullptr;
  int rc = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  Db db(raw);
  if (rc != SQLITE_OK) return db_error(raw, "opening " + path);
  auto status = check_integrity(raw);
  if (!status) return opening_error(std::move(status).error(), path);
  return std::make_unique<SqliteState>(std::move(db));
}

Result<std::unique_ptr<StateDb>> open_sqlite_state(const std::string& path, std::string& note) {
  auto opened = open_once(path);
  if (opened || opened.error().code != ErrorCode::kCorrupt) return opened;
  note = "state database " + path + " is damaged (" + opened.error().message + "): moved to " + path + ".damaged";
  for (auto* suffix : {"", "-wal", "-shm"}) {
    auto from = path + suffix, to = path + ".damaged" + suffix;
    if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) return errno_error("rename " + from, errno);
  }
  return open_once(path);
}

}  // namespace drover::client
