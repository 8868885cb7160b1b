#include "secrets/secret_resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/query.h"

namespace windlass {
namespace {

constexpr std::size_t kKnownMax = 10'000;         // references; those asked longest ago are forgotten first
constexpr std::size_t kValueBytesMax = 96 << 10;  // the kernel takes 128 KiB of one variable of a child
constexpr std::size_t kFaultsMax = 10;            // in one message
constexpr std::size_t kReferenceBytesShown = 200;

// What can become the value of a variable.
Result<Secret> usable(Result<Secret> answer) {
  if (!answer) return answer;
  const auto& text = answer->reveal();
  if (text.find('\0') != text.npos) return fail(Kind::invalid, "its value holds a NUL byte");
  if (text.size() > kValueBytesMax)
    return fail(Kind::invalid, fmt::format("its value is longer than {} bytes", kValueBytesMax));
  return answer;
}

std::string fault_of(const std::string& name, const std::string& reference, const Error& error) {
  const auto shown = printable(reference, kReferenceBytesShown);
  if (error.kind != Kind::not_found) return fmt::format("external secret {} ({}): {}", name, shown, error.message);
  return fmt::format("secret not found: {} ({}){}{}", name, shown, error.message.empty() ? "" : ": ", error.message);
}

}  // namespace

SecretResolver::SecretResolver(Options options, std::unique_ptr<SecretProvider> provider, const Clock& clock, Log log)
    : options_(options), clock_(clock), log_(std::move(log)), provider_(std::move(provider)) {}

void SecretResolver::use(std::unique_ptr<SecretProvider> provider) {
  std::shared_ptr<SecretProvider> next = std::move(provider);
  const std::lock_guard lock(mutex_);
  provider_.swap(next);  // the one before goes after the lock: it may have a thread to end
  known_.clear();
}

std::shared_ptr<SecretProvider> SecretResolver::provider() const {
  const std::lock_guard lock(mutex_);
  return provider_;
}

SecretAnswers SecretResolver::fetch(const std::set<std::string>& references, const Deadline& deadline) {
  SecretAnswers answers;
  if (references.empty()) return answers;
  const auto provider = this->provider();
  if (!provider) {
    for (const auto& reference : references) answers.emplace(reference, fail(Kind::invalid, std::string(kNoProvider)));
    return answers;
  }
  const std::vector<std::string> list(references.begin(), references.end());
  if (log_.enabled(LogLevel::debug)) log_.debug("fetching external secrets", {{"references", join(list, ", ")}});
  auto fetched = provider->fetch(list, deadline.within(options_.ask_timeout));
  for (std::size_t index = 0; index < list.size(); ++index) {
    auto answer = index < fetched.size() ? usable(std::move(fetched[index])) : fail(Kind::not_found, "");
    if (answer) mask(*answer);
    answers.emplace(list[index], std::move(answer));
  }
  keep(answers, *provider);
  return answers;
}

SecretAnswers SecretResolver::recent(const std::set<std::string>& references, const Deadline& deadline) {
  SecretAnswers answers;
  std::set<std::string> others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& reference : references) {
      const auto found = known_.find(reference);
      if (found == known_.end() || clock_.steady_now() - found->second.asked_at >= options_.refresh_interval)
        others.insert(reference);
      else if (found->second.error)
        answers.emplace(reference, tl::unexpected(*found->second.error));
      else
        answers.emplace(reference, *found->second.value);
    }
  }
  auto fetched = fetch(others, deadline);
  if (is_set_up())
    for (const auto& [reference, answer] : fetched)
      if (!answer)
        log_.warning("external secret could not be looked at again",
                     {{"reference", reference}, {"error", answer.error().message}});
  answers.merge(std::move(fetched));
  return answers;
}

bool SecretResolver::has_said_since(const std::set<std::string>& references, WallTime then) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(references, [&](const std::string& reference) {
    const auto found = known_.find(reference);
    if (found == known_.end() || found->second.error) return false;
    const auto age = clock_.steady_now() - found->second.asked_at;
    return clock_.now() - std::chrono::round<WallTime::duration>(age) > then;
  });
}

SecretAnswers SecretResolver::fetch_or_last(const std::set<std::string>& references, const Deadline& deadline) {
  auto answers = fetch(references, deadline);
  const std::lock_guard lock(mutex_);
  for (auto& [reference, answer] : answers) {
    if (answer || answer.error().kind != Kind::unavailable) continue;
    const auto found = known_.find(reference);
    if (found == known_.end() || !found->second.value) continue;
    log_.warning("external secret could not be fetched: its last value is used",
                 {{"reference", reference}, {"error", answer.error().message}});
    answer = *found->second.value;
  }
  return answers;
}

// Not what a provider has said that is no longer asked.
void SecretResolver::keep(const SecretAnswers& answers, const SecretProvider& provider) {
  const std::lock_guard lock(mutex_);
  if (provider_.get() != &provider) return;
  for (const auto& [reference, answer] : answers) {
    auto& known = known_[reference];
    known.asked_at = clock_.steady_now();
    known.error = answer ? std::nullopt : std::optional(answer.error());
    if (answer) known.value = *answer;
  }
  while (known_.size() > kKnownMax)
    known_.erase(std::ranges::min_element(known_, {}, [](const auto& entry) { return entry.second.asked_at; }));
}

// Also as it looks in a URL or in a header (secrets/B1).
void SecretResolver::mask(const Secret& value) const {
  log_.mask_lately(value);
  log_.mask_lately(Secret(base64_encode(value.reveal())));
  log_.mask_lately(Secret(url_encode(value.reveal())));
}

Result<SecretValues> secret_values(const SecretReferences& references, const SecretAnswers& answers) {
  SecretValues values;
  std::vector<std::string> faults;
  std::optional<Kind> kind;
  for (const auto& [name, reference] : references) {
    const auto found = answers.find(reference.text);
    const auto answer = found == answers.end() ? Result<Secret>(fail(Kind::not_found, "")) : found->second;
    if (answer) {
      values.emplace(name, *answer);
      continue;
    }
    if (!kind || *kind == Kind::unavailable) kind = answer.error().kind;
    if (faults.size() < kFaultsMax) faults.push_back(fault_of(name, reference.text, answer.error()));
  }
  if (kind) return fail(*kind, join(faults, "; "));
  return values;
}

}  // namespace windlass
