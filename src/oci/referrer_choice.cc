#include "oci/referrer_choice.h"

#include <algorithm>
#include <set>

namespace windlass {
namespace {

constexpr const char* kCreated = "org.opencontainers.image.created";
constexpr std::size_t kDateCharactersMax = 64;  // an annotation may be as long as the list

// Registries and clients append: of equal dates the last one is the newest.
bool is_newer(const ReferrerChoice::Listed& a, const ReferrerChoice::Listed& b) {
  return a.created != b.created ? a.created > b.created : a.position > b.position;
}

}  // namespace

void ReferrerChoice::add(const Descriptor& referrer) {
  Listed listed{.digest = referrer.digest, .size_bytes = referrer.size_bytes, .created = {}, .position = added_++};
  if (const auto date = referrer.annotations.find(kCreated); date != referrer.annotations.end())
    listed.created = date->second.substr(0, kDateCharactersMax);
  if (first_.size() < kKeptMax / 2) return first_.push_back(std::move(listed));
  last_.push_back(std::move(listed));
  if (last_.size() > kKeptMax / 2) last_.pop_front();
}

std::vector<ReferrerChoice::Listed> ReferrerChoice::take(std::size_t count_max) const {
  auto listed = first_;
  listed.insert(listed.end(), last_.begin(), last_.end());
  const std::vector<Listed> in_order = listed;
  std::sort(listed.begin(), listed.end(), is_newer);
  if (listed.size() <= count_max) return listed;
  std::set<std::size_t> taken;  // positions
  const auto take_one = [&](const Listed& one) {
    if (taken.size() < count_max) taken.insert(one.position);
  };
  for (std::size_t i = 0; taken.size() < count_max; ++i) {
    take_one(listed[i]);
    take_one(in_order[in_order.size() - 1 - i]);
    take_one(in_order[i]);
  }
  std::erase_if(listed, [&](const Listed& one) { return !taken.contains(one.position); });
  return listed;
}

}  // namespace windlass
