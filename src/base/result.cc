#include "base/result.h"

#include <fmt/format.h>

namespace windlass {

tl::unexpected<Error> fail(Kind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

tl::unexpected<Error> while_doing(std::string_view step, Error cause) {
  return fail(cause.kind, fmt::format("{}: {}", step, cause.message));
}

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::invalid:
      return "invalid";
    case Kind::denied:
      return "denied";
    case Kind::not_found:
      return "not_found";
    case Kind::conflict:
      return "conflict";
    case Kind::unavailable:
      return "unavailable";
    case Kind::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace windlass
