#include "sigstore/certificate_store.h"

#include <openssl/x509_vfy.h>

namespace windlass {

CertificateStore store_of(const Authority& authority, WallTime time) {
  CertificateStore store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), authority.chain.back().handle());
  auto* parameters = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(time));
  return store;
}

CertificateStack intermediates_of(const Authority& authority) {
  CertificateStack certificates(sk_X509_new_null());
  for (std::size_t i = 0; i + 1 < authority.chain.size(); ++i) {
    X509_up_ref(authority.chain[i].handle());
    sk_X509_push(certificates.get(), authority.chain[i].handle());
  }
  return certificates;
}

}  // namespace windlass
