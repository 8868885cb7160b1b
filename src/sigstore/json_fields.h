// Reads the fields of one JSON object in the JSON form of protocol buffers, which bundles and trusted_root.json have:
// fields with their zero value may be missing, whole numbers may be decimal text, bytes are base64.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sys/json.h"

namespace windlass {

// The first fault is kept and everything read after it is empty, so that a reader asks once, at its end.
class JsonFields {
 public:
  // `value` must outlive the reader. Not an object: the first fault.
  explicit JsonFields(const json::value& value);

  bool has(std::string_view key) const;
  std::string text(std::string_view key);
  // Base64 in the standard alphabet, padded.
  std::string bytes(std::string_view key);
  // A whole number from 0 to 2^63 - 1.
  std::int64_t number(std::string_view key);
  // RFC 3339; nothing when the field is missing.
  std::optional<WallTime> time(std::string_view key);
  // The object, read as one without fields when it is missing.
  JsonFields object(std::string_view key);
  // The items of an array, at most `count_max`; none when it is missing.
  std::vector<JsonFields> objects(std::string_view key, std::size_t count_max);
  std::vector<std::string> byte_items(std::string_view key, std::size_t count_max);

  // A fault when there is a field beside these.
  void only(std::initializer_list<std::string_view> keys);
  // A fault of the caller's own: "<field>: <rule>".
  void refuse(std::string_view key, std::string_view rule);
  // Kind::invalid with the name of the field: "verificationMaterial.tlogEntries[0].logId.keyId: want base64".
  Status status() const;

 private:
  JsonFields(const json::object* object, std::string path, std::shared_ptr<std::optional<Error>> fault);
  const json::value* find(std::string_view key) const;  // null is the same as missing
  const json::array* array(std::string_view key, std::size_t count_max);
  std::string named(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }
  JsonFields item(const json::value& value, std::string path);
  std::optional<std::string> decoded(const json::value& value) const;

  const json::object* object_;
  std::string path_;
  std::shared_ptr<std::optional<Error>> fault_;  // one for the whole document
};

}  // namespace windlass
