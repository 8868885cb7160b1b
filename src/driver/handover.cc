#include "driver/handover.h"

#include <fmt/format.h>

#include "sys/files.h"
#include "sys/seal.h"

namespace windlass {
namespace {

constexpr std::uint64_t kBytesMax = 256ull << 20;
constexpr std::string_view kPurpose = "handover";

constexpr Kind kKinds[] = {Kind::invalid,  Kind::denied,      Kind::not_found,
                           Kind::conflict, Kind::unavailable, Kind::internal};

Kind kind_of(std::string_view text) {
  for (const auto kind : kKinds)
    if (to_string(kind) == text) return kind;
  return Kind::internal;
}

std::string text(const json::object& object, std::string_view key) { return std::string(text_of(object, key)); }

bool flag(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

json::object to_json(const HandoverOrder& order) {
  json::object environment;
  for (const auto& [name, value] : order.stack.environment) environment[name] = value;
  json::array secrets;
  for (const auto& secret : order.stack.secrets) secrets.emplace_back(secret.reveal());
  return {{"stack", order.stack.name},
          {"model", order.stack.model},
          {"environment", std::move(environment)},
          {"secrets", std::move(secrets)},
          {"remove_orphans", order.options.remove_orphans},
          {"project_dir", order.options.project_dir.string()},
          {"own_service", order.options.own_service},
          {"own", order.own},
          {"up_timeout_seconds", order.up_timeout.count()},
          {"take_timeout_seconds", order.take_timeout.count()},
          {"host_data_dir", order.host_data_dir}};
}

HandoverOrder order_of(HandoverNote note, const json::object& object) {
  HandoverOrder order{.note = std::move(note), .stack = {.name = text(object, "stack")}};
  if (const auto* model = object_of(object, "model")) order.stack.model = *model;
  if (const auto* environment = object_of(object, "environment"))
    for (const auto& member : *environment)
      if (member.value().is_string())
        order.stack.environment[std::string(member.key())] = std::string(member.value().get_string());
  if (const auto* secrets = array_of(object, "secrets"))
    for (const auto& secret : *secrets)
      if (secret.is_string()) order.stack.secrets.emplace_back(std::string(secret.get_string()));
  order.options = {.remove_orphans = flag(object, "remove_orphans"),
                   .project_dir = text(object, "project_dir"),
                   .own_service = text(object, "own_service"),
                   .own_order = order.note.order};
  if (const auto* own = object_of(object, "own")) order.own = *own;
  order.up_timeout = std::chrono::seconds(number_of(object, "up_timeout_seconds", 0));
  order.take_timeout = std::chrono::seconds(number_of(object, "take_timeout_seconds", 0));
  order.host_data_dir = text(object, "host_data_dir");
  return order;
}

json::object to_json(const HandoverNote& note) {
  return {
      {"order", note.order}, {"number", note.number}, {"helper", note.helper}, {"own_container", note.own_container}};
}

HandoverNote note_of(const json::object& object) {
  return {.order = text(object, "order"),
          .number = number_of(object, "number", 1),
          .helper = text(object, "helper"),
          .own_container = text(object, "own_container")};
}

}  // namespace

std::string HandoverNote::id() const { return fmt::format("{} {}", order, number); }

Result<std::optional<json::object>> Handover::read(const char* name) const {
  auto content = read_file(folder_ / name, kBytesMax);
  if (!content && (content.error().kind == Kind::not_found || content.error().kind == Kind::invalid))
    return std::optional<json::object>();
  if (!content) return tl::unexpected(content.error());
  auto value = parse_json(*content);
  if (!value || !value->is_object()) return std::optional<json::object>();  // damaged: nobody has said anything
  return std::optional(std::move(value->get_object()));
}

Status Handover::write(const char* name, const json::object& object) const {
  if (auto made = make_folders(folder_, 0700); !made) return made;
  return write_file(folder_ / name, json::serialize(object), 0600);
}

Status Handover::give(const HandoverOrder& order, const Secret& key) const {
  for (const auto* name : {"taken", "result"}) {
    std::error_code failed;
    std::filesystem::remove_all(folder_ / name, failed);
    if (failed)
      return fail(Kind::unavailable, fmt::format("removing {}: {}", (folder_ / name).string(), failed.message()));
  }
  auto object = to_json(order.note);
  object["sealed"] = Seal(key, kPurpose).close(json::serialize(to_json(order)));
  return write("order", object);
}

Result<std::optional<HandoverNote>> Handover::note() const {
  const auto object = read("order");
  if (!object) return tl::unexpected(object.error());
  return *object ? std::optional(note_of(**object)) : std::nullopt;
}

Result<HandoverOrder> Handover::order(const Secret& key) const {
  const auto object = read("order");
  if (!object) return tl::unexpected(object.error());
  if (!*object) return fail(Kind::not_found, "there is no order in " + folder_.string());
  auto opened = Seal(key, kPurpose).open(text_of(**object, "sealed"));
  if (!opened) return while_doing("reading the order", opened.error());
  auto content = parse_json(*opened);
  if (!content || !content->is_object()) return fail(Kind::invalid, "the order is damaged");
  return order_of(note_of(**object), content->get_object());
}

Status Handover::forget_content() const {
  const auto found = note();
  if (!found) return tl::unexpected(found.error());
  return *found ? write("order", to_json(**found)) : Status();
}

Status Handover::take(const HandoverNote& note) const { return write("taken", {{"id", note.id()}}); }

bool Handover::is_taken(const HandoverNote& note) const {
  const auto taken = read("taken");
  return taken && *taken && text_of(**taken, "id") == note.id();
}

Status Handover::end(const HandoverNote& note, const End& end) const {
  json::object object{{"id", note.id()}, {"must_bring_back", end.must_bring_back}};
  if (end.error) {
    object["kind"] = to_string(end.error->kind);
    object["message"] = end.error->message;
  }
  return write("result", object);
}

Result<std::optional<Handover::End>> Handover::result(const HandoverNote& note) const {
  const auto object = read("result");
  if (!object) return tl::unexpected(object.error());
  if (!*object || text_of(**object, "id") != note.id()) return std::optional<End>();
  End end;
  if ((*object)->contains("message"))
    end.error = Error{kind_of(text_of(**object, "kind")), std::string(text_of(**object, "message"))};
  const auto* flag = (*object)->if_contains("must_bring_back");
  end.must_bring_back = flag != nullptr && flag->is_bool() && flag->get_bool();
  return std::optional(std::move(end));
}

}  // namespace windlass
