// Where a symbolic link of an artifact may lead: inside its own tree, judged as the kernel would follow it (oci 8).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "oci/unpack.h"

namespace windlass {

// The target as text: not empty, relative, no control byte, not too long.
Status check_link_text(std::string_view target, const UnpackLimits& limits);

using LookUp = std::function<const TreeEntry*(std::string_view path)>;  // null: no such entry

// Follows links through one finished tree, all of them together within UnpackLimits::link_steps_max: tens of thousands
// of short links through one that is long would take minutes.
class LinkFollower {
 public:
  // `limits` outlives it.
  LinkFollower(LookUp look_up, const UnpackLimits& limits) : look_up_(std::move(look_up)), limits_(limits) {}

  // Where `target` leads from `folder`, which is a real one, through other links too. Kind::invalid when it leaves the
  // tree, goes round, or grows too long. A target that does not exist is fine as long as it lies inside.
  Result<std::string> follow(std::string_view folder, std::string_view target);

 private:
  LookUp look_up_;
  const UnpackLimits& limits_;
  std::uint64_t steps_ = 0;  // of all links so far
};

}  // namespace windlass
