// An authority of the trusted root in OpenSSL's form.
#pragma once

#include <openssl/x509.h>

#include <memory>

#include "sigstore/openssl.h"
#include "sigstore/trusted_root.h"

namespace windlass {

using CertificateStore = std::unique_ptr<X509_STORE, openssl::Free<X509_STORE_free>>;

struct FreeCertificates {
  void operator()(STACK_OF(X509) * certificates) const noexcept { sk_X509_pop_free(certificates, X509_free); }
};
using CertificateStack = std::unique_ptr<STACK_OF(X509), FreeCertificates>;

// The last certificate of the chain as the only anchor, self-signed or not; validity is judged at `time`.
CertificateStore store_of(const Authority& authority, WallTime time);

// The certificates below the anchor.
CertificateStack intermediates_of(const Authority& authority);

}  // namespace windlass
