#include "sigstore/pem.h"

#include <fmt/format.h>

#include "base/text.h"
#include "sys/crypto.h"

namespace windlass {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";

std::string without_white_space(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) out += c;
  return out;
}

}  // namespace

Result<std::vector<PemBlock>> read_pem(std::string_view text, std::size_t count_max) {
  std::vector<PemBlock> blocks;
  for (auto at = text.find(kBegin); at != text.npos && blocks.size() < count_max; at = text.find(kBegin, at)) {
    const auto label_at = at + kBegin.size();
    const auto label_end = text.find(kDashes, label_at);
    if (label_end == text.npos) return fail(Kind::invalid, "a PEM block begins without an end of its first line");
    const auto label = text.substr(label_at, label_end - label_at);
    const auto body_at = label_end + kDashes.size();
    const auto last_line = fmt::format("-----END {}-----", label);
    const auto body_end = text.find(last_line, body_at);
    if (body_end == text.npos)
      return fail(Kind::invalid, fmt::format("the PEM block '{}' has no end line", printable(label, 64)));
    auto der = base64_decode(without_white_space(text.substr(body_at, body_end - body_at)));
    if (!der || der->empty())
      return fail(Kind::invalid, fmt::format("the PEM block '{}' does not hold base64", printable(label, 64)));
    blocks.push_back({std::string(label), std::move(*der)});
    at = body_end + last_line.size();
  }
  if (blocks.empty()) return fail(Kind::invalid, "found no PEM block (-----BEGIN …-----)");
  return blocks;
}

std::string write_pem(std::string_view label, std::string_view der) {
  constexpr std::size_t line = 64;
  const auto body = base64_encode(der);
  std::string out = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t at = 0; at < body.size(); at += line) out += body.substr(at, line) + '\n';
  return out + fmt::format("-----END {}-----\n", label);
}

}  // namespace windlass
