#include "sys/curl_transfer.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/text.h"
#include "sys/address.h"

namespace windlass {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kHeadBytesMax = 64 << 10, kHeadFieldsMax = 200;  // reliability 2
constexpr auto kWakeUpMax = 1s;

std::string shown_span(std::chrono::milliseconds span) {
  return span % 1s == 0ms ? fmt::format("{} s", span / 1s) : fmt::format("{} ms", span.count());
}

Error too_long_head() { return {Kind::invalid, fmt::format("answer headers are over {} bytes", kHeadBytesMax)}; }

// A line of the head that is longer than libcurl itself takes, which is more than our limit.
bool is_too_long_line(CURLcode code) {
  constexpr int kTooLarge = 100;  // CURLE_TOO_LARGE, since 8.6
  return code == CURLE_OUT_OF_MEMORY || static_cast<int>(code) == kTooLarge;
}

Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return Kind::denied;
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer of HTTP/0.9
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return Kind::invalid;
    default:
      return Kind::unavailable;
  }
}

}  // namespace

void CurlTransfer::set_options(const CurlHandle::Peer& peer, const CurlTransport::Options& options) {
  is_proxied_ = !peer.proxy.empty();
  has_tls_proxy_ = lower(peer.proxy).starts_with("https://");
  set(CURLOPT_URL, peer.url.str().c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // giving up does not wait for a resolver that hangs
  set(CURLOPT_ERRORBUFFER, curl_message_);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(2 * request_.connect_timeout.count()) + 1000);  // see patience()
  set(CURLOPT_PROXY, peer.proxy.c_str());
  set(CURLOPT_NOPROXY, "");  // libcurl reads no_proxy otherwise than we do: what is_proxied_ says must be so
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!request_.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
  if (request_.through) set_child();
  set_tls(options);
  set_method();

  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_HEADERDATA, this);
  set(
      CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t, std::size_t size, void* self) {
        return static_cast<CurlTransfer*>(self)->take_head_line({data, size}) ? size : 0;
      });
  set(CURLOPT_WRITEDATA, this);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t, std::size_t size, void* self) {
        return static_cast<CurlTransfer*>(self)->take_body({data, size}) ? size : 0;
      });
  set(CURLOPT_OPENSOCKETDATA, this);
  set(
      CURLOPT_OPENSOCKETFUNCTION, +[](void* self, curlsocktype, curl_sockaddr* address) {
        return static_cast<CurlTransfer*>(self)->open_socket(*address);
      });
  set(CURLOPT_SSL_CTX_DATA, this);
  set(
      CURLOPT_SSL_CTX_FUNCTION, +[](CURL*, void* tls_context, void* self) {
        auto& transfer = *static_cast<CurlTransfer*>(self);
        transfer.handshake_began_ = SteadyClock::now();
        transfer.add_roots(tls_context);
        return CURLE_OK;
      });
  set(CURLOPT_PREREQDATA, this);
  set(
      CURLOPT_PREREQFUNCTION, +[](void* self, char*, char*, int, int) {
        return static_cast<CurlTransfer*>(self)->begin_request() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
      });
}

void CurlTransfer::set_tls(const CurlTransport::Options& options) {
  const auto& tls = request_.tls;
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  const bool has_own_roots = !tls.ca_file.empty();
  const auto& file = has_own_roots ? tls.ca_file : options.roots.for_libcurl.file;
  const auto folders = has_own_roots ? std::string() : options.roots.for_libcurl.folders;
  if (!file.empty() || !folders.empty()) {
    set(CURLOPT_CAINFO, file.empty() ? nullptr : file.c_str());
    set(CURLOPT_CAPATH, folders.empty() ? nullptr : folders.c_str());
  }
  if (!has_own_roots) more_roots_ = &options.roots.more;
  if (!tls.client_cert_file.empty()) set(CURLOPT_SSLCERT, tls.client_cert_file.c_str());
  if (!tls.client_key_file.empty()) set(CURLOPT_SSLKEY, tls.client_key_file.c_str());
}

// The certificates are shared by all connections: what each costs is a place in a list. `tls_context` is an SSL_CTX,
// for libcurl is the one with OpenSSL.
void CurlTransfer::add_roots(void* tls_context) const {
  if (!more_roots_) return;
  auto* store = ::SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(tls_context));
  for (const auto& root : *more_roots_) ::X509_STORE_add_cert(store, root.get());
}

// Where to connect to is said when libcurl asks for a socket.
void CurlTransfer::set_child() {
  set(CURLOPT_CLOSESOCKETDATA, &connections_);  // also of a connection that outlives this transfer
  set(
      CURLOPT_CLOSESOCKETFUNCTION, +[](void* connections, curl_socket_t socket) {
        static_cast<ChildConnections*>(connections)->close(socket);
        return 0;
      });
}

void CurlTransfer::set_method() {
  if (request_.method == "HEAD") return set(CURLOPT_NOBODY, 1L);
  if (request_.upload.read) return set_upload();
  if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.method != "GET" && request_.method != "POST") set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  if (request_.method == "GET" && !request_.body.empty()) set(CURLOPT_CUSTOMREQUEST, "GET");
}

void CurlTransfer::set_upload() {
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.upload.size_bytes));
  set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
  set(CURLOPT_READDATA, this);
  set(
      CURLOPT_READFUNCTION, +[](char* out, std::size_t size, std::size_t count, void* self) {
        return static_cast<CurlTransfer*>(self)->give_body(out, size * count);
      });
  set(CURLOPT_SEEKDATA, this);
  set(
      CURLOPT_SEEKFUNCTION, +[](void* self, curl_off_t offset, int origin) {  // a kept connection was already closed
        if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
        static_cast<CurlTransfer*>(self)->uploaded_bytes_ = static_cast<std::uint64_t>(offset);
        return CURL_SEEKFUNC_OK;
      });
}

Status CurlTransfer::set_headers(const CurlTransport::Options& options) {
  const auto add = [&](const std::string& line) {
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
  };
  bool has_agent = false, has_type = false;
  for (const auto& header : request_.headers) {
    if ((header.name + header.value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return fail(Kind::invalid, fmt::format("header {} holds a line break", printable(header.name, 64)));
    has_agent = has_agent || same_name(header.name, "User-Agent");
    has_type = has_type || same_name(header.name, "Content-Type");
    add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);  // ';': libcurl's empty value
  }
  if (!has_agent) add("User-Agent: " + options.user_agent);
  if (!has_type) add("Content-Type:");  // without a value: libcurl must not add its own
  add("Expect:");
  set(CURLOPT_HTTPHEADER, headers_.get());
  return {};
}

// reliability/T7: judged is the very address that is connected to, not the one of an earlier look-up.
curl_socket_t CurlTransfer::open_socket(curl_sockaddr& address) {
  if (request_.through) return open_child_socket(address);
  if (!is_proxied_ && (address.family == AF_INET || address.family == AF_INET6)) {
    const auto scope = scope_of(address.addr);
    if (scope == AddressScope::link_local && !request_.may_be_link_local) {
      refusal_ = "link-local address refused";
      return CURL_SOCKET_BAD;
    }
    if (request_.refuse_private_addresses && scope != AddressScope::open) {
      refusal_ = "private address refused";
      return CURL_SOCKET_BAD;
    }
  }
  return ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
}

curl_socket_t CurlTransfer::open_child_socket(curl_sockaddr& address) {
  const auto socket = connections_.open(address.addr, address.addrlen);
  if (socket) return *socket;
  stop_with(socket.error());
  return CURL_SOCKET_BAD;
}

// The connection is there.
bool CurlTransfer::begin_request() {
  sent_ = SteadyClock::now();
  if (!request_.through) return true;
  const auto begun = connections_.begin(*request_.through);
  return begun || stop_with(begun.error());
}

bool CurlTransfer::take_head_line(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > kHeadBytesMax) return stop_with(too_long_head());
  if (head_is_done_) return true;  // a trailer after the body
  line = trim(line);
  if (line.starts_with("HTTP/")) {
    response_ = {};  // forget an interim answer
    return true;
  }
  if (!line.empty()) {
    if (response_.headers.size() == kHeadFieldsMax)
      return stop_with({Kind::invalid, fmt::format("answer has more than {} headers", kHeadFieldsMax)});
    const auto colon = std::min(line.find(':'), line.size());
    response_.headers.push_back(
        {std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(std::min(colon + 1, line.size()))))});
    return true;
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) return true;
  response_.status = static_cast<int>(status);
  head_is_done_ = true;
  received_ = SteadyClock::now();
  goes_to_sink_ = wants_ && wants_(response_);
  return true;
}

bool CurlTransfer::take_body(std::string_view bytes) {
  received_ = SteadyClock::now();
  if (goes_to_sink_) {
    auto taken = sink_(bytes);
    received_ = SteadyClock::now();  // the time the sink took is not the peer's
    return taken ? true : stop_with(taken.error());
  }
  const bool may_be_cut = response_.status >= 400 || wants_;  // or not what the sink wants, which its head tells
  const auto bytes_max =
      may_be_cut ? std::min(request_.body_bytes_max, request_.error_body_bytes_max) : request_.body_bytes_max;
  const auto room = bytes_max - response_.body.size();
  has_enough_ = may_be_cut && bytes.size() > room;
  if (bytes.size() > room && !may_be_cut)
    return stop_with({Kind::invalid, fmt::format("answer is over {} bytes", bytes_max)});
  response_.body += bytes.substr(0, room);
  return !has_enough_;
}

std::size_t CurlTransfer::give_body(char* out, std::size_t out_bytes) {
  const auto read = request_.upload.read(uploaded_bytes_, out, out_bytes);
  if (!read) {
    stop_with(read.error());
    return CURL_READFUNC_ABORT;
  }
  uploaded_bytes_ += *read;
  sent_ = SteadyClock::now();  // as long as the peer takes bytes, its answer is not due
  return *read;
}

CurlTransfer::Phase CurlTransfer::phase() const {
  if (received_) return {*received_, request_.idle_timeout, "no data for"};
  if (sent_) return {*sent_, request_.header_timeout, "no answer within"};
  if (handshake_began_) return {*handshake_began_, request_.connect_timeout, "TLS handshake not finished within"};
  return {began_, request_.connect_timeout, "no connection within"};
}

Result<std::chrono::milliseconds> CurlTransfer::patience() const {
  const auto [since, span, complaint] = phase();
  const auto end = since + span;
  const auto now = SteadyClock::now();
  if (now >= end) return fail(Kind::unavailable, fmt::format("{} {}", complaint, shown_span(span)));
  return std::chrono::ceil<std::chrono::milliseconds>(std::min<SteadyClock::duration>(end - now, kWakeUpMax));
}

std::string CurlTransfer::cause(CURLcode code) const {
  if (code == CURLE_COULDNT_CONNECT) {
    long number = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &number);
    const auto to = request_.unix_socket.empty() ? "" : " to " + request_.unix_socket;
    if (number != 0)
      return fmt::format("cannot connect{}: {}", to, lower(std::generic_category().message(static_cast<int>(number))));
  }
  const std::string_view message = *curl_message_ ? curl_message_ : curl_easy_strerror(code);
  if (message.starts_with("Unsupported proxy"))  // and then its whole URL, with the password
    return "HTTP_PROXY or HTTPS_PROXY is not the URL of a proxy";
  if (code == CURLE_SSL_CONNECT_ERROR) {
    const auto says = [&](std::string_view words) { return message.find(words) != message.npos; };
    if (says("SSL_ERROR_SYSCALL") || says("unexpected eof")) return "TLS handshake cut off by the peer";
    const auto with = has_tls_proxy_ ? " with the proxy or through it" : "";
    return fmt::format("TLS handshake{}: {}", with, printable(trim(message), 512));
  }
  return printable(trim(message), 512);
}

// Also of a connection that was kept.
std::optional<AddressScope> CurlTransfer::peer_scope() const {
  if (is_proxied_ || !request_.unix_socket.empty() || request_.through) return std::nullopt;
  const char* address = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &address);
  return address ? scope_of_literal(address) : std::nullopt;
}

Result<HttpResponse> CurlTransfer::result(CURLcode code) {
  if (error_) return tl::unexpected(*error_);
  if (has_enough_ || (code == CURLE_OK && head_is_done_)) {
    response_.peer = peer_scope();
    return std::move(response_);
  }
  if (code == CURLE_OK) return fail(Kind::invalid, "answer is not HTTP");
  if (sent_ && !head_is_done_ && is_too_long_line(code)) return tl::unexpected(too_long_head());
  if (refusal_ && code == CURLE_COULDNT_CONNECT) return fail(Kind::denied, *refusal_);
  return fail(kind_of(code), cause(code));
}

}  // namespace windlass
