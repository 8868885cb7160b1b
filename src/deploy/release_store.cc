#include "deploy/release_store.h"

#include <fmt/format.h>

#include "config/reconciliation_key.h"
#include "config/switch_keys.h"
#include "deploy/release_rows.h"
#include "deploy/release_schema.h"
#include "deploy/stored_json.h"

namespace windlass {
namespace {

json::value stacks_to_json(const std::vector<SettledStack>& stacks) {
  json::array array;
  for (const auto& stack : stacks) {
    json::array services;
    for (const auto& service : stack.services)
      services.push_back(
          json::object{{"name", service.name}, {"replicas", service.replicas}, {"restart", service.restart}});
    json::object object{{"name", stack.id.name},
                        {"skipped_because", stack.skipped_because},
                        {"services", std::move(services)},
                        {"release_of", to_json(stack.release_of)},
                        {"keeps_orphans", stack.keeps_orphans}};
    if (stack.is_looping) object["is_looping"] = true;
    if (!stack.id.context.empty()) object["context"] = stack.id.context;
    if (!stack.secrets.empty()) object["secrets"] = to_json(stack.secrets);
    array.push_back(std::move(object));
  }
  return array;
}

std::string stored_discovery(const StackRules& rules) {
  return rules.discovery ? json::serialize(to_json(*rules.discovery)) : "";
}

bool is_true(const json::value* value) { return value != nullptr && value->is_bool() && value->get_bool(); }

std::vector<SettledStack> settled_stacks(const json::value& value) {
  std::vector<SettledStack> stacks;
  const auto* array = value.if_array();
  if (array == nullptr) return stacks;
  for (const auto& item : *array) {
    const auto* object = item.if_object();
    if (object == nullptr) continue;
    SettledStack stack{
        .id = {.name = std::string(text_of(*object, "name")), .context = std::string(text_of(*object, "context"))},
        .skipped_because = std::string(text_of(*object, "skipped_because")),
        .release_of = text_map(object_of(*object, "release_of")),
        .is_looping = is_true(object->if_contains("is_looping")),
        .keeps_orphans = is_true(object->if_contains("keeps_orphans")),
        .secrets = settled_secrets(object_of(*object, "secrets"))};
    if (const auto* services = array_of(*object, "services")) {
      for (const auto& service : *services) {
        const auto* fields = service.if_object();
        if (fields == nullptr) continue;
        const auto* replicas = fields->if_contains("replicas");
        stack.services.push_back(
            {.name = std::string(text_of(*fields, "name")),
             .replicas = replicas != nullptr && replicas->is_int64() ? static_cast<int>(replicas->get_int64()) : 1,
             .restart = std::string(text_of(*fields, "restart"))});
      }
    }
    stacks.push_back(std::move(stack));
  }
  return stacks;
}

Result<ReconciliationRule> stored_rule(const std::string& text) {
  if (text.empty()) return ReconciliationRule();
  auto value = stored_json(text);
  if (!value) return tl::unexpected(value.error());
  return reconciliation_of(*value);
}

std::optional<ReleaseState> parse_state(std::string_view text) {
  for (auto state : {ReleaseState::running, ReleaseState::succeeded, ReleaseState::failed})
    if (text == to_string(state)) return state;
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<ReleaseStore>> ReleaseStore::open(std::unique_ptr<Db> db, const Secret& key) {
  if (auto made = make_release_tables(*db); !made) return while_doing("opening the release store", made.error());
  return std::unique_ptr<ReleaseStore>(new ReleaseStore(std::move(db), key));
}

Result<LaneHistory> ReleaseStore::history(const std::string& lane) {
  const std::lock_guard lock(mutex_);
  LaneHistory history;
  auto seen = db_->query("SELECT digest FROM lane_digests WHERE lane = ? ORDER BY seq");
  seen.bind(lane);
  for (;;) {
    auto row = seen.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    if (auto digest = Digest::parse(seen.text(0))) history.seen.push_back(*digest);
  }
  auto deployed = db_->query("SELECT digest FROM lane_deployed WHERE lane = ?");
  deployed.bind(lane);
  auto row = deployed.step();
  if (!row) return tl::unexpected(row.error());
  if (*row)
    if (auto digest = Digest::parse(deployed.text(0))) history.last = *digest;
  if (!history.last || !is_lane_of_digests(lane)) return history;
  auto later = db_->query(R"(
SELECT ref || ' (' || digest || ')' FROM releases AS later
WHERE source_id = ?1 AND ref_is_digest = 0 AND state = 'succeeded'
  AND seq > (SELECT max(seq) FROM releases
             WHERE source_id = ?1 AND ref_is_digest = 1 AND digest = ?2
               AND stack = later.stack AND context = later.context AND state = 'succeeded')
ORDER BY seq DESC LIMIT 1)");
  auto overtaken = later.bind(source_of_lane(lane)).bind(history.last->str()).first_text();
  if (!overtaken) return tl::unexpected(overtaken.error());
  history.overtaken_by = overtaken->value_or("");
  return history;
}

Status ReleaseStore::drop_oldest(std::string_view table, const std::string& lane, int kept) {
  auto drop =
      db_->query(fmt::format("DELETE FROM {0} WHERE lane = ?1 AND seq <= (SELECT seq FROM {0} WHERE lane = ?1 "
                             "ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
                             table));
  return drop.bind(lane).bind(kept).run();
}

Status ReleaseStore::remember(const std::string& lane, const Digest& digest, bool deployed) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  // REPLACE gives the row a new seq: the digest becomes the latest one tried
  auto insert = db_->query("INSERT OR REPLACE INTO lane_digests (lane, digest) VALUES (?, ?)");
  if (auto done = insert.bind(lane).bind(digest.str()).run(); !done) return done;
  const auto kept = is_lane_of_digests(lane) ? kSeenByDigest : kSeenPerLane;
  if (auto done = drop_oldest("lane_digests", lane, kept); !done) return done;
  if (deployed) {
    auto mark = db_->query("INSERT OR REPLACE INTO lane_deployed (lane, digest) VALUES (?, ?)");
    if (auto done = mark.bind(lane).bind(digest.str()).run(); !done) return done;
  }
  return transaction->commit();
}

Result<std::optional<StackRecord>> ReleaseStore::stack(const StackId& id) {
  const std::lock_guard lock(mutex_);
  auto query =
      db_->query("SELECT source_id, last_state, release_of, brought FROM stacks WHERE context = ? AND name = ?");
  query.bind(id.context).bind(id.name);
  auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<StackRecord>();
  auto releases = stored_json(query.text(2));
  if (!releases) return tl::unexpected(releases.error());
  return std::optional(StackRecord{.source_id = query.text(0),
                                   .last_state = parse_state(query.text(1)),
                                   .release_of = text_map(releases->if_object()),
                                   .brought = query.text(3)});
}

Status ReleaseStore::begin(const Release& release, const std::map<std::string, ServiceInputs>& made,
                           const StackRules& rules) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto done = insert_release(*db_, seal_, release); !done) return done;
  for (const auto& [service, inputs] : made) {
    auto row = db_->query("INSERT INTO release_services (release_id, service, inputs) VALUES (?, ?, ?)");
    if (auto done = row.bind(release.id).bind(service).bind(json::serialize(to_json(inputs))).run(); !done) return done;
  }
  auto stack = db_->query(R"(
INSERT INTO stacks (context, name, source_id, last_state, release_of, ref, target, discovery, reconciliation)
VALUES (?, ?, ?, 'running', '{}', ?, ?, ?, ?)
ON CONFLICT (context, name) DO UPDATE
SET source_id = excluded.source_id, last_state = 'running', ref = excluded.ref, target = excluded.target,
    discovery = excluded.discovery, reconciliation = excluded.reconciliation)");
  const auto& request = release.request;
  stack.bind(release.stack.context)
      .bind(release.stack.name)
      .bind(request.source_id)
      .bind(request.ref_is_digest ? "@" : request.ref)
      .bind(request.target);
  stack.bind(stored_discovery(rules));
  stack.bind(json::serialize(to_json(rules.reconciliation)));
  if (auto done = stack.run(); !done) return done;
  return transaction->commit();
}

Status ReleaseStore::keep_as_it_is(const StackId& stack, const Digest& digest, const StackRules& rules) {
  const std::lock_guard lock(mutex_);
  auto update = db_->query(
      "UPDATE stacks SET reconciliation = ?1, brought = ?2, discovery = ?4 WHERE name = ?3 AND context = ?5 AND "
      "(reconciliation != ?1 OR brought != ?2 OR discovery != ?4)");
  update.bind(json::serialize(to_json(rules.reconciliation))).bind(digest.str()).bind(stack.name);
  return update.bind(stored_discovery(rules)).bind(stack.context).run();
}

Result<std::map<StackId, ReconciliationRule>> ReleaseStore::reconciliations(const std::string& context) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT name, reconciliation FROM stacks WHERE context = ?");
  query.bind(context);
  std::map<StackId, ReconciliationRule> rules;
  for (;;) {
    auto row = query.step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return rules;
    auto rule = stored_rule(query.text(1));
    if (!rule) return tl::unexpected(rule.error());
    rules[{.name = query.text(0), .context = context}] = *rule;
  }
}

Result<std::optional<ReconciliationRule>> ReleaseStore::reconciliation(const StackId& stack) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT reconciliation FROM stacks WHERE context = ? AND name = ?");
  auto text = query.bind(stack.context).bind(stack.name).first_text();
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::optional<ReconciliationRule>();
  auto rule = stored_rule(**text);
  if (!rule) return tl::unexpected(rule.error());
  return std::optional(*rule);
}

Status ReleaseStore::finish(const Release& release, const std::map<std::string, std::string>& release_of,
                            const std::optional<json::object>& model) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto done = end_release(*db_, release); !done) return done;
  auto stack = db_->query(
      "UPDATE stacks SET last_state = ?1, release_of = ?2, model = coalesce(?3, model), brought = iif(?1 = "
      "'succeeded', ?5, brought) WHERE name = ?4 AND context = ?6");
  stack.bind(to_string(release.state)).bind(json::serialize(to_json(release_of)));
  if (model)
    stack.bind(json::serialize(*model));
  else
    stack.bind_null();
  if (auto done = stack.bind(release.stack.name).bind(release.digest).bind(release.stack.context).run(); !done)
    return done;
  if (auto done = prune(release.stack); !done) return done;
  return transaction->commit();
}

// Rows of the last releases stay, of those whose containers still run, and the last good one.
Status ReleaseStore::prune(const StackId& stack) {
  auto old = db_->query(R"(
DELETE FROM releases WHERE stack = ?1 AND context = ?3
  AND seq <= (SELECT seq FROM releases WHERE stack = ?1 AND context = ?3 ORDER BY seq DESC LIMIT 1 OFFSET ?2)
  AND id NOT IN (SELECT value FROM stacks, json_each(stacks.release_of) WHERE name = ?1 AND context = ?3)
  AND seq IS NOT (SELECT max(seq) FROM releases WHERE stack = ?1 AND context = ?3 AND state = 'succeeded'))");
  if (auto done = old.bind(stack.name).bind(kReleasesPerStack).bind(stack.context).run(); !done) return done;
  if (db_->changes() == 0) return {};
  auto orphaned = db_->query(R"(
DELETE FROM release_services
WHERE release_id NOT IN (SELECT id FROM releases)
  AND release_id NOT IN (SELECT value FROM stacks, json_each(stacks.release_of)))");
  return orphaned.run();
}

Result<std::optional<ServiceInputs>> ReleaseStore::inputs(const std::string& release_id, const std::string& service) {
  if (release_id.empty()) return std::optional<ServiceInputs>();
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT inputs FROM release_services WHERE release_id = ? AND service = ?");
  query.bind(release_id).bind(service);
  auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<ServiceInputs>();
  auto value = stored_json(query.text(0));
  if (!value) return tl::unexpected(value.error());
  return std::optional<ServiceInputs>(text_map(value->if_object()));
}

Status ReleaseStore::set_inputs(const std::string& release_id, const std::string& service,
                                const ServiceInputs& inputs) {
  const std::lock_guard lock(mutex_);
  auto row = db_->query("INSERT OR REPLACE INTO release_services (release_id, service, inputs) VALUES (?, ?, ?)");
  return row.bind(release_id).bind(service).bind(json::serialize(to_json(inputs))).run();
}

Result<std::optional<SettledRun>> ReleaseStore::settled(const std::string& lane, const std::string& place) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT key, stacks FROM settled_runs WHERE lane = ? AND target = ?");
  query.bind(lane).bind(place);
  auto row = query.step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return std::optional<SettledRun>();
  auto value = stored_json(query.text(1));
  if (!value) return tl::unexpected(value.error());
  return std::optional(SettledRun{.key = query.text(0), .stacks = settled_stacks(*value)});
}

Status ReleaseStore::settle(const std::string& lane, const std::string& place, const SettledRun& run) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  auto insert = db_->query(
      "INSERT OR REPLACE INTO settled_runs (lane, target, key, stacks, seq) VALUES (?1, ?2, ?3, ?4, "
      "(SELECT ifnull(max(seq), 0) + 1 FROM settled_runs WHERE lane = ?1))");
  insert.bind(lane).bind(place).bind(run.key).bind(json::serialize(stacks_to_json(run.stacks)));
  if (auto done = insert.run(); !done) return done;
  if (auto done = drop_oldest("settled_runs", lane, kPlacesPerLane); !done) return done;
  return transaction->commit();
}

Status ReleaseStore::unsettle(const std::string& lane, const std::string& place) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  auto settled = db_->query("DELETE FROM settled_runs WHERE lane = ? AND target = ?");
  if (auto done = settled.bind(lane).bind(place).run(); !done) return done;
  auto bad = db_->query("DELETE FROM bad_runs WHERE lane = ? AND place = ?");
  if (auto done = bad.bind(lane).bind(place).run(); !done) return done;
  return transaction->commit();
}

Result<std::string> ReleaseStore::bad_key(const std::string& lane, const std::string& place) {
  const std::lock_guard lock(mutex_);
  auto query = db_->query("SELECT key FROM bad_runs WHERE lane = ? AND place = ?");
  auto key = query.bind(lane).bind(place).first_text();
  if (!key) return tl::unexpected(key.error());
  return key->value_or("");
}

Status ReleaseStore::remember_bad(const std::string& lane, const std::string& place, const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(*db_);
  if (!transaction) return tl::unexpected(transaction.error());
  auto insert = db_->query(
      "INSERT OR REPLACE INTO bad_runs (lane, place, key, seq) VALUES (?1, ?2, ?3, "
      "(SELECT ifnull(max(seq), 0) + 1 FROM bad_runs WHERE lane = ?1))");
  if (auto done = insert.bind(lane).bind(place).bind(key).run(); !done) return done;
  if (auto done = drop_oldest("bad_runs", lane, kPlacesPerLane); !done) return done;
  return transaction->commit();
}

}  // namespace windlass
