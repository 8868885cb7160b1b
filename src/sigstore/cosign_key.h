// The key files of `cosign generate-key-pair`: JSON that names how its password becomes a key (scrypt) and what that
// key closed (a NaCl secret box, XSalsa20-Poly1305).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace windlass {

inline constexpr std::uint64_t kScryptBytesMax = 512ull << 20;  // cosign's own parameters take 64 MiB

// The PKCS#8 DER inside. Kind::denied for a wrong password, Kind::invalid for a file that is none or asks for too much.
Result<Secret> open_cosign_key(std::string_view json, const Secret& password);

}  // namespace windlass
