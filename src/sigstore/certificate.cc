#include "sigstore/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <optional>

#include "base/text.h"
#include "sigstore/openssl.h"
#include "sigstore/pem.h"

namespace windlass {
namespace {

constexpr const char* kIssuerExtension = "1.3.6.1.4.1.57264.1.8";     // a DER UTF8String
constexpr const char* kOldIssuerExtension = "1.3.6.1.4.1.57264.1.1";  // the bytes themselves
constexpr const char* kUserNameOtherName = "1.3.6.1.4.1.57264.1.7";   // a DER UTF8String

using ObjectId = std::unique_ptr<ASN1_OBJECT, openssl::Free<ASN1_OBJECT_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, openssl::Free<GENERAL_NAMES_free>>;

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::optional<WallTime> time_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return std::nullopt;
  return from_unix_seconds(::timegm(&fields));
}

std::optional<std::string> extension(const X509* certificate, const char* id) {
  const ObjectId object(OBJ_txt2obj(id, 1));
  const int at = X509_get_ext_by_OBJ(certificate, object.get(), -1);
  if (at < 0) return std::nullopt;
  return text_of(X509_EXTENSION_get_data(X509_get_ext(certificate, at)));
}

std::string utf8_of_der(std::string_view der) {
  const auto* at = openssl::bytes(der);
  const std::unique_ptr<ASN1_UTF8STRING, openssl::Free<ASN1_UTF8STRING_free>> string(
      d2i_ASN1_UTF8STRING(nullptr, &at, static_cast<long>(der.size())));
  openssl::take_error();
  return string ? text_of(string.get()) : "";
}

std::string user_name_of(const OTHERNAME& other) {
  const ObjectId user_name(OBJ_txt2obj(kUserNameOtherName, 1));
  if (OBJ_cmp(other.type_id, user_name.get()) != 0 || other.value->type != V_ASN1_UTF8STRING) return "";
  return text_of(other.value->value.utf8string);
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  const int size = ASN1_STRING_length(bytes);
  if (size != 4 && size != 16) return "";
  ::inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text, sizeof text);
  return text;
}

std::string subject_of(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_URI:
    case GEN_EMAIL:
    case GEN_DNS:
      return text_of(name.d.ia5);
    case GEN_IPADD:
      return address_of(name.d.iPAddress);
    case GEN_OTHERNAME:
      return user_name_of(*name.d.otherName);
    default:
      return "";
  }
}

}  // namespace

Result<Certificate> Certificate::parse_der(std::string_view der) {
  if (der.size() > kDerBytesMax)
    return fail(Kind::invalid, fmt::format("a certificate has at most {} bytes, got {}", kDerBytesMax, der.size()));
  const auto* at = openssl::bytes(der);
  Certificate certificate;
  certificate.handle_ = {d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free};
  if (!certificate.handle_) return fail(Kind::invalid, fmt::format("not a certificate: {}", openssl::take_error()));
  if (at != openssl::bytes(der) + der.size()) return fail(Kind::invalid, "not a certificate: bytes after its end");
  const auto from = time_of(X509_get0_notBefore(certificate.handle()));
  const auto until = time_of(X509_get0_notAfter(certificate.handle()));
  if (!from || !until) return fail(Kind::invalid, "a certificate with a validity that is no time");
  certificate.not_before_ = *from;
  certificate.not_after_ = *until;
  certificate.der_ = der;
  return certificate;
}

Result<Certificate> Certificate::parse_pem(std::string_view pem) {
  auto blocks = read_pem(pem, 1);
  if (!blocks) return tl::unexpected(blocks.error());
  if (blocks->front().label != "CERTIFICATE")
    return fail(Kind::invalid,
                fmt::format("want a PEM block 'CERTIFICATE', found '{}'", printable(blocks->front().label, 64)));
  return parse_der(blocks->front().der);
}

bool Certificate::is_self_issued() const {
  return X509_NAME_cmp(X509_get_subject_name(handle()), X509_get_issuer_name(handle())) == 0;
}

Result<PublicKey> Certificate::public_key() const {
  auto* key = X509_get_pubkey(handle());
  if (key == nullptr) return fail(Kind::invalid, fmt::format("the key of the certificate: {}", openssl::take_error()));
  return PublicKey::of({key, EVP_PKEY_free});
}

std::string Certificate::key_der() const { return openssl::der_of(X509_get_X509_PUBKEY(handle()), i2d_X509_PUBKEY); }

std::vector<std::string> Certificate::subjects() const {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(handle(), NID_subject_alt_name, nullptr, nullptr)));
  openssl::take_error();
  std::vector<std::string> subjects;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
    if (auto subject = subject_of(*sk_GENERAL_NAME_value(names.get(), i)); !subject.empty())
      subjects.push_back(std::move(subject));
  return subjects;
}

std::string Certificate::oidc_issuer() const {
  if (const auto der = extension(handle(), kIssuerExtension)) return utf8_of_der(*der);
  return extension(handle(), kOldIssuerExtension).value_or("");
}

std::string Certificate::name() const {
  const openssl::Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_subject_name(handle()), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return printable({text, static_cast<std::size_t>(size)}, 200);
}

}  // namespace windlass
