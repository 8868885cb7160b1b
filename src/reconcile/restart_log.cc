#include "reconcile/restart_log.h"

namespace windlass {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS restarts (
  stack TEXT NOT NULL,
  service TEXT NOT NULL,
  at_unix_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS restarts_of ON restarts (stack, service);
)";

constexpr auto kForgetAfter = std::chrono::hours(7 * 24);

}  // namespace

Result<std::unique_ptr<RestartLog>> RestartLog::open(std::unique_ptr<Db> db, WallTime now) {
  auto done = db->execute(kSchema);
  if (done) done = db->query("DELETE FROM restarts WHERE at_unix_us < ?").bind(to_unix_us(now - kForgetAfter)).run();
  if (!done) return while_doing("opening the list of restarts", done.error());
  return std::unique_ptr<RestartLog>(new RestartLog(std::move(db)));
}

Result<RestartLog::Verdict> RestartLog::ask(const StackId& stack_id, const std::string& service,
                                            const ReconciliationRule& rule, WallTime now) {
  const std::lock_guard lock(mutex_);
  if (rule.restart_limit == 0) return Verdict{};
  const auto stack = stack_id.str();
  const auto window = std::chrono::seconds(rule.restart_window_seconds);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  // what lies ahead was written before the clock was set back
  auto forget =
      db_->query("DELETE FROM restarts WHERE stack = ? AND service = ? AND (at_unix_us <= ? OR at_unix_us > ?)");
  forget.bind(stack).bind(service).bind(to_unix_us(now - window)).bind(to_unix_us(now));
  if (auto done = forget.run(); !done) return tl::unexpected(done.error());
  auto count = db_->query("SELECT count(*) FROM restarts WHERE stack = ? AND service = ?");
  if (auto row = count.bind(stack).bind(service).step(); !row) return tl::unexpected(row.error());
  Verdict verdict{.is_allowed = count.number(0) < rule.restart_limit};
  if (verdict.is_allowed) {
    auto insert = db_->query("INSERT INTO restarts (stack, service, at_unix_us) VALUES (?, ?, ?)");
    if (auto done = insert.bind(stack).bind(service).bind(to_unix_us(now)).run(); !done)
      return tl::unexpected(done.error());
  } else {
    // whose end of the window leaves room for one more
    auto oldest = db_->query(
        "SELECT at_unix_us FROM restarts WHERE stack = ? AND service = ? ORDER BY at_unix_us DESC LIMIT 1 OFFSET ?");
    if (auto row = oldest.bind(stack).bind(service).bind(rule.restart_limit - 1).step(); !row)
      return tl::unexpected(row.error());
    verdict.wait = std::chrono::ceil<std::chrono::milliseconds>(from_unix_us(oldest.number(0)) + window - now);
  }
  if (auto done = transaction->commit(); !done) return tl::unexpected(done.error());
  auto& told = refused_.try_emplace({stack, service}, WallTime::min()).first->second;
  if (verdict.is_allowed) {
    refused_.erase({stack, service});
  } else if (told == WallTime::min() || told > now || told <= now - window) {
    verdict.is_news = true;
    told = now;
  }
  return verdict;
}

}  // namespace windlass
