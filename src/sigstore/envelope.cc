#include "sigstore/envelope.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sys/unambiguous_json.h"

namespace windlass {
namespace {

constexpr std::string_view kStatementTypes[] = {"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"};
constexpr std::size_t kSubjectsMax = 1024;
constexpr std::size_t kShown = 200;

bool is_about(const json::value& subject, const Digest& digest) {
  const auto* object = subject.if_object();
  const auto* digests = object != nullptr ? object_of(*object, "digest") : nullptr;
  return digests != nullptr && text_of(*digests, digest.algorithm()) == digest.hex();
}

Status check_types(const json::object& statement, std::string_view predicate) {
  const auto type = text_of(statement, "_type");
  if (std::find(std::begin(kStatementTypes), std::end(kStatementTypes), type) == std::end(kStatementTypes))
    return fail(Kind::denied,
                fmt::format("want a statement of type {}, found '{}'", kStatementTypes[0], printable(type, kShown)));
  const auto found = text_of(statement, "predicateType");
  if (!predicate.empty() && found != predicate)
    return fail(Kind::denied, fmt::format("want the predicate {}, found '{}'", predicate, printable(found, kShown)));
  return {};
}

}  // namespace

std::string pre_authentication_encoding(const Envelope& envelope) {
  return fmt::format("DSSEv1 {} {} {} {}", envelope.payload_type.size(), envelope.payload_type, envelope.payload.size(),
                     envelope.payload);
}

Result<std::string> check_statement(const Envelope& envelope, const Digest& digest, std::string_view predicate) {
  if (envelope.payload_type != kStatementMediaType)
    return fail(Kind::denied, fmt::format("want an envelope of type {}, found '{}'", kStatementMediaType,
                                          printable(envelope.payload_type, kShown)));
  const auto value = parse_unambiguous_json(envelope.payload);
  if (!value) return while_doing("reading the statement", value.error());
  const auto* statement = value->if_object();
  if (statement == nullptr) return fail(Kind::denied, "want a statement, found no JSON object");
  if (const auto status = check_types(*statement, predicate); !status) return tl::unexpected(status.error());
  const auto* subjects = array_of(*statement, "subject");
  if (subjects == nullptr || subjects->size() > kSubjectsMax)
    return fail(Kind::denied, fmt::format("want 1 to {} subjects, found {}", kSubjectsMax,
                                          subjects != nullptr ? subjects->size() : 0));
  for (const auto& subject : *subjects)
    if (is_about(subject, digest)) return fmt::format("the statement is about {}", digest.str());
  return fail(Kind::denied, fmt::format("want a statement about {}, found one about something else", digest.str()));
}

}  // namespace windlass
