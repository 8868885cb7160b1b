#include "notify/repeats.h"

#include <fmt/format.h>

#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS told_failures (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  at_unix_us INTEGER NOT NULL
) WITHOUT ROWID;
)";

// Of what makes two failures the same: before emoji and template.
std::string fingerprint_of(const Message& message) {
  return sha256_hex(fmt::format("{}\n{}", message.title, message.text));
}

// Without a flush: what a failing power supply undoes is told once more.
Status committed(Db& db, Query query) {
  auto transaction = Transaction::begin(db, Flush::no);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto done = query.run(); !done) return done;
  return transaction->commit();
}

}  // namespace

std::string repeat_key(const MessageContext& about) {
  return fmt::format("{}|{}|{}|{}", about.repository, about.target, about.stack, about.context);
}

Result<Repeats> Repeats::open(Db& db, std::chrono::milliseconds interval, WallTime now) {
  Repeats repeats(db, interval);
  auto done = db.execute(kSchema);
  if (done) done = repeats.forget_old(now);
  if (!done) return while_doing("opening the list of failures told", done.error());
  auto keys = db.query("SELECT key FROM told_failures").all_texts();
  if (!keys) return while_doing("opening the list of failures told", keys.error());
  repeats.keys_.insert(keys->begin(), keys->end());
  return repeats;
}

Result<bool> Repeats::is_repeat(const Message& failure, WallTime now) {
  const auto key = repeat_key(failure.about);
  if (interval_.count() <= 0 || !keys_.contains(key)) return false;
  auto query = db_->query("SELECT fingerprint, at_unix_us FROM told_failures WHERE key = ?");
  const auto row = query.bind(key).step();
  if (!row) return tl::unexpected(row.error());
  if (!*row || query.text(0) != fingerprint_of(failure)) return false;
  const auto told = from_unix_us(query.number(1));
  return told <= now && now - told < interval_;  // told in the future: before the clock was set back
}

Status Repeats::delivered(const Message& failure, WallTime now) {
  if (interval_.count() <= 0) return {};
  const auto key = repeat_key(failure.about);
  if (auto done = forget_old(now); !done) return done;
  auto query = db_->query("INSERT OR REPLACE INTO told_failures (key, fingerprint, at_unix_us) VALUES (?, ?, ?)");
  query.bind(key).bind(fingerprint_of(failure)).bind(to_unix_us(now));
  if (auto done = committed(*db_, std::move(query)); !done) return done;
  keys_.insert(key);
  return {};
}

Status Repeats::clear(const std::string& key) {
  if (!keys_.contains(key)) return {};
  auto query = db_->query("DELETE FROM told_failures WHERE key = ?");
  query.bind(key);
  if (auto done = committed(*db_, std::move(query)); !done) return done;
  keys_.erase(key);
  return {};
}

Status Repeats::forget_old(WallTime now) {
  auto query = db_->query("DELETE FROM told_failures WHERE at_unix_us <= ?");
  query.bind(to_unix_us(interval_.count() > 0 ? now - interval_ : now));
  return committed(*db_, std::move(query));
}

}  // namespace windlass
