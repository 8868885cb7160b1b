// A webhook: the first line is the signature header, the rest the body (webhook 5 and 6).
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "sys/json.h"
#include "webhook/oci_payload.h"
#include "webhook/payload_fields.h"
#include "webhook/signature.h"

namespace windlass {
namespace {

using Verdict = SignatureVerdict::Kind;

ServerRequest signed_request(std::string signature, std::string_view body) {
  return {.headers = {{"X-Doco-OCI-Signature-256", std::move(signature)}}, .body = std::string(body)};
}

void check_signature(std::string_view header, std::string_view body) {
  static const Secret kSecret("a secret of the fuzz target");
  static SignatureCheck check(kSecret, Secret());
  static HmacSha256 mac(kSecret);
  const auto bytes = mac.sign(body);
  const auto right = to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const auto verdict = check.judge(signed_request(std::string(header), body)).kind;
  const auto claimed = header.starts_with("sha256=") ? header.substr(7) : header;
  require((verdict == Verdict::good) == (lower(claimed) == right), "good is the right signature and no other");
  require((verdict == Verdict::missing) == header.empty(), "no signature is no verdict");
  require(check.judge(signed_request("sha256=" + right, body)).kind == Verdict::good, "the right signature is good");
  require(check.judge(signed_request(right, std::string(body) + " ")).kind == Verdict::wrong,
          "another body has another signature");
}

// Two readers of the same JSON must not differ: what one takes for the artifact, the other does too.
void check_against_the_tree(std::string_view body, const PayloadFields& fields) {
  const auto value = parse_json(body);
  require(value.has_value(), "what the field reader takes is JSON");
  const auto* object = value->if_object();
  require(object != nullptr, "what the field reader takes is an object");
  const std::pair<std::string_view, const PayloadField&> known[] = {
      {"source", fields.source}, {"digest", fields.digest}, {"artifact", fields.artifact}};
  for (const auto& [name, field] : known) {
    const auto* member = object->if_contains(name);
    const bool is_absent = member == nullptr || member->is_null();
    require((field.kind == PayloadField::Kind::absent) == is_absent, "both find the same fields");
    require((field.kind == PayloadField::Kind::text) == (!is_absent && member->is_string()), "of the same type");
    if (field.kind == PayloadField::Kind::text) require(field.text == text_of(*object, name), "with the same text");
  }
}

}  // namespace

void fuzz(std::string_view input) {
  const auto header = input.substr(0, input.find('\n'));
  const auto body = input.substr(std::min(header.size() + 1, input.size()));
  check_signature(header, body);

  const auto fields = read_payload_fields(body);
  if (fields)
    check_against_the_tree(body, *fields);
  else
    require_printable(fields.error().message);

  const auto payload = parse_oci_payload(body);
  if (!payload) {
    require_printable(payload.error().error);
    return require_printable(payload.error().content);
  }
  require(fields.has_value(), "a payload that is taken was read");
  const auto reference = Reference::parse(payload->artifact);
  require(reference && reference->str() == payload->reference.str(), "the artifact is its reference");
  require(!reference->digest() || *reference->digest() == payload->digest, "there is one digest");
}

}  // namespace windlass
