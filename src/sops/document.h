// A file that SOPS encrypts, as SOPS sees it: keys in order over typed values (secrets 4).
//
// Reading and writing are exact as far as the MAC goes: every value keeps the text that the MAC covers. Comments and
// layout are not kept, a parsed file says the same.
//
// Not here: what of it is encrypted, and by whom.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass::sops {

// Q4; `name` of each is what `sops --input-type` calls it.
enum class Format { yaml, json, dotenv, ini, binary };
std::string_view to_string(Format format);
// By the end of the name, letter case counts: .yaml .yml .json .env .ini, else binary.
Format format_of(std::string_view path);

// A file larger than this is not looked at: the ciphertext of 16 MiB is smaller (Q37).
constexpr std::uint64_t kEncryptedBytesMax = 32 << 20;

// Nor is one that holds more values: of 32 MiB they could fill some gigabytes. Such a file is for sops.
constexpr std::size_t kEncryptedValuesMax = 200'000;

struct Member;

struct Value {
  enum class Kind { null, text, integer, number, boolean, time, comment, list, map };

  Kind kind = Kind::null;
  std::string text;             // of a scalar, as the MAC covers it: "-7", "1.5", "True", RFC 3339 (Q27)
  std::vector<Value> items;     // of a list
  std::vector<Member> members;  // of a map, as written

  const Value* find(std::string_view key) const;
};

struct Member {
  std::string key;  // of a comment line in a dotenv file: ""
  Value value;
};

inline Value text_value(std::string text) { return {Value::Kind::text, std::move(text), {}, {}}; }

// Canonical forms of typed scalars; nothing when the text is none.
std::optional<Value> integer_value(std::string_view text);
std::optional<Value> number_value(std::string_view text);
std::optional<Value> boolean_value(std::string_view text);

// The top-level maps of a file: one, of YAML one for each document. `name` is for messages, which never quote a value.
// Kind::invalid: not of that format. Kind::conflict: it may be, but is written in a way that only `sops` itself reads
// the same (hexadecimal numbers, merge keys, more than a YAML file may hold, …).
using Branches = std::vector<Value>;
Result<Branches> parse(std::string_view text, Format format, std::string_view name);

// The file in plain text: what a program that reads the format understands as the same.
Result<std::string> emit(const Branches& branches, Format format);

}  // namespace windlass::sops
