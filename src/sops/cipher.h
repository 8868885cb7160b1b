// The ciphers of SOPS and age, from OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "sops/document.h"

namespace windlass::sops {

// AES-256-GCM with a nonce of any length (Q25). Nothing when key, tag or additional data do not fit.
std::optional<std::string> open_aes_gcm(const Secret& key, std::string_view nonce, std::string_view sealed,
                                        std::string_view tag, std::string_view additional);
// ChaCha20-Poly1305 (RFC 8439) with its tag at the end of `sealed`.
std::optional<std::string> open_chacha20(const Secret& key, std::string_view nonce, std::string_view sealed);
// HKDF-SHA256 (RFC 5869), 32 bytes.
Secret hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info);
// X25519 (RFC 7748); nothing for a point of low order.
std::optional<Secret> x25519(const Secret& scalar, std::string_view point);
// The point of a scalar; nothing when it is not 32 bytes.
std::optional<std::string> x25519_public(const Secret& scalar);

// Of "ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]" the typed value (Q25); an empty text stays empty. `path`: Q26.
// Kind::invalid: no such text, damaged, or moved from another key. Kind::conflict: of a type that only sops reads.
Result<Value> open_value(const Secret& data_key, std::string_view text, std::string_view path);

}  // namespace windlass::sops
