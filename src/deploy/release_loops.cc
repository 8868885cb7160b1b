// What ReleaseStore keeps of deployments that follow one another (deploy/U1).
#include "deploy/release_store.h"
#include "deploy/stored_json.h"

namespace windlass {

Result<std::optional<StackLoop>> ReleaseStore::loop(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query(
      "SELECT key, deployments, recreated, differences, moved, deployed_at_unix_us, looping_since_unix_us FROM "
      "stack_loops WHERE stack = ?");
  query.bind(stack.str());
  auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<StackLoop>();
  auto differences = stored_json(query.text(3));
  if (!differences) return tl::unexpected(differences.error());
  auto moved = stored_json(query.text(4));
  if (!moved) return tl::unexpected(moved.error());
  StackLoop loop{.stack = stack,
                 .key = query.text(0),
                 .deployments = static_cast<unsigned>(query.number(1)),
                 .recreated = query.number(2) != 0,
                 .differences = text_list(*differences),
                 .moved = text_map(moved->if_object()),
                 .deployed_at = from_unix_us(query.number(5))};
  if (const auto since = query.number_if(6)) loop.looping_since = from_unix_us(*since);
  return std::optional(std::move(loop));
}

Status ReleaseStore::keep_loop(const StackLoop& loop) {
  const std::lock_guard lock(mutex_);
  auto row = db_->query(
      "INSERT OR REPLACE INTO stack_loops (stack, key, deployments, recreated, differences, moved, "
      "deployed_at_unix_us, looping_since_unix_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  row.bind(loop.stack.str())
      .bind(loop.key)
      .bind(static_cast<std::int64_t>(loop.deployments))
      .bind(loop.recreated ? 1 : 0);
  row.bind(json::serialize(json::value_from(loop.differences))).bind(json::serialize(to_json(loop.moved)));
  row.bind(to_unix_us(loop.deployed_at));
  row.bind(loop.looping_since ? std::optional(to_unix_us(*loop.looping_since)) : std::nullopt);
  return row.run();
}

Status ReleaseStore::forget_loop(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  return db_->query("DELETE FROM stack_loops WHERE stack = ?").bind(stack.str()).run();
}

}  // namespace windlass
