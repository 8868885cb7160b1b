#include "cli/send.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/text.h"

namespace windlass {
namespace {

struct Named {
  Reference reference;
  Digest digest;
};

Result<Named> named(const SendCommand& command) {
  const auto reference = Reference::parse(command.reference);
  if (!reference)
    return while_doing(fmt::format("reference '{}'", printable(command.reference, 256)), reference.error());
  if (command.digest.empty()) {
    if (!reference->digest())
      return fail(Kind::invalid, fmt::format("{} has no digest: give REF@DIGEST or --digest", reference->str()));
    return Named{*reference, *reference->digest()};
  }
  const auto digest = Digest::parse(trim(command.digest));
  if (!digest) return while_doing("--digest", digest.error());
  if (reference->digest() && *reference->digest() != *digest)
    return fail(Kind::invalid, "--digest differs from the digest in the reference");  // webhook/V12
  return Named{*reference, *digest};
}

int end_with(int code, const Error& error) {
  fmt::print(stderr, "windlass send: {}\n", error.message);
  return code;
}

}  // namespace

int send(const SendCommand& command, const Environment& environment, HttpTransport& transport) {
  const auto what = named(command);
  if (!what) return end_with(2, what.error());
  const auto announcement = Announcement::prepare(command.notify, environment);
  if (!announcement) return end_with(2, announcement.error());
  const auto say = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  const auto outcome = announcement->send(what->reference, what->digest, transport, say);
  if (!outcome) return end_with(1, outcome.error());
  fmt::print(stderr, "{}\n", outcome->message);
  fmt::print("{}\n", outcome->job_id);
  return 0;
}

}  // namespace windlass
