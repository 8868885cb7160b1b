#include "sops/age.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/text.h"
#include "sops/cipher.h"
#include "sys/crypto.h"

namespace windlass::sops {
namespace {

constexpr std::string_view kSecretPrefix = "age-secret-key-", kRecipientPrefix = "age";
constexpr std::string_view kBech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::string_view kIntro = "age-encryption.org/v1\n";
constexpr std::size_t kKeyBytes = 32, kMacBytes = 32, kNonceBytes = 16, kBodyBytes = 32, kHeaderBytesMax = 64 << 10;
constexpr std::size_t kStanzasMax = 20;  // sops writes one; each costs a try with every key

// BIP 173
std::uint32_t checksum(std::string_view prefix, const std::string& values) {
  constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  std::uint32_t sum = 1;
  const auto add = [&](unsigned value) {
    const auto top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; ++i)
      if ((top >> i & 1) != 0) sum ^= kGenerator[i];
  };
  for (const unsigned char c : prefix) add(c >> 5);
  add(0);
  for (const unsigned char c : prefix) add(c & 31);
  for (const unsigned char value : values) add(value);
  return sum;
}

// Groups of `from` bits as groups of `to` bits; nothing when bits are left that are not zero padding.
std::optional<std::string> regrouped(const std::string& values, unsigned from, unsigned to, bool pad) {
  std::string result;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const unsigned char value : values) {
    bits = (bits << from | value) & 0xfff;
    count += from;
    for (; count >= to; count -= to) result += static_cast<char>(bits >> (count - to) & ((1u << to) - 1));
  }
  const auto left = bits & ((1u << count) - 1);
  if (pad && count > 0) result += static_cast<char>(left << (to - count));
  if (!pad && (count >= from || left != 0)) return std::nullopt;
  return result;
}

// The bytes behind the prefix; "" when the text is none.
std::string from_bech32(std::string_view text, std::string_view prefix) {
  const bool mixes_case =
      lower(text) != text && std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::islower(c); });
  const auto small = lower(text);
  if (mixes_case || !small.starts_with(prefix) || small.size() < prefix.size() + 7 || small[prefix.size()] != '1')
    return "";
  std::string values;
  for (const char c : std::string_view(small).substr(prefix.size() + 1)) {
    const auto at = kBech32.find(c);
    if (at == kBech32.npos) return "";
    values += static_cast<char>(at);
  }
  if (checksum(prefix, values) != 1) return "";
  values.resize(values.size() - 6);
  return regrouped(values, 5, 8, false).value_or("");
}

std::string to_bech32(const std::string& bytes, std::string_view prefix) {
  const auto values = *regrouped(bytes, 8, 5, true);
  const auto sum = checksum(prefix, values + std::string(6, '\0')) ^ 1;
  std::string text = std::string(prefix) + "1";
  for (const unsigned char value : values) text += kBech32[value];
  for (unsigned i = 0; i < 6; ++i) text += kBech32[sum >> 5 * (5 - i) & 31];
  return text;
}

std::optional<std::string> from_armor(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN AGE ENCRYPTED FILE-----", kEnd = "-----END AGE ENCRYPTED FILE-----";
  text = trim(text);
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd)) return std::nullopt;
  text = text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size());
  std::string joined;
  for (const auto line : split(text, '\n')) joined += trim(line);
  return base64_decode(joined);
}

struct Stanza {
  std::vector<std::string_view> arguments;
  std::string body;
};

struct Header {
  std::vector<Stanza> stanzas;
  std::string_view authenticated;  // what the MAC covers
  std::string mac;
  std::string_view payload;
};

class HeaderReader {
 public:
  explicit HeaderReader(std::string_view file) : file_(file), rest_(file) {}

  std::optional<Header> read() {
    if (!rest_.starts_with(kIntro)) return std::nullopt;
    rest_.remove_prefix(kIntro.size());
    Header header;
    for (;;) {
      const auto line = next_line();
      if (!line) return std::nullopt;
      if (line->starts_with("--- ")) {
        auto mac = base64_decode(line->substr(4));
        if (!mac || mac->size() != kMacBytes) return std::nullopt;
        header.mac = *std::move(mac);
        const auto begin = static_cast<std::size_t>(line->data() - file_.data());
        header.authenticated = file_.substr(0, begin + 3);
        header.payload = rest_;
        return header;
      }
      if (!line->starts_with("-> ") || !read_stanza(line->substr(3), header)) return std::nullopt;
    }
  }

 private:
  std::optional<std::string_view> next_line() {
    const auto end = rest_.find('\n');
    if (end == rest_.npos || static_cast<std::size_t>(rest_.data() - file_.data()) > kHeaderBytesMax)
      return std::nullopt;
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  // Lines of 64 characters; a shorter one, empty perhaps, is the last.
  bool read_stanza(std::string_view arguments, Header& header) {
    Stanza stanza{.arguments = split(arguments, ' '), .body = {}};
    std::string body;
    for (;;) {
      const auto line = next_line();
      if (!line || line->size() > 64) return false;
      body += *line;
      if (line->size() < 64) break;
    }
    auto bytes = base64_decode(body);
    if (!bytes || header.stanzas.size() == kStanzasMax) return false;
    stanza.body = *std::move(bytes);
    header.stanzas.push_back(std::move(stanza));
    return true;
  }

  std::string_view file_, rest_;
};

std::optional<Secret> unwrap(const Stanza& stanza, const AgeIdentity& identity) {
  if (stanza.arguments.size() != 2 || stanza.arguments[0] != "X25519" || stanza.body.size() != kBodyBytes)
    return std::nullopt;
  const auto share = base64_decode(stanza.arguments[1]);
  if (!share || share->size() != kKeyBytes) return std::nullopt;
  const auto shared = x25519(identity.scalar(), *share);
  if (!shared) return std::nullopt;
  const auto key = hkdf_sha256(shared->reveal(), *share + identity.point(), "age-encryption.org/v1/X25519");
  auto file_key = open_chacha20(key, std::string(12, '\0'), stanza.body);
  return file_key ? std::optional(Secret(*std::move(file_key))) : std::nullopt;
}

std::optional<Secret> file_key_of(const Header& header, const std::vector<AgeIdentity>& identities) {
  for (const auto& stanza : header.stanzas)
    for (const auto& identity : identities)
      if (auto key = unwrap(stanza, identity)) return key;
  return std::nullopt;
}

}  // namespace

std::optional<AgeIdentity> AgeIdentity::parse(std::string_view text) {
  Secret scalar(from_bech32(text, kSecretPrefix));
  if (scalar.reveal().size() != kKeyBytes) return std::nullopt;
  auto point = x25519_public(scalar);
  return point ? std::optional(AgeIdentity(std::move(scalar), *std::move(point))) : std::nullopt;
}

std::string AgeIdentity::recipient() const { return to_bech32(point_, kRecipientPrefix); }

AgeKeys read_age_keys(std::string_view text) {
  AgeKeys keys;
  if (text.find("BEGIN AGE ENCRYPTED FILE") != text.npos) {
    keys.unread.emplace_back("identities that are encrypted themselves");
    return keys;
  }
  std::string spaced(text);
  std::replace_if(
      spaced.begin(), spaced.end(), [](char c) { return c == '\t' || c == '\r'; }, ' ');
  for (const auto line : split(spaced, '\n')) {
    if (trim(line).starts_with('#')) continue;
    for (const auto word : split(line, ' ')) {
      if (word.empty()) continue;
      if (auto identity = AgeIdentity::parse(word))
        keys.identities.push_back(*std::move(identity));
      else if (word.starts_with("AGE-PLUGIN-") || word.starts_with("AGE-SECRET-KEY-PQ-"))
        keys.unread.emplace_back("a plugin or post-quantum identity");
      else
        keys.unread.emplace_back("something that is no age identity");
    }
  }
  return keys;
}

Result<Secret> open_age_file(std::string_view armored, const std::vector<AgeIdentity>& identities) {
  const auto damaged = fail(Kind::invalid, "its age entry is damaged");
  const auto file = from_armor(armored);
  const auto header = file ? HeaderReader(*file).read() : std::nullopt;
  if (!header || header->payload.size() < kNonceBytes) return damaged;
  const auto file_key = file_key_of(*header, identities);
  if (!file_key) return fail(Kind::denied, "none of the age identities fits");
  const auto mac_key = hkdf_sha256(file_key->reveal(), "", "header");
  const auto mac = HmacSha256(mac_key).sign(header->authenticated);
  if (!equal_constant_time(header->mac, std::string(mac.begin(), mac.end()))) return damaged;
  const auto payload_key = hkdf_sha256(file_key->reveal(), header->payload.substr(0, kNonceBytes), "payload");
  auto plain = open_chacha20(payload_key, std::string(11, '\0') + '\x01', header->payload.substr(kNonceBytes));
  if (!plain) return damaged;
  return Secret(*std::move(plain));
}

}  // namespace windlass::sops
