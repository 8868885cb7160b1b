#include "oci/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sys/address.h"

namespace windlass {
namespace {

constexpr std::string_view kDockerHub = "index.docker.io";
constexpr std::size_t kShownBytes = 64;  // of a refused value in a message
constexpr std::size_t kHostBytesMax = 253, kLabelBytesMax = 63;
constexpr std::size_t kRepositoryBytesMin = 2, kRepositoryBytesMax = 255;
constexpr std::size_t kTagBytesMax = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return (c >= 'a' && c <= 'z') || is_digit(c); }
bool is_alphanumeric(char c) { return is_small(c) || (c >= 'A' && c <= 'Z'); }

tl::unexpected<Error> refuse(std::string_view part, std::string_view value, std::string_view rule) {
  return fail(Kind::invalid, fmt::format("{} '{}' {}", part, printable(value, kShownBytes), rule));
}

// "1" to "65535"
Status check_port(std::string_view port) {
  const bool is_number = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
  if (!is_number || port.front() == '0' || std::stoi(std::string(port)) > 65'535)
    return refuse("port", port, "must be a number from 1 to 65535");
  return {};
}

// What the resolver of the system would take for an IPv4 address in some form: "0x7f.1", "2852039166", "10.1".
bool ends_in_number(std::string_view host) {
  const auto last = host.substr(host.rfind('.') + 1);
  return std::all_of(last.begin(), last.end(), is_digit) || last.starts_with("0x");
}

Status check_host_name(std::string_view host) {
  if (host.size() > kHostBytesMax) return refuse("host", host, "is longer than 253 characters");
  for (const auto label : split(host, '.')) {
    if (label.empty()) return refuse("host", host, "has an empty label");
    if (label.size() > kLabelBytesMax) return refuse("host", host, "has a label longer than 63 characters");
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_small(c) || c == '-'; }))
      return refuse("host", host, "may hold letters, digits, '-' and '.' only");
    if (label.front() == '-' || label.back() == '-')
      return refuse("host", host, "has a label that begins or ends with '-'");
  }
  return {};
}

Status check_host(std::string_view host) {
  if (host.empty()) return fail(Kind::invalid, "host is missing before the port");
  const bool has_brackets = host.front() == '[';
  if (!has_brackets)
    if (auto name = check_host_name(host); !name) return name;
  const auto scope = scope_of_literal(host);
  if (has_brackets && (!scope || host.find(':') == host.npos))
    return refuse("host", host, "is not an IPv6 address in brackets without a zone");
  if (!scope && ends_in_number(host)) return refuse("host", host, "is a number but not a dotted IPv4 address");
  if (scope == AddressScope::link_local) return refuse("host", host, "is a link-local address");
  return {};
}

Status check_registry(std::string_view registry) {
  // the colons inside of brackets belong to the address
  const auto from = registry.starts_with('[') ? registry.find(']') : 0;
  if (from == registry.npos) return refuse("host", registry, "lacks the closing ']'");
  const auto colon = registry.find(':', from);
  if (auto host = check_host(registry.substr(0, colon)); !host) return host;
  return colon == registry.npos ? Status() : check_port(registry.substr(colon + 1));
}

// One or two '_', one '.', or any number of '-' between letters and digits (distribution-spec, "Pulling manifests").
bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" || text.find_first_not_of('-') == text.npos;
}

Status check_repository_part(std::string_view repository, std::string_view part) {
  if (part.empty()) return refuse("repository", repository, "has an empty part");
  if (part == "." || part == "..") return refuse("repository", repository, fmt::format("has the part '{}'", part));
  const auto is_allowed = [](char c) { return is_small(c) || c == '.' || c == '_' || c == '-'; };
  if (!std::all_of(part.begin(), part.end(), is_allowed))
    return refuse("repository", repository, "may hold small letters, digits, '.', '_', '-' and '/' only");
  if (!is_small(part.front()) || !is_small(part.back()))
    return refuse("repository", repository, "has a part that does not begin and end with a small letter or a digit");
  for (auto at = part.begin(); at != part.end();) {
    const auto separator = std::find_if_not(at, part.end(), is_small);
    const auto next = std::find_if(separator, part.end(), is_small);
    if (!is_separator({separator, next}))
      return refuse("repository", repository, "may have one '.', one or two '_', or '-' between letters and digits");
    at = next;
  }
  return {};
}

Status check_repository(std::string_view repository) {
  if (repository.empty()) return fail(Kind::invalid, "repository is missing");
  if (repository.size() > kRepositoryBytesMax) return refuse("repository", repository, "is longer than 255 characters");
  for (const auto part : split(repository, '/'))
    if (auto good = check_repository_part(repository, part); !good) return good;
  if (repository.size() < kRepositoryBytesMin) return refuse("repository", repository, "is shorter than 2 characters");
  return {};
}

Status check_tag(std::string_view tag) {
  if (tag.empty()) return fail(Kind::invalid, "tag is missing after the ':'");
  if (tag.size() > kTagBytesMax) return refuse("tag", tag, "is longer than 128 characters");
  if (!is_alphanumeric(tag.front()) && tag.front() != '_')
    return refuse("tag", tag, "must begin with a letter, a digit or '_'");
  const auto is_allowed = [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  if (!std::all_of(tag.begin(), tag.end(), is_allowed))
    return refuse("tag", tag, "may hold letters, digits, '.', '_' and '-' only");
  return {};
}

bool names_a_registry(std::string_view first_part) {
  return first_part.find_first_of(".:") != first_part.npos || lower(first_part) == "localhost";
}

}  // namespace

Result<Reference> Reference::parse(std::string_view text) {
  text = trim(text);
  if (text.starts_with("oci://")) text.remove_prefix(6);
  if (text.empty()) return fail(Kind::invalid, "is required");
  if (const auto scheme = text.find("://"); scheme != text.npos)
    return refuse("scheme", text.substr(0, scheme), "is not allowed: write registry/repository:tag");

  Reference reference;
  if (const auto at = text.find('@'); at != text.npos) {
    auto digest = Digest::parse(text.substr(at + 1));
    if (!digest) return refuse("digest", text.substr(at + 1), "is not valid: " + digest.error().message);
    reference.digest_ = std::move(*digest);
    text = text.substr(0, at);
  }

  const auto colon = text.rfind(':');
  const auto last_slash = text.rfind('/');
  if (colon != text.npos && (last_slash == text.npos || colon > last_slash)) {
    if (auto tag = check_tag(text.substr(colon + 1)); !tag) return tl::unexpected(tag.error());
    reference.tag_ = text.substr(colon + 1);
    text = text.substr(0, colon);
  } else if (!reference.digest_) {
    reference.tag_ = "latest";
  }

  const auto slash = text.find('/');
  if (slash != text.npos && names_a_registry(text.substr(0, slash))) {
    reference.registry_ = lower(text.substr(0, slash));
    if (auto registry = check_registry(reference.registry_); !registry) return tl::unexpected(registry.error());
    text = text.substr(slash + 1);
  }
  if (reference.registry_.empty() || reference.registry_ == "docker.io") reference.registry_ = kDockerHub;
  if (auto repository = check_repository(text); !repository) return tl::unexpected(repository.error());
  const bool is_short = reference.registry_ == kDockerHub && text.find('/') == text.npos;
  reference.repository_ = (is_short ? "library/" : "") + std::string(text);
  if (reference.repository_.size() > kRepositoryBytesMax)  // with the namespace that was filled in
    return refuse("repository", reference.repository_, "is longer than 255 characters");
  return reference;
}

std::string Reference::str() const {
  return digest_ ? fmt::format("{}@{}", source_id(), digest_->str()) : fmt::format("{}:{}", source_id(), tag_);
}

std::string Reference::live_path() const {
  auto path = source_id();
  std::replace(path.begin(), path.end(), ':', '_');
  return path;
}

Reference Reference::with_digest(const Digest& digest) const {
  auto copy = *this;
  copy.digest_ = digest;
  return copy;
}

}  // namespace windlass
