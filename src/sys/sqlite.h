// SQLite, thinly: a connection, prepared statements that are kept, transactions that roll back unless committed.
//
// WAL, synchronous=FULL: a committed transaction is on disk, unless it was begun with Flush::no. One connection is used
// by one thread at a time; every store opens its own to the same file. Times are stored as microseconds since 1970 UTC,
// columns end in _unix_us.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace windlass {

class Db;

// No: a failing power supply may undo what was committed, up to the next transaction that is flushed; nothing else may.
enum class Flush { yes, no };

// One run of a prepared statement; goes back to the connection's cache when it ends.
class Query {
 public:
  Query(Query&&) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  Query& bind(std::string_view text);
  Query& bind(std::int64_t number);
  Query& bind_null();
  Query& bind(const std::optional<std::int64_t>& number) { return number ? bind(*number) : bind_null(); }

  // The next row: true, no more rows: false. Kind::unavailable when the file stays locked or the disk is full,
  // Kind::internal when the file is damaged.
  Result<bool> step();
  // Runs a statement that gives no rows.
  Status run();

  // The first column of the first row, if there is one; of all rows.
  Result<std::optional<std::string>> first_text();
  Result<std::vector<std::string>> all_texts();

  // Columns of the current row, from 0.
  std::string text(int column) const;
  std::int64_t number(int column) const;
  bool is_null(int column) const;
  std::optional<std::int64_t> number_if(int column) const;

 private:
  friend class Db;
  using Idle = std::vector<sqlite3_stmt*>;
  Query(Db& db, sqlite3_stmt* statement, Idle* idle, int prepared)
      : db_(&db), statement_(statement), idle_(idle), result_(prepared) {}
  Db* db_;
  sqlite3_stmt* statement_;
  Idle* idle_;      // where the statement goes back to
  int result_ = 0;  // SQLite's first bad answer to preparing or binding; step() tells it
  int bound_ = 0;
};

class Db {
 public:
  // Opens or creates the file (mode 0600, as are its -wal and -shm). Waits up to 5 s for a lock held by another
  // connection. Kind::internal when it is not a database, naming the file.
  static Result<std::unique_ptr<Db>> open(const std::filesystem::path& file);
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  // `sql` is constant text: it is prepared once and kept. Wrong SQL is our bug and ends the process.
  Query query(std::string_view sql);
  // Several statements at once, for schemas and pragmas.
  Status execute(std::string_view sql);
  // PRAGMA quick_check: an error names what is damaged.
  Status check();

  std::int64_t changes() const;  // rows changed by the last statement

 private:
  friend class Query;
  friend class Transaction;
  Db(sqlite3* handle, std::filesystem::path file) : handle_(handle), file_(std::move(file)) {}
  // What `result` of SQLite means to a caller, with the file named.
  Error error(int result) const;
  Status set_flush(Flush flush);

  sqlite3* handle_;
  Flush flush_ = Flush::yes;
  std::filesystem::path file_;
  std::map<std::string, Query::Idle, std::less<>> idle_;  // prepared and not in use, by SQL text
};

// BEGIN IMMEDIATE now, COMMIT on commit(), ROLLBACK in the destructor otherwise.
class Transaction {
 public:
  static Result<Transaction> begin(Db& db, Flush flush = Flush::yes);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Db& db) : db_(&db) {}
  void end();
  Db* db_;
};

}  // namespace windlass
