#include "sops/open_document.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <numeric>

#include "base/text.h"
#include "sops/age.h"
#include "sops/cipher.h"
#include "sys/crypto.h"

namespace windlass::sops {
namespace {

constexpr std::size_t kDataKeyBytes = 32;
constexpr std::size_t kPathBytesMax = 4096;  // of the keys above a value, which are gone through for each value
constexpr std::string_view kOnlyEncrypted =  // the MAC begins with these when it covers encrypted values only (Q27)
    "8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69";

// Which values are encrypted (Q28): by any key on the way to them, later rules over earlier ones.
class Selection {
 public:
  explicit Selection(const Metadata& metadata) : metadata_(metadata) {
    if (!metadata.unencrypted_regex.empty())
      unencrypted_ = std::make_unique<re2::RE2>(metadata.unencrypted_regex, re2::RE2::Quiet);
    if (!metadata.encrypted_regex.empty())
      encrypted_ = std::make_unique<re2::RE2>(metadata.encrypted_regex, re2::RE2::Quiet);
  }

  bool takes(const std::vector<std::string>& path) const {
    const auto any = [&](const auto& fits) { return std::any_of(path.begin(), path.end(), fits); };
    const auto ends = [&](const std::string& suffix) {
      return any([&](const std::string& key) { return key.ends_with(suffix); });
    };
    const auto matches = [&](const re2::RE2& regex) {
      return any([&](const std::string& key) { return regex.ok() && re2::RE2::PartialMatch(key, regex); });
    };
    bool is_taken = metadata_.unencrypted_suffix.empty() || !ends(metadata_.unencrypted_suffix);
    if (!metadata_.encrypted_suffix.empty()) is_taken = ends(metadata_.encrypted_suffix);
    if (unencrypted_ && matches(*unencrypted_)) is_taken = false;
    if (encrypted_) is_taken = matches(*encrypted_);
    return is_taken;
  }

 private:
  const Metadata& metadata_;
  std::unique_ptr<re2::RE2> unencrypted_, encrypted_;
};

class Opener {
 public:
  Opener(const Metadata& metadata, const Secret& data_key)
      : metadata_(metadata), data_key_(data_key), selection_(metadata) {
    if (metadata.mac_only_encrypted) hashed_ = *from_hex(kOnlyEncrypted);
  }

  Status open(Value& value) {
    switch (value.kind) {
      case Value::Kind::null:
        return {};
      case Value::Kind::list:
        for (auto& item : value.items)
          if (auto opened = open(item); !opened) return opened;
        return {};
      case Value::Kind::map:
        for (auto& member : value.members) {
          const bool is_comment = member.value.kind == Value::Kind::comment;
          if (!is_comment) path_.push_back(member.key);
          if (path_bytes() > kPathBytesMax) return fail(Kind::conflict, "its keys are longer than is read here");
          const auto opened = open(member.value);
          if (!is_comment) path_.pop_back();
          if (!opened) return opened;
        }
        return {};
      default:
        return open_scalar(value);
    }
  }

  Status check_mac() const {
    const auto mac = open_value(data_key_, metadata_.mac, metadata_.last_modified);
    if (!mac) return fail(Kind::invalid, "its MAC is damaged");
    auto computed = sha512_hex(hashed_);
    std::transform(computed.begin(), computed.end(), computed.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return equal_constant_time(computed, mac->text)
               ? Status()
               : Status(fail(Kind::invalid, "its MAC does not fit: it was changed after it was encrypted"));
  }

  std::vector<Secret> take_values() { return std::move(values_); }

 private:
  Status open_scalar(Value& value) {
    const bool is_comment = value.kind == Value::Kind::comment;
    const bool is_encrypted = selection_.takes(path_);
    if (is_encrypted) {
      if (value.kind != Value::Kind::text && !is_comment)
        return fail(Kind::invalid, fmt::format("{}: a value that should be encrypted is not", shown_path()));
      auto opened = open_value(data_key_, value.text, join(path_, ":") + ":");
      if (!opened && is_comment) return {};  // written by hand, or by an old sops
      if (!opened) return while_doing(shown_path(), opened.error());
      value = *std::move(opened);
      if (is_comment) value.kind = Value::Kind::comment;
      const bool is_told = !is_comment && value.kind != Value::Kind::boolean && value.text.size() <= kToldValueBytesMax;
      if (is_told && !value.text.empty()) values_.emplace_back(value.text);
    }
    const bool counts = is_encrypted || !metadata_.mac_only_encrypted;
    if (counts && value.kind != Value::Kind::comment) hashed_ += value.text;
    return {};
  }

  std::size_t path_bytes() const {
    return std::accumulate(path_.begin(), path_.end(), std::size_t{0},
                           [](std::size_t sum, const std::string& key) { return sum + key.size(); });
  }

  std::string shown_path() const { return printable(join(path_, "."), 200); }

  const Metadata& metadata_;
  const Secret& data_key_;
  Selection selection_;
  std::vector<std::string> path_;
  std::string hashed_;
  std::vector<Secret> values_;
};

}  // namespace

Result<Secret> data_key_of(const Metadata& metadata, const std::vector<AgeIdentity>& identities) {
  if (metadata.key_groups > 1) return fail(Kind::conflict, "its key is in several parts");
  Error last{Kind::denied, "none of the age identities fits"};
  for (const auto& entry : metadata.age) {
    auto key = open_age_file(entry.encrypted, identities);
    if (key && key->reveal().size() == kDataKeyBytes) return key;
    if (!key && key.error().kind != Kind::denied) last = key.error();
  }
  return tl::unexpected(last);
}

Result<Plain> open_document(EncryptedFile file, const Secret& data_key) {
  if (!file.is_read || file.metadata.has_comment_rule)
    return fail(Kind::conflict, "it is written in a way that only sops reads");
  Opener opener(file.metadata, data_key);
  for (auto& branch : file.branches)
    if (auto opened = opener.open(branch); !opened) return tl::unexpected(opened.error());
  if (auto good = opener.check_mac(); !good) return tl::unexpected(good.error());
  auto text = emit(file.branches, file.format);
  if (!text) return tl::unexpected(text.error());
  return Plain{.text = Secret(*std::move(text)), .values = opener.take_values()};
}

}  // namespace windlass::sops
