// The head of an HTTP/1.1 request, read strictly: what the RFC lets a server repair is refused instead (reliability 6).
//
// A parser of our own, because refusing needs the bytes as they came: a lenient one unfolds folded lines, joins
// repeated fields and forgets bare line feeds before anybody can object, and that is what request smuggling is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/http_client.h"

namespace windlass {

struct HttpHead {
  std::string method;
  std::string path;   // begins with '/', still percent-encoded
  std::string query;  // after '?', "" if there is none
  std::vector<HttpHeader> headers;

  bool keep_alive = true;  // by version and Connection
  bool expects_continue = false;
  bool chunked = false;
  std::uint64_t content_length = 0;
};

// Why a request is not served: the status to answer, and the rule for the reader.
struct HttpRefusal {
  int status = 400;
  std::string reason;
};

// Reads one head as its bytes come in. A broken line is refused as soon as it is complete.
class HttpHeadParser {
 public:
  static constexpr std::size_t kLineBytesMax = 16 << 10;  // reliability 2
  static constexpr std::size_t kHeadBytesMax = 64 << 10;
  static constexpr std::size_t kFieldsMax = 200;

  enum class Progress { incomplete, complete, refused };

  // `input` begins with the first byte of the request and only grows from call to call.
  Progress parse(std::string_view input);

  std::size_t size() const { return position_; }  // bytes of the head, once complete
  HttpHead& head() { return head_; }
  const HttpRefusal& refusal() const { return refusal_; }

 private:
  Progress refuse(int status, std::string_view reason);
  bool deny(int status, std::string_view reason);  // always false
  bool take_request_line(std::string_view line);
  bool take_field(std::string_view line);
  bool take_known_field(std::string_view name, std::string_view value);
  bool settle();

  HttpHead head_;
  HttpRefusal refusal_;
  std::size_t position_ = 0;  // start of the line that is not complete yet
  std::size_t seen_ = 0;      // bytes of it that hold no line end
  bool has_request_line_ = false;
  bool version_1_0_ = false;
  int hosts_ = 0;
  bool has_length_ = false;
};

}  // namespace windlass
