// A signature taken out of its format: what was signed, in the ways that keys and logs ask for it.
#pragma once

#include <optional>
#include <string>

#include "sigstore/public_key.h"

namespace windlass {

struct SignedContent {
  SignedForm form = SignedForm::simple_payload;
  // The signed bytes: a payload, an artifact, the encoding of an envelope. Nothing when only their hash is at hand.
  std::optional<std::string> message;
  std::string message_sha256;           // raw bytes
  std::string envelope_payload_sha256;  // raw bytes; "" when it is no envelope
  std::string signature;                // raw bytes

  bool is_envelope() const { return !envelope_payload_sha256.empty(); }
  bool verifies_with(const PublicKey& key) const {
    return message ? key.verifies(*message, signature, form) : key.verifies_sha256(message_sha256, signature);
  }
};

}  // namespace windlass
