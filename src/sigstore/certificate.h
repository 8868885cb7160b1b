// An X.509 certificate (RFC 5280) as keyless signing uses it. Reading one proves nothing: see certificate_chain.h.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sigstore/public_key.h"

struct x509_st;  // OpenSSL's X509

namespace windlass {

class Certificate {
 public:
  static constexpr std::size_t kDerBytesMax = 32u << 10;  // Fulcio's leaves have 1 KB

  // Kind::invalid with what is wrong; bytes after the certificate are refused.
  static Result<Certificate> parse_der(std::string_view der);
  // The first PEM block, which must be a "CERTIFICATE".
  static Result<Certificate> parse_pem(std::string_view pem);

  const std::string& der() const { return der_; }
  WallTime not_before() const { return not_before_; }
  WallTime not_after() const { return not_after_; }
  // Issuer and subject are the same name: a root, or a certificate nobody vouches for.
  bool is_self_issued() const;
  // Both ends belong to it.
  bool valid_at(WallTime time) const { return not_before_ <= time && time <= not_after_; }
  // Kind::invalid for a kind of key that windlass does not take.
  Result<PublicKey> public_key() const;
  // The DER SubjectPublicKeyInfo as the certificate has it.
  std::string key_der() const;

  // Subject alternative names: URIs, e-mail addresses, DNS names, IP addresses, and user names in the way Fulcio writes
  // them (other name 1.3.6.1.4.1.57264.1.7).
  std::vector<std::string> subjects() const;
  // Who vouched for the subject: extension 1.3.6.1.4.1.57264.1.8, else 1.3.6.1.4.1.57264.1.1; "" without (oci 11.5).
  std::string oidc_issuer() const;
  // "CN=…,O=…" for messages.
  std::string name() const;

  // OpenSSL's object, as long as this one lives. Not to be changed.
  x509_st* handle() const { return handle_.get(); }

 private:
  Certificate() = default;

  std::shared_ptr<x509_st> handle_;  // shared by copies: it never changes
  std::string der_;
  WallTime not_before_, not_after_;
};

}  // namespace windlass
