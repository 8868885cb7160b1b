// The tables `releases` and `stacks` are made here; the rows of the former are written and read. Used by ReleaseStore,
// under its lock.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/release.h"
#include "sys/seal.h"
#include "sys/sqlite.h"

namespace windlass {

// A column that an older windlass did not have.
struct Column {
  std::string_view name, type;
};
// Adds those that are not there. Safe to be cut short.
Status add_columns(Db& db, std::string_view table, std::span<const Column> columns);

// Makes the table, or adds the columns that an older windlass did not have. Safe to be cut short.
Status make_release_table(Db& db);

// Makes the table `stacks`; in that of an older windlass, which knew one engine only, all stacks are on it. All or
// nothing.
Status make_stack_table(Db& db);

// The row of a release that begins. What an operator wrote inline may hold values that must not stay readable: sealed.
Status insert_release(Db& db, const Seal& seal, const Release& release);
// What its end adds: state, message, images, time.
Status end_release(Db& db, const Release& release);

// "SELECT … FROM releases <rest>", to be bound and read by one of the two below. `rest` is constant text.
Query select_releases(Db& db, std::string_view rest);
// All rows of such a query.
Result<std::vector<Release>> read_releases(Query& query, const Seal& seal);
// Its first row.
Result<std::optional<Release>> read_release(Query& query, const Seal& seal);

}  // namespace windlass
