// An HttpTransport for tests: answers by a function, records what was asked.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "sys/http_client.h"

namespace windlass {

struct FakeTransport final : HttpTransport {
  std::function<Result<HttpResponse>(const HttpRequest&)> answer = [](const HttpRequest&) {
    return HttpResponse{.status = 404};
  };
  std::vector<HttpRequest> asked;  // in order
  std::recursive_mutex mutex;      // an answer may send a request itself

  Result<HttpResponse> send(const HttpRequest& request, const Deadline&) override {
    const std::lock_guard lock(mutex);
    asked.push_back(request);
    return answer(request);
  }
  Result<HttpResponse> stream(const HttpRequest& request, const HeadCheck& wants, const BodySink& sink,
                              const Deadline& deadline) override {
    auto response = send(request, deadline);
    if (!response || !wants(*response)) return response;
    if (auto taken = sink(response->body); !taken) return tl::unexpected(taken.error());
    response->body.clear();
    return response;
  }
};

}  // namespace windlass
