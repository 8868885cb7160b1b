#include "docker/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/deadline.h"
#include "base/text.h"
#include "docker/answers.h"
#include "docker/api_version.h"
#include "docker/call_gate.h"
#include "docker/endpoint.h"
#include "docker/event_stream.h"
#include "docker/log_tail.h"
#include "sys/json.h"
#include "sys/query.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPingTimeout{800};            // api/E45
constexpr std::chrono::milliseconds kPingThroughTimeout{10'000};  // another machine is logged in to first
constexpr std::uint64_t kListBytesMax = 64ull << 20;              // thousands of containers with long labels
constexpr std::size_t kLogBytesMax = 16 << 10;
constexpr std::chrono::milliseconds kExecuteLookAgain{50};
constexpr auto kRestartSlack = 60s;  // beyond what the container may take to stop
constexpr auto kCallTimeout = 60s;   // of a whole call: an answer that comes byte by byte is never silent for long
constexpr auto kStopTimeout = 10min;
constexpr std::size_t kQuestionsMax = 4;  // at once, to the engine of a context; a healthy one answers in milliseconds
constexpr auto kPatience = 5s;            // with those before us

Kind kind_of(int status) {
  if (status == 404) return Kind::not_found;
  if (status == 409) return Kind::conflict;
  if (status == 401 || status == 403) return Kind::denied;
  return status >= 500 ? Kind::unavailable : Kind::invalid;
}

Result<json::object> parse_object(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return tl::unexpected(value.error());
  if (!value->is_object()) return fail(Kind::invalid, "the answer is not an object");
  return std::move(value->get_object());
}

json::array to_array(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

class HttpEngine final : public Engine {
 public:
  // `questions_max`: calls that only ask, at once; 0: as many as come.
  HttpEngine(Endpoint endpoint, std::string fixed_version, HttpTransport& transport, std::size_t questions_max = 0)
      : endpoint_(std::move(endpoint)), transport_(transport), fixed_version_(std::move(fixed_version)) {
    if (questions_max > 0) gate_.emplace(questions_max, kPatience);
  }

  Status ping() override {
    auto request = request_for("/_ping");
    request.method = "HEAD";
    auto response = transport_.send(request, Deadline::in(endpoint_.through ? kPingThroughTimeout : kPingTimeout));
    if (!response) return at_engine(response.error());
    if (response->status != 200)
      return at_engine({Kind::unavailable, fmt::format("HEAD /_ping: {}", response->status)});
    return {};
  }

  Result<EngineInfo> info(const Deadline& deadline) override {
    auto info = get("/info", deadline, parse_info);
    if (!info) return info;
    auto spoken = version(deadline);
    if (!spoken) return tl::unexpected(spoken.error());
    info->api_version = *spoken;
    return info;
  }

  Result<std::vector<ContainerSummary>> containers(const std::vector<std::string>& labels,
                                                   const Deadline& deadline) override {
    return containers(json::object{{"label", to_array(labels)}}, deadline);
  }

  Result<std::vector<ContainerSummary>> unhealthy_containers(const std::string& label,
                                                             const Deadline& deadline) override {
    return containers(json::object{{"label", {label}}, {"health", {"unhealthy"}}}, deadline);
  }

  Result<std::vector<ContainerSummary>> containers_with_volume(const std::string& volume,
                                                               const Deadline& deadline) override {
    return containers(json::object{{"volume", {volume}}}, deadline);
  }

  Result<std::vector<Volume>> volumes(const std::vector<std::string>& labels, const Deadline& deadline) override {
    const json::object filters{{"label", to_array(labels)}};
    return get("/volumes?filters=" + url_encode(json::serialize(filters)), deadline, parse_volumes);
  }

  Status remove_volume(const std::string& name, const Deadline& deadline) override {
    return change("DELETE", "/volumes/" + url_encode(name), deadline);
  }

  Result<ContainerDetail> inspect(const std::string& id, const Deadline& deadline) override {
    return get(fmt::format("/containers/{}/json", url_encode(id)), deadline, parse_container);
  }

  Result<std::string> last_logs(const std::string& id, int lines, const Deadline& deadline) override {
    auto container = inspect(id, deadline);
    if (!container) return tl::unexpected(container.error());
    auto request =
        versioned(fmt::format("/containers/{}/logs?stdout=1&stderr=1&tail={}", url_encode(id), lines), deadline);
    if (!request) return tl::unexpected(request.error());
    LogTail tail(container->tty, kLogBytesMax);
    const auto is_log = [](const HttpResponse& head) { return head.status == 200; };
    const auto sink = [&](std::string_view bytes) {
      tail.add(bytes);
      return Status();
    };
    const auto until = deadline.within(kCallTimeout);
    auto response = checked(*request, transport_.stream(*request, is_log, sink, until));
    if (!response) return tl::unexpected(response.error());
    return tail.take();
  }

  Result<std::string> image_id(const std::string& reference, const Deadline& deadline) override {
    for (auto part : split(reference, '/'))  // they would lead to another call of the API
      if (part.empty() || part == "." || part == "..")
        return at_engine({Kind::not_found, fmt::format("'{}' is not an image name", printable(reference, 256))});
    return get(fmt::format("/images/{}/json", url_encode(reference, "/:@")), deadline, parse_image_id);
  }

  Status tag_image(const std::string& id, const std::string& reference, const Deadline& deadline) override {
    const auto slash = reference.rfind('/');
    const auto colon = reference.find(':', slash == reference.npos ? 0 : slash);
    const auto tag = colon == reference.npos ? "latest" : reference.substr(colon + 1);
    return change("POST",
                  fmt::format("/images/{}/tag?repo={}&tag={}", url_encode(id, ":"),
                              url_encode(reference.substr(0, colon)), url_encode(tag)),
                  deadline);
  }

  Status remove_image(const std::string& reference, const Deadline& deadline) override {
    return change("DELETE", "/images/" + url_encode(reference, "/:@"), deadline);
  }

  Status signal(const std::string& id, const std::string& signal, const Deadline& deadline) override {
    return change("POST", fmt::format("/containers/{}/kill?signal={}", url_encode(id), url_encode(signal)), deadline);
  }

  Status stop(const std::string& id, const Deadline& deadline) override {
    auto request = versioned(fmt::format("/containers/{}/stop", url_encode(id)), deadline);
    if (!request) return tl::unexpected(request.error());
    request->method = "POST";
    request->header_timeout = request->idle_timeout = deadline.left();  // its grace period may be long
    auto response = send(*request, deadline, kStopTimeout);
    if (response && response->status == 304) return {};  // it had stopped
    response = checked(*request, std::move(response));
    if (!response) return tl::unexpected(response.error());
    return {};
  }

  Status remove(const std::string& id, const Deadline& deadline) override {
    return change("DELETE", fmt::format("/containers/{}?force=1", url_encode(id)), deadline);
  }

  Status rename(const std::string& id, const std::string& name, const Deadline& deadline) override {
    return change("POST", fmt::format("/containers/{}/rename?name={}", url_encode(id), url_encode(name)), deadline);
  }

  Status restart(const std::string& id, int timeout_seconds, const std::string& signal,
                 const Deadline& deadline) override {
    auto path = fmt::format("/containers/{}/restart?t={}", url_encode(id), timeout_seconds);
    if (!signal.empty()) path += "&signal=" + url_encode(signal);
    return change("POST", path, deadline, std::chrono::seconds(timeout_seconds) + kRestartSlack);
  }

  Result<json::object> inspect_json(const std::string& id, const Deadline& deadline) override {
    return get(fmt::format("/containers/{}/json", url_encode(id)), deadline, parse_object);
  }

  Result<std::string> create(const std::string& name, const json::object& body, const Deadline& deadline) override {
    auto made = post(fmt::format("/containers/create?name={}", url_encode(name)), body, deadline);
    if (!made) return tl::unexpected(made.error());
    auto answer = parse_object(made->body);
    if (!answer) return at_engine(answer.error());
    return std::string(text_of(*answer, "Id"));
  }

  Status start(const std::string& id, const Deadline& deadline) override {
    auto request = versioned(fmt::format("/containers/{}/start", url_encode(id)), deadline);
    if (!request) return tl::unexpected(request.error());
    request->method = "POST";
    auto response = send(*request, deadline);
    if (response && response->status == 304) return {};  // it runs
    response = checked(*request, std::move(response));
    if (!response) return tl::unexpected(response.error());
    return {};
  }

  Result<int> execute(const std::string& id, const std::vector<std::string>& command,
                      const Deadline& deadline) override {
    auto made = post(fmt::format("/containers/{}/exec", url_encode(id)), {{"Cmd", to_array(command)}}, deadline);
    if (!made) return tl::unexpected(made.error());
    auto answer = parse_object(made->body);
    if (!answer) return at_engine(answer.error());
    const auto path = fmt::format("/exec/{}", url_encode(text_of(*answer, "Id")));
    if (auto started = post(path + "/start", {{"Detach", true}}, deadline); !started)
      return tl::unexpected(started.error());
    for (;;) {  // the engine has no call that waits for it
      answer = get(path + "/json", deadline, parse_object);
      if (!answer) return tl::unexpected(answer.error());
      const auto* runs = answer->if_contains("Running");
      const auto* code = answer->if_contains("ExitCode");
      if (runs != nullptr && runs->is_bool() && !runs->get_bool() && code != nullptr && code->is_int64())
        return static_cast<int>(code->get_int64());
      if (!pause(kExecuteLookAgain, deadline))
        return at_engine({Kind::unavailable, fmt::format("{} has found no end", command.front())});
    }
  }

  Status connect(const std::string& network, const std::string& id, const json::object& endpoint,
                 const Deadline& deadline) override {
    const json::object body{{"Container", id}, {"EndpointConfig", endpoint}};
    auto done = post(fmt::format("/networks/{}/connect", url_encode(network)), body, deadline);
    if (!done) return tl::unexpected(done.error());
    return {};
  }

  Result<std::unique_ptr<EventStream>> events(const std::string& label, const std::vector<std::string>& actions,
                                              const Deadline& deadline) override {
    auto names = to_array(actions);
    if (std::ranges::find(actions, "destroy") != actions.end()) names.emplace_back("remove");  // Podman's word for it
    const json::object filters{{"type", {"container"}}, {"label", {label}}, {"event", std::move(names)}};
    auto request = versioned("/events?filters=" + url_encode(json::serialize(filters)), deadline);
    if (!request) return tl::unexpected(request.error());
    request->idle_timeout = 24h;  // a quiet stack says nothing for long; a lost engine closes the socket
    auto stream = open_event_stream(transport_, *request, deadline.within(kCallTimeout));
    if (!stream) return at_engine(stream.error());
    return stream;
  }

 private:
  Result<std::vector<ContainerSummary>> containers(const json::object& filters, const Deadline& deadline) {
    return get("/containers/json?all=1&filters=" + url_encode(json::serialize(filters)), deadline, parse_containers);
  }

  template <class Parse>
  auto get(const std::string& path, const Deadline& deadline, Parse parse) -> decltype(parse(std::string_view())) {
    auto request = versioned(path, deadline);
    if (!request) return tl::unexpected(request.error());
    auto response = checked(*request, ask(*request, deadline));
    if (!response) return tl::unexpected(response.error());
    auto value = parse(response->body);
    if (!value) return at_engine(during(*request, value.error()));
    return value;
  }

  // `silence`: how long the engine may take before it answers, headers and all; nothing: as long as usual.
  Status change(const std::string& method, const std::string& path, const Deadline& deadline,
                std::optional<std::chrono::milliseconds> silence = std::nullopt) {
    auto request = versioned(path, deadline);
    if (!request) return tl::unexpected(request.error());
    request->method = method;
    if (silence) request->header_timeout = request->idle_timeout = *silence;
    auto response = checked(*request, send(*request, deadline, silence.value_or(kCallTimeout)));
    if (!response) return tl::unexpected(response.error());
    return {};
  }

  Result<HttpResponse> post(const std::string& path, const json::object& body, const Deadline& deadline) {
    auto request = versioned(path, deadline);
    if (!request) return tl::unexpected(request.error());
    request->method = "POST";
    request->headers.push_back({"Content-Type", "application/json"});
    request->body = json::serialize(body);
    return checked(*request, send(*request, deadline));
  }

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline,
                            std::chrono::milliseconds in_all = kCallTimeout) {
    const auto until = deadline.within(in_all);
    auto response = transport_.send(request, until);
    if (!response && until.passed() && !deadline.passed())
      return tl::unexpected(
          during(request, {Kind::unavailable, fmt::format("no whole answer within {} s",
                                                          std::chrono::round<std::chrono::seconds>(in_all).count())}));
    return response;
  }

  // As send(), of what changes nothing and is quick: it waits for others only as long as they get answers.
  Result<HttpResponse> ask(const HttpRequest& request, const Deadline& deadline) {
    if (!gate_) return send(request, deadline);
    const auto call = gate_->enter(deadline);
    if (!call) return tl::unexpected(during(request, call.error()));
    return send(request, deadline);
  }

  HttpRequest request_for(const std::string& path) const {
    return {.url = endpoint_.base_url + path,
            .unix_socket = endpoint_.unix_socket,
            .through = endpoint_.through,
            .tls = endpoint_.tls,
            .use_proxy = endpoint_.unix_socket.empty(),
            .body_bytes_max = kListBytesMax};
  }

  Result<HttpRequest> versioned(const std::string& path, const Deadline& deadline) {
    auto spoken = version(deadline);
    if (!spoken) return tl::unexpected(spoken.error());
    return request_for(fmt::format("/v{}{}", *spoken, path));
  }

  Result<std::string> version(const Deadline& deadline) {
    if (!fixed_version_.empty()) return fixed_version_;
    if (auto known = negotiated(); !known.empty()) return known;
    const auto request = request_for("/version");  // without the lock: each caller waits by its own deadline
    auto response = ask(request, deadline);
    if (!response) return at_engine(response.error());
    if (response->status != 200) return at_engine(during(request, refusal(*response)));
    auto server = parse_version(response->body);
    if (!server) return at_engine(during(request, server.error()));
    auto chosen = choose_version(*server);
    if (!chosen) return at_engine(chosen.error());
    const std::lock_guard lock(mutex_);
    return negotiated_ = chosen->str();
  }

  std::string negotiated() {
    const std::lock_guard lock(mutex_);
    return negotiated_;
  }

  // A bad status as an error. An engine that was away may come back as another one: its version is asked for again.
  Result<HttpResponse> checked(const HttpRequest& request, Result<HttpResponse> response) {
    if (response && response->status / 100 == 2) return response;
    auto error = response ? during(request, refusal(*response)) : response.error();
    if (error.kind == Kind::unavailable) {
      const std::lock_guard lock(mutex_);
      negotiated_.clear();
    }
    return at_engine(std::move(error));
  }

  static Error refusal(const HttpResponse& response) {
    return {kind_of(response.status), fmt::format("{}: {}", response.status, parse_error(response.body))};
  }

  Error during(const HttpRequest& request, Error cause) const {
    const auto path = std::string_view(request.url).substr(endpoint_.base_url.size());
    return {cause.kind, fmt::format("{} {}: {}", request.method, path.substr(0, path.find('?')), cause.message)};
  }

  tl::unexpected<Error> at_engine(Error cause) const {
    return while_doing("docker engine at " + endpoint_.host, std::move(cause));
  }

  Endpoint endpoint_;
  HttpTransport& transport_;
  std::optional<CallGate> gate_;
  std::string fixed_version_;  // DOCKER_API_VERSION
  std::mutex mutex_;
  std::string negotiated_;  // guarded by mutex_; empty until the first call
};

}  // namespace

Status check_engine_options(const EngineOptions& options) {
  if (const auto endpoint = parse_endpoint(options); !endpoint) return tl::unexpected(endpoint.error());
  if (!options.api_version.empty() && !parse_api_version(options.api_version))
    return fail(Kind::invalid, fmt::format("DOCKER_API_VERSION '{}' is not a version such as 1.43",
                                           printable(options.api_version, 64)));
  return {};
}

Result<std::unique_ptr<Engine>> make_context_engine(const DockerContext& context,
                                                    const std::map<std::string, std::string>& environment,
                                                    std::string api_version, HttpTransport& transport) {
  auto endpoint = endpoint_of(context, environment);
  if (!endpoint) return tl::unexpected(endpoint.error());
  return std::make_unique<HttpEngine>(*std::move(endpoint), std::move(api_version), transport, kQuestionsMax);
}

Result<std::unique_ptr<Engine>> make_engine(EngineOptions options, HttpTransport& transport) {
  if (auto usable = check_engine_options(options); !usable) return tl::unexpected(usable.error());
  return std::make_unique<HttpEngine>(*parse_endpoint(options), std::move(options.api_version), transport);
}

}  // namespace windlass
