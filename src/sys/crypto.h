// Hashes, MACs, base64 and randomness from OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace windlass {

using Sha256Bytes = std::array<unsigned char, 32>;

// Hashes a stream piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  // The hash of all bytes so far as 64 lower-case hexadecimal digits; the object is used up.
  std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view bytes);
std::string sha512_hex(std::string_view bytes);

// HMAC-SHA256 (RFC 2104) with a key prepared once. One object per thread.
class HmacSha256 {
 public:
  explicit HmacSha256(const Secret& key);  // any length; longer than 64 bytes is hashed first (webhook/S8)
  ~HmacSha256();
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;

  Sha256Bytes sign(std::string_view message);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// HMAC-SHA1 (RFC 2104), 20 bytes: for the one sender that offers nothing better.
std::string hmac_sha1(const Secret& key, std::string_view message);

// Compares without telling by its time where the first difference is. Lengths are not hidden.
bool equal_constant_time(std::string_view a, std::string_view b);

std::string base64_encode(std::string_view bytes);
// Standard alphabet, padding optional, white space refused.
std::optional<std::string> base64_decode(std::string_view text);

std::string random_bytes(std::size_t count);

// A new UUIDv7 in lower-case text form, 36 characters (RFC 9562, 5.7); ids of one process rise in order of creation.
std::string new_uuid_v7();

}  // namespace windlass
