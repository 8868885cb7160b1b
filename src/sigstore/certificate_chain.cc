#include "sigstore/certificate_chain.h"

#include <fmt/format.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "sigstore/certificate_store.h"
#include "sigstore/openssl.h"

namespace windlass {
namespace {

using StoreContext = std::unique_ptr<X509_STORE_CTX, openssl::Free<X509_STORE_CTX_free>>;

constexpr std::uint32_t kCodeSigning = XKU_CODE_SIGN | XKU_ANYEKU;

// An authority that limits what its certificates are for limits the leaf too.
bool allows_code_signing(X509* certificate) {
  return (X509_get_extended_key_usage(certificate) & kCodeSigning) != 0;  // all bits when it has no such limit
}

Status check_leaf(const Certificate& leaf) {
  const auto flags = X509_get_extension_flags(leaf.handle());
  if ((flags & EXFLAG_INVALID) != 0) return fail(Kind::denied, "the certificate has a broken extension");
  if ((flags & EXFLAG_CA) != 0) return fail(Kind::denied, "want a certificate of a signer, found one of an authority");
  if ((flags & EXFLAG_XKUSAGE) == 0 || (X509_get_extended_key_usage(leaf.handle()) & XKU_CODE_SIGN) == 0)
    return fail(Kind::denied, "want a certificate for code signing (extended key usage), found one for something else");
  if ((X509_get_key_usage(leaf.handle()) & KU_DIGITAL_SIGNATURE) == 0)
    return fail(Kind::denied, "want a certificate for digital signatures (key usage), found one for something else");
  return {};
}

Result<Certificate> issuer_in(X509_STORE_CTX* context) {
  const auto* chain = X509_STORE_CTX_get0_chain(context);
  if (sk_X509_num(chain) < 2) return fail(Kind::denied, "want a certificate that an authority issued");
  for (int i = 1; i < sk_X509_num(chain); ++i)
    if (!allows_code_signing(sk_X509_value(chain, i)))
      return fail(Kind::denied, "want an authority for code signing, found one for something else");
  return Certificate::parse_der(openssl::der_of(sk_X509_value(chain, 1), i2d_X509));
}

Result<Certificate> verify_with(const Certificate& leaf, const Authority& authority, WallTime time) {
  const auto store = store_of(authority, time);
  const auto intermediates = intermediates_of(authority);
  const StoreContext context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf.handle(), intermediates.get()) != 1)
    return fail(Kind::internal, openssl::take_error());
  if (X509_verify_cert(context.get()) != 1) {
    openssl::take_error();
    return fail(Kind::denied, X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  return issuer_in(context.get());
}

}  // namespace

Result<Certificate> verify_code_signing_chain(const Certificate& leaf, const TrustedRoot& root, WallTime time) {
  if (const auto status = check_leaf(leaf); !status) return tl::unexpected(status.error());
  if (!leaf.valid_at(time))
    return fail(Kind::denied,
                fmt::format("want a certificate valid at the time of the signature, {}; it is valid {} to {}",
                            to_rfc3339(time), to_rfc3339(leaf.not_before()), to_rfc3339(leaf.not_after())));
  std::string last = "the trusted root has no certificate authority";
  for (const auto& authority : root.certificate_authorities()) {
    const auto name = authority.chain.back().name();
    if (!authority.window.includes(time)) {
      last = fmt::format("{} was in use {}, the signature was made {}", name, authority.window.str(), to_rfc3339(time));
      continue;
    }
    auto issuer = verify_with(leaf, authority, time);
    if (issuer) return issuer;
    last = fmt::format("{}: {}", name, issuer.error().message);
  }
  return fail(
      Kind::denied,
      fmt::format("want a certificate of an authority of the trusted root, found none that issued it: {}", last));
}

}  // namespace windlass
