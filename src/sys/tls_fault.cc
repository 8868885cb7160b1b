#include "sys/tls_fault.h"

#include <string_view>

namespace windlass {

TlsFault tls_fault_of(const Error& error) {
  const auto says = [&](std::string_view words) { return error.message.find(words) != error.message.npos; };
  // X509_verify_cert_error_string() of what X509_V_ERR_* has for a chain that does not end at a root.
  const bool is_unknown =
      says("self-signed certificate") || says("issuer certificate") || says("unable to verify the first certificate");
  if (error.kind == Kind::denied && is_unknown) return TlsFault::unknown_issuer;
  // "HTTP/1.1 …" read as a record: OpenSSL 3.2 to 3.5 judge its length first, those before and after its version.
  const bool is_no_record = says("wrong version number") || says("packet length too long");
  if (error.kind == Kind::unavailable && says("TLS handshake: ") && is_no_record) return TlsFault::speaks_no_tls;
  return TlsFault::none;
}

}  // namespace windlass
