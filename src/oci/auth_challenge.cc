#include "oci/auth_challenge.h"

#include <algorithm>

#include "base/text.h"

namespace windlass {
namespace {

bool is_token_char(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != others.npos;
}

// Reads forward only.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  bool at_end() const { return left_.empty(); }
  void skip(std::string_view characters) {
    left_.remove_prefix(std::min(left_.find_first_not_of(characters), left_.size()));
  }
  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  std::string token() {
    const auto end = std::find_if_not(left_.begin(), left_.end(), is_token_char);
    std::string token(left_.begin(), end);
    left_.remove_prefix(token.size());
    return token;
  }
  // A token or a quoted string.
  std::string value() {
    if (!take('"')) return token();
    std::string text;
    while (!left_.empty() && !take('"')) {
      take('\\');
      if (left_.empty()) break;
      text += left_.front();
      left_.remove_prefix(1);
    }
    return text;
  }
  void drop_one() { left_.remove_prefix(std::min<std::size_t>(1, left_.size())); }

 private:
  std::string_view left_;
};

std::optional<AuthChallenge::Scheme> scheme_of(std::string_view name) {
  if (lower(name) == "basic") return AuthChallenge::Scheme::basic;
  if (lower(name) == "bearer") return AuthChallenge::Scheme::bearer;
  return std::nullopt;
}

}  // namespace

std::optional<AuthChallenge> parse_challenge(std::string_view value) {
  std::optional<AuthChallenge> challenge;
  Reader reader(value);
  while (reader.skip(" \t,"), !reader.at_end()) {
    auto name = reader.token();
    reader.skip(" \t");
    if (!reader.take('=')) {  // a scheme: the next challenge begins
      if (challenge) return challenge;
      if (const auto scheme = scheme_of(name)) challenge = AuthChallenge{.scheme = *scheme};
      if (name.empty()) reader.drop_one();
      continue;
    }
    reader.skip(" \t");
    auto text = reader.value();
    if (!challenge) continue;  // a parameter of a scheme that we do not speak
    name = lower(name);
    if (name == "realm")
      challenge->realm = std::move(text);
    else if (name == "service")
      challenge->service = std::move(text);
    else if (name == "scope")
      challenge->scope = std::move(text);
  }
  return challenge;
}

std::optional<AuthChallenge> challenge_of(const HttpResponse& response) {
  for (const auto& header : response.headers)
    if (same_name(header.name, "WWW-Authenticate"))
      if (auto challenge = parse_challenge(header.value)) return challenge;
  return std::nullopt;
}

}  // namespace windlass
