#include "sys/curl_handle.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sys/curl_transfer.h"

namespace windlass {
namespace {

// What libcurl says about the one handle in `multi`, once it is done.
std::optional<CURLcode> finished(CURLM* multi) {
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE) return message->data.result;
  return std::nullopt;
}

Result<HttpResponse> drive(CURLM* multi, CurlTransfer& transfer, const Deadline& deadline) {
  const std::stop_callback wake_up(deadline.stop, [multi] { curl_multi_wakeup(multi); });
  for (;;) {
    int running = 0;
    if (const auto code = curl_multi_perform(multi, &running); code != CURLM_OK)
      return fail(Kind::internal, curl_multi_strerror(code));
    if (const auto code = finished(multi)) return transfer.result(*code);
    if (deadline.stop.stop_requested()) return fail(Kind::unavailable, "stopped");
    if (deadline.passed()) return fail(Kind::unavailable, "deadline passed");
    const auto patience = transfer.patience();
    if (!patience) return tl::unexpected(patience.error());
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min(*patience, deadline.left()).count()), nullptr);
  }
}

}  // namespace

CurlHandle::CurlHandle(std::string key) : key_(std::move(key)), multi_(curl_multi_init()), easy_(curl_easy_init()) {
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 1L);
}

Result<HttpResponse> CurlHandle::run(const HttpRequest& request, const Peer& peer,
                                     const CurlTransport::Options& options, const HeadCheck& wants,
                                     const BodySink& sink, const Deadline& deadline) {
  if (deadline.passed()) return fail(Kind::unavailable, "deadline passed");
  CurlTransfer transfer(easy_.get(), connections_, request, wants, sink);
  connections_.take_error_output();  // of earlier connections
  transfer.set_options(peer, options);
  if (auto set = transfer.set_headers(options); !set) return tl::unexpected(set.error());
  curl_multi_add_handle(multi_.get(), easy_.get());
  auto response = drive(multi_.get(), transfer, deadline);
  curl_multi_remove_handle(multi_.get(), easy_.get());  // closes the connection of an unfinished transfer
  curl_easy_reset(easy_.get());                         // keeps connections and TLS sessions
  if (!response)
    if (const auto output = connections_.take_error_output(); !output.empty())
      return fail(response.error().kind, fmt::format("{}: {}", response.error().message, output));
  return response;
}

}  // namespace windlass
