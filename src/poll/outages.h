// Tells of an outage once, and of its end once, however many sources it is about and however often they are looked at.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace windlass {

class Outages {
 public:
  explicit Outages(Log log) : log_(std::move(log)) {}

  // The source cannot be looked at because of `scope` ("registry ghcr.io", "artifact …"). True if that is news of the
  // source.
  bool begin(std::size_t source, const std::string& scope, std::string_view error, SteadyTime now);
  // It can. True if that is news of it.
  bool end(std::size_t source, SteadyTime now);
  // The source is looked at no more: nothing is told of it.
  void forget(std::size_t source);

 private:
  struct Outage {
    std::size_t sources = 0;
    SteadyTime since;
  };
  std::map<std::size_t, std::string> scopes_;  // by source, of those that cannot be looked at
  std::map<std::string, Outage> outages_;      // by scope
  Log log_;
};

}  // namespace windlass
