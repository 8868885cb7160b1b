// Results: what a function gives back when the world may say no.
//
// Result<T> for what the world does to us, assertions for our own mistakes, exceptions only where a library throws them
// (caught in that library's wrapper). The kind of an error says what the caller does next, not where it happened.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace windlass {

enum class Kind {
  invalid,      // the input is wrong; a person must change it
  denied,       // not allowed: credentials, policy, ownership
  not_found,    // what was asked for does not exist
  conflict,     // something else is in the way
  unavailable,  // a fault that passes (connect, timeout, 5xx): worth a retry with backoff
  internal,     // our own bug, or a machine that is broken
};

struct Error {
  Kind kind;
  std::string message;  // outermost step first, root cause last; never holds a secret
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Status = Result<void>;

// An error to return from any function that gives a Result.
tl::unexpected<Error> fail(Kind kind, std::string message);

// The same error with the step in progress put in front: "resolving ghcr.io/a/b:1: <cause>".
tl::unexpected<Error> while_doing(std::string_view step, Error cause);

// "invalid", "denied", … for logs.
std::string_view to_string(Kind kind);

}  // namespace windlass
