#include "cli/operate.h"

#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "base/text.h"
#include "cli/table.h"
#include "sys/query.h"

namespace windlass {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kAll = 200;                  // as many as the API gives at once
constexpr std::size_t kNestedBytesMax = 64 << 10;  // of a list or an object within a run
constexpr auto kRollbackTimeout = std::chrono::minutes(45);

int end_with(std::string_view command, const Error& error) {
  fmt::print(stderr, "windlass {}: {}\n", command, shown_lines(error.message));
  return 1;
}

Result<ApiClient> client_for(std::string_view command, const ApiOptions& options, const Environment& environment,
                             HttpTransport& transport) {
  auto client = ApiClient::make(options, environment, transport);
  if (!client) fmt::print(stderr, "windlass {}: {}\n", command, client.error().message);
  return client;
}

std::string field(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  return object == nullptr ? std::string() : std::string(text_of(*object, key));
}

json::array list_of(const json::value& content) {
  const auto* array = content.if_array();
  return array == nullptr ? json::array() : *array;
}

// A list of texts in one.
std::string json_list(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  if (const auto* array = array_of(object, key))
    for (const auto& item : *array)
      if (item.is_string()) texts.emplace_back(item.get_string());
  return join(texts, "; ");
}

std::string shown(std::string_view text) { return printable(text, 4096); }

void print_json(const json::value& content) { fmt::print("{}\n", json::serialize(content)); }

// The first line of a message: what follows are further stacks.
std::string first_line(const std::string& message) { return message.substr(0, message.find('\n')); }

// Deployments of one release in a row, where there is more than one.
const json::object* loop_of(const json::value& release) {
  const auto* object = release.if_object();
  const auto* loop = object == nullptr ? nullptr : object_of(*object, "loop");
  return loop != nullptr && number_of(*loop, "deployments", 0) > 1 ? loop : nullptr;
}

bool is_looping(const json::object& loop) {
  const auto* flag = loop.if_contains("looping");
  return flag != nullptr && flag->is_bool() && flag->get_bool();
}

// "web", "edge/web" on the engine of a Docker context.
std::string stack_of(const json::value& release) {
  const auto context = field(release, "context");
  return context.empty() ? field(release, "stack") : context + "/" + field(release, "stack");
}

// Why a stack is left alone, since when, and what ends it: news that a cell of a table has no room for.
std::string left_alone(const json::value& release, const json::object& loop) {
  const auto context = field(release, "context");
  return fmt::format(
      "\n{} is left alone since {} UTC: {} deployments of its release in a row changed something, and so would the "
      "next:\n  {}\nThat ends when its artifact or configuration changes, or by: windlass rollback {} --to {}{}\n",
      shown(stack_of(release)), shown(shown_time(text_of(loop, "looping_since"))), number_of(loop, "deployments", 0),
      shown(json_list(loop, "differences")), shown(field(release, "stack")), shown(field(release, "id")),
      context.empty() ? "" : " --context " + shown(context));
}

std::string release_row_message(const json::value& release) {
  if (const auto* loop = loop_of(release))
    return fmt::format("deployed {} times in a row{}: {}", number_of(*loop, "deployments", 0),
                       is_looping(*loop) ? " and left alone now" : "", first_line(json_list(*loop, "differences")));
  const auto message = field(release, "message");
  return first_line(message.empty() ? field(release, "plan") : message);
}

// What became of it: a release that came back is told from one that came.
std::string state_of(const json::value& release) {
  const auto state = field(release, "state");
  if (const auto* loop = loop_of(release); loop != nullptr && is_looping(*loop)) return "looping";
  return state == "succeeded" && field(release, "cause") == "rollback" ? "rolled back" : state;
}

Rows rows_of_releases(const json::array& releases) {
  Rows rows{{"RELEASE", "STACK", "STATE", "STARTED (UTC)", "REFERENCE", "DIGEST", "BY", "WHAT"}};
  for (const auto& release : releases) {
    const auto cause = field(release, "cause");
    rows.push_back({field(release, "id"), stack_of(release), state_of(release),
                    shown_time(field(release, "started_at")), field(release, "reference"),
                    short_digest(field(release, "digest")), cause.empty() ? field(release, "trigger") : cause,
                    release_row_message(release)});
  }
  return rows;
}

Result<json::array> releases_of(const ApiClient& client, const std::string& stack, const std::string& context,
                                std::size_t limit) {
  auto path = fmt::format("releases?stack={}&limit={}", url_encode(stack), limit);
  if (!context.empty()) path += "&context=" + url_encode(context);
  auto answer = client.get(path);
  if (!answer) return tl::unexpected(answer.error());
  return list_of(answer->content);
}

void print_status(std::string_view health, std::size_t running, const json::array& newest) {
  fmt::print("service  {}\nrunning  {}\n\n{}", health, running, table(rows_of_releases(newest)));
  for (const auto& release : newest)
    if (const auto* loop = loop_of(release); loop != nullptr && is_looping(*loop))
      fmt::print("{}", left_alone(release, *loop));
}

// A good release by its id or how that begins; without one the last good one that differs from what runs.
Result<json::value> release_to_return_to(const json::array& releases, const RollbackCommand& command) {
  if (releases.empty()) return fail(Kind::not_found, fmt::format("no release of stack {} is known", command.stack));
  std::set<std::string> stacks;
  for (const auto& release : releases) stacks.insert(stack_of(release));
  if (stacks.size() > 1 && command.to.empty())
    return fail(Kind::invalid, fmt::format("stack {} is on several engines ({}): say which with --context",
                                           command.stack, fmt::join(stacks, ", ")));
  std::vector<json::value> found;
  // What its containers are made from: the newest release decides, also one that failed and is left for inspection.
  // After an automatic way back that is a good one again, as it has a row of its own.
  std::string running;
  for (const auto& release : releases) {
    if (!command.to.empty()) {
      if (field(release, "id").starts_with(command.to)) found.push_back(release);
      continue;
    }
    const auto state = field(release, "state");
    if (running.empty()) running = state == "removed" ? "nothing" : field(release, "digest");
    if (state == "succeeded" && field(release, "digest") != running) return release;
  }
  if (command.to.empty())
    return fail(Kind::not_found, fmt::format("stack {} has no good release before the one that runs", command.stack));
  if (found.empty()) return fail(Kind::not_found, fmt::format("stack {} has no release {}", command.stack, command.to));
  if (found.size() > 1)
    return fail(Kind::invalid,
                fmt::format("{} releases of stack {} begin with {}", found.size(), command.stack, command.to));
  if (const auto state = field(found.front(), "state"); state != "succeeded")
    return fail(Kind::conflict, fmt::format("release {} of stack {} is {}: only good ones are brought back",
                                            field(found.front(), "id"), command.stack, state));
  return found.front();
}

}  // namespace

int show_runs(const RunsCommand& command, const Environment& environment, HttpTransport& transport) {
  const auto client = client_for("runs", command.api, environment, transport);
  if (!client) return 2;
  if (!command.job_id.empty()) {
    const auto answer = client->get("run/" + url_encode(command.job_id));
    if (!answer) return end_with("runs", answer.error());
    if (command.api.as_json) return print_json(answer->content), 0;
    if (const auto* run = answer->content.if_object())
      for (const auto& member : *run)
        fmt::print("{:<12} {}\n", printable(member.key()),
                   member.value().is_string() ? printable(member.value().get_string())
                                              : printable(json::serialize(member.value()), kNestedBytesMax));
    return 0;
  }
  const auto answer = client->get(fmt::format("runs?limit={}&status={}&trigger={}", command.limit,
                                              url_encode(command.status), url_encode(command.trigger)));
  if (!answer) return end_with("runs", answer.error());
  if (command.api.as_json) return print_json(answer->content), 0;
  Rows rows{{"RUN", "STATUS", "CREATED (UTC)", "BY", "REPOSITORY", "TARGET", "MESSAGE"}};
  for (const auto& run : list_of(answer->content)) {
    const auto cause = field(run, "cause");
    rows.push_back({field(run, "job_id"), field(run, "status"), shown_time(field(run, "created_at")),
                    cause.empty() ? field(run, "trigger") : cause, field(run, "repository"), field(run, "target"),
                    first_line(field(run, field(run, "phase").empty() ? "message" : "phase"))});
  }
  fmt::print("{}", table(rows));
  return 0;
}

int show_history(const HistoryCommand& command, const Environment& environment, HttpTransport& transport) {
  const auto client = client_for("history", command.api, environment, transport);
  if (!client) return 2;
  const auto releases = releases_of(*client, command.stack, command.context, command.limit);
  if (!releases) return end_with("history", releases.error());
  if (command.api.as_json) return print_json(*releases), 0;
  if (releases->empty())
    return end_with("history", {Kind::not_found, fmt::format("no release of stack {} is known", command.stack)});
  fmt::print("{}", table(rows_of_releases(*releases)));
  return 0;
}

int show_status(const StatusCommand& command, const Environment& environment, HttpTransport& transport) {
  const auto client = client_for("status", command.api, environment, transport);
  if (!client) return 2;
  const auto health = client->health();
  if (!health) return end_with("status", health.error());
  const auto releases = releases_of(*client, "", "", kAll);
  if (!releases) return end_with("status", releases.error());
  const auto busy = client->get("runs?status=running");
  if (!busy) return end_with("status", busy.error());

  json::array newest;  // of each stack
  std::set<std::string> seen;
  for (const auto& release : *releases)
    if (seen.insert(stack_of(release)).second && field(release, "state") != "removed") newest.push_back(release);
  const auto running = list_of(busy->content).size();
  if (command.api.as_json)
    print_json(json::object{{"health", *health}, {"running", running}, {"stacks", newest}});
  else
    print_status(*health, running, newest);
  return *health == "healthy" ? 0 : 1;
}

int roll_back(const RollbackCommand& command, const Environment& environment, HttpTransport& transport) {
  const auto client = client_for("rollback", command.api, environment, transport);
  if (!client) return 2;
  const auto releases = releases_of(*client, command.stack, command.context, kAll);
  if (!releases) return end_with("rollback", releases.error());
  const auto release = release_to_return_to(*releases, command);
  if (!release) return end_with("rollback", release.error());

  const auto id = field(*release, "id");
  const auto what =
      fmt::format("{}: release {} of {} UTC, {} ({})", stack_of(*release), id,
                  shown_time(field(*release, "started_at")), field(*release, "reference"), field(*release, "digest"));
  fmt::print(stderr, "{} {}\n", command.is_dry ? "would bring back" : "bringing back", printable(what));
  if (command.is_dry) return 0;
  const auto answer = client->post(fmt::format("release/{}/rollback?wait={}", url_encode(id), !command.returns_at_once),
                                   "", kRollbackTimeout);
  if (!answer) return end_with("rollback", answer.error());
  const auto* said = answer->content.if_string();
  fmt::print(stderr, "{}, run:\n", said != nullptr ? printable(*said) : "done");
  fmt::print("{}\n", printable(answer->job_id));
  return 0;
}

}  // namespace windlass
