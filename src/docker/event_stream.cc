#include "docker/event_stream.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "docker/answers.h"

namespace windlass {
namespace {

constexpr std::size_t kEventsMax = 4096;          // a reader that is so far behind reads the state again anyway
constexpr std::size_t kLineBytesMax = 256 << 10;  // one event; labels may be long

class HttpEventStream final : public EventStream {
 public:
  HttpEventStream(HttpTransport& transport, HttpRequest request)
      : thread_([this, &transport, request = std::move(request)](std::stop_token stop) {
          const Deadline until_closed{.stop = std::move(stop)};
          ended(stream(transport, request, until_closed));
        }) {}

  // Waits for the answer's headers.
  Status wait_open(const Deadline& deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline.stop, deadline.at, [&] { return open_ || end_; });
    if (open_) return {};
    if (end_) return tl::unexpected(*end_);
    return fail(Kind::unavailable, "opening the event stream took too long");
  }

  Result<std::optional<EngineEvent>> next(const Deadline& deadline) override {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline.stop, deadline.at, [&] { return !events_.empty() || end_; });
    if (!events_.empty()) {
      auto event = std::move(events_.front());
      events_.pop_front();
      return std::optional(std::move(event));
    }
    if (end_) return tl::unexpected(*end_);
    return std::optional<EngineEvent>();
  }

 private:
  // How it ended.
  Error stream(HttpTransport& transport, const HttpRequest& request, const Deadline& until_closed) {
    try {
      const auto response = transport.stream(
          request, [this](const HttpResponse& head) { return opened(head); },
          [this](std::string_view bytes) { return take(bytes); }, until_closed);
      if (!response) return response.error();
      if (response->status == 200) return {Kind::unavailable, "the event stream ended"};
      return {Kind::unavailable, fmt::format("GET /events: {}: {}", response->status, parse_error(response->body))};
    } catch (const std::exception& error) {  // out of memory: this stream ends, the process does not
      return {Kind::unavailable, fmt::format("reading the event stream: {}", error.what())};
    }
  }

  bool opened(const HttpResponse& head) {
    if (head.status != 200) return false;  // its body is the engine's error message
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
    return true;
  }

  Status take(std::string_view bytes) {
    line_ += bytes;
    std::size_t begin = 0;
    for (auto end = line_.find('\n'); end != line_.npos; begin = end + 1, end = line_.find('\n', begin)) {
      const auto line = trim(std::string_view(line_).substr(begin, end - begin));
      if (line.empty()) continue;
      auto event = parse_event(line);
      if (!event) return while_doing("reading an event", event.error());
      const std::lock_guard lock(mutex_);
      if (events_.size() >= kEventsMax) return fail(Kind::unavailable, "too many events wait");
      events_.push_back(std::move(*event));
      changed_.notify_all();
    }
    line_.erase(0, begin);
    if (line_.size() > kLineBytesMax) return fail(Kind::invalid, "an event is too long");
    return {};
  }

  void ended(Error error) {
    const std::lock_guard lock(mutex_);
    end_ = std::move(error);
    if (open_) end_->kind = Kind::unavailable;  // whatever it was: open another one and read the state again
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  std::deque<EngineEvent> events_;
  std::optional<Error> end_;
  std::string line_;     // the reading thread's: what came after the last newline
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<EventStream>> open_event_stream(HttpTransport& transport, HttpRequest request,
                                                       const Deadline& deadline) {
  auto stream = std::make_unique<HttpEventStream>(transport, std::move(request));
  if (auto open = stream->wait_open(deadline); !open) return tl::unexpected(open.error());
  return std::unique_ptr<EventStream>(std::move(stream));
}

}  // namespace windlass
