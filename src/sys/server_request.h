// What a client of ours asks and what it is answered: the values that pass between the server and its routes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sys/http_client.h"

namespace windlass {

// What went wrong while the body was read; the handler still answers, so that each route words it its own way.
enum class BodyFault { none, too_large, cut_off, timed_out };

struct ServerRequest {
  std::string method;
  std::string path;   // still percent-encoded, without the query
  std::string query;  // after '?', still encoded, "" if there is none
  std::vector<HttpHeader> headers;
  std::string body;
  BodyFault body_fault = BodyFault::none;
  std::string peer;  // "192.0.2.1:4711" or "[2001:db8::1]:4711"

  // The first header of that name, any letter case; "" if there is none. No allocation.
  std::string_view header(std::string_view name) const;
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body;
  std::vector<HttpHeader> headers;
  bool close = false;  // the connection ends after this answer
};

}  // namespace windlass
