// Certificates made in the test.
#pragma once

#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "sigstore/key_fixture.h"
#include "sigstore/openssl.h"

namespace windlass {

using TestX509 = std::unique_ptr<X509, openssl::Free<X509_free>>;

struct CertificateOrder {
  std::string name;         // common name; "" leaves the subject empty, as Fulcio does
  std::string issuer_name;  // common name
  const TestKey* key = nullptr;
  WallTime from, until;
  std::vector<std::pair<int, std::string>> extensions;              // NID and OpenSSL's configuration text
  std::vector<std::pair<const char*, std::string>> raw_extensions;  // object id and value
};

inline void add_raw_extension(X509* certificate, const char* id, std::string_view value) {
  const std::unique_ptr<ASN1_OBJECT, openssl::Free<ASN1_OBJECT_free>> object(OBJ_txt2obj(id, 1));
  const std::unique_ptr<ASN1_OCTET_STRING, openssl::Free<ASN1_OCTET_STRING_free>> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), openssl::bytes(value), static_cast<int>(value.size()));
  const std::unique_ptr<X509_EXTENSION, openssl::Free<X509_EXTENSION_free>> extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 0, octets.get()));
  X509_add_ext(certificate, extension.get(), -1);
}

// Not yet signed.
inline TestX509 draft_certificate(const CertificateOrder& order) {
  TestX509 certificate(X509_new());
  auto* raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  static long serial = 1000;
  ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
  const auto set_name = [](X509_NAME* name, const std::string& text) {
    if (!text.empty()) X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, openssl::bytes(text), -1, -1, 0);
  };
  set_name(X509_get_subject_name(raw), order.name);
  set_name(X509_get_issuer_name(raw), order.issuer_name);
  ASN1_TIME_set(X509_getm_notBefore(raw), std::chrono::system_clock::to_time_t(order.from));
  ASN1_TIME_set(X509_getm_notAfter(raw), std::chrono::system_clock::to_time_t(order.until));
  X509_set_pubkey(raw, order.key->handle());
  for (const auto& [nid, value] : order.extensions) {
    if (value.empty()) continue;
    const std::unique_ptr<X509_EXTENSION, openssl::Free<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
    if (!extension) throw std::runtime_error("OpenSSL made no extension of " + value);
    X509_add_ext(raw, extension.get(), -1);
  }
  for (const auto& [id, value] : order.raw_extensions) add_raw_extension(raw, id, value);
  return certificate;
}

inline std::string signed_der(const TestX509& draft, const TestKey& issuer_key) {
  X509_sign(draft.get(), issuer_key.handle(), EVP_sha256());
  return openssl::der_of(draft.get(), i2d_X509);
}

// An authority's certificate; self-signed when it is its own issuer.
inline std::string authority_der(const std::string& name, const TestKey& key, const std::string& issuer_name,
                                 const TestKey& issuer_key, WallTime from, WallTime until) {
  return signed_der(draft_certificate({.name = name,
                                       .issuer_name = issuer_name,
                                       .key = &key,
                                       .from = from,
                                       .until = until,
                                       .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                                      {NID_key_usage, "critical,keyCertSign,cRLSign"}}}),
                    issuer_key);
}

}  // namespace windlass
